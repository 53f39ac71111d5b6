/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The fake core itself, and every plugin of this tree on it. */
#include <adit/test.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* ---- a source that answers in each of the ways there are ---- */

static const AditAaaService *aaa;
static const AditLoopService *loop;
static AditAuthHandle *kept;
static AditTimer timer;
static guint cancelled;

static void answer(AditAuthHandle *handle, AditAuthOutcome outcome, const char *why) {
  const AditAuthReply reply = {.size = sizeof reply, .outcome = outcome, .why = why};
  aaa->answer(handle, &reply);
}

static void answer_on_time(AditTimer *which, gpointer data) {
  answer(kept, ADIT_AUTH_ACCEPT, "in its own time");
  aaa->handle_unref(g_steal_pointer(&kept));
}

static gpointer answer_on_thread(gpointer data) {
  answer(data, ADIT_AUTH_REJECT, "from a thread");
  aaa->handle_unref(data);
  return NULL;
}

static void source_ask(gpointer state, AditAuthRequest *request, AditAuthHandle *handle) {
  if (!strcmp(request->user, "now")) {
    answer(handle, ADIT_AUTH_ACCEPT, request->password);
  } else if (!strcmp(request->user, "twice")) {
    answer(handle, ADIT_AUTH_ACCEPT, "once");
    answer(handle, ADIT_AUTH_REJECT, "twice");
  } else if (!strcmp(request->user, "later")) {
    kept = aaa->handle_ref(handle);
    timer = (AditTimer){.func = answer_on_time};
    loop->timer_arm(&timer, 5000);
  } else if (!strcmp(request->user, "thread")) {
    g_thread_unref(g_thread_new("answer", answer_on_thread, aaa->handle_ref(handle)));
  }
}

static void source_cancel(gpointer state, AditAuthHandle *handle) {
  cancelled++;
}

static const AditAuthSourceOps source = {sizeof source, "inline", source_ask, source_cancel};

static gboolean inline_init(AditPlugin *plugin, const AditHost *host, gpointer *state, GError **error) {
  aaa = host->service(plugin, ADIT_AAA_SERVICE, 1);
  loop = host->service(plugin, ADIT_LOOP_SERVICE, 1);
  return aaa->source_add(plugin, &source, NULL, error);
}

static gint64 limit;

static gboolean inline_prepare(gpointer state, const AditValue *config, gpointer *staged, gboolean *pending, AditPrepared done,
                               GError **error) {
  *staged = GINT_TO_POINTER(adit_value_get_int(adit_value_get(config, "inline"), "limit", -1));
  return TRUE;
}

static void inline_commit(gpointer state, gpointer staged) {
  limit = GPOINTER_TO_INT(staged);
}

static const AditOption options[] = {
    {.name = "limit", .scopes = "inline", .type = ADIT_TYPE_DURATION, .fallback = "1m30s", .help = ""},
};

static const AditFeature features[] = {{ADIT_PROVIDES, "auth-source:inline"}};
static const AditPluginInfo info = {ADIT_PLUGIN_HEAD,
                                    .features = features,
                                    .n_features = 1,    .name = "inline",          .options = options,     .n_options = 1,
                                    .init = inline_init, .prepare = inline_prepare, .commit = inline_commit};

static int setup(void **state) {
  AditTest *test = adit_test_new();
  *state = test;
  assert_true(adit_test_use(test, &info, NULL));
  assert_true(adit_test_start(test, NULL));
  return 0;
}

static int teardown(void **state) {
  adit_test_free(*state);
  return 0;
}

static void an_answer_may_come_inside_the_question(void **state) {
  AditTestAnswer *got = adit_test_ask(*state, "inline", adit_test_pap("now", "secret"));
  assert_true(ADIT_TEST_UNTIL(*state, got->count, 1000));
  assert_int_equal(got->outcome, ADIT_AUTH_ACCEPT);
  assert_string_equal(got->why, "secret");
  assert_null(adit_test_ask(*state, "nobody", adit_test_pap("now", "")));
}

static void a_second_answer_is_seen(void **state) {
  AditTestAnswer *got = adit_test_ask(*state, "inline", adit_test_pap("twice", ""));
  assert_true(ADIT_TEST_UNTIL(*state, got->count == 2, 1000));
}

