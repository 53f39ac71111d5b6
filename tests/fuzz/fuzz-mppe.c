/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Frames of a peer, for MPPE: frames as they come, and frames that are well encrypted but may hold anything. Each step is an octet that says
 * which (and how many packets are lost, and into how many pieces a frame is cut), an octet of length, and that many octets. */
#include "plugins/ccp/mppe.h"
#include <adit/cursor.h>
#include <adit/ppp.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

typedef struct {
  AditStageIo io; /* first */
  guint8 *room;
  gsize used;
  guint8 sent[512]; /* that a peer encrypted last */
  gsize sent_length;
  gboolean encoding;
} Host;

static guint8 *take_room(AditStageIo *io, gsize length) {
  Host *h = (Host *)(gpointer)io;
  if (length > ADIT_STAGE_ROOM - h->used)
    return NULL;
  h->used += length;
  return h->room + h->used - length;
}

/* Nothing but what a port may have comes out. */
static void take_frame(AditStageIo *io, const AditStageFrame *frame) {
  Host *h = (Host *)(gpointer)io;
  if (h->encoding) {
    h->sent_length = adit_stage_copy(frame, 0, h->sent, sizeof h->sent);
    return;
  }
  g_assert(frame->protocol == ADIT_PPP_IPV4 || frame->protocol == ADIT_PPP_IPV6 || frame->protocol == ADIT_PPP_BRIDGE);
  guint8 first = 0;
  g_assert(adit_stage_copy(frame, 0, &first, 1) == 1);
  g_assert(frame->protocol != ADIT_PPP_IPV4 || first >> 4 == 4);
  g_assert(frame->protocol != ADIT_PPP_IPV6 || first >> 4 == 6);
}

static void take_note(AditStageIo *io, guint32 what, gconstpointer data, gsize length) {
  g_assert(what == MPPE_NOTE_RESET || (what == MPPE_NOTE_NOISE && length == sizeof(MppeNoise)));
}

static AditStageFrame cut_pieces(guint16 protocol, guint8 *octets, gsize length, guint n) {
  AditStageFrame frame = {.protocol = protocol, .length = (guint32)length};
  for (gsize at = 0, i = 0; i < n; i++) {
    gsize piece = i + 1 == n ? length - at : length / n;
    frame.slice[frame.n++] = (AditStageSlice){octets + at, (guint32)piece};
    at += piece;
  }
  return frame;
}

static void run(Host *h, gboolean encode, gpointer state, const MppeParams *params, guint16 protocol, const guint8 *octets, gsize length,
                guint n) {
  g_autofree guint8 *copy = g_malloc(MAX(length, 1));
  memcpy(copy, octets, length);
  AditStageFrame frame = cut_pieces(protocol, copy, length, n);
  h->used = 0;
  h->encoding = encode;
  h->io.now_ms += 20;
  (encode ? mppe_stage.encode : mppe_stage.decode)(state, params, &h->io, &frame);
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size) {
  AditCursor in = adit_cursor(data, size);
  guint8 how = adit_get_u8(&in);
  MppeParams here = {.epoch = 1}, there;
  Host h = {.io = {.size = sizeof h.io, .now_ms = 1, .room = take_room, .emit = take_frame, .note = take_note}};
  guint may_lose = 10000; /* an input takes milliseconds */
  g_autofree guint8 *room = g_malloc(ADIT_STAGE_ROOM);
  g_autofree gpointer state = g_malloc0(mppe_stage.state_size), peer = g_malloc0(mppe_stage.state_size);

  h.room = room;
  here.receive.strength = how & 1 ? MPPE_128 : how & 2 ? MPPE_56 : MPPE_40;
  here.receive.stateless = (how >> 2) & 1;
  here.send = here.receive;
  there = here;
  while (!in.bad && adit_left(&in)) {
    guint8 step = adit_get_u8(&in), length = adit_get_u8(&in);
    const guint8 *octets = adit_get_bytes(&in, length);
    guint pieces = 1 + (step >> 2) % ADIT_STAGE_SLICES;
    static const guint8 filler[1] = {0};
    if (in.bad)
      break;
    if (!(step & 1)) {
      run(&h, FALSE, state, &here, ADIT_PPP_COMPRESSED, octets, length, pieces);
      continue;
    }
    there.flush += (step >> 1) & 1;
    for (guint lost = MIN((step >> 5) * 43u, may_lose); lost; lost--, may_lose--) /* and so many are lost before */
      run(&h, TRUE, peer, &there, ADIT_PPP_IPV4, filler, sizeof filler, 1);
    h.sent_length = 0;
    run(&h, TRUE, peer, &there, length & 1 ? ADIT_PPP_IPV4 : length & 2 ? ADIT_PPP_IPV6 : ADIT_PPP_BRIDGE, octets, length, 1);
    run(&h, FALSE, state, &here, ADIT_PPP_COMPRESSED, h.sent, h.sent_length, pieces);
  }
  return 0;
}
