/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* BCP's frames, both ways. The first octet is what was agreed on and the PPP protocol, the second how the rest is cut into pieces. */
#include "plugins/bcp/bridge-frame.h"

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

typedef struct {
  AditEtherIo io;
  guint8 *octets[8]; /* each of its own size, so that a sanitizer sees a write past it */
  guint n;
  gsize used;
} Room;

static guint8 *make_room(AditEtherIo *io, gsize length) {
  Room *room = (Room *)(gpointer)io;
  if (room->n == G_N_ELEMENTS(room->octets) || room->used + length > ADIT_ETHER_ROOM)
    return NULL;
  room->used += length;
  return room->octets[room->n++] = g_malloc(length);
}

static void free_room(Room *room) {
  for (guint i = 0; i < room->n; i++)
    g_free(room->octets[i]);
}

static AditStageFrame cut_pieces(guint16 protocol, guint8 how, guint8 *octets, gsize length) {
  AditStageFrame frame = {.protocol = protocol, .length = (guint32)length};
  guint n = 1 + how % (ADIT_STAGE_SLICES - 1);
  gsize at = 0;
  for (guint i = 0; i < n && at < length; i++) {
    gsize piece = i + 1 == n ? length - at : MIN(length - at, (gsize)how / 8);
    frame.slice[frame.n++] = (AditStageSlice){octets + at, (guint32)piece};
    at += piece;
  }
  return frame;
}

static guint32 sum_pieces(const AditStageFrame *frame) {
  guint32 length = 0;
  g_assert(frame->n <= ADIT_STAGE_SLICES);
  for (guint i = 0; i < frame->n; i++)
    length += frame->slice[i].length;
  return length;
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size) {
  if (size < 3 || size > 65536)
    return 0;
  guint8 agreed = data[0], how = data[1];
  const BcpForm form = {agreed & 1, (agreed >> 1) & 1, (agreed >> 2) & 1, (agreed >> 3) & 1, (agreed >> 4) & 1, {2, 0, 0, 0, 0, 2}};
  g_autofree guint8 *octets = g_memdup2(data + 2, size - 2), *whole = g_malloc0(size + 64);
  Room room = {.io = {.size = sizeof room.io, .room = make_room}}, again = {.io = {.size = sizeof again.io, .room = make_room}};

  AditStageFrame frame = cut_pieces(agreed & 32 ? BCP_BPDU : ADIT_PPP_BRIDGE, how, octets, size - 2);
  if (bcp_frame_decode(&form, &room.io, &frame) == BCP_PASS) {
    g_assert(frame.length >= ADIT_ETHER_HEADER && sum_pieces(&frame) == frame.length && frame.length <= size + 60);
    /* What has come can be sent on, if the peer would take it. */
    guint32 length = adit_stage_copy(&frame, 0, whole, frame.length);
    AditStageFrame back = {.n = 1, .length = length, .slice = {{whole, length}}};
    if (bcp_frame_encode(&form, &again.io, &back) == BCP_PASS)
      g_assert(back.protocol == ADIT_PPP_BRIDGE || back.protocol == BCP_BPDU);
  }
  free_room(&room);
  room = (Room){.io = {.size = sizeof room.io, .room = make_room}};

  memcpy(octets, data + 2, size - 2);
  frame = cut_pieces(0, how, octets, size - 2);
  if (bcp_frame_encode(&form, &room.io, &frame) == BCP_PASS) {
    g_assert(sum_pieces(&frame) == frame.length && frame.length <= MAX(size - 2, 60) + bcp_codec.overhead);
    g_assert(frame.protocol == ADIT_PPP_BRIDGE ? frame.length >= 2 + ADIT_ETHER_HEADER : frame.length >= 4);
  }
  free_room(&room);
  free_room(&again);
  return 0;
}
