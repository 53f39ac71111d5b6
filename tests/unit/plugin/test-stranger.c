/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* A careless source from a file of its own: whatever it does, a user is answered once and in time, and the log names it. */
#include "core/aaa/aaa.h"
#include "core/base/hold.h"
#include "core/base/loop.h"
#include "core/base/stall.h"
#include "core/bus/bus.h"
#include "core/plugin/plugins.h"
#include "core/ppp/lcp-extras.h"
#include "core/ppp/registry.h"
#include "tests/lib/loop.h"
#include "tests/unit/defaults.h"
#include <glib/gstdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

enum { TIMEOUT_MS = 1000, PATIENT_MS = 60000 };

static char *folder, *file;
static GMutex lock; /* guards: other threads log, too */
static GString *lines;

/* When a line that begins so has come so often, an octet goes there: it lets go who is waiting for it. */
static const char *awaited;
static guint awaited_times;
static int release_fd = -1;

static void release_waiting(const char *line) {
  if (awaited_times && g_str_has_prefix(line, awaited) && !--awaited_times && write(release_fd, "", 1) != 1)
    abort();
}

static GLogWriterOutput keep_line(GLogLevelFlags level, const GLogField *fields, gsize n, gpointer data) {
  g_mutex_lock(&lock);
  for (gsize i = 0; i < n; i++)
    if (strcmp(fields[i].key, "MESSAGE") == 0) {
      g_string_append_printf(lines, "%s\n", (const char *)fields[i].value);
      release_waiting(fields[i].value);
    }
  g_mutex_unlock(&lock);
  return G_LOG_WRITER_HANDLED;
}

static guint logged(const char *line) {
  guint n = 0;
  g_mutex_lock(&lock);
  for (const char *at = lines->str; (at = strstr(at, line)); at++)
    n++;
  g_mutex_unlock(&lock);
  return n;
}

typedef struct {
  guint calls;
  AditAuthOutcome outcome;
  char *why;
} Verdict;

static void decided(guint64 id, const AditAuthReply *reply, const char *source, gpointer data) {
  Verdict *verdict = data;
  verdict->calls++;
  verdict->outcome = reply->outcome;
  verdict->why = g_strdup(reply->why);
}

static guint64 ask(const char *user, Verdict *verdict) {
  AditAuthRequest *request = adit_auth_request_new(ADIT_AUTH_PAP);
  request->user = g_strdup(user);
  request->password = g_strdup("x");
  return adit_aaa_request_begin(request, decided, verdict);
}

static Verdict ask_and_wait(const char *user) {
  Verdict verdict = {0};
  ask(user, &verdict);
  assert_true(TEST_LOOP_UNTIL(verdict.calls, 5000));
  test_loop_drain();
  assert_int_equal(verdict.calls, 1);
  return verdict;
}

/** Of what is asked from now on. */
static void set_timeout(guint ms) {
  g_autoptr(AditValue) config = adit_value_map();
  AditValue *aaa = adit_value_map(), *sources = adit_value_list();

  adit_value_append(sources, adit_value_string("stranger"));
  adit_value_set(aaa, "sources", sources);
  adit_value_set(aaa, "timeout", adit_value_int(ms));
  adit_value_set(config, "aaa", fill_defaults(aaa, adit_aaa_options, adit_aaa_n_options, ADIT_SCOPE_AAA));
  adit_aaa_commit(adit_aaa_prepare(config, NULL));
}

static int setup(void **state) {
  static AditServed served[] = {{.name = ADIT_AAA_SERVICE, .version = 1, .drop_plugin = adit_aaa_drop_plugin},
                                {.name = ADIT_LOOP_SERVICE, .version = 1, .drop_plugin = adit_loop_drop_plugin},
                                {.name = ADIT_BUS_SERVICE, .version = 1, .drop_plugin = adit_bus_drop_plugin},
                                {.name = ADIT_PPP_SERVICE, .version = 1, .drop_plugin = adit_ppp_drop_plugin}};
  static const char *const names[] = {"stranger", NULL};
  g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
  g_autofree char *code = NULL;
  gsize length;

  lines = g_string_new(NULL);
  folder = g_dir_make_tmp("adit-stranger-XXXXXX", NULL);
  file = g_build_filename(folder, "stranger.so", NULL);
  assert_true(g_file_get_contents(BUILDDIR "/tests/unit/plugin/.libs/stranger.so", &code, &length, NULL));
  assert_true(g_file_set_contents(file, code, (gssize)length, NULL));
  assert_int_equal(g_chmod(file, 0644), 0);

  adit_loop_init();
  adit_aaa_init(adit_loop_service());
  adit_bus_init();
  served[0].table = adit_aaa_service();
  served[1].table = adit_loop_service();
  served[2].table = adit_bus_service();
  served[3].table = adit_ppp_service();
  adit_plugins_init(served, G_N_ELEMENTS(served), NULL, 0);
  adit_plugins_add_dir(folder);
  if (!adit_plugins_load(names, problems))
    fail_msg("%s", (const char *)problems->pdata[0]);
  set_timeout(TIMEOUT_MS);
  return 0;
}

