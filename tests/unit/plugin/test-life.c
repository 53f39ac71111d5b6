/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The life of plugins that are linked in: init to fini, and one configuration for all or for none. */
#include "core/base/loop.h"
#include "core/plugin/open.h"
#include "core/plugin/plugins.h"
#include "core/plugin/resolve.h"
#include "tests/lib/loop.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* What happened, in order: each step of each plugin is a word. */
static GString *story;
static gboolean refuse_init, refuse_one, refuse_two, refuse_room, two_is_pending, two_answers_inside, two_stops_late;
static AditPlugin *two_plugin;
static AditPrepared two_done;
static void (*two_stopped)(AditPlugin *plugin);

static void tell(const char *who, const char *what) {
  g_string_append_printf(story, "%s%s.%s", story->len ? " " : "", who, what);
}

static void expect_story(const char *expected) {
  assert_string_equal(story->str, expected);
  g_string_truncate(story, 0);
}

static gboolean one_init(AditPlugin *plugin, const AditHost *host, gpointer *state, GError **error) {
  tell("one", host->service(plugin, "test.service", 1) ? "init" : "no-service");
  assert_null(host->service(plugin, "test.service", 2));
  *state = (gpointer) "one";
  return TRUE;
}

static gboolean two_init(AditPlugin *plugin, const AditHost *host, gpointer *state, GError **error) {
  tell("two", "init");
  two_plugin = plugin;
  *state = (gpointer) "two";
  if (refuse_init)
    g_set_error_literal(error, ADIT_ERROR, ADIT_ERR_SYSTEM, "no luck");
  return !refuse_init;
}

static gboolean start(gpointer state, GError **error) {
  tell(state, "start");
  return TRUE;
}

static gboolean one_prepare(gpointer state, const AditValue *config, gpointer *staged, gboolean *pending, AditPrepared done,
                            GError **error) {
  tell(state, "prepare");
  if (refuse_one)
    g_set_error_literal(error, ADIT_ERROR, ADIT_ERR_INVALID, "one says no");
  *staged = (gpointer) "staged-one";
  return !refuse_one;
}

static gboolean two_prepare(gpointer state, const AditValue *config, gpointer *staged, gboolean *pending, AditPrepared done,
                            GError **error) {
  tell(state, "prepare");
  two_done = done;
  if (two_answers_inside)
    done(two_plugin, (gpointer) "staged-two", NULL);
  *staged = (gpointer) "staged-two";
  *pending = two_is_pending;
  if (refuse_two)
    g_set_error_literal(error, ADIT_ERROR, ADIT_ERR_INVALID, "two says no");
  return !refuse_two;
}

static void commit(gpointer state, gpointer staged) {
  tell(state, "commit");
  assert_true(g_str_has_suffix(staged, state));
}

static void undo(gpointer state, gpointer staged) {
  tell(state, "abort");
  assert_true(g_str_has_suffix(staged, state));
}

static void two_stop(gpointer state, void (*done)(AditPlugin *plugin), AditPlugin *plugin) {
  tell(state, "stop");
  two_stopped = done;
  if (!two_stops_late)
    done(plugin);
}

static void fini(gpointer state) {
  tell(state, "fini");
}

static const AditFeature one_features[] = {{ADIT_PROVIDES, "x:one"}};
static const AditFeature two_features[] = {{ADIT_REQUIRES, "x:one"}};
static const AditPluginInfo one = {ADIT_PLUGIN_HEAD, .name = "one",  .features = one_features, .n_features = 1,  .capabilities = 4,
                                   .init = one_init, .start = start, .prepare = one_prepare,   .commit = commit, .abort = undo,
                                   .fini = fini};
static const AditPluginInfo two = {ADIT_PLUGIN_HEAD,  .name = "two",    .features = two_features, .n_features = 1,
                                   .capabilities = 1, .init = two_init, .start = start,           .prepare = two_prepare,
                                   .commit = commit,  .abort = undo,    .stop = two_stop,         .fini = fini};

static gboolean module_prepare(const AditValue *config, gpointer *staged, GError **error) {
  tell("module", "prepare");
  if (refuse_room)
    g_set_error_literal(error, ADIT_ERROR, ADIT_ERR_INVALID, "the module says no");
  *staged = (gpointer) "staged-module";
  return !refuse_room;
}

static void module_commit(gpointer staged) {
  tell("module", "commit");
}

static void module_abort(gpointer staged) {
  tell("module", "abort");
}

static void drop(AditPlugin *plugin) {
  tell(plugin->name, "dropped");
}

static const AditServed served[] = {{.name = "test.service", .version = 1, .table = &served, .drop_plugin = drop}};
static const AditModule modules[] = {{"module", module_prepare, module_commit, module_abort}};
static const char *const none[] = {NULL};

static void load(void) {
  g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
  adit_plugins_add_static(&two);
  adit_plugins_add_static(&one);
  assert_true(adit_plugins_load(none, problems));
  expect_story("one.init two.init");
}

