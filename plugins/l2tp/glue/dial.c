/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "dial.h"
#include "../options.h"
#include "l2tp.h"

static void round_free(gpointer data) {
  L2tpRound *round = data;

  if (!round)
    return;
  g_free(round->host);
  g_free(round);
}

GHashTable *l2tp_rounds_new(void) {
  return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, round_free);
}

char *l2tp_dial_round_key(const AditDial *dial) {
  return dial->nth ? g_strdup_printf("%s %u", dial->service->name, dial->nth) : g_strdup(dial->service->name);
}

static gboolean has_client(const AditValue *clients, const char *name) {
  for (guint i = 0; i < adit_value_length(clients); i++)
    if (!g_strcmp0(adit_option_name(adit_value_at(clients, i)), name))
      return TRUE;
  return FALSE;
}

void l2tp_rounds_prune(L2tp *l2tp, const AditValue *config) {
  const AditValue *clients = l2tp_option_clients(l2tp_option(config));
  GHashTableIter iter;
  gpointer name;

  g_hash_table_iter_init(&iter, l2tp->rounds);
  while (g_hash_table_iter_next(&iter, &name, NULL))
    if (!has_client(clients, name))
      g_hash_table_iter_remove(&iter);
}

void l2tp_dial_free(AditDial *dial) {
  l2tp_service_unref(dial->service);
  round_free(dial->found);
  g_strfreev(dial->hosts);
  g_free(dial->host);
  g_free(dial);
}

void l2tp_dial_fail(AditDial *dial, AditCause cause, const char *reason) {
  L2tp *l2tp = dial->l2tp;
  gpointer token = dial->token;

  l2tp_dial_free(dial);
  l2tp->session->dial_failed(token, cause, reason);
}

void l2tp_dial_failed(L2tpPeer *peer, AditCause cause, const char *reason) {
  AditDial *dial = g_steal_pointer(&peer->dial);
  if (dial)
    l2tp_dial_fail(dial, cause, reason);
}

gpointer l2tp_dial_done(L2tpPeer *peer) {
  AditDial *dial = g_steal_pointer(&peer->dial);
  gpointer token = dial ? dial->token : NULL;

  if (!dial)
    return NULL;
  g_autofree char *key = l2tp_dial_round_key(dial);
  g_hash_table_remove(dial->l2tp->rounds, key);
  l2tp_dial_free(dial);
  return token;
}
