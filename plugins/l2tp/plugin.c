/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "glue/dial.h"
#include "glue/dispatch.h"
#include "glue/index.h"
#include "glue/l2tp-client.h"
#include "glue/l2tp-link.h"
#include "glue/l2tp.h"
#include "glue/show.h"
#include "glue/stop.h"
#include "glue/tunnel-host.h"
#include "options.h"
#include "strangers/kin.h"
#include <linux/capability.h>

/* ---- configuration ---- */

static gboolean plugin_prepare(gpointer state, const AditValue *config, gpointer *staged, gboolean *pending, AditPrepared done,
                               GError **error) {
  *staged = l2tp_setup_new(state, config, error);
  if (*staged)
    l2tp_rounds_prune(state, config);
  return *staged != NULL;
}

/** Tunnels of servers that are no longer there, or switched off. */
static void drop_removed(L2tp *l2tp) {
  g_autoptr(GList) peers = g_hash_table_get_values(l2tp->tunnels);

  for (GList *at = peers; at; at = at->next) {
    L2tpPeer *peer = at->data;
    if (!peer->service->client && !l2tp_setup_server(l2tp->setup, peer->service->name))
      l2tp_peer_close(peer, L2TP_STOP_SHUTDOWN, "the server is switched off");
  }
}

static void plugin_commit(gpointer state, gpointer staged) {
  L2tp *l2tp = state;
  L2tpSetup *before = l2tp->setup;

  l2tp->setup = staged;
  l2tp_limiter_set(&l2tp->limiter, l2tp->setup->new_rate, l2tp->setup->new_burst);
  drop_removed(l2tp);
  l2tp_setup_free(before);
}

static void plugin_abort(gpointer state, gpointer staged) {
  l2tp_setup_free(staged);
}

static void plugin_stop(gpointer state, void (*done)(AditPlugin *plugin), AditPlugin *plugin) {
  l2tp_stop_begin(state, done);
}

/* ---- life ---- */

static void on_session_up(const AditEvent *event, gpointer data) {
  l2tp_link_started(data, ((const AditSessionEvent *)event)->link);
}

static void on_auth_done(const AditEvent *event, gpointer data) {
  const AditLinkEvent *link = (const AditLinkEvent *)event;

  if (link->cause == ADIT_CAUSE_NONE)
    l2tp_link_authenticated(data, link->link);
}

/* The core knows their fields. */
static guint event_class(L2tp *l2tp, const char *name) {
  const AditEventClass klass = {.size = sizeof klass, .name = name, .event_size = sizeof(AditTunnelEvent)};
  return l2tp->bus->event_class(l2tp->plugin, &klass);
}

static void plugin_fini(gpointer state) {
  L2tp *l2tp = state;

  if (!l2tp)
    return;
  l2tp->stopped = NULL;
  l2tp->stopping = TRUE; /* a client with a link that closes here does not dial */
  l2tp_stop_free_peers(l2tp);
  l2tp_setup_free(l2tp->setup);
  for (guint i = 0; i < L2TP_SAYS; i++)
    adit_log_quota_stop(&l2tp->said[i]);
  if (l2tp->loop) {
    l2tp->loop->timer_cancel(&l2tp->stop_timer);
    l2tp->loop->timer_cancel(&l2tp->close_timer);
  }
  g_free(l2tp->closing);
  g_hash_table_unref(l2tp->tunnels);
  g_hash_table_unref(l2tp->links);
  g_hash_table_unref(l2tp->dialled);
  g_hash_table_unref(l2tp->repeats);
  g_hash_table_unref(l2tp->unconfirmed);
  g_hash_table_unref(l2tp->namesakes);
  l2tp_shares_clear(&l2tp->half_open);
  l2tp_shares_clear(&l2tp->strangers);
  l2tp_shares_clear(&l2tp->ports);
  l2tp_shares_clear(&l2tp->calls);
  g_ptr_array_unref(l2tp->listeners);
  g_hash_table_unref(l2tp->rounds);
  g_free(l2tp);
}

