/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Which sources a session may send from: its prefixes, but for what longer prefixes of others take out of them. */
#include "source.h"
#include "../dp.h"
#include "../worker/quiet.h"
#include "tun-session.h"

static guint prefix_version(const AditPrefix *prefix) {
  return prefix->address.family == AF_INET6 ? 6 : 4;
}

static guint64 source_key(const AditDpSession *session, guint version, guint length, const guint8 bits[16]) {
  return tun_prefix_key(version, length, bits) * G_GUINT64_CONSTANT(0x9e3779b97f4a7c15) ^ session->by_serial.key;
}

static void advance_version(TunDp *dp) {
  __atomic_add_fetch(&dp->sources_version, 1, __ATOMIC_SEQ_CST);
}

/* ---- all prefixes that there are ---- */

static void owned_add(TunDp *dp, const AditPrefix *prefix) {
  TunRoute *route = tun_routes_find(&dp->owned, prefix);
  if (!route) {
    route = g_new0(TunRoute, 1);
    route->prefix = *prefix;
    if (!tun_routes_insert(&dp->owned, route)) { /* a hash that another prefix has: then this one takes nothing from others */
      g_free(route);
      return;
    }
  }
  route->value = GUINT_TO_POINTER(GPOINTER_TO_UINT(route->value) + 1);
}

static void owned_remove(TunDp *dp, const AditPrefix *prefix) {
  TunRoute *route = tun_routes_find(&dp->owned, prefix);
  if (!route)
    return;
  route->value = GUINT_TO_POINTER(GPOINTER_TO_UINT(route->value) - 1);
  if (route->value)
    return;
  tun_routes_remove(&dp->owned, route);
  tun_retire_memory(dp, route);
}

/* ---- a session's ---- */

static TunSource *source_find(const AditDpSession *session, const AditPrefix *prefix) {
  guint version = prefix_version(prefix);
  guint64 key = source_key(session, version, prefix->length, prefix->address.octet);
  TunSource *source = (TunSource *)tun_table_lookup(&session->dp->sources, key);
  return source && source->session == session && source->prefix.length == prefix->length &&
                 adit_address_equal(&source->prefix.address, &prefix->address)
             ? source
             : NULL;
}

/* On a shared port it brings traffic, too. */
static gboolean route_add(AditDpSession *session, TunSource *source, GError **error) {
  char text[ADIT_PREFIX_TEXT];
  TunRoute *route = g_new0(TunRoute, 1);
  route->prefix = source->prefix;
  route->value = session;
  if (tun_routes_insert(session->port->routes, route)) {
    source->route = route;
    return TRUE;
  }
  g_set_error(error, ADIT_ERROR, ADIT_ERR_EXISTS, "%s is another session's on %s", adit_prefix_format(&source->prefix, text),
              session->port->head.name);
  g_free(route);
  return FALSE;
}

static void host4_set(AditDpSession *session, const AditPrefix *prefix) {
  guint32 address;
  if (prefix->address.family != AF_INET || prefix->length != 32 || session->host4)
    return;
  memcpy(&address, prefix->address.octet, sizeof address);
  __atomic_store_n(&session->host4, G_GUINT64_CONSTANT(1) << 32 | address, __ATOMIC_RELAXED);
}

static void host4_unset(AditDpSession *session, const AditPrefix *prefix) {
  guint32 address;
  memcpy(&address, prefix->address.octet, sizeof address);
  if (prefix->address.family == AF_INET && prefix->length == 32 && session->host4 == (G_GUINT64_CONSTANT(1) << 32 | address))
    __atomic_store_n(&session->host4, 0, __ATOMIC_RELAXED);
}

gboolean tun_session_add_prefix(AditDpSession *session, const AditPrefix *wanted, GError **error) {
  TunDp *dp = session->dp;
  TunSource *source = g_new0(TunSource, 1);
  gboolean six = wanted->address.family == AF_INET6;

  source->prefix = tun_prefix_masked(wanted);
  source->session = session;
  source->index = session->prefixes->len;
  source->item.key = source_key(session, six ? 6 : 4, source->prefix.length, source->prefix.address.octet);
  if (source_find(session, &source->prefix)) { /* has it already */
    g_free(source);
    return TRUE;
  }
  if (session->port && session->port->head.shared && !route_add(session, source, error)) {
    g_free(source);
    return FALSE;
  }
  if (!tun_table_insert(&dp->sources, &source->item)) { /* another's hash: it may not send from it, and can still be reached */
    source->item.key = 0;
    adit_warning(NULL, "a prefix of a session cannot be told from another one");
  }
  guint length = source->prefix.length;
  __atomic_fetch_or(&session->lengths[six][length / 64], G_GUINT64_CONSTANT(1) << length % 64, __ATOMIC_RELEASE);
  g_ptr_array_add(session->prefixes, source);
  host4_set(session, &source->prefix);
  owned_add(dp, &source->prefix);
  advance_version(dp);
  return TRUE;
}

