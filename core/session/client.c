/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Clients: dial, redial with growing pauses, and the default route while connected. The transport does the dialling. */
#include "core/session/client.h"
#include "core/base/loop.h"
#include "core/base/misuse.h"
#include "core/base/random.h"
#include "core/config/config.h"
#include "core/path/path.h"
#include "core/session/life/sess.h"
#include "core/session/life/sessions.h"
#include "core/session/session.h"
#include <adit/session-options.h>

typedef enum { CLIENT_DOWN, CLIENT_WAITING, CLIENT_DIALLING, CLIENT_CONNECTING, CLIENT_UP } State;

struct AditClient {
  char *name;
  char *transport;
  AditValue *config;
  State state;
  gboolean held;    /* told to stay down */
  gboolean removed; /* no longer configured: freed when its link has ended */
  AditTimer timer;
  AditDial *dial;
  AditLinkId link;
  AditSessionId session;
  AditEndpoint server;
  guint failures, refusals; /* in a row */
  guint64 next_ms;          /* of the next attempt, while it waits */
  char *last_error;
  guint64 since_ms;
  gboolean routed;   /* the default route was asked for */
  GPtrArray *routes; /* AditClaim of the default route */
  AditClaimant claimant;
  char *who;
};

static const AditNetService *net;
static GHashTable *clients; /* name -> AditClient* */
static gboolean running;

static void client_free(gpointer data) {
  AditClient *client = data;
  adit_timer_cancel(&client->timer);
  g_ptr_array_unref(client->routes);
  g_free(client->who);
  adit_value_unref(client->config);
  g_free(client->name);
  g_free(client->transport);
  g_free(client->last_error);
  g_free(client);
}

static AditLogContext client_log(const AditClient *client) {
  return (AditLogContext){.tunnel = client->name};
}

static void set_state(AditClient *client, State state) {
  client->state = state;
  client->since_ms = adit_loop_service()->now();
}

/* ---- dialling ---- */

/* A wrong password stays wrong until it is changed, and each attempt counts where accounts are locked: those pauses are longer. */
static guint64 next_pause(AditClient *client, gboolean refused) {
  const AditValue *config = client->config;
  guint64 pause = (guint64)(refused ? adit_option_redial_refused_min(config) : adit_option_redial_min(config));
  guint64 longest = (guint64)(refused ? adit_option_redial_refused_max(config) : adit_option_redial_max(config));
  guint *count = refused ? &client->refusals : &client->failures;
  guint32 dice;

  for (guint i = 0; i < *count && pause < longest; i++)
    pause *= 2;
  pause = MIN(pause, MAX(longest, 1));
  ++*count;
  adit_random(&dice, sizeof dice);
  return pause + dice % (pause / 8 + 1); /* so that a thousand clients of one server don't come back as one */
}

static void wait_and_redial(AditClient *client, gboolean refused, const char *reason) {
  AditLogContext log = client_log(client);

  g_free(client->last_error);
  client->last_error = g_strdup(reason);
  if (client->held || !running) {
    set_state(client, CLIENT_DOWN);
    return;
  }
  guint64 pause = next_pause(client, refused);
  adit_info(&log, "%s: next attempt in %.1f s", reason, (double)pause / 1000);
  set_state(client, CLIENT_WAITING);
  client->next_ms = adit_loop_service()->now() + pause;
  adit_timer_arm(&client->timer, pause);
}

static void dial_server(AditClient *client) {
  g_autoptr(GError) error = NULL;
  gpointer state = NULL;
  const AditTransportOps *transport = adit_transport_find(client->transport, &state);

  adit_timer_cancel(&client->timer);
  if (!transport) {
    wait_and_redial(client, FALSE, "its transport is not loaded");
    return;
  }
  set_state(client, CLIENT_DIALLING);
  client->dial = transport->dial(state, client->config, client, &error);
  if (!client->dial && client->state == CLIENT_DIALLING)
    wait_and_redial(client, FALSE, error ? error->message : "the transport refused");
}

