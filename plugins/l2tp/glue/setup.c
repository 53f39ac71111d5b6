/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "glue.h"

/* ---- rules: whom something is for ---- */

static void rule_clear(gpointer data) {
  L2tpRule *rule = data;

  g_free(rule->host);
  adit_value_unref(rule->secret);
}

static GArray *rules_new(const AditValue *list) {
  GArray *rules = g_array_new(FALSE, TRUE, sizeof(L2tpRule));

  g_array_set_clear_func(rules, rule_clear);
  for (guint i = 0; i < adit_value_length(list); i++) {
    const AditValue *item = adit_value_at(list, i), *secret = l2tp_option_secret_value(item);
    const AditPrefix *prefix = l2tp_option_address(item);
    L2tpRule rule = {.host = g_strdup(l2tp_option_host_name(item)), .secret = adit_value_ref(secret), .where = item->where};
    if (prefix)
      rule.prefix = *prefix;
    g_array_append_val(rules, rule);
  }
  return rules;
}

static gboolean rule_matches(const L2tpRule *rule, const AditAddress *remote, const char *host) {
  if (rule->prefix.address.family && !adit_prefix_contains(&rule->prefix, remote))
    return FALSE;
  return !rule->host || (host && g_pattern_match_simple(rule->host, host));
}

/** How exact it is: the prefix counts first, then how much of the name is given. */
static guint rule_weight(const L2tpRule *rule) {
  guint weight = rule->prefix.address.family ? 1 + rule->prefix.length : 0, name = 0;

  if (rule->host) {
    for (const char *c = rule->host; *c; c++)
      name += *c != '*' && *c != '?';
    name = MIN(name, 250) + (strpbrk(rule->host, "*?") ? 1 : 2);
  }
  return weight << 8 | name;
}

static gboolean rules_equal(const L2tpRule *a, const L2tpRule *b) {
  return a->prefix.address.family == b->prefix.address.family && a->prefix.length == b->prefix.length &&
         (!a->prefix.address.family ||
          (adit_prefix_contains(&a->prefix, &b->prefix.address) && adit_prefix_contains(&b->prefix, &a->prefix.address))) &&
         !g_strcmp0(a->host, b->host);
}

/** The weight of the best rule that matches, or -1. */
static gint rules_best(const GArray *rules, const AditAddress *remote, const char *host, const L2tpRule **found) {
  gint best = -1;

  for (guint i = 0; i < rules->len; i++) {
    const L2tpRule *rule = &g_array_index(rules, L2tpRule, i);
    if (rule_matches(rule, remote, host) && (gint)rule_weight(rule) > best) {
      best = (gint)rule_weight(rule);
      *found = rule;
    }
  }
  return best;
}

/* ---- a server or client ---- */

static guint host_hash(gconstpointer address) {
  return l2tp_index_hash_address(address);
}

static gboolean host_equal(gconstpointer a, gconstpointer b) {
  return adit_address_equal(a, b);
}

static void load_clear(gpointer load) {
  g_hash_table_unref(((L2tpLoad *)load)->hosts);
  l2tp_shares_clear(&((L2tpLoad *)load)->strangers);
}

L2tpService *l2tp_service_ref(L2tpService *service) {
  service->refs++;
  return service;
}

void l2tp_service_unref(L2tpService *service) {
  if (!service || --service->refs)
    return;
  g_free(service->name);
  g_free(service->host_name);
  g_free(service->data_path);
  g_array_unref(service->addresses);
  g_array_unref(service->rules);
  g_array_unref(service->proxy_peers);
  g_rc_box_release_full(service->load, load_clear);
  adit_value_unref(service->config);
  g_free(service);
}

static void read_addresses(L2tpService *service) {
  const AditValue *list = l2tp_option_addresses(service->config);
  guint16 port = (guint16)l2tp_option_port(service->config);
  static const char *const everywhere[] = {"0.0.0.0", "::"};

  service->addresses = g_array_new(FALSE, TRUE, sizeof(AditEndpoint));
  for (guint i = 0; i < adit_value_length(list); i++) {
    AditEndpoint at = adit_endpoint(&adit_value_at(list, i)->as.address, port);
    g_array_append_val(service->addresses, at);
  }
  for (guint i = 0; !adit_value_length(list) && i < G_N_ELEMENTS(everywhere); i++) {
    AditAddress address;
    adit_address_parse(everywhere[i], &address);
    AditEndpoint at = adit_endpoint(&address, port);
    g_array_append_val(service->addresses, at);
  }
}

