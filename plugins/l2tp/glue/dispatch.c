/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "dispatch.h"
#include "index.h"
#include "l2tp-client.h"
#include "l2tp.h"
#include "peer.h"
#include "server.h"
#include "stop.h"

static void listener_control(gpointer user, const AditPath *path, const guint8 *datagram, gsize length) {
  L2tpListener *listener = user;
  L2tp *l2tp = listener->l2tp;
  L2tpHeader header;

  if (!l2tp->running || !l2tp->setup)
    return;
  l2tp->stats.control++;
  if (length > L2TP_CONTROL_MAX || !l2tp_header_parse(&header, datagram, length) || !header.control) {
    l2tp->stats.malformed++;
    return;
  }
  if (!header.tunnel) {
    l2tp_server_newcomer(listener, path, &header, datagram, length);
    return;
  }
  L2tpPeer *peer = g_hash_table_lookup(l2tp->tunnels, GUINT_TO_POINTER(header.tunnel));
  if (!peer) {
    l2tp->stats.unknown_tunnel++;
    AditAddress remote = adit_endpoint_address(&path->remote);
    l2tp_guesses_add(&l2tp->guesses, l2tp_index_hash_address(&remote), header.tunnel, l2tp->loop->now());
    return;
  }
  if (l2tp_dial_evades(peer, path, &header, datagram))
    return;
  if (!l2tp_peer_path_ok(peer, listener, path, &header, datagram)) {
    l2tp->stats.wrong_path++;
    return;
  }
  L2tpTunnelEnv env = l2tp_peer_env(peer);
  l2tp_tunnel_input(&peer->tunnel, &env, &header, datagram, length);
  l2tp_stop_check(l2tp);
}

static void listener_stray(gpointer user, const AditPath *path, guint32 tunnel, guint32 session) {
  L2tpListener *listener = user;
  listener->l2tp->stats.stray_data++;
}

const AditListenerOps l2tp_dispatch_ops = {sizeof l2tp_dispatch_ops, listener_control, listener_stray};
