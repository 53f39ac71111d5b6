/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Clients: each dials the links of one session, redials them with growing pauses, and has the default route while connected. The transport
 * does the dialling. */
#include "core/session/client.h"
#include "core/base/hold.h"
#include "core/base/loop.h"
#include "core/base/misuse.h"
#include "core/base/random.h"
#include "core/config/config.h"
#include "core/path/path.h"
#include "core/session/client-route.h"
#include "core/session/life/sess.h"
#include "core/session/life/sessions.h"
#include "core/session/session.h"
#include <adit/session-options.h>

static GHashTable *clients; /* name -> AditClient* */
static gboolean running;

static void client_free(gpointer data) {
  AditClient *client = data;
  for (guint i = 0; i < ADIT_STAGE_LINKS; i++)
    adit_timer_cancel(&client->call[i].timer);
  adit_client_route_clear(&client->route);
  adit_value_unref(client->config);
  g_free(client->name);
  g_free(client->transport);
  g_free(client->last_error);
  g_free(client);
}

static AditLogContext client_log(const AditClient *client) {
  return (AditLogContext){.tunnel = client->name};
}

/* ---- states ---- */

/* It has one once an NCP is open, and until it ends. */
AditSess *adit_client_session(const AditClient *client) {
  AditSess *session = adit_sess_find(client->session);
  return session && !adit_sess_is_over(session) ? session : NULL;
}

guint adit_client_links_wanted(const AditClient *client) {
  return (guint)CLAMP(adit_option_links(client->config), 1, ADIT_STAGE_LINKS);
}

/* The first one always; another one as long as there is something to join. */
static gboolean is_call_wanted(const AditClientCall *call) {
  const AditSess *session = call->nth ? adit_client_session(call->client) : NULL;
  return !call->nth || (session && session->multi_id && call->nth < adit_client_links_wanted(call->client));
}

static AditCallState state_of(const AditClient *client) {
  AditCallState farthest = ADIT_CALL_DOWN;
  for (guint i = 0; i < ADIT_STAGE_LINKS; i++)
    farthest = MAX(farthest, client->call[i].state);
  return farthest;
}

static void set_state(AditClientCall *call, AditCallState state) {
  AditClient *client = call->client;
  call->state = state;
  if (state_of(client) == client->shown && state != ADIT_CALL_WAITING)
    return;
  client->shown = state_of(client);
  client->since_ms = adit_loop_service()->now();
}

/* ---- dialling ---- */

/* A wrong password stays wrong until it is changed, and each attempt counts where accounts are locked: those pauses are longer. */
static guint64 next_pause(AditClientCall *call, gboolean refused) {
  const AditValue *config = call->client->config;
  guint64 pause = (guint64)(refused ? adit_option_redial_refused_min(config) : adit_option_redial_min(config));
  guint64 longest = (guint64)(refused ? adit_option_redial_refused_max(config) : adit_option_redial_max(config));
  guint *count = refused ? &call->refusals : &call->failures;
  guint32 dice;

  for (guint i = 0; i < *count && pause < longest; i++)
    pause *= 2;
  pause = MIN(pause, MAX(longest, 1));
  ++*count;
  adit_random(&dice, sizeof dice);
  return pause + dice % (pause / 8 + 1); /* so that a thousand clients of one server don't come back as one */
}

static void wait_and_redial(AditClientCall *call, gboolean refused, const char *reason) {
  AditClient *client = call->client;
  AditLogContext log = client_log(client);

  g_free(client->last_error);
  client->last_error = g_strdup(reason);
  if (client->held || !running || !is_call_wanted(call)) {
    set_state(call, ADIT_CALL_DOWN);
    return;
  }
  guint64 pause = next_pause(call, refused);
  if (call->nth)
    adit_info(&log, "link %u: %s: next attempt in %.1f s", call->nth + 1, reason, (double)pause / 1000);
  else
    adit_info(&log, "%s: next attempt in %.1f s", reason, (double)pause / 1000);
  set_state(call, ADIT_CALL_WAITING);
  call->next_ms = adit_loop_service()->now() + pause;
  adit_timer_arm(&call->timer, pause);
}

/* Links of one client go to different addresses of its server, where the transport knows several. */
static AditDial *begin_dial(AditClientCall *call, GError **error) {
  gpointer state = NULL;
  const AditTransportOps *transport = adit_transport_find(call->client->transport, &state);

  if (!transport) {
    g_set_error_literal(error, ADIT_ERROR, ADIT_ERR_NOT_FOUND, "its transport is not loaded");
    return NULL;
  }
  if (call->nth && ADIT_HAS(transport, dial_nth) && transport->dial_nth)
    return ADIT_HOLD_VALUE(NULL, transport->dial_nth, "dial_nth()",
                           transport->dial_nth(state, call->client->config, call->nth, call, error));
  return ADIT_HOLD_VALUE(NULL, transport->dial, "dial()", transport->dial(state, call->client->config, call, error));
}

