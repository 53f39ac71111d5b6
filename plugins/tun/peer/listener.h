/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** listener.h - a local address and port: one UDP socket for each worker */
#pragma once

#include "../worker/event.h"
#include "../worker/tun-table.h"
#include "../worker/workers.h"
#include <adit/path.h>

typedef struct TunDp TunDp;

/** How sending on a socket goes; its worker's. */
typedef struct {
  guint64 octets, refused; /**< given to it; frames that it did not take */
  guint64 looked_ms;
  guint32 queue;       /**< octets that waited in it then, as the kernel counts them */
  guint32 queue_since; /**< when the stretch began that is measured: */
  guint64 since_ms, octets_since;
  guint64 rate, rate_ms; /**< octets per second of the last stretch, and its end; 0 = unknown */
} TunSocketLoad;

typedef struct {
  TunEventKind kind;
  int fd;
  AditListener *listener;
  TunSocketLoad load;
} TunSocket;

struct AditListener {
  TunDp *dp;
  guint64 serial;
  AditEndpoint local;
  AditClassify classify;
  const AditListenerOps *ops;
  gpointer user;
  gboolean announced; /**< the transport says which tunnels there are (AditListenerSpec.announces) */
  TunTable links;     /**< adit_encap_key() -> AditDpLink */
  TunTable tunnels;   /**< id -> TunTunnel */
  guint n_sockets;
  TunSocket socket[TUN_WORKERS_MAX];
};

AditListener *tun_listen(gpointer dp, const AditListenerSpec *spec, const AditListenerOps *ops, gpointer user, GError **error);
void tun_listener_local(AditListener *listener, AditEndpoint *local);
void tun_listener_close(AditListener *listener);
gboolean tun_send_control(AditListener *listener, const AditPath *path, const guint8 *datagram, gsize length);
