/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "call-host.h"
#include "../strangers/displacement.h"
#include "dial.h"
#include "l2tp-link.h"
#include "l2tp.h"
#include "peer.h"

enum { CLIENT_LINGER_MS = 1000 };

static void on_closed(gpointer user, AditLinkId id, AditCause cause, const char *reason) {
  L2tpLink *link = user;
  L2tpPeer *peer = link->peer;
  guint16 session = link->session, result = l2tp_link_result(cause);

  if (link->opening) {
    link->ended = g_strdup(reason ? reason : "ended at once");
    link->result = result;
    return;
  }
  g_hash_table_remove(peer->links, GUINT_TO_POINTER(session));
  peer->l2tp->stats.calls_down++;
  l2tp_link_hang_up(peer, session, result, result == L2TP_CDN_ERROR ? L2TP_ERROR_RESOURCES : 0, reason);
}

static const AditLinkOps link_ops = {sizeof link_ops, on_closed};

/** Why the peer's server takes no further link from it; NULL if it does. */
static const char *why_full(const L2tpPeer *peer) {
  const L2tpService *service = peer->service;
  AditAddress remote = adit_endpoint_address(&peer->path.remote);

  if (service->one_per_host && g_hash_table_contains(service->load->hosts, &remote))
    return "this host has a session";
  return NULL;
}

static const char no_more_sessions[] = "no more sessions";

static void call_refused(L2tpPeer *peer, const char *why) {
  peer->l2tp->stats.calls_refused++;
  l2tp_log_stranger(peer->l2tp, L2TP_SAYS_CALL_REFUSED, &peer->path, "%s: call refused: %s", peer->service->name, why);
}

guint16 l2tp_call_request(gpointer host, guint16 session, L2tpCallRole role, const L2tpCallInfo *info, const char **why) {
  L2tpPeer *peer = host;
  guint16 refused = L2TP_CDN_NO_FACILITIES;

  if (role == L2TP_CALL_OUTGOING_LAC) {
    *why = "no calls are placed here";
  } else if (peer->service->client) {
    *why = "a client takes no calls";
  } else {
    *why = why_full(peer);
    if (!*why && !l2tp_strangers_may_connect(peer))
      *why = no_more_sessions;
    if (!*why && !l2tp_strangers_admit_call(peer)) {
      peer->l2tp->stats.starting_limited++;
      *why = "too many sessions are being set up";
    }
    refused = *why ? L2TP_CDN_NO_RESOURCES : 0;
  }
  if (refused)
    call_refused(peer, *why);
  else
    l2tp_link_new(peer, session);
  return refused;
}

/* ---- the call is established ---- */

static guint8 sequence_of(const L2tpService *service, const L2tpCallInfo *info) {
  if (info->sequencing_required)
    return ADIT_SEQUENCE_SEND | ADIT_SEQUENCE_REQUIRE;
  switch (service->sequencing) {
  case L2TP_SEQUENCE_DENY:
    return 0;
  case L2TP_SEQUENCE_ALLOW:
    return ADIT_SEQUENCE_FOLLOW;
  case L2TP_SEQUENCE_PREFER:
    return ADIT_SEQUENCE_SEND;
  case L2TP_SEQUENCE_REQUIRE:
    return ADIT_SEQUENCE_SEND | ADIT_SEQUENCE_REQUIRE;
  }
  return 0;
}

static AditValue *link_attributes(const L2tpPeer *peer, guint16 session, guint16 peer_session, const L2tpCallInfo *info) {
  AditValue *map = adit_value_map();

  adit_value_set(map, "tunnel-name", adit_value_string(peer->service->host_name));
  adit_value_set(map, "tunnel-peer-name", adit_value_string(peer->tunnel.peer_name));
  adit_value_set(map, "tunnel-id", adit_value_int(peer->tunnel.local));
  adit_value_set(map, "tunnel-peer-id", adit_value_int(peer->tunnel.peer));
  adit_value_set(map, "call-id", adit_value_int(session));
  adit_value_set(map, "call-peer-id", adit_value_int(peer_session));
  adit_value_set(map, "call-serial-number", adit_value_int(info->serial));
  if (info->tx_speed)
    adit_value_set(map, "tx-speed", adit_value_int(info->tx_speed));
  if (info->rx_speed || info->tx_speed)
    adit_value_set(map, "rx-speed", adit_value_int(info->rx_speed ? info->rx_speed : info->tx_speed));
  if (info->calling)
    adit_value_set(map, "calling-number", adit_value_string(info->calling));
  if (info->called)
    adit_value_set(map, "called-number", adit_value_string(info->called));
  if (info->private_group)
    adit_value_set(map, "private-group",
                   adit_value_octets(g_bytes_get_data(info->private_group, NULL), g_bytes_get_size(info->private_group)));
  return map;
}

/** True if a LAC handed anything over. */
static gboolean link_proxy(const L2tpCallInfo *info, AditProxy *proxy) {
  *proxy = (AditProxy){.size = sizeof *proxy,
                       .initial_received = info->initial_received,
                       .last_sent = info->last_sent,
                       .last_received = info->last_received,
                       .auth_type = info->auth_type,
                       .auth_name = info->auth_name,
                       .auth_challenge = info->auth_challenge,
                       .auth_response = info->auth_response,
                       .auth_id = info->auth_id};
  return info->last_received || info->last_sent || info->auth_type;
}

