/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** port.h - interfaces */
#pragma once

#include "../worker/event.h"
#include "../worker/tun-table.h"
#include "../worker/workers.h"
#include <adit/net.h>
#include <adit/path.h>

typedef struct TunDp TunDp;
typedef struct TunPort TunPort;
typedef struct TunWorker TunWorker;

typedef struct {
  TunEventKind kind;
  int fd;
  TunPort *port;
  int watcher; /**< index of the worker that reads it, -1 = none */
} TunQueue;

struct TunPort {
  AditPort head;
  TunDp *dp;
  gboolean is_static, uso;
  gboolean no_join;       /**< atomic: the kernel refused a super-packet */
  gboolean gone;          /**< atomic: a worker saw that another program has deleted the interface; the main loop says so */
  AditDpSession *session; /**< atomic: of a port that is not shared */
  TunRoutes *routes;      /**< of a shared one: TunRoute.value is an AditDpSession */
  guint sessions;
  AditCounters counters; /**< of sessions that have left */
  AditPortOpened opened;
  void (*lost)(gpointer user, AditPort *port); /**< AditPortSpec.lost; NULL once it was called, or the port is being closed */
  AditPortClosed closed;
  gpointer user;
  char alias[128]; /**< as long as the kernel takes one (ALTIFNAMSIZ) */
  guint mtu;
  guint8 mac[6];                /**< of an L2 port; zeros = any */
  char *failure;                /**< network thread's: why it could not be opened */
  gboolean exists;              /**< ... because there is one of that name */
  int error;                    /**< network thread's: errno of what came after that */
  TunPort *successor;           /**< waits for this one's name */
  void (*begin)(TunPort *port); /**< opens it, when the name is free */
  guint n_queues;
  TunQueue queue[TUN_WORKERS_MAX];
};

/** A descriptor of /dev/net/tun, by the core where only root may open it; -1 with errno. Not on the main loop, but at the start. */
int tun_device_open(const AditNetService *net);
void tun_port_open(gpointer dp, const AditPortSpec *spec, AditPortOpened done, gpointer user);
void tun_port_carrier(AditPort *port, gboolean on);
/** [main] The worker reads its first queue from now on; FALSE with errno. */
gboolean tun_port_watch(TunPort *port, TunWorker *w);
/** [main] And no worker does any more; harmless when none did. */
void tun_port_unwatch(TunPort *port);
/** It is unused, or it could not be opened. */
void tun_port_gone(TunPort *port);

void tun_port_close(AditPort *port, AditPortClosed done, gpointer user);
void tun_port_free(TunPort *port);
void tun_port_close_queues(TunPort *port);              /**< [network thread] */
void tun_port_set_carrier(const TunPort *port, int on); /**< [network thread] */
