/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "setup.h"
#include "../options.h"
#include "l2tp-listener.h"
#include "l2tp.h"
#include "rules.h"
#include <adit/mistake.h>

void l2tp_setup_free(L2tpSetup *setup) {
  if (!setup)
    return;
  g_ptr_array_unref(setup->servers);
  g_ptr_array_unref(setup->listeners);
  g_array_unref(setup->secrets);
  g_free(setup);
}

static gboolean share_address(const L2tpService *a, const L2tpService *b) {
  for (guint i = 0; i < a->addresses->len; i++)
    for (guint j = 0; j < b->addresses->len; j++)
      if (adit_endpoint_equal(&g_array_index(a->addresses, AditEndpoint, i), &g_array_index(b->addresses, AditEndpoint, j)))
        return TRUE;
  return FALSE;
}

/** Two sockets of one port, one for all addresses and one for a single address: the data path can't open both. The single address; NULL:
 *  they don't. */
static const AditEndpoint *overlap_on_port(const L2tpService *a, const L2tpService *b) {
  for (guint i = 0; i < a->addresses->len; i++)
    for (guint j = 0; j < b->addresses->len; j++) {
      const AditEndpoint *x = &g_array_index(a->addresses, AditEndpoint, i), *y = &g_array_index(b->addresses, AditEndpoint, j);
      AditAddress here = adit_endpoint_address(x), there = adit_endpoint_address(y);
      if (here.family == there.family && adit_endpoint_port(x) == adit_endpoint_port(y) &&
          adit_address_is_any(&here) != adit_address_is_any(&there))
        return adit_address_is_any(&here) ? y : x;
    }
  return NULL;
}

static void check_overlap(const L2tpService *a, const L2tpService *b, GError **error) {
  const AditEndpoint *at = overlap_on_port(a, b);
  const AditWhere *first = &a->config->where;
  char text[ADIT_ENDPOINT_TEXT];

  if (at)
    adit_mistake_at(
        error, &b->config->where, NULL,
        "server `%s' and server `%s' (%s:%u:%u) can't both listen: one is for %s, the other for all addresses with that port; list its "
        "addresses, or tell them apart by `peers'",
        b->name, a->name, first->file ? first->file : "-", first->line, first->column, adit_endpoint_format(at, text));
}

static void check_pair(const L2tpService *a, const L2tpService *b, GError **error) {
  const AditWhere *first = &a->config->where;

  check_overlap(a, b, error);
  if (!share_address(a, b))
    return;
  if (strcmp(a->data_path, b->data_path))
    adit_mistake_at(error, &b->config->where, NULL, "server `%s' shares an address with `%s' (%s:%u:%u), so its data-path must be the same",
                    b->name, a->name, first->file ? first->file : "-", first->line, first->column);
  if (!a->rules->len && !b->rules->len)
    adit_mistake_at(error, &b->config->where, NULL,
                    "servers `%s' (%s:%u:%u) and `%s' listen on the same address: set `peers' in one of them", a->name,
                    first->file ? first->file : "-", first->line, first->column, b->name);
  for (guint i = 0; i < a->rules->len; i++)
    for (guint j = 0; j < b->rules->len; j++) {
      const L2tpRule *x = &g_array_index(a->rules, L2tpRule, i), *y = &g_array_index(b->rules, L2tpRule, j);
      if (l2tp_rules_equal(x, y))
        adit_mistake_at(error, &y->where, NULL, "servers `%s' (%s:%u:%u) and `%s' are for the same peers on the same address", a->name,
                        x->where.file ? x->where.file : "-", x->where.line, x->where.column, b->name);
    }
}

static void check_secrets(const GArray *secrets, GError **error) {
  for (guint i = 0; i < secrets->len; i++)
    for (guint j = i + 1; j < secrets->len; j++) {
      const L2tpRule *x = &g_array_index(secrets, L2tpRule, i), *y = &g_array_index(secrets, L2tpRule, j);
      if (l2tp_rules_equal(x, y))
        adit_mistake_at(error, &y->where, NULL, "this secret is for the same peers as the one at %s:%u:%u",
                        x->where.file ? x->where.file : "-", x->where.line, x->where.column);
    }
}

