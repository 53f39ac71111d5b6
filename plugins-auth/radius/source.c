/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "source.h"
#include "options.h"
#include "servers/config.h"

#include "reply/reply.h"
#include "servers/exchange.h"
#include "wire/request.h"

#include <adit/log-quota.h>

enum { REQUESTS_MAX = 10000 }; /* logins under way: more is a storm, which waits better with the peers than here */

struct RadiusSource {
  AditLogQuota unsupported; /* lines that a login may cause */
  Radius *radius;
  GHashTable *requests; /* AditAuthHandle -> LoginRequest, owned */
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
} LoginRequest;

static void free_login_request(gpointer data) {
  LoginRequest *login = data;

  radius_exchange_cancel(login->exchange);
  g_ptr_array_unref(login->tried);
  radius_config_unref(login->config);
  login->source->radius->aaa->handle_unref(login->handle);
  adit_auth_request_unref(login->request);
  g_free(login);
}

static void answer_login_request(LoginRequest *login, const AditAuthReply *reply) {
  login->source->radius->aaa->answer(login->handle, reply);
  g_hash_table_remove(login->source->requests, login->handle);
}

static void answer_error(LoginRequest *login, const char *why) {
  const AditAuthReply reply = {.size = sizeof reply, .outcome = ADIT_AUTH_ERROR, .why = why};
  answer_login_request(login, &reply);
}

/* ---- one server ---- */

static void write_request(RadiusBuilder *b, const guint8 authenticator[16], const RadiusServer *server, gpointer data) {
  LoginRequest *login = data;
  const RadiusNas nas = {login->config->nas_identifier, radius_server_nas_address(server, RADIUS_AUTH), server->realm};

  login->impossible = radius_put_request(b, &nas, login->request, authenticator, server->secret);
  if (!login->impossible && b->overflow)
    login->impossible = "what is to be asked is more than a packet holds";
  b->overflow |= login->impossible != NULL;
}

/** Once a session: nothing of an answer is dropped in silence. */
static void log_unsupported(const LoginRequest *login, const RadiusReply *reply) {
  AditLogContext about = {.user = login->request->user};

  if (reply->reply.outcome != ADIT_AUTH_ACCEPT || login->request->again || !reply->unsupported->len ||
      !adit_log_quota_allows(&login->source->unsupported, login->source->radius->loop))
    return;
  g_ptr_array_add(reply->unsupported, NULL);
  g_autofree char *list = g_strjoinv("; ", (char **)reply->unsupported->pdata);
  g_ptr_array_remove_index(reply->unsupported, reply->unsupported->len - 1);
  adit_warning(&about, "server %s: attributes for user %s ignored: %s", login->server->name, login->request->user, list);
}

static gboolean mppe_is_there(const Radius *radius) {
  return ADIT_HAS(radius->session, actor_exists) && radius->session->actor_exists(adit_option_mppe_policy_key);
}

static void read_reply(LoginRequest *login, const RadiusAnswer *from) {
  const RadiusReplyContext context = {from->request_authenticator, from->secret, login->config->framed_mtu,
                                      mppe_is_there(login->source->radius)};
  RadiusReply reply;

  radius_reply_read(from->reply, login->request, &context, &reply);
  log_unsupported(login, &reply);
  login->source->radius->aaa->answer(login->handle, &reply.reply);
  radius_reply_clear(&reply);
  g_hash_table_remove(login->source->requests, login->handle);
}

/* ---- one after the other ---- */

static void begin_at_next_server(LoginRequest *login);
static void begin_at_server(LoginRequest *login);

static gboolean in_time(const LoginRequest *login) {
  return login->source->radius->loop->now() < login->request->deadline_ms;
}

