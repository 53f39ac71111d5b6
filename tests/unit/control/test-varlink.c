/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The protocol without its socket: framing, order, errors, streams, and peers that mean harm. */
#include "tests/unit/control/conn.h"

static void a_call_is_answered(void **state) {
  assert_true(say(*state, "{\"method\":\"io.adit.sample.Echo\",\"parameters\":{\"a\":1}}"));
  expect(*state, "{\"parameters\":{\"echo\":{\"a\":1}}}\n");
  assert_true(((Ctx *)*state)->woken > 0);
}

static void parameters_may_be_absent(void **state) {
  assert_true(say(*state, "{\"method\":\"io.adit.sample.Echo\"}"));
  expect(*state, "{\"parameters\":{\"echo\":{}}}\n");
}

static void a_message_may_come_octet_by_octet(void **state) {
  static const char message[] = "{\"method\":\"io.adit.sample.Echo\",\"parameters\":{\"a\":1}}";
  Ctx *ctx = *state;
  for (gsize i = 0; i < sizeof message; i++)
    assert_true(adit_conn_feed(ctx->conn, (const guint8 *)message + i, 1));
  expect(ctx, "{\"parameters\":{\"echo\":{\"a\":1}}}\n");
}

static void calls_in_one_piece_are_answered_in_order(void **state) {
  static const char messages[] = "{\"method\":\"io.adit.sample.Later\"}\0{\"method\":\"io.adit.sample.Echo\",\"parameters\":{\"n\":2}}\0"
                                 "{\"method\":\"io.adit.sample.Fail\"}";
  Ctx *ctx = *state;
  assert_true(adit_conn_feed(ctx->conn, (const guint8 *)messages, sizeof messages));
  assert_null(sample_call); /* octets alone call nothing: the loop gives turns */
  expect(ctx, "");          /* the first one takes its time: the others wait */
  assert_non_null(sample_call);
  assert_true(adit_control_service()->reply(sample_call, adit_value_map(), FALSE));
  expect(ctx, "{\"parameters\":{}}\n{\"parameters\":{\"echo\":{\"n\":2}}}\n"
              "{\"error\":\"io.adit.sample.Sorry\",\"parameters\":{\"text\":\"not today\"}}\n");
}

static void oneway_has_no_answer(void **state) {
  assert_true(say(*state, "{\"method\":\"io.adit.sample.Echo\",\"oneway\":true}"));
  assert_true(say(*state, "{\"method\":\"io.adit.sample.Fail\",\"oneway\":true}"));
  assert_true(say(*state, "{\"method\":\"io.adit.nothing.Echo\",\"oneway\":true}"));
  expect(*state, "");
}

static void what_is_not_there_is_named(void **state) {
  assert_true(say(*state, "{\"method\":\"io.adit.nothing.Echo\"}"));
  expect_part(*state, "{\"error\":\"org.varlink.service.InterfaceNotFound\",\"parameters\":{\"interface\":\"io.adit.nothing.Echo\"");
  assert_true(say(*state, "{\"method\":\"io.adit.sample.Nothing\"}"));
  expect_part(*state, "{\"error\":\"org.varlink.service.MethodNotFound\",\"parameters\":{\"method\":\"io.adit.sample.Nothing\"");
  assert_true(say(*state, "{\"method\":\"nothing\"}"));
  expect_part(*state, "InterfaceNotFound");
  assert_true(say(*state, "{\"method\":\"io.adit.sample.Echo\",\"parameters\":[1]}"));
  expect_part(*state, "InvalidParameter");
}

