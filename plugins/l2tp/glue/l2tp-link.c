/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "l2tp-link.h"
#include "../strangers/strangers.h"
#include "l2tp.h"

guint16 l2tp_link_result(AditCause cause) {
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

void l2tp_link_count(L2tpPeer *peer, gint links) {
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
    l2tp_link_count(link->peer, -1);
  if (link->peer->listener->sessions)
    g_hash_table_remove(link->peer->listener->sessions, GUINT_TO_POINTER(link->session));
  if (link->id)
    g_hash_table_remove(link->peer->l2tp->links, &link->id);
  g_free(link->ended);
  g_free(link);
}

void l2tp_link_hang_up(L2tpPeer *peer, guint16 session, guint16 result, guint16 error, const char *why) {
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
  l2tp_link_hang_up(peer, session, l2tp_link_result(cause), 0, why);
}

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

L2tpLink *l2tp_link_find(const L2tpPeer *peer, guint16 session) {
  return peer->links ? g_hash_table_lookup(peer->links, GUINT_TO_POINTER(session)) : NULL;
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
    if (last + 1000 > now) /* recent enough for all callers */
      break;
  }
  return last;
}
