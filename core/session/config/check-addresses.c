/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/session/config/check-addresses.h"

#include "core/net/special.h"
#include "core/pool/options.h"
#include "core/session/network/route.h"
#include <adit/session-options.h>

/* Where an address is given. */
typedef struct {
  AditAddress address;
  char *path; /* "secrets[3]" */
  AditWhere where;
} Holder;

typedef struct {
  const AditValue *tree;
  AditConfigErrors *errors;
  GHashTable *users; /* Holder by address: remote-address of secrets */
  GHashTable *ours;  /* Holder by address: local-address of profiles and secrets */
} Check;

static void holder_free(gpointer data) {
  Holder *holder = data;
  g_free(holder->path);
  g_free(holder);
}

/* The first one that has the address; NULL when that is this one. */
static const Holder *hold_address(GHashTable *table, const AditAddress *address, const char *path, const AditWhere *where) {
  const Holder *first = g_hash_table_lookup(table, address);
  if (first)
    return first;
  Holder *holder = g_new0(Holder, 1);
  *holder = (Holder){*address, g_strdup(path), *where};
  g_hash_table_insert(table, &holder->address, holder);
  return NULL;
}

static char *place_of(const Holder *holder) {
  return holder->where.file ? g_strdup_printf("%s at %s:%u:%u", holder->path, holder->where.file, holder->where.line, holder->where.column)
                            : g_strdup(holder->path);
}

/* An address that the item gives itself, not by a pool. */
static const AditValue *fixed_address(const AditValue *item, const char *key) {
  const AditValue *value = adit_value_get_written(item, key);
  return value && value->type == ADIT_VALUE_ADDRESS ? value : NULL;
}

static gboolean check_one_end(Check *check, const AditValue *item, const char *key, const char *path) {
  const AditValue *value = fixed_address(item, key);
  char text[ADIT_ADDRESS_TEXT];

  if (!value)
    return FALSE;
  g_autofree char *where = g_strdup_printf("%s.%s", path, key);
  const AditSpecial *special = adit_special_find(&value->as.address, &value->as.address);
  adit_address_format(&value->as.address, text);
  if (value->as.address.family != AF_INET)
    adit_config_error(check->errors, value->where, where, "%s is not IPv4: IPCP gives addresses, IPV6CP only the ends of the link", text);
  else if (special)
    adit_config_error(check->errors, value->where, where, "%s is %s, which no host has", text, special->what);
  else
    return TRUE;
  return FALSE;
}

/* A pool's family is that of its first range; the rest is the pools' own check. */
static gboolean is_ipv6_pool(const AditValue *tree, const char *name) {
  const AditValue *pools = adit_option_pool_pools(tree);

  for (guint i = 0; i < adit_value_length(pools); i++) {
    const AditValue *pool = adit_value_at(pools, i), *first = adit_value_at(adit_option_pool_ranges(pool), 0);
    if (g_strcmp0(adit_option_pool_name(pool), name) == 0)
      return first && first->type == ADIT_VALUE_STRING && strchr(first->as.string, ':');
  }
  return FALSE;
}

static void check_pool_family(Check *check, const AditValue *item, const char *key, const char *path) {
  const AditValue *value = adit_value_get_written(item, key);

  if (!value || value->type != ADIT_VALUE_STRING || !is_ipv6_pool(check->tree, value->as.string))
    return;
  g_autofree char *where = g_strdup_printf("%s.%s", path, key);
  adit_config_error(check->errors, value->where, where, "pool %s is of IPv6, and IPCP gives IPv4 addresses", value->as.string);
}

