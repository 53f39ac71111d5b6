/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Which IPv4 addresses the two ends get, the name servers beside them, and what of IPv6 is said from outside. */
#include "core/session/network/addresses.h"
#include "core/base/loop.h"
#include "core/pool/pool.h"
#include "core/session/life/sess.h"
#include "core/session/lines.h"
#include "core/session/network/reach.h"
#include "core/session/tally.h"
#include <adit/session-options.h>

enum { POOL_TRIES = 1024 /* protected addresses of a pool in one go */, LOOKS = 4 /* at parked ones, when a session goes */ };

static const AditNetService *net;

/* Addresses in use that did not come out of a pool: a pool knows only its own, and two peers with the same, or a peer with
 * one of ours, would take each other's traffic. A prefix is entered by its first address. */
static GHashTable *theirs; /* AditAddress */
static AditTally *ours;    /* AditAddress, for each session that has it */
static GArray *parked;     /* AditPrefix: taken out of pools and not leased, as they are protected */
static guint next_parked;  /* the one to look at next */

void adit_addresses_init(const AditNetService *service) {
  net = service;
  theirs = g_hash_table_new_full(adit_address_hash, adit_address_same, g_free, NULL);
  ours = adit_tally_new(adit_address_hash, adit_address_same, sizeof(AditAddress));
  parked = g_array_new(FALSE, FALSE, sizeof(AditPrefix));
}

void adit_addresses_fini(void) {
  g_clear_pointer(&theirs, g_hash_table_unref);
  g_clear_pointer(&ours, adit_tally_free);
  g_clear_pointer(&parked, g_array_unref);
}

static AditPrefix host_prefix(const AditAddress *address) {
  return (AditPrefix){*address, (guint8)(adit_address_size(address) * 8)};
}

static AditAddress outer_of(const AditSess *session) {
  return adit_endpoint_address(&session->peer);
}

static gboolean may_reach(const AditSess *session, AditReachEnd end, const char *name, const AditAddress *address, GError **error) {
  AditAddress outer = outer_of(session);
  return adit_reach_address(net, end, name, address, &outer, error);
}

/* Gives back up to `most` parked addresses that are protected no more. */
static guint unpark_addresses(guint most) {
  guint given = 0;

  for (guint i = MIN(most, parked->len); i > 0; i--) {
    next_parked = next_parked < parked->len ? next_parked : 0;
    const AditPrefix prefix = g_array_index(parked, AditPrefix, next_parked);
    if (net->protected_by(&prefix.address, ADIT_PROTECT_ANY, NULL)) {
      next_parked++;
      continue;
    }
    g_array_remove_index_fast(parked, next_parked);
    adit_pool_service()->give_back(&prefix);
    given++;
  }
  return given;
}

/* One address, or FALSE when the pool has none; `why` is about a protected one. */
static gboolean take_reachable(AditSess *session, AditReachEnd end, const char *name, const char *pool, AditPrefix *out, GError **why,
                               GError **error) {
  for (guint i = 0; i < POOL_TRIES; i++) {
    if (!adit_pool_service()->take(pool, session->user, out, error))
      return FALSE;
    g_clear_error(why);
    if (may_reach(session, end, name, &out->address, why))
      return TRUE;
    g_array_append_val(parked, *out);
  }
  return FALSE;
}

/* An address of the pool that nothing else needs. One that is protected, as a tunnel's outer address is for a while, stays taken, so that
 * the pool does not offer it again and again; once the pool is used up, or a session goes, those are given back that are protected no more.
 */
static gboolean from_pool(AditSess *session, AditReachEnd end, const char *name, const char *pool, AditAddress *out, GError **error) {
  g_autoptr(GError) why = NULL, empty = NULL;
  AditPrefix taken;
  gboolean found = take_reachable(session, end, name, pool, &taken, &why, &empty);

  if (!found && unpark_addresses(parked->len)) {
    g_clear_error(&empty);
    found = take_reachable(session, end, name, pool, &taken, &why, &empty);
  }
  if (found && taken.address.family != AF_INET) {
    adit_pool_service()->give_back(&taken);
    g_set_error(error, ADIT_ERROR, ADIT_ERR_INVALID, "pool %s is of IPv6, and IPCP gives IPv4 addresses", pool);
    return FALSE;
  }
  if (found) {
    session->addresses.lease[session->addresses.n++] = (AditSessLease){taken, ADIT_LEASE_TAKEN};
    *out = taken.address;
  } else if (why) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_BUSY, "pool %s has no address that may be given: %s", pool, why->message);
  } else {
    g_propagate_error(error, g_steal_pointer(&empty));
  }
  return found;
}

