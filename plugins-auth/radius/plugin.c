/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "accounting/acct.h"
#include "dae/dae.h"
#include "options.h"
#include "servers/config.h"
#include "servers/exchange.h"
#include "servers/radius-server.h"
#include "show.h"
#include "source.h"
#include "wire/dictionary.h"
#include <linux/capability.h>

enum { STOP_MS = 3000 }; /* for the last records: what is not acknowledged by then goes out after the next start */

/* ---- configuration ---- */

static gboolean plugin_prepare(gpointer state, const AditValue *config, gpointer *staged, gboolean *pending, AditPrepared done,
                               GError **error) {
  Radius *radius = state;
  RadiusConfig *next = radius_config_new(radius, config, radius->config, error);

  if (next && radius->dae && !radius_dae_prepare(radius->dae, next, error))
    g_clear_pointer(&next, radius_config_unref);
  if (next)
    radius_config_warn(next); /* here, so that a check says it, too */
  *staged = next;
  return next != NULL;
}

static void plugin_commit(gpointer state, gpointer staged) {
  Radius *radius = state;
  RadiusConfig *before = radius->config;

  radius->config = staged;
  radius_servers_resolve(radius->config->servers);
  radius_acct_config(radius->acct);
  if (radius->dae)
    radius_dae_commit(radius->dae);
  radius_config_unref(before);
}

static void plugin_abort(gpointer state, gpointer staged) {
  Radius *radius = state;

  if (radius->dae)
    radius_dae_abort(radius->dae);
  radius_config_unref(staged);
}

/* ---- life ---- */

static gboolean plugin_start(gpointer state, GError **error) {
  Radius *radius = state;
  g_autoptr(GError) nameless = NULL;

  if (!radius_names_load(radius_names_file(), &nameless))
    adit_warning(NULL, "attributes are known by number only: %s", nameless->message);
  radius->dae = radius_dae_start(radius, error);
  if (!radius->dae)
    return FALSE;
  radius_acct_start(radius->acct);
  return TRUE;
}

typedef struct {
  Radius *radius;
  AditPlugin *plugin;
  void (*done)(AditPlugin *plugin);
} Stopping;

static void records_are_safe(gpointer data) {
  g_autofree Stopping *stopping = data;

  radius_exchange_stop(stopping->radius);
  stopping->done(stopping->plugin);
}

static void plugin_stop(gpointer state, void (*done)(AditPlugin *plugin), AditPlugin *plugin) {
  Radius *radius = state;
  Stopping *stopping = g_new(Stopping, 1);

  *stopping = (Stopping){radius, plugin, done};
  g_clear_pointer(&radius->dae, radius_dae_stop);
  radius_acct_stop(radius->acct, STOP_MS, records_are_safe, stopping);
}

static void plugin_fini(gpointer state) {
  Radius *radius = state;

  if (!radius)
    return;
  radius_dae_stop(radius->dae);
  radius_source_free(radius->source);
  radius_acct_free(radius->acct);
  radius_config_unref(radius->config);
  radius_names_unload();
  g_free(radius);
}

static gboolean get_services(Radius *radius, const AditHost *host, GError **error) {
  radius->aaa = host->service(radius->plugin, ADIT_AAA_SERVICE, 1);
  radius->loop = host->service(radius->plugin, ADIT_LOOP_SERVICE, 1);
  radius->session = host->service(radius->plugin, ADIT_SESSION_SERVICE, 1);
  radius->store = host->service(radius->plugin, ADIT_STORE_SERVICE, 1);
  radius->control = host->service(radius->plugin, ADIT_CONTROL_SERVICE, 1);
  radius->bus = host->service(radius->plugin, ADIT_BUS_SERVICE, 1);
  radius->net = host->service(radius->plugin, ADIT_NET_SERVICE, 1);
  if (radius->aaa && radius->loop && radius->session && radius->store && radius->control && radius->bus)
    return TRUE;
  g_set_error(error, ADIT_ERROR, ADIT_ERR_UNSUPPORTED,
              "this daemon lacks a service: adit.aaa, loop, session, store, control and bus are needed");
  return FALSE;
}

static gboolean plugin_init(AditPlugin *plugin, const AditHost *host, gpointer *state, GError **error) {
  Radius *radius = g_new0(Radius, 1);

  radius->plugin = plugin;
  radius->open_file = ADIT_HAS(host, open_file) ? host->open_file : NULL;
  if (get_services(radius, host, error)) {
    radius->acct = radius_acct_new(radius);
    radius->source = radius_source_new(radius, error);
  }
  /* The one wish of Termination-Action that passes reply-value.c is the default: to do nothing. */
  if (radius->source && ADIT_HAS(radius->session, actor_add) && !radius->session->actor_add(plugin, "termination-action", error))
    g_clear_pointer(&radius->source, radius_source_free);
  if (radius->source && radius->aaa->sink_add(plugin, &radius_acct_sink, radius->acct, error) && radius_show_init(radius, error)) {
    *state = radius;
    return TRUE;
  }
  plugin_fini(radius);
  return FALSE;
}

static void check_source(const AditValue *server, const AditTrial *trial) {
  const AditAddress *source = radius_option_server_src_address(server);
  if (!source)
    return;
  AditEndpoint at = adit_endpoint(source, 0);
  trial->udp(radius_option_server_src_address_value(server), &at);
}

static void check_file(const AditValue *value, const AditTrial *trial) {
  if (value && value->type == ADIT_VALUE_STRING)
    trial->file(value, value->as.string);
}

static void check_incoming(const AditValue *incoming, const AditTrial *trial) {
  const AditValue *ports = radius_option_incoming_port(incoming);
  const AditAddress all = adit_address_ipv4(0), *address = radius_option_incoming_address(incoming);

  for (guint i = 0; radius_option_incoming_accept(incoming) && i < adit_value_length(ports); i++) {
    const AditValue *port = adit_value_at(ports, i);
    AditEndpoint at = adit_endpoint(address ? address : &all, (guint16)port->as.integer);
    trial->udp(port->where.file ? port : incoming, &at);
  }
}

static void plugin_check(gpointer state, const AditValue *config, const AditTrial *trial) {
  const AditValue *own = radius_option(config), *servers = radius_option_servers(own);

  for (guint i = 0; i < adit_value_length(servers); i++) {
    const AditValue *server = adit_value_at(servers, i);
    check_source(server, trial);
    check_file(radius_option_server_ca_value(server), trial);
    check_file(radius_option_server_certificate_value(server), trial);
    check_file(radius_option_server_key_value(server), trial);
  }
  check_incoming(radius_option_incoming(own), trial);
}

static const AditFeature features[] = {
    {ADIT_PROVIDES, "auth-source:radius"},
    {ADIT_PROVIDES, "acct-sink:radius"},
};

ADIT_PLUGIN_DEFINE(radius, .name = "radius", .version = ADIT_VERSION,
                   .summary = "RADIUS: users, accounting, dynamic authorization (RFC 2865, 2866, 5176)", .features = features,
                   .n_features = G_N_ELEMENTS(features), .options = radius_options, .n_options = RADIUS_N_OPTIONS, .init = plugin_init,
                   .start = plugin_start, .prepare = plugin_prepare, .commit = plugin_commit, .abort = plugin_abort, .stop = plugin_stop,
                   .fini = plugin_fini, .check = plugin_check, .capabilities_optional = G_GUINT64_CONSTANT(1) << CAP_NET_BIND_SERVICE);