/* The plugin sees what its description says, or nothing. */
static void parameters_have_the_types_of_the_description(void **state) {
  static const struct {
    const char *given, *answer;
  } rows[] = {
      {"", "{\"error\":\"org.varlink.service.InvalidParameter\",\"parameters\":{\"parameter\":\"number\",\"text\":\"parameter `number` is "
           "missing\"}}"},
      {"\"number\":null", "parameter `number` is missing"},
      {"\"number\":[1]", "parameter `number` is not an int"},
      {"\"number\":\"1x\"", "parameter `number` is not an int"},
      {"\"number\":1.5", "parameter `number` is not an int"},
      {"\"number\":1,\"yes\":1", "parameter `yes` is not a bool"},
      {"\"number\":1,\"yes\":\"perhaps\"", "parameter `yes` is not a bool"},
      {"\"number\":1,\"ratio\":\"much\"", "parameter `ratio` is not a float"},
      {"\"number\":1,\"word\":\"three\"", "parameter `word` is not one of one, two"},
      {"\"number\":1,\"word\":1", "parameter `word` is not one of one, two"},
      {"\"number\":1,\"pairs\":{}", "parameter `pairs` is not a list of its type"},
      {"\"number\":1,\"pairs\":[{\"left\":1},{}]", "parameter `pairs` is not a list of its type"},
      {"\"number\":1,\"pairs\":[{\"left\":1,\"right\":2}]", "parameter `pairs` is not a list of its type"},
      {"\"number\":1,\"by_name\":{\"a\":\"b\"}", "parameter `by_name` is not a map of its type"},
      {"\"number\":1,\"what\":[]", "parameter `what` is not an object"},
      {"\"number\":\"-7\"", "{\"parameters\":{\"echo\":{\"number\":-7}}}"},
      {"\"number\":1,\"yes\":\"no\"", "{\"parameters\":{\"echo\":{\"number\":1,\"yes\":false}}}"},
      {"\"number\":1,\"yes\":true,\"ratio\":2,\"word\":\"two\",\"pairs\":[{\"left\":1},{\"left\":2,\"right\":\"x\"}],\"by_name\":{\"a\":3},"
       "\"what\":{}",
       "\"pairs\":[{\"left\":1},{\"left\":2,\"right\":\"x\"}]"},
      {"\"number\":1,\"ratio\":2.5", "\"ratio\":"},
      {"\"number\":1,\"unknown\":{\"as\":\"it is\"}", "\"unknown\":{\"as\":\"it is\"}"},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autofree char *message = g_strdup_printf("{\"method\":\"io.adit.sample.Typed\",\"parameters\":{%s}}", rows[i].given);
    assert_true(say(*state, message));
    expect_part(*state, rows[i].answer);
  }
  assert_true(say(*state, "{\"method\":\"io.adit.sample.Typed\"}"));
  expect_part(*state, "parameter `number` is missing");
}

static void changes_need_the_right(void **state) {
  Ctx *ctx = *state;
  assert_true(say(ctx, "{\"method\":\"io.adit.sample.Change\"}"));
  expect(ctx, "{\"parameters\":{}}\n");
  assert_int_equal(sample_changed, 1);

  Ctx other = {.conn = adit_conn_new(ADIT_ACCESS_READ, wake, &other)};
  assert_true(say(&other, "{\"method\":\"io.adit.sample.Change\"}"));
  expect_part(&other, "org.varlink.service.PermissionDenied");
  assert_int_equal(sample_changed, 1);
  assert_true(say(&other, "{\"method\":\"io.adit.sample.Echo\"}"));
  expect_part(&other, "echo");
  adit_conn_free(other.conn);
}

static void reading_needs_the_right_but_for_what_is_public(void **state) {
  static const char *const closed[] = {"io.adit.sample.Echo", "io.adit.sample.List", "io.adit.core.Monitor", "io.adit.core.GetStats"};
  static const char *const open[] = {"io.adit.sample.Public", "io.adit.core.GetInfo", "io.adit.core.ListCommands",
                                     "org.varlink.service.GetInfo"};
  Ctx other = {.conn = adit_conn_new(ADIT_ACCESS_PUBLIC, wake, &other)};

  for (guint i = 0; i < G_N_ELEMENTS(closed); i++) {
    g_autofree char *call = g_strdup_printf("{\"method\":\"%s\",\"more\":true}", closed[i]);
    assert_true(say(&other, call));
    expect_part(&other, "management.read");
  }
  for (guint i = 0; i < G_N_ELEMENTS(open); i++) {
    g_autofree char *call = g_strdup_printf("{\"method\":\"%s\"}", open[i]);
    assert_true(say(&other, call));
    expect_part(&other, "{\"parameters\":{");
  }
  adit_conn_free(other.conn);
}

