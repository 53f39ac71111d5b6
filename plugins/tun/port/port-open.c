/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Opens ports: TUN interfaces. All that waits for RTNL is done on the network thread. Interfaces are persistent, so that what a
 * process which was killed has left goes as condemned.c has it, and not one by one at its exit. */
#include "../dp.h"
#include "../worker/quiet.h"
#include "condemned.h"
#include "port.h"
#include <errno.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>

#ifndef TUN_F_USO4 /* Linux 6.2 */
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

static gboolean open_fail(TunPort *port, const char *what) {
  port->failure = g_strdup_printf("%s: %s: %s", port->head.name, what, g_strerror(errno));
  return FALSE;
}

static gboolean is_l2(const TunPort *port) {
  return port->head.kind == ADIT_PORT_L2;
}

static gboolean open_queue(TunPort *port, guint index, guint n) {
  const TunDp *dp = port->dp;
  struct ifreq request = {.ifr_flags = (short)((is_l2(port) ? IFF_TAP : IFF_TUN) | IFF_NO_PI | IFF_VNET_HDR |
                                               (n > 1 ? IFF_MULTI_QUEUE : 0) | (index == 0 ? IFF_TUN_EXCL : 0))};
  guint features = dp->config.offload ? TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 : 0;
  int fd = tun_device_open(dp->net);
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
  return TRUE;
}

/* An interface that comes up as a PPP device without multicast gets no IPv6 route by itself: thousands of them would make the kernel
 * walk a table of as many at each set-up. The session's link-local address brings what IPv6 needs, and only where it is open. It needs
 * no sysctl, which the daemon may have no right to write. */
static void without_ipv6_routes(const TunPort *port) {
  if (ioctl(port->queue[0].fd, TUNSETLINK, ARPHRD_PPP) < 0)
    adit_debug(NULL, "%s: TUNSETLINK: %s", port->head.name, g_strerror(errno));
}

static gboolean set_mac(TunPort *port) {
  static const guint8 any[6];
  struct ifreq request = {.ifr_hwaddr.sa_family = ARPHRD_ETHER};
  if (!memcmp(port->mac, any, sizeof any))
    return TRUE;
  memcpy(request.ifr_hwaddr.sa_data, port->mac, sizeof port->mac);
  return ioctl(port->queue[0].fd, SIOCSIFHWADDR, &request) == 0 || open_fail(port, "its MAC address");
}

static void open_work(gpointer data) {
  TunPort *port = data;
  guint n = port->head.shared ? port->dp->n_workers : 1;
  for (guint i = 0; i < n; i++)
    if (!open_queue(port, i, n)) {
      tun_port_close_queues(port);
      return;
    }
  port->head.ifindex = if_nametoindex(port->head.name);
  if (!port->head.shared && !is_l2(port))
    without_ipv6_routes(port);
  if (is_l2(port) && !set_mac(port)) {
    tun_port_close_queues(port);
    return;
  }
  if (port->is_static || is_l2(port))
    tun_port_set_carrier(port, 0);
}

static int shared_watch(TunPort *port) {
  for (guint i = 0; i < port->n_queues; i++) {
    if (!tun_worker_watch(port->dp->worker[i], port->queue[i].fd, &port->queue[i]))
      return errno;
    port->queue[i].watcher = (int)i;
  }
  return 0;
}

static void open_end(TunPort *port, int error) {
  if (!error && port->head.shared)
    error = shared_watch(port);
  if (error) {
    g_autoptr(GError) e = g_error_new(ADIT_ERROR, ADIT_ERR_SYSTEM, "%s: setting up: %s", port->head.name, g_strerror(error));
    AditPortOpened opened = port->opened;
    gpointer opened_user = port->user;
    tun_port_close(&port->head, NULL, NULL);
    opened(opened_user, NULL, e);
    return;
  }
  port->opened(port->user, &port->head, NULL);
}

static void persist_work(gpointer data) {
  TunPort *port = data;
  port->error = ioctl(port->queue[0].fd, TUNSETPERSIST, 1) < 0 ? errno : 0;
}

static void persist_done(gpointer data) {
  TunPort *port = data;
  open_end(port, port->error);
}

/* Only now, as it is in our group: a daemon that is killed before leaves nothing; one that is killed later leaves an interface that the
 * next start finds. */
