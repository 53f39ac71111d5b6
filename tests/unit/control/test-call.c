/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Calls, lists and what plugins do wrong with them: nothing that a plugin does with a call may end the daemon or hold it up. */
#include "core/control/rows.h"
#include "tests/unit/control/conn.h"

static void make_things(guint count) {
  for (guint i = 1; i <= count; i++)
    g_hash_table_add(sample_things, GUINT_TO_POINTER(i));
}

/* 60,000 rows, of which the reader takes none, then some, then all: what waits is bounded, and nothing is made ahead of it. */
static void rows_are_made_only_as_they_are_read(void **state) {
  Ctx *ctx = *state;
  gsize length;

  make_things(60000);
  assert_true(say(ctx, "{\"method\":\"io.adit.sample.Things\",\"more\":true}"));
  assert_in_range(sample_rows_made, 1, 4000);
  adit_conn_output(ctx->conn, &length);
  assert_true(length < ADIT_VARLINK_ROWS_MAX + 70000);
  adit_conn_sent(ctx->conn, length);
  settle();
  assert_in_range(sample_rows_made, 2000, 8000);
  g_autofree char *rest = hear(ctx);
  assert_int_equal(sample_rows_made, 60000);
  assert_non_null(strstr(rest, "]}}\n"));
  print_message("60000 rows: the longest pass took %d us\n", (int)adit_turns_longest_us());
}

/* The things that vanish while the list is sent are left out; those that come later are not in it; nothing is read after it is freed. */
static void a_list_bears_any_change_between_rows(void **state) {
  Ctx *ctx = *state;
  gsize length;

  make_things(10000);
  assert_true(say(ctx, "{\"method\":\"io.adit.sample.Things\",\"more\":true}"));
  guint made = sample_rows_made;
  assert_true(made < 10000);
  g_hash_table_remove_all(sample_things);
  for (guint i = 20000; i < 40000; i++)
    g_hash_table_add(sample_things, GUINT_TO_POINTER(i));
  while (adit_conn_output(ctx->conn, &length)) {
    adit_conn_sent(ctx->conn, length);
    settle();
  }
  assert_int_equal(sample_rows_made, made);
  assert_false(adit_conn_is_busy(ctx->conn));
}

static guint looked_up;

static AditValue *nothing_left(gpointer state, guint64 id) {
  looked_up++;
  return NULL;
}

/* Tens of thousands that closed between two rows: each turn passes over a few of them. */
static void things_that_are_gone_hold_nobody_up(void **state) {
  enum { GONE = 100000 };
  g_autoptr(GArray) ids = g_array_sized_new(FALSE, TRUE, sizeof(guint64), GONE);
  AditControlRows_ list = {.ids = ids, .row_of_id = nothing_left};
  AditRows *rows = adit_rows_new("things", adit_control_rows_next_, &list, NULL, 0);
  const GString *text;
  guint turns = 0;

  g_array_set_size(ids, GONE);
  looked_up = 0;
  while (adit_rows_step(rows, 0, &text) == ADIT_ROWS_BUSY) {
    turns++;
    assert_true(looked_up <= turns * ADIT_CONTROL_ROWS_GONE_);
  }
  assert_int_equal(looked_up, GONE);
  assert_string_equal(text->str, "{\"parameters\":{\"things\":[]}}");
  adit_rows_free(rows);
}

static void the_rows_end_with_their_caller_or_plugin(void **state) {
  Ctx *ctx = *state;
  Ctx other = {.conn = adit_conn_new(ADIT_ACCESS_CHANGE, wake, &other)};

  assert_true(say(&other, "{\"method\":\"io.adit.sample.Endless\",\"more\":true}"));
  assert_int_equal(sample_rows_freed, 0);
  adit_conn_free(other.conn);
  assert_int_equal(sample_rows_freed, 1);
  settle();

  assert_true(say(ctx, "{\"method\":\"io.adit.sample.Endless\",\"more\":true}"));
  adit_control_quiesce(&sample_plugin);
  assert_int_equal(sample_rows_freed, 2);
  expect_part(ctx, "io.adit.PluginGone");

  assert_true(say(ctx, "{\"method\":\"io.adit.sample.Endless\",\"oneway\":true}"));
  assert_int_equal(sample_rows_freed, 3);
  assert_int_equal(adit_calls_count(), 0);
}

/* A caller who wants one answer gets the whole list, or is told that it is too long: the daemon's memory has a limit. */
static void an_endless_list_in_one_reply_is_refused(void **state) {
  Ctx other = {.conn = adit_conn_new(ADIT_ACCESS_READ, wake, &other)};
  assert_true(say(&other, "{\"method\":\"io.adit.sample.Endless\"}"));
  expect_part(&other, "{\"error\":\"io.adit.TooLong\"");
  assert_int_equal(sample_rows_freed, 1);
  adit_conn_free(other.conn);
}