static gboolean plugin_init(AditPlugin *plugin, const AditHost *host, gpointer *state, GError **error) {
  L2tp *l2tp = g_new0(L2tp, 1);
  L2tpShares *const shares[] = {&l2tp->half_open, &l2tp->strangers, &l2tp->ports, &l2tp->calls};
  static const char *const kinds[L2TP_SAYS] = {"tunnel up",    "tunnel down", "tunnel of users down", "no tunnel", "tunnel refused",
                                               "call refused", "no port",     "proxy ignored"};

  *state = l2tp;
  for (guint i = 0; i < L2TP_SAYS; i++)
    l2tp->said[i].what = kinds[i];
  l2tp->plugin = plugin;
  l2tp->tunnel_ops = &l2tp_tunnel_host_ops;
  l2tp->listener_ops = &l2tp_dispatch_ops;
  l2tp->tunnels = g_hash_table_new(NULL, NULL);
  l2tp->links = g_hash_table_new(g_int64_hash, g_int64_equal);
  l2tp->dialled = l2tp_kin_table_new();
  l2tp->repeats = l2tp_kin_table_new();
  l2tp->unconfirmed = l2tp_kin_table_new();
  l2tp->namesakes = l2tp_kin_table_new();
  l2tp->listeners = g_ptr_array_new();
  l2tp->rounds = l2tp_rounds_new();
  l2tp->loop = host->service(plugin, ADIT_LOOP_SERVICE, 1);
  l2tp->bus = host->service(plugin, ADIT_BUS_SERVICE, 1);
  l2tp->path = host->service(plugin, ADIT_PATH_SERVICE, 1);
  l2tp->session = host->service(plugin, ADIT_SESSION_SERVICE, 1);
  l2tp->control = host->service(plugin, ADIT_CONTROL_SERVICE, 1);
  l2tp->net = host->service(plugin, ADIT_NET_SERVICE, 1);
  if (!l2tp->loop || !l2tp->bus || !l2tp->path || !l2tp->session || !l2tp->control) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_UNSUPPORTED,
                "this daemon lacks a service: adit.loop, bus, path, session and control are needed");
    return FALSE;
  }
  g_queue_init(&l2tp->opening);
  l2tp_index_init(l2tp->loop);
  l2tp->loop->random(l2tp->challenge_key, sizeof l2tp->challenge_key);
  for (guint i = 0; i < G_N_ELEMENTS(shares); i++)
    l2tp_shares_init(shares[i], l2tp_index_key());
  l2tp->loop->random(l2tp->limiter.key, sizeof l2tp->limiter.key);
  l2tp->tunnel_up_event = event_class(l2tp, ADIT_EVENT_TUNNEL_UP);
  l2tp->tunnel_down_event = event_class(l2tp, ADIT_EVENT_TUNNEL_DOWN);
  l2tp->bus->subscribe(plugin, ADIT_EVENT_SESSION_UP, on_session_up, l2tp);
  l2tp->bus->subscribe(plugin, ADIT_EVENT_AUTH_DONE, on_auth_done, l2tp);
  return l2tp->path->transport_add(plugin, &l2tp_transport_ops, l2tp, error) && l2tp_show_init(l2tp, error);
}

static gboolean plugin_start(gpointer state, GError **error) {
  L2tp *l2tp = state;

  l2tp->running = !l2tp->setup || l2tp_setup_listen(l2tp, l2tp->setup, error);
  return l2tp->running;
}

/* Without addresses a server listens on all, where IPv6 may be missing. */
static void check_server(const AditValue *server, const AditTrial *trial) {
  const AditValue *addresses = l2tp_option_addresses(server), *port = l2tp_option_port_value(server);
  guint16 number = (guint16)l2tp_option_port(server);
  AditAddress all = adit_address_ipv4(0);
  AditEndpoint at = adit_endpoint(&all, number);

  for (guint i = 0; i < adit_value_length(addresses); i++) {
    at = adit_endpoint(&adit_value_at(addresses, i)->as.address, number);
    trial->udp(adit_value_at(addresses, i), &at);
  }
  if (!adit_value_length(addresses))
    trial->udp(adit_value_is_written(port) ? port : server, &at);
}

static void plugin_check(gpointer state, const AditValue *config, const AditTrial *trial) {
  const AditValue *own = l2tp_option(config), *servers = l2tp_option_servers(own), *clients = l2tp_option_clients(own);

  for (guint i = 0; i < adit_value_length(servers); i++)
    if (l2tp_item_is_on(adit_value_at(servers, i)))
      check_server(adit_value_at(servers, i), trial);
  for (guint i = 0; i < adit_value_length(clients); i++) {
    const AditAddress *from = l2tp_option_src_address(adit_value_at(clients, i));
    if (!l2tp_item_is_on(adit_value_at(clients, i)) || !from)
      continue;
    AditEndpoint at = adit_endpoint(from, 0);
    trial->udp(l2tp_option_src_address_value(adit_value_at(clients, i)), &at);
  }
}

static const AditFeature features[] = {
    {ADIT_PROVIDES, "transport:l2tp"},
    {ADIT_WANTS, "datapath:tun"},
    {ADIT_WANTS, "datapath:kernel"},
    {ADIT_WANTS, "datapath:null"},
};

ADIT_PLUGIN_DEFINE(l2tp, .name = "l2tp", .version = ADIT_VERSION, .summary = "L2TPv2 server and client (RFC 2661)", .features = features,
                   .n_features = G_N_ELEMENTS(features), .options = l2tp_options, .n_options = L2TP_N_OPTIONS, .init = plugin_init,
                   .start = plugin_start, .prepare = plugin_prepare, .commit = plugin_commit, .abort = plugin_abort, .stop = plugin_stop,
                   .fini = plugin_fini, .check = plugin_check, .capabilities_optional = G_GUINT64_CONSTANT(1) << CAP_NET_BIND_SERVICE);