static void hold_ours(AditSess *session, const AditAddress *address) {
  AditPrefix prefix = host_prefix(address);
  adit_pool_service()->hold(&prefix);
  adit_tally_add(ours, address);
  session->addresses.lease[session->addresses.n++] = (AditSessLease){prefix, ADIT_LEASE_OURS};
}

/* Taken out of the pools, so that no other session gets it. */
static gboolean reserve_prefix(AditSess *session, const AditPrefix *prefix) {
  const AditAddress *address = &prefix->address;

  if (session->addresses.n == ADIT_SESS_MAX_LEASES || adit_tally_count(ours, address) || g_hash_table_contains(theirs, address) ||
      !adit_pool_service()->reserve(prefix))
    return FALSE;
  g_hash_table_add(theirs, g_memdup2(address, sizeof *address));
  session->addresses.lease[session->addresses.n++] = (AditSessLease){*prefix, ADIT_LEASE_THEIRS};
  return TRUE;
}

static gboolean reserve_theirs(AditSess *session, const AditAddress *address, GError **error) {
  char text[ADIT_ADDRESS_TEXT];
  AditPrefix prefix = host_prefix(address);

  if (reserve_prefix(session, &prefix))
    return TRUE;
  g_set_error(error, ADIT_ERROR, ADIT_ERR_BUSY, "remote-address %s is in use", adit_address_format(address, text));
  return FALSE;
}

/* Many clients make a host route to our end, which then leads the tunnel's own packets into the tunnel. */
static void warn_of_own_outer(const AditSess *session, const AditAddress *local) {
  static AditRateLimit lines;
  AditAddress outer = adit_endpoint_address(&session->local);
  AditLogContext log = adit_sess_log(session);
  char text[ADIT_ADDRESS_TEXT];
  guint kept = 0;

  if (adit_address_equal(local, &outer) && adit_rate_allows(&lines, adit_loop_service()->now(), 1, 60000, &kept))
    adit_warning(&log,
                 "local-address %s is the address at which the peer reaches this tunnel: a client with a route to it loses the tunnel; set "
                 "another local-address",
                 adit_address_format(local, text));
}

static gboolean decide_local(AditSess *session, AditAddress *out, GError **error) {
  const AditValue *item = adit_option_local_address(session->attributes);

  if (item && item->type == ADIT_VALUE_STRING && !from_pool(session, ADIT_REACH_OURS, "local-address", item->as.string, out, error)) {
    g_prefix_error(error, "local-address: ");
    return FALSE;
  }
  if (item && item->type == ADIT_VALUE_ADDRESS) {
    *out = item->as.address;
    if (session->is_client) /* it only asks for it */
      return TRUE;
    if (!may_reach(session, ADIT_REACH_OURS, "local-address", out, error))
      return FALSE;
    hold_ours(session, out);
    warn_of_own_outer(session, out);
  }
  return TRUE;
}

static gboolean decide_remote(AditSess *session, AditAddress *out, GError **error) {
  const AditValue *item = adit_option_remote_address(session->attributes);

  if (item && item->type == ADIT_VALUE_STRING && !from_pool(session, ADIT_REACH_PEER, "remote-address", item->as.string, out, error)) {
    g_prefix_error(error, "remote-address: ");
    return FALSE;
  }
  if (item && item->type == ADIT_VALUE_ADDRESS) {
    *out = item->as.address;
    if (session->is_client) /* its server may be the same for many */
      return TRUE;
    return may_reach(session, ADIT_REACH_PEER, "remote-address", out, error) && reserve_theirs(session, out, error);
  }
  return TRUE;
}

/* ---- what the peer says ---- */