static void a_dropped_handle_is_an_error(void **state) {
  AditTestAnswer *got = adit_test_ask(*state, "inline", adit_test_pap("nobody", ""));
  assert_true(ADIT_TEST_UNTIL(*state, got->count, 1000));
  assert_int_equal(got->outcome, ADIT_AUTH_ERROR);
}

static void time_passes_when_told_to(void **state) {
  AditTestAnswer *got = adit_test_ask(*state, "inline", adit_test_pap("later", ""));
  guint64 before = adit_test_now(*state);
  adit_test_cancel(*state, got);
  assert_int_equal(cancelled, 1);
  adit_test_advance(*state, 4999);
  assert_int_equal(got->count, 0);
  adit_test_advance(*state, 1);
  assert_int_equal(got->count, 1);
  assert_int_equal(adit_test_now(*state) - before, 5000);
}

static void an_answer_may_come_from_a_thread(void **state) {
  AditTestAnswer *got = adit_test_ask(*state, "inline", adit_test_pap("thread", ""));
  assert_true(ADIT_TEST_UNTIL(*state, got->count, 5000));
  assert_int_equal(got->outcome, ADIT_AUTH_REJECT);
}

static void options_are_typed_by_the_plugins_table(void **state) {
  assert_true(adit_test_configure(*state, adit_test_config(*state, "inline", NULL), NULL));
  assert_int_equal(limit, 90000);
  assert_true(adit_test_configure(*state, adit_test_config(*state, "inline", "limit", "250ms", NULL), NULL));
  assert_int_equal(limit, 250);
  assert_true(adit_test_try(*state, adit_test_config(*state, "inline", "limit", "1h", NULL), NULL));
  assert_int_equal(limit, 250);
}

static void first_step(gpointer data) {
  g_atomic_int_set((gint *)data, 1);
}

static void second_step(gpointer data) {
  ((gint *)data)[1] = g_atomic_int_get((gint *)data) + 1;
}

static void blocking_work_comes_back_to_the_loop(void **state) {
  gint steps[2] = {0};
  assert_true(loop->run_blocking(NULL, first_step, second_step, steps));
  assert_true(ADIT_TEST_UNTIL(*state, steps[1], 5000));
  assert_int_equal(steps[1], 2);
}

static void net_says_what_it_is_told_to(void **state) {
  const AditNetService *net = adit_test_service(*state, ADIT_NET_SERVICE);
  AditNetRoute route = {.ifindex = 7};
  AditClaimant owner = {.size = sizeof owner, .who = "a plugin"};
  const char *why = NULL;
  adit_prefix_parse("192.0.2.0/24", &route.to);

  AditClaim *claim = net->claim_route(&route, &owner);
  assert_int_equal(net->claim_state(claim, &why), ADIT_CLAIM_INSTALLED);
  assert_true(adit_test_saw(*state, "net.claim_route 192.0.2.0/24 via - dev 7"));
  net->claim_release(claim);
  assert_true(adit_test_saw(*state, "net.claim_release"));
  adit_test_fail(*state, "net.claim_route", 17);
  claim = net->claim_route(&route, &owner);
  assert_int_equal(net->claim_state(claim, &why), ADIT_CLAIM_REFUSED);
  assert_non_null(why);
  net->claim_release(claim);

  AditAddress address = adit_address_ipv4(0xc0000235);
  net->protect(ADIT_PROTECT_SERVER, &address, "a server");
  assert_true(adit_test_saw(*state, "net.protect 192.0.2.53: a server"));
  assert_false(net->protected_by(&address, ADIT_PROTECT_ANY, NULL));
  adit_test_fail(*state, "net.protected_by", 1);
  assert_true(net->protected_by(&address, ADIT_PROTECT_ANY, NULL));
  net->unprotect(ADIT_PROTECT_SERVER, &address, "a server");
  assert_true(adit_test_saw(*state, "net.unprotect 192.0.2.53: a server"));
}

static void store_row(gpointer user, const char *key, const guint8 *data, gsize length) {
  g_strlcat(user, key, 64);
  g_strlcat(user, " ", 64);
}

static void store_loaded(gpointer user, const GError *error) {
  g_strlcat(user, error ? "error " : "end ", 64);
}