static void on_redial(AditTimer *timer, gpointer data) {
  dial_server(data);
}

static void hang_up(AditClient *client, const char *reason) {
  gpointer state = NULL;
  const AditTransportOps *transport = adit_transport_find(client->transport, &state);
  AditSessLink *link = adit_link_find(client->link);
  AditDial *open = g_steal_pointer(&client->dial);

  adit_timer_cancel(&client->timer);
  if (link && link->session)
    adit_sess_end(link->session, ADIT_CAUSE_NAS_REQUEST, reason);
  else if (link)
    adit_link_end(link, ADIT_CAUSE_NAS_REQUEST, reason);
  else if (open && transport)
    transport->dial_cancel(open);
  if (!link)
    set_state(client, CLIENT_DOWN);
}

void adit_client_dial_failed(gpointer token, AditCause cause, const char *reason) {
  ADIT_MAIN_ONLY("adit.session dial_failed");
  AditClient *client = token;
  client->dial = NULL;
  wait_and_redial(client, FALSE, reason);
}

void adit_client_link_opened(AditClient *client, AditSessLink *link) {
  client->dial = NULL;
  client->link = link->id;
  client->server = link->spec.path.remote;
  set_state(client, CLIENT_CONNECTING);
}

/* ---- the default route ---- */

static void on_route_changed(AditClaim *claim, AditClaimState state, int error, const char *why, gpointer user) {
  AditClient *client = user;
  AditLogContext log = client_log(client);
  switch (state) {
  case ADIT_CLAIM_PENDING:
  case ADIT_CLAIM_INSTALLED:
  case ADIT_CLAIM_LOST:
  case ADIT_CLAIM_BLOCKED: /* a warning with both names was logged */
    return;
  case ADIT_CLAIM_WAITING:
    adit_notice(&log, "client %s: the default route waits: %s has it", client->name, why);
    return;
  case ADIT_CLAIM_REFUSED:
    adit_warning(&log, "client %s: no default route: %s", client->name, why ? why : g_strerror(error));
    return;
  }
}

static void claim_route(AditClient *client, const char *to, guint ifindex, guint32 metric) {
  AditNetRoute route = {.ifindex = ifindex, .metric = metric};
  const char *why = NULL;
  adit_prefix_parse(to, &route.to);
  AditClaim *claim = net->claim_route(&route, &client->claimant);
  g_ptr_array_add(client->routes, claim);
  AditClaimState state = net->claim_state(claim, &why);
  on_route_changed(claim, state, 0, why, client);
}

/* The claims keep the way to the server as it was. */
static void add_default_route(AditClient *client, const AditSess *session) {
  gint64 distance = adit_option_default_route_distance(client->config);
  client->claimant.endpoint = adit_endpoint_address(&client->server);
  if (distance == 1) {
    claim_route(client, "0.0.0.0/1", session->port.open->ifindex, 0);
    claim_route(client, "128.0.0.0/1", session->port.open->ifindex, 0);
  } else {
    claim_route(client, "0.0.0.0/0", session->port.open->ifindex, (guint32)distance);
  }
}

static void remove_routes(AditClient *client) {
  for (guint i = client->routes->len; i > 0; i--)
    net->claim_release(client->routes->pdata[i - 1]);
  g_ptr_array_set_size(client->routes, 0);
}

void adit_client_session_up(AditClient *client, AditSess *session) {
  client->session = session->id;
  client->failures = client->refusals = 0;
  g_clear_pointer(&client->last_error, g_free);
  set_state(client, CLIENT_UP);
  adit_client_session_update(client, session);
}

void adit_client_session_down(AditClient *client, const AditSess *session) {
  if (client->session == session->id)
    remove_routes(client);
}

void adit_client_session_update(AditClient *client, AditSess *session) {
  if (client->session != session->id || client->routed)
    return;
  if (session->family[ADIT_SESS_IPV4].open && adit_option_add_default_route(client->config)) {
    client->routed = TRUE;
    add_default_route(client, session);
  }
}

