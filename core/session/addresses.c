/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Which IPv4 addresses the two ends get, the name servers beside them, and what of IPv6 is said from outside. */
#include "core/pool/pool.h"
#include "core/session/internal.h"

/* Addresses in use that did not come out of a pool: a pool knows only its own, and two peers with the same, or a peer with
 * one of ours, would take each other's traffic. A prefix stands here by its first address. */
static GHashTable *theirs; /* AditAddress */
static AditTally *ours;    /* AditAddress, for each session that has it */

void adit_addresses_init(void) {
  theirs = g_hash_table_new_full(adit_address_hash, adit_address_same, g_free, NULL);
  ours = adit_tally_new(adit_address_hash, adit_address_same, sizeof(AditAddress));
}

void adit_addresses_fini(void) {
  g_clear_pointer(&theirs, g_hash_table_unref);
  g_clear_pointer(&ours, adit_tally_free);
}

static AditPrefix host_prefix(const AditAddress *address) {
  return (AditPrefix){*address, (guint8)(adit_address_size(address) * 8)};
}

static gboolean from_pool(AditSess *session, const char *pool, AditAddress *out, GError **error) {
  AditPrefix taken;
  if (!adit_pool_service()->take(pool, session->user, &taken, error))
    return FALSE;
  session->lease[session->n_leases++] = (AditSessLease){taken, ADIT_LEASE_TAKEN};
  *out = taken.address;
  return TRUE;
}

static void hold_ours(AditSess *session, const AditAddress *address) {
  AditPrefix prefix = host_prefix(address);
  adit_pool_service()->hold(&prefix);
  adit_tally_add(ours, address);
  session->lease[session->n_leases++] = (AditSessLease){prefix, ADIT_LEASE_OURS};
}

/* Taken out of the pools, so that nobody else gets it. */
static gboolean reserve_prefix(AditSess *session, const AditPrefix *prefix) {
  const AditAddress *address = &prefix->address;

  if (session->n_leases == ADIT_SESS_MAX_LEASES || adit_tally_count(ours, address) || g_hash_table_contains(theirs, address) ||
      !adit_pool_service()->reserve(prefix))
    return FALSE;
  g_hash_table_add(theirs, g_memdup2(address, sizeof *address));
  session->lease[session->n_leases++] = (AditSessLease){*prefix, ADIT_LEASE_THEIRS};
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

static gboolean decide_local(AditSess *session, AditAddress *out, GError **error) {
  const AditValue *item = adit_value_get(session->attributes, "local-address");

  if (item && item->type == ADIT_VALUE_STRING && !from_pool(session, item->as.string, out, error)) {
    g_prefix_error(error, "local-address: ");
    return FALSE;
  }
  if (item && item->type == ADIT_VALUE_ADDRESS) {
    *out = item->as.address;
    if (!session->is_client) /* it only asks for it */
      hold_ours(session, out);
  }
  return TRUE;
}

static gboolean decide_remote(AditSess *session, AditAddress *out, GError **error) {
  const AditValue *item = adit_value_get(session->attributes, "remote-address");

  if (item && item->type == ADIT_VALUE_STRING && !from_pool(session, item->as.string, out, error)) {
    g_prefix_error(error, "remote-address: ");
    return FALSE;
  }
  if (item && item->type == ADIT_VALUE_ADDRESS) {
    *out = item->as.address;
    return session->is_client || reserve_theirs(session, out, error); /* a client's server may be the same for many */
  }
  return TRUE;
}

gboolean adit_sess_accept_remote(AditSess *session, const AditAddress *address, GError **error) {
  if (session->is_client || !adit_address_is_set(address) || adit_address_is_any(address))
    return TRUE;
  for (guint i = 0; i < session->n_leases; i++)
    if (session->lease[i].kind != ADIT_LEASE_OURS && adit_address_equal(&session->lease[i].prefix.address, address))
      return TRUE;
  return reserve_theirs(session, address, error);
}

static gboolean has_lease(const AditSess *session, const AditPrefix *prefix) {
  for (guint i = 0; i < session->n_leases; i++)
    if (session->lease[i].prefix.length == prefix->length && adit_address_equal(&session->lease[i].prefix.address, &prefix->address))
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

/* IPv6 prefixes that are the peer's: two who have the same would take each other's traffic. */
static gboolean reserve_prefixes(AditSess *session, const char *key, GError **error) {
  char text[ADIT_PREFIX_TEXT];
  AditPrefix prefix;

  for (guint i = 0; adit_sess_prefix_at(session, key, i, &prefix); i++)
    if (!has_lease(session, &prefix) && !reserve_prefix(session, &prefix)) {
      g_set_error(error, ADIT_ERROR, ADIT_ERR_BUSY, "%s %s is in use", key, adit_prefix_format(&prefix, text));
      return FALSE;
    }
  return TRUE;
}

static void set_remote_ifid(AditSess *session) {
  const AditValue *item = adit_value_get(session->attributes, "remote-interface-id");
  if (item && item->type == ADIT_VALUE_OCTETS && g_bytes_get_size(item->as.octets) == sizeof session->params.remote_ifid)
    memcpy(session->params.remote_ifid, g_bytes_get_data(item->as.octets, NULL), sizeof session->params.remote_ifid);
}

static void servers(const AditValue *attributes, const char *key, AditAddress out[2]) {
  const AditValue *list = adit_value_get(attributes, key);
  guint n = 0;
  for (guint i = 0; i < adit_value_length(list) && n < 2; i++) {
    const AditValue *item = adit_value_at(list, i);
    if (item->type == ADIT_VALUE_ADDRESS && item->as.address.family == AF_INET)
      out[n++] = item->as.address;
  }
}

gboolean adit_sess_reserve(AditSess *session, GError **error) {
  AditNcpParams *params = &session->params;

  params->size = sizeof *params;
  params->client = session->is_client;
  params->attributes = session->first;
  params->accept_remote4 = session->is_client || adit_value_get_bool(session->attributes, "accept-remote-address", FALSE);
  params->want_dns = session->is_client;
  servers(session->attributes, "dns-server", params->dns);
  servers(session->attributes, "wins-server", params->wins);

  set_remote_ifid(session);

  return decide_local(session, &params->local4, error) && decide_remote(session, &params->remote4, error) &&
         (session->is_client ||
          (reserve_prefixes(session, "remote-ipv6-prefix", error) && reserve_prefixes(session, "delegated-ipv6-prefix", error)));
}

void adit_sess_release(AditSess *session) {
  while (session->n_leases) {
    const AditSessLease *lease = &session->lease[--session->n_leases];
    switch (lease->kind) {
    case ADIT_LEASE_TAKEN:
      break;
    case ADIT_LEASE_OURS:
      adit_tally_remove(ours, &lease->prefix.address);
      break;
    case ADIT_LEASE_THEIRS:
      g_hash_table_remove(theirs, &lease->prefix.address);
      break;
    }
    adit_pool_service()->give_back(&lease->prefix);
  }
}