static int teardown(void **state) {
  adit_plugins_fini();
  adit_aaa_fini();
  adit_ppp_fini();
  adit_bus_fini();
  adit_loop_fini();
  g_remove(file);
  g_rmdir(folder);
  g_free(file);
  g_free(folder);
  g_string_free(lines, TRUE);
  return 0;
}

static void an_answer_may_come_from_any_thread(void **state) {
  Verdict verdict = ask_and_wait("good");
  assert_int_equal(verdict.outcome, ADIT_AUTH_ACCEPT);
  g_free(verdict.why);
}

static void a_second_answer_changes_nothing_and_is_blamed_on_its_source(void **state) {
  Verdict verdict = ask_and_wait("twice");
  assert_int_equal(verdict.outcome, ADIT_AUTH_REJECT);
  assert_true(TEST_LOOP_UNTIL(logged("source stranger answered a request twice"), 5000));
  g_free(verdict.why);
}

static void silence_meets_its_deadline_and_is_blamed_on_its_source(void **state) {
  guint64 before = adit_loop_service()->now();
  Verdict verdict = ask_and_wait("never");
  assert_int_equal(verdict.outcome, ADIT_AUTH_ERROR);
  assert_string_equal(verdict.why, "it did not answer in time");
  assert_in_range(adit_loop_service()->now() - before, TIMEOUT_MS, 20 * TIMEOUT_MS);
  assert_int_equal(logged("source stranger failed for user never: it did not answer in time"), 1);
  g_free(verdict.why);
}

static void what_is_let_go_without_an_answer_is_an_error(void **state) {
  Verdict verdict = ask_and_wait("forgetful");
  assert_int_equal(verdict.outcome, ADIT_AUTH_ERROR);
  assert_int_equal(logged("it let go of the request without an answer"), 1);
  g_free(verdict.why);
}

/* Two hundred users at once, of all kinds: each is answered once, and those that the source answers do not wait for the others:
 * they have all the time that a slow machine needs. */
static void one_users_mistake_is_not_anothers(void **state) {
  static const char *const kinds[] = {"good", "twice", "never", "late", "forgetful"};
  g_autofree Verdict *verdicts = g_new0(Verdict, 200);
  guint good = 0, done = 0;

  for (guint i = 0; i < 200; i++) {
    const char *kind = kinds[i % G_N_ELEMENTS(kinds)];
    set_timeout(strcmp(kind, "never") == 0 || strcmp(kind, "late") == 0 ? TIMEOUT_MS : PATIENT_MS);
    ask(kind, &verdicts[i]);
  }
  assert_true(TEST_LOOP_UNTIL(({
                                done = 0;
                                for (guint i = 0; i < 200; i++)
                                  done += verdicts[i].calls;
                                done == 200;
                              }),
                              20000));
  test_loop_drain();
  for (guint i = 0; i < 200; i++) {
    assert_int_equal(verdicts[i].calls, 1);
    good += verdicts[i].outcome == ADIT_AUTH_ACCEPT;
    g_free(verdicts[i].why);
  }
  assert_int_equal(good, 40);
}

/* The request is the core's as long as somebody waits, and its memory stays for a while: nothing is touched that is freed. */
static gboolean blamed(const char *user, const char *line) {
  Verdict verdict = ask_and_wait(user);
  assert_int_equal(verdict.outcome, ADIT_AUTH_ACCEPT);
  g_free(verdict.why);
  return logged(line) > 0;
}

static void a_reference_too_many_is_blamed_on_its_source(void **state) {
  /* Such lines come at a bounded rate, which earlier tests use up. */
  assert_true(TEST_LOOP_UNTIL(blamed("gives-back-too-much", "source stranger called adit_auth_request_unref() once too often"), 10000));
  assert_true(TEST_LOOP_UNTIL(blamed("lets-go-too-often", "source stranger gives back a request once too often"), 10000));
  assert_true(blamed("good", "once too often"));
}

static void attributes_that_are_no_map_are_an_error(void **state) {
  Verdict verdict = ask_and_wait("gives-a-list");
  assert_int_equal(verdict.outcome, ADIT_AUTH_ERROR);
  assert_string_equal(verdict.why, "its attributes are no MAP: adit_value_map() makes one");
  g_free(verdict.why);
}

static void who_holds_the_loop_is_named(void **state) {
  Verdict verdict = ask_and_wait("holds-the-loop");
  assert_int_equal(verdict.outcome, ADIT_AUTH_ACCEPT);
  g_free(verdict.why);
  assert_true(logged("plugin stranger: ask() held the main loop for ") >= 1); /* how long is the machine's business, too */
}

static void an_engine_that_holds_the_loop_is_named(void **state) {
  const AditPppOption option = {200, 1, (const guint8 *)"x"};
  guint n;
  const AditLcpDesc *const *descs = adit_lcp_descs(&n);
  AditLcpExtras *extras = adit_lcp_extras_new(descs, n, NULL, NULL);

  assert_int_equal(adit_lcp_extras_peer_option(extras, &option, NULL), ADIT_OPTION_ACK);
  adit_lcp_extras_free(extras);
  assert_int_equal(logged("plugin stranger: peer_option() held the main loop for "), 1);
}