void adit_client_link_closed(AditClient *client, gboolean refused, const char *reason) {
  client->link = 0;
  client->session = 0;
  client->routed = FALSE;
  remove_routes(client);
  if (client->removed)
    client_free(client);
  else
    wait_and_redial(client, refused, reason);
}

/* ---- configuration ---- */

void adit_clients_init(const AditNetService *service) {
  net = service;
  clients = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, client_free);
}

void adit_clients_fini(void) {
  running = FALSE;
  g_clear_pointer(&clients, g_hash_table_unref);
}

static void collect_clients(const AditValue *config, const char *transport, GHashTable *found) {
  const AditValue *list = adit_transport_clients(adit_value_get(config, transport));

  for (guint i = 0; i < adit_value_length(list); i++) {
    const AditValue *item = adit_value_at(list, i);
    if (adit_option_disabled(item))
      continue;
    AditClient *client = g_new0(AditClient, 1);
    client->name = g_strdup(adit_option_name(item));
    client->transport = g_strdup(transport);
    client->config = adit_value_ref(item);
    client->timer.func = on_redial;
    client->timer.data = client;
    client->routes = g_ptr_array_new();
    client->who = g_strdup_printf("client %s", client->name);
    client->claimant = (AditClaimant){.size = sizeof client->claimant, .who = client->who, .changed = on_route_changed, .user = client};
    if (!g_hash_table_contains(found, client->name))
      g_hash_table_insert(found, client->name, client);
    else
      client_free(client);
  }
}

gpointer adit_clients_prepare(const AditValue *config, GError **error) {
  GHashTable *found = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, client_free);
  const AditTransportOps *transport;
  for (guint i = 0; (transport = adit_transport_at(i, NULL, NULL)); i++)
    collect_clients(config, transport->name, found);
  return found;
}

void adit_clients_abort(gpointer staged) {
  g_hash_table_unref(staged);
}

/* One that is configured no more: hung up, and freed once its link has ended, which may be in this call. */
static void retire_client(AditClient *client) {
  gboolean linked = adit_link_find(client->link) != NULL;

  client->removed = client->held = TRUE;
  g_hash_table_steal(clients, client->name);
  hang_up(client, "removed from the configuration");
  if (!linked)
    client_free(client);
}

/* Has anything changed that a server may have refused? */
static gboolean logs_in_otherwise(const AditValue *before, const AditValue *now) {
  static const char *const keys[] = {adit_option_user_key, adit_option_password_key, adit_option_allow_key};
  for (gsize i = 0; i < G_N_ELEMENTS(keys); i++)
    if (!adit_value_equal(adit_value_get(before, keys[i]), adit_value_get(now, keys[i])))
      return TRUE;
  return g_strcmp0(adit_transport_connect_to(before), adit_transport_connect_to(now)) != 0;
}

void adit_clients_commit(gpointer staged) {
  GHashTable *found = staged;
  g_autoptr(GList) old = g_hash_table_get_values(clients);
  GHashTableIter iter;
  gpointer value;

  for (GList *l = old; l; l = l->next) {
    AditClient *client = l->data;
    AditClient *now = g_hash_table_lookup(found, client->name);
    if (!now || strcmp(now->transport, client->transport) != 0) {
      retire_client(client);
      continue;
    }
    gboolean hopeful = client->state == CLIENT_WAITING && logs_in_otherwise(client->config, now->config);
    adit_value_unref(client->config); /* in force from the next dial on */
    client->config = g_steal_pointer(&now->config);
    g_hash_table_remove(found, client->name);
    if (hopeful) {
      client->failures = client->refusals = 0;
      client->next_ms = adit_loop_service()->now();
      adit_timer_arm(&client->timer, 1);
    }
  }
  g_hash_table_iter_init(&iter, found);
  while (g_hash_table_iter_next(&iter, NULL, &value)) {
    AditClient *client = value;
    g_hash_table_iter_steal(&iter);
    g_hash_table_insert(clients, client->name, client);
    if (running)
      adit_timer_arm(&client->timer, 1);
  }
  g_hash_table_unref(found);
}

