/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** quiet.h - when what was unpublished may be freed */
#pragma once

#include "worker.h"

typedef struct {
  void (*reclaim)(gpointer memory);
  gpointer memory;
  const gboolean *busy; /**< not before this is FALSE, too; NULL = nothing else to wait for */
  guint64 epoch;
} TunRetired;

/** Calls reclaim(memory) on the main loop once no worker can see it, and `busy` (or NULL) is FALSE. */
void tun_retire(TunDp *dp, void (*reclaim)(gpointer), gpointer memory, const gboolean *busy);
void tun_retire_memory(gpointer dp, gpointer memory);
void tun_retire_timer(AditTimer *timer, gpointer dp);
/** No worker runs any more: reclaims everything. */
void tun_retire_all(TunDp *dp);
/** [worker] */
void tun_worker_sleeps(TunWorker *w);
void tun_worker_wakes(TunWorker *w);
