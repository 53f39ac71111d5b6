/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/*
 * Items of peers before a user is authenticated in their tunnel: half-open tunnels, tunnels without an authenticated session, calls that
 * are starting, separate ports. Each is counted by source, and when a limit is reached the newcomer displaces the oldest thing of the
 * greediest source. A tunnel with an authenticated session, and an authenticated link, are never displaced.
 */
#include "strangers.h"
#include "../glue/l2tp.h"

enum {
  HALF_OPEN_MS = 20000,  /* for a peer with an unproven address: its SCCCN, sent five times, takes 15 s */
  MANY_HALF_OPEN = 1024, /* some MiB */
  PARKED_OCTETS = 512,
  UNACKED_OCTETS = 768,
};

/* ---- memory ---- */

/** After a flood most of the heap is free, but in small pieces. */
static void tell_memory_freed(L2tp *l2tp) {
  l2tp->most_half_open = MAX(l2tp->most_half_open, l2tp->half_open.count);
  if (l2tp->half_open.count || l2tp->most_half_open < MANY_HALF_OPEN)
    return;
  l2tp->most_half_open = 0;
  if (ADIT_HAS(l2tp->loop, memory_freed))
    l2tp->loop->memory_freed();
}

/* ---- what is counted ---- */

static void limit_memory(L2tpPeer *peer, gboolean stranger) {
  peer->config.channel.parked_octets = stranger ? PARKED_OCTETS : 0;
  peer->config.channel.unacked_octets = stranger ? UNACKED_OCTETS : 0;
}

static void count_tunnel(L2tpPeer *peer, L2tpShares *shares, L2tpShare *share) {
  AditAddress remote = adit_endpoint_address(&peer->path.remote);

  share->owner = peer;
  l2tp_shares_add(shares, share, &remote, peer->l2tp->loop->now());
}

void l2tp_strangers_add(L2tpPeer *peer) {
  limit_memory(peer, TRUE);
  peer->config.setup_ms = MIN(peer->config.setup_ms, HALF_OPEN_MS);
  count_tunnel(peer, &peer->l2tp->half_open, &peer->half_open);
  count_tunnel(peer, &peer->l2tp->strangers, &peer->stranger);
  tell_memory_freed(peer->l2tp);
}

void l2tp_strangers_confirm(L2tpPeer *peer) {
  peer->config.setup_ms = peer->service->tunnel.setup_ms;
  l2tp_shares_remove(&peer->l2tp->half_open, &peer->half_open);
  tell_memory_freed(peer->l2tp);
}

void l2tp_strangers_remove(L2tpPeer *peer) {
  l2tp_shares_remove(&peer->l2tp->half_open, &peer->half_open);
  l2tp_shares_remove(&peer->l2tp->strangers, &peer->stranger);
  l2tp_shares_remove(&peer->l2tp->ports, &peer->own_port);
  tell_memory_freed(peer->l2tp);
}

void l2tp_strangers_authenticated(L2tpPeer *peer, gint links) {
  peer->authenticated += (guint)links;
  if (links > 0 && !peer->proven) {
    peer->proven = TRUE;
    l2tp_listener_announce(peer->listener, peer);
  }
  if (peer->service->client)
    return;
  limit_memory(peer, !peer->authenticated);
  if (!peer->authenticated)
    count_tunnel(peer, &peer->l2tp->strangers, &peer->stranger);
  else if (links > 0)
    l2tp_strangers_remove(peer);
}

void l2tp_strangers_add_port(L2tpPeer *peer) {
  count_tunnel(peer, &peer->l2tp->ports, &peer->own_port);
}
