/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** tun-tunnel.h - tunnels that the transport has announced, and the addresses where tunnels end */
#pragma once

#include "../worker/cell.h"
#include "../worker/note.h"
#include "listener.h"
#include "where.h"

typedef struct TunWorker TunWorker;

/** An address at which tunnels end, for as long as one does. */
typedef struct {
  TunItem item;
  AditAddress address;
  guint refs;      /**< main loop's */
  guint32 ingress; /**< atomic: the interface that its last datagram came through; 0 = none has come */
} TunEndpoint;

/** A tunnel that the transport has announced. Immutable, but for what workers count. */
typedef struct {
  TunItem item;
  TunWhere where; /**< port 0: any */
  gboolean proven;
  TunEndpoint *endpoint;
  struct {
    guint64 since; /**< when its share began to be counted */
    guint used;
  } share[]; /**< each worker's own */
} TunTunnel;

gboolean tun_tunnel_set(AditListener *listener, guint32 tunnel, const AditDpTunnel *facts);
void tun_tunnel_unset(AditListener *listener, guint32 tunnel);
void tun_listener_forget_tunnels(AditListener *listener);
/** A reference for each link and tunnel that ends there. [main] */
TunEndpoint *tun_endpoint_ref(TunDp *dp, const AditAddress *address);
void tun_endpoint_unref(TunDp *dp, TunEndpoint *endpoint);
/** The tunnels' endpoint at that address (4 or 16 octets), or NULL. [any] */
TunEndpoint *tun_endpoint_find(const TunDp *dp, guint version, const guint8 *address);
/** The tunnel `id` if a datagram from `from` belongs to it, or NULL. [worker] */
TunTunnel *tun_tunnel_find(const AditListener *listener, guint32 id, const TunWhere *from);
/** Which ring takes a control datagram of this tunnel (or NULL). [worker] */
TunPriority tun_tunnel_priority(TunWorker *w, TunTunnel *tunnel);
/** [worker] A datagram from there has come through this interface. */
static inline void tun_endpoint_seen(TunEndpoint *endpoint, guint32 ingress) {
  if (endpoint && TUN_GET(endpoint->ingress) != ingress)
    TUN_SET(endpoint->ingress, ingress);
}
