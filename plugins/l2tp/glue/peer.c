/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "glue.h"

#include <stdarg.h>

enum { ID_TRIES = 256 };

/* ---- the engine's host ---- */

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

/** Without an authenticated session a tunnel may be any stranger's; users have quotas of their own. */
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

/** Nobody inside may have the peer's outer address, once the tunnel is up. A stranger that only named it, with an SCCRQ of somebody else's
 *  address, protects nothing: else a flood of them would keep a whole pool from being given out. A dial does not either: what it calls may
 *  be inside of another tunnel that is to come. */
static void peer_protect(L2tpPeer *peer) {
  const AditNetService *net = peer->l2tp->net;

  if (!ADIT_HAS(net, protect) || adit_address_is_set(&peer->protected_remote))
    return;
  peer->protected_remote = adit_endpoint_address(&peer->path.remote);
  net->protect(ADIT_PROTECT_ENDPOINT, &peer->protected_remote, "the outer address of a tunnel");
}

static void peer_unprotect(L2tpPeer *peer) {
  if (adit_address_is_set(&peer->protected_remote))
    peer->l2tp->net->unprotect(ADIT_PROTECT_ENDPOINT, &peer->protected_remote, "the outer address of a tunnel");
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

/** What has stood and was closed is done with: an SCCRQ with its id begins anew. What was refused before it stood is refused again. */
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

  l2tp_link_down(host, session, was_up, reason);
  if (peer->tunnel.state == L2TP_TUNNEL_ESTABLISHED && !peer->tunnel.calls.count)
    peer_arm_idle(peer);
}

/** Where a listener reports all data under tunnel id 0, session ids must be unique among its tunnels. */
static gboolean host_session_id_free(gpointer host, guint16 session) {
  GHashTable *taken = ((L2tpPeer *)host)->listener->sessions;

  return !taken || !g_hash_table_contains(taken, GUINT_TO_POINTER(session));
}

/** Half of a challenge of ours is random, the other half tells that it is ours. */
static void challenge_tag(gpointer host, const guint8 *challenge, guint8 tag[L2TP_CHALLENGE / 2]) {
  guint64 hash = adit_siphash(((L2tpPeer *)host)->l2tp->challenge_key, challenge, L2TP_CHALLENGE / 2);

  memcpy(tag, &hash, sizeof hash);
}

static void host_challenge_make(gpointer host, guint8 challenge[L2TP_CHALLENGE]) {
  host_random(host, challenge, L2TP_CHALLENGE / 2);
  challenge_tag(host, challenge, challenge + L2TP_CHALLENGE / 2);
}

static gboolean host_challenge_is_ours(gpointer host, const guint8 *challenge, gsize length) {
  guint8 tag[L2TP_CHALLENGE / 2];

  if (length != L2TP_CHALLENGE)
    return FALSE;
  challenge_tag(host, challenge, tag);
  return !memcmp(tag, challenge + L2TP_CHALLENGE / 2, sizeof tag);
}

static const L2tpTunnelOps tunnel_ops = {
    .size = sizeof tunnel_ops,
    .send = host_send,
    .tunnel_up = host_tunnel_up,
    .tunnel_down = host_tunnel_down,
    .finished = host_finished,
    .call_request = l2tp_link_request,
    .call_up = l2tp_link_up,
    .call_down = host_call_down,
    .last_data = l2tp_link_last_data,
    .send_error = host_send_error,
    .challenge_make = host_challenge_make,
    .challenge_is_ours = host_challenge_is_ours,
    .session_id_free = host_session_id_free,
};

L2tpTunnelEnv l2tp_peer_env(L2tpPeer *peer) {
  return (L2tpTunnelEnv){{&engine_ops, peer}, &tunnel_ops, &peer->config};
}

static void on_timer(AditTimer *timer, gpointer data) {
  L2tpPeer *peer = data;
  L2tpTunnelEnv env = l2tp_peer_env(peer);
  l2tp_tunnel_timeout(&peer->tunnel, &env, (guint)(timer - peer->timers));
}

static void on_idle(AditTimer *timer, gpointer data) {
  L2tpPeer *peer = data;
  if (!peer->tunnel.calls.count)
    l2tp_peer_close(peer, L2TP_STOP_CLEAR, "no calls");
}

/* ---- life ---- */

static guint16 tunnel_id(L2tp *l2tp) {
  for (guint i = 0; i < ID_TRIES; i++) {
    guint16 id = 0;
    l2tp->loop->random(&id, sizeof id);
    if (id && !g_hash_table_contains(l2tp->tunnels, GUINT_TO_POINTER(id)))
      return id;
  }
  return 0;
}

L2tpPeer *l2tp_peer_new(L2tp *l2tp, L2tpService *service, L2tpListener *listener, const AditPath *path, const AditValue *secret) {
  guint16 id = tunnel_id(l2tp);

  if (!id)
    return NULL;
  L2tpPeer *peer = g_new0(L2tpPeer, 1);
  peer->l2tp = l2tp;
  peer->service = l2tp_service_ref(service);
  peer->listener = l2tp_listener_ref(listener);
  peer->path = *path;
  peer->secret = adit_value_ref(secret);
  peer->config = service->tunnel;
  peer->config.secret = secret ? secret->as.string : NULL;
  peer->since_ms = l2tp->loop->now();
  for (guint i = 0; i < L2TP_SLOTS; i++)
    peer->timers[i] = (AditTimer){.func = on_timer, .data = peer};
  peer->idle = (AditTimer){.func = on_idle, .data = peer};
  peer->probe = (AditTimer){.func = l2tp_server_probed, .data = peer};
  l2tp_tunnel_init(&peer->tunnel, id);
  g_hash_table_insert(l2tp->tunnels, GUINT_TO_POINTER(id), peer);
  peer->dialled.owner = peer->repeats.owner = peer->unconfirmed.owner = peer->namesakes.owner = peer;
  l2tp_listener_announce(listener, peer);
  return peer;
}

void l2tp_peer_free(L2tpPeer *peer) {
  L2tpTunnelEnv env = l2tp_peer_env(peer);

  peer_unprotect(peer);
  peer->l2tp->loop->timer_cancel(&peer->idle);
  peer->l2tp->loop->timer_cancel(&peer->probe);
  l2tp_tunnel_clear(&peer->tunnel, &env);
  l2tp_links_close(peer, ADIT_CAUSE_ADMIN_REBOOT, "the tunnel is gone");
  g_clear_pointer(&peer->kept, l2tp_request_free);
  l2tp_strangers_remove(peer); /* after its links: with the last authenticated one it counts again */
  g_hash_table_remove(peer->l2tp->tunnels, GUINT_TO_POINTER(peer->tunnel.local));
  l2tp_index_remove(peer);
  l2tp_listener_withdraw(peer->listener, peer);
  l2tp_listener_unref(peer->listener);
  l2tp_service_unref(peer->service);
  adit_value_unref(peer->secret);
  g_free(peer);
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

/** An SCCRP that answers our SCCRQ: its sender may have chosen a port of its own (RFC 2661 8.1). */
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

void l2tp_log_stranger(L2tp *l2tp, L2tpSays kind, const AditPath *path, const char *format, ...) {
  char text[200], peer[ADIT_ENDPOINT_TEXT];
  va_list args;

  if (!adit_log_quota_allows(&l2tp->said[kind], l2tp->loop))
    return;
  va_start(args, format);
  g_vsnprintf(text, sizeof text, format, args);
  va_end(args);
  AditLogContext context = {.peer = adit_endpoint_format(&path->remote, peer)};
  adit_info(&context, "%s: %s", peer, text);
}