/* Two endless lists and a caller with one question: turns go round. */
static void callers_are_served_in_turns(void **state) {
  Ctx lists[2];
  Ctx *ctx = *state;
  gsize length;
  guint passes = 0;

  for (guint i = 0; i < 2; i++) {
    lists[i] = (Ctx){.conn = adit_conn_new(ADIT_ACCESS_CHANGE, wake, &lists[i])};
    static const char call[] = "{\"method\":\"io.adit.sample.Endless\",\"more\":true}";
    assert_true(adit_conn_feed(lists[i].conn, (const guint8 *)call, sizeof call));
  }
  static const char questions[] = "{\"method\":\"io.adit.sample.Echo\"}\0{\"method\":\"io.adit.sample.Change\"}";
  assert_true(adit_conn_feed(ctx->conn, (const guint8 *)questions, sizeof questions));
  for (; !sample_changed && passes < 20; passes++) {
    adit_turns_pass();
    for (guint i = 0; i < 2; i++) {
      adit_conn_output(lists[i].conn, &length);
      adit_conn_sent(lists[i].conn, length);
    }
  }
  assert_true(sample_changed);
  assert_true(sample_rows_made > 0);
  for (guint i = 0; i < 2; i++)
    adit_conn_free(lists[i].conn);
}

/* ---- plugins that do what they must not ---- */

static guint warnings;
static char *last_warning;

static GLogWriterOutput count_warnings(GLogLevelFlags level, const GLogField *fields, gsize n, gpointer data) {
  for (gsize i = 0; i < n && level == G_LOG_LEVEL_WARNING; i++)
    /* A busy machine may stop the test in a call: that it held the loop is not what is counted here. */
    if (!strcmp(fields[i].key, "MESSAGE") && !strstr((const char *)fields[i].value, "held the main loop")) {
      warnings++;
      g_free(last_warning);
      last_warning = g_strdup((const char *)fields[i].value);
    }
  return G_LOG_WRITER_HANDLED;
}

static void a_plugin_that_answers_wrongly_is_named_and_answered_once(void **state) {
  static const struct {
    const char *how, *answer, *said;
  } wrong[] = {
      {"reply-reply", "{\"parameters\":{}}\n", "reply() after the answer"},
      {"reply-error", "{\"parameters\":{}}\n", "error() after the answer"},
      {"error-error", "{\"error\":\"io.adit.sample.Sorry\",\"parameters\":{\"text\":\"first\"}}\n", "error() after the answer"},
      {"odd-name", "{\"error\":\"io.adit.Failed\",\"parameters\":{\"text\":\"words\"}}\n", "a name that is none"},
      {"null-name", "{\"error\":\"io.adit.Failed\",\"parameters\":{\"text\":\"words\"}}\n", "a name that is none"},
      {"null-text", "{\"error\":\"io.adit.sample.Sorry\",\"parameters\":{\"text\":\"\"}}\n", "without a text"},
      {"null-reply", "{\"error\":\"io.adit.Internal\"", "something else than a MAP"},
      {"list-reply", "{\"error\":\"io.adit.Internal\"", "something else than a MAP"},
      {"more-to-one", "{\"error\":\"io.adit.Internal\"", "reply() after the answer"},
      {"reply-rows", "{\"parameters\":{}}\n", "reply_rows() after the answer"},
      {"rows-reply", "{\"error\":\"io.adit.Internal\"", "reply() after reply_rows()"},
      {"rows-rows", "{\"error\":\"io.adit.Internal\"", "reply_rows() after a reply"},
      {"null-call", "{\"parameters\":{}}\n", "a NULL call"},
  };
  Ctx *ctx = *state;

  for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
    g_autofree char *call = g_strdup_printf("{\"method\":\"io.adit.sample.Twice\",\"parameters\":{\"how\":\"%s\"}}", wrong[i].how);
    guint64 before = adit_calls_misused();
    assert_true(say(ctx, call));
    g_autofree char *text = hear(ctx);
    if (!g_str_has_prefix(text, wrong[i].answer) || strchr(text, '\n') != text + strlen(text) - 1)
      fail_msg("%s is answered with %s", wrong[i].how, text);
    assert_true(adit_calls_misused() > before);
    if (i < 9) { /* further lines are kept back */
      assert_non_null(strstr(last_warning, "plugin sample: method io.adit.sample.Twice"));
      assert_non_null(strstr(last_warning, wrong[i].said));
    }
  }
  assert_in_range(warnings, 9, 10);
  assert_int_equal(adit_calls_count(), 0);
}