static void junk_ends_the_connection(void **state) {
  static const char *const junk[] = {"", "hello", "[]", "{}", "{\"method\":1}", "{\"method\":", "\xff\xfe"};
  for (guint i = 0; i < G_N_ELEMENTS(junk); i++) {
    Ctx other = {.conn = adit_conn_new(ADIT_ACCESS_CHANGE, wake, &other)};
    assert_false(say(&other, junk[i]));
    assert_true(adit_conn_is_bad(other.conn));
    adit_conn_free(other.conn);
  }
}

static void a_message_without_end_ends_the_connection(void **state) {
  Ctx *ctx = *state;
  guint8 block[4096];
  gsize fed = 0;
  memset(block, 'x', sizeof block);
  while (adit_conn_room(ctx->conn) >= sizeof block && adit_conn_feed(ctx->conn, block, sizeof block))
    fed += sizeof block;
  assert_true(adit_conn_is_bad(ctx->conn));
  assert_true(fed < ADIT_VARLINK_MESSAGE_MAX);
}

static void input_is_bounded_while_a_call_runs(void **state) {
  Ctx *ctx = *state;
  guint8 block[4096];
  memset(block, 'x', sizeof block);
  assert_true(say(ctx, "{\"method\":\"io.adit.sample.Later\"}"));
  while (adit_conn_room(ctx->conn) >= sizeof block)
    assert_true(adit_conn_feed(ctx->conn, block, sizeof block));
  assert_true(adit_conn_room(ctx->conn) < sizeof block);
  assert_false(adit_conn_is_bad(ctx->conn)); /* nothing was read of it yet */
  adit_control_service()->reply(sample_call, adit_value_map(), FALSE);
  assert_true(adit_conn_is_bad(ctx->conn));
}

static void a_stream_continues_until_its_end(void **state) {
  Ctx *ctx = *state;
  assert_true(say(ctx, "{\"method\":\"io.adit.sample.Later\",\"more\":true}"));
  assert_true(adit_control_service()->wants_more(sample_call));
  assert_true(adit_control_service()->reply(sample_call, adit_value_map(), TRUE));
  expect(ctx, "{\"parameters\":{},\"continues\":true}\n");
  assert_true(adit_control_service()->reply(sample_call, adit_value_map(), FALSE));
  expect(ctx, "{\"parameters\":{}}\n");
}

static void a_streams_end_is_told_when_the_caller_goes(void **state) {
  Ctx *ctx = *state;
  assert_true(say(ctx, "{\"method\":\"io.adit.sample.Stream\",\"more\":true}"));
  assert_true(adit_control_service()->reply(sample_call, adit_value_map(), TRUE));
  adit_conn_free(g_steal_pointer(&ctx->conn));
  assert_int_equal(sample_gone, 1);
}

static void an_answer_to_nobody_is_dropped(void **state) {
  Ctx *ctx = *state;
  assert_true(say(ctx, "{\"method\":\"io.adit.sample.Later\"}"));
  adit_conn_free(g_steal_pointer(&ctx->conn));
  assert_false(adit_control_service()->reply(sample_call, adit_value_map(), FALSE));
}

static void a_stream_that_is_not_read_is_dropped(void **state) {
  Ctx *ctx = *state;
  g_autofree char *text = g_strnfill(10000, 'x');
  guint sent = 0;

  assert_true(say(ctx, "{\"method\":\"io.adit.sample.Stream\",\"more\":true}"));
  for (gboolean there = TRUE; there && sent < 100000; sent++) {
    AditValue *result = adit_value_map();
    adit_value_set(result, "text", adit_value_string(text));
    there = adit_control_service()->reply(sample_call, result, TRUE);
  }
  assert_true(adit_conn_is_bad(ctx->conn));
  assert_in_range(sent, 100, 120); /* 1 MiB */
  assert_int_equal(adit_control_stats.slow, 1);
  gsize waiting;
  adit_conn_output(ctx->conn, &waiting);
  assert_true(waiting < 1200000);
}

