/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Which IPv4 addresses the two ends get, and the name servers beside them. */
#include "core/pool/pool.h"
#include "core/session/internal.h"

static gboolean from_pool(AditSess *session, const char *pool, AditAddress *out, GError **error) {
  AditPrefix taken;
  if (session->n_leases == ADIT_SESS_MAX_LEASES || !adit_pool_service()->take(pool, session->user, &taken, error))
    return FALSE;
  session->lease[session->n_leases++] = taken;
  *out = taken.address;
  return TRUE;
}

/* An address that stands in the configuration: taken out of the pools, so that nobody else gets it. */
static gboolean fixed(AditSess *session, const AditAddress *address, GError **error) {
  char text[ADIT_ADDRESS_TEXT];
  AditPrefix prefix = {*address, (guint8)(adit_address_size(address) * 8)};

  if (session->n_leases == ADIT_SESS_MAX_LEASES || !adit_pool_service()->reserve(&prefix)) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_BUSY, "remote-address %s is in use", adit_address_format(address, text));
    return FALSE;
  }
  session->lease[session->n_leases++] = prefix;
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
  while (session->n_leases)
    adit_pool_service()->give_back(&session->lease[--session->n_leases]);
}