static void release_lease(AditSess *session, guint index) {
  const AditSessLease lease = session->addresses.lease[index];

  session->addresses.lease[index] = session->addresses.lease[--session->addresses.n];
  switch (lease.kind) {
  case ADIT_LEASE_TAKEN:
    break;
  case ADIT_LEASE_OURS:
    adit_tally_remove(ours, &lease.prefix.address);
    break;
  case ADIT_LEASE_THEIRS:
  case ADIT_LEASE_CHOSEN:
    g_hash_table_remove(theirs, &lease.prefix.address);
    break;
  }
  adit_pool_service()->give_back(&lease.prefix);
}

static AditSessLease *find_lease(AditSess *session, const AditAddress *address) {
  for (guint i = 0; i < session->addresses.n; i++)
    if (adit_address_equal(&session->addresses.lease[i].prefix.address, address))
      return &session->addresses.lease[i];
  return NULL;
}

static gboolean in_accepted_range(const AditSess *session, const AditAddress *address, GError **error) {
  const AditValue *ranges = adit_option_accept_remote_address(session->attributes);
  char text[ADIT_ADDRESS_TEXT];

  for (guint i = 0; i < adit_value_length(ranges); i++) {
    const AditValue *range = adit_value_at(ranges, i);
    if (range->type == ADIT_VALUE_PREFIX && adit_prefix_contains(&range->as.prefix, address))
      return TRUE;
  }
  g_set_error(error, ADIT_ERROR, ADIT_ERR_DENIED, "%s is not within accept-remote-address", adit_address_format(address, text));
  return FALSE;
}

static gboolean take_choice(AditSess *session, const AditAddress *address, GError **error) {
  if (!in_accepted_range(session, address, error) || !may_reach(session, ADIT_REACH_PEER, "address", address, error))
    return FALSE;
  for (guint i = session->addresses.n; i-- > 0;)
    if (session->addresses.lease[i].kind == ADIT_LEASE_CHOSEN)
      release_lease(session, i);
  if (!reserve_theirs(session, address, error))
    return FALSE;
  session->addresses.lease[session->addresses.n - 1].kind = ADIT_LEASE_CHOSEN;
  return TRUE;
}

/* AditNcpParams.choose: once offered, an address is reserved for the peer, so that no other peer is offered the same. */
static gboolean choose_address(gpointer data, const AditAddress *address) {
  AditSess *session = data;
  const AditSessLease *lease = find_lease(session, address);
  g_autoptr(GError) error = NULL;

  if (lease && lease->kind != ADIT_LEASE_OURS)
    return TRUE;
  if (take_choice(session, address, &error))
    return TRUE;
  if (!session->addresses.choice_refused) { /* it may go on choosing: once is enough */
    AditLogContext log = adit_sess_log(session);
    adit_lines_warning(&log, "address requested by the peer refused: %s", error->message);
    session->addresses.choice_refused = TRUE;
  }
  return FALSE;
}

/* The addresses of both ends, as a client's server gives them. */
static gboolean judge_server(AditSess *session, AditSessFamily *family, const AditAddress *local, AditAddress *remote, GError **error) {
  AditLogContext log = adit_sess_log(session);
  g_autoptr(GError) why = NULL;

  if (family->applied) { /* renegotiated: the same addresses, which were judged */
    if (family->no_peer)
      *remote = (AditAddress){0};
    return TRUE;
  }
  if (adit_address_is_set(local) &&
      !may_reach(session, ADIT_REACH_OURS, "the server gives us an address that can't be used:", local, error))
    return FALSE;
  family->no_peer = adit_address_is_set(remote) && !may_reach(session, ADIT_REACH_PEER, "the server's inner address", remote, &why);
  if (family->no_peer) {
    adit_lines_warning(&log, "%s: no route leads to it through the session", why->message);
    *remote = (AditAddress){0};
  }
  return TRUE;
}

gboolean adit_sess_accept_ends(AditSess *session, AditSessFamily *family, const AditAddress *local, AditAddress *remote, GError **error) {
  if (family->family != AF_INET) /* link-local ones are the link's own */
    return TRUE;
  if (session->is_client)
    return judge_server(session, family, local, remote, error);
  /* the NCP has asked about a choice already */
  return !adit_address_is_set(remote) || find_lease(session, remote) || take_choice(session, remote, error);
}

static gboolean has_lease(const AditSess *session, const AditPrefix *prefix) {
  for (guint i = 0; i < session->addresses.n; i++)
    if (session->addresses.lease[i].prefix.length == prefix->length &&
        adit_address_equal(&session->addresses.lease[i].prefix.address, &prefix->address))
      return TRUE;
  return FALSE;
}

