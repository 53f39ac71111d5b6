/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "worker.h"
#include "../dp.h"
#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

void tun_worker_kick(TunWorker *w) {
  guint64 one = 1;
  if (write(w->wake_fd, &one, sizeof one) < 0 && errno != EAGAIN) /* EAGAIN: it is kicked already */
    g_warning("eventfd: %s", g_strerror(errno));
}

void tun_wake_main(TunDp *dp) {
  guint64 one = 1;
  if (__atomic_exchange_n(&dp->woken, TRUE, __ATOMIC_SEQ_CST))
    return;
  if (write(dp->wake_fd, &one, sizeof one) < 0 && errno != EAGAIN)
    g_warning("eventfd: %s", g_strerror(errno));
}

gboolean tun_worker_watch(TunWorker *w, int fd, gpointer event) {
  struct epoll_event e = {.events = EPOLLIN, .data.ptr = event};
  return epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, fd, &e) == 0;
}

void tun_worker_unwatch(TunWorker *w, int fd) {
  epoll_ctl(w->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}
