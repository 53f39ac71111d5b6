/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "mp-pool.h"
#include <sys/mman.h>

G_STATIC_ASSERT(sizeof(MpBlock) == 2048);

/* The free blocks are a stack. Its head has a count in its upper half, which makes it differ although the same block is on top again:
 * another thread may have taken two and given one back between our look at the head and its exchange. */
static struct {
  MpBlock *block;
  guint64 head;  /* atomic: count << 32 | number of the first free block */
  guint32 fresh; /* atomic: blocks that were used at some time; the others are untouched memory */
  guint32 taken; /* atomic */
  guint32 most;  /* atomic */
} pool;

gboolean mp_pool_prepare(void) {
  if (pool.block)
    return TRUE;
  gpointer memory =
      mmap(NULL, MP_POOL_BLOCKS * sizeof(MpBlock), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED)
    return FALSE;
  pool.block = memory;
  return TRUE;
}

MpBlock *mp_pool_block(guint32 number) {
  return &pool.block[number - 1];
}

static guint32 pop_free(void) {
  guint64 head = __atomic_load_n(&pool.head, __ATOMIC_ACQUIRE);
  while ((guint32)head) {
    guint32 next = __atomic_load_n(&mp_pool_block((guint32)head)->free, __ATOMIC_RELAXED);
    guint64 after = ((head >> 32) + 1) << 32 | next;
    if (__atomic_compare_exchange_n(&pool.head, &head, after, FALSE, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
      return (guint32)head;
  }
  return 0;
}

static guint32 take_fresh(void) {
  guint32 fresh = __atomic_load_n(&pool.fresh, __ATOMIC_RELAXED);
  while (fresh < MP_POOL_BLOCKS)
    if (__atomic_compare_exchange_n(&pool.fresh, &fresh, fresh + 1, FALSE, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
      return fresh + 1;
  return 0;
}

/* The more a bundle holds, the more must be left for others. One that has little takes what there is; one with a long packet leaves an
 * eighth, and one with much a quarter, and has an eighth of the rest: n such bundles have 1/(8 + n) each. */
static gboolean may_take(guint32 holds) {
  guint32 taken = __atomic_load_n(&pool.taken, __ATOMIC_RELAXED), left = MP_POOL_BLOCKS - MIN(taken, MP_POOL_BLOCKS);
  if (holds < MP_BUNDLE_LEAST)
    return TRUE;
  if (holds < MP_BUNDLE_PACKET)
    return left > MP_POOL_BLOCKS / 8;
  return holds < MP_BUNDLE_MOST && left > MP_POOL_BLOCKS / 4 && holds < (left - MP_POOL_BLOCKS / 4) / 8;
}

static void note_most(guint32 taken) {
  guint32 most = __atomic_load_n(&pool.most, __ATOMIC_RELAXED);
  while (taken > most && !__atomic_compare_exchange_n(&pool.most, &most, taken, FALSE, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
}

guint32 mp_pool_take(guint32 holds) {
  if (!pool.block || !may_take(holds))
    return 0;
  guint32 number = pop_free();
  if (!number)
    number = take_fresh();
  if (number)
    note_most(__atomic_add_fetch(&pool.taken, 1, __ATOMIC_RELAXED));
  return number;
}

void mp_pool_give(guint32 number) {
  MpBlock *block = mp_pool_block(number);
  guint64 head = __atomic_load_n(&pool.head, __ATOMIC_ACQUIRE);
  do
    __atomic_store_n(&block->free, (guint32)head, __ATOMIC_RELAXED);
  while (!__atomic_compare_exchange_n(&pool.head, &head, ((head >> 32) + 1) << 32 | number, FALSE, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
  __atomic_sub_fetch(&pool.taken, 1, __ATOMIC_RELAXED);
}

void mp_pool_usage(guint64 *now, guint64 *most) {
  *now = __atomic_load_n(&pool.taken, __ATOMIC_RELAXED);
  *most = __atomic_load_n(&pool.most, __ATOMIC_RELAXED);
}
