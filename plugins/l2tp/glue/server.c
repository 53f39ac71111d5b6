/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "server.h"
#include "../strangers/displacement.h"
#include "../strangers/strangers.h"
#include "index.h"
#include "l2tp-link.h"
#include "l2tp.h"
#include "peer.h"

enum {
  PROBE_MS = 4000, /* a Hello and two repeats */
  PROBES_MAX = 16, /* tunnels that one newcomer asks: a stranger may have thousands */
  KEEP_MAX = 512,  /* longest SCCRQ that is kept meanwhile: part of what a stranger may make us hold */
};

/** A StopCCN to a peer without any state here: acknowledges the SCCRQ and says no. */
static void refuse_newcomer(L2tpListener *listener, const AditPath *path, const L2tpMessage *sccrq, guint16 result, guint16 error,
                            const char *text) {
  L2tp *l2tp = listener->l2tp;
  guint16 peer = (guint16)l2tp_message_number(sccrq, L2TP_AVP_ASSIGNED_TUNNEL_ID), own = 0;
  L2tpWriter w;

  l2tp->stats.refused++;
  l2tp_log_stranger(l2tp, L2TP_SAYS_TUNNEL_REFUSED, path, "tunnel refused: %s", text);
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

/** A peer that did not hear our answer knows no tunnel id of ours: its StopCCN names its own (RFC 2661 4.4.3). */
static void stop_half_open(L2tpListener *listener, const AditPath *path, const L2tpHeader *header, const guint8 *datagram, gsize length) {
  L2tp *l2tp = listener->l2tp;
  L2tpParse how = {0};
  L2tpMessage message;

  l2tp_message_parse(&message, &how, datagram + header->offset, header->length);
  guint16 id = message.type == L2TP_STOPCCN ? (guint16)l2tp_message_number(&message, L2TP_AVP_ASSIGNED_TUNNEL_ID) : 0;
  L2tpPeer *peer = id ? l2tp_index_find_unconfirmed(l2tp, path, id) : NULL;
  if (!peer) {
    l2tp->stats.malformed++;
    return;
  }
  L2tpTunnelEnv env = l2tp_peer_env(peer);
  l2tp_tunnel_input(&peer->tunnel, &env, header, datagram, length);
}

/** The first dial of ours to `path` that is not answered yet and has a tie breaker, as `tie` must have to be judged. */
static L2tpPeer *find_rival(L2tp *l2tp, const AditPath *path, const guint8 *tie) {
  L2tpPeer *peer = NULL;

  while (tie && (peer = l2tp_index_find_dialled(l2tp, path, peer)))
    if (peer->tunnel.state == L2TP_TUNNEL_WAIT_REPLY && l2tp_tunnel_tie(&peer->tunnel, tie) != L2TP_TIE_NONE)
      return peer;
  return NULL;
}

/** The peer that dials us is being dialled, and our dial has precedence: TRUE if the SCCRQ is to be dropped. A dial that loses goes on: the
 * SCCRQ may be forged until its tunnel is established. */
static gboolean wins_tie(L2tp *l2tp, const AditPath *path, const L2tpMessage *sccrq) {
  const guint8 *tie = sccrq->avp[L2TP_AVP_TIE_BREAKER].data;
  L2tpPeer *rival = find_rival(l2tp, path, tie);

  if (!rival || l2tp_tunnel_tie(&rival->tunnel, tie) == L2TP_TIE_LOST)
    return FALSE;
  l2tp->stats.ties++;
  if (l2tp_tunnel_tie(&rival->tunnel, tie) == L2TP_TIE_EQUAL) /* 64 bits that can't be guessed */
    l2tp_peer_discard(rival, "the peer dialled with the same tie breaker");
  return TRUE;
}

void l2tp_server_judge_tie(L2tpPeer *peer) {
  const guint8 *tie = peer->tunnel.has_tie_breaker ? peer->tunnel.tie_breaker : NULL;
  L2tpPeer *rival = find_rival(peer->l2tp, &peer->path, tie);

  if (!rival || l2tp_tunnel_tie(&rival->tunnel, tie) != L2TP_TIE_LOST)
    return;
  peer->l2tp->stats.ties++;
  l2tp_peer_discard(rival, "the peer's own tunnel won the tie");
}

/** True if the peer is known to be gone, or nothing came from it since it was asked. An answer may come within the millisecond of the
 *  question: then all that was sent is acknowledged. */
static gboolean is_gone(L2tpPeer *peer, guint64 asked) {
  switch ((L2tpTunnelState)peer->tunnel.state) {
  case L2TP_TUNNEL_ESTABLISHED:
    return !l2tp_channel_idle(&peer->tunnel.channel) && MAX(peer->tunnel.last_rx, l2tp_link_last_data(peer)) <= asked;
  case L2TP_TUNNEL_CLOSING: /* one that was never established refuses the SCCRQ's repeats, too */
    return peer->tunnel.was_up;
  case L2TP_TUNNEL_IDLE:
  case L2TP_TUNNEL_WAIT_REPLY:
  case L2TP_TUNNEL_WAIT_CONNECT:
  case L2TP_TUNNEL_LINGERING:
  case L2TP_TUNNEL_DEAD:
    return TRUE;
  }
  return FALSE;
}

static void answer_kept(const L2tpRequest *request) {
  l2tp_server_newcomer(request->listener, &request->path, &request->header, request->datagram, request->length);
}

/** Time to answer is over. */
static void on_probed(AditTimer *timer, gpointer data) {
  L2tpPeer *peer = data;
  L2tp *l2tp = peer->l2tp;
  L2tpRequest *request = g_steal_pointer(&peer->kept);
  gboolean gone = is_gone(peer, peer->probed_ms);

  peer->probed_ms = 0;
  if (gone && peer->tunnel.state < L2TP_TUNNEL_CLOSING) {
    l2tp->stats.replaced++;
    l2tp_peer_discard(peer, "the peer has restarted");
  }
  if (gone && request)
    answer_kept(request);
  l2tp_request_free(request);
}

/** A peer that has restarted knows nothing of its old tunnel. But a second client on the same host looks just the same, so the old
 *  tunnel is asked: a tunnel that answers is kept. One that the peer has not connected yet can't be asked, and has this time to be. */
static void probe_peer(L2tpPeer *peer) {
  L2tpTunnelEnv env = l2tp_peer_env(peer);

  if (peer->probed_ms)
    return;
  peer->probed_ms = peer->l2tp->loop->now();
  l2tp_tunnel_probe(&peer->tunnel, &env);
  peer->probe.func = on_probed;
  peer->probe.data = peer;
  peer->l2tp->loop->timer_arm(&peer->probe, PROBE_MS);
}

static void probe_namesake(L2tpPeer *peer) {
  if (peer->service->replace_stale && peer->tunnel.state == L2TP_TUNNEL_ESTABLISHED)
    probe_peer(peer);
}

void l2tp_server_probe_stale(L2tpPeer *peer) {
  if (peer->service->replace_stale)
    l2tp_index_each_namesake(peer, PROBES_MAX, probe_namesake);
}

/** Keeps an SCCRQ that is answered if the tunnel turns out to be dead. It is not acknowledged before: its sender would repeat it no more.
 */
static void keep_request(L2tpPeer *peer, L2tpListener *listener, const AditPath *path, const L2tpHeader *header, const guint8 *datagram,
                         gsize length) {
  if (length > KEEP_MAX)
    return;
  l2tp_request_free(peer->kept);
  peer->kept = l2tp_request_new(listener, path, header, datagram, (guint16)length);
}

/** An SCCRQ with the id of a tunnel that is there. A peer that has heard our answer does not repeat it: the sender has restarted and
 *  numbers its tunnels as before, or the datagram is late or forged. */
static void repeat_request(L2tpPeer *peer, L2tpListener *listener, const AditPath *path, const L2tpHeader *header, const guint8 *datagram,
                           gsize length) {
  L2tpTunnelEnv env = l2tp_peer_env(peer);

  peer->l2tp->stats.repeated++;
  if (peer->tunnel.state == L2TP_TUNNEL_CLOSING || peer->tunnel.channel.unconfirmed) {
    l2tp_tunnel_input(&peer->tunnel, &env, header, datagram, length);
    return;
  }
  keep_request(peer, listener, path, header, datagram, length);
  probe_peer(peer);
}

/** Limits that hold before anything is allocated. */
static gboolean has_room(L2tp *l2tp, const AditPath *path) {
  AditAddress remote = adit_endpoint_address(&path->remote);

  if (!l2tp_strangers_may_start(l2tp, &remote)) { /* it will retransmit */
    l2tp->stats.starting_limited++;
    return FALSE;
  }
  if (!path->association && !l2tp_limiter_take(&l2tp->limiter, &remote, l2tp->loop->now())) {
    l2tp->stats.limited++;
    return FALSE;
  }
  return TRUE;
}

/** The listener that answers: the one that was asked, or a port of the tunnel's own. */
static L2tpListener *answering_listener(L2tpListener *asked, const L2tpService *service, AditPath *path) {
  AditAddress local = adit_endpoint_address(&path->local), remote = adit_endpoint_address(&path->remote);
  AditEndpoint any_port = adit_endpoint(&local, 0);
  g_autoptr(GError) error = NULL;

  if (!service->ephemeral)
    return l2tp_listener_ref(asked);
  L2tpListener *own = l2tp_listener_get(asked->l2tp, asked->data_path, &any_port, asked->any_tunnel, NULL);
  if (!own && l2tp_strangers_free_port(asked->l2tp, &remote))
    own = l2tp_listener_get(asked->l2tp, asked->data_path, &any_port, asked->any_tunnel, &error);
  if (!own) {
    l2tp_log_stranger(asked->l2tp, L2TP_SAYS_NO_PORT, path, "%s: no separate port for a tunnel: %s", service->name,
                      error ? error->message : "all are in use");
    return l2tp_listener_ref(asked);
  }
  path->local = adit_endpoint(&local, adit_endpoint_port(&own->local));
  return own;
}

static void begin_tunnel(L2tpListener *asked, L2tpService *service, const AditPath *path, const AditValue *secret, guint16 id,
                         const char *host_name, const L2tpHeader *header, const guint8 *datagram, gsize length) {
  L2tp *l2tp = asked->l2tp;
  AditPath from = *path;
  AditAddress remote = adit_endpoint_address(&path->remote);

  if (!l2tp_strangers_make_place(l2tp, &remote))
    return;
  L2tpListener *listener = answering_listener(asked, service, &from);
  L2tpPeer *peer = l2tp_peer_new(l2tp, service, listener, &from, secret);
  l2tp_listener_unref(listener);
  if (!peer) {
    l2tp->stats.tunnel_limited++;
    return;
  }
  l2tp->stats.new_tunnels++;
  peer->proxy = l2tp_setup_names_proxy(l2tp->setup, service, &remote, host_name);
  l2tp_strangers_add(peer);
  if (peer->listener != asked)
    l2tp_strangers_add_port(peer);
  l2tp_index_add_accepted(peer, id, host_name);
  L2tpTunnelEnv env = l2tp_peer_env(peer);
  l2tp_tunnel_input(&peer->tunnel, &env, header, datagram, length);
}

void l2tp_server_newcomer(L2tpListener *listener, const AditPath *path, const L2tpHeader *header, const guint8 *datagram, gsize length) {
  L2tp *l2tp = listener->l2tp;
  AditAddress remote = adit_endpoint_address(&path->remote);
  L2tpParse how = {0};
  L2tpMessage message;
  char host[L2TP_NAME_MAX];

  if (header->length && header->ns == 1 && !header->nr && !header->session) {
    stop_half_open(listener, path, header, datagram, length);
    return;
  }
  /* A message that can't be the first of a tunnel costs nothing. */
  if (!header->length || header->ns || header->nr || header->session) {
    l2tp->stats.malformed++;
    return;
  }
  l2tp_message_parse(&message, &how, datagram + header->offset, header->length);
  if (message.type != L2TP_SCCRQ) {
    l2tp->stats.malformed++;
    return;
  }
  l2tp_message_text(&message, L2TP_AVP_HOST_NAME, host, sizeof host);

  L2tpService *service = l2tp->stopping ? NULL : l2tp_setup_choose(l2tp->setup, &listener->asked, &remote, host);
  if (!service) {
    l2tp->stats.no_server++;
    return;
  }
  const AditValue *secret = l2tp_setup_secret(l2tp->setup, &remote, host);
  how.secret = secret ? secret->as.string : NULL;
  how.permissive = service->tunnel.permissive;
  if (message.undecoded || how.permissive)
    l2tp_message_parse(&message, &how, datagram + header->offset, header->length);

  guint16 id = (guint16)l2tp_message_number(&message, L2TP_AVP_ASSIGNED_TUNNEL_ID);
  L2tpPeer *repeated = id ? l2tp_index_find_repeated(l2tp, path, id, host) : NULL;
  if (repeated) {
    repeat_request(repeated, listener, path, header, datagram, length);
    return;
  }
  if (!has_room(l2tp, path))
    return;
  if (message.verdict != L2TP_VERDICT_OK)
    refuse_newcomer(listener, path, &message, L2TP_STOP_ERROR, message.error, message.why);
  else if (service->tunnel.demand_auth && !how.secret)
    refuse_newcomer(listener, path, &message, L2TP_STOP_NOT_AUTHORIZED, 0, "no secret for this peer");
  else if (!wins_tie(l2tp, path, &message))
    begin_tunnel(listener, service, path, secret, id, host, header, datagram, length);
}
