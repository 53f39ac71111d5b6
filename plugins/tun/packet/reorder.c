/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "reorder.h"

gboolean tun_hold_pool_init(TunHoldPool *pool, guint n) {
  pool->hold = g_try_new(TunHold, n);
  pool->n = pool->hold ? n : 0;
  pool->fresh = pool->free = 0;
  return pool->hold != NULL;
}

void tun_hold_pool_clear(TunHoldPool *pool) {
  g_clear_pointer(&pool->hold, g_free);
}

guint16 tun_hold_take(TunHoldPool *pool) {
  guint16 index = pool->free;
  if (index)
    pool->free = pool->hold[index - 1].next_free;
  else if (pool->fresh < pool->n)
    index = (guint16)++pool->fresh;
  return index;
}

void tun_hold_give(TunHoldPool *pool, guint16 index) {
  pool->hold[index - 1].next_free = pool->free;
  pool->free = index;
}

static guint32 wrap_sequence(const TunReorder *r, guint32 sequence) {
  guint bits = r->bits ? r->bits : 16;
  return bits == 32 ? sequence : sequence & ((1u << bits) - 1);
}

/* How far `sequence` is ahead of the next one; negative = behind. */
static gint32 measure_distance(const TunReorder *r, guint32 sequence) {
  guint unused = 32 - (r->bits ? r->bits : 16);
  return (gint32)((sequence - r->next) << unused) >> unused;
}

static void release_slot(TunReorder *r, TunHoldPool *pool, guint slot) {
  guint16 index = r->held[slot];
  r->held[slot] = 0;
  r->n_held--;
  tun_hold_give(pool, index);
}

/* Delivers what follows without a gap. */
static void deliver_run(TunReorder *r, TunHoldPool *pool, TunDeliver deliver, gpointer user, TunReorderCount *count) {
  for (guint slot; r->held[slot = r->next % TUN_HOLD_WINDOW];) {
    const TunHold *hold = &pool->hold[r->held[slot] - 1];
    if (deliver)
      deliver(user, hold->frame, hold->length);
    count->reordered++;
    r->next = wrap_sequence(r, r->next + 1);
    release_slot(r, pool, slot);
  }
  if (!r->n_held)
    r->deadline = 0;
}

/* Gives up on all before `sequence`: delivers what is held of it. */
static void skip_to(TunReorder *r, TunHoldPool *pool, guint32 sequence, TunDeliver deliver, gpointer user, TunReorderCount *count) {
  while (r->n_held && r->next != sequence) {
    if (r->held[r->next % TUN_HOLD_WINDOW]) {
      deliver_run(r, pool, deliver, user, count);
    } else {
      r->next = wrap_sequence(r, r->next + 1);
      count->lost++;
    }
  }
  count->lost += wrap_sequence(r, sequence - r->next);
  r->next = sequence;
}

void tun_reorder_flush(TunReorder *r, TunHoldPool *pool, TunDeliver deliver, gpointer user, TunReorderCount *count) {
  while (r->n_held) {
    if (!r->held[r->next % TUN_HOLD_WINDOW]) {
      r->next = wrap_sequence(r, r->next + 1);
      count->lost++;
      continue;
    }
    deliver_run(r, pool, deliver, user, count);
  }
  r->deadline = 0;
}

static gboolean hold_frame(TunReorder *r, TunHoldPool *pool, guint32 sequence, const guint8 *frame, gsize length) {
  guint slot = sequence % TUN_HOLD_WINDOW;
  if (r->held[slot]) /* the same frame twice */
    return TRUE;
  guint16 index = length > TUN_HOLD_FRAME ? 0 : tun_hold_take(pool);
  if (!index)
    return FALSE;
  TunHold *h = &pool->hold[index - 1];
  h->sequence = sequence;
  h->length = (guint16)length;
  memcpy(h->frame, frame, length);
  r->held[slot] = index;
  r->n_held++;
  return TRUE;
}

/* A late frame; true when enough of them followed each other that it is a new beginning. */
static gboolean begins_anew(TunReorder *r, guint32 sequence) {
  r->late_run = sequence == r->late_next ? r->late_run + 1 : 1;
  r->late_next = wrap_sequence(r, sequence + 1);
  return r->late_run >= TUN_LATE_RUN;
}

void tun_reorder_push(TunReorder *r, TunHoldPool *pool, guint32 sequence, const guint8 *frame, gsize length, guint64 now, guint reorder_ms,
                      TunDeliver deliver, gpointer user, TunReorderCount *count) {
  sequence = wrap_sequence(r, sequence);
  gint32 ahead = measure_distance(r, sequence);
  if (!r->synced) {
    r->synced = TRUE;
    r->next = sequence;
    ahead = 0;
  }
  if (ahead < 0) {
    if (!begins_anew(r, sequence)) {
      count->late++;
      return;
    }
    tun_reorder_flush(r, pool, deliver, user, count);
    r->next = sequence;
    ahead = 0;
  }
  r->late_run = 0;
  if (ahead > 0 && reorder_ms && ahead < TUN_HOLD_WINDOW && hold_frame(r, pool, sequence, frame, length)) {
    if (!r->deadline)
      r->deadline = now + reorder_ms;
    return;
  }
  if (ahead > 0) /* can't wait: missing frames are lost, held frames precede it */
    skip_to(r, pool, sequence, deliver, user, count);
  deliver(user, frame, length);
  r->next = wrap_sequence(r, r->next + 1);
  deliver_run(r, pool, deliver, user, count);
  if (r->n_held)
    r->deadline = now + reorder_ms;
}
