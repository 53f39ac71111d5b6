/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "source.h"
#include "servers/config.h"

#include "reply/reply.h"
#include "servers/exchange.h"
#include "wire/request.h"

#include <adit/log-quota.h>

enum { ASKED_MAX = 10000 }; /* logins under way: more is a storm, which waits better with the peers than here */

struct RadiusSource {
  AditLogQuota unsupported; /* lines that a login may cause */
  Radius *radius;
  GHashTable *asked; /* AditAuthHandle -> Ask, owned */
};

/** A login. */
typedef struct {
  RadiusSource *source;
  AditAuthRequest *request;
  AditAuthHandle *handle;
  RadiusConfig *config; /* as it was when the login began; its servers live as long */
  GPtrArray *tried;     /* of RadiusServer */
  RadiusServer *server; /* the one that is asked */
  guint turns;          /* how many of its addresses were silent */
  RadiusExchange *exchange;
  const char *impossible; /* why it can't be asked of any server */
} Ask;

static void ask_free(gpointer data) {
  Ask *ask = data;

  radius_exchange_cancel(ask->exchange);
  g_ptr_array_unref(ask->tried);
  radius_config_unref(ask->config);
  ask->source->radius->aaa->handle_unref(ask->handle);
  adit_auth_request_unref(ask->request);
  g_free(ask);
}

static void answer_login(Ask *ask, const AditAuthReply *reply) {
  ask->source->radius->aaa->answer(ask->handle, reply);
  g_hash_table_remove(ask->source->asked, ask->handle);
}

static void answer_error(Ask *ask, const char *why) {
  const AditAuthReply reply = {.size = sizeof reply, .outcome = ADIT_AUTH_ERROR, .why = why};
  answer_login(ask, &reply);
}

/* ---- one server ---- */

static void write_request(RadiusBuilder *b, const guint8 authenticator[16], const RadiusServer *server, gpointer data) {
  Ask *ask = data;
  const RadiusNas nas = {ask->config->nas_identifier, radius_server_nas_address(server, RADIUS_AUTH), server->realm};

  ask->impossible = radius_put_request(b, &nas, ask->request, authenticator, server->secret);
  if (!ask->impossible && b->overflow)
    ask->impossible = "what is to be asked is more than a packet holds";
  b->overflow |= ask->impossible != NULL;
}

/** Once a session: nothing of an answer is dropped in silence. */
static void log_unsupported(const Ask *ask, const RadiusReply *reply) {
  AditLogContext about = {.user = ask->request->user};

  if (reply->reply.outcome != ADIT_AUTH_ACCEPT || ask->request->again || !reply->unsupported->len ||
      !adit_log_quota_allows(&ask->source->unsupported, ask->source->radius->loop))
    return;
  g_ptr_array_add(reply->unsupported, NULL);
  g_autofree char *list = g_strjoinv("; ", (char **)reply->unsupported->pdata);
  g_ptr_array_remove_index(reply->unsupported, reply->unsupported->len - 1);
  adit_warning(&about, "server %s: attributes for user %s ignored: %s", ask->server->name, ask->request->user, list);
}

static void read_reply(Ask *ask, const RadiusAnswer *from) {
  const RadiusReplyContext context = {from->request_authenticator, from->secret, ask->config->framed_mtu};
  RadiusReply reply;

  radius_reply_read(from->reply, ask->request, &context, &reply);
  log_unsupported(ask, &reply);
  ask->source->radius->aaa->answer(ask->handle, &reply.reply);
  radius_reply_clear(&reply);
  g_hash_table_remove(ask->source->asked, ask->handle);
}

/* ---- one after the other ---- */

static void ask_next(Ask *ask);
static void ask_server(Ask *ask);

static gboolean in_time(const Ask *ask) {
  return ask->source->radius->loop->now() < ask->request->deadline_ms;
}