/* The line comes while the call lasts: it is what ends the call. */
static void name_while_it_lasts(const char *user, const char *line) {
  g_autofree char *whole = NULL;
  int ends[2];

  assert_int_equal(pipe(ends), 0);
  whole = g_strdup_printf("%s-%d", user, ends[0]);
  g_mutex_lock(&lock);
  awaited = line;
  awaited_times = 2;
  release_fd = ends[1];
  g_mutex_unlock(&lock);
  adit_stall_start(50, 100);
  Verdict verdict = ask_and_wait(whole);
  adit_stall_stop();
  assert_int_equal(verdict.outcome, ADIT_AUTH_ACCEPT);
  assert_true(logged(line) >= 2);
  g_free(verdict.why);
  close(ends[0]);
  close(ends[1]);
}

static void who_does_not_return_is_named_while_it_lasts(void **state) {
  name_while_it_lasts("does-not-return", "plugin stranger: ask() has held the main loop for ");
  name_while_it_lasts("timer-does-not-return", "plugin stranger: a timer has held the main loop for ");
}

/* A pass of many short calls: none of them is the one, but the pass does not end. */
static gboolean pass_goes_on(gpointer data) {
  while (!logged("core: a pass of the main loop has lasted for "))
    ADIT_HOLD(NULL, pass_goes_on, "a short call", g_usleep(1000));
  *(gboolean *)data = TRUE;
  return G_SOURCE_REMOVE;
}

static void a_pass_that_does_not_end_is_named(void **state) {
  gboolean done = FALSE;

  adit_stall_start(50, 100);
  g_idle_add(pass_goes_on, &done);
  assert_true(TEST_LOOP_UNTIL(done, 20000));
  adit_stall_stop();
}

static gboolean end_of_passes(gpointer data) {
  return ++*(guint *)data < 30 ? (g_usleep(5000), G_SOURCE_CONTINUE) : G_SOURCE_REMOVE;
}

/* Many passes and calls that are each short, and a loop that waits, are nobody's stall. */
static void a_loop_that_moves_is_not_named(void **state) {
  guint passes = 0;

  adit_stall_start(5000, 5000);
  g_timeout_add(1, end_of_passes, &passes);
  assert_true(TEST_LOOP_UNTIL(passes == 30, 20000));
  adit_stall_stop();
  assert_int_equal(logged("does not return") + logged("does not end"), 0);
}

static void what_only_the_loop_may_call_is_refused_to_threads(void **state) {
  static const char *const functions[] = {"adit.loop timer_arm()", "adit.bus publish()", "adit.bus subscribe()",
                                          "adit.loop run_blocking()"};
  Verdict verdict = ask_and_wait("calls-from-a-thread");

  g_free(verdict.why);
  for (guint i = 0; i < G_N_ELEMENTS(functions); i++) {
    g_autofree char *line = g_strdup_printf("plugin stranger: %s was called on another thread than the main loop's: refused", functions[i]);
    assert_int_equal(logged(line), 1);
  }
}

static void what_it_never_gives_back_is_counted_when_it_leaves(void **state) {
  Verdict verdict = ask_and_wait("keeps-for-ever");
  assert_int_equal(verdict.outcome, ADIT_AUTH_ACCEPT);
  g_free(verdict.why);
  adit_plugins_fini();
  assert_int_equal(logged("plugin stranger: it leaves and has not given back 1 requests: call handle_unref() for each handle_ref()"), 1);
}

/* It still holds what it was asked when it has to go. */
static void it_may_leave_in_the_middle(void **state) {
  Verdict first = {0}, second = {0};
  ask("never", &first);
  ask("good", &second);
  adit_plugins_fini();
  assert_true(TEST_LOOP_UNTIL(first.calls && second.calls, 5000));
  assert_int_equal(first.outcome, ADIT_AUTH_ERROR);
  g_free(first.why);
  g_free(second.why);
}

int main(void) {
#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      /* first, as such lines come at a bounded rate */
      test(what_only_the_loop_may_call_is_refused_to_threads),
      test(what_it_never_gives_back_is_counted_when_it_leaves),
      test(an_answer_may_come_from_any_thread),
      test(a_second_answer_changes_nothing_and_is_blamed_on_its_source),
      test(silence_meets_its_deadline_and_is_blamed_on_its_source),
      test(what_is_let_go_without_an_answer_is_an_error),
      test(one_users_mistake_is_not_anothers),
      test(it_may_leave_in_the_middle),
      test(a_reference_too_many_is_blamed_on_its_source),
      test(attributes_that_are_no_map_are_an_error),
      test(who_holds_the_loop_is_named),
      test(an_engine_that_holds_the_loop_is_named),
      test(who_does_not_return_is_named_while_it_lasts),
      test(a_pass_that_does_not_end_is_named),
      test(a_loop_that_moves_is_not_named),
  };
  g_log_set_writer_func(keep_line, NULL, NULL);
  return cmocka_run_group_tests_name("stranger", tests, NULL, NULL);
}