static void on_done(const RadiusAnswer *from, gpointer data) {
  LoginRequest *login = data;

  login->exchange = NULL;
  switch (from->result) {
  case RADIUS_ANSWERED:
    read_reply(login, from);
    return;
  case RADIUS_TIMEOUT:
    adit_debug(NULL, "server %s did not answer for %s", login->server->name, login->request->user);
    break;
  case RADIUS_UNSENT:
    break;
  }
  if (login->impossible)
    answer_error(login, login->impossible);
  else if (from->result == RADIUS_TIMEOUT && ++login->turns < login->server->addresses.count && in_time(login))
    begin_at_server(login); /* at its next address */
  else
    begin_at_next_server(login);
}

static void begin_at_next_server(LoginRequest *login) {
  const RadiusWant want = {RADIUS_AUTH, login->request->user, login->request->called_id};
  RadiusServer *server = radius_servers_pick(login->config->servers, &want, login->tried);

  if (!server || !in_time(login)) {
    answer_error(login, !server && !login->tried->len ? "every RADIUS server is dead, busy or without an address"
                                                      : "no RADIUS server has answered");
    return;
  }
  g_ptr_array_add(login->tried, server);
  login->server = server;
  login->turns = 0;
  begin_at_server(login);
}

static void begin_at_server(LoginRequest *login) {
  const RadiusWant want = {RADIUS_AUTH, login->request->user, login->request->called_id};
  gboolean elsewhere =
      login->turns + 1 < login->server->addresses.count || radius_servers_pick(login->config->servers, &want, login->tried) != NULL;
  const RadiusRequest request = {
      .code = RADIUS_ACCESS_REQUEST, .fill = write_request, .done = on_done, .data = login, .impatient = elsewhere};
  login->exchange = radius_exchange(login->server, &request);
}

/* ---- for adit.aaa ---- */

static void begin_login_request(gpointer state, AditAuthRequest *request, AditAuthHandle *handle) {
  RadiusSource *source = state;
  const RadiusWant want = {RADIUS_AUTH, request->user, request->called_id};
  AditAuthReply refusal = {.size = sizeof refusal, .outcome = ADIT_AUTH_NOT_MINE, .why = "no RADIUS server is for such users"};

  if (!radius_servers_serve(source->radius->config->servers, &want)) {
    source->radius->aaa->answer(handle, &refusal);
    return;
  }
  if (g_hash_table_size(source->requests) >= REQUESTS_MAX) {
    refusal.outcome = ADIT_AUTH_ERROR;
    refusal.why = "too many logins wait for RADIUS";
    source->radius->aaa->answer(handle, &refusal);
    return;
  }
  LoginRequest *login = g_new0(LoginRequest, 1);
  login->source = source;
  login->request = adit_auth_request_ref(request);
  login->handle = source->radius->aaa->handle_ref(handle);
  login->config = radius_config_ref(source->radius->config);
  login->tried = g_ptr_array_new();
  g_hash_table_insert(source->requests, handle, login);
  begin_at_next_server(login);
}

/** The request is cancelled: a later answer of the server is dropped. */
static void cancel_login_request(gpointer state, AditAuthHandle *handle) {
  g_hash_table_remove(((RadiusSource *)state)->requests, handle);
}

static const AditAuthSourceOps ops = {.size = sizeof ops, .name = "radius", .ask = begin_login_request, .cancel = cancel_login_request};

RadiusSource *radius_source_new(Radius *radius, GError **error) {
  RadiusSource *source = g_new0(RadiusSource, 1);

  source->radius = radius;
  source->unsupported = (AditLogQuota)ADIT_LOG_QUOTA("what a server gave can't be honoured");
  source->requests = g_hash_table_new_full(NULL, NULL, NULL, free_login_request);
  if (radius->aaa->source_add(radius->plugin, &ops, source, error))
    return source;
  radius_source_free(source);
  return NULL;
}

void radius_source_free(RadiusSource *source) {
  if (!source)
    return;
  g_hash_table_unref(source->requests);
  adit_log_quota_stop(&source->unsupported);
  g_free(source);
}