static void dial_server(AditClientCall *call) {
  g_autoptr(GError) error = NULL;

  adit_timer_cancel(&call->timer);
  set_state(call, ADIT_CALL_DIALLING);
  call->dial = begin_dial(call, &error);
  if (!call->dial && call->state == ADIT_CALL_DIALLING)
    wait_and_redial(call, FALSE, error ? error->message : "the transport refused");
}

static void on_redial(AditTimer *timer, gpointer data) {
  dial_server(data);
}

static void cancel_dial(AditClientCall *call) {
  gpointer state = NULL;
  const AditTransportOps *transport = adit_transport_find(call->client->transport, &state);
  AditDial *open = g_steal_pointer(&call->dial);

  adit_timer_cancel(&call->timer);
  if (open && transport)
    ADIT_HOLD(NULL, transport->dial_cancel, "dial_cancel()", transport->dial_cancel(open));
}

static void hang_up_call(AditClientCall *call, const char *reason) {
  AditSessLink *link = adit_link_find(call->link);

  cancel_dial(call);
  if (link)
    adit_link_end(link, ADIT_CAUSE_NAS_REQUEST, reason);
  else
    set_state(call, ADIT_CALL_DOWN);
}

static gboolean has_links(const AditClient *client) {
  for (guint i = 0; i < ADIT_STAGE_LINKS; i++)
    if (adit_link_find(client->call[i].link))
      return TRUE;
  return FALSE;
}

/* A link may end in any call that ends it, and a client that is not configured any more with its last one. */
static void hold_client(AditClient *client) {
  client->holds++;
}

static void release_client(AditClient *client) {
  if (!--client->holds && client->removed && !has_links(client))
    client_free(client);
}

static void hang_up(AditClient *client, const char *reason) {
  hold_client(client);
  for (guint i = 0; i < ADIT_STAGE_LINKS; i++) {
    AditSessLink *link = adit_link_find(client->call[i].link);
    if (link && link->session)
      adit_sess_end(link->session, ADIT_CAUSE_NAS_REQUEST, reason);
    hang_up_call(&client->call[i], reason);
  }
  release_client(client);
}

/* The links that the session is to have, too; and none without it. */
static void dial_others(AditClient *client) {
  for (guint i = 1; i < ADIT_STAGE_LINKS; i++) {
    AditClientCall *call = &client->call[i];
    if (!is_call_wanted(call) || client->held) {
      hang_up_call(call, "fewer links are configured");
    } else if (call->state == ADIT_CALL_DOWN) {
      call->failures = call->refusals = 0;
      adit_timer_arm(&call->timer, 1);
    }
  }
}

void adit_client_dial_failed(gpointer token, AditCause cause, const char *reason) {
  ADIT_MAIN_ONLY("adit.session dial_failed");
  AditClientCall *call = token;
  call->dial = NULL;
  wait_and_redial(call, FALSE, reason);
}

/* ---- links and the session ---- */

AditClient *adit_client_of(const AditClientCall *call) {
  return call->client;
}

void adit_client_link_opened(AditClientCall *call, AditSessLink *link) {
  call->dial = NULL;
  call->link = link->id;
  if (!adit_client_session(call->client))
    call->client->server = link->spec.path.remote;
  set_state(call, ADIT_CALL_CONNECTING);
}

void adit_client_link_joined(AditClientCall *call) {
  call->failures = call->refusals = 0;
  set_state(call, ADIT_CALL_UP);
}

gboolean adit_client_has_session(const AditClient *client) {
  for (guint i = 0; i < ADIT_STAGE_LINKS; i++) {
    const AditSessLink *link = adit_link_find(client->call[i].link);
    if (link && link->session)
      return TRUE;
  }
  return FALSE;
}

void adit_client_session_up(AditClient *client, AditSess *session) {
  AditLogContext log = client_log(client);

  client->session = session->id;
  g_clear_pointer(&client->last_error, g_free);
  for (guint i = 0; i < ADIT_STAGE_LINKS; i++) {
    AditSessLink *link = adit_link_find(client->call[i].link);
    if (link && link->session == session)
      adit_client_link_joined(&client->call[i]);
  }
  if (adit_client_links_wanted(client) > 1 && !session->multi_id)
    adit_notice(&log, "client %s: one link instead of %u: the session takes no others", client->name, adit_client_links_wanted(client));
  dial_others(client);
  adit_client_session_update(client, session);
}

void adit_client_session_down(AditClient *client, const AditSess *session) {
  if (client->session == session->id)
    adit_client_route_remove(&client->route);
}

void adit_client_session_update(AditClient *client, AditSess *session) {
  if (client->session != session->id || client->routed)
    return;
  if (session->family[ADIT_SESS_IPV4].open && adit_option_add_default_route(client->config)) {
    client->routed = TRUE;
    adit_client_route_add(&client->route, client->config, &client->server, session->port.open->ifindex);
  }
}

