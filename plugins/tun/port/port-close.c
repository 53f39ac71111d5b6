/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The callback of a close comes as soon as no worker uses the port, when its counters are final; its interface is deleted later, with
 * others. */
#include "../dp.h"
#include "../worker/quiet.h"
#include "condemned.h"
#include "port.h"

/* ---- closing ---- */

/* No worker knows it any more. */
static void port_reclaim(gpointer memory) {
  TunPort *port = memory, *successor = port->successor, *next;
  TunDp *dp = port->dp;
  AditPortClosed closed = port->closed;
  gpointer user = port->user;
  AditCounters final = port->counters;
  g_hash_table_remove(dp->closing, port->head.name);
  tun_condemned_add(port);
  for (; successor; successor = next) {
    next = g_steal_pointer(&successor->successor);
    successor->begin(successor);
  }
  if (closed)
    closed(user, &final);
  tun_port_gone(port);
}

void tun_port_close(AditPort *head, AditPortClosed done, gpointer user) {
  TunPort *port = (TunPort *)head;
  TunDp *dp = port->dp;
  port->closed = done;
  port->lost = NULL;
  port->user = user;
  g_hash_table_insert(dp->closing, port->head.name, port);
  for (guint i = 0; i < port->n_queues; i++)
    if (port->queue[i].watcher >= 0) {
      tun_worker_unwatch(dp->worker[port->queue[i].watcher], port->queue[i].fd);
      port->queue[i].watcher = -1;
    }
  tun_retire(dp, port_reclaim, port, NULL);
}
