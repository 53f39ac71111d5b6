/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "glue.h"

enum {
  PROBE_MS = 4000, /* a Hello and two repeats */
  PROBES_MAX = 16, /* tunnels that one newcomer asks: a stranger may have thousands */
};

/** A StopCCN to somebody we keep nothing of: acknowledges the SCCRQ and says no. */
static void refuse(L2tpListener *listener, const AditPath *path, const L2tpMessage *sccrq, guint16 result, guint16 error,
                   const char *text) {
  L2tp *l2tp = listener->l2tp;
  guint16 peer = (guint16)l2tp_message_number(sccrq, L2TP_AVP_ASSIGNED_TUNNEL_ID), own = 0;
  L2tpWriter w;

  l2tp->stats.refused++;
  l2tp_log_stranger(l2tp, path, "tunnel refused: %s", text);
  if (!peer)
    return;
  l2tp->loop->random(&own, sizeof own);
  l2tp_write_begin(&w, L2TP_STOPCCN, peer, 0, NULL, NULL);
  l2tp_write_u16(&w, L2TP_AVP_ASSIGNED_TUNNEL_ID, own ? own : 1);
  l2tp_write_result(&w, result, error, text);
  gsize length = l2tp_write_end(&w);
  l2tp_header_set_sequence(w.buffer, 0, 1);
  if (length)
    l2tp_listener_send(listener, path, w.buffer, length);
}

/** We are dialling whoever dials us: one of the two tunnels goes. TRUE if the SCCRQ is to be dropped. */
static gboolean lost_to_tie(L2tp *l2tp, const AditPath *path, const L2tpMessage *sccrq) {
  for (L2tpPeer *peer = NULL; (peer = l2tp_index_find_dialled(l2tp, path, peer));) {
    if (peer->tunnel.state != L2TP_TUNNEL_WAIT_REPLY)
      continue;
    L2tpTie tie = l2tp_tunnel_tie(&peer->tunnel, sccrq);
    if (tie == L2TP_TIE_NONE)
      continue;
    l2tp->stats.ties++;
    if (tie == L2TP_TIE_LOST || tie == L2TP_TIE_EQUAL)
      l2tp_peer_discard(peer, "the peer's own tunnel won the tie");
    return tie != L2TP_TIE_LOST;
  }
  return FALSE;
}

/** A peer that has restarted knows nothing of its old tunnel. But a second client on the same host looks just the same, so the old
 *  tunnel is asked: who answers is kept. */
static void ask_whether_alive(L2tpPeer *peer) {
  L2tpTunnelEnv env = l2tp_peer_env(peer);

  if (peer->probed_ms || !peer->service->replace_stale || peer->tunnel.state != L2TP_TUNNEL_ESTABLISHED)
    return;
  peer->probed_ms = peer->l2tp->loop->now();
  l2tp_tunnel_probe(&peer->tunnel, &env);
  peer->l2tp->loop->timer_arm(&peer->probe, PROBE_MS);
}

void l2tp_server_probe_stale(L2tpPeer *peer) {
  if (peer->service->replace_stale)
    l2tp_index_each_namesake(peer, PROBES_MAX, ask_whether_alive);
}

void l2tp_server_probed(AditTimer *timer, gpointer data) {
  L2tpPeer *peer = data;
  guint64 asked = peer->probed_ms;

  peer->probed_ms = 0;
  if (peer->tunnel.state != L2TP_TUNNEL_ESTABLISHED || MAX(peer->tunnel.last_rx, l2tp_link_last_data(peer)) > asked)
    return;
  peer->l2tp->stats.replaced++;
  l2tp_peer_discard(peer, "the peer has begun anew");
}

/** Limits that hold before anything is allocated. */
static gboolean has_room(L2tp *l2tp, const AditPath *path) {
  AditAddress remote = adit_endpoint_address(&path->remote);

  if (g_hash_table_size(l2tp->tunnels) >= l2tp->setup->max_tunnels) {
    l2tp->stats.tunnel_limited++;
    return FALSE;
  }
  if (l2tp->setup->max_starting && l2tp->starting >= l2tp->setup->max_starting) { /* it will ask again */
    l2tp->stats.starting_limited++;
    return FALSE;
  }
  if (!path->association && !l2tp_limiter_take(&l2tp->limiter, &remote, l2tp->loop->now())) {
    l2tp->stats.limited++;
    return FALSE;
  }
  return TRUE;
}

