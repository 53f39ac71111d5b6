/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** listener.h - a local address and port: one UDP socket for each worker */
#pragma once

#include "../worker/event.h"
#include "../worker/tun-table.h"
#include "../worker/workers.h"
#include <adit/path.h>

typedef struct TunDp TunDp;

typedef struct {
  TunEventKind kind;
  int fd;
  AditListener *listener;
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
