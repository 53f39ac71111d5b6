/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* What the NCPs agreed on, told to the kernel: addresses and routes of the session's interface, and their undoing. */
#include "core/session/internal.h"
#include "core/session/reach.h"
#include "core/session/route.h"

typedef struct {
  AditSess *session;
  gboolean ipv6;
  char what[ADIT_PREFIX_TEXT + 16];
} Request;

static void on_done(gpointer user, int error) {
  Request *request = user;
  AditSess *session = request->session;

  if (error && error != EEXIST) {
    AditLogContext log = adit_sess_log(session);
    adit_error(&log, "%s: %s: %s", session->name, request->what, g_strerror(error));
    if (request->ipv6)
      session->apply_error6 = error;
    else
      session->apply_error4 = error;
  }
  if (--session->pending == 0)
    adit_sess_applied(session);
  adit_sess_unref(session);
  g_free(request);
}

static Request *request_new(AditSess *session, const char *what, const AditPrefix *prefix) {
  Request *request = g_new0(Request, 1);
  char text[ADIT_PREFIX_TEXT];
  g_snprintf(request->what, sizeof request->what, "%s %s", what, adit_prefix_format(prefix, text));
  request->session = adit_sess_ref(session);
  request->ipv6 = prefix->address.family == AF_INET6;
  session->pending++;
  return request;
}

static void add_address(AditSess *session, const AditNetAddress *address) {
  g_array_append_val(session->addresses, *address);
  if (session->shared && adit_tally_add(adit_shared_addresses(session->shared), &address->local.address) > 1)
    return;
  adit_sess_net->address_add(address, on_done, request_new(session, "address", &address->local));
}

/* What is more than the peer takes must not come from an interface that has others' MTU: RFC 1661 6.1. */
static guint32 route_mtu(const AditSess *session) {
  return session->shared ? session->mtu : 0;
}

void adit_sess_routes_mtu(AditSess *session) {
  for (guint i = 0; i < session->routes->len && !session->port_lost; i++) {
    AditNetRoute *route = &g_array_index(session->routes, AditNetRoute, i);
    if (route->mtu == route_mtu(session))
      continue;
    route->mtu = route_mtu(session);
    adit_sess_net->route_add(route, NULL, NULL);
  }
}

static void add_route(AditSess *session, AditNetRoute *route) {
  route->mtu = route_mtu(session);
  if (!adit_sess_own_prefix(session, &route->to))
    return;
  g_array_append_val(session->routes, *route);
  adit_sess_net->route_add(route, on_done, request_new(session, "route", &route->to));
}

/* A route that must not be leaves the rest of the session as it is. */
static gboolean may_lead(const AditSess *session, const AditPrefix *to) {
  AditAddress outer = adit_endpoint_address(&session->peer);
  g_autoptr(GError) error = NULL;

  if (adit_reach_route(adit_sess_net, to, &outer, &error))
    return TRUE;
  AditLogContext log = adit_sess_log(session);
  adit_warning(&log, "%s: left out", error->message);
  return FALSE;
}

/* The secret's routes, of one family; towards the peer, if they name no gateway. */
static void add_configured_routes(AditSess *session, int family) {
  const AditValue *list = adit_value_get(session->attributes, "routes");

  for (guint i = 0; i < adit_value_length(list); i++) {
    g_autoptr(GError) error = NULL;
    AditNetRoute route;
    const AditValue *item = adit_value_at(list, i);
    if (item->type != ADIT_VALUE_STRING || !adit_route_parse(item->as.string, &route, &error)) {
      AditLogContext log = adit_sess_log(session);
      adit_warning(&log, "%s", error ? error->message : "route is no text");
      continue;
    }
    if (route.to.address.family != family || !may_lead(session, &route.to))
      continue;
    route.ifindex = session->port->ifindex;
    add_route(session, &route);
  }
}

/* IPv6 prefixes that the source gave: the peer is the way to them. */
static void add_prefixes(AditSess *session, const char *key) {
  AditNetRoute route = {.ifindex = session->port->ifindex};

  for (guint i = 0; !session->is_client && adit_sess_prefix_at(session, key, i, &route.to); i++)
    if (route.to.address.family == AF_INET6)
      add_route(session, &route);
}

static void apply_ipv4(AditSess *session) {
  const AditNcpResult *result = &session->result;
  gboolean has_peer = !adit_address_is_any(&result->remote4) && adit_address_is_set(&result->remote4);
  AditNetAddress address = {.ifindex = session->port->ifindex, .local = {result->local4, 32}};

  if (has_peer && !session->shared) {
    AditPrefix host = {result->remote4, 32};
    address.peer = result->remote4; /* the kernel makes the host route */
    adit_sess_own_prefix(session, &host);
  }
  if (!adit_address_is_any(&result->local4))
    add_address(session, &address);
  if (has_peer && session->shared) {
    AditNetRoute route = {.to = {result->remote4, 32}, .ifindex = session->port->ifindex};
    add_route(session, &route);
  }
  add_configured_routes(session, AF_INET);
}

AditAddress adit_sess_link_local(const guint8 ifid[8]) {
  AditAddress a = {AF_INET6, {0xfe, 0x80}};
  memcpy(a.octet + 8, ifid, 8);
  return a;
}

/* RFC 5072 5: the link-local addresses follow from the identifiers. */
static void apply_ipv6(AditSess *session) {
  AditNetAddress address = {.ifindex = session->port->ifindex, .local = {adit_sess_link_local(session->result.local_ifid), 64}};

  AditPrefix peer = {adit_sess_link_local(session->result.remote_ifid), 128};
  if (session->shared)
    address.local.length = 128;
  add_address(session, &address);
  if (session->shared) {
    AditNetRoute route = {.to = peer, .ifindex = session->port->ifindex};
    add_route(session, &route);
  } else {
    adit_sess_own_prefix(session, &peer);
  }
  add_prefixes(session, "remote-ipv6-prefix");
  add_prefixes(session, "delegated-ipv6-prefix");
  add_configured_routes(session, AF_INET6);
}

void adit_sess_apply(AditSess *session, gboolean ipv6) {
  gboolean *applied = ipv6 ? &session->applied6 : &session->applied4;
  if (!session->port || !session->plane || session->state == ADIT_SESS_ENDING)
    return; /* done when the interface is there */
  if (*applied)
    return; /* renegotiated; the addresses are the same, or the session would have ended */

  *applied = TRUE;
  if (session->state == ADIT_SESS_STARTING)
    session->state = ADIT_SESS_APPLYING;
  session->pending++; /* holds the answer until all requests are out */
  if (ipv6)
    apply_ipv6(session);
  else
    apply_ipv4(session);
  if (--session->pending == 0)
    adit_sess_applied(session);
}

void adit_sess_withdraw(AditSess *session) {
  for (guint i = 0; i < session->routes->len && !session->port_lost; i++)
    adit_sess_net->route_delete(&g_array_index(session->routes, AditNetRoute, i), NULL, NULL);
  for (guint i = 0; i < session->addresses->len; i++) {
    AditNetAddress *address = &g_array_index(session->addresses, AditNetAddress, i);
    gboolean last = !session->shared || !adit_tally_remove(adit_shared_addresses(session->shared), &address->local.address);
    if (last && !session->port_lost)
      adit_sess_net->address_delete(address, NULL, NULL);
  }
  g_array_set_size(session->routes, 0);
  g_array_set_size(session->addresses, 0);
}