/* A handle of a call that has ended long ago: not memory, so that whatever came in its place is not touched. */
static void a_call_may_be_kept_for_ever(void **state) {
  Ctx *ctx = *state;

  assert_true(say(ctx, "{\"method\":\"io.adit.sample.Later\"}"));
  AditCall *old = sample_call;
  assert_true(adit_control_service()->reply(old, adit_value_map(), FALSE));
  for (guint i = 0; i < 2000; i++) {
    assert_true(say(ctx, "{\"method\":\"io.adit.sample.Echo\"}"));
    g_free(hear(ctx));
  }
  assert_false(adit_control_service()->reply(old, adit_value_map(), FALSE));
  adit_control_service()->error(old, "io.adit.sample.Sorry", "late");
  assert_false(adit_control_service()->wants_more(old));
  expect(ctx, "");
}

static void a_stream_goes_on_harmlessly_when_its_reader_is_gone(void **state) {
  Ctx *ctx = *state;
  guint64 before = adit_calls_misused();

  assert_true(say(ctx, "{\"method\":\"io.adit.sample.Later\",\"more\":true}"));
  adit_conn_free(g_steal_pointer(&ctx->conn));
  for (guint i = 0; i < 10000; i++)
    assert_false(adit_control_service()->reply(sample_call, adit_value_map(), TRUE));
  assert_false(adit_control_service()->reply(sample_call, adit_value_map(), FALSE));
  adit_control_service()->on_gone(sample_call, sample_went, NULL); /* too late: told at once */
  assert_int_equal(sample_gone, 1);
  assert_int_equal(adit_calls_misused(), before); /* bad luck, no mistake */
}

static void a_call_that_is_never_answered_ends(void **state) {
  Ctx *ctx = *state;
  AditMethod impatient[] = {{.size = sizeof(AditMethod), .name = "Later", .call = sample_later, .limit_s = 1}};
  g_autoptr(GError) error = NULL;

  assert_true(adit_control_service()->interface_add(&sample_plugin, "interface io.adit.slow\nmethod Later() -> ()\n", impatient, 1, NULL, 0,
                                                    NULL, &error));
  memset(impatient, 0, sizeof impatient); /* they were copied */
  assert_true(say(ctx, "{\"method\":\"io.adit.slow.Later\"}"));
  assert_true(TEST_LOOP_UNTIL(adit_calls_late() == 1, 10000));
  expect_part(ctx, "{\"error\":\"io.adit.Timeout\",\"parameters\":{\"text\":\"no answer within 1 seconds: plugin sample");
  assert_false(adit_control_service()->reply(sample_call, adit_value_map(), FALSE)); /* the late answer */
  assert_true(say(ctx, "{\"method\":\"io.adit.sample.Echo\"}"));
  expect_part(ctx, "echo");
}

/* Methods of a plugin that was built when AditMethod ended with `call`. */
static void an_older_struct_is_read_by_its_size(void **state) {
  typedef struct {
    gsize size;
    const char *name;
    gboolean changes;
    void (*call)(gpointer state, AditCall *call, const AditValue *parameters);
  } OldMethod;
  const OldMethod old[] = {{sizeof(OldMethod), "One", FALSE, sample_echo}, {sizeof(OldMethod), "Two", TRUE, sample_change}};
  g_autoptr(GError) error = NULL;

  assert_true(adit_control_service()->interface_add(NULL, "interface io.adit.old\nmethod One() -> ()\nmethod Two() -> ()\n",
                                                    (const AditMethod *)(gconstpointer)old, 2, NULL, 0, NULL, &error));
  assert_true(say(*state, "{\"method\":\"io.adit.old.Two\"}"));
  expect(*state, "{\"parameters\":{}}\n");
  assert_int_equal(sample_changed, 1);
}

int main(void) {
  g_log_set_writer_func(count_warnings, NULL, NULL);
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      T(rows_are_made_only_as_they_are_read),
      T(a_list_bears_any_change_between_rows),
      T(things_that_are_gone_hold_nobody_up),
      T(the_rows_end_with_their_caller_or_plugin),
      T(an_endless_list_in_one_reply_is_refused),
      T(callers_are_served_in_turns),
      T(a_plugin_that_answers_wrongly_is_named_and_answered_once),
      T(a_call_may_be_kept_for_ever),
      T(a_stream_goes_on_harmlessly_when_its_reader_is_gone),
      T(a_call_that_is_never_answered_ends),
      T(an_older_struct_is_read_by_its_size),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  g_free(last_warning);
  return failed;
}
