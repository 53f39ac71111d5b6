/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Quiescent states: when may what was unpublished be freed? A worker copies the epoch at the start of each pass and
 * shows 0 while it sleeps; between passes it holds no pointer. Memory that was unpublished in epoch e is free once each worker sleeps or
 * shows e or later. */
#include "quiet.h"
#include "../dp.h"

enum { RETRY_MS = 3, BUDGET = 512 /* of one pass of the loop: thousands of sessions may end at once */ };

static gboolean all_passed(const TunDp *dp, guint64 epoch) {
  for (guint i = 0; i < dp->n_workers; i++) {
    guint64 seen = __atomic_load_n(&dp->worker[i]->epoch, __ATOMIC_SEQ_CST);
    if (seen && seen < epoch)
      return FALSE;
  }
  return TRUE;
}

/* The first that may go; one with a home worker that is not done yet does not delay those behind it. Taken out before it is
 * reclaimed: its callbacks may end all of them. */
static TunRetired *take_retired(TunDp *dp) {
  for (GList *at = dp->retired.head; at; at = at->next) {
    TunRetired *entry = at->data;
    if (!all_passed(dp, entry->epoch))
      return NULL;
    if (!entry->busy || !__atomic_load_n(entry->busy, __ATOMIC_ACQUIRE)) {
      g_queue_delete_link(&dp->retired, at);
      return entry;
    }
  }
  return NULL;
}

static void reclaim_entry(TunRetired *entry) {
  entry->reclaim(entry->memory);
  g_free(entry);
}

void tun_retire_timer(AditTimer *timer, gpointer data) {
  TunDp *dp = data;
  TunRetired *entry = NULL;
  for (guint n = 0; n < BUDGET && (entry = take_retired(dp)); n++)
    reclaim_entry(entry);
  if (dp->retired.length)
    dp->loop->timer_arm(&dp->retire_timer, entry ? 0 : RETRY_MS);
}

void tun_retire(TunDp *dp, void (*func)(gpointer), gpointer memory, const gboolean *busy) {
  TunRetired *entry = g_new0(TunRetired, 1);
  *entry = (TunRetired){func, memory, busy, 0};
  __atomic_thread_fence(__ATOMIC_SEQ_CST); /* the unpublishing store comes first */
  entry->epoch = __atomic_add_fetch(&dp->epoch, 1, __ATOMIC_SEQ_CST);
  if (!dp->retired.length)
    dp->loop->timer_arm(&dp->retire_timer, RETRY_MS);
  g_queue_push_tail(&dp->retired, entry);
}

void tun_retire_memory(gpointer dp, gpointer memory) {
  tun_retire(dp, g_free, memory, NULL);
}

void tun_retire_all(TunDp *dp) {
  TunRetired *entry;
  while ((entry = g_queue_pop_head(&dp->retired)))
    reclaim_entry(entry);
  dp->loop->timer_cancel(&dp->retire_timer);
}

void tun_worker_sleeps(TunWorker *w) {
  __atomic_store_n(&w->epoch, 0, __ATOMIC_SEQ_CST);
}

void tun_worker_wakes(TunWorker *w) {
  __atomic_store_n(&w->epoch, __atomic_load_n(&w->dp->epoch, __ATOMIC_SEQ_CST), __ATOMIC_SEQ_CST);
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