static void the_store_keeps(void **state) {
  const AditStoreService *store = adit_test_service(*state, ADIT_STORE_SERVICE);
  char got[64] = "";
  store->put("t", "b", "2", 1, NULL, NULL);
  store->put("t", "a", "1", 1, NULL, NULL);
  store->put("other", "c", "3", 1, NULL, NULL);
  store->load("t", NULL, 0, store_row, store_loaded, got);
  assert_true(ADIT_TEST_UNTIL(*state, strstr(got, "end"), 1000));
  assert_string_equal(got, "a b end ");
  got[0] = 0;
  store->load("t", "a", 1, store_row, store_loaded, got);
  assert_true(ADIT_TEST_UNTIL(*state, strstr(got, "end"), 1000));
  assert_string_equal(got, "b end ");
}

static void pools_run_dry(void **state) {
  const AditPoolService *pool = adit_test_service(*state, ADIT_POOL_SERVICE);
  AditPrefix first, second;
  adit_test_add_pool(*state, "small", "192.0.2.8/31");
  assert_true(pool->take("small", NULL, &first, NULL));
  assert_false(pool->take("small", NULL, &second, NULL));
  pool->give_back(&first);
  assert_true(pool->take("small", NULL, &second, NULL));
  assert_true(adit_address_equal(&first.address, &second.address));
  assert_false(pool->reserve(&second));
  pool->give_back(&second);
}

static void session_is_down(const AditEvent *event, gpointer data) {
  *(AditSessionId *)data = ((const AditSessionEvent *)event)->session;
}

static void a_session_is_found_until_it_ends(void **state) {
  const AditSessionService *session = adit_test_service(*state, ADIT_SESSION_SERVICE);
  const AditBusService *bus = adit_test_service(*state, ADIT_BUS_SERVICE);
  AditSessionInfo alice = {.size = sizeof alice, .id = 7, .user = "alice", .record_id = "r7"};
  g_autoptr(AditValue) changes = adit_value_map();
  g_autoptr(GError) error = NULL;
  AditSessionId down = 0;

  bus->subscribe(NULL, ADIT_EVENT_SESSION_DOWN, session_is_down, &down);
  adit_test_add_session(*state, &alice);
  assert_int_equal(session->session_find("r7"), 7);
  adit_value_set(changes, "rate-limit", adit_value_string("1M/2M"));
  assert_true(session->session_update(7, changes, &error));
  assert_true(adit_test_saw(*state, "session.session_update 7 rate-limit=1M/2M"));
  assert_true(session->disconnect(7, ADIT_CAUSE_ADMIN_RESET, "enough"));
  assert_false(session->disconnect(7, ADIT_CAUSE_ADMIN_RESET, "again"));
  assert_int_equal(session->session_find("r7"), 0);
  assert_false(session->session_update(7, changes, &error));
  assert_true(g_error_matches(error, ADIT_ERROR, ADIT_ERR_NOT_FOUND));
  assert_true(session->session_info(7, &alice));
  adit_test_end_session(*state, 7, ADIT_CAUSE_ADMIN_RESET);
  assert_int_equal(down, 7);
  assert_false(session->session_info(7, &alice));
}

static void every_plugin_of_this_tree_inits_and_ends(void **state) {
  static const char *const folders[] = {"plugins", "plugins-auth", "plugins-ipsec"};
  guint seen = 0;

  for (guint i = 0; i < G_N_ELEMENTS(folders); i++) {
    g_autofree char *folder = g_build_filename(BUILDDIR, folders[i], NULL);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    for (const char *name; dir && (name = g_dir_read_name(dir));) {
      g_autofree char *file = g_strconcat(name, ".so", NULL), *path = g_build_filename(folder, name, ".libs", file, NULL);
      g_autoptr(GError) error = NULL;
      if (!g_file_test(path, G_FILE_TEST_EXISTS))
        continue;
      AditTest *test = adit_test_new();
      if (!adit_test_load(test, path, &error))
        fail_msg("%s: %s", name, error->message);
      adit_test_free(test);
      seen++;
    }
  }
  assert_true(seen >= 1);
}

int main(void) {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      T(an_answer_may_come_inside_the_question),
      T(a_second_answer_is_seen),
      T(a_dropped_handle_is_an_error),
      T(time_passes_when_told_to),
      T(an_answer_may_come_from_a_thread),
      T(options_are_typed_by_the_plugins_table),
      T(blocking_work_comes_back_to_the_loop),
      T(net_says_what_it_is_told_to),
      T(the_store_keeps),
      T(pools_run_dry),
      T(a_session_is_found_until_it_ends),
      cmocka_unit_test(every_plugin_of_this_tree_inits_and_ends),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
