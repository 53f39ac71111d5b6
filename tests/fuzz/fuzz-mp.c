/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Multilink (RFC 1990): frames of a peer through reassembly, whatever they are, while time passes and links come and go; and packets of
 * ours through fragments to an end of the same kind, where each must arrive as it was.
 *
 * Input: one octet of switches, then records that begin with an octet of kind and link:
 *   0-3  a frame by the link: two octets of length, as many octets
 *   4    time passes: an octet of milliseconds
 *   5    the links in use: two octets
 *   6    a packet of ours: two octets of length
 *   7    a frame by the link with the number that is next, plus an octet: an octet of flags and one of length, as many octets */
#include "mp-pool.h"
#include "mp-stage.h"
#include <adit/cursor.h>
#include <adit/pipeline.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

typedef struct Side Side;
struct Side {
  MpParams params;
  AditPipelineStage stage;
  AditPipeline pipeline;
  Side *peer;   /* that its frames go to; NULL = nowhere */
  guint8 *room; /* ADIT_STAGE_ROOM octets */
  gsize used;
  guint64 now_ms, octets;  /* octets that came out */
  guint32 links, expected; /* length of the packet that must come out */
  guint packets;
  guint32 next;   /* number for records of kind 7 */
  guint32 budget; /* octets of packets that may be sent: many long ones would only take time */
};

static guint8 *on_room(gpointer user, gsize length) {
  Side *side = user;
  if (length > ADIT_STAGE_ROOM - side->used)
    return NULL;
  side->used += length;
  return side->room + side->used - length;
}

static void run_frame(Side *side, gboolean encoding, AditStageFrame *frame);

static void on_link(gpointer user, AditStageFrame *frame) {
  Side *side = user;
  if (frame->link >= ADIT_STAGE_LINKS || frame->n > ADIT_STAGE_SLICES || frame->length > G_MAXUINT16)
    abort();
  if (side->peer)
    run_frame(side->peer, FALSE, frame);
}

/* What lies there is what was sent: its length and a pattern. */
static void check_packet(const Side *side, const AditStageFrame *frame) {
  g_autofree guint8 *whole = g_malloc(frame->length + 1);
  adit_stage_copy(frame, 0, whole, frame->length);
  if (frame->protocol != ADIT_PPP_IPV4 || frame->length != side->expected)
    abort();
  for (guint32 i = 0; i < frame->length; i++)
    if (whole[i] != (guint8)(i * 3))
      abort();
}

static void on_port(gpointer user, AditStageFrame *frame) {
  Side *side = user;
  if (!(frame->protocol & 1) || frame->protocol == ADIT_PPP_MP ||
      (side->peer && side->params.own_mrru && frame->length > side->params.own_mrru))
    abort();
  side->octets += frame->length;
  side->packets++;
  if (side->expected)
    check_packet(side, frame);
}
static void on_note(gpointer user, AditStageKind kind, guint32 what, gconstpointer data, gsize length) {}
static void on_dropped(gpointer user) {
  abort();
}
static const AditPipelineOps ends = {sizeof ends, on_room, on_link, on_port, on_note, on_dropped, NULL};

static void run_begin(Side *side, AditPipelineRun *run) {
  side->used = 0;
  *run = (AditPipelineRun){.pipeline = &side->pipeline, .ops = &ends, .user = side};
  adit_pipeline_init(run, side->now_ms, side->links);
}

static void run_frame(Side *side, gboolean encoding, AditStageFrame *frame) {
  AditPipelineRun run;
  AditStageFrame copy = *frame;
  run_begin(side, &run);
  if (encoding)
    adit_pipeline_encode(&run, &copy);
  else
    adit_pipeline_decode(&run, &copy);
}

static void run_expire(Side *side) {
  AditPipelineRun run;
  run_begin(side, &run);
  adit_pipeline_expire(&run);
}

static void side_begin(Side *side, guint8 *room, guint8 switches) {
  static const guint32 mrru[] = {1600, 64, 0, 65535};
  *side = (Side){.now_ms = 1, .links = 1, .room = room, .budget = 150000};
  side->params.send_short = side->params.receive_short = switches & 1;
  side->params.pfc = switches >> 1 & 1;
  side->params.own_mrru = side->params.peer_mrru = mrru[switches >> 2 & 3];
  side->params.counters = mp_counters_new();
  for (guint i = 0; i < ADIT_STAGE_LINKS; i++)
    side->params.link[i].mtu = (guint32)(switches >> 4) * 100 + 80 + i; /* the longest packet has less than MP_BUNDLE_MOST fragments */
  side->stage = (AditPipelineStage){.ops = &mp_stage_ops, .params = &side->params, .state = g_malloc0(mp_stage_ops.state_size)};
  side->pipeline.stage[ADIT_STAGE_BUNDLE] = &side->stage;
  AditStageSpec spec = {.size = sizeof spec, .ops = &mp_stage_ops, .params = &side->params, .params_length = sizeof side->params};
  adit_pipeline_attach(&spec, side->stage.state);
}

