/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The addresses that the NCPs agreed on, as claims on the kernel: addresses and routes of the session's interface. */
#include "core/session/network/session-claims.h"
#include "core/net/claims/claims.h"
#include "core/session/config/profile.h"
#include "core/session/life/sess.h"
#include "core/session/lines.h"
#include "core/session/network/plane.h"
#include "core/session/network/reach.h"
#include "core/session/network/route.h"
#include <adit/session-options.h>
#include <errno.h>

static const AditNetService *net;

void adit_sess_claims_serve(const AditNetService *service) {
  net = service;
}

static AditSessClaim *claim_at(AditSess *session, guint index) {
  return &g_array_index(session->claims.held, AditSessClaim, index);
}

static const char *name_of(const AditSessClaim *own, char text[ADIT_PREFIX_TEXT + 16]) {
  char prefix[ADIT_PREFIX_TEXT];
  g_snprintf(text, ADIT_PREFIX_TEXT + 16, "%s %s", own->kind == ADIT_SESS_ADDRESS ? "address" : "route",
             adit_prefix_format(&own->prefix, prefix));
  return text;
}

/* ---- routes that are not there ---- */

static gboolean requires_routes(const AditSess *session) {
  return adit_attribute_yes(adit_option_routes_required(session->attributes), FALSE);
}

/* A session is worth something without one of its routes, unless its profile says otherwise. */
static void miss_route(AditSess *session, const char *what, const char *why) {
  AditLogContext log = adit_sess_log(session);
  if (!requires_routes(session)) {
    adit_lines_warning(&log, "session %" G_GINT64_MODIFIER "x user %s: %s: %s; the session works without it", session->id, session->user,
                       what, why);
    return;
  }
  g_autofree char *reason = g_strdup_printf("routes-required: %s: %s", what, why);
  if (session->claims.pending && !session->claims.route_failure)
    session->claims.route_failure = g_steal_pointer(&reason); /* it ends when the kernel has answered */
  else if (!session->claims.pending)
    adit_sess_end(session, ADIT_CAUSE_PORT_ERROR, reason);
}

static void fail_family(AditSess *session, const AditSessClaim *own, int error, const char *why) {
  AditLogContext log = adit_sess_log(session);
  char text[ADIT_PREFIX_TEXT + 16];
  adit_lines_error(&log, "session %" G_GINT64_MODIFIER "x user %s: %s: %s: %s", session->id, session->user, session->port.name,
                   name_of(own, text), why ? why : g_strerror(error));
  session->family[own->prefix.address.family == AF_INET6 ? ADIT_SESS_IPV6 : ADIT_SESS_IPV4].error = error ? error : EEXIST;
}

/* ---- claims and their states ---- */

/* On a shared interface the prefix is the winner's. */
static void own_if_first(AditSess *session, AditSessClaim *own, AditClaimState state) {
  gboolean first = state != ADIT_CLAIM_WAITING && state != ADIT_CLAIM_PENDING;
  if (!session->port.shared || own->kind == ADIT_SESS_ADDRESS || (state == ADIT_CLAIM_PENDING && own->owned))
    return;
  if (first && !own->owned)
    own->owned = adit_sess_own_prefix(session, &own->prefix);
  else if (!first && own->owned)
    adit_sess_disown_prefix(session, &own->prefix), own->owned = FALSE;
}

static void judge_claim(AditSess *session, guint index, AditClaimState state, int error, const char *why, gboolean was_installed) {
  AditSessClaim *own = claim_at(session, index);
  AditLogContext log = adit_sess_log(session);
  char text[ADIT_PREFIX_TEXT + 16];

  own_if_first(session, own, state);
  switch (state) {
  case ADIT_CLAIM_PENDING:
  case ADIT_CLAIM_INSTALLED:
    return;
  case ADIT_CLAIM_WAITING:
    adit_lines_notice(&log, "session %" G_GINT64_MODIFIER "x user %s: %s waits: %s has it", session->id, session->user, name_of(own, text),
                      why);
    if (own->kind == ADIT_SESS_HOST && !was_installed)
      fail_family(session, own, EEXIST, why);
    else if (!was_installed && requires_routes(session))
      miss_route(session, name_of(own, text), why);
    return;
  case ADIT_CLAIM_BLOCKED: /* a warning with both names was logged */
    if (own->kind == ADIT_SESS_ROUTE && requires_routes(session))
      miss_route(session, name_of(own, text), why);
    else if (own->kind != ADIT_SESS_ROUTE)
      fail_family(session, own, EEXIST, why);
    return;
  case ADIT_CLAIM_REFUSED:
  case ADIT_CLAIM_LOST:
    if (own->kind == ADIT_SESS_ROUTE)
      miss_route(session, name_of(own, text), why ? why : g_strerror(error));
    else
      fail_family(session, own, error, why);
    return;
  }
}

static gboolean find_claim(AditSess *session, const AditClaim *claim, guint *index) {
  for (*index = 0; *index < session->claims.held->len; ++*index)
    if (claim_at(session, *index)->claim == claim)
      return TRUE;
  return FALSE;
}

