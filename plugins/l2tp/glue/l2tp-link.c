/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "glue.h"

enum { CLIENT_LINGER_MS = 1000 };

/** CDN's result code for the end of a link. */
static guint16 result_of(AditCause cause) {
  switch (cause) {
  case ADIT_CAUSE_LOST_CARRIER:
    return L2TP_CDN_LOST_CARRIER;
  case ADIT_CAUSE_PORT_ERROR:
  case ADIT_CAUSE_NAS_ERROR:
    return L2TP_CDN_ERROR;
  case ADIT_CAUSE_SERVICE_UNAVAILABLE:
    return L2TP_CDN_NO_RESOURCES;
  case ADIT_CAUSE_NONE:
  case ADIT_CAUSE_USER_REQUEST:
  case ADIT_CAUSE_LOST_SERVICE:
  case ADIT_CAUSE_IDLE_TIMEOUT:
  case ADIT_CAUSE_SESSION_TIMEOUT:
  case ADIT_CAUSE_ADMIN_RESET:
  case ADIT_CAUSE_ADMIN_REBOOT:
  case ADIT_CAUSE_NAS_REQUEST:
  case ADIT_CAUSE_NAS_REBOOT:
  case ADIT_CAUSE_USER_ERROR:
    break;
  }
  return L2TP_CDN_ADMIN;
}

/** Counts a link of the peer's server in, or (-1) out. */
static void load_add(L2tpPeer *peer, gint links) {
  L2tpLoad *load = peer->service->load;
  AditAddress remote = adit_endpoint_address(&peer->path.remote);
  guint n = GPOINTER_TO_UINT(g_hash_table_lookup(load->hosts, &remote)) + (guint)links;

  load->links += (guint)links;
  if (n)
    g_hash_table_insert(load->hosts, g_memdup2(&remote, sizeof remote), GUINT_TO_POINTER(n));
  else
    g_hash_table_remove(load->hosts, &remote);
}

static void link_settled(L2tpLink *link) {
  L2tp *l2tp = link->peer->l2tp;

  if (link->starting)
    l2tp->starting--;
  link->starting = FALSE;
  if (link->opening_node.data)
    g_queue_unlink(&l2tp->opening, &link->opening_node);
  link->opening_node.data = NULL;
}

void l2tp_links_settle(L2tp *l2tp, guint64 patience_ms) {
  L2tpLink *link;

  while ((link = g_queue_peek_head(&l2tp->opening)) && link->authenticated_ms + patience_ms <= l2tp->loop->now())
    link_settled(link);
}

static void link_leave_shares(L2tpLink *link) {
  l2tp_shares_remove(&link->peer->l2tp->calls, &link->call);
  l2tp_shares_remove(&link->peer->service->load->strangers, &link->link);
}

static void link_authenticated(L2tpLink *link) {
  if (link->authenticated)
    return;
  link->authenticated = TRUE;
  link->authenticated_ms = link->peer->l2tp->loop->now();
  if (link->starting) {
    link->opening_node.data = link;
    g_queue_push_tail_link(&link->peer->l2tp->opening, &link->opening_node);
  }
  link_leave_shares(link);
  l2tp_strangers_authenticated(link->peer, 1);
}

void l2tp_link_authenticated(L2tp *l2tp, AditLinkId id) {
  L2tpLink *link = g_hash_table_lookup(l2tp->links, &id);
  if (link)
    link_authenticated(link);
}

void l2tp_link_started(L2tp *l2tp, AditLinkId id) {
  L2tpLink *link = g_hash_table_lookup(l2tp->links, &id);
  if (!link)
    return;
  link_settled(link);
  link_authenticated(link); /* a server may ask for no proof */
}

static void link_free(gpointer data) {
  L2tpLink *link = data;

  link_settled(link);
  link_leave_shares(link);
  if (link->authenticated)
    l2tp_strangers_authenticated(link->peer, -1);
  if (link->connected)
    load_add(link->peer, -1);
  if (link->peer->listener->sessions)
    g_hash_table_remove(link->peer->listener->sessions, GUINT_TO_POINTER(link->session));
  if (link->id)
    g_hash_table_remove(link->peer->l2tp->links, &link->id);
  g_free(link->ended);
  g_free(link);
}

/** The link is over on our side: hang up, and with a client's only call its tunnel. */
static void link_hang_up(L2tpPeer *peer, guint16 session, guint16 result, guint16 error, const char *why) {
  L2tpTunnelEnv env = l2tp_peer_env(peer);

  l2tp_tunnel_call_close(&peer->tunnel, &env, session, result, error, why);
  if (peer->service->client)
    l2tp_peer_close(peer, L2TP_STOP_CLEAR, why);
  else if (!peer->tunnel.calls.count && peer->service->idle_ms)
    peer->l2tp->loop->timer_arm(&peer->idle, peer->service->idle_ms);
}