gboolean adit_sess_prefix_at(const AditSess *session, const char *key, guint index, AditPrefix *out) {
  const AditValue *item = adit_value_at(adit_value_get(session->attributes, key), index);

  if (!item || item->type != ADIT_VALUE_PREFIX)
    return FALSE;
  *out = item->as.prefix;
  for (guint bit = out->length; bit < adit_address_size(&out->address) * 8; bit++)
    out->address.octet[bit / 8] &= (guint8) ~(0x80 >> bit % 8);
  return TRUE;
}

/* IPv6 prefixes that are the peer's: two sessions with the same address would take each other's traffic. */
static gboolean reserve_prefixes(AditSess *session, const char *key, GError **error) {
  AditAddress outer = outer_of(session);
  char text[ADIT_PREFIX_TEXT];
  AditPrefix prefix;

  for (guint i = 0; adit_sess_prefix_at(session, key, i, &prefix); i++) {
    if (!adit_reach_prefix(net, key, &prefix, &outer, error))
      return FALSE;
    if (!has_lease(session, &prefix) && !reserve_prefix(session, &prefix)) {
      g_set_error(error, ADIT_ERROR, ADIT_ERR_BUSY, "%s %s is in use", key, adit_prefix_format(&prefix, text));
      return FALSE;
    }
  }
  return TRUE;
}

static void set_remote_ifid(AditSess *session) {
  const AditValue *item = adit_option_remote_interface_id(session->attributes);
  if (item && item->type == ADIT_VALUE_OCTETS && g_bytes_get_size(item->as.octets) == sizeof session->addresses.params.remote_ifid)
    memcpy(session->addresses.params.remote_ifid, g_bytes_get_data(item->as.octets, NULL), sizeof session->addresses.params.remote_ifid);
}

/* RFC 1877 has two of each, of IPv4. A file with others is refused; a source hears of it here. */
static void take_servers(const AditSess *session, const char *key, AditAddress out[2]) {
  const AditValue *list = adit_value_get(session->attributes, key);
  char text[ADIT_ADDRESS_TEXT];
  guint n = 0;

  for (guint i = 0; i < adit_value_length(list); i++) {
    const AditValue *item = adit_value_at(list, i);
    if (item->type != ADIT_VALUE_ADDRESS)
      continue;
    if (n < 2 && item->as.address.family == AF_INET) {
      out[n++] = item->as.address;
      continue;
    }
    AditLogContext log = adit_sess_log(session);
    adit_lines_warning(&log, "%s %s is ignored: IPCP carries two IPv4 addresses", key, adit_address_format(&item->as.address, text));
  }
}

static void warn_of_no_range(const AditSess *session) {
  AditLogContext log = adit_sess_log(session);

  if (adit_option_peer_chooses_address(session->attributes) && !session->addresses.params.accept_remote4)
    adit_lines_warning(&log, "source %s lets the peer choose its address, and no profile has a range for it: set accept-remote-address",
                       session->source ? session->source : "?");
}

gboolean adit_sess_reserve(AditSess *session, GError **error) {
  AditNcpParams *params = &session->addresses.params;

  params->size = sizeof *params;
  params->client = session->is_client;
  params->attributes = session->first;
  params->accept_remote4 = session->is_client || adit_value_length(adit_option_accept_remote_address(session->attributes));
  params->choose = choose_address;
  params->choose_user = session;
  warn_of_no_range(session);
  params->want_dns = session->is_client;
  take_servers(session, "dns-server", params->dns);
  take_servers(session, "wins-server", params->wins);

  set_remote_ifid(session);

  return decide_local(session, &params->local4, error) && decide_remote(session, &params->remote4, error) &&
         (session->is_client ||
          (reserve_prefixes(session, "remote-ipv6-prefix", error) && reserve_prefixes(session, "delegated-ipv6-prefix", error)));
}

/* The last reference may go when the module is closed already; its addresses went when the session ended. */
void adit_sess_release(AditSess *session) {
  if (!session->addresses.n)
    return;
  while (session->addresses.n)
    release_lease(session, session->addresses.n - 1);
  unpark_addresses(LOOKS);
}