static L2tpSequencing sequencing_of(const char *word) {
  static const char *const words[] = {[L2TP_SEQUENCE_ALLOW] = "allow",
                                      [L2TP_SEQUENCE_DENY] = "deny",
                                      [L2TP_SEQUENCE_PREFER] = "prefer",
                                      [L2TP_SEQUENCE_REQUIRE] = "require"};

  for (guint i = L2TP_SEQUENCE_ALLOW; i < G_N_ELEMENTS(words); i++)
    if (!g_strcmp0(word, words[i]))
      return (L2tpSequencing)i;
  return L2TP_SEQUENCE_ALLOW;
}

static void read_tunnel(L2tpService *service) {
  const AditValue *c = service->config;
  L2tpTunnelConfig *t = &service->tunnel;

  l2tp_tunnel_config_init(t);
  t->host_name = service->host_name;
  t->vendor_name = "adit";
  t->demand_auth = l2tp_option_tunnel_authentication(c);
  t->hide = l2tp_option_hide_avps(c);
  t->permissive = l2tp_option_avp_permissive(c);
  t->tie_breaker = l2tp_option_tie_breaker(c);
  t->hello_ms = (guint32)l2tp_option_hello_interval(c);
  t->setup_ms = (guint32)l2tp_option_setup_timeout(c);
  t->channel.receive_window = (guint16)l2tp_option_receive_window(c);
  t->channel.retry_ms = (guint32)l2tp_option_retransmit_timeout(c);
  t->channel.retry_cap_ms = (guint32)l2tp_option_retransmit_cap(c);
  t->channel.tries = (guint16)l2tp_option_retransmit(c);
}

L2tpService *l2tp_service_new(const AditValue *config, gboolean client) {
  L2tpService *service = g_new0(L2tpService, 1);

  service->refs = 1;
  service->client = client;
  service->config = adit_value_ref(config);
  service->name = g_strdup(adit_option_name(config));
  const char *host_name = l2tp_option_access_concentrator(config);
  service->host_name = g_strdup(host_name ? host_name : g_get_host_name());
  service->data_path = g_strdup(adit_option_data_path(config));
  service->load = g_rc_box_new0(L2tpLoad);
  l2tp_shares_init(&service->load->strangers, l2tp_index_key());
  service->load->hosts = g_hash_table_new_full(host_hash, host_equal, g_free, NULL);
  service->rules = rules_new(l2tp_option_peers(config));
  service->proxy_peers = rules_new(l2tp_option_proxy_peers(config));
  service->sequencing = sequencing_of(l2tp_option_data_sequencing(config));
  service->reorder_ms = (guint32)l2tp_option_reorder_timeout(config);
  service->idle_ms = (guint32)l2tp_option_no_session_timeout(config);
  service->ephemeral = l2tp_option_use_ephemeral_ports(config);
  service->one_per_host = l2tp_option_one_session_per_host(config);
  service->by_number = !g_strcmp0(l2tp_option_caller_id_type(config), "number");
  service->replace_stale = g_strcmp0(l2tp_option_stale_tunnel(config), "keep") != 0;
  service->any_tunnel = l2tp_option_allow_zero_tunnel_id(config);
  read_addresses(service);
  read_tunnel(service);
  return service;
}

/* ---- the whole ---- */

void l2tp_setup_free(L2tpSetup *setup) {
  if (!setup)
    return;
  g_ptr_array_unref(setup->servers);
  g_ptr_array_unref(setup->listeners);
  g_array_unref(setup->secrets);
  g_free(setup);
}

