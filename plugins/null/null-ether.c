/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "null-ether.h"

typedef struct {
  AditEtherIo io; /* first */
  guint used;
  guint8 octets[ADIT_ETHER_ROOM];
} Room;

static guint8 *take_ether_room(AditEtherIo *io, gsize length) {
  Room *room = (Room *)(gpointer)io;
  if (length > sizeof room->octets - room->used)
    return NULL;
  room->used += (guint)length;
  return room->octets + room->used - length;
}

static GByteArray *run_codec(NullEther *ether, gboolean encode, guint16 *protocol, const guint8 *octets, gsize length) {
  Room room = {.io = {.size = sizeof room.io, .room = take_ether_room}};
  AditStageFrame frame = {.protocol = *protocol, .n = 1, .length = (guint32)length};
  g_autofree guint8 *copy = g_memdup2(octets, length); /* the codec may change it */
  frame.slice[0] = (AditStageSlice){copy, frame.length};
  if (!(encode ? ether->codec->encode : ether->codec->decode)(ether->params, &room.io, &frame) || frame.length < ADIT_ETHER_HEADER) {
    ether->drops[MIN(room.io.reason, ADIT_ETHER_REASONS - 1)]++;
    return NULL;
  }
  *protocol = frame.protocol;
  GByteArray *out = g_byte_array_sized_new(frame.length);
  g_byte_array_set_size(out, frame.length);
  adit_stage_copy(&frame, 0, out->data, frame.length);
  return out;
}

GByteArray *null_ether_encode(NullEther *ether, const guint8 *octets, gsize length, guint16 *protocol) {
  *protocol = 0;
  return length < ADIT_ETHER_HEADER ? NULL : run_codec(ether, TRUE, protocol, octets, length);
}

GByteArray *null_ether_decode(NullEther *ether, guint16 protocol, const guint8 *octets, gsize length) {
  return run_codec(ether, FALSE, &protocol, octets, length);
}
