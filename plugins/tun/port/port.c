/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "port.h"
#include "../dp.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>
#include <unistd.h>

int tun_device_open(const AditNetService *net) {
  return ADIT_HAS(net, tun_open) ? net->tun_open() : open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
}

void tun_port_free(TunPort *port) {
  if (port->routes)
    tun_routes_clear(port->routes);
  g_free(port->routes);
  g_free(port->failure);
  g_free(port);
}

void tun_port_close_queues(TunPort *port) {
  for (guint i = 0; i < port->n_queues; i++) {
    ioctl(port->queue[i].fd, TUNSETPERSIST, 0); /* an interface that is still there goes with its last descriptor */
    close(port->queue[i].fd);
  }
  port->n_queues = 0;
}

gboolean tun_port_watch(TunPort *port, TunWorker *w) {
  TunQueue *queue = &port->queue[0];
  if (!tun_worker_watch(w, queue->fd, queue))
    return FALSE;
  queue->watcher = (int)w->index;
  return TRUE;
}

void tun_port_unwatch(TunPort *port) {
  TunQueue *queue = &port->queue[0];
  if (queue->watcher >= 0)
    tun_worker_unwatch(port->dp->worker[queue->watcher], queue->fd);
  queue->watcher = -1;
}

void tun_port_gone(TunPort *port) {
  TunDp *dp = port->dp;
  g_hash_table_remove(dp->ports, port);
  if (dp->idle && !g_hash_table_size(dp->ports))
    dp->idle(dp);
}

void tun_port_set_carrier(const TunPort *port, int on) {
  if (ioctl(port->queue[0].fd, TUNSETCARRIER, &on) < 0)
    adit_warning(NULL, "%s: carrier: %s", port->head.name, g_strerror(errno));
}

typedef struct {
  TunPort *port;
  gboolean on;
} Carrier;

static void carrier_work(gpointer data) {
  const Carrier *carrier = data;
  tun_port_set_carrier(carrier->port, carrier->on);
}

void tun_port_carrier(AditPort *head, gboolean on) {
  TunPort *port = (TunPort *)head;
  Carrier *carrier = g_new0(Carrier, 1);
  *carrier = (Carrier){port, on};
  /* The port outlives it: closing it goes through the same queue, behind this. */
  port->dp->net->call(carrier_work, g_free, carrier);
}
