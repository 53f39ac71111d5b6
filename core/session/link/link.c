/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* A PPP link between a transport's call, AAA and a session: the engine's host. */
#include "core/session/link/link.h"
#include "core/aaa/aaa.h"
#include "core/base/engine.h"
#include "core/base/hold.h"
#include "core/base/loop.h"
#include "core/base/misuse.h"
#include "core/bus/bus.h"
#include "core/ppp/registry.h"
#include "core/session/config/attributes.h"
#include "core/session/life/accounting.h"
#include "core/session/lines.h"
#include "core/session/tally.h"
#include <adit/session-options.h>

static const AditSessLinkOps *above;
static GHashTable *links; /* id -> AditSessLink* */
static AditLinkId last_id;
static AditNumbers numbers; /* of links: a NAS-Port stays short, and is used again */

void adit_links_init(const AditSessLinkOps *ops) {
  above = ops;
  links = g_hash_table_new(g_int64_hash, g_int64_equal);
  adit_link_limit_init(ops);
}
void adit_links_fini(void) {
  g_clear_pointer(&links, g_hash_table_unref);
  adit_link_limit_fini();
  adit_numbers_clear(&numbers);
}

AditSessLink *adit_link_find(AditLinkId id) {
  return links ? g_hash_table_lookup(links, &id) : NULL;
}

const char *adit_link_server(const AditSessLink *link) {
  return adit_option_name(link->spec.config);
}

void adit_links_foreach(void (*each)(AditSessLink *link, gpointer data), gpointer data) {
  g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(AditLinkId));
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init(&iter, links);
  while (g_hash_table_iter_next(&iter, NULL, &value))
    g_array_append_val(ids, ((AditSessLink *)value)->id);
  for (guint i = 0; i < ids->len; i++) {
    AditSessLink *link = adit_link_find(g_array_index(ids, AditLinkId, i));
    if (link)
      each(link, data);
  }
}

static AditLogContext link_log(const AditSessLink *link, char peer[ADIT_ENDPOINT_TEXT]) {
  return (AditLogContext){.user = link->user, .peer = adit_endpoint_format(&link->spec.path.remote, peer)};
}

static gboolean may_log(const AditSessLink *link, AditLinesKind kind) {
  return adit_lines_allow(kind, link->call ? adit_link_server(link) : link->proven);
}

static void publish_link(AditSessLink *link, const char *name, AditCause cause, const char *reason) {
  AditLinkEvent event = {.event = {adit_bus_type(name), sizeof event},
                         .link = link->id,
                         .service = adit_link_server(link),
                         .user = link->user,
                         .peer = link->spec.path.remote,
                         .cause = cause,
                         .reason = reason};
  adit_bus_publish(&event.event);
}

/* ---- memory ---- */

static void free_later(gpointer data) {
  AditSessLink *link = data;
  adit_link_wipe_keys(link);
  adit_value_unref((AditValue *)link->spec.config);
  adit_value_unref((AditValue *)link->spec.attributes);
  adit_value_unref(link->record);
  g_free((char *)link->spec.transport);
  g_free((char *)link->spec.caller_id);
  g_free((char *)link->spec.called_id);
  g_free(link->source);
  g_free(link->user);
  g_free(link->proven);
  g_free(link->record_id);
  g_free(link->conversation);
  g_clear_pointer(&link->eap_state, g_bytes_unref);
  g_free(link);
}

/* Out of the registry and the data path; the memory goes when the loop comes round, as callers may be deep in it. */
static void drop_link(AditSessLink *link, AditCause cause, const char *reason) {
  AditPppLinkInfo info;

  adit_ppp_link_info(link->ppp, &info);
  g_hash_table_remove(links, &link->id);
  adit_link_placed(link);
  adit_numbers_give_back(&numbers, link->number);
  adit_timer_cancel(&link->timer);
  if (link->auth_request)
    adit_aaa_request_cancel(link->auth_request);
  link->auth_request = 0;

  above->lost(link, cause, reason);
  g_clear_pointer(&link->ppp, adit_ppp_link_free);
  if (link->dp_link)
    ADIT_HOLD(NULL, link->spec.datapath->link_detach, "link_detach()", link->spec.datapath->link_detach(g_steal_pointer(&link->dp_link)));
  publish_link(link, ADIT_EVENT_LINK_DOWN, cause, reason);
  above->closed(link, info.refused, reason);
  adit_call_main(free_later, link);
}