static void side_end(Side *side) {
  mp_stage_ops.fini(side->stage.state);
  g_free(side->stage.state);
  mp_counters_unref(side->params.counters);
}

static void take_frame(Side *side, guint8 link, const guint8 *data, gsize length) {
  g_autofree guint8 *copy = g_malloc(MAX(length, 1));
  memcpy(copy, data, length);
  AditStageFrame frame = {.protocol = ADIT_PPP_MP, .link = link, .n = 1, .length = (guint32)length};
  frame.slice[0] = (AditStageSlice){copy, (guint32)length};
  run_frame(side, FALSE, &frame);
}

static void take_next(Side *side, guint8 link, AditCursor *in) {
  guint32 number = side->next += adit_get_u8(in);
  guint8 flags = adit_get_u8(in), length = adit_get_u8(in), frame[4 + 255];
  guint n = side->params.receive_short ? 2 : 4;
  AditCursor body = adit_get_sub(in, MIN(length, adit_left(in)));
  frame[0] = flags & 0xc0;
  if (n == 2) {
    adit_stage_put16(frame, (guint16)((guint)frame[0] << 8 | (number & 0xfff)));
  } else {
    frame[1] = (guint8)(number >> 16);
    adit_stage_put16(frame + 2, (guint16)number);
  }
  guint left = (guint)adit_left(&body);
  adit_get_copy(&body, frame + n, left);
  take_frame(side, link, frame, n + left);
}

static void send_packet(Side *ours, guint16 length) {
  Side *there = ours->peer;
  guint before = there->packets;
  if (length > ours->budget)
    return;
  ours->budget -= length;
  guint8 *data = g_malloc(MAX(length, 1));
  AditStageFrame frame = {.protocol = ADIT_PPP_IPV4, .n = 1, .length = length};
  for (guint i = 0; i < length; i++)
    data[i] = (guint8)(i * 3);
  frame.slice[0] = (AditStageSlice){data, length};
  there->links = ours->links;
  there->now_ms = ours->now_ms;
  there->expected = length;
  run_frame(ours, TRUE, &frame);
  g_free(data);
  if (ours->params.peer_mrru && length && length <= ours->params.peer_mrru && ours->links && there->packets != before + 1)
    abort();
}

static void check_bounds(const Side *side) {
  MpCounters counters;
  mp_counters_read(side->params.counters, &counters);
  if (counters.held > (guint64)MP_BUNDLE_MOST * MP_BLOCK_DATA)
    abort();
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size) {
  static guint8 room[2][ADIT_STAGE_ROOM];
  Side ours, there;
  AditCursor in = adit_cursor(data, size);
  guint64 most, now;
  guint8 switches = adit_get_u8(&in);
  side_begin(&ours, room[0], switches);
  side_begin(&there, room[1], switches);
  ours.peer = &there;
  while (adit_left(&in) && !in.bad) {
    guint8 kind = adit_get_u8(&in), link = kind >> 3 & 0x1f;
    switch (kind & 7) {
    case 4:
      ours.now_ms += adit_get_u8(&in);
      run_expire(&ours);
      break;
    case 5:
      ours.links = adit_get_u16(&in);
      break;
    case 6:
      send_packet(&ours, adit_get_u16(&in));
      break;
    case 7:
      take_next(&ours, link, &in);
      break;
    default: {
      guint16 length = adit_get_u16(&in);
      AditCursor body = adit_get_sub(&in, MIN(length, adit_left(&in)));
      take_frame(&ours, link, body.at, adit_left(&body));
    }
    }
    check_bounds(&ours);
  }
  if (ours.octets > size)
    abort(); /* more came out than went in */
  for (guint i = 0; i < 8; i++) {
    ours.now_ms += 10 * MP_DEADLINE_MS;
    run_expire(&ours);
  }
  mp_pool_usage(&now, &most);
  if (now)
    abort(); /* something waits for ever */
  side_end(&ours);
  side_end(&there);
  return 0;
}