void l2tp_link_drop(L2tpLink *link, AditCause cause, const char *why) {
  L2tpPeer *peer = link->peer;
  guint16 session = link->session;
  AditLinkId id = link->id;

  g_hash_table_remove(peer->links, GUINT_TO_POINTER(session));
  if (id) {
    peer->l2tp->stats.calls_down++;
    peer->l2tp->session->link_close(id, cause, why);
  }
  link_hang_up(peer, session, result_of(cause), 0, why);
}

static void on_closed(gpointer user, AditLinkId id, AditCause cause, const char *reason) {
  L2tpLink *link = user;
  L2tpPeer *peer = link->peer;
  guint16 session = link->session, result = result_of(cause);

  if (link->opening) {
    link->ended = g_strdup(reason ? reason : "ended at once");
    link->result = result;
    return;
  }
  g_hash_table_remove(peer->links, GUINT_TO_POINTER(session));
  peer->l2tp->stats.calls_down++;
  link_hang_up(peer, session, result, result == L2TP_CDN_ERROR ? L2TP_ERROR_RESOURCES : 0, reason);
}

static const AditLinkOps link_ops = {sizeof link_ops, on_closed};

void l2tp_link_new(L2tpPeer *peer, guint16 session) {
  L2tpLink *link = g_new0(L2tpLink, 1);

  link->peer = peer;
  link->session = session;
  link->starting = !peer->service->client;
  link->call.owner = link->link.owner = link;
  if (link->starting) {
    AditAddress remote = adit_endpoint_address(&peer->path.remote);
    peer->l2tp->starting++;
    l2tp_shares_add(&peer->l2tp->calls, &link->call, &remote, peer->l2tp->loop->now());
  }
  if (!peer->links)
    peer->links = g_hash_table_new_full(NULL, NULL, NULL, link_free);
  g_hash_table_insert(peer->links, GUINT_TO_POINTER(session), link);
  if (peer->listener->sessions)
    g_hash_table_add(peer->listener->sessions, GUINT_TO_POINTER(session));
}

static L2tpLink *link_find(const L2tpPeer *peer, guint16 session) {
  return peer->links ? g_hash_table_lookup(peer->links, GUINT_TO_POINTER(session)) : NULL;
}

/* ---- is there room? ---- */

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

guint16 l2tp_link_request(gpointer host, guint16 session, L2tpCallRole role, const L2tpCallInfo *info, const char **why) {
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

/* ---- the call stands ---- */

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

/** Proxy authentication is a recorded login: from anybody but a LAC of ours it is a replay. */
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
      .transport = l2tp_transport_ops.name,
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

void l2tp_link_up(gpointer host, guint16 session, guint16 peer_session, L2tpCallRole role, const L2tpCallInfo *info) {
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
    link_hang_up(peer, session, L2TP_CDN_NO_RESOURCES, 0, full);
    return;
  }
  L2tpLink *link = link_find(peer, session);
  link->connected = link->opening = TRUE;
  load_add(peer, 1);
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
  link_hang_up(peer, session, result, result == L2TP_CDN_ERROR ? L2TP_ERROR_RESOURCES : 0, why);
}

void l2tp_links_close(L2tpPeer *peer, AditCause cause, const char *reason) {
  g_autoptr(GHashTable) links = g_steal_pointer(&peer->links);
  GHashTableIter iter;
  gpointer value;

  if (!links)
    return;
  g_hash_table_iter_init(&iter, links);
  while (g_hash_table_iter_next(&iter, NULL, &value)) {
    AditLinkId id = ((L2tpLink *)value)->id;
    g_hash_table_iter_remove(&iter);
    if (!id)
      continue;
    peer->l2tp->stats.calls_down++;
    peer->l2tp->session->link_close(id, cause, reason);
  }
}

void l2tp_link_down(gpointer host, guint16 session, gboolean was_up, const L2tpReason *reason) {
  L2tpPeer *peer = host;
  L2tpLink *link = link_find(peer, session);
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

guint64 l2tp_link_last_data(gpointer host) {
  L2tpPeer *peer = host;
  GHashTableIter iter;
  gpointer value;
  guint64 last = 0, now = peer->l2tp->loop->now();

  if (!peer->links)
    return 0;
  g_hash_table_iter_init(&iter, peer->links);
  while (g_hash_table_iter_next(&iter, NULL, &value)) {
    AditDpStats stats = {.last_rx_ms = 0};
    AditLinkId id = ((L2tpLink *)value)->id;
    if (id && peer->l2tp->session->link_stats(id, &stats))
      last = MAX(last, stats.last_rx_ms);
    if (last + 1000 > now) /* recent enough for anybody */
      break;
  }
  return last;
}