G_GNUC_PRINTF(3, 4)
static void add_complaint(GString *wrong, const AditWhere *where, const char *format, ...) {
  va_list args;

  if (wrong->len)
    g_string_append_c(wrong, '\n');
  if (where->file)
    g_string_append_printf(wrong, "%s:%u:%u: ", where->file, where->line, where->column);
  va_start(args, format);
  g_string_append_vprintf(wrong, format, args);
  va_end(args);
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

static void check_overlap(const L2tpService *a, const L2tpService *b, GString *wrong) {
  const AditEndpoint *at = overlap_on_port(a, b);
  const AditWhere *first = &a->config->where;
  char text[ADIT_ENDPOINT_TEXT];

  if (at)
    add_complaint(
        wrong, &b->config->where,
        "server `%s' and server `%s' (%s:%u:%u) can't both listen: one is for %s, the other for all addresses with that port; list its "
        "addresses, or tell them apart by `peers'",
        b->name, a->name, first->file ? first->file : "-", first->line, first->column, adit_endpoint_format(at, text));
}

static void check_pair(const L2tpService *a, const L2tpService *b, GString *wrong) {
  const AditWhere *first = &a->config->where;

  check_overlap(a, b, wrong);
  if (!share_address(a, b))
    return;
  if (strcmp(a->data_path, b->data_path))
    add_complaint(wrong, &b->config->where, "server `%s' shares an address with `%s' (%s:%u:%u), so its data-path must be the same",
                  b->name, a->name, first->file ? first->file : "-", first->line, first->column);
  if (!a->rules->len && !b->rules->len)
    add_complaint(wrong, &b->config->where, "servers `%s' (%s:%u:%u) and `%s' listen on the same address: set `peers' in one of them",
                  a->name, first->file ? first->file : "-", first->line, first->column, b->name);
  for (guint i = 0; i < a->rules->len; i++)
    for (guint j = 0; j < b->rules->len; j++) {
      const L2tpRule *x = &g_array_index(a->rules, L2tpRule, i), *y = &g_array_index(b->rules, L2tpRule, j);
      if (rules_equal(x, y))
        add_complaint(wrong, &y->where, "servers `%s' (%s:%u:%u) and `%s' are for the same peers on the same address", a->name,
                      x->where.file ? x->where.file : "-", x->where.line, x->where.column, b->name);
    }
}

static void check_secrets(const GArray *secrets, GString *wrong) {
  for (guint i = 0; i < secrets->len; i++)
    for (guint j = i + 1; j < secrets->len; j++) {
      const L2tpRule *x = &g_array_index(secrets, L2tpRule, i), *y = &g_array_index(secrets, L2tpRule, j);
      if (rules_equal(x, y))
        add_complaint(wrong, &y->where, "this secret is for the same peers as the one at %s:%u:%u", x->where.file ? x->where.file : "-",
                      x->where.line, x->where.column);
    }
}

static gboolean prefixes_meet(const AditPrefix *a, const AditPrefix *b) {
  return !a->address.family || !b->address.family ||
         (a->address.family == b->address.family && (adit_prefix_contains(a, &b->address) || adit_prefix_contains(b, &a->address)));
}

/** A secret that proves to be `proxy`: of the same addresses, or, as anybody can take a name, for that very name. */
static gboolean proves_proxy(const L2tpRule *secret, const L2tpRule *proxy) {
  return prefixes_meet(&secret->prefix, &proxy->prefix) && (proxy->prefix.address.family || !g_strcmp0(secret->host, proxy->host));
}

static void check_proxy_peer(const L2tpSetup *setup, const L2tpService *server, const L2tpRule *proxy, GString *wrong) {
  gboolean proven = FALSE;

  if (!proxy->prefix.address.family && !proxy->host) {
    add_complaint(wrong, &proxy->where, "server `%s': this entry of proxy-peers matches nothing: set `address' or `host-name'",
                  server->name);
    return;
  }
  for (guint i = 0; i < setup->secrets->len; i++)
    proven = proven || proves_proxy(&g_array_index(setup->secrets, L2tpRule, i), proxy);
  if (!proven)
    add_complaint(wrong, &proxy->where,
                  "server `%s': l2tp.secrets has no secret that this entry of proxy-peers can prove; add one for the same %s", server->name,
                  proxy->prefix.address.family ? "`address'" : "`host-name'");
}

/** What a peer says of its callers stands for their passwords: it is worth what the peer's own proof is worth. */
static void check_proxy_peers(const L2tpSetup *setup, const L2tpService *server, GString *wrong) {
  const AditWhere *where = &server->config->where;
  gboolean used = g_strcmp0(adit_option_lcp_renegotiation(server->config), "always") != 0;

  for (guint i = 0; i < server->proxy_peers->len; i++)
    check_proxy_peer(setup, server, &g_array_index(server->proxy_peers, L2tpRule, i), wrong);
  if (server->proxy_peers->len && !server->tunnel.demand_auth)
    add_complaint(wrong, where, "server `%s': proxy-peers needs tunnel-authentication: set it to yes", server->name);
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

static void open_listeners(L2tp *l2tp, L2tpSetup *setup, L2tpService *server, GString *wrong) {
  gboolean everywhere = !adit_value_length(l2tp_option_addresses(server->config));

  for (guint i = 0; i < server->addresses->len; i++) {
    const AditEndpoint *at = &g_array_index(server->addresses, AditEndpoint, i);
    char text[ADIT_ENDPOINT_TEXT];
    g_autoptr(GError) error = NULL;
    L2tpListener *listener = l2tp_listener_get(l2tp, server->data_path, at, wants_any_tunnel(setup, at), &error);
    if (listener)
      g_ptr_array_add(setup->listeners, listener);
    else if (everywhere && i > 0) /* a machine without IPv6 */
      adit_warning(NULL, "%s: not listening on %s: %s", server->name, adit_endpoint_format(at, text), error->message);
    else
      add_complaint(wrong, &server->config->where, "server `%s' can't listen on %s: %s", server->name, adit_endpoint_format(at, text),
                    error->message);
  }
}

gboolean l2tp_setup_listen(L2tp *l2tp, L2tpSetup *setup, GError **error) {
  g_autoptr(GString) wrong = g_string_new(NULL);

  for (guint i = 0; i < setup->servers->len; i++)
    open_listeners(l2tp, setup, setup->servers->pdata[i], wrong);
  if (!wrong->len)
    return TRUE;
  g_ptr_array_set_size(setup->listeners, 0);
  g_set_error_literal(error, ADIT_ERROR, ADIT_ERR_INVALID, wrong->str);
  return FALSE;
}

gboolean l2tp_item_is_on(const AditValue *item) {
  const AditValue *enabled = adit_option_enabled_value(item); /* a client has none */

  return (!enabled || adit_option_enabled(item)) && !adit_option_disabled(item);
}

/** Servers (`what`) and clients alike: an item that is on needs a data path that is there. */
static void check_data_paths(const L2tp *l2tp, const AditValue *list, const char *what, GString *wrong) {
  gpointer dp;

  for (guint i = 0; i < adit_value_length(list); i++) {
    const AditValue *item = adit_value_at(list, i);
    const char *name = adit_option_data_path(item);
    if (l2tp_item_is_on(item) && !l2tp->path->datapath(name, &dp))
      add_complaint(wrong, &item->where, "%s `%s': there is no data path `%s' (is its plugin loaded?)", what, adit_option_name(item), name);
  }
}

L2tpSetup *l2tp_setup_new(L2tp *l2tp, const AditValue *config, GError **error) {
  const AditValue *own = l2tp_option(config), *servers = l2tp_option_servers(own);
  L2tpSetup *setup = g_new0(L2tpSetup, 1);
  g_autoptr(GString) wrong = g_string_new(NULL);

  setup->servers = g_ptr_array_new_with_free_func((GDestroyNotify)l2tp_service_unref);
  setup->listeners = g_ptr_array_new_with_free_func((GDestroyNotify)l2tp_listener_unref);
  setup->secrets = rules_new(l2tp_option_secrets(own));
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
    if (before) {
      g_rc_box_release_full(server->load, load_clear);
      server->load = g_rc_box_acquire(before->load);
    }
    for (guint j = 0; j < setup->servers->len; j++)
      check_pair(setup->servers->pdata[j], server, wrong);
    check_proxy_peers(setup, server, wrong);
    g_ptr_array_add(setup->servers, server);
  }
  check_secrets(setup->secrets, wrong);
  check_data_paths(l2tp, servers, "server", wrong);
  check_data_paths(l2tp, l2tp_option_clients(own), "client", wrong);
  if (wrong->len)
    g_set_error_literal(error, ADIT_ERROR, ADIT_ERR_INVALID, wrong->str);
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
    gint weight = !here ? -1 : server->rules->len ? rules_best(server->rules, remote, host_name, &rule) : 0;
    if (weight > best) {
      best = weight;
      chosen = server;
    }
  }
  return chosen;
}

gboolean l2tp_setup_names_proxy(const L2tpSetup *setup, const L2tpService *service, const AditAddress *remote, const char *host_name) {
  const L2tpRule *proxy = NULL, *secret = NULL;

  return rules_best(service->proxy_peers, remote, host_name, &proxy) >= 0 && rules_best(setup->secrets, remote, host_name, &secret) >= 0 &&
         proves_proxy(secret, proxy);
}

const AditValue *l2tp_setup_secret(const L2tpSetup *setup, const AditAddress *remote, const char *host_name) {
  const L2tpRule *rule = NULL;

  return rules_best(setup->secrets, remote, host_name, &rule) >= 0 ? rule->secret : NULL;
}