/* ---- the engine's host ---- */

static void on_ppp_timer(AditTimer *timer, gpointer data) {
  AditSessLink *link = data;
  adit_ppp_link_timeout(link->ppp, 0);
}

static void on_ppp_send(gpointer host, const guint8 *frame, gsize length) {
  AditSessLink *link = host;
  ADIT_HOLD(NULL, link->spec.datapath->link_send, "link_send()", link->spec.datapath->link_send(link->dp_link, frame, length));
}

/* EAP: the next round goes to the same source, with what it gave. */
static void remember_conversation(AditSessLink *link, const AditAuthReply *reply, const char *source) {
  gboolean open = reply->outcome == ADIT_AUTH_CHALLENGE;

  g_free(link->conversation);
  link->conversation = open ? g_strdup(source) : NULL;
  g_clear_pointer(&link->eap_state, g_bytes_unref);
  link->eap_state = open && reply->state ? g_bytes_ref(reply->state) : NULL;
}

static void on_answer(guint64 id, const AditAuthReply *reply, const char *source, gpointer data) {
  AditSessLink *link = data;
  char peer[ADIT_ENDPOINT_TEXT];

  AditLogContext log = link_log(link, peer);
  AditAuthReply refusal = {.size = sizeof refusal, .outcome = ADIT_AUTH_ERROR};
  g_autoptr(GError) error = NULL;

  link->auth_request = 0;
  remember_conversation(link, reply, source);
  if (reply->outcome == ADIT_AUTH_ACCEPT) {
    AditValue *record = adit_attributes_check(reply->attributes, source, &log, &error);
    if (record) {
      adit_value_unref(link->record);
      link->record = record;
      g_free(link->source);
      link->source = g_strdup(source);
      adit_link_keep_keys(link, reply);
    } else {
      if (may_log(link, ADIT_LINES_LOGIN_REFUSED))
        adit_warning(&log, "%s", error->message);
      refusal.why = "the source gave an attribute that can't be used";
      reply = &refusal;
    }
  }
  if (reply->outcome != ADIT_AUTH_ACCEPT && reply->outcome != ADIT_AUTH_CHALLENGE && may_log(link, ADIT_LINES_LOGIN_REFUSED))
    adit_notice(&log, "refused: %s", reply->why ? reply->why : "not accepted");
  adit_ppp_link_verdict(link->ppp, reply);
}

static void begin_auth_request(gpointer host, AditAuthRequest *taken) {
  AditSessLink *link = host;
  AditAuthRequest *request = adit_aaa_whole(taken);

  request->link = link->id;
  request->transport = g_strdup(link->spec.transport);
  request->server = g_strdup(adit_link_server(link));
  request->caller_id = g_strdup(link->spec.caller_id);
  request->called_id = g_strdup(link->spec.called_id);
  request->peer = link->spec.path.remote;
  request->local = link->spec.path.local;
  request->attributes = adit_value_ref(link->spec.attributes);
  request->record_id = g_strdup(link->record_id);
  request->port = link->number;
  if (request->kind == ADIT_AUTH_EAP) {
    request->source = g_strdup(link->conversation);
    request->state = link->eap_state ? g_bytes_ref(link->eap_state) : NULL;
  }
  g_free(link->user);
  link->user = g_strdup(request->user);
  link->auth_request = adit_aaa_request_begin(request, on_answer, link);
}

static void cancel_auth_request(gpointer host) {
  AditSessLink *link = host;
  if (link->auth_request)
    adit_aaa_request_cancel(link->auth_request);
  link->auth_request = 0;
}

