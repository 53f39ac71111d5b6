/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Quiescent states: when may what was unpublished be freed? A worker copies the epoch at the start of each pass and
 * shows 0 while it sleeps; between passes it holds no pointer. What was unpublished in epoch e is free once each worker
 * sleeps or shows e or later. */
#include "tun.h"

enum { RETRY_MS = 3 };

static gboolean all_passed(const TunDp *dp, guint64 epoch) {
  for (guint i = 0; i < dp->n_workers; i++) {
    guint64 seen = __atomic_load_n(&dp->worker[i]->epoch, __ATOMIC_SEQ_CST);
    if (seen && seen < epoch)
      return FALSE;
  }
  return TRUE;
}

/* In order, as long as it goes; one whose home worker is not done yet does not hold up those behind it. */
static void reclaim(TunDp *dp) {
  for (GList *at = dp->retired.head; at;) {
    GList *next = at->next;
    TunRetired *entry = at->data;
    if (!all_passed(dp, entry->epoch))
      break;
    if (!entry->busy || !__atomic_load_n(entry->busy, __ATOMIC_ACQUIRE)) {
      g_queue_delete_link(&dp->retired, at);
      entry->reclaim(entry->memory);
      g_free(entry);
    }
    at = next;
  }
}

void tun_retire_timer(AditTimer *timer, gpointer data) {
  TunDp *dp = data;
  reclaim(dp);
  if (dp->retired.length)
    dp->loop->timer_arm(&dp->retire_timer, RETRY_MS);
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
  while ((entry = g_queue_pop_head(&dp->retired))) {
    entry->reclaim(entry->memory);
    g_free(entry);
  }
  dp->loop->timer_cancel(&dp->retire_timer);
}

void tun_worker_sleeps(TunWorker *w) {
  __atomic_store_n(&w->epoch, 0, __ATOMIC_SEQ_CST);
}

void tun_worker_wakes(TunWorker *w) {
  __atomic_store_n(&w->epoch, __atomic_load_n(&w->dp->epoch, __ATOMIC_SEQ_CST), __ATOMIC_SEQ_CST);
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