/* RFC 1877 has two of each, of IPv4. */
static void check_servers(Check *check, const AditValue *item, const char *key, const char *path) {
  const AditValue *list = adit_value_get_written(item, key);
  char text[ADIT_ADDRESS_TEXT];

  for (guint i = 0; i < adit_value_length(list); i++) {
    const AditValue *value = adit_value_at(list, i);
    if (value->type != ADIT_VALUE_ADDRESS)
      continue;
    g_autofree char *where = g_strdup_printf("%s.%s[%u]", path, key, i);
    const AditSpecial *special = adit_special_find(&value->as.address, &value->as.address);
    adit_address_format(&value->as.address, text);
    if (value->as.address.family != AF_INET)
      adit_config_error(check->errors, value->where, where, "%s is not IPv4: IPCP carries IPv4 alone, and IPV6CP none", text);
    else if (special)
      adit_config_error(check->errors, value->where, where, "%s is %s, which no server has", text, special->what);
    else if (i >= 2)
      adit_config_error(check->errors, value->where, where, "%s is one too many: IPCP carries two", text);
  }
}

/* Shorter than any network that one administration has. */
#define WIDE 8

static void check_ranges(Check *check, const AditValue *item, const char *path) {
  const AditValue *list = adit_option_accept_remote_address(item);
  char text[ADIT_PREFIX_TEXT];

  for (guint i = 0; i < adit_value_length(list); i++) {
    const AditValue *value = adit_value_at(list, i);
    if (value->type != ADIT_VALUE_PREFIX)
      continue;
    g_autofree char *where = g_strdup_printf("%s.accept-remote-address[%u]", path, i);
    adit_prefix_format(&value->as.prefix, text);
    if (value->as.prefix.address.family != AF_INET)
      adit_config_error(check->errors, value->where, where, "%s is not IPv4: only IPCP lets a peer choose its address", text);
    else if (value->as.prefix.length < WIDE)
      adit_config_warning(check->errors, value->where, where, "%s lets a peer take over addresses of others: set your own ranges", text);
  }
}

/* The text itself is check.c's. */
static void check_routes(Check *check, const AditValue *item, const char *path) {
  const AditValue *list = adit_option_routes(item);
  char text[ADIT_PREFIX_TEXT];
  AditNetRoute route;

  for (guint i = 0; i < adit_value_length(list); i++) {
    const AditValue *value = adit_value_at(list, i);
    if (value->type != ADIT_VALUE_STRING || !adit_route_parse(value->as.string, &route, NULL))
      continue;
    const AditSpecial *special = adit_special_holds(&route.to);
    g_autofree char *where = g_strdup_printf("%s.routes[%u]", path, i);
    if (special)
      adit_config_error(check->errors, value->where, where, "%s lies in %s: each of its addresses is %s",
                        adit_prefix_format(&route.to, text), special->prefix, special->what);
  }
}

static void check_item(Check *check, const AditValue *item, const char *path) {
  if (check_one_end(check, item, adit_option_local_address_key, path)) {
    const AditValue *value = fixed_address(item, adit_option_local_address_key);
    hold_address(check->ours, &value->as.address, path, &value->where);
  }
  check_pool_family(check, item, adit_option_local_address_key, path);
  check_pool_family(check, item, adit_option_remote_address_key, path);
  check_servers(check, item, adit_option_dns_server_key, path);
  check_servers(check, item, adit_option_wins_server_key, path);
  check_ranges(check, item, path);
  check_routes(check, item, path);
}

/* After all local addresses are known. */
static void check_user(Check *check, const AditValue *item, const char *path) {
  const AditValue *value = fixed_address(item, adit_option_remote_address_key);
  char text[ADIT_ADDRESS_TEXT];

  if (!check_one_end(check, item, adit_option_remote_address_key, path) || adit_option_disabled(item))
    return;
  g_autofree char *where = g_strdup_printf("%s.remote-address", path);
  adit_address_format(&value->as.address, text);
  const Holder *end = g_hash_table_lookup(check->ours, &value->as.address);
  if (end) {
    g_autofree char *place = place_of(end);
    adit_config_error(check->errors, value->where, where, "%s is the local-address of %s: the peer needs another", text, place);
    return;
  }
  const Holder *first = hold_address(check->users, &value->as.address, path, &value->where);
  if (first) {
    g_autofree char *place = place_of(first);
    adit_config_error(check->errors, value->where, where, "%s is the address of %s, too: only one of them could be connected", text, place);
  }
}