/* Someone who reads all the time and is never quite done costs no more than what he has not read. */
static void what_was_sent_is_not_kept(void **state) {
  Ctx *ctx = *state;
  g_autofree char *text = g_strnfill(10000, 'x');
  const guint8 *lowest = NULL, *highest = NULL;

  assert_true(say(ctx, "{\"method\":\"io.adit.sample.Stream\",\"more\":true}"));
  for (guint i = 0; i < 2000; i++) {
    AditValue *result = adit_value_map();
    adit_value_set(result, "text", adit_value_string(text));
    assert_true(adit_control_service()->reply(sample_call, result, TRUE));
    gsize length;
    const guint8 *data = adit_conn_output(ctx->conn, &length);
    if (i >= 1000) { /* the buffer has the size that it needs: where in it is what comes next? */
      lowest = lowest ? MIN(lowest, data) : data;
      highest = MAX(highest, data);
    }
    adit_conn_sent(ctx->conn, length - 1); /* always one octet behind */
  }
  assert_true(highest - lowest < 2 * ADIT_VARLINK_STREAM_MAX);
}

static void calls_wait_until_answers_are_read(void **state) {
  Ctx *ctx = *state;
  static const char call[] = "{\"method\":\"io.adit.sample.List\",\"parameters\":{\"count\":1000}}"; /* answers 1 MiB */
  guint answers = 0;
  const guint8 *data;
  gsize length;

  for (guint i = 0; i < 100; i++)
    assert_true(say(ctx, call));
  adit_conn_output(ctx->conn, &length);
  assert_true(length < 4 * ADIT_VARLINK_STREAM_MAX);
  while ((data = adit_conn_output(ctx->conn, &length))) {
    for (gsize i = 0; i < length; i++)
      answers += !data[i];
    adit_conn_sent(ctx->conn, length);
    settle();
  }
  assert_int_equal(answers, 100);
  assert_false(adit_conn_is_busy(ctx->conn));
}

static void a_list_of_any_length_streams_in_bounded_pieces(void **state) {
  Ctx *ctx = *state;
  gsize length, most = 0, all = 0;
  const guint8 *data;

  assert_true(say(ctx, "{\"method\":\"io.adit.sample.List\",\"parameters\":{\"count\":5000},\"more\":true}"));
  while ((data = adit_conn_output(ctx->conn, &length))) {
    most = MAX(most, length);
    all += length;
    assert_true(g_str_has_prefix((const char *)data, "{\"parameters\":{\"list\":[\"0"));
    gboolean last = g_str_has_suffix((const char *)data + length - 4, "]}}");
    assert_true(last || strstr((const char *)data, "\"continues\":true}"));
    adit_conn_sent(ctx->conn, length);
    settle();
    assert_true(!last == !!adit_conn_output(ctx->conn, &length));
  }
  assert_true(all > 5000000);
  assert_true(most < ADIT_VARLINK_ROWS_MAX + 70000);
  assert_false(adit_conn_is_busy(ctx->conn));
}

static void a_list_comes_whole_to_who_wants_one_answer(void **state) {
  assert_true(say(*state, "{\"method\":\"io.adit.sample.List\",\"parameters\":{\"count\":5000}}"));
  g_autofree char *text = hear(*state);
  assert_true(strlen(text) > 5000000);
  assert_null(strstr(text, "continues"));
}

static void a_plugin_that_goes_answers_its_calls(void **state) {
  Ctx *ctx = *state;
  assert_true(say(ctx, "{\"method\":\"io.adit.sample.Later\"}"));
  adit_control_drop_plugin(&sample_plugin);
  expect_part(ctx, "io.adit.PluginGone");
  assert_true(say(ctx, "{\"method\":\"io.adit.sample.Echo\"}"));
  expect_part(ctx, "InterfaceNotFound");
}

static void the_service_describes_itself(void **state) {
  assert_true(say(*state, "{\"method\":\"org.varlink.service.GetInfo\"}"));
  expect_part(*state, "\"interfaces\":[\"org.varlink.service\",\"io.adit.core\",\"io.adit.sample\"]");
  assert_true(
      say(*state, "{\"method\":\"org.varlink.service.GetInterfaceDescription\",\"parameters\":{\"interface\":\"io.adit.sample\"}}"));
  expect_part(*state, "interface io.adit.sample\\nmethod Echo");
  assert_true(say(*state, "{\"method\":\"io.adit.core.ListCommands\"}"));
  expect_part(*state, "{\"verb\":\"sample echo\",\"method\":\"io.adit.sample.Echo\",\"arguments\":\"[word]\"");
}

