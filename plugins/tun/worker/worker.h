/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** worker.h - the thread that moves packets, and all that is its own */
#pragma once

#include "../packet/coalesce.h"
#include "../packet/reorder.h"
#include "../peer/listener.h"
#include "event.h"
#include "note.h"
#include "pace.h"
#include "ring.h"
#include "stats.h"
#include "workers.h"
#include <adit/log.h>

typedef struct TunRx TunRx;
typedef struct TunTx TunTx;

struct TunWorker {
  TunDp *dp;
  guint index;
  GThread *thread;
  int epoll_fd, wake_fd;
  TunSocket wake;                             /**< what epoll says for wake_fd */
  gboolean stop;                              /**< atomic */
  guint64 epoch __attribute__((aligned(64))); /**< atomic; 0 = asleep: sees nothing */
  guint64 now;
  gboolean told_main;
  TunPace pace;        /**< of notes for the main loop */
  guint64 notes;       /**< handed to the main loop */
  guint64 last_packet; /**< when something came that is no control */
  guint told;          /**< workers with rings that were filled in this pass: a bit each */
  AditDpLink *waiting;
  AditDpSession *staged; /**< sessions that hold data back, or have stages with a deadline */
  TunHoldPool pool;
  TunCoalescer join;
  TunRx *rx;
  TunTx *tx;
  guint8 *room;    /**< what stages write to: TUN_STAGE_ROOM octets */
  gsize room_used; /**< of it, by what is not flushed */
  AditRateLimit stray_limit, spoofed_limit;
  TunWorkerStats stats;
  TunRing main[TUN_TO_N];
  TunRing from[TUN_WORKERS_MAX];
};

void tun_worker_kick(TunWorker *w); /**< [any] Ends its sleep. */
void tun_wake_main(TunDp *dp);      /**< [any] Makes the main loop look at the rings, unless it is about to. */
/** [any] FALSE with errno: this descriptor would not be heard. */
gboolean tun_worker_watch(TunWorker *w, int fd, gpointer event);
void tun_worker_unwatch(TunWorker *w, int fd);
