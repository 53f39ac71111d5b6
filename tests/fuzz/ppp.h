/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The world of a PPP engine under fuzzing: a clock that the input moves, chance that is none, and the last
 * Configure-Request that was sent, so that the input can answer it. The input is a script of steps: an octet that says
 * what to do, an octet of length, and that much data. */
#pragma once

#include "core/ppp/ppp-link.h"
#include "core/ppp/ncp.h"

enum { STEP_FRAME, STEP_ACK, STEP_NAK, STEP_REJECT, STEP_WAIT, STEP_VERDICT, STEP_REBIRTH, STEP_CLOSE, STEP_REPLAY, STEPS };

typedef struct {
  guint64 now, deadline;
  guint8 chance;
  guint8 request[2048]; /* a frame */
  gsize request_length;
} World;

static guint64 world_now(gpointer host) {
  return ((World *)host)->now;
}

static void world_wake(gpointer host, guint slot, guint64 deadline) {
  ((World *)host)->deadline = deadline;
}

static void world_random(gpointer host, gpointer buffer, gsize length) {
  for (gsize i = 0; i < length; i++)
    ((guint8 *)buffer)[i] = ++((World *)host)->chance;
}

static const AditEngineOps world_engine = {sizeof(AditEngineOps), world_now, world_wake, world_random};

static inline void world_sent(World *world, guint16 protocol, const guint8 *frame, gsize length) {
  if (length > 6 - 1 && (frame[0] << 8 | frame[1]) == protocol && frame[2] == 1 && length <= sizeof world->request) {
    memcpy(world->request, frame, length);
    world->request_length = length;
  }
}

/** A frame that answers our last request: verbatim, or with the script's options under its identifier. */
static inline gsize world_answer(const World *world, guint step, AditCursor data, guint8 frame[2048]) {
  AditBuilder out = adit_builder(frame, 2048);
  if (world->request_length < 6)
    return 0;
  if (step == STEP_ACK || (step == STEP_REJECT && !adit_left(&data))) {
    adit_put_bytes(&out, world->request, world->request_length);
    frame[2] = step == STEP_ACK ? 2 : 4;
    return adit_built(&out);
  }
  adit_put_bytes(&out, world->request, 2);
  adit_put_u8(&out, step == STEP_NAK ? 3 : 4);
  adit_put_u8(&out, world->request[3]);
  adit_put_u16(&out, (guint16)(4 + adit_left(&data)));
  adit_put_bytes(&out, data.at, adit_left(&data));
  return adit_built(&out);
}

static inline gboolean world_next(AditCursor *script, guint *step, AditCursor *data) {
  *step = adit_get_u8(script) % STEPS;
  guint8 length = adit_get_u8(script);
  *data = adit_get_sub(script, MIN(length, adit_left(script)));
  return !script->bad;
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);
