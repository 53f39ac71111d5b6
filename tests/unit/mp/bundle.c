/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "bundle.h"

static Piece *piece_new(const AditStageFrame *frame) {
  Piece *piece = g_new0(Piece, 1);
  piece->protocol = frame->protocol;
  piece->link = frame->link;
  piece->data = g_byte_array_new();
  g_byte_array_set_size(piece->data, frame->length);
  assert_int_equal(adit_stage_copy(frame, 0, piece->data->data, frame->length), frame->length);
  return piece;
}

static void piece_free(gpointer data) {
  Piece *piece = data;
  g_byte_array_unref(piece->data);
  g_free(piece);
}

static guint8 *on_room(gpointer user, gsize length) {
  Bundle *b = user;
  if (length > b->room_left)
    return NULL;
  b->room_left -= length;
  guint8 *room = g_malloc(MAX(length, 1));
  g_ptr_array_add(b->rooms, room);
  return room;
}
static void on_link(gpointer user, AditStageFrame *frame) {
  g_ptr_array_add(((Bundle *)user)->frames, piece_new(frame));
}
static void on_port(gpointer user, AditStageFrame *frame) {
  g_ptr_array_add(((Bundle *)user)->packets, piece_new(frame));
}
static void on_note(gpointer user, AditStageKind kind, guint32 what, gconstpointer data, gsize length) {
  Bundle *b = user;
  assert_int_equal(kind, ADIT_STAGE_BUNDLE);
  if (what == MP_NOTE_RESYNC) {
    b->resync_notes++;
    return;
  }
  const MpNoteLost *lost = data;
  assert_int_equal(what, MP_NOTE_LOST);
  assert_int_equal(length, sizeof *lost);
  b->lost_notes++;
  b->lost_noted += lost->lost;
}
static void on_dropped(gpointer user) {
  fail();
}
static gboolean on_fact(gpointer user, guint index, AditStageLink *out) {
  const Bundle *b = user;
  if (!b->fact[index].size)
    return FALSE;
  *out = b->fact[index];
  return TRUE;
}
static const AditPipelineOps ends = {sizeof ends, on_room, on_link, on_port, on_note, on_dropped, on_fact};

Bundle *bundle_new(void) {
  Bundle *b = g_new0(Bundle, 1);
  b->params = (MpParams){.own_mrru = 1600, .peer_mrru = 1600, .counters = mp_counters_new()};
  b->stage = (AditPipelineStage){.ops = &mp_stage_ops, .params = &b->params, .state = g_malloc0(mp_stage_ops.state_size)};
  b->pipeline.stage[ADIT_STAGE_BUNDLE] = &b->stage;
  b->rooms = g_ptr_array_new_with_free_func(g_free);
  b->frames = g_ptr_array_new_with_free_func(piece_free);
  b->packets = g_ptr_array_new_with_free_func(piece_free);
  b->room_most = ADIT_STAGE_ROOM;
  b->now_ms = 1000;
  b->links = 1;
  AditStageSpec spec = {.size = sizeof spec, .ops = &mp_stage_ops, .params = &b->params, .params_length = sizeof b->params};
  adit_pipeline_attach(&spec, b->stage.state);
  return b;
}

void bundle_free(Bundle *b) {
  mp_stage_ops.fini(b->stage.state);
  g_free(b->stage.state);
  mp_counters_unref(b->params.counters);
  g_ptr_array_unref(b->rooms);
  g_ptr_array_unref(b->frames);
  g_ptr_array_unref(b->packets);
  g_free(b);
}

static void run_begin(Bundle *b, AditPipelineRun *run) {
  g_ptr_array_set_size(b->rooms, 0);
  b->room_left = b->room_most;
  *run = (AditPipelineRun){.pipeline = &b->pipeline, .ops = &ends, .user = b};
  adit_pipeline_init(run, b->now_ms, b->links);
}

void bundle_send_frame(Bundle *b, AditStageFrame *frame) {
  AditPipelineRun run;
  run_begin(b, &run);
  adit_pipeline_encode(&run, frame);
}

void bundle_send(Bundle *b, guint16 protocol, guint32 length, guint8 fill) {
  g_autofree guint8 *data = g_malloc(length + 1);
  AditStageFrame frame = {.protocol = protocol, .n = 1, .length = length};
  for (guint32 i = 0; i < length; i++)
    data[i] = (guint8)(fill + i);
  frame.slice[0] = (AditStageSlice){data, length};
  bundle_send_frame(b, &frame);
}