static void open_ready(gpointer user, int error) {
  TunPort *port = user;
  if (error)
    open_end(port, error);
  else
    port->dp->net->call(persist_work, persist_done, port);
}

/* Routing protocols and DHCPv6 look for it; an IPv6 route comes by it only while the interface comes up. */
static void multicast_again(const TunPort *port) {
  AditLinkChange change = {.ifindex = port->head.ifindex, .set = ADIT_LINK_MULTICAST, .multicast = TRUE};
  port->dp->net->link_change(&change, NULL, NULL);
}

static void open_done(gpointer data) {
  TunPort *port = data;
  TunDp *dp = port->dp;
  if (port->failure) {
    g_autoptr(GError) error = g_error_new_literal(ADIT_ERROR, port->exists ? ADIT_ERR_EXISTS : ADIT_ERR_SYSTEM, port->failure);
    AditPortOpened opened = port->opened;
    gpointer user = port->user;
    tun_port_gone(port);
    tun_port_free(port);
    opened(user, NULL, error);
    return;
  }
  AditLinkChange change = {.ifindex = port->head.ifindex,
                           .set = ADIT_LINK_GROUP | ADIT_LINK_MTU | ADIT_LINK_UP |
                                  (port->head.shared || is_l2(port) ? ADIT_LINK_NO_IPV6_AUTO : ADIT_LINK_MULTICAST),
                           .up = TRUE,
                           .mtu = port->mtu,
                           .group = dp->net->group()};
  if (port->alias[0]) {
    change.set |= ADIT_LINK_ALIAS;
    change.alias = port->alias;
  }
  dp->net->link_change(&change, open_ready, port);
  if (!port->head.shared && !is_l2(port))
    multicast_again(port);
}

/* In its turn, after others that had its name. */
static void begin_open(TunPort *port) {
  TunDp *dp = port->dp;
  TunPort *before = g_hash_table_lookup(dp->closing, port->head.name);
  if (before) { /* behind all that wait for that name */
    while (before->successor)
      before = before->successor;
    before->successor = port;
    return;
  }
  if (g_hash_table_contains(dp->condemned, port->head.name))
    tun_condemned_flush(dp); /* calls are carried out in order: its predecessor is gone first */
  dp->net->call(open_work, open_done, port);
}

void tun_port_open(gpointer data, const AditPortSpec *spec, AditPortOpened done, gpointer user) {
  TunDp *dp = data;
  g_autoptr(GError) error = NULL;
  if (!dp->n_workers)
    error = g_error_new(ADIT_ERROR, ADIT_ERR_BUSY, "the data path is not running");
  else if ((spec->kind != ADIT_PORT_L3 && spec->kind != ADIT_PORT_L2) || !spec->name || !*spec->name || strlen(spec->name) >= IFNAMSIZ ||
           strchr(spec->name, '%')) /* the kernel would put a number for %d */
    error = g_error_new(ADIT_ERROR, ADIT_ERR_INVALID, "%s: no name for an interface", spec->name ? spec->name : "");
  else if (spec->kind == ADIT_PORT_L2 && spec->shared)
    error = g_error_new(ADIT_ERROR, ADIT_ERR_UNSUPPORTED, "%s: an Ethernet interface has one session, and is not shared", spec->name);
  if (error) {
    done(user, NULL, error);
    return;
  }
  TunPort *port = g_new0(TunPort, 1);
  port->dp = dp;
  port->begin = begin_open;
  g_strlcpy(port->head.name, spec->name, sizeof port->head.name);
  g_strlcpy(port->alias, spec->alias ? spec->alias : "", sizeof port->alias);
  port->head.size = sizeof port->head;
  port->head.kind = spec->kind;
  port->head.shared = spec->shared;
  port->is_static = spec->is_static;
  if (ADIT_HAS(spec, mac))
    memcpy(port->mac, spec->mac, sizeof port->mac);
  port->mtu = spec->mtu ? spec->mtu : 1500;
  port->opened = done;
  port->lost = ADIT_HAS(spec, lost) ? spec->lost : NULL;
  port->user = user;
  if (spec->shared) {
    port->routes = g_new0(TunRoutes, 1);
    tun_routes_init(port->routes, tun_retire_memory, dp);
  }
  g_hash_table_add(dp->ports, port);
  begin_open(port);
}
