/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "peer.h"
#include "index.h"
#include "l2tp.h"

static guint64 host_now(gpointer host) {
  return ((L2tpPeer *)host)->l2tp->loop->now();
}

static void host_wake(gpointer host, guint slot, guint64 deadline) {
  L2tpPeer *peer = host;
  guint64 now = host_now(host);

  if (deadline)
    peer->l2tp->loop->timer_arm(&peer->timers[slot], deadline > now ? deadline - now : 0);
  else
    peer->l2tp->loop->timer_cancel(&peer->timers[slot]);
}

static void host_random(gpointer host, gpointer buffer, gsize length) {
  ((L2tpPeer *)host)->l2tp->loop->random(buffer, length);
}

static const AditEngineOps engine_ops = {sizeof engine_ops, host_now, host_wake, host_random};

L2tpTunnelEnv l2tp_peer_env(L2tpPeer *peer) {
  return (L2tpTunnelEnv){{&engine_ops, peer}, peer->l2tp->tunnel_ops, &peer->config};
}

void l2tp_peer_close(L2tpPeer *peer, guint16 result, const char *why) {
  L2tpTunnelEnv env = l2tp_peer_env(peer);

  peer->stopping = TRUE;
  l2tp_tunnel_close(&peer->tunnel, &env, result, 0, why);
}

void l2tp_peer_discard(L2tpPeer *peer, const char *why) {
  L2tpTunnelEnv env = l2tp_peer_env(peer);

  peer->stopping = TRUE;
  l2tp_tunnel_discard(&peer->tunnel, &env, why);
}

/* ---- where it is ---- */

/** An SCCRP that answers our SCCRQ: its sender may have chosen another port (RFC 2661 8.1). */
static gboolean is_first_sccrp(const L2tpPeer *peer, const L2tpHeader *header, const guint8 *datagram) {
  AditCursor in = adit_cursor(datagram + header->offset, header->length);
  L2tpAvp avp;

  return peer->tunnel.originator && peer->tunnel.state == L2TP_TUNNEL_WAIT_REPLY && !header->ns && header->nr == 1 &&
         l2tp_avp_next(&in, &avp) && !avp.vendor && avp.type == L2TP_AVP_MESSAGE_TYPE && adit_get_u16(&avp.value) == L2TP_SCCRP;
}

/** The tunnel's datagrams go to that port from now on. */
static void move_remote(L2tpPeer *peer, const AditEndpoint *remote) {
  l2tp_index_remove(peer);
  peer->path.remote = *remote;
  l2tp_index_add_dialled(peer);
}

gboolean l2tp_peer_path_ok(L2tpPeer *peer, const L2tpListener *listener, const AditPath *path, const L2tpHeader *header,
                           const guint8 *datagram) {
  AditAddress local = adit_endpoint_address(&peer->path.local), here = adit_endpoint_address(&path->local);
  AditAddress remote = adit_endpoint_address(&peer->path.remote), there = adit_endpoint_address(&path->remote);

  if (listener != peer->listener || path->association != peer->path.association || !adit_address_equal(&remote, &there))
    return FALSE;
  if (!adit_endpoint_equal(&peer->path.remote, &path->remote)) {
    if (!is_first_sccrp(peer, header, datagram))
      return FALSE;
    L2tpTunnelEnv env = l2tp_peer_env(peer);
    if (l2tp_tunnel_is_answer(&peer->tunnel, &env, header, datagram)) /* what would end the dial may be forged, and moves nothing */
      move_remote(peer, &path->remote);
  }
  if (adit_address_is_any(&local)) /* we dialled without saying from where: now it is known */
    peer->path.local = path->local;
  return adit_address_is_any(&local) || adit_address_equal(&local, &here);
}

/* IPsec is no proof yet: an association is a mark, which any rule of the administrator's may set. Once a provider vouches for it, ask here.
 */
gboolean l2tp_peer_may_proxy(const L2tpPeer *peer) {
  return peer->proxy && peer->tunnel.proven;
}

AditCause l2tp_cause(const L2tpPeer *peer, const L2tpReason *reason) {
  if (peer->l2tp->stopping)
    return ADIT_CAUSE_ADMIN_REBOOT;
  if (peer->stopping)
    return ADIT_CAUSE_NAS_REQUEST;
  if (reason->by_peer)
    return ADIT_CAUSE_USER_REQUEST;
  if (reason->lost)
    return ADIT_CAUSE_LOST_CARRIER;
  return reason->timeout ? ADIT_CAUSE_LOST_SERVICE : ADIT_CAUSE_NAS_ERROR;
}
