/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Clients as people and programs see them. */
#include "core/base/loop.h"
#include "core/path/path.h"
#include "core/session/client.h"
#include "core/session/life/sess.h"
#include "core/session/life/sessions.h"
#include <adit/session-options.h>

static const char *client_state_word(const AditClient *client) {
  switch (client->shown) {
  case ADIT_CALL_DOWN:
    return "down";
  case ADIT_CALL_WAITING:
    return "waiting";
  case ADIT_CALL_DIALLING:
    return "dialling";
  case ADIT_CALL_CONNECTING:
    return "connecting";
  case ADIT_CALL_UP:
    return "connected";
  }
  return "?";
}

static int by_name(gconstpointer a, gconstpointer b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *adit_client_names(void) {
  GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
  GHashTableIter iter;
  gpointer name;

  g_hash_table_iter_init(&iter, adit_clients_table());
  while (g_hash_table_iter_next(&iter, &name, NULL))
    g_ptr_array_add(names, g_strdup((const char *)name));
  g_ptr_array_sort(names, by_name);
  return names;
}

static guint count_connected(const AditClient *client) {
  guint n = 0;
  for (guint i = 0; i < ADIT_STAGE_LINKS; i++)
    n += client->call[i].state == ADIT_CALL_UP;
  return n;
}

static const AditClientCall *next_to_dial(const AditClient *client) {
  const AditClientCall *next = NULL;
  for (guint i = 0; i < ADIT_STAGE_LINKS; i++)
    if (client->call[i].state == ADIT_CALL_WAITING && (!next || client->call[i].next_ms < next->next_ms))
      next = &client->call[i];
  return next;
}

/* Those that it may dial, in the order of the configuration. */
static char *list_servers(const AditValue *config) {
  const char *first = adit_transport_connect_to(config);
  const AditValue *all = adit_transport_connect_to_value(config);
  GString *text = g_string_new(first ? first : "");

  for (guint i = 1; all && all->type == ADIT_VALUE_LIST && i < adit_value_length(all); i++)
    g_string_append_printf(text, ", %s", adit_value_at(all, i)->as.string);
  return g_string_free(text, FALSE);
}

AditValue *adit_client_row(const char *name) {
  const AditClient *client = g_hash_table_lookup(adit_clients_table(), name);
  if (!client)
    return NULL;
  AditSess *session = adit_sess_find(client->session);
  AditValue *item = adit_value_map();
  char text[ADIT_ADDRESS_TEXT];

  adit_value_set(item, "name", adit_value_string(client->name));
  adit_value_set(item, "service", adit_value_string(client->transport));
  g_autofree char *connect_to = list_servers(client->config);
  adit_value_set(item, "connect-to", adit_value_string(connect_to));
  adit_value_set(item, "user", adit_value_string(adit_option_user(client->config)));
  adit_value_set(item, "status", adit_value_string(client_state_word(client)));
  adit_value_set(item, "since", adit_value_int((gint64)(adit_loop_service()->now() - client->since_ms)));
  if (session) {
    g_autofree char *id = g_strdup_printf("%" G_GINT64_MODIFIER "x", session->id);
    adit_value_set(item, "session", adit_value_string(id));
    adit_value_set(item, "interface", adit_value_string(adit_sess_interface(session)));
    adit_value_set(item, "local-address", adit_value_string(adit_address_format(&session->family[ADIT_SESS_IPV4].local, text)));
    adit_value_set(item, "remote-address", adit_value_string(adit_address_format(&session->family[ADIT_SESS_IPV4].remote, text)));
  }
  const AditClientCall *waiting = next_to_dial(client);
  if (waiting) {
    guint64 now = adit_loop_service()->now();
    adit_value_set(item, "next-attempt", adit_value_int(waiting->next_ms > now ? (gint64)(waiting->next_ms - now) : 0));
  }
  g_autofree char *links = g_strdup_printf("%u/%u", count_connected(client), adit_client_links_wanted(client));
  adit_value_set(item, "links", adit_value_string(links));
  if (client->last_error)
    adit_value_set(item, "last-error", adit_value_string(client->last_error));
  return item;
}
