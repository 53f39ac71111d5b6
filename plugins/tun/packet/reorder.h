/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * reorder.h - puts numbered frames in order (RFC 2661 5.4, appendix C). A frame that came too early waits for those
 * before it, up to a time; one that comes too late is dropped. Frames wait in a pool of fixed size that the links of a
 * worker share. Pure. [any, one thread for each pool]
 */
#pragma once

#include <adit/types.h>

#define TUN_HOLD_FRAME  2048 /**< a longer frame is never held */
#define TUN_HOLD_WINDOW 32   /**< how far ahead of the missing one a frame may be held */
#define TUN_LATE_RUN    16   /**< so many late frames that follow each other: the peer counts from 0 again */

typedef struct {
  guint32 sequence;
  guint16 length, next_free;
  guint8 frame[TUN_HOLD_FRAME];
} TunHold;

typedef struct {
  TunHold *hold;
  guint n;
  guint fresh;  /**< so many were used at least once: the rest is memory that was never touched */
  guint16 free; /**< index + 1; 0 = none */
} TunHoldPool;

typedef struct {
  gboolean synced;
  guint8 bits;       /**< at which numbers wrap, above 5; 0 = 16. Set before the first frame */
  guint32 next;      /**< the number that should come */
  guint32 late_next; /**< of a run of late frames */
  guint8 late_run;
  guint8 n_held;
  guint64 deadline;              /**< when to give up on the missing ones; 0 = nothing held */
  guint16 held[TUN_HOLD_WINDOW]; /**< by number modulo window: index + 1 in the pool */
} TunReorder;

/** Takes a frame that is in order now. */
typedef void (*TunDeliver)(gpointer user, const guint8 *frame, gsize length);

/** The fate of a frame. */
typedef struct {
  guint64 late, lost, reordered;
} TunReorderCount;

/** A free slot (index + 1), or 0. */
guint16 tun_hold_take(TunHoldPool *pool);
void tun_hold_give(TunHoldPool *pool, guint16 index);
gboolean tun_hold_pool_init(TunHoldPool *pool, guint n);
void tun_hold_pool_clear(TunHoldPool *pool);

/** Takes frame number `sequence`; delivers it, and those that waited for it, or holds or drops it. `reorder_ms` 0 holds nothing. */
void tun_reorder_push(TunReorder *r, TunHoldPool *pool, guint32 sequence, const guint8 *frame, gsize length, guint64 now, guint reorder_ms,
                      TunDeliver deliver, gpointer user, TunReorderCount *count);
/** Time is up, or the link goes: delivers all that is held, in order. `deliver` NULL throws it away. */
void tun_reorder_flush(TunReorder *r, TunHoldPool *pool, TunDeliver deliver, gpointer user, TunReorderCount *count);