static void on_network_phase(gpointer host, const char *user) {
  AditSessLink *link = host;

  if (!link->proven)
    link->proven = g_strdup(user ? user : "nobody");
  if (!link->session && !link->spec.client && user) {
    g_free(link->user);
    link->user = g_strdup(user);
  }
  if (!link->user)
    link->user = g_strdup("nobody");
  link->up = TRUE;
  above->network(link, user);
}

static void on_ppp_network_down(gpointer host) {
  AditSessLink *link = host;

  link->up = FALSE;
  above->network_down(link);
}

static gboolean on_network_frame(gpointer host, guint16 protocol, const guint8 *payload, gsize length) {
  return above->frame(host, protocol, payload, length);
}

static void on_protocol_rejected(gpointer host, guint16 protocol) {
  above->rejected(host, protocol);
}

static void on_framing(gpointer host, gboolean acfc, gboolean pfc, guint16 mtu) {
  AditSessLink *link = host;
  ADIT_HOLD(NULL, link->spec.datapath->link_framing, "link_framing()", link->spec.datapath->link_framing(link->dp_link, acfc, pfc));
  link->mtu = mtu;
  above->mtu(link);
}

static guint64 on_last_rx(gpointer host) {
  AditSessLink *link = host;
  AditDpStats stats = {0};
  ADIT_HOLD(NULL, link->spec.datapath->link_stats, "link_stats()", link->spec.datapath->link_stats(link->dp_link, &stats));
  return stats.last_rx_ms;
}

static void on_auth_done(gpointer host, gboolean peer, gboolean ok, const char *method, const char *why) {
  AditSessLink *link = host;
  char text[ADIT_ENDPOINT_TEXT];
  AditLogContext log = link_log(link, text);

  if (ok)
    adit_debug(&log, "%s: %s accepted", method, peer ? "peer" : "we are");
  else if (may_log(link, ADIT_LINES_LOGIN_REFUSED))
    adit_notice(&log, "%s: %s: %s", method, peer ? "peer refused" : "this end refused by the peer", why ? why : "no reason given");
  if (ok && !peer)
    adit_link_keep_own_keys(link);
  if (ok && link->up)
    above->rekeyed(link);
  publish_link(link, ADIT_EVENT_AUTH_DONE, ok ? ADIT_CAUSE_NONE : ADIT_CAUSE_USER_ERROR, ok ? NULL : why);
}

/* The method that a client's server requests, if it is weak and not in the configuration by name. */
static void warn_of_weak_method(AditSessLink *link) {
  gboolean allowed = adit_value_is_written(adit_option_allow_value(link->spec.config));
  char peer[ADIT_ENDPOINT_TEXT];
  AditLogContext log = link_log(link, peer);
  AditPppLinkInfo info;

  adit_ppp_link_info(link->ppp, &info);
  if (!link->call || !info.answered)
    return;
  if (strcmp(info.answered, "pap") == 0 && !link->spec.path.association)
    adit_warning(&log, "pap: the password is sent to the server in clear, without IPsec");
  else if (!allowed && (strcmp(info.answered, "chap") == 0 || strcmp(info.answered, "mschap1") == 0))
    adit_warning(&log, "%s: the server requests a weak method and does not authenticate itself: set allow: [mschap2] if it supports that",
                 info.answered);
}

static void on_lcp_up(gpointer host) {
  warn_of_weak_method(host);
  publish_link(host, ADIT_EVENT_LINK_UP, ADIT_CAUSE_NONE, NULL);
}

static void on_told(gpointer host, const char *what, const char *text) {
  char peer[ADIT_ENDPOINT_TEXT];
  AditLogContext log = link_log(host, peer);
  adit_debug(&log, "%s from the peer: %s", what, text);
}

static void on_ppp_closed(gpointer host, AditCause cause, const char *reason) {
  AditSessLink *link = host;
  const AditLinkOps *ops = link->spec.ops;
  gpointer user = link->spec.user;
  AditLinkId id = link->id;
  char peer[ADIT_ENDPOINT_TEXT];
  AditLogContext log = link_log(link, peer);

  if (may_log(link, ADIT_LINES_LINK_CLOSED))
    adit_info(&log, "link closed: %s", reason);
  drop_link(link, cause, reason);
  ADIT_HOLD(NULL, ops->closed, "closed() of a transport", ops->closed(user, id, cause, reason));
}