void bundle_take_frame(Bundle *b, AditStageFrame *frame) {
  AditPipelineRun run;
  run_begin(b, &run);
  adit_pipeline_decode(&run, frame);
  b->deadline_ms = run.deadline_ms;
}

void bundle_take(Bundle *b, guint8 link, const guint8 *data, gsize length) {
  g_autofree guint8 *copy = g_malloc(length + 1); /* gone after the call */
  memcpy(copy, data, length);
  AditStageFrame frame = {.protocol = ADIT_PPP_MP, .link = link, .n = 1, .length = (guint32)length};
  frame.slice[0] = (AditStageSlice){copy, (guint32)length};
  bundle_take_frame(b, &frame);
}

GByteArray *bytes_of_hex(const char *hex) {
  GByteArray *bytes = g_byte_array_new();
  for (; *hex; hex++) {
    if (*hex == ' ')
      continue;
    guint8 octet = (guint8)(g_ascii_xdigit_value(hex[0]) << 4 | g_ascii_xdigit_value(hex[1]));
    g_byte_array_append(bytes, &octet, 1);
    hex++;
  }
  return bytes;
}

void bundle_take_hex(Bundle *b, guint8 link, const char *hex) {
  g_autoptr(GByteArray) bytes = bytes_of_hex(hex);
  bundle_take(b, link, bytes->data, bytes->len);
}

void bundle_take_fragment(Bundle *b, guint8 link, gboolean begin, gboolean end, guint32 sequence, guint32 length, guint8 fill) {
  guint8 *data = g_malloc(5 + length);
  guint head = begin ? 5 : 4;
  data[0] = (guint8)((begin ? 0x80 : 0) | (end ? 0x40 : 0));
  data[1] = (guint8)(sequence >> 16);
  adit_stage_put16(data + 2, (guint16)sequence);
  data[4] = ADIT_PPP_IPV4;
  for (guint32 i = 0; i < length; i++)
    data[head + i] = (guint8)(fill + i);
  bundle_take(b, link, data, head + length);
  g_free(data);
}

void bundle_wait(Bundle *b, guint64 ms) {
  guint64 until = b->now_ms + ms;
  while (b->deadline_ms && b->deadline_ms <= until) {
    AditPipelineRun run;
    b->now_ms = MAX(b->now_ms, b->deadline_ms);
    run_begin(b, &run);
    adit_pipeline_expire(&run);
    b->deadline_ms = run.deadline_ms;
  }
  b->now_ms = until;
}

const Piece *bundle_frame(const Bundle *b, guint nth) {
  assert_true(nth < b->frames->len);
  return b->frames->pdata[nth];
}

const Piece *bundle_packet(const Bundle *b, guint nth) {
  assert_true(nth < b->packets->len);
  return b->packets->pdata[nth];
}

void bundle_forget(Bundle *b) {
  g_ptr_array_set_size(b->frames, 0);
  g_ptr_array_set_size(b->packets, 0);
}

void piece_expect(const Piece *piece, guint8 link, guint16 protocol, const char *hex) {
  g_autoptr(GByteArray) bytes = bytes_of_hex(hex);
  assert_int_equal(piece->link, link);
  assert_int_equal(piece->protocol, protocol);
  assert_int_equal(piece->data->len, bytes->len);
  if (bytes->len)
    assert_memory_equal(piece->data->data, bytes->data, bytes->len);
}

void piece_expect_count(const Piece *piece, guint32 length, guint8 fill) {
  assert_int_equal(piece->data->len, length);
  for (guint32 i = 0; i < length; i++)
    assert_int_equal(piece->data->data[i], (guint8)(fill + i));
}

MpCounters bundle_counters(const Bundle *b) {
  MpCounters counters;
  mp_counters_read(b->params.counters, &counters);
  return counters;
}

int bundle_setup(void **state) {
  *state = bundle_new();
  return 0;
}

/* Each test gives all memory back. */
int bundle_teardown(void **state) {
  guint64 now, most;
  bundle_free(*state);
  mp_pool_usage(&now, &most);
  assert_int_equal(now, 0);
  return 0;
}
