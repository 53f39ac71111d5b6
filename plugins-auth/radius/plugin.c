/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "server.h"

/* ---- configuration ---- */

static gboolean plugin_prepare(gpointer state, const AditValue *config, gpointer *staged, gboolean *pending, AditPrepared done,
                               GError **error) {
  Radius *radius = state;

  *staged = radius_config_new(radius, config, radius->config, error);
  return *staged != NULL;
}

static void plugin_commit(gpointer state, gpointer staged) {
  Radius *radius = state;

  radius_config_unref(radius->config);
  radius->config = staged;
  radius_config_warn(radius->config);
  radius_servers_resolve(radius->config->servers);
}

static void plugin_abort(gpointer state, gpointer staged) {
  radius_config_unref(staged);
}

/* ---- life ---- */

static void plugin_fini(gpointer state) {
  Radius *radius = state;

  if (!radius)
    return;
  radius_config_unref(radius->config);
  g_free(radius);
}

static gboolean plugin_init(AditPlugin *plugin, const AditHost *host, gpointer *state, GError **error) {
  Radius *radius = g_new0(Radius, 1);

  *state = radius;
  radius->plugin = plugin;
  radius->aaa = host->service(plugin, ADIT_AAA_SERVICE, 1);
  radius->loop = host->service(plugin, ADIT_LOOP_SERVICE, 1);
  radius->session = host->service(plugin, ADIT_SESSION_SERVICE, 1);
  radius->store = host->service(plugin, ADIT_STORE_SERVICE, 1);
  radius->control = host->service(plugin, ADIT_CONTROL_SERVICE, 1);
  radius->bus = host->service(plugin, ADIT_BUS_SERVICE, 1);
  if (radius->aaa && radius->loop && radius->session && radius->store && radius->control && radius->bus)
    return TRUE;
  g_free(radius);
  *state = NULL;
  g_set_error(error, ADIT_ERROR, ADIT_ERR_UNSUPPORTED,
              "this core lacks a service: adit.aaa, loop, session, store, control and bus are needed");
  return FALSE;
}

ADIT_PLUGIN_DEFINE(radius, .name = "radius", .version = ADIT_VERSION,
                   .summary = "RADIUS: users, accounting, dynamic authorization (RFC 2865, 2866, 5176)", .options = radius_options,
                   .n_options = RADIUS_N_OPTIONS, .init = plugin_init, .prepare = plugin_prepare, .commit = plugin_commit,
                   .abort = plugin_abort, .fini = plugin_fini);
