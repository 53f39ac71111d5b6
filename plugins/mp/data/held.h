/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** held.h - the fragments that a bundle holds, by their numbers. [worker] */
#pragma once

#include "mp-header.h"

#define MP_WINDOW 2048 /**< numbers from the first to the last one held at most; half of what 12 bits count */

/** Numbers have 32 bits; their low bits are on the wire. No pointers into itself. */
typedef struct {
  guint32 top;                    /**< behind the last one held */
  guint32 blocks;                 /**< of the pool */
  const AditStageFrame *arriving; /**< the fragment of this call, until it is copied into blocks: NULL between calls */
  MpHeader arriving_header;
  guint64 bits[MP_WINDOW / 64]; /**< by number modulo MP_WINDOW */
  guint32 slot[MP_WINDOW];      /**< the first block; 0 = it is the arriving one */
} MpHeld;

typedef struct {
  guint32 length;
  guint64 came_ms;
  gboolean begin, end;
  guint8 link;
} MpFragment;

static inline gboolean mp_is_before(guint32 a, guint32 b) {
  return (gint32)(a - b) < 0;
}

/** Takes the frame's fragment, which stays where it is. The number is in the window and is not held. */
void mp_held_add(MpHeld *held, guint32 number, const MpHeader *header, const AditStageFrame *frame);
/** Copies the arriving fragment into blocks, if it is held still. FALSE: the pool gives no more; it is arriving still. */
gboolean mp_held_keep(MpHeld *held, guint64 now_ms);
gboolean mp_held_has(const MpHeld *held, guint32 number);
/** The first one held from `number` on; held->top if there is none. */
guint32 mp_held_find(const MpHeld *held, guint32 number);
void mp_held_look(const MpHeld *held, guint32 number, guint64 now_ms, MpFragment *out);
/** Copies its octets; returns how many. */
guint32 mp_held_copy(const MpHeld *held, guint32 number, guint8 *to);
void mp_held_drop(MpHeld *held, guint32 number);
