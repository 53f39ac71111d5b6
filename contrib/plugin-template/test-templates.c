/* SPDX-License-Identifier: MIT */
/* Runs example-sink.so, example-hook.so (C++), example-command.so, example-lcp.so, example-ncp.so and example-stage.so on the fake core: no
 * root, no network, no daemon. */
#include <adit/pipeline.h>
#include <adit/test.h>
#include <glib/gstdio.h>
#include <unistd.h>

static AditTest *load(const char *file) {
  g_autoptr(GError) error = NULL;
  AditTest *test = adit_test_new();

  if (!adit_test_load(test, file, &error))
    g_error("%s", error->message);
  return test;
}

static void configure(AditTest *test, AditValue *config) {
  g_autoptr(GError) error = NULL;

  if (!adit_test_configure(test, config, &error) || !adit_test_start(test, &error))
    g_error("%s", error->message);
}

/* ---- the sink ---- */

static void a_record_is_a_line(void) {
  AditTest *test = load("./example-sink.so");
  g_autofree char *folder = g_dir_make_tmp("example-XXXXXX", NULL), *file = g_build_filename(folder, "records", NULL), *text = NULL;
  const AditAcctRecord record = {
      .size = sizeof record, .kind = ADIT_ACCT_STOP, .record_id = "7", .user = "ann", .counters = {.rx_octets = 5, .tx_octets = 6}};
  gint kept = 0;

  configure(test, adit_test_config(test, "example-sink", "file", file, NULL));
  g_assert_true(adit_test_account(test, "example-sink", &record, &kept));
  g_assert_true(ADIT_TEST_UNTIL(test, g_atomic_int_get(&kept), 5000));
  g_assert_cmpint(kept, ==, 1);
  g_assert_true(g_file_get_contents(file, &text, NULL, NULL));
  g_assert_cmpstr(text, ==, "{\"kind\":\"stop\",\"id\":\"7\",\"user\":\"ann\",\"rx\":5,\"tx\":6}\n");
  adit_test_free(test);
  g_unlink(file);
  g_rmdir(folder);
}

static void what_cannot_be_written_is_not_kept(void) {
  AditTest *test = load("./example-sink.so");
  const AditAcctRecord record = {.size = sizeof record, .kind = ADIT_ACCT_ON, .record_id = "1"};
  gint kept = 0;

  configure(test, adit_test_config(test, "example-sink", "file", "/nowhere/at/all", NULL));
  g_assert_true(adit_test_account(test, "example-sink", &record, &kept));
  g_assert_true(ADIT_TEST_UNTIL(test, g_atomic_int_get(&kept), 5000));
  g_assert_cmpint(kept, ==, -1);
  adit_test_free(test);
}

static void a_path_must_be_absolute(void) {
  g_autoptr(GError) error = NULL;
  AditTest *test = load("./example-sink.so");

  g_assert_false(adit_test_configure(test, adit_test_config(test, "example-sink", "file", "records", NULL), &error));
  g_assert_nonnull(strstr(error->message, "file: `records` is not an absolute path"));
  adit_test_free(test);
}

/* ---- the hook ---- */

static void who_is_on_the_list_gets_no_session(void) {
  AditTest *test = load("./example-hook.so");
  AditSessionEvent ann = {.user = "ann"}, bert = {.user = "bert"};

  configure(test, adit_test_config(test, "example-hook", "deny", "ann, eve", "prefix", "p-", NULL));
  g_autofree char *reason = adit_test_veto(test, ADIT_VETO_SESSION, &ann.event, sizeof ann);
  g_assert_cmpstr(reason, ==, "this user is on the list of example-hook");
  g_assert_null(adit_test_veto(test, ADIT_VETO_SESSION, &bert.event, sizeof bert));
  g_autoptr(AditValue) name = adit_test_value(test, ADIT_VALUE_INTERFACE_NAME, &bert.event, sizeof bert);
  g_assert_cmpstr(name->as.string, ==, "p-bert");
  adit_test_free(test);
}

/* ---- the command ---- */

static void come(AditTest *test, const char *user) {
  AditSessionEvent event = {.session = 1, .user = user};
  adit_test_publish(test, ADIT_EVENT_SESSION_UP, &event.event, sizeof event);
}

