/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The commands of sessions, clients and pools. */
#include "core/control/commands.h"
#include "core/control/control.h"
#include "core/pool/pool.h"
#include "core/session/client.h"
#include "core/session/describe.h"
#include "core/session/life/sessions.h"
#include "core/session/session.h"

static const char session_description[] = "# Sessions of people and sites, and the clients that this machine dials with.\n"
                                          "interface io.adit.session\n"
                                          "\n"
                                          "# With `more` the list comes in several replies.\n"
                                          "method ListSessions() -> (sessions: []object)\n"
                                          "# `id`: a session's id in hex, its interface, or its user.\n"
                                          "method GetSession(id: string) -> (session: object)\n"
                                          "# Ends it; given a user, all sessions of that user. `count`: how many.\n"
                                          "method Disconnect(id: string) -> (count: int)\n"
                                          "method ListClients() -> (clients: []object)\n"
                                          "method ClientUp(name: string) -> ()\n"
                                          "method ClientDown(name: string) -> ()\n"
                                          "\n"
                                          "error NoSuchSession (text: string)\n"
                                          "error NoSuchClient (text: string)\n"
                                          "error Failed (text: string)\n";

static const char pool_description[] = "# Addresses and prefixes to give away.\n"
                                       "interface io.adit.pool\n"
                                       "method ListPools() -> (pools: []object)\n";

/* A parameter that must be there; answers the call itself, and NULL, if it is not. */
static const char *get_required(AditCall *call, const AditValue *parameters, const char *name) {
  const char *text = adit_value_get_string(parameters, name, NULL);
  if (text && *text)
    return text;
  g_autofree char *why = g_strdup_printf("parameter \"%s\" is missing", name);
  adit_control_service()->error(call, "org.varlink.service.InvalidParameter", why);
  return NULL;
}

static void no_such_session(AditCall *call, const char *which) {
  g_autofree char *why = g_strdup_printf("no session \"%.128s\": give an id, interface or user as `show sessions` lists them", which);
  adit_control_service()->error(call, "io.adit.session.NoSuchSession", why);
}

static AditValue *session_row(gpointer state, guint64 id) {
  return adit_session_row(id);
}

static void list_sessions(gpointer state, AditCall *call, const AditValue *parameters) {
  adit_control_reply_ids(adit_control_service(), call, "sessions", adit_session_ids(), session_row, NULL);
}

static void get_session(gpointer state, AditCall *call, const AditValue *parameters) {
  const char *which = get_required(call, parameters, "id");
  if (!which)
    return;
  AditValue *session = adit_session_describe(which);
  if (!session) {
    no_such_session(call, which);
    return;
  }
  AditValue *result = adit_value_map();
  adit_value_set(result, "session", session);
  adit_control_service()->reply(call, result, FALSE);
}

static void disconnect_session(gpointer state, AditCall *call, const AditValue *parameters) {
  const char *which = get_required(call, parameters, "id");
  if (!which)
    return;
  guint count = adit_session_disconnect(which, ADIT_CAUSE_ADMIN_RESET, "disconnected by an administrator");
  if (!count) {
    no_such_session(call, which);
    return;
  }
  AditValue *result = adit_value_map();
  adit_value_set(result, "count", adit_value_int(count));
  adit_control_service()->reply(call, result, FALSE);
}

static AditValue *client_row(gpointer state, const char *name) {
  return adit_client_row(name);
}

static void list_clients(gpointer state, AditCall *call, const AditValue *parameters) {
  adit_control_reply_names(adit_control_service(), call, "clients", adit_client_names(), client_row, NULL);
}

static void client_switch(AditCall *call, const AditValue *parameters, gboolean (*change)(const char *name, GError **error)) {
  g_autoptr(GError) error = NULL;
  const char *name = get_required(call, parameters, "name");

  if (!name)
    return;
  if (change(name, &error))
    adit_control_service()->reply(call, adit_value_map(), FALSE);
  else if (g_error_matches(error, ADIT_ERROR, ADIT_ERR_NOT_FOUND))
    adit_control_service()->error(call, "io.adit.session.NoSuchClient", error->message);
  else
    adit_control_service()->error(call, "io.adit.session.Failed", error ? error->message : "refused");
}

static void client_up(gpointer state, AditCall *call, const AditValue *parameters) {
  client_switch(call, parameters, adit_client_up);
}

static void client_down(gpointer state, AditCall *call, const AditValue *parameters) {
  client_switch(call, parameters, adit_client_down);
}