/* With the session its other links end, too, and the first one is dialled soon, whatever it waits for. */
static void forget_session(AditClient *client, const AditClientCall *ended, const char *reason) {
  AditClientCall *first = &client->call[0];

  client->session = 0;
  client->routed = FALSE;
  adit_client_route_remove(&client->route);
  dial_others(client);
  if (ended == first || (first->state != ADIT_CALL_WAITING && first->state != ADIT_CALL_DOWN))
    return;
  first->failures = 0;
  wait_and_redial(first, FALSE, reason);
}

void adit_client_link_closed(AditClientCall *call, gboolean refused, const char *reason) {
  AditClient *client = call->client;
  gboolean had_session = client->session != 0;

  hold_client(client);
  call->link = 0;
  call->state = ADIT_CALL_DOWN;
  if (!adit_client_session(client) && (had_session || !call->nth))
    forget_session(client, call, reason);
  wait_and_redial(call, refused, reason);
  release_client(client);
}

/* ---- configuration ---- */

void adit_clients_init(const AditNetService *service) {
  adit_client_route_serve(service);
  clients = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, client_free);
}

void adit_clients_fini(void) {
  running = FALSE;
  g_clear_pointer(&clients, g_hash_table_unref);
}

static AditClient *client_new(const AditValue *item, const char *transport) {
  AditClient *client = g_new0(AditClient, 1);

  client->name = g_strdup(adit_option_name(item));
  client->transport = g_strdup(transport);
  client->config = adit_value_ref(item);
  for (guint i = 0; i < ADIT_STAGE_LINKS; i++) {
    AditClientCall *call = &client->call[i];
    call->client = client;
    call->nth = i;
    call->timer.func = on_redial;
    call->timer.data = call;
  }
  adit_client_route_init(&client->route, client->name);
  return client;
}

static void collect_clients(const AditValue *config, const char *transport, GHashTable *found) {
  const AditValue *list = adit_transport_clients(adit_value_get(config, transport));

  for (guint i = 0; i < adit_value_length(list); i++) {
    const AditValue *item = adit_value_at(list, i);
    if (adit_option_disabled(item))
      continue;
    AditClient *client = client_new(item, transport);
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

/* One that is configured no more: hung up, and freed once its links have ended, which may be in this call. */
static void retire_client(AditClient *client) {
  client->removed = client->held = TRUE;
  g_hash_table_steal(clients, client->name);
  hang_up(client, "removed from the configuration");
}

/* Has anything changed that a server may have refused? */
static gboolean logs_in_otherwise(const AditValue *before, const AditValue *now) {
  static const char *const keys[] = {adit_option_user_key, adit_option_password_key, adit_option_allow_key};
  for (gsize i = 0; i < G_N_ELEMENTS(keys); i++)
    if (!adit_value_equal(adit_value_get(before, keys[i]), adit_value_get(now, keys[i])))
      return TRUE;
  return !adit_value_equal(adit_transport_connect_to_value(before), adit_transport_connect_to_value(now));
}

static void redial_now(AditClientCall *call) {
  if (call->state != ADIT_CALL_WAITING)
    return;
  call->failures = call->refusals = 0;
  call->next_ms = adit_loop_service()->now();
  adit_timer_arm(&call->timer, 1);
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
    gboolean hopeful = logs_in_otherwise(client->config, now->config);
    adit_value_unref(client->config); /* in force from the next dial on */
    client->config = g_steal_pointer(&now->config);
    g_hash_table_remove(found, client->name);
    for (guint i = 0; hopeful && i < ADIT_STAGE_LINKS; i++)
      redial_now(&client->call[i]);
    dial_others(client);
  }
  g_hash_table_iter_init(&iter, found);
  while (g_hash_table_iter_next(&iter, NULL, &value)) {
    AditClient *client = value;
    g_hash_table_iter_steal(&iter);
    g_hash_table_insert(clients, client->name, client);
    if (running)
      adit_timer_arm(&client->call[0].timer, 1);
  }
  g_hash_table_unref(found);
}

void adit_clients_start(void) {
  GHashTableIter iter;
  gpointer client;

  running = TRUE;
  g_hash_table_iter_init(&iter, clients);
  while (g_hash_table_iter_next(&iter, NULL, &client))
    adit_timer_arm(&((AditClient *)client)->call[0].timer, 1);
}

void adit_clients_stop(void) {
  g_autoptr(GList) all = g_hash_table_get_values(clients);
  running = FALSE;
  for (GList *l = all; l; l = l->next)
    hang_up(l->data, "the daemon is stopping");
}

/* ---- commands ---- */

GHashTable *adit_clients_table(void) {
  return clients;
}

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
  for (guint i = 0; i < ADIT_STAGE_LINKS; i++) {
    AditClientCall *call = &client->call[i];
    call->failures = call->refusals = 0;
    if (is_call_wanted(call) && (call->state == ADIT_CALL_DOWN || call->state == ADIT_CALL_WAITING))
      dial_server(call);
  }
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