static int setup(void **state) {
  refuse_init = refuse_one = refuse_two = refuse_room = two_is_pending = two_answers_inside = two_stops_late = FALSE;
  story = g_string_new(NULL);
  adit_loop_init();
  adit_plugins_init(served, G_N_ELEMENTS(served), modules, G_N_ELEMENTS(modules));
  return 0;
}

static int teardown(void **state) {
  adit_plugins_fini();
  adit_loop_fini();
  g_string_free(story, TRUE);
  return 0;
}

typedef struct {
  guint count;
  char *error;
  const AditValue *config; /* what was applied last: to compare with, maybe dead */
} Outcome;

static void applied(const GError *error, gpointer data) {
  Outcome *outcome = data;
  outcome->count++;
  g_free(outcome->error);
  outcome->error = g_strdup(error ? error->message : NULL);
}

/* Applies a new configuration. */
static void apply(Outcome *outcome) {
  g_autoptr(AditValue) config = adit_value_map();
  outcome->config = config;
  adit_plugins_apply(config, applied, outcome);
}

static void set_true(gpointer data) {
  *(gboolean *)data = TRUE;
}

/* Loads and starts both with a first configuration. */
static void begin(Outcome *outcome) {
  g_autoptr(AditValue) config = adit_value_map();
  outcome->config = config;
  load();
  adit_plugins_start(config, applied, outcome);
}

static void life_goes_up_in_order_and_down_in_reverse(void **state) {
  Outcome outcome = {0};
  gboolean stopped = FALSE;
  begin(&outcome);
  assert_int_equal(outcome.count, 1);
  assert_null(outcome.error);
  assert_ptr_equal(adit_plugins_config(), outcome.config);
  expect_story("module.prepare module.commit one.prepare one.commit one.start two.prepare two.commit two.start");
  assert_int_equal(adit_plugins_capabilities(), 5);

  adit_plugins_stop(1000, set_true, &stopped);
  assert_true(TEST_LOOP_UNTIL(stopped, 2000));
  expect_story("two.stop");
  adit_plugins_fini();
  expect_story("two.fini two.dropped one.fini one.dropped");
}

static void a_refused_start_goes_no_further(void **state) {
  Outcome outcome = {0};
  refuse_one = TRUE;
  begin(&outcome);
  assert_string_equal(outcome.error, "plugin one: one says no");
  expect_story("module.prepare module.commit one.prepare");
  g_free(outcome.error);
}

static void a_failed_init_takes_everything_back(void **state) {
  g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
  refuse_init = TRUE;
  adit_plugins_add_static(&one);
  adit_plugins_add_static(&two);
  assert_false(adit_plugins_load(none, problems));
  assert_int_equal(problems->len, 1);
  assert_string_equal(problems->pdata[0], "plugin two: no luck");
  expect_story("one.init two.init two.dropped one.fini one.dropped");
}

static void a_listed_plugin_that_is_not_there_is_a_problem(void **state) {
  g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
  static const char *const names[] = {"absent", "gone", NULL};
  adit_plugins_add_dir("/nowhere");
  assert_false(adit_plugins_load(names, problems));
  assert_int_equal(problems->len, 2);
  assert_string_equal(problems->pdata[0], "plugin absent: no absent.so in /nowhere");
}

static void one_refusal_aborts_all_and_nothing_has_changed(void **state) {
  Outcome outcome = {0};
  load();
  apply(&outcome);
  const AditValue *before = outcome.config;
  expect_story("module.prepare one.prepare two.prepare module.commit one.commit two.commit");

  refuse_two = TRUE;
  apply(&outcome);
  assert_string_equal(outcome.error, "plugin two: two says no");
  expect_story("module.prepare one.prepare two.prepare one.abort module.abort");
  assert_ptr_equal(adit_plugins_config(), before);

  refuse_one = TRUE;
  apply(&outcome);
  assert_string_equal(outcome.error, "plugin one: one says no\nplugin two: two says no");
  expect_story("module.prepare one.prepare two.prepare module.abort");
  assert_ptr_equal(adit_plugins_config(), before);
  g_free(outcome.error);
}

static void a_rooms_refusal_ends_it_before_plugins_are_asked(void **state) {
  Outcome outcome = {0};
  load();
  refuse_room = TRUE;
  apply(&outcome);
  assert_string_equal(outcome.error, "module: the module says no");
  expect_story("module.prepare");
  assert_null(adit_plugins_config());
  g_free(outcome.error);
}

static void a_trial_starts_nothing(void **state) {
  Outcome outcome = {0};
  g_autoptr(AditValue) config = adit_value_map();
  load();
  adit_plugins_try(config, applied, &outcome);
  assert_int_equal(outcome.count, 1);
  assert_null(outcome.error);
  expect_story("module.prepare module.commit one.prepare one.abort two.prepare two.abort");
}

static void a_trial_tells_all_refusals(void **state) {
  Outcome outcome = {0};
  g_autoptr(AditValue) config = adit_value_map();
  load();
  refuse_one = refuse_two = TRUE;
  adit_plugins_try(config, applied, &outcome);
  assert_string_equal(outcome.error, "plugin one: one says no\nplugin two: two says no");
  g_free(outcome.error);
}