static void interfaces_that_make_no_sense_are_refused(void **state) {
  static const char *const descriptions[] = {"", "method Echo() -> ()", "interface Bad!", "interface io.adit.sample\n",
                                             "interface io.adit.other\n"};
  for (guint i = 0; i < G_N_ELEMENTS(descriptions); i++) {
    g_autoptr(GError) error = NULL;
    assert_false(adit_control_service()->interface_add(NULL, descriptions[i], sample_methods, 1, NULL, 0, NULL, &error));
    assert_non_null(error);
  }
  g_autoptr(GError) error = NULL;
  assert_false(adit_control_service()->interface_add(NULL, "interface io.adit.twice\n", NULL, 0, sample_commands, 1, NULL, &error));
  assert_non_null(strstr(error->message, "sample echo"));
}

static void a_monitor_sees_events(void **state) {
  Ctx *ctx = *state;
  AditEvent event = {adit_bus_type(ADIT_EVENT_CONFIG_LOADED), sizeof event};

  assert_true(say(ctx, "{\"method\":\"io.adit.core.Monitor\"}"));
  expect_part(ctx, "ExpectedMore");
  assert_true(say(ctx, "{\"method\":\"io.adit.core.Monitor\",\"more\":true,\"parameters\":{\"events\":\"nonsense\"}}"));
  expect_part(ctx, "there is no event");
  assert_true(say(ctx, "{\"method\":\"io.adit.core.Monitor\",\"more\":true,\"parameters\":{\"events\":\"session-up\"}}"));
  adit_bus_publish(&event);
  expect(ctx, "");

  Ctx other = {.conn = adit_conn_new(ADIT_ACCESS_READ, wake, &other)};
  assert_true(say(&other, "{\"method\":\"io.adit.core.Monitor\",\"more\":true}"));
  adit_bus_publish(&event);
  expect_part(&other, "\"event\":\"config-loaded\",\"fields\":{}},\"continues\":true}");
  adit_conn_free(other.conn);
  adit_bus_publish(&event); /* nobody is there any more */
}

/* A stranger can cause events without end: a monitor that reads slowly loses some and is told so, but not its connection. */
static void a_slow_monitor_is_told_how_much_it_missed(void **state) {
  Ctx *ctx = *state;
  AditEvent event = {adit_bus_type(ADIT_EVENT_CONFIG_LOADED), sizeof event};
  guint told = 0;
  const char *at;

  assert_true(say(ctx, "{\"method\":\"io.adit.core.Monitor\",\"more\":true}"));
  for (guint i = 0; i < 20000; i++)
    adit_bus_publish(&event);
  assert_false(adit_conn_is_bad(ctx->conn));
  g_autofree char *text = hear(ctx);
  assert_true(strlen(text) < ADIT_VARLINK_STREAM_MAX);
  for (at = text; (at = strstr(at, "\"event\":\"config-loaded\"")); at++)
    told++;
  assert_in_range(told, 100, 19999);
  adit_bus_publish(&event);
  g_autofree char *lost = g_strdup_printf("\"event\":\"events-lost\",\"fields\":{\"count\":%u}}", 20000 - told);
  expect_part(ctx, lost);
}

int main(void) {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      T(a_call_is_answered),
      T(parameters_may_be_absent),
      T(a_message_may_come_octet_by_octet),
      T(calls_in_one_piece_are_answered_in_order),
      T(oneway_has_no_answer),
      T(what_is_not_there_is_named),
      T(parameters_have_the_types_of_the_description),
      T(changes_need_the_right),
      T(reading_needs_the_right_but_for_what_is_public),
      T(junk_ends_the_connection),
      T(a_message_without_end_ends_the_connection),
      T(input_is_bounded_while_a_call_runs),
      T(a_stream_continues_until_its_end),
      T(a_streams_end_is_told_when_the_caller_goes),
      T(an_answer_to_nobody_is_dropped),
      T(a_stream_that_is_not_read_is_dropped),
      T(what_was_sent_is_not_kept),
      T(calls_wait_until_answers_are_read),
      T(a_list_of_any_length_streams_in_bounded_pieces),
      T(a_list_comes_whole_to_who_wants_one_answer),
      T(a_plugin_that_goes_answers_its_calls),
      T(the_service_describes_itself),
      T(interfaces_that_make_no_sense_are_refused),
      T(a_monitor_sees_events),
      T(a_slow_monitor_is_told_how_much_it_missed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
