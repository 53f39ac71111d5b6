/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Ports: TUN interfaces. All that waits for RTNL is done on the network thread. Interfaces are persistent, so that to
 * close one costs nothing; they are deleted many at once, through a link group of their own. */
#include "tun.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <unistd.h>

#ifndef TUN_F_USO4 /* Linux 6.2 */
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

enum { CONDEMNED_MS = 50 }; /* how long closed interfaces wait for others to be deleted with them */

/* The group of interfaces that wait for their deletion. */
static guint32 condemned_group(const TunDp *dp) {
  guint32 group = dp->net->group();
  return group ? group ^ 0x40000000 : 0;
}

static void group_delete(const TunDp *dp, guint32 group, AditNetDone done, gpointer user) {
  if (group) /* 0 is everybody's */
    dp->net->link_delete_group(group, done, user);
  else if (done)
    done(user, 0);
}

static void condemned_flush(TunDp *dp) {
  g_hash_table_remove_all(dp->condemned);
  dp->loop->timer_cancel(&dp->condemned_timer);
  group_delete(dp, condemned_group(dp), NULL, NULL);
}

void tun_condemned_timer(AditTimer *timer, gpointer dp) {
  condemned_flush(dp);
}

void tun_ports_sweep(TunDp *dp, AditNetDone done, gpointer user) {
  group_delete(dp, condemned_group(dp), NULL, NULL);
  group_delete(dp, dp->net->group(), done, user);
}

/* ---- opening ---- */

static gboolean open_fail(TunPort *port, const char *what) {
  port->failure = g_strdup_printf("%s: %s: %s", port->head.name, what, g_strerror(errno));
  return FALSE;
}

static gboolean open_queue(TunPort *port, guint index, guint n) {
  const TunDp *dp = port->dp;
  struct ifreq request = {
      .ifr_flags = (short)(IFF_TUN | IFF_NO_PI | IFF_VNET_HDR | (n > 1 ? IFF_MULTI_QUEUE : 0) | (index == 0 ? IFF_TUN_EXCL : 0))};
  guint features = dp->config.offload ? TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 : 0;
  int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0)
    return open_fail(port, "/dev/net/tun");
  port->queue[port->n_queues++] = (TunQueue){TUN_EVENT_QUEUE, fd, port, -1};
  memcpy(request.ifr_name, port->head.name, sizeof port->head.name);
  if (ioctl(fd, TUNSETIFF, &request) < 0) {
    port->exists = errno == EBUSY || errno == EEXIST;
    return open_fail(port, "TUNSETIFF");
  }
  if (dp->config.offload && ioctl(fd, TUNSETOFFLOAD, features | TUN_F_USO4 | TUN_F_USO6) == 0)
    port->uso = TRUE;
  else if (ioctl(fd, TUNSETOFFLOAD, features) < 0)
    return open_fail(port, "TUNSETOFFLOAD");
  if (index == 0 && ioctl(fd, TUNSETPERSIST, 1) < 0)
    return open_fail(port, "TUNSETPERSIST");
  return TRUE;
}

static void set_carrier(const TunPort *port, int on) {
  if (ioctl(port->queue[0].fd, TUNSETCARRIER, &on) < 0)
    adit_warning(NULL, "%s: carrier: %s", port->head.name, g_strerror(errno));
}

static void close_queues(TunPort *port, gboolean forget) {
  for (guint i = 0; i < port->n_queues; i++) {
    if (forget && i == 0)
      ioctl(port->queue[i].fd, TUNSETPERSIST, 0);
    close(port->queue[i].fd);
  }
  port->n_queues = 0;
}

static void open_work(gpointer data) {
  TunPort *port = data;
  guint n = port->head.shared ? port->dp->n_workers : 1;
  for (guint i = 0; i < n; i++)
    if (!open_queue(port, i, n)) {
      close_queues(port, i > 0);
      return;
    }
  port->head.ifindex = if_nametoindex(port->head.name);
  if (port->is_static)
    set_carrier(port, 0);
}

static void port_free(TunPort *port) {
  TunDp *dp = port->dp;
  g_hash_table_remove(dp->ports, port);
  if (port->routes)
    tun_routes_clear(port->routes);
  g_free(port->routes);
  g_free(port->failure);
  g_free(port);
  if (dp->stopping && !g_hash_table_size(dp->ports))
    tun_dp_idle(dp);
}

static void open_ready(gpointer user, int error) {
  TunPort *port = user;
  TunDp *dp = port->dp;
  if (error) {
    g_autoptr(GError) e = g_error_new(ADIT_ERROR, ADIT_ERR_SYSTEM, "%s: setting up: %s", port->head.name, g_strerror(error));
    AditPortOpened opened = port->opened;
    gpointer opened_user = port->user;
    tun_port_close(&port->head, NULL, NULL);
    opened(opened_user, NULL, e);
    return;
  }
  if (port->head.shared)
    for (guint i = 0; i < port->n_queues; i++)
      if (tun_worker_watch(dp->worker[i], port->queue[i].fd, &port->queue[i]))
        port->queue[i].watcher = (int)i;
  port->opened(port->user, &port->head, NULL);
}

