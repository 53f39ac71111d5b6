/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Tunnels that the transport has announced, and the addresses where tunnels end. Workers look here before they give a control datagram
 * precedence over those of newcomers, and before they send a packet of a session to the endpoint of a tunnel. */
#include "tun-tunnel.h"
#include "../dp.h"
#include "../worker/quiet.h"

enum {
  SHARE_MS = 100,
  SHARE = 1024, /* control datagrams of one tunnel in that time, for each worker: a peer's receive window is far below */
};

/* ---- endpoints ---- */

static guint64 address_key(const TunDp *dp, guint version, const guint8 *address) {
  guint64 w[2] = {version, 0};
  memcpy(version == 4 ? &w[1] : w, address, version == 4 ? 4 : 16);
  guint64 h = (w[0] ^ dp->endpoint_seed) * G_GUINT64_CONSTANT(0x9e3779b97f4a7c15);
  h = (h ^ h >> 29 ^ w[1]) * G_GUINT64_CONSTANT(0xbf58476d1ce4e5b9);
  return (h ^ h >> 32) + version;
}

static gboolean endpoint_is(const TunEndpoint *endpoint, guint version, const guint8 *address) {
  return endpoint->address.family == (version == 4 ? AF_INET : AF_INET6) &&
         memcmp(endpoint->address.octet, address, version == 4 ? 4 : 16) == 0;
}

TunEndpoint *tun_endpoint_find(const TunDp *dp, guint version, const guint8 *address) {
  TunEndpoint *endpoint = (TunEndpoint *)tun_table_lookup(&dp->endpoints, address_key(dp, version, address));
  return endpoint && endpoint_is(endpoint, version, address) ? endpoint : NULL;
}

TunEndpoint *tun_endpoint_ref(TunDp *dp, const AditAddress *address) {
  guint version = address->family == AF_INET6 ? 6 : 4;
  if (!adit_address_is_set(address))
    return NULL;
  guint64 key = address_key(dp, version, address->octet);
  TunEndpoint *endpoint = (TunEndpoint *)tun_table_lookup(&dp->endpoints, key);
  if (!endpoint) {
    endpoint = g_new0(TunEndpoint, 1);
    endpoint->item.key = key;
    endpoint->address = *address;
    tun_table_insert(&dp->endpoints, &endpoint->item);
  } else if (!endpoint_is(endpoint, version, address->octet)) {
    return NULL; /* two addresses of one hash, by a secret seed: this one goes unguarded */
  }
  endpoint->refs++;
  return endpoint;
}

void tun_endpoint_unref(TunDp *dp, TunEndpoint *endpoint) {
  if (!endpoint || --endpoint->refs)
    return;
  tun_table_remove(&dp->endpoints, &endpoint->item);
  tun_retire_memory(dp, endpoint);
}

/* ---- tunnels ---- */

static void tunnel_forget(AditListener *listener, TunTunnel *tunnel) {
  tun_table_remove(&listener->tunnels, &tunnel->item);
  tun_endpoint_unref(listener->dp, tunnel->endpoint);
  tun_retire_memory(listener->dp, tunnel);
}

gboolean tun_tunnel_set(AditListener *listener, guint32 id, const AditDpTunnel *facts) {
  TunDp *dp = listener->dp;
  TunTunnel *old = (TunTunnel *)tun_table_lookup(&listener->tunnels, id);
  TunTunnel *tunnel = g_malloc0(sizeof *tunnel + dp->n_workers * sizeof tunnel->share[0]);
  AditAddress remote = adit_endpoint_address(&facts->path->remote);

  tunnel->item.key = id;
  tunnel->where = tun_where(facts->path);
  tunnel->proven = facts->proven;
  tunnel->endpoint = tun_endpoint_ref(dp, &remote); /* before the old one's is given up: what it knows stays */
  if (old)
    tunnel_forget(listener, old);
  return tun_table_insert(&listener->tunnels, &tunnel->item);
}

void tun_tunnel_unset(AditListener *listener, guint32 id) {
  TunTunnel *tunnel = (TunTunnel *)tun_table_lookup(&listener->tunnels, id);
  if (tunnel)
    tunnel_forget(listener, tunnel);
}

static void forget_each(TunItem *item, gpointer listener) {
  tunnel_forget(listener, (TunTunnel *)item);
}

void tun_listener_forget_tunnels(AditListener *listener) {
  tun_table_foreach(&listener->tunnels, forget_each, listener);
}

TunTunnel *tun_tunnel_find(const AditListener *listener, guint32 id, const TunWhere *from) {
  TunTunnel *tunnel = (TunTunnel *)tun_table_lookup(&listener->tunnels, id);
  if (!tunnel)
    return NULL;
  TunWhere where = tunnel->where;
  if (!where.port)
    where.port = from->port;
  return tun_where_equal(&where, from) ? tunnel : NULL;
}

TunPriority tun_tunnel_priority(TunWorker *w, TunTunnel *tunnel) {
  if (!tunnel)
    return TUN_TO_NEW;
  if (w->now - tunnel->share[w->index].since >= SHARE_MS) {
    tunnel->share[w->index].since = w->now;
    tunnel->share[w->index].used = 0;
  }
  if (tunnel->share[w->index].used >= SHARE) {
    TUN_ADD(w->stats.crowded, 1);
    return TUN_TO_NEW;
  }
  tunnel->share[w->index].used++;
  return tunnel->proven ? TUN_TO_LIVE : TUN_TO_CONTROL;
}