static void users_are_counted_and_forgotten(void) {
  g_autoptr(GError) error = NULL;
  AditTest *test = load("./example-command.so");
  AditValue *parameters = adit_value_map();

  come(test, "ann");
  come(test, "ann");
  g_autoptr(AditValue) before = adit_test_call(test, "io.adit.example.List", NULL, &error);
  g_assert_no_error(error);
  const AditValue *row = adit_value_at(adit_value_get(before, "users"), 0);
  g_assert_cmpstr(adit_value_get_string(row, "user", ""), ==, "ann");
  g_assert_cmpint(adit_value_get_int(row, "visits", 0), ==, 2);
  adit_value_set(parameters, "user", adit_value_string("ann"));
  g_autoptr(AditValue) forgotten = adit_test_call(test, "io.adit.example.Forget", adit_value_ref(parameters), &error);
  g_assert_no_error(error);
  g_assert_null(adit_test_call(test, "io.adit.example.Forget", parameters, &error));
  g_assert_nonnull(strstr(error->message, "io.adit.example.NoSuchUser"));
  adit_test_free(test);
}

/* ---- the LCP option ---- */

static void session_is_up(AditTest *test) {
  AditSessionEvent event = {.session = 7, .link = 3, .user = "ann"};
  const AditSessionInfo info = {.size = sizeof info, .id = 7, .user = "ann"};

  adit_test_add_session(test, &info);
  adit_test_publish(test, ADIT_EVENT_SESSION_UP, &event.event, sizeof event);
}

static void a_name_is_told_and_heard(void) {
  static const guint8 control[] = {'a', 7};
  AditTest *test = load("./example-lcp.so");
  const AditLcpDesc *desc = adit_test_lcp(test, "example-lcp");
  g_autofree gpointer state = g_malloc0(desc->state_size);
  g_autoptr(AditValue) item = adit_value_map();
  AditLcpFacts facts = {.size = sizeof facts, .config = item};
  guint8 octets[64];
  AditBuilder out = adit_builder(octets, sizeof octets), nak = adit_builder(octets, sizeof octets);

  adit_value_set(item, "example-name", adit_value_string("east"));
  desc->init(state, NULL, &facts);
  desc->options->request(state, &out);
  g_assert_cmpmem(octets, adit_built(&out),
                  "\xc8\x06"
                  "east",
                  6);
  g_assert_cmpint(desc->options->peer_option(state, &(AditPppOption){200, 2, control}, &nak), ==, ADIT_OPTION_REJECT);
  g_assert_true(desc->options->rejected(state, &(AditPppOption){200, 4, octets + 2}));
  out = adit_builder(octets, sizeof octets);
  desc->options->request(state, &out);
  g_assert_cmpuint(adit_built(&out), ==, 0);

  adit_test_agree(test, 3, 200, TRUE, "west", 4);
  session_is_up(test);
  g_autoptr(AditValue) reply = adit_test_call(test, "io.adit.example.lcp.List", NULL, NULL);
  const AditValue *row = adit_value_at(adit_value_get(reply, "peers"), 0);
  g_assert_cmpstr(adit_value_get_string(row, "user", NULL), ==, "ann");
  g_assert_cmpstr(adit_value_get_string(row, "name", NULL), ==, "west");
  adit_test_end_session(test, 7, ADIT_CAUSE_USER_REQUEST);
  adit_test_free(test);
}

/* ---- the NCP: two states talk with each other ---- */

static void fill_random(gpointer host, gpointer buffer, gsize length) {
  memset(buffer, GPOINTER_TO_INT(host), length);
}

static void hear(const AditNcpDesc *desc, gpointer from, gpointer to) {
  guint8 octets[64], naks[64];
  AditBuilder out = adit_builder(octets, sizeof octets), nak = adit_builder(naks, sizeof naks);
  AditPppOption option;

  desc->options->request(from, &out);
  desc->options->peer_begin(to);
  AditCursor in = adit_cursor(octets, adit_built(&out));
  while (adit_ppp_next_option(&in, &option))
    g_assert_cmpint(desc->options->peer_option(to, &option, &nak), ==, ADIT_OPTION_ACK);
  desc->options->peer_end(to, &nak);
  g_assert_cmpuint(adit_built(&nak), ==, 0);
}