static const AditPppLinkOps ppp_ops = {
    .size = sizeof ppp_ops,
    .send = on_ppp_send,
    .request_begin = begin_auth_request,
    .request_cancel = cancel_auth_request,
    .network_phase = on_network_phase,
    .network_down = on_ppp_network_down,
    .network_frame = on_network_frame,
    .protocol_rejected = on_protocol_rejected,
    .framing = on_framing,
    .last_rx_ms = on_last_rx,
    .auth_done = on_auth_done,
    .lcp_up = on_lcp_up,
    .told = on_told,
    .closed = on_ppp_closed,
};

static void on_frame(gpointer user, const guint8 *frame, gsize length) {
  AditSessLink *link = user;
  adit_ppp_link_frame(link->ppp, frame, length);
}

static const AditDpLinkOps dp_ops = {sizeof dp_ops, on_frame};

/* ---- opening ---- */

static void add_method(GPtrArray *methods, const char *name) {
  const AditAuthMethod *method = adit_auth_method_find(name);
  if (method && !g_ptr_array_find(methods, method, NULL))
    g_ptr_array_add(methods, (gpointer)method);
}

/* The methods that the configuration names and a plugin has; borrowed. `all` is RouterOS's four. */
static GPtrArray *methods_of(const AditValue *set, const char *key, GError **error) {
  static const char *const four[] = {"mschap2", "mschap1", "chap", "pap"};
  g_autoptr(GPtrArray) methods = g_ptr_array_new();

  for (guint i = 0; i < adit_value_length(set); i++) {
    const char *word = adit_value_at(set, i)->as.string;
    gboolean all = strcmp(word, "all") == 0;
    for (gsize k = 0; k < (all ? G_N_ELEMENTS(four) : 1); k++)
      add_method(methods, all ? four[k] : word);
  }
  if (!methods->len) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_UNSUPPORTED, "%s: no plugin has any of the methods", key);
    return NULL;
  }
  return g_steal_pointer(&methods);
}

static AditRenegotiate renegotiate_of(const AditValue *config) {
  const char *word = adit_option_lcp_renegotiation(config);
  return g_strcmp0(word, "never") == 0         ? ADIT_RENEGOTIATE_NEVER
         : g_strcmp0(word, "on-mismatch") == 0 ? ADIT_RENEGOTIATE_ON_MISMATCH
                                               : ADIT_RENEGOTIATE_ALWAYS;
}

static gboolean may_open(AditSessLink *link, GError **error) {
  AditLinkEvent event = {
      .event = {adit_bus_type(ADIT_EVENT_LINK_UP), sizeof event}, .service = adit_link_server(link), .peer = link->spec.path.remote};
  const char *veto = adit_hook_veto(ADIT_VETO_LINK, &event.event);

  if (veto)
    g_set_error(error, ADIT_ERROR, ADIT_ERR_DENIED, "%s", veto);
  else if (!adit_link_has_room(link->spec.transport, link->spec.config))
    g_set_error(error, ADIT_ERROR, ADIT_ERR_BUSY, "max-sessions (%" G_GINT64_FORMAT ") reached",
                adit_option_max_sessions(link->spec.config));
  else
    return TRUE;
  return FALSE;
}

/* Takes copies of what the transport only lent. */
static AditSessLink *link_new(AditPlugin *plugin, const AditLinkSpec *spec) {
  AditSessLink *link = g_new0(AditSessLink, 1);

  link->id = ++last_id;
  link->plugin = plugin;
  adit_copy_sized(&link->spec, sizeof link->spec, spec);
  link->spec.transport = g_strdup(spec->transport);
  link->spec.config = adit_value_ref(spec->config);
  link->spec.caller_id = g_strdup(spec->caller_id);
  link->spec.called_id = g_strdup(spec->called_id);
  link->spec.attributes = adit_value_ref(spec->attributes);
  link->spec.proxy = NULL;
  link->timer.func = on_ppp_timer;
  link->timer.data = link;
  link->opened_ms = adit_loop_service()->now();
  link->record_id = adit_record_id_new();
  if (spec->client) {
    link->call = spec->token;
    link->user = g_strdup(adit_option_user(spec->config));
  }
  return link;
}