/** Proxy authentication is a recorded login: from a peer that is no LAC of ours it is a replay. */
static gboolean may_proxy(L2tpPeer *peer) {
  if (l2tp_peer_may_proxy(peer))
    return TRUE;
  peer->l2tp->stats.proxy_ignored++;
  l2tp_log_stranger(peer->l2tp, L2TP_SAYS_PROXY_IGNORED, &peer->path, "%s: proxy LCP and authentication ignored: %s", peer->service->name,
                    peer->proxy ? "the tunnel proved no secret" : "proxy-peers does not name this peer");
  return FALSE;
}

static AditLinkId link_open(L2tpPeer *peer, L2tpLink *link, guint16 peer_session, const L2tpCallInfo *info, gpointer token,
                            GError **error) {
  L2tpService *service = peer->service;
  char here[ADIT_ADDRESS_TEXT], there[ADIT_ADDRESS_TEXT];
  AditAddress local = adit_endpoint_address(&peer->path.local), remote = adit_endpoint_address(&peer->path.remote);
  g_autoptr(AditValue) attributes = link_attributes(peer, link->session, peer_session, info);
  AditProxy proxy;
  gboolean proxied = link_proxy(info, &proxy) && may_proxy(peer);
  AditLinkSpec spec = {
      .size = sizeof spec,
      .transport = L2TP_TRANSPORT,
      .config = service->config,
      .client = service->client,
      .token = token,
      .datapath = peer->listener->ops,
      .dp = peer->listener->dp,
      .listener = peer->listener->listener,
      .path = peer->path,
      .encap = {.kind = ADIT_ENCAP_L2TPV2_UDP,
                .local_tunnel = peer->listener->any_tunnel ? 0 : peer->tunnel.local,
                .local_session = link->session,
                .peer_tunnel = peer->tunnel.peer,
                .peer_session = peer_session,
                .sequence = sequence_of(service, info),
                .reorder_ms = service->reorder_ms},
      .caller_id = service->by_number && info->calling && *info->calling ? info->calling : adit_address_format(&remote, there),
      .called_id = info->called && *info->called ? info->called : adit_address_format(&local, here),
      .attributes = attributes,
      .proxy = proxied ? &proxy : NULL,
      .ops = &link_ops,
      .user = link,
  };
  return peer->l2tp->session->link_open(peer->l2tp->plugin, &spec, error);
}

void l2tp_call_up(gpointer host, guint16 session, guint16 peer_session, L2tpCallRole role, const L2tpCallInfo *info) {
  L2tpPeer *peer = host;
  g_autoptr(GError) error = NULL;
  gpointer token = peer->service->client ? l2tp_dial_done(peer) : NULL;
  const char *full = peer->service->client ? NULL : why_full(peer); /* others may have come since it was asked */

  peer->l2tp->loop->timer_cancel(&peer->idle);
  if (!full && !peer->service->client && !l2tp_strangers_admit_link(peer))
    full = no_more_sessions;
  if (full) {
    call_refused(peer, full);
    g_hash_table_remove(peer->links, GUINT_TO_POINTER(session));
    l2tp_link_hang_up(peer, session, L2TP_CDN_NO_RESOURCES, 0, full);
    return;
  }
  L2tpLink *link = l2tp_link_find(peer, session);
  link->connected = link->opening = TRUE;
  l2tp_link_count(peer, 1);
  if (!peer->service->client) {
    AditAddress remote = adit_endpoint_address(&peer->path.remote);
    l2tp_shares_add(&peer->service->load->strangers, &link->link, &remote, peer->l2tp->loop->now());
  }
  AditLinkId id = link_open(peer, link, peer_session, info, token, &error);
  link->opening = FALSE;
  if (id && !link->ended) {
    link->id = id;
    g_hash_table_insert(peer->l2tp->links, &link->id, link);
    peer->l2tp->stats.calls_up++;
    return;
  }
  g_autofree char *why = link->ended ? g_steal_pointer(&link->ended) : g_strdup(error ? error->message : "the link was refused");
  guint16 result = id ? link->result : L2TP_CDN_NO_RESOURCES;
  g_hash_table_remove(peer->links, GUINT_TO_POINTER(session));
  call_refused(peer, why);
  if (token && !id)
    peer->l2tp->session->dial_failed(token, ADIT_CAUSE_NAS_ERROR, why);
  l2tp_link_hang_up(peer, session, result, result == L2TP_CDN_ERROR ? L2TP_ERROR_RESOURCES : 0, why);
}

void l2tp_call_down(gpointer host, guint16 session, gboolean was_up, const L2tpReason *reason) {
  L2tpPeer *peer = host;
  L2tpLink *link = l2tp_link_find(peer, session);
  AditLinkId id = link ? link->id : 0;
  AditCause cause = l2tp_cause(peer, reason);

  if (link)
    g_hash_table_remove(peer->links, GUINT_TO_POINTER(session));
  if (was_up)
    peer->l2tp->stats.calls_down++;
  if (id)
    peer->l2tp->session->link_close(id, cause, reason->text);
  l2tp_dial_failed(peer, cause, reason->text);
  if (!peer->service->client)
    return;
  if (reason->by_peer && !reason->tunnel) /* a server that stops says StopCCN next: let it */
    peer->l2tp->loop->timer_arm(&peer->idle, CLIENT_LINGER_MS);
  else
    l2tp_peer_close(peer, L2TP_STOP_CLEAR, NULL);
}
