/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/session/config/check.h"
#include "core/pool/options.h"
#include "core/session/config/check-addresses.h"
#include "core/session/network/bridge-address.h"
#include "core/session/network/route.h"
#include <adit/session-options.h>

/* Names of the items of a top-level list, for "did you mean". */
static GPtrArray *names_of(const AditValue *list) {
  GPtrArray *names = g_ptr_array_new();

  for (guint i = 0; i < adit_value_length(list); i++) {
    const char *name = adit_option_name(adit_value_at(list, i));
    if (name)
      g_ptr_array_add(names, (gpointer)name);
  }
  return names;
}

static gboolean has_name(const GPtrArray *names, const char *name) {
  for (guint i = 0; i < names->len; i++)
    if (names->pdata[i] && strcmp(names->pdata[i], name) == 0)
      return TRUE;
  return FALSE;
}

typedef struct {
  AditConfigErrors *errors;
  GPtrArray *profiles, *pools; /* NULL-terminated */
} Check;

/* `item` names something: it must be among `names`. */
static void must_exist(Check *check, const AditValue *item, const char *path, const char *kind, const GPtrArray *names) {
  if (!item || item->type != ADIT_VALUE_STRING || has_name(names, item->as.string))
    return;
  const char *near = adit_config_nearest(item->as.string, (const char *const *)names->pdata);
  adit_config_error(check->errors, item->where, path, "no %s is named %s%s%s%s", kind, item->as.string, near ? "; did you mean " : "",
                    near ? near : "", near ? "?" : "");
}

static void check_addresses(Check *check, const AditValue *item, const char *path) {
  static const char *const keys[] = {adit_option_local_address_key, adit_option_remote_address_key};
  for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
    g_autofree char *where = g_strdup_printf("%s.%s", path, keys[i]);
    must_exist(check, adit_value_get_written(item, keys[i]), where, "pool", check->pools);
  }
}

/* The machine that checks may not be the one that runs it: what its bridge lacks is no error. */
static void check_bridge(Check *check, const AditValue *item, const char *path) {
  const AditValue *bridge = adit_value_get_written(item, adit_option_bridge_key);
  const char *lack = bridge && bridge->type == ADIT_VALUE_STRING && *bridge->as.string ? adit_bridge_lack(bridge->as.string) : NULL;
  g_autofree char *where = g_strdup_printf("%s.%s", path, adit_option_bridge_key);
  if (lack)
    adit_config_warning(check->errors, bridge->where, where,
                        "bridge %s: %s: create it with a MAC address (ip link add %s address MAC type bridge)", bridge->as.string,
                        lack, bridge->as.string);
}

static void check_route_texts(Check *check, const AditValue *item, const char *path) {
  const AditValue *routes = adit_option_routes(item);
  AditNetRoute route;

  for (guint i = 0; i < adit_value_length(routes); i++) {
    g_autoptr(GError) error = NULL;
    g_autofree char *where = g_strdup_printf("%s.routes[%u]", path, i);
    const AditValue *text = adit_value_at(routes, i);
    if (text->type == ADIT_VALUE_STRING && !adit_route_parse(text->as.string, &route, &error))
      adit_config_error(check->errors, text->where, where, "%s", error->message);
  }
}

static void check_profile_key(Check *check, const AditValue *item, const char *path, const char *key) {
  g_autofree char *where = g_strdup_printf("%s.%s", path, key);
  must_exist(check, adit_value_get_written(item, key), where, "profile", check->profiles);
}

static void check_list(Check *check, const AditValue *list, const char *path, void (*each)(Check *, const AditValue *, const char *)) {
  for (guint i = 0; i < adit_value_length(list); i++) {
    g_autofree char *where = g_strdup_printf("%s[%u]", path, i);
    each(check, adit_value_at(list, i), where);
  }
}

static void check_profile(Check *check, const AditValue *item, const char *path) {
  check_addresses(check, item, path);
  check_route_texts(check, item, path);
  check_bridge(check, item, path);
}

static void check_secret(Check *check, const AditValue *item, const char *path) {
  check_addresses(check, item, path);
  check_route_texts(check, item, path);
  check_bridge(check, item, path);
  check_profile_key(check, item, path, adit_option_secret_profile_key);
}

/* PAP tells the password to whatever server asks. */
static void check_methods(Check *check, const AditValue *item, const char *path, const char *key, const char *advice) {
  const AditValue *set = adit_value_get_written(item, key);
  g_autofree char *where = g_strdup_printf("%s.%s", path, key);

  for (guint i = 0; i < adit_value_length(set); i++) {
    const char *word = adit_value_at(set, i)->as.string;
    if (strcmp(word, "pap") != 0 && strcmp(word, "all") != 0)
      continue;
    adit_config_warning(check->errors, adit_value_at(set, i)->where, where, "%s", advice);
    return;
  }
}

static void check_server(Check *check, const AditValue *item, const char *path) {
  check_profile_key(check, item, path, adit_option_default_profile_key);
  check_methods(check, item, path, adit_option_authentication_key,
                "pap lets peers send their passwords in clear: remove it unless IPsec protects the tunnel");
}

/* An empty password proves nothing, so that a client never sends one. */
static void check_password(Check *check, const AditValue *item, const char *path) {
  const AditValue *password = adit_option_password_value(item);
  g_autofree char *where = g_strdup_printf("%s.password", path);

  if (!password)
    adit_config_warning(check->errors, item->where, where, "the client has none: it can connect only to servers without authentication");
  else if (password->type == ADIT_VALUE_STRING && !*password->as.string)
    adit_config_error(check->errors, password->where, where,
                      "an empty password is refused: set one, or remove the line if the server needs no login");
}

static void check_client(Check *check, const AditValue *item, const char *path) {
  check_profile_key(check, item, path, adit_option_client_profile_key);
  check_password(check, item, path);
  check_methods(check, item, path, adit_option_allow_key,
                "pap sends the password in clear to any server that requests it: remove it unless IPsec protects the tunnel");
}

void adit_session_check(const AditValue *tree, AditConfigErrors *errors, gpointer data) {
  Check check = {errors, names_of(adit_option_profiles(tree)), names_of(adit_option_pool_pools(tree))};

  g_ptr_array_add(check.profiles, "default");
  g_ptr_array_add(check.profiles, "default-encryption");
  g_ptr_array_add(check.profiles, NULL);
  g_ptr_array_add(check.pools, NULL);
  check_list(&check, adit_option_profiles(tree), adit_option_profiles_key, check_profile);
  check_list(&check, adit_option_secrets(tree), adit_option_secrets_key, check_secret);
  adit_session_check_addresses(tree, errors);

  /* Every transport has its servers and clients under its own name. */
  for (guint i = 0; i < adit_value_length(tree); i++) {
    const char *key = adit_value_key(tree, i);
    const AditValue *item = adit_value_get(tree, key);
    g_autofree char *servers = g_strdup_printf("%s.servers", key);
    g_autofree char *clients = g_strdup_printf("%s.clients", key);
    check_list(&check, adit_transport_servers(item), servers, check_server);
    check_list(&check, adit_transport_clients(item), clients, check_client);
  }
  g_ptr_array_unref(check.profiles);
  g_ptr_array_unref(check.pools);
}
