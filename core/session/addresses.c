/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Which IPv4 addresses the two ends get, and the name servers beside them. */
#include "core/pool/pool.h"
#include "core/session/internal.h"

/* Addresses written for one peer that are in use: two with the same would take each other's traffic, and a pool knows only
 * its own. */
static GHashTable *used;

static gboolean from_pool(AditSess *session, const char *pool, AditAddress *out, GError **error) {
  AditPrefix taken;
  if (session->n_leases == ADIT_SESS_MAX_LEASES || !adit_pool_service()->take(pool, session->user, &taken, error))
    return FALSE;
  session->lease[session->n_leases++] = taken;
  *out = taken.address;
  return TRUE;
}

void adit_addresses_init(void) {
  used = g_hash_table_new_full(adit_address_hash, adit_address_same, g_free, NULL);
}

void adit_addresses_fini(void) {
  g_clear_pointer(&used, g_hash_table_unref);
}

/* An address that stands in the configuration: taken out of the pools, so that nobody else gets it. */
static gboolean fixed(AditSess *session, const AditAddress *address, GError **error) {
  char text[ADIT_ADDRESS_TEXT];
  AditPrefix prefix = {*address, (guint8)(adit_address_size(address) * 8)};

  if (session->n_leases == ADIT_SESS_MAX_LEASES || g_hash_table_contains(used, address) || !adit_pool_service()->reserve(&prefix)) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_BUSY, "remote-address %s is in use", adit_address_format(address, text));
    return FALSE;
  }
  session->lease[session->n_leases++] = prefix;
  session->fixed = TRUE;
  g_hash_table_add(used, g_memdup2(address, sizeof *address));
  return TRUE;
}

static gboolean decide(AditSess *session, const char *key, gboolean exclusive, AditAddress *out, GError **error) {
  const AditValue *item = adit_value_get(session->attributes, key);

  if (!item)
    return TRUE;
  if (item->type == ADIT_VALUE_ADDRESS) {
    *out = item->as.address;
    return !exclusive || fixed(session, out, error);
  }
  if (!from_pool(session, item->as.string, out, error)) {
    g_prefix_error(error, "%s: ", key);
    return FALSE;
  }
  return TRUE;
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
  params->attributes = session->attributes;
  params->accept_remote4 = session->is_client || adit_value_get_bool(session->attributes, "accept-remote-address", FALSE);
  params->want_dns = session->is_client;
  servers(session->attributes, "dns-server", params->dns);
  servers(session->attributes, "wins-server", params->wins);

  return decide(session, "local-address", FALSE, &params->local4, error) &&
         decide(session, "remote-address", !session->is_client, &params->remote4, error);
}

void adit_sess_release(AditSess *session) {
  if (session->fixed && used)
    g_hash_table_remove(used, &session->params.remote4);
  session->fixed = FALSE;
  while (session->n_leases)
    adit_pool_service()->give_back(&session->lease[--session->n_leases]);
}
