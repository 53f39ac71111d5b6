/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "show.h"
#include "accounting/acct.h"
#include "dae/dae.h"
#include "servers/radius-server.h"
#include "source.h"

static const char interface[] = "# RADIUS: servers, accounting that waits, dynamic authorization.\n"
                                "interface io.adit.radius\n"
                                "\n"
                                "# One item for each server and role.\n"
                                "method ListServers() -> (servers: []object)\n"
                                "# Records that wait for a server, and what became of others.\n"
                                "method GetAccounting() -> (accounting: object)\n"
                                "# Requests of servers: Disconnect and CoA.\n"
                                "method GetIncoming() -> (incoming: object)\n"
                                "# Sets the servers' counters to zero.\n"
                                "method ResetCounters() -> ()\n";

static const AditCommand commands[] = {
    {.size = sizeof(AditCommand),
     .verb = "show radius",
     .method = "io.adit.radius.ListServers",
     .rows = "servers",
     .columns = "NAME=name ADDRESS=address ROLE=role STATE=state PENDING=pending REQUESTS=requests ACCEPTS=accepts REJECTS=rejects "
                "RESENDS=resends TIMEOUTS=timeouts BAD-REPLIES=bad-replies LAST-REQUEST-RTT=last-request-rtt",
     .summary = "list RADIUS servers, their state and counters",
     .help = "One line for each server and role, in order of preference. A dead server is probed with one request at a time. Only "
             "timeouts: the server is unreachable, has no entry for this machine, or has another secret. bad-replies are replies that were "
             "not accepted (the log has the reason): a wrong secret on either side, no Message-Authenticator, or a forgery. The round trip "
             "of the last reply is in milliseconds.\nExample: aditctl show "
             "radius"},
    {.size = sizeof(AditCommand),
     .verb = "show radius-accounting",
     .method = "io.adit.radius.GetAccounting",
     .summary = "show accounting records that wait for a RADIUS server, and counters",
     .help = "records: stored and not acknowledged yet; oldest: age of the oldest in seconds; sessions: those with a Start and no Stop; "
             "recovered: Stops of sessions that a crash ended; lost: records beyond spool.max-records.\nExample: aditctl show "
             "radius-accounting"},
    {.size = sizeof(AditCommand),
     .verb = "show radius-incoming",
     .method = "io.adit.radius.GetIncoming",
     .summary = "show counters of Disconnect- and CoA-Requests",
     .help =
         "bad-requests were dropped without a reply: unknown sender, forged, unsigned, too old.\nExample: aditctl show radius-incoming"},
    {.size = sizeof(AditCommand),
     .verb = "radius reset-counters",
     .method = "io.adit.radius.ResetCounters",
     .summary = "reset the counters of RADIUS servers",
     .help = "Those that `show radius' lists; whether a server is alive stays known.\nExample: aditctl radius reset-counters"},
};

static void set_text(AditValue *map, const char *key, const char *text) {
  adit_value_set(map, key, adit_value_string(text));
}

static void set_number(AditValue *map, const char *key, guint64 number) {
  adit_value_set(map, key, adit_value_int((gint64)number));
}

/** Times are shown as people write them: milliseconds, and what is below. */
static void set_rtt(AditValue *map, const char *key, guint64 us) {
  g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT ".%03ums", us / 1000, (guint)(us % 1000));
  set_text(map, key, us ? text : "-");
}

static const char *state_word(const RadiusServer *server, RadiusRole role) {
  if (!server->at[role].any.sa_family)
    return "unresolved";
  return server->peer->role[role].dead ? "dead" : "alive";
}

static AditValue *describe_role(const RadiusServer *server, RadiusRole role) {
  static const char *const protocols[] = {[RADIUS_UDP] = "udp", [RADIUS_TLS] = "radsec", [RADIUS_DTLS] = "radsec-dtls"};
  const RadiusRoleState *state = &server->peer->role[role];
  const RadiusStats *stats = &state->stats;
  AditValue *map = adit_value_map();
  char address[ADIT_ENDPOINT_TEXT];

  set_text(map, "name", server->name);
  set_text(map, "address", server->at[role].any.sa_family ? adit_endpoint_format(&server->at[role], address) : server->host);
  set_text(map, "protocol", protocols[server->protocol]);
  set_text(map, "role", role == RADIUS_AUTH ? "authentication" : "accounting");
  set_text(map, "state", state_word(server, role));
  set_number(map, "pending", state->in_flight);
  set_number(map, "requests", stats->requests);
  set_number(map, "accepts", stats->accepts);
  set_number(map, "rejects", stats->rejects);
  set_number(map, "resends", stats->resends);
  set_number(map, "timeouts", stats->timeouts);
  set_number(map, "bad-replies", stats->bad_replies);
  set_number(map, "late-replies", stats->late);
  set_rtt(map, "last-request-rtt", stats->last_request_rtt_us);
  return map;
}

static void reply_with(Radius *radius, AditCall *call, const char *key, AditValue *value) {
  AditValue *map = adit_value_map();

  adit_value_set(map, key, value);
  radius->control->reply(call, map, FALSE);
}

static void call_list_servers(gpointer state, AditCall *call, const AditValue *parameters) {
  Radius *radius = state;
  AditValue *list = adit_value_list();

  for (guint i = 0; i < radius_servers_count(radius->config->servers); i++)
    for (guint role = 0; role < RADIUS_ROLES; role++)
      adit_value_append(list, describe_role(radius_servers_get(radius->config->servers, i), (RadiusRole)role));
  adit_control_reply_values(radius->control, call, "servers", list);
}

static void call_get_accounting(gpointer state, AditCall *call, const AditValue *parameters) {
  Radius *radius = state;
  reply_with(radius, call, "accounting", radius_acct_describe(radius->acct));
}

static void call_get_incoming(gpointer state, AditCall *call, const AditValue *parameters) {
  Radius *radius = state;
  const RadiusDaeStats none = {0}, *stats = radius->dae ? radius_dae_stats(radius->dae) : &none;
  AditValue *map = adit_value_map();

  set_number(map, "requests", stats->requests);
  set_number(map, "bad-requests", stats->bad_requests);
  set_number(map, "acks", stats->acks);
  set_number(map, "naks", stats->naks);
  set_number(map, "duplicates", stats->duplicates);
  reply_with(radius, call, "incoming", map);
}

static void call_reset_counters(gpointer state, AditCall *call, const AditValue *parameters) {
  Radius *radius = state;

  for (guint i = 0; i < radius_servers_count(radius->config->servers); i++)
    for (guint role = 0; role < RADIUS_ROLES; role++)
      memset(&radius_servers_get(radius->config->servers, i)->peer->role[role].stats, 0, sizeof(RadiusStats));
  radius->control->reply(call, adit_value_map(), FALSE);
}

static const AditMethod methods[] = {
    {.size = sizeof(AditMethod), .name = "ListServers", .call = call_list_servers},
    {.size = sizeof(AditMethod), .name = "GetAccounting", .call = call_get_accounting},
    {.size = sizeof(AditMethod), .name = "GetIncoming", .call = call_get_incoming},
    {.size = sizeof(AditMethod), .name = "ResetCounters", .changes = TRUE, .call = call_reset_counters},
};

gboolean radius_show_init(Radius *radius, GError **error) {
  return radius->control->interface_add(radius->plugin, interface, methods, G_N_ELEMENTS(methods), commands, G_N_ELEMENTS(commands), radius,
                                        error);
}