void adit_clients_start(void) {
  GHashTableIter iter;
  gpointer client;

  running = TRUE;
  g_hash_table_iter_init(&iter, clients);
  while (g_hash_table_iter_next(&iter, NULL, &client))
    adit_timer_arm(&((AditClient *)client)->timer, 1);
}

void adit_clients_stop(void) {
  g_autoptr(GList) all = g_hash_table_get_values(clients);
  running = FALSE;
  for (GList *l = all; l; l = l->next)
    hang_up(l->data, "the daemon is stopping");
}

/* ---- commands ---- */

static AditClient *find_client(const char *name, GError **error) {
  AditClient *client = g_hash_table_lookup(clients, name);
  if (!client)
    g_set_error(error, ADIT_ERROR, ADIT_ERR_NOT_FOUND, "there is no client '%s'", name);
  return client;
}

gboolean adit_client_up(const char *name, GError **error) {
  AditClient *client = find_client(name, error);
  if (!client)
    return FALSE;
  client->held = FALSE;
  client->failures = client->refusals = 0;
  if (client->state == CLIENT_DOWN || client->state == CLIENT_WAITING)
    dial_server(client);
  return TRUE;
}

gboolean adit_client_down(const char *name, GError **error) {
  AditClient *client = find_client(name, error);
  if (!client)
    return FALSE;
  client->held = TRUE;
  hang_up(client, "told to hang up");
  return TRUE;
}

static const char *client_state_word(const AditClient *client) {
  switch (client->state) {
  case CLIENT_DOWN:
    return "down";
  case CLIENT_WAITING:
    return "waiting";
  case CLIENT_DIALLING:
    return "dialling";
  case CLIENT_CONNECTING:
    return "connecting";
  case CLIENT_UP:
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

  g_hash_table_iter_init(&iter, clients);
  while (g_hash_table_iter_next(&iter, &name, NULL))
    g_ptr_array_add(names, g_strdup((const char *)name));
  g_ptr_array_sort(names, by_name);
  return names;
}

AditValue *adit_client_row(const char *name) {
  const AditClient *client = g_hash_table_lookup(clients, name);
  if (!client)
    return NULL;
  AditSess *session = adit_sess_find(client->session);
  AditValue *item = adit_value_map();
  char text[ADIT_ADDRESS_TEXT];

  adit_value_set(item, "name", adit_value_string(client->name));
  adit_value_set(item, "service", adit_value_string(client->transport));
  const char *connect_to = adit_transport_connect_to(client->config);
  adit_value_set(item, "connect-to", adit_value_string(connect_to ? connect_to : ""));
  adit_value_set(item, "user", adit_value_string(adit_option_user(client->config)));
  adit_value_set(item, "status", adit_value_string(client_state_word(client)));
  adit_value_set(item, "since", adit_value_int((gint64)(adit_loop_service()->now() - client->since_ms)));
  if (session) {
    g_autofree char *id = g_strdup_printf("%" G_GINT64_MODIFIER "x", session->id);
    adit_value_set(item, "session", adit_value_string(id));
    adit_value_set(item, "interface", adit_value_string(session->port.name));
    adit_value_set(item, "local-address", adit_value_string(adit_address_format(&session->family[ADIT_SESS_IPV4].local, text)));
    adit_value_set(item, "remote-address", adit_value_string(adit_address_format(&session->family[ADIT_SESS_IPV4].remote, text)));
  }
  if (client->state == CLIENT_WAITING) {
    guint64 now = adit_loop_service()->now();
    adit_value_set(item, "next-attempt", adit_value_int(client->next_ms > now ? (gint64)(client->next_ms - now) : 0));
  }
  if (client->last_error)
    adit_value_set(item, "last-error", adit_value_string(client->last_error));
  return item;
}