static void source_drop(TunSource *source) {
  AditDpSession *session = source->session;
  TunDp *dp = session->dp;
  if (source->route) {
    tun_routes_remove(session->port->routes, source->route);
    tun_retire_memory(dp, source->route);
  }
  tun_table_remove(&dp->sources, &source->item);
  host4_unset(session, &source->prefix);
  owned_remove(dp, &source->prefix);
  advance_version(dp);
  tun_retire_memory(dp, source);
}

gboolean tun_session_remove_prefix(AditDpSession *session, const AditPrefix *wanted) {
  AditPrefix prefix = tun_prefix_masked(wanted);
  TunSource *source = source_find(session, &prefix);
  if (!source)
    return FALSE;
  TunSource *last = session->prefixes->pdata[session->prefixes->len - 1];
  g_ptr_array_remove_index_fast(session->prefixes, source->index);
  last->index = source->index;
  source_drop(source);
  return TRUE;
}

void tun_session_remove_prefixes(AditDpSession *session) {
  for (guint i = 0; i < session->prefixes->len; i++)
    source_drop(session->prefixes->pdata[i]);
  g_ptr_array_set_size(session->prefixes, 0);
}

/* ---- the check ---- */

/* Length of the session's longest prefix that holds the address; -1 = none. */
static int own_length(const AditDpSession *session, guint version, const guint8 *address) {
  AditPrefix prefix = {.address.family = version == 6 ? AF_INET6 : AF_INET};
  for (int word = 2; word >= 0; word--) {
    guint64 lengths = __atomic_load_n(&session->lengths[version == 6][word], __ATOMIC_ACQUIRE);
    while (lengths) {
      guint bit = 63 - (guint)__builtin_clzll(lengths);
      lengths &= ~(G_GUINT64_CONSTANT(1) << bit);
      prefix.length = (guint8)((guint)word * 64 + bit);
      tun_mask_bits(prefix.address.octet, address, version == 6 ? 16 : 4, prefix.length);
      if (source_find(session, &prefix))
        return prefix.length;
    }
  }
  return -1;
}

static gboolean is_own(const AditDpSession *session, guint version, const guint8 *address) {
  int own = own_length(session, version, address);
  return own >= 0 && tun_routes_longest(&session->dp->owned, version, address) <= own;
}

/* Duplicate address detection and router solicitation come from `::`, to multicast that never leaves the link. */
static gboolean is_unspecified_to_link(const guint8 *ip) {
  static const guint8 unspecified[16];
  return memcmp(ip + 8, unspecified, 16) == 0 && ip[24] == 0xff && (ip[25] & 0x0f) == 2;
}

static gboolean source4_is_own(TunWorker *w, AditDpSession *session, const guint8 *address, guint64 version) {
  TunSourceSeen *seen = &session->cell[w->index].seen;
  guint32 bits;
  memcpy(&bits, address, sizeof bits);
  if (TUN_GET(session->host4) == (G_GUINT64_CONSTANT(1) << 32 | bits) || (seen->as_of4 == version && memcmp(seen->ip4, address, 4) == 0))
    return TRUE;
  if (!is_own(session, 4, address))
    return FALSE;
  memcpy(seen->ip4, address, 4);
  seen->as_of4 = version;
  return TRUE;
}

static gboolean source6_is_own(TunWorker *w, AditDpSession *session, const guint8 *address, guint64 version) {
  TunSourceSeen *seen = &session->cell[w->index].seen;
  if (seen->as_of6 == version && memcmp(seen->ip6, address, 16) == 0)
    return TRUE;
  if (!is_own(session, 6, address))
    return FALSE;
  memcpy(seen->ip6, address, 16);
  seen->as_of6 = version;
  return TRUE;
}

gboolean tun_source_is_own(TunWorker *w, AditDpSession *session, const guint8 *ip) {
  guint64 version = __atomic_load_n(&session->dp->sources_version, __ATOMIC_ACQUIRE);
  if (ip[0] >> 4 == 4)
    return source4_is_own(w, session, ip + 12, version);
  return source6_is_own(w, session, ip + 8, version) || is_unspecified_to_link(ip);
}
