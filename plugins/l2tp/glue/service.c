/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "service.h"
#include "../options.h"
#include "index.h"
#include "rules.h"

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
  service->rules = l2tp_rules_new(l2tp_option_peers(config));
  service->proxy_peers = l2tp_rules_new(l2tp_option_proxy_peers(config));
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

void l2tp_service_take_load(L2tpService *service, const L2tpService *before) {
  g_rc_box_release_full(service->load, load_clear);
  service->load = g_rc_box_acquire(before->load);
}