static void both_ends_agree_on_a_number(void) {
  static const AditEngineOps ops = {.size = sizeof ops, .random = fill_random};
  AditTest *test = load("./example-ncp.so");
  const AditNcpDesc *desc = adit_test_ncp(test, "example-ncp");
  const AditEngineEnv env[] = {{&ops, GINT_TO_POINTER(0x11)}, {&ops, GINT_TO_POINTER(0x24)}};
  gpointer end[2];
  const char *why = NULL;

  for (guint i = 0; i < 2; i++) {
    const AditNcpParams params = {.size = sizeof params, .session = i + 1};
    end[i] = g_malloc0(desc->state_size);
    desc->init(end[i], &env[i], &params);
    g_assert_false(desc->result(end[i], &(AditNcpResult){.size = sizeof(AditNcpResult)}, &why));
  }
  hear(desc, end[0], end[1]);
  hear(desc, end[1], end[0]);
  for (guint i = 0; i < 2; i++)
    g_assert_true(desc->result(end[i], &(AditNcpResult){.size = sizeof(AditNcpResult)}, &why));
  g_autoptr(AditValue) reply = adit_test_call(test, "io.adit.example.ncp.List", NULL, NULL);
  const AditValue *rows = adit_value_get(reply, "sessions");
  g_assert_cmpuint(adit_value_length(rows), ==, 2);
  for (guint i = 0; i < 2; i++) {
    g_assert_cmpint(adit_value_get_int(adit_value_at(rows, i), "number", 0), ==, 0x35353535);
    g_free(end[i]);
  }
  adit_test_free(test);
}

/* ---- the stage: what one end encodes the other decodes ---- */

typedef struct {
  guint8 memory[64];
  AditStageFrame out;
  guint8 flat[64];
  guint frames;
} Wire;

static guint8 *take_room(gpointer user, gsize length) {
  return length <= 64 ? ((Wire *)user)->memory : NULL;
}

static void take_frame(gpointer user, AditStageFrame *frame) {
  Wire *wire = user;
  wire->frames++;
  wire->out = *frame;
  adit_stage_copy(frame, 0, wire->flat, sizeof wire->flat);
}

static void note_nothing(gpointer user, AditStageKind kind, guint32 what, gconstpointer data, gsize length) {}
static void drop_nothing(gpointer user) {}

static void what_is_masked_comes_back(void) {
  static const AditPipelineOps ends = {
      .size = sizeof ends, .room = take_room, .to_link = take_frame, .to_port = take_frame, .note = note_nothing, .dropped = drop_nothing};
  AditTest *test = load("./example-stage.so");
  Wire wire = {0};
  guint8 packet[] = "a packet";
  AditPipelineStage stage = {0};
  const AditPipeline pipeline = {.stage = {&stage}};
  AditPipelineRun run = {.pipeline = &pipeline, .ops = &ends, .user = &wire};
  AditStageFrame frame = {.protocol = ADIT_PPP_IPV4, .n = 1, .length = 8, .slice = {{packet, 8}}};

  configure(test, adit_test_config(test, "example-stage", "mask", "90", NULL));
  session_is_up(test);
  stage.ops = adit_test_stage(test, 7, ADIT_STAGE_COMPRESSION, &stage.params);
  g_assert_nonnull(stage.ops);
  adit_pipeline_init(&run, 0, 1);
  adit_pipeline_encode(&run, &frame);
  g_assert_cmpuint(wire.frames, ==, 1);
  g_assert_cmphex(wire.out.protocol, ==, ADIT_PPP_COMPRESSED);
  g_assert_cmpuint(wire.out.length, ==, 10);
  g_assert_cmphex(wire.flat[2], ==, 'a' ^ 90);
  frame = wire.out;
  adit_pipeline_decode(&run, &frame);
  g_assert_cmpuint(wire.frames, ==, 2);
  g_assert_cmphex(wire.out.protocol, ==, ADIT_PPP_IPV4);
  g_assert_cmpmem(wire.flat, wire.out.length, "a packet", 8);
  adit_test_end_session(test, 7, ADIT_CAUSE_USER_REQUEST);
  adit_test_free(test);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/sink/line", a_record_is_a_line);
  g_test_add_func("/sink/not-kept", what_cannot_be_written_is_not_kept);
  g_test_add_func("/sink/path", a_path_must_be_absolute);
  g_test_add_func("/hook/veto", who_is_on_the_list_gets_no_session);
  g_test_add_func("/command/users", users_are_counted_and_forgotten);
  g_test_add_func("/lcp/name", a_name_is_told_and_heard);
  g_test_add_func("/ncp/number", both_ends_agree_on_a_number);
  g_test_add_func("/stage/mask", what_is_masked_comes_back);
  return g_test_run();
}