static void evict_half_open(L2tp *l2tp) {
  while (l2tp->half_open.length >= MAX(l2tp->setup->max_half_open, 1)) {
    L2tpPeer *oldest = l2tp->half_open.head->data;
    l2tp->stats.evicted++;
    l2tp_peer_free(oldest);
  }
}

/** The listener that answers: the one that was asked, or a port of the tunnel's own. */
static L2tpListener *answering_listener(L2tpListener *asked, const L2tpService *service, AditPath *path) {
  AditAddress local = adit_endpoint_address(&path->local);
  AditEndpoint any_port = adit_endpoint(&local, 0);
  g_autoptr(GError) error = NULL;

  if (!service->ephemeral)
    return l2tp_listener_ref(asked);
  L2tpListener *own = l2tp_listener_get(asked->l2tp, asked->data_path, &any_port, asked->any_tunnel, &error);
  if (!own) {
    adit_warning(NULL, "%s: no port of its own for a tunnel: %s", service->name, error->message);
    return l2tp_listener_ref(asked);
  }
  path->local = adit_endpoint(&local, adit_endpoint_port(&own->local));
  return own;
}

static void begin_tunnel(L2tpListener *asked, L2tpService *service, const AditPath *path, const char *secret, guint16 id,
                         const char *host_name, const guint8 *datagram, gsize length) {
  L2tp *l2tp = asked->l2tp;
  AditPath from = *path;

  evict_half_open(l2tp);
  L2tpListener *listener = answering_listener(asked, service, &from);
  L2tpPeer *peer = l2tp_peer_new(l2tp, service, listener, &from, secret);
  l2tp_listener_unref(listener);
  if (!peer) {
    l2tp->stats.tunnel_limited++;
    return;
  }
  l2tp->stats.new_tunnels++;
  peer->half_open.data = peer;
  g_queue_push_tail_link(&l2tp->half_open, &peer->half_open);
  l2tp_index_add_accepted(peer, id, host_name);
  L2tpTunnelEnv env = l2tp_peer_env(peer);
  l2tp_tunnel_input(&peer->tunnel, &env, datagram, length);
}

void l2tp_server_newcomer(L2tpListener *listener, const AditPath *path, const L2tpHeader *header, const guint8 *datagram, gsize length) {
  L2tp *l2tp = listener->l2tp;
  AditAddress remote = adit_endpoint_address(&path->remote);
  L2tpParse how = {0};
  L2tpMessage message;
  char host[L2TP_NAME_MAX];

  /* What can't be the first message of a tunnel costs nothing. */
  if (!header->length || header->ns || header->nr || header->session) {
    l2tp->stats.malformed++;
    return;
  }
  l2tp_message_parse(&message, &how, datagram + header->offset, header->length);
  if (message.type != L2TP_SCCRQ || !l2tp_message_has(&message, L2TP_AVP_HOST_NAME)) {
    l2tp->stats.malformed++;
    return;
  }
  l2tp_message_text(&message, L2TP_AVP_HOST_NAME, host, sizeof host);

  L2tpService *service = l2tp->stopping ? NULL : l2tp_setup_choose(l2tp->setup, &listener->asked, &remote, host);
  if (!service) {
    l2tp->stats.no_server++;
    return;
  }
  how.secret = l2tp_setup_secret(l2tp->setup, &remote, host);
  how.permissive = service->tunnel.permissive;
  if (message.undecoded || how.permissive)
    l2tp_message_parse(&message, &how, datagram + header->offset, header->length);

  guint16 id = (guint16)l2tp_message_number(&message, L2TP_AVP_ASSIGNED_TUNNEL_ID);
  L2tpPeer *repeated = id ? l2tp_index_find_repeated(l2tp, path, id, host) : NULL;
  if (repeated) {
    L2tpTunnelEnv env = l2tp_peer_env(repeated);
    l2tp->stats.repeated++;
    l2tp_tunnel_input(&repeated->tunnel, &env, datagram, length);
    ask_whether_alive(repeated); /* some peers number their tunnels from one after each start */
    return;
  }
  if (!has_room(l2tp, path) || lost_to_tie(l2tp, path, &message))
    return;
  if (message.verdict != L2TP_VERDICT_OK)
    refuse(listener, path, &message, L2TP_STOP_ERROR, message.error, message.why);
  else if (service->tunnel.demand_auth && !how.secret)
    refuse(listener, path, &message, L2TP_STOP_NOT_AUTHORIZED, 0, "no secret for this peer");
  else
    begin_tunnel(listener, service, path, how.secret, id, host, datagram, length);
}