static void check_proxy_peer(const L2tpSetup *setup, const L2tpService *server, const L2tpRule *proxy, GError **error) {
  gboolean proven = FALSE;

  if (!proxy->prefix.address.family && !proxy->host) {
    adit_mistake_at(error, &proxy->where, NULL, "server `%s': this entry of proxy-peers matches nothing: set `address' or `host-name'",
                    server->name);
    return;
  }
  for (guint i = 0; i < setup->secrets->len; i++)
    proven = proven || l2tp_rule_proves(&g_array_index(setup->secrets, L2tpRule, i), proxy);
  if (!proven)
    adit_mistake_at(error, &proxy->where, NULL,
                    "server `%s': l2tp.secrets has no secret that this entry of proxy-peers can prove; add one for the same %s",
                    server->name, proxy->prefix.address.family ? "`address'" : "`host-name'");
}

/** A peer's proxy authentication replaces its callers' passwords: it is worth what the peer's own proof is worth. */
static void check_proxy_peers(const L2tpSetup *setup, const L2tpService *server, GError **error) {
  const AditWhere *where = &server->config->where;
  gboolean used = g_strcmp0(adit_option_lcp_renegotiation(server->config), "always") != 0;

  for (guint i = 0; i < server->proxy_peers->len; i++)
    check_proxy_peer(setup, server, &g_array_index(server->proxy_peers, L2tpRule, i), error);
  if (server->proxy_peers->len && !server->tunnel.demand_auth)
    adit_mistake_at(error, where, NULL, "server `%s': proxy-peers needs tunnel-authentication: set it to yes", server->name);
  if (!server->proxy_peers->len == !used)
    return;
  adit_warning(NULL, "%s:%u:%u: server `%s': %s", where->file ? where->file : "-", where->line, where->column, server->name,
               used ? "lcp-renegotiation has no effect without proxy-peers: all peers are authenticated here"
                    : "proxy-peers has no effect with lcp-renegotiation: always; set on-mismatch or never");
}

/** Any server there may want data with tunnel id 0: then all of the listener's tunnels share one space of session ids. */
static gboolean wants_any_tunnel(const L2tpSetup *setup, const AditEndpoint *at) {
  for (guint i = 0; i < setup->servers->len; i++) {
    const L2tpService *server = setup->servers->pdata[i];
    for (guint j = 0; server->any_tunnel && j < server->addresses->len; j++)
      if (adit_endpoint_equal(&g_array_index(server->addresses, AditEndpoint, j), at))
        return TRUE;
  }
  return FALSE;
}

static void open_listeners(L2tp *l2tp, L2tpSetup *setup, L2tpService *server, GError **error) {
  gboolean everywhere = !adit_value_length(l2tp_option_addresses(server->config));

  for (guint i = 0; i < server->addresses->len; i++) {
    const AditEndpoint *at = &g_array_index(server->addresses, AditEndpoint, i);
    char text[ADIT_ENDPOINT_TEXT];
    g_autoptr(GError) why = NULL;
    L2tpListener *listener = l2tp_listener_get(l2tp, server->data_path, at, wants_any_tunnel(setup, at), &why);
    if (listener)
      g_ptr_array_add(setup->listeners, listener);
    else if (everywhere && i > 0) /* a machine without IPv6 */
      adit_warning(NULL, "%s: not listening on %s: %s", server->name, adit_endpoint_format(at, text), why->message);
    else
      adit_mistake_at(error, &server->config->where, NULL, "server `%s' can't listen on %s: %s", server->name,
                      adit_endpoint_format(at, text), why->message);
  }
}

gboolean l2tp_setup_listen(L2tp *l2tp, L2tpSetup *setup, GError **error) {
  g_autoptr(GError) mistakes = NULL;

  for (guint i = 0; i < setup->servers->len; i++)
    open_listeners(l2tp, setup, setup->servers->pdata[i], &mistakes);
  if (!mistakes)
    return TRUE;
  g_ptr_array_set_size(setup->listeners, 0);
  g_propagate_error(error, g_steal_pointer(&mistakes));
  return FALSE;
}

gboolean l2tp_item_is_on(const AditValue *item) {
  const AditValue *enabled = adit_option_enabled_value(item); /* a client has none */

  return (!enabled || adit_option_enabled(item)) && !adit_option_disabled(item);
}