static void on_claim_changed(AditClaim *claim, AditClaimState state, int error, const char *why, gpointer user) {
  AditSess *session = user;
  guint index;

  if (!find_claim(session, claim, &index))
    return;
  AditSessClaim *own = claim_at(session, index);
  gboolean awaited = own->awaited, was_installed = own->installed;
  adit_sess_ref(session);
  if (state != ADIT_CLAIM_PENDING) {
    own->awaited = FALSE;
    own->installed |= state == ADIT_CLAIM_INSTALLED;
  }
  judge_claim(session, index, state, error, why, was_installed);
  if (adit_sess_is_over(session)) {
    adit_sess_unref(session);
    return;
  }
  if (awaited && state != ADIT_CLAIM_PENDING)
    session->claims.pending--;
  if (!session->claims.pending && (awaited || adit_families_failed(session->family)) && state != ADIT_CLAIM_PENDING)
    adit_sess_event(session, ADIT_LIFE_KERNEL_ANSWERED);
  adit_sess_unref(session);
}

static void hold_claim(AditSess *session, AditClaim *claim, AditSessClaimKind kind, const AditPrefix *prefix) {
  AditSessClaim own = {.claim = claim, .kind = kind, .prefix = *prefix};
  const char *why = NULL;
  AditClaimState state = net->claim_state(claim, &why);

  own.awaited = state == ADIT_CLAIM_PENDING;
  own.installed = state == ADIT_CLAIM_INSTALLED;
  session->claims.pending += own.awaited;
  g_array_append_val(session->claims.held, own);
  judge_claim(session, session->claims.held->len - 1, state, 0, why, FALSE);
}

static void claim_address(AditSess *session, const AditNetAddress *address) {
  hold_claim(session, net->claim_address(address, &session->claims.claimant), ADIT_SESS_ADDRESS, &address->local);
}

/* A packet larger than the peer takes must not come from an interface with the MTU of others: RFC 1661 6.1. */
static guint32 route_mtu(const AditSess *session) {
  return session->port.shared ? session->mtu : 0;
}

void adit_sess_routes_mtu(AditSess *session) {
  for (guint i = 0; i < session->claims.held->len; i++)
    if (claim_at(session, i)->kind != ADIT_SESS_ADDRESS)
      net->claim_set_mtu(claim_at(session, i)->claim, route_mtu(session));
}

static void claim_prefix(AditSess *session, AditNetRoute *route, AditSessClaimKind kind) {
  route->mtu = route_mtu(session);
  if (!session->port.shared)
    adit_sess_own_prefix(session, &route->to);
  hold_claim(session, net->claim_route(route, &session->claims.claimant), kind, &route->to);
}

static AditValue *describe_route(const char *to, const char *state, const char *why) {
  AditValue *map = adit_value_map();
  adit_value_set(map, "route", adit_value_string(to));
  adit_value_set(map, "state", adit_value_string(state));
  if (why)
    adit_value_set(map, "why", adit_value_string(why));
  return map;
}

/* It is no route, or must not be one. */
static void note_bad_route(AditSess *session, const char *text, const char *state, const char *why) {
  if (!session->claims.bad_routes)
    session->claims.bad_routes = adit_value_list();
  adit_value_append(session->claims.bad_routes, describe_route(text, state, why));
  miss_route(session, "routes", why);
}

/* A route that must not be leaves the rest of the session as it is. */
static gboolean may_lead(AditSess *session, const AditPrefix *to) {
  AditAddress outer = adit_endpoint_address(&session->peer);
  g_autoptr(GError) error = NULL;
  char text[ADIT_PREFIX_TEXT];

  if (adit_reach_route(net, to, &outer, &error))
    return TRUE;
  note_bad_route(session, adit_prefix_format(to, text), "refused", error->message);
  return FALSE;
}

/* The routes of profile and secret, of one family; towards the peer, if they name no gateway. */
static void add_configured_routes(AditSess *session, int family) {
  const AditValue *list = adit_option_routes(session->attributes);
  int bad_family = session->family[ADIT_SESS_IPV4].applied ? AF_INET : AF_INET6;

  for (guint i = 0; i < adit_value_length(list); i++) {
    g_autoptr(GError) error = NULL;
    AditNetRoute route;
    const AditValue *item = adit_value_at(list, i);
    if (item->type != ADIT_VALUE_STRING || !adit_route_parse(item->as.string, &route, &error)) {
      if (family == bad_family) /* the text says of which family it is just as little */
        note_bad_route(session, item->type == ADIT_VALUE_STRING ? item->as.string : "-", "malformed", error ? error->message : "no text");
      continue;
    }
    if (route.to.address.family != family || !may_lead(session, &route.to))
      continue;
    route.ifindex = session->port.open->ifindex;
    claim_prefix(session, &route, ADIT_SESS_ROUTE);
  }
}