static void who_stops_takes_no_configuration_any_more(void **state) {
  Outcome outcome = {0}, late = {0};
  begin(&outcome);
  expect_story("module.prepare module.commit one.prepare one.commit one.start two.prepare two.commit two.start");
  two_is_pending = TRUE;
  apply(&outcome);
  expect_story("module.prepare one.prepare two.prepare");
  adit_plugins_freeze();
  assert_int_equal(outcome.count, 2);
  assert_string_equal(outcome.error, "adit: the daemon is stopping");
  expect_story("one.abort module.abort");
  two_done(two_plugin, (gpointer) "staged-two", NULL);
  expect_story("two.abort");
  apply(&late);
  assert_string_equal(late.error, "the daemon is stopping");
  expect_story("");
  g_free(outcome.error);
  g_free(late.error);
}

static void a_first_configuration_may_take_its_time(void **state) {
  Outcome outcome = {0};
  two_is_pending = TRUE;
  begin(&outcome);
  assert_int_equal(outcome.count, 0);
  expect_story("module.prepare module.commit one.prepare one.commit one.start two.prepare");
  two_done(two_plugin, (gpointer) "staged-two", NULL);
  assert_int_equal(outcome.count, 1);
  expect_story("two.commit two.start");
}

static void a_pending_prepare_is_waited_for(void **state) {
  Outcome outcome = {0};
  load();
  two_is_pending = TRUE;
  apply(&outcome);
  assert_int_equal(outcome.count, 0);
  expect_story("module.prepare one.prepare two.prepare");

  Outcome second = {0};
  apply(&second); /* one at a time */
  assert_string_equal(second.error, "another reload is running: try again");
  g_free(second.error);

  two_done(two_plugin, (gpointer) "staged-two", NULL);
  assert_int_equal(outcome.count, 1);
  assert_null(outcome.error);
  expect_story("module.commit one.commit two.commit");
}

static void a_pending_prepare_may_refuse(void **state) {
  Outcome outcome = {0};
  load();
  two_is_pending = TRUE;
  apply(&outcome);
  two_done(two_plugin, NULL, g_error_new_literal(ADIT_ERROR, ADIT_ERR_INVALID, "after some thought, no"));
  assert_string_equal(outcome.error, "plugin two: after some thought, no");
  expect_story("module.prepare one.prepare two.prepare one.abort module.abort");
  g_free(outcome.error);
}

static void a_prepare_may_answer_inside_the_call(void **state) {
  Outcome outcome = {0};
  load();
  two_is_pending = two_answers_inside = TRUE;
  apply(&outcome);
  assert_int_equal(outcome.count, 1);
  assert_null(outcome.error);
  expect_story("module.prepare one.prepare two.prepare module.commit one.commit two.commit");
}

static void an_answer_that_comes_too_late_is_aborted(void **state) {
  Outcome outcome = {0};
  load();
  two_is_pending = TRUE;
  adit_plugins_prepare_limit_ms = 50;
  apply(&outcome);
  assert_true(TEST_LOOP_UNTIL(outcome.count, 2000));
  adit_plugins_prepare_limit_ms = 10000;
  assert_string_equal(outcome.error, "plugin two: no reply within 50 ms");
  expect_story("module.prepare one.prepare two.prepare one.abort module.abort");

  two_is_pending = FALSE;
  apply(&outcome);
  assert_string_equal(outcome.error, "plugin two: still busy with an earlier configuration");
  expect_story("module.prepare one.prepare one.abort module.abort");

  two_done(two_plugin, (gpointer) "staged-two", NULL);
  expect_story("two.abort");
  apply(&outcome);
  assert_null(outcome.error);
  expect_story("module.prepare one.prepare two.prepare module.commit one.commit two.commit");
}

static void a_plugin_that_does_not_stop_is_left_behind(void **state) {
  Outcome outcome = {0};
  gboolean stopped = FALSE;
  begin(&outcome);
  g_string_truncate(story, 0);
  two_stops_late = TRUE;
  adit_plugins_stop(150, set_true, &stopped);
  assert_false(stopped);
  assert_true(TEST_LOOP_UNTIL(stopped, 2000));
  two_stopped(two_plugin); /* nobody waits any more: harmless */
  expect_story("two.stop");
}

int main(void) {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      T(life_goes_up_in_order_and_down_in_reverse),
      T(a_failed_init_takes_everything_back),
      T(a_listed_plugin_that_is_not_there_is_a_problem),
      T(one_refusal_aborts_all_and_nothing_has_changed),
      T(a_rooms_refusal_ends_it_before_plugins_are_asked),
      T(a_refused_start_goes_no_further),
      T(a_trial_starts_nothing),
      T(a_trial_tells_all_refusals),
      T(a_first_configuration_may_take_its_time),
      T(who_stops_takes_no_configuration_any_more),
      T(a_pending_prepare_is_waited_for),
      T(a_pending_prepare_may_refuse),
      T(a_prepare_may_answer_inside_the_call),
      T(an_answer_that_comes_too_late_is_aborted),
      T(a_plugin_that_does_not_stop_is_left_behind),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
