/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "displacement.h"
#include "../glue/l2tp-link.h"
#include "../glue/l2tp.h"

enum {
  HALF_OPEN_PATIENCE_MS = 300, /* between equals a half-open tunnel has this long: a round trip to anywhere */
  PATIENCE_MS = 10000,         /* and anything else: a login takes less, though the first RADIUS server is dead */
  DISPLACED_MAX = 2,           /* by one newcomer: after a reload that lowers a limit the rest goes with the next ones */
};

static const char displaced[] = "displaced: too much is pending, most of it from this source";

/* ---- tunnels ---- */

/** Its peer may be forged while it is half-open; an established one gets one StopCCN. */
static void displace_tunnel(L2tpPeer *peer) {
  L2tpTunnelEnv env = l2tp_peer_env(peer);

  if (peer->half_open.host)
    peer->l2tp->stats.evicted++;
  else
    peer->l2tp->stats.displaced_tunnels++;
  peer->stopping = TRUE;
  if (peer->tunnel.state == L2TP_TUNNEL_ESTABLISHED)
    l2tp_tunnel_close(&peer->tunnel, &env, L2TP_STOP_ERROR, L2TP_ERROR_RESOURCES, displaced);
  l2tp_peer_free(peer);
}

/** Of all tunnels without a session: the greediest source's; between equals one with an unproven peer goes first. */
static L2tpShare *tunnel_victim(L2tp *l2tp, const AditAddress *remote, guint64 now) {
  L2tpShare *victim = l2tp_shares_victim(&l2tp->strangers, remote, now, G_MAXINT64);

  if (!victim)
    victim = l2tp_shares_victim(&l2tp->half_open, remote, now, HALF_OPEN_PATIENCE_MS);
  return victim ? victim : l2tp_shares_victim(&l2tp->strangers, remote, now, PATIENCE_MS);
}

static L2tpShare *half_open_victim(L2tp *l2tp, const AditAddress *remote, guint64 now) {
  return l2tp_shares_victim(&l2tp->half_open, remote, now, HALF_OPEN_PATIENCE_MS);
}

/** Displaces tunnels until there is place for one more, a few at most. FALSE: there is none yet. */
static gboolean displace_tunnels(L2tp *l2tp, const AditAddress *remote, guint held, guint limit,
                                 L2tpShare *(*choose)(L2tp *l2tp, const AditAddress *remote, guint64 now)) {
  guint excess = held >= limit ? held - limit + 1 : 0;

  for (guint i = 0; i < MIN(excess, DISPLACED_MAX); i++) {
    L2tpShare *victim = choose(l2tp, remote, l2tp->loop->now());
    if (!victim)
      return FALSE;
    displace_tunnel(victim->owner);
  }
  return excess <= DISPLACED_MAX;
}

gboolean l2tp_strangers_make_place(L2tp *l2tp, const AditAddress *remote) {
  if (!displace_tunnels(l2tp, remote, g_hash_table_size(l2tp->tunnels), l2tp->setup->max_tunnels, tunnel_victim)) {
    l2tp->stats.tunnel_limited++;
    return FALSE;
  }
  if (!displace_tunnels(l2tp, remote, l2tp->half_open.count, MAX(l2tp->setup->max_half_open, 1), half_open_victim)) {
    l2tp->stats.half_open_limited++;
    return FALSE;
  }
  return TRUE;
}

gboolean l2tp_strangers_free_port(L2tp *l2tp, const AditAddress *remote) {
  L2tpShare *victim = l2tp_shares_victim(&l2tp->ports, remote, l2tp->loop->now(), PATIENCE_MS);

  if (victim)
    displace_tunnel(victim->owner);
  return victim != NULL;
}

/* ---- calls ---- */

/** A peer that is authenticated and never gets its session up must not keep others out: after a while he is no part of a storm. */
static gboolean too_many_start(L2tp *l2tp) {
  l2tp_links_settle(l2tp, PATIENCE_MS);
  return l2tp->setup->max_starting && l2tp->starting >= l2tp->setup->max_starting;
}

static gboolean displace_link(L2tp *l2tp, L2tpShares *shares, const AditAddress *remote) {
  L2tpShare *victim = l2tp_shares_victim(shares, remote, l2tp->loop->now(), PATIENCE_MS);

  if (!victim)
    return FALSE;
  l2tp->stats.displaced_calls++;
  l2tp_link_drop(victim->owner, ADIT_CAUSE_SERVICE_UNAVAILABLE, displaced);
  return TRUE;
}

gboolean l2tp_strangers_may_start(L2tp *l2tp, const AditAddress *remote) {
  return !too_many_start(l2tp) || l2tp_shares_victim(&l2tp->calls, remote, l2tp->loop->now(), PATIENCE_MS);
}

gboolean l2tp_strangers_admit_call(L2tpPeer *peer) {
  AditAddress remote = adit_endpoint_address(&peer->path.remote);

  return !too_many_start(peer->l2tp) || displace_link(peer->l2tp, &peer->l2tp->calls, &remote);
}

/** The core counts links for `max-sessions`: at the limit, those that are not authenticated give way. */
static gboolean is_full(const L2tpPeer *peer) {
  return !peer->l2tp->session->has_room(L2TP_TRANSPORT, peer->service->config);
}

gboolean l2tp_strangers_may_connect(L2tpPeer *peer) {
  AditAddress remote = adit_endpoint_address(&peer->path.remote);

  return !is_full(peer) || l2tp_shares_victim(&peer->service->load->strangers, &remote, peer->l2tp->loop->now(), PATIENCE_MS);
}

gboolean l2tp_strangers_admit_link(L2tpPeer *peer) {
  AditAddress remote = adit_endpoint_address(&peer->path.remote);

  return !is_full(peer) || displace_link(peer->l2tp, &peer->service->load->strangers, &remote);
}