static void check_profile_peer(Check *check, const AditValue *item, const char *path) {
  check_one_end(check, item, adit_option_remote_address_key, path);
}

static void each_item(Check *check, const AditValue *tree, const char *list_name, void (*each)(Check *, const AditValue *, const char *)) {
  const AditValue *list = adit_value_get(tree, list_name);
  for (guint i = 0; i < adit_value_length(list); i++) {
    g_autofree char *path = g_strdup_printf("%s[%u]", list_name, i);
    each(check, adit_value_at(list, i), path);
  }
}

void adit_session_check_addresses(const AditValue *tree, AditConfigErrors *errors) {
  Check check = {tree, errors, g_hash_table_new_full(adit_address_hash, adit_address_same, NULL, holder_free),
                 g_hash_table_new_full(adit_address_hash, adit_address_same, NULL, holder_free)};

  each_item(&check, tree, adit_option_profiles_key, check_item);
  each_item(&check, tree, adit_option_secrets_key, check_item);
  each_item(&check, tree, adit_option_profiles_key, check_profile_peer);
  each_item(&check, tree, adit_option_secrets_key, check_user);
  g_hash_table_unref(check.users);
  g_hash_table_unref(check.ours);
}

/* ---- for the pools ---- */

static void collect_addresses(const AditValue *item, GArray *all) {
  static const char *const keys[] = {adit_option_local_address_key, adit_option_remote_address_key};

  for (gsize k = 0; k < G_N_ELEMENTS(keys); k++) {
    const AditValue *value = fixed_address(item, keys[k]);
    if (!value)
      continue;
    const AditPrefix host = {value->as.address, (guint8)(adit_address_size(&value->as.address) * 8)};
    g_array_append_val(all, host);
  }
}

/* The values of an option in a list of maps. */
static void collect_names(const AditValue *list, const char *key, GHashTable *names) {
  for (guint i = 0; i < adit_value_length(list); i++) {
    const char *name = adit_value_get_string(adit_value_at(list, i), key, NULL);
    if (name)
      g_hash_table_add(names, (gpointer)name);
  }
}

/* Addresses in a client's profile are wishes, which its server decides about. */
static gboolean is_for_clients(const char *profile, GHashTable *clients, GHashTable *others) {
  return profile && g_hash_table_contains(clients, profile) && !g_hash_table_contains(others, profile);
}

GArray *adit_session_fixed_addresses(const AditValue *tree) {
  g_autoptr(GHashTable) clients = g_hash_table_new(g_str_hash, g_str_equal), others = g_hash_table_new(g_str_hash, g_str_equal);
  const AditValue *profiles = adit_option_profiles(tree), *secrets = adit_option_secrets(tree);
  GArray *all = g_array_new(FALSE, FALSE, sizeof(AditPrefix));

  collect_names(secrets, adit_option_secret_profile_key, others);
  for (guint i = 0; i < adit_value_length(tree); i++) { /* every transport has its own servers and clients */
    const AditValue *transport = adit_value_get(tree, adit_value_key(tree, i));
    collect_names(adit_transport_servers(transport), adit_option_default_profile_key, others);
    collect_names(adit_transport_clients(transport), adit_option_client_profile_key, clients);
  }
  for (guint i = 0; i < adit_value_length(profiles); i++)
    if (!is_for_clients(adit_option_name(adit_value_at(profiles, i)), clients, others))
      collect_addresses(adit_value_at(profiles, i), all);
  for (guint i = 0; i < adit_value_length(secrets); i++)
    if (!adit_option_disabled(adit_value_at(secrets, i)))
      collect_addresses(adit_value_at(secrets, i), all);
  return all;
}
