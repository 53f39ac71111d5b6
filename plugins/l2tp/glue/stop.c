/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "stop.h"
#include "l2tp.h"
#include "peer.h"

enum {
  STOP_MS = 4000, /* less than what the daemon gives us, so that what is left is freed in order */
  STOP_BATCH = 64 /* tunnels closed in one pass of the loop: their answers must fit into the queues of control */
};

void l2tp_stop_free_peers(L2tp *l2tp) {
  g_autoptr(GList) peers = g_hash_table_get_values(l2tp->tunnels);
  for (GList *at = peers; at; at = at->next)
    l2tp_peer_free(at->data);
}

static void on_stop_timer(AditTimer *timer, gpointer data) {
  L2tp *l2tp = data;
  void (*stopped)(AditPlugin * plugin) = l2tp->stopped;

  if (!stopped)
    return;
  l2tp->stopped = NULL;
  l2tp->running = FALSE;
  l2tp->n_closing = 0;
  l2tp_stop_free_peers(l2tp);
  g_clear_pointer(&l2tp->setup, l2tp_setup_free);
  stopped(l2tp->plugin);
}

void l2tp_stop_check(L2tp *l2tp) {
  GHashTableIter iter;
  gpointer value;

  if (!l2tp->stopping || !l2tp->stopped)
    return;
  g_hash_table_iter_init(&iter, l2tp->tunnels);
  while (g_hash_table_iter_next(&iter, NULL, &value))
    if (((L2tpPeer *)value)->tunnel.state <= L2TP_TUNNEL_CLOSING)
      return;
  l2tp->loop->timer_arm(&l2tp->stop_timer, 0);
}

/* From the end of the list: remaining tunnels are then at the table's beginning, where l2tp_stop_check() finds them at once. */
static void close_some(AditTimer *timer, gpointer data) {
  L2tp *l2tp = data;

  for (guint i = 0; i < STOP_BATCH && l2tp->n_closing; i++) {
    L2tpPeer *peer = g_hash_table_lookup(l2tp->tunnels, l2tp->closing[--l2tp->n_closing]);
    if (peer && peer->half_open.host) /* its peer may be a stranger, and there may be thousands */
      l2tp_peer_free(peer);
    else if (peer)
      l2tp_peer_close(peer, L2TP_STOP_SHUTDOWN, "shutting down");
  }
  if (l2tp->n_closing)
    l2tp->loop->timer_arm(&l2tp->close_timer, 1);
  l2tp_stop_check(l2tp);
}

void l2tp_stop_begin(L2tp *l2tp, void (*done)(AditPlugin *plugin)) {
  l2tp->stop_timer.func = on_stop_timer;
  l2tp->close_timer.func = close_some;
  l2tp->stop_timer.data = l2tp->close_timer.data = l2tp;
  l2tp->stopping = TRUE;
  l2tp->stopped = done;
  l2tp->closing = g_hash_table_get_keys_as_array(l2tp->tunnels, &l2tp->n_closing);
  l2tp->loop->timer_arm(&l2tp->stop_timer, STOP_MS);
  close_some(NULL, l2tp);
}