/* IPv6 prefixes that the source gave: the peer is the way to them. */
static void add_prefixes(AditSess *session, const char *key) {
  AditNetRoute route = {.ifindex = session->port.open->ifindex};

  for (guint i = 0; !session->is_client && adit_sess_prefix_at(session, key, i, &route.to); i++)
    if (route.to.address.family == AF_INET6)
      claim_prefix(session, &route, ADIT_SESS_ROUTE);
}

static void apply_ipv4(AditSess *session, const AditSessFamily *family) {
  gboolean has_peer = !adit_address_is_any(&family->remote) && adit_address_is_set(&family->remote);
  AditNetAddress address = {.ifindex = session->port.open->ifindex, .local = {family->local, 32}};

  if (has_peer && !session->port.shared) {
    AditPrefix host = {family->remote, 32};
    address.peer = family->remote; /* the kernel makes the host route */
    adit_sess_own_prefix(session, &host);
  }
  if (!adit_address_is_any(&family->local))
    claim_address(session, &address);
  if (has_peer && session->port.shared) {
    AditNetRoute route = {.to = {family->remote, 32}, .ifindex = session->port.open->ifindex};
    claim_prefix(session, &route, ADIT_SESS_HOST);
  }
  add_configured_routes(session, AF_INET);
}

static void apply_ipv6(AditSess *session, const AditSessFamily *family) {
  AditNetAddress address = {.ifindex = session->port.open->ifindex, .local = {family->local, 64}};

  AditPrefix peer = {family->remote, 128};
  if (session->port.shared)
    address.local.length = 128;
  claim_address(session, &address);
  if (session->port.shared) {
    AditNetRoute route = {.to = peer, .ifindex = session->port.open->ifindex};
    claim_prefix(session, &route, ADIT_SESS_ROUTE);
  } else {
    adit_sess_own_prefix(session, &peer);
  }
  add_prefixes(session, "remote-ipv6-prefix");
  add_prefixes(session, "delegated-ipv6-prefix");
  add_configured_routes(session, AF_INET6);
}

static void claim_family(AditSess *session, AditSessFamily *family) {
  family->applied = TRUE;
  if (family->family == AF_INET6)
    apply_ipv6(session, family);
  else
    apply_ipv4(session, family);
}

void adit_sess_claim_families(AditSess *session) {
  session->claims.pending++; /* holds the answer until all requests are out */
  for (guint i = 0; i < ADIT_SESS_FAMILIES; i++)
    if (session->family[i].open && !session->family[i].applied)
      claim_family(session, &session->family[i]);
  if (--session->claims.pending == 0)
    adit_sess_event(session, ADIT_LIFE_KERNEL_ANSWERED);
}

void adit_sess_claims_init(AditSess *session) {
  AditSessClaims *claims = &session->claims;

  claims->held = g_array_new(FALSE, FALSE, sizeof(AditSessClaim));
  claims->who = g_strdup_printf("session %" G_GINT64_MODIFIER "x user %s", session->id, session->user);
  claims->claimant = (AditClaimant){.size = sizeof claims->claimant,
                                    .who = claims->who,
                                    .party = session->is_client ? NULL : session->user,
                                    .endpoint = adit_endpoint_address(&session->peer),
                                    .changed = on_claim_changed,
                                    .user = session};
}

void adit_sess_claims_free(AditSess *session) {
  g_array_unref(session->claims.held);
  adit_value_unref(session->claims.bad_routes);
  g_free(session->claims.who);
  g_free(session->claims.route_failure);
}

static void release_claim(AditSess *session, guint index) {
  AditSessClaim own = *claim_at(session, index);
  g_array_remove_index(session->claims.held, index);
  session->claims.pending -= own.awaited;
  if (own.owned)
    adit_sess_disown_prefix(session, &own.prefix);
  net->claim_release(own.claim);
}

void adit_sess_withdraw_family(AditSess *session, const AditSessFamily *family) {
  for (guint i = session->claims.held->len; i > 0; i--)
    if (claim_at(session, i - 1)->prefix.address.family == family->family)
      release_claim(session, i - 1);
}

void adit_sess_withdraw(AditSess *session) {
  for (guint i = session->claims.held->len; i > 0; i--) /* routes before the addresses that they need */
    release_claim(session, i - 1);
}

/* ---- for people ---- */

AditValue *adit_sess_describe_routes(AditSess *session) {
  AditValue *list = adit_value_list();
  for (guint i = 0; i < session->claims.held->len; i++) {
    const AditSessClaim *own = claim_at(session, i);
    char text[ADIT_PREFIX_TEXT];
    const char *why = NULL;
    if (own->kind == ADIT_SESS_ADDRESS)
      continue;
    AditClaimState state = net->claim_state(own->claim, &why);
    adit_value_append(list, describe_route(adit_prefix_format(&own->prefix, text), adit_claim_state_word(state), why));
  }
  for (guint i = 0; i < adit_value_length(session->claims.bad_routes); i++)
    adit_value_append(list, adit_value_ref((AditValue *)adit_value_at(session->claims.bad_routes, i)));
  return list;
}
