/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** tests/unit/ccp/frames.h - a stage of MPPE alone: what it is given, what it emits, what it notes. */
#pragma once

#include "plugins/ccp/mppe.h"
#include <adit/ppp.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { ROOM = ADIT_STAGE_ROOM, PACKET = 1500 };

typedef struct {
  guint16 protocol;
  guint32 length;
  guint8 data[PACKET + 64];
} Octets;

typedef struct {
  AditStageIo io; /* first */
  guint8 room[ROOM];
  gsize used;
  guint emitted, resets, noises;
  MppeNoise noise, reset; /* the last ones */
  Octets last; /* that was emitted */
  MppeParams params;
  guint8 *state;
} Stage;

static inline guint8 *take_room(AditStageIo *io, gsize length) {
  Stage *s = (Stage *)(gpointer)io;
  if (length > ROOM - s->used)
    return NULL;
  s->used += length;
  return s->room + s->used - length;
}

static inline void keep_frame(AditStageIo *io, const AditStageFrame *frame) {
  Stage *s = (Stage *)(gpointer)io;
  s->emitted++;
  s->last.protocol = frame->protocol;
  s->last.length = adit_stage_copy(frame, 0, s->last.data, sizeof s->last.data);
  assert_int_equal(s->last.length, frame->length);
}

static inline void keep_note(AditStageIo *io, guint32 what, gconstpointer data, gsize length) {
  Stage *s = (Stage *)(gpointer)io;
  s->resets += what == MPPE_NOTE_RESET;
  s->noises += what == MPPE_NOTE_NOISE;
  assert_int_equal(length, sizeof s->noise);
  memcpy(what == MPPE_NOTE_NOISE ? &s->noise : &s->reset, data, length);
}

static inline Stage *stage_new(const MppeParams *params) {
  Stage *s = g_new0(Stage, 1);
  s->io = (AditStageIo){.size = sizeof s->io, .now_ms = 1000, .room = take_room, .emit = keep_frame, .note = keep_note};
  s->params = *params;
  s->state = g_malloc0(mppe_stage.state_size);
  return s;
}

static inline void stage_free(Stage *s) {
  if (!s)
    return;
  g_free(s->state);
  g_free(s);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Stage, stage_free)

/** A frame in `pieces` pieces of about the same length. */
static inline AditStageFrame frame_of(Octets *from, guint pieces) {
  AditStageFrame frame = {.protocol = from->protocol};
  guint32 at = 0;
  for (guint i = 0; i < pieces; i++) {
    guint32 n = i + 1 == pieces ? from->length - at : from->length / pieces;
    frame.slice[frame.n++] = (AditStageSlice){from->data + at, n};
    frame.length += n;
    at += n;
  }
  return frame;
}

static inline void run_stage(Stage *s, gboolean encode, const Octets *in, guint pieces) {
  Octets copy = *in;
  AditStageFrame frame = frame_of(&copy, pieces);
  s->used = 0;
  (encode ? mppe_stage.encode : mppe_stage.decode)(s->state, &s->params, &s->io, &frame);
}

/** TRUE if it became a frame, or a packet, which is in s->last. */
static inline gboolean encode(Stage *s, const Octets *packet) {
  guint before = s->emitted;
  run_stage(s, TRUE, packet, 1);
  return s->emitted == before + 1;
}
static inline gboolean decode(Stage *s, const Octets *frame) {
  guint before = s->emitted;
  run_stage(s, FALSE, frame, 1);
  return s->emitted == before + 1;
}

static inline guint16 bits_of(const Octets *frame) {
  return (guint16)((frame->data[0] << 8 | frame->data[1]) & 0xf000);
}
static inline guint count_of(const Octets *frame) {
  return (frame->data[0] << 8 | frame->data[1]) & 0xfffu;
}

/** An IPv4 packet of that length, with a number in it. */
static inline Octets packet_of(guint32 length, guint32 number) {
  Octets packet = {.protocol = ADIT_PPP_IPV4, .length = length};
  guint8 *ip = packet.data;
  guint32 sum = 0;

  for (guint32 i = 20; i < length; i++)
    ip[i] = (guint8)(number + i);
  memcpy(ip,
         (guint8[20]){
             0x45, 0, (guint8)(length >> 8), (guint8)length, (guint8)(number >> 8), (guint8)number, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0,
             0,    2},
         20);
  for (guint i = 0; i < 20; i += 2)
    sum += (guint32)(ip[i] << 8 | ip[i + 1]);
  while (sum >> 16)
    sum = (sum & 0xffff) + (sum >> 16);
  ip[10] = (guint8)(~sum >> 8);
  ip[11] = (guint8)~sum;
  return packet;
}

static inline void assert_octets(const Octets *got, const Octets *want) {
  assert_int_equal(got->protocol, want->protocol);
  assert_int_equal(got->length, want->length);
  assert_memory_equal(got->data, want->data, want->length);
}

/** `a` sends to `b`; keys of both directions differ. */
static inline MppeParams params_of(guint32 strength, gboolean stateless, gboolean b) {
  MppeParams params = {.epoch = 1};
  MppeDirection *to_b = b ? &params.receive : &params.send, *to_a = b ? &params.send : &params.receive;
  to_b->strength = to_a->strength = strength;
  to_b->stateless = to_a->stateless = stateless;
  for (guint i = 0; i < MPPE_KEY; i++) {
    to_b->start[i] = (guint8)(17 * i + 3);
    to_a->start[i] = (guint8)(29 * i + 5);
  }
  return params;
}