static void open_done(gpointer data) {
  TunPort *port = data;
  TunDp *dp = port->dp;
  if (port->failure) {
    g_autoptr(GError) error = g_error_new_literal(ADIT_ERROR, port->exists ? ADIT_ERR_EXISTS : ADIT_ERR_SYSTEM, port->failure);
    AditPortOpened opened = port->opened;
    gpointer user = port->user;
    port_free(port);
    opened(user, NULL, error);
    return;
  }
  AditLinkChange change = {.ifindex = port->head.ifindex,
                           .set = ADIT_LINK_GROUP | ADIT_LINK_MTU | ADIT_LINK_NO_IPV6_AUTO | ADIT_LINK_UP,
                           .up = TRUE,
                           .mtu = port->mtu,
                           .group = dp->net->group()};
  if (port->alias[0]) {
    change.set |= ADIT_LINK_ALIAS;
    change.alias = port->alias;
  }
  dp->net->link_change(&change, open_ready, port);
}

static void port_begin(TunPort *port) {
  TunDp *dp = port->dp;
  TunPort *before = g_hash_table_lookup(dp->closing, port->head.name);
  if (before) { /* behind all that wait for that name */
    while (before->successor)
      before = before->successor;
    before->successor = port;
    return;
  }
  if (g_hash_table_contains(dp->condemned, port->head.name))
    condemned_flush(dp); /* calls are carried out in order: its predecessor is gone first */
  dp->net->call(open_work, open_done, port);
}

void tun_port_open(gpointer data, const AditPortSpec *spec, AditPortOpened done, gpointer user) {
  TunDp *dp = data;
  g_autoptr(GError) error = NULL;
  if (!dp->n_workers)
    error = g_error_new(ADIT_ERROR, ADIT_ERR_BUSY, "the data path is not running");
  else if (spec->kind != ADIT_PORT_L3 || !spec->name || !*spec->name || strlen(spec->name) >= IFNAMSIZ)
    error = g_error_new(ADIT_ERROR, ADIT_ERR_INVALID, "%s: no name for an L3 interface", spec->name ? spec->name : "");
  if (error) {
    done(user, NULL, error);
    return;
  }
  TunPort *port = g_new0(TunPort, 1);
  port->dp = dp;
  g_strlcpy(port->head.name, spec->name, sizeof port->head.name);
  g_strlcpy(port->alias, spec->alias ? spec->alias : "", sizeof port->alias);
  port->head.kind = spec->kind;
  port->head.shared = spec->shared;
  port->is_static = spec->is_static;
  port->mtu = spec->mtu ? spec->mtu : 1500;
  port->opened = done;
  port->user = user;
  if (spec->shared) {
    port->routes = g_new0(TunRoutes, 1);
    tun_routes_init(port->routes, tun_retire_memory, dp);
  }
  g_hash_table_add(dp->ports, port);
  port_begin(port);
}

/* ---- closing ---- */

static void close_work(gpointer data) {
  close_queues(data, FALSE);
}

static void close_done(gpointer data) {
  TunPort *port = data;
  TunDp *dp = port->dp;
  guint32 group = condemned_group(dp);
  AditLinkChange change = {.ifindex = port->head.ifindex, .set = ADIT_LINK_GROUP, .group = group};
  if (group) {
    if (!g_hash_table_size(dp->condemned))
      dp->loop->timer_arm(&dp->condemned_timer, CONDEMNED_MS);
    g_hash_table_add(dp->condemned, g_strdup(port->head.name));
    dp->net->link_change(&change, NULL, NULL);
  } else {
    dp->net->link_delete(port->head.ifindex, NULL, NULL);
  }
  AditPortClosed closed = port->closed;
  gpointer user = port->user;
  AditCounters final = port->counters;
  TunPort *successor = port->successor, *next;
  g_hash_table_remove(dp->closing, port->head.name);
  for (; successor; successor = next) {
    next = g_steal_pointer(&successor->successor);
    port_begin(successor);
  }
  port_free(port);
  if (closed)
    closed(user, &final);
}

/* No worker knows it any more. */
static void port_reclaim(gpointer memory) {
  TunPort *port = memory;
  port->dp->net->call(close_work, close_done, port);
}

void tun_port_close(AditPort *head, AditPortClosed done, gpointer user) {
  TunPort *port = (TunPort *)head;
  TunDp *dp = port->dp;
  port->closed = done;
  port->user = user;
  g_hash_table_insert(dp->closing, port->head.name, port);
  for (guint i = 0; i < port->n_queues; i++)
    if (port->queue[i].watcher >= 0) {
      tun_worker_unwatch(dp->worker[port->queue[i].watcher], port->queue[i].fd);
      port->queue[i].watcher = -1;
    }
  tun_retire(dp, port_reclaim, port, NULL);
}

typedef struct {
  TunPort *port;
  gboolean on;
} Carrier;

static void carrier_work(gpointer data) {
  const Carrier *carrier = data;
  set_carrier(carrier->port, carrier->on);
}

void tun_port_carrier(AditPort *head, gboolean on) {
  TunPort *port = (TunPort *)head;
  Carrier *carrier = g_new0(Carrier, 1);
  *carrier = (Carrier){port, on};
  /* The port outlives it: closing it goes through the same queue, behind this. */
  port->dp->net->call(carrier_work, g_free, carrier);
}