/** Servers (`what`) and clients alike: an item that is on needs a data path that is there. */
static void check_data_paths(const L2tp *l2tp, const AditValue *list, const char *what, GError **error) {
  gpointer dp;

  for (guint i = 0; i < adit_value_length(list); i++) {
    const AditValue *item = adit_value_at(list, i);
    const char *name = adit_option_data_path(item);
    if (l2tp_item_is_on(item) && !l2tp->path->datapath(name, &dp))
      adit_mistake_at(error, &item->where, NULL, "%s `%s': there is no data path `%s' (is its plugin loaded?)", what,
                      adit_option_name(item), name);
  }
}

L2tpSetup *l2tp_setup_new(L2tp *l2tp, const AditValue *config, GError **error) {
  const AditValue *own = l2tp_option(config), *servers = l2tp_option_servers(own);
  L2tpSetup *setup = g_new0(L2tpSetup, 1);
  g_autoptr(GError) mistakes = NULL;

  setup->servers = g_ptr_array_new_with_free_func((GDestroyNotify)l2tp_service_unref);
  setup->listeners = g_ptr_array_new_with_free_func((GDestroyNotify)l2tp_listener_unref);
  setup->secrets = l2tp_rules_new(l2tp_option_secrets(own));
  setup->max_tunnels = (guint)l2tp_option_max_tunnels(own);
  setup->max_half_open = (guint)l2tp_option_max_half_open(own);
  setup->max_starting = (guint)l2tp_option_max_starting(own);
  setup->new_rate = (guint)l2tp_option_new_tunnel_rate(own);
  setup->new_burst = (guint)l2tp_option_new_tunnel_burst(own);
  for (guint i = 0; i < adit_value_length(servers); i++) {
    const AditValue *item = adit_value_at(servers, i);
    if (!l2tp_item_is_on(item))
      continue;
    L2tpService *server = l2tp_service_new(item, FALSE);
    L2tpService *before = l2tp->setup ? l2tp_setup_server(l2tp->setup, server->name) : NULL;
    if (before)
      l2tp_service_take_load(server, before);
    for (guint j = 0; j < setup->servers->len; j++)
      check_pair(setup->servers->pdata[j], server, &mistakes);
    check_proxy_peers(setup, server, &mistakes);
    g_ptr_array_add(setup->servers, server);
  }
  check_secrets(setup->secrets, &mistakes);
  check_data_paths(l2tp, servers, "server", &mistakes);
  check_data_paths(l2tp, l2tp_option_clients(own), "client", &mistakes);
  if (mistakes)
    g_propagate_error(error, g_steal_pointer(&mistakes));
  else if (!l2tp->running || l2tp_setup_listen(l2tp, setup, error))
    return setup;
  l2tp_setup_free(setup);
  return NULL;
}

L2tpService *l2tp_setup_server(const L2tpSetup *setup, const char *name) {
  for (guint i = 0; i < setup->servers->len; i++)
    if (!strcmp(((L2tpService *)setup->servers->pdata[i])->name, name))
      return setup->servers->pdata[i];
  return NULL;
}

L2tpService *l2tp_setup_choose(const L2tpSetup *setup, const AditEndpoint *local, const AditAddress *remote, const char *host_name) {
  L2tpService *chosen = NULL;
  gint best = -1;

  for (guint i = 0; i < setup->servers->len; i++) {
    L2tpService *server = setup->servers->pdata[i];
    const L2tpRule *rule;
    gboolean here = FALSE;
    for (guint j = 0; j < server->addresses->len && !here; j++)
      here = adit_endpoint_equal(&g_array_index(server->addresses, AditEndpoint, j), local);
    gint weight = !here ? -1 : server->rules->len ? l2tp_rules_best(server->rules, remote, host_name, &rule) : 0;
    if (weight > best) {
      best = weight;
      chosen = server;
    }
  }
  return chosen;
}

gboolean l2tp_setup_names_proxy(const L2tpSetup *setup, const L2tpService *service, const AditAddress *remote, const char *host_name) {
  const L2tpRule *proxy = NULL, *secret = NULL;

  return l2tp_rules_best(service->proxy_peers, remote, host_name, &proxy) >= 0 &&
         l2tp_rules_best(setup->secrets, remote, host_name, &secret) >= 0 && l2tp_rule_proves(secret, proxy);
}

const AditValue *l2tp_setup_secret(const L2tpSetup *setup, const AditAddress *remote, const char *host_name) {
  const L2tpRule *rule = NULL;

  return l2tp_rules_best(setup->secrets, remote, host_name, &rule) >= 0 ? rule->secret : NULL;
}