static void list_pools(gpointer state, AditCall *call, const AditValue *parameters) {
  adit_control_reply_list(call, "pools", adit_pools_describe());
}

static const AditMethod session_methods[] = {
    {.size = sizeof(AditMethod), .name = "ListSessions", .call = list_sessions},
    {.size = sizeof(AditMethod), .name = "GetSession", .call = get_session},
    {.size = sizeof(AditMethod), .name = "Disconnect", .changes = TRUE, .call = disconnect_session},
    {.size = sizeof(AditMethod), .name = "ListClients", .call = list_clients},
    {.size = sizeof(AditMethod), .name = "ClientUp", .changes = TRUE, .call = client_up},
    {.size = sizeof(AditMethod), .name = "ClientDown", .changes = TRUE, .call = client_down},
};

static const AditCommand session_commands[] = {
    {.size = sizeof(AditCommand),
     .verb = "show sessions",
     .method = "io.adit.session.ListSessions",
     .rows = "sessions",
     .columns = "ID=id USER=user STATE=state CALLER=caller-id INTERFACE=interface ADDRESS=remote-address LINKS=links ENCODING=encoding "
                "BRIDGE=bridge UPTIME=uptime:duration RX=rx-octets:octets TX=tx-octets:octets",
     .summary = "list sessions",
     .help = "One line for each session. LINKS is how many PPP links it has, ENCODING what it does to packets (MPPE), BRIDGE its bridge. "
             "RX is what came from the "
             "peer, TX what went to it. `aditctl show session ID` shows the details."},
    {.size = sizeof(AditCommand),
     .verb = "show session",
     .method = "io.adit.session.GetSession",
     .arguments = "id",
     .columns = "UPTIME=uptime:duration RX=rx-octets:octets TX=tx-octets:octets",
     .summary = "show the details of a session",
     .help = "ID is the session's id, its interface or its user: `aditctl show session l2tp-anna`. Shows addresses, negotiated options, "
             "attributes and their origin, links and counters."},
    {.size = sizeof(AditCommand),
     .verb = "disconnect",
     .method = "io.adit.session.Disconnect",
     .arguments = "id",
     .summary = "end a session, or all sessions of a user",
     .help = "ID is the session's id, its interface or its user: `aditctl disconnect anna`. The peer may dial in again."},
    {.size = sizeof(AditCommand),
     .verb = "show clients",
     .method = "io.adit.session.ListClients",
     .rows = "clients",
     .columns =
         "NAME=name SERVICE=service TO=connect-to USER=user STATUS=status LINKS=links SINCE=since:duration NEXT=next-attempt:duration "
         "INTERFACE=interface "
         "ADDRESS=local-address ERROR=last-error",
     .summary = "list clients and their state",
     .help = "One line for each client in the configuration (`l2tp: { clients: ... }`), with its state, the time in that state, and the "
             "last error."},
    {.size = sizeof(AditCommand),
     .verb = "client up",
     .method = "io.adit.session.ClientUp",
     .arguments = "name",
     .summary = "dial a client at once",
     .help = "Dials the client at once, even if it is down or waits for its next redial: `aditctl client up office`."},
    {.size = sizeof(AditCommand),
     .verb = "client down",
     .method = "io.adit.session.ClientDown",
     .arguments = "name",
     .summary = "end a client's session and do not redial",
     .help = "Ends the client's session; it stays down until `aditctl client up NAME` or a restart of the daemon."},
};

static const AditMethod pool_methods[] = {{.size = sizeof(AditMethod), .name = "ListPools", .call = list_pools}};

static const AditCommand pool_commands[] = {
    {.size = sizeof(AditCommand),
     .verb = "show pools",
     .method = "io.adit.pool.ListPools",
     .rows = "pools",
     .columns = "NAME=name RANGES=ranges USED=used TOTAL=total NEXT=next-pool COMMENT=comment",
     .summary = "list address pools and their use",
     .help = "USED counts addresses in sessions now. NEXT is the pool to use when this one is exhausted."},
};

gboolean adit_control_session_commands(GError **error) {
  const AditControlService *control = adit_control_service();

  return control->interface_add(NULL, session_description, session_methods, G_N_ELEMENTS(session_methods), session_commands,
                                G_N_ELEMENTS(session_commands), NULL, error) &&
         control->interface_add(NULL, pool_description, pool_methods, G_N_ELEMENTS(pool_methods), pool_commands,
                                G_N_ELEMENTS(pool_commands), NULL, error) &&
         adit_control_aaa_commands(error);
}
