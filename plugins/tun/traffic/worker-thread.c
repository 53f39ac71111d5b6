/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The thread that moves packets: one epoll, some sockets, some TUN queues, its rings. */
#include "worker-thread.h"
#include "../dp.h"
#include "../worker/quiet.h"
#include "delivery.h"
#include "port-read.h"
#include "rx-frame.h"
#include "rx.h"
#include "stage-run.h"
#include "tx.h"
#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
  EVENTS = 64,
  BUSY = 8,          /* datagrams and packets in a pass: then more will be there */
  NAP_US = 300,      /* in a storm of control: what comes meanwhile is read at once */
  QUIET_MS = 10,     /* no packet for so long: no packet waits for the end of a nap */
  HOLD_FRAMES = 256, /* of all links together, waiting for those before them */
  FOREIGN_RING = 512 * 1024,
  LIVE_RING = 1024 * 1024, /* PPP frames of links: a mass reconnect sends thousands at once */
  CONTROL_RING = 512 * 1024,
  NEW_RING = 128 * 1024,
};

static void worker_event(TunWorker *w, gpointer event) {
  switch (*(TunEventKind *)event) {
  case TUN_EVENT_WAKE: {
    guint64 count;
    if (read(w->wake_fd, &count, sizeof count) < 0)
      break; /* EAGAIN: nothing lost, the rings are looked at in every pass */
    break;
  }
  case TUN_EVENT_SOCKET:
    tun_rx_socket(w, event);
    break;
  case TUN_EVENT_QUEUE:
    tun_port_read(w, event);
    break;
  }
}

/* Wakes the workers that got something in this pass: once each, however much it was. */
static void worker_tell(TunWorker *w) {
  if (w->told_main)
    tun_wake_main(w->dp);
  w->told_main = FALSE;
  for (guint i = 0; w->told; i++, w->told >>= 1)
    if (w->told & 1)
      tun_worker_kick(w->dp->worker[i]);
}

/* Whether this pass brought nothing but control, of which there is much. The main loop has the received datagrams already. */
static gboolean worker_may_nap(TunWorker *w, guint64 datagrams, guint64 notes) {
  gboolean storm = tun_pace_count(&w->pace, w->now, (guint)notes);
  if (datagrams > notes)
    w->last_packet = w->now;
  return storm && notes && w->now - w->last_packet >= QUIET_MS;
}

/* Milliseconds to the next deadline, -1 = none. In most passes nothing waits. */
static int handle_deadlines(TunWorker *w) {
  int frames = w->waiting ? tun_rx_frame_expire(w) : -1;
  return w->staged ? tun_earlier(frames, tun_stages_run(w)) : frames;
}

/* Objects in the events of a sleeping worker may be freed before it wakes: it only waits, and polls again when awake.
 * One that had much to do in a pass does not sleep before the next; after little there is mostly nothing more, and another poll would be a
 * useless system call. */
static gpointer worker_run(gpointer data) {
  TunWorker *w = data;
  struct epoll_event events[EVENTS];
  int timeout = -1, n = 0;
  guint64 before = 0, noted = 0;

  while (!__atomic_load_n(&w->stop, __ATOMIC_ACQUIRE)) {
    if (worker_may_nap(w, TUN_GET(w->stats.datagrams_in) + TUN_GET(w->stats.packets_in) - before, w->notes - noted)) {
      tun_worker_sleeps(w);
      g_usleep(NAP_US);
    } else if (n <= 0 || TUN_GET(w->stats.datagrams_in) + TUN_GET(w->stats.packets_in) < before + BUSY) {
      tun_worker_sleeps(w);
      epoll_wait(w->epoll_fd, events, 1, timeout);
    }
    tun_worker_wakes(w);
    n = epoll_wait(w->epoll_fd, events, EVENTS, 0);
    w->now = w->dp->loop->now();
    before = TUN_GET(w->stats.datagrams_in) + TUN_GET(w->stats.packets_in);
    noted = w->notes;
    tun_rx_foreign(w);
    for (int i = 0; i < n; i++)
      worker_event(w, events[i].data.ptr);
    timeout = handle_deadlines(w);
    worker_tell(w);
  }
  tun_worker_sleeps(w);
  return NULL;
}

TunWorker *tun_worker_new(TunDp *dp, guint index, GError **error) {
  TunWorker *w = g_aligned_alloc0(1, sizeof *w, 64);
  static const gsize size[TUN_TO_N] = {LIVE_RING, CONTROL_RING, NEW_RING};
  gboolean ok = TRUE;
  w->dp = dp;
  w->index = index;
  w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  w->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  w->wake = (TunSocket){.kind = TUN_EVENT_WAKE, .fd = w->wake_fd};
  w->rx = tun_rx_new();
  w->tx = tun_tx_new();
  w->room = tun_stage_room_new();
  tun_coalesce_init(&w->join, tun_deliver_write, w);
  for (guint i = 0; i < TUN_TO_N; i++)
    ok &= tun_ring_init(&w->main[i], size[i], i != TUN_TO_LIVE);
  for (guint i = 0; i < dp->n_workers; i++)
    ok &= i == index || tun_ring_init(&w->from[i], FOREIGN_RING, FALSE);
  ok &= tun_hold_pool_init(&w->pool, HOLD_FRAMES);
  if (w->epoll_fd < 0 || w->wake_fd < 0 || !w->rx || !w->tx || !w->room || !ok || !tun_worker_watch(w, w->wake_fd, &w->wake)) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_SYSTEM, "no memory or descriptors for a worker: %s", g_strerror(errno));
    tun_worker_free(w);
    return NULL;
  }
  return w;
}

gboolean tun_worker_start(TunWorker *w, GError **error) {
  g_autofree char *name = g_strdup_printf("tun-%u", w->index);
  /* Signals are the main loop's. */
  sigset_t all, old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  w->thread = g_thread_try_new(name, worker_run, w, error);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  return w->thread != NULL;
}

void tun_worker_stop(TunWorker *w) {
  __atomic_store_n(&w->stop, TRUE, __ATOMIC_RELEASE);
  tun_worker_kick(w);
  if (w->thread)
    g_thread_join(g_steal_pointer(&w->thread));
}

void tun_worker_free(TunWorker *w) {
  if (w->epoll_fd >= 0)
    close(w->epoll_fd);
  if (w->wake_fd >= 0)
    close(w->wake_fd);
  for (guint i = 0; i < TUN_TO_N; i++)
    tun_ring_clear(&w->main[i]);
  for (guint i = 0; i < TUN_WORKERS_MAX; i++)
    tun_ring_clear(&w->from[i]);
  tun_hold_pool_clear(&w->pool);
  tun_rx_free(w->rx);
  tun_tx_free(w->tx);
  tun_stage_room_free(w->room);
  g_aligned_free(w);
}