static guint16 within_frame(const AditLinkSpec *spec, gint64 size) {
  if (spec->max_frame && size > spec->max_frame)
    size = spec->max_frame;
  return (guint16)CLAMP(size, 128, 65535);
}

static AditDpLink *attach_link(AditSessLink *link, GError **error) {
  const AditLinkSpec *spec = &link->spec;
  AditDpLinkSpec wanted = {.size = sizeof wanted, .id = link->id, .path = &spec->path, .encap = &spec->encap, .ops = &dp_ops, .user = link};
  if (!spec->datapath->claims || ADIT_HOLD_VALUE(NULL, spec->datapath->claims, "claims()", spec->datapath->claims(spec->dp, &spec->encap)))
    return ADIT_HOLD_VALUE(NULL, spec->datapath->link_attach, "link_attach()",
                           spec->datapath->link_attach(spec->dp, spec->listener, &wanted, error));
  g_set_error(error, ADIT_ERROR, ADIT_ERR_UNSUPPORTED, "the data path %s does not carry the links of %s", spec->datapath->name,
              spec->transport);
  return NULL;
}

AditLinkId adit_link_open(AditPlugin *plugin, const AditLinkSpec *spec, GError **error) {
  const char *password = adit_option_password(spec->config);
  g_autoptr(GPtrArray) methods = spec->client ? methods_of(adit_option_allow(spec->config), adit_option_allow_key, error)
                                              : methods_of(adit_option_authentication(spec->config), adit_option_authentication_key, error);
  if (!methods)
    return 0;

  AditSessLink *link = link_new(plugin, spec);
  AditEngineEnv env = adit_loop_engine(&link->timer);
  AditPppLinkParams params = {
      .mru = within_frame(spec, adit_option_max_mru(spec->config)),
      .mtu = within_frame(spec, adit_option_max_mtu(spec->config)),
      .keepalive_ms = (guint)adit_option_server_keepalive_timeout(spec->config),
      .auth_timeout_ms = (guint)adit_option_authentication_timeout(spec->config),
      .rechallenge_ms = (guint)adit_option_rechallenge(spec->config),
      .name = adit_link_server(link),
      .user = adit_option_user(spec->config),
      .password = password ? password : "",
      .proxy = spec->proxy,
      .renegotiate = renegotiate_of(spec->config),
  };
  AditLcpFacts facts = {.size = sizeof facts, .client = spec->client, .config = link->spec.config, .mru = params.mru};
  params.options = adit_lcp_descs(&params.n_options);
  params.facts = &facts;
  const AditAuthMethod *const *list = (const AditAuthMethod *const *)methods->pdata;
  if (spec->client)
    params.answer = list, params.n_answer = methods->len;
  else
    params.demand = list, params.n_demand = methods->len;

  if (may_open(link, error))
    link->dp_link = attach_link(link, error);
  if (!link->dp_link) {
    free_later(link);
    return 0;
  }
  link->number = adit_numbers_take(&numbers);
  link->ppp = adit_ppp_link_new(&params, &ppp_ops, link, &env);
  g_hash_table_insert(links, &link->id, link);
  adit_link_waits(link);
  above->opened(link);
  AditLinkId id = link->id;
  adit_ppp_link_open(link->ppp);
  return id;
}

/* ---- ending ---- */

void adit_link_end(AditSessLink *link, AditCause cause, const char *reason) {
  if (link->ppp)
    adit_ppp_link_close(link->ppp, cause, reason);
}

void adit_link_lost(AditSessLink *link, AditCause cause, const char *reason) {
  char peer[ADIT_ENDPOINT_TEXT];
  AditLogContext log = link_log(link, peer);
  if (may_log(link, ADIT_LINES_LINK_CLOSED))
    adit_info(&log, "link lost: %s", reason);
  adit_ppp_link_lost(link->ppp);
  drop_link(link, cause, reason);
}
