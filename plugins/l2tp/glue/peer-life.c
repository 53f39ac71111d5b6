/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "../strangers/strangers.h"
#include "index.h"
#include "l2tp-link.h"
#include "l2tp.h"
#include "peer.h"

enum { ID_TRIES = 256 };

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
  l2tp_tunnel_init(&peer->tunnel, id);
  g_hash_table_insert(l2tp->tunnels, GUINT_TO_POINTER(id), peer);
  peer->dialled.owner = peer->repeats.owner = peer->unconfirmed.owner = peer->namesakes.owner = peer;
  l2tp_listener_announce(listener, peer);
  return peer;
}

static void peer_unprotect(L2tpPeer *peer) {
  if (adit_address_is_set(&peer->protected_remote))
    peer->l2tp->net->unprotect(ADIT_PROTECT_ENDPOINT, &peer->protected_remote, "the outer address of a tunnel");
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