static void on_done(const RadiusAnswer *from, gpointer data) {
  Ask *ask = data;

  ask->exchange = NULL;
  switch (from->result) {
  case RADIUS_ANSWERED:
    read_reply(ask, from);
    return;
  case RADIUS_TIMEOUT:
    adit_debug(NULL, "server %s did not answer for %s", ask->server->name, ask->request->user);
    break;
  case RADIUS_UNSENT:
    break;
  }
  if (ask->impossible)
    answer_error(ask, ask->impossible);
  else if (from->result == RADIUS_TIMEOUT && ++ask->turns < ask->server->addresses.count && in_time(ask))
    ask_server(ask); /* at its next address */
  else
    ask_next(ask);
}

static void ask_next(Ask *ask) {
  const RadiusWant want = {RADIUS_AUTH, ask->request->user, ask->request->called_id};
  RadiusServer *server = radius_servers_pick(ask->config->servers, &want, ask->tried);

  if (!server || !in_time(ask)) {
    answer_error(ask,
                 !server && !ask->tried->len ? "every RADIUS server is dead, busy or without an address" : "no RADIUS server has answered");
    return;
  }
  g_ptr_array_add(ask->tried, server);
  ask->server = server;
  ask->turns = 0;
  ask_server(ask);
}

static void ask_server(Ask *ask) {
  const RadiusWant want = {RADIUS_AUTH, ask->request->user, ask->request->called_id};
  gboolean elsewhere =
      ask->turns + 1 < ask->server->addresses.count || radius_servers_pick(ask->config->servers, &want, ask->tried) != NULL;
  const RadiusRequest request = {
      .code = RADIUS_ACCESS_REQUEST, .fill = write_request, .done = on_done, .data = ask, .impatient = elsewhere};
  ask->exchange = radius_exchange(ask->server, &request);
}

/* ---- for adit.aaa ---- */

static void source_ask(gpointer state, AditAuthRequest *request, AditAuthHandle *handle) {
  RadiusSource *source = state;
  const RadiusWant want = {RADIUS_AUTH, request->user, request->called_id};
  AditAuthReply refusal = {.size = sizeof refusal, .outcome = ADIT_AUTH_NOT_MINE, .why = "no RADIUS server is for such users"};

  if (!radius_servers_serve(source->radius->config->servers, &want)) {
    source->radius->aaa->answer(handle, &refusal);
    return;
  }
  if (g_hash_table_size(source->asked) >= ASKED_MAX) {
    refusal.outcome = ADIT_AUTH_ERROR;
    refusal.why = "too many logins wait for RADIUS";
    source->radius->aaa->answer(handle, &refusal);
    return;
  }
  Ask *ask = g_new0(Ask, 1);
  ask->source = source;
  ask->request = adit_auth_request_ref(request);
  ask->handle = source->radius->aaa->handle_ref(handle);
  ask->config = radius_config_ref(source->radius->config);
  ask->tried = g_ptr_array_new();
  g_hash_table_insert(source->asked, handle, ask);
  ask_next(ask);
}

/** Nobody waits any more: what the server may still say is late. */
static void source_cancel(gpointer state, AditAuthHandle *handle) {
  g_hash_table_remove(((RadiusSource *)state)->asked, handle);
}

static const AditAuthSourceOps ops = {.size = sizeof ops, .name = "radius", .ask = source_ask, .cancel = source_cancel};

RadiusSource *radius_source_new(Radius *radius, GError **error) {
  RadiusSource *source = g_new0(RadiusSource, 1);

  source->radius = radius;
  source->unsupported = (AditLogQuota)ADIT_LOG_QUOTA("what a server gave can't be honoured");
  source->asked = g_hash_table_new_full(NULL, NULL, NULL, ask_free);
  if (radius->aaa->source_add(radius->plugin, &ops, source, error))
    return source;
  radius_source_free(source);
  return NULL;
}

void radius_source_free(RadiusSource *source) {
  if (!source)
    return;
  g_hash_table_unref(source->asked);
  adit_log_quota_stop(&source->unsupported);
  g_free(source);
}
