/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** peer.h - a tunnel */
#pragma once

#include "../engine/tunnel.h"
#include "../strangers/kin.h"
#include "../strangers/shares.h"
#include "l2tp-listener.h"
#include "l2tp-request.h"
#include "service.h"

struct L2tpPeer {
  L2tp *l2tp;
  L2tpTunnel tunnel;
  L2tpTunnelConfig config;
  AditValue *secret; /**< the configuration's own; NULL = none */
  L2tpService *service;
  L2tpListener *listener;
  AditPath path;
  AditTimer timers[L2TP_SLOTS], idle, probe;
  GHashTable *links;                                /**< session id -> L2tpLink*, one for each call; made with the first */
  AditDial *dial;                                   /**< client, until its link is open */
  L2tpKin dialled, repeats, unconfirmed, namesakes; /**< see index.c */
  L2tpShare half_open, stranger, own_port;          /**< in the shares of L2tp with these names */
  guint authenticated;                              /**< links with an authenticated peer */
  guint64 since_ms;
  guint64 probed_ms;            /**< when it was asked whether it is still there; 0 = it is not being asked */
  gboolean stopping;            /**< we end it for an internal reason */
  int unsent;                   /**< errno of the last datagram, if it was not sent */
  AditAddress protected_remote; /**< its outer address, once no session may have it; unset before */
  gboolean proven;              /**< a user was authenticated in it */
  gboolean proxy;               /**< `proxy-peers` names it: see l2tp_peer_may_proxy() */
  L2tpRequest *kept;            /**< with the id of this tunnel, which is being asked whether it is still there; NULL = none */
};

L2tpTunnelEnv l2tp_peer_env(L2tpPeer *peer);
/** A tunnel on a path; `secret` (NULL = none) is kept by reference. NULL when the limit of tunnels is reached. */
L2tpPeer *l2tp_peer_new(L2tp *l2tp, L2tpService *service, L2tpListener *listener, const AditPath *path, const AditValue *secret);
void l2tp_peer_free(L2tpPeer *peer);
void l2tp_peer_close(L2tpPeer *peer, guint16 result, const char *why);
void l2tp_peer_discard(L2tpPeer *peer, const char *why);
/** A datagram with this tunnel's id: is it from where the tunnel is? Follows a responder to its own port. */
gboolean l2tp_peer_path_ok(L2tpPeer *peer, const L2tpListener *listener, const AditPath *path, const L2tpHeader *header,
                           const guint8 *datagram);
AditCause l2tp_cause(const L2tpPeer *peer, const L2tpReason *reason);
/** True if what the peer says of its callers is believed (RFC 2661 4.4.5): its callers need no further proof then. */
gboolean l2tp_peer_may_proxy(const L2tpPeer *peer);
