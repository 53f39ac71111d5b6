/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "tunnel-host.h"
#include "../strangers/strangers.h"
#include "call-host.h"
#include "dial.h"
#include "index.h"
#include "l2tp-link.h"
#include "l2tp.h"
#include "peer.h"
#include "server.h"
#include "stop.h"

static const char *host_send_error(gpointer host) {
  int error = ((L2tpPeer *)host)->unsent;
  return error ? g_strerror(error) : NULL;
}

static void host_send(gpointer host, const guint8 *datagram, gsize length) {
  L2tpPeer *peer = host;
  peer->unsent = l2tp_listener_send(peer->listener, &peer->path, datagram, length);
}

static void peer_publish(L2tpPeer *peer, guint type, const char *reason) {
  AditTunnelEvent event = {.event = {type, sizeof event},
                           .local_id = peer->tunnel.local,
                           .peer_id = peer->tunnel.peer,
                           .service = peer->service->name,
                           .peer_name = peer->tunnel.peer_name,
                           .peer = peer->path.remote,
                           .reason = reason};
  if (type)
    peer->l2tp->bus->publish(&event.event);
}

/** Without an authenticated session a tunnel may be any stranger's; users have their own quotas. */
static void peer_log(L2tpPeer *peer, L2tpSays kind, const char *what, const char *why) {
  char text[ADIT_ENDPOINT_TEXT], id[8];
  AditLogContext context = {.peer = adit_endpoint_format(&peer->path.remote, text), .tunnel = id};

  if (!peer->service->client && !adit_log_quota_allows(&peer->l2tp->said[kind], peer->l2tp->loop))
    return;
  g_snprintf(id, sizeof id, "%u", peer->tunnel.local);
  adit_info(&context, "%s: tunnel %u with `%s' at %s %s%s%s", peer->service->name, peer->tunnel.local, peer->tunnel.peer_name, text, what,
            why ? ": " : "", why ? why : "");
}

static void peer_arm_idle(L2tpPeer *peer) {
  if (peer->service->idle_ms && !peer->service->client)
    peer->l2tp->loop->timer_arm(&peer->idle, peer->service->idle_ms);
}

/** No session inside may have the peer's outer address, once the tunnel is up. A stranger that only named it, by an SCCRQ with a forged
 * address, protects nothing: else a flood of them would keep a whole pool from being given out. A dial does not either: what it calls may
 *  be inside of another tunnel that is to come. */
static void peer_protect(L2tpPeer *peer) {
  const AditNetService *net = peer->l2tp->net;

  if (!ADIT_HAS(net, protect) || adit_address_is_set(&peer->protected_remote))
    return;
  peer->protected_remote = adit_endpoint_address(&peer->path.remote);
  net->protect(ADIT_PROTECT_ENDPOINT, &peer->protected_remote, "the outer address of a tunnel");
}

static void host_tunnel_up(gpointer host) {
  L2tpPeer *peer = host;
  AditAddress remote = adit_endpoint_address(&peer->path.remote);

  l2tp_strangers_confirm(peer);
  peer_protect(peer);
  l2tp_index_confirm(peer);
  if (peer->service->client) /* now its port is known */
    l2tp_listener_announce(peer->listener, peer);
  peer->l2tp->stats.tunnels_up++;
  peer_log(peer, L2TP_SAYS_TUNNEL_UP, "is up", NULL);
  if (!peer->service->client) {
    l2tp_limiter_refund(&peer->l2tp->limiter, &remote);
    peer_arm_idle(peer);
    l2tp_server_judge_tie(peer);
    l2tp_server_probe_stale(peer);
  }
  peer_publish(peer, peer->l2tp->tunnel_up_event, NULL);
}

/** An SCCRQ that reuses the id of a closed tunnel opens a new tunnel. One that was refused before it was established is refused again. */
static gboolean is_over(const L2tpTunnel *tunnel) {
  return tunnel->state >= L2TP_TUNNEL_LINGERING || (tunnel->state == L2TP_TUNNEL_CLOSING && tunnel->was_up);
}

/** One that was never up stays among the half-open until it is forgotten: refused ones are bounded, too. */
static void host_tunnel_down(gpointer host, const L2tpReason *reason) {
  L2tpPeer *peer = host;

  peer->l2tp->loop->timer_cancel(&peer->idle);
  l2tp_index_confirm(peer);
  if (is_over(&peer->tunnel))
    l2tp_index_forget_request(peer);
  l2tp_dial_failed(peer, l2tp_cause(peer, reason), reason->text);
  if (!peer->tunnel.was_up) {
    l2tp_log_stranger(peer->l2tp, L2TP_SAYS_NO_TUNNEL, &peer->path, "no tunnel: %s", reason->text);
    return;
  }
  peer->l2tp->stats.tunnels_down++;
  peer_log(peer, peer->proven ? L2TP_SAYS_USERS_TUNNEL_DOWN : L2TP_SAYS_TUNNEL_DOWN, "is down", reason->text);
  peer_publish(peer, peer->l2tp->tunnel_down_event, reason->text);
}

static void host_finished(gpointer host) {
  L2tpPeer *peer = host;
  L2tp *l2tp = peer->l2tp;

  l2tp_peer_free(peer);
  l2tp_stop_check(l2tp);
}

static void host_call_down(gpointer host, guint16 session, gboolean was_up, const L2tpReason *reason) {
  L2tpPeer *peer = host;

  l2tp_call_down(host, session, was_up, reason);
  if (peer->tunnel.state == L2TP_TUNNEL_ESTABLISHED && !peer->tunnel.calls.count)
    peer_arm_idle(peer);
}

/** Where a listener reports all data under tunnel id 0, session ids must be unique among its tunnels. */
static gboolean host_session_id_free(gpointer host, guint16 session) {
  GHashTable *taken = ((L2tpPeer *)host)->listener->sessions;

  return !taken || !g_hash_table_contains(taken, GUINT_TO_POINTER(session));
}

/** Half of a challenge of ours is random, the other half proves that it is ours. */
static void challenge_tag(gpointer host, const guint8 *challenge, guint8 tag[L2TP_CHALLENGE / 2]) {
  guint64 hash = adit_siphash(((L2tpPeer *)host)->l2tp->challenge_key, challenge, L2TP_CHALLENGE / 2);

  memcpy(tag, &hash, sizeof hash);
}

static void host_challenge_make(gpointer host, guint8 challenge[L2TP_CHALLENGE]) {
  ((L2tpPeer *)host)->l2tp->loop->random(challenge, L2TP_CHALLENGE / 2);
  challenge_tag(host, challenge, challenge + L2TP_CHALLENGE / 2);
}

static gboolean host_challenge_is_ours(gpointer host, const guint8 *challenge, gsize length) {
  guint8 tag[L2TP_CHALLENGE / 2];

  if (length != L2TP_CHALLENGE)
    return FALSE;
  challenge_tag(host, challenge, tag);
  return !memcmp(tag, challenge + L2TP_CHALLENGE / 2, sizeof tag);
}

const L2tpTunnelOps l2tp_tunnel_host_ops = {
    .size = sizeof l2tp_tunnel_host_ops,
    .send = host_send,
    .tunnel_up = host_tunnel_up,
    .tunnel_down = host_tunnel_down,
    .finished = host_finished,
    .call_request = l2tp_call_request,
    .call_up = l2tp_call_up,
    .call_down = host_call_down,
    .last_data = l2tp_link_last_data,
    .send_error = host_send_error,
    .challenge_make = host_challenge_make,
    .challenge_is_ours = host_challenge_is_ours,
    .session_id_free = host_session_id_free,
};
