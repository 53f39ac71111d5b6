/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* All modules in one list each: what they serve to plugins, what they take of the configuration, their options, their begin and end. */
#include "core/plugin/modules.h"
#include "core/aaa/aaa.h"
#include "core/base/loop.h"
#include "core/base/memory.h"
#include "core/bus/bus.h"
#include "core/control/control.h"
#include "core/net/net.h"
#include "core/path/path.h"
#include "core/plugin/options.h"
#include "core/plugin/plugins.h"
#include "core/pool/pool.h"
#include "core/ppp/registry.h"
#include "core/session/config/check.h"
#include "core/session/config/options.h"
#include "core/session/session.h"
#include "core/store/store.h"

/* Plugins are dropped from the last to the first: the loop goes first, so that nothing runs while the others forget. */
static AditServed served[] = {
    {.name = ADIT_BUS_SERVICE, .version = 1, .drop_plugin = adit_bus_drop_plugin},
    {.name = ADIT_NET_SERVICE, .version = 1},
    {.name = ADIT_STORE_SERVICE, .version = 1},
    {.name = ADIT_POOL_SERVICE, .version = 1},
    {.name = ADIT_PATH_SERVICE, .version = 1, .drop_plugin = adit_path_drop_plugin},
    {.name = ADIT_AAA_SERVICE, .version = 1, .drop_plugin = adit_aaa_drop_plugin},
    {.name = ADIT_PPP_SERVICE, .version = 1, .drop_plugin = adit_ppp_drop_plugin},
    {.name = ADIT_SESSION_SERVICE, .version = 1, .drop_plugin = adit_session_drop_plugin, .stopped = adit_session_plugin_stopped},
    {.name = ADIT_CONTROL_SERVICE, .version = 1, .drop_plugin = adit_control_drop_plugin, .quiesce = adit_control_quiesce},
    {.name = ADIT_LOOP_SERVICE, .version = 1, .drop_plugin = adit_loop_drop_plugin, .quiesce = adit_work_drop},
};

/* ---- configuration of modules ---- */

static gboolean pool_prepare(const AditValue *config, gpointer *staged, GError **error) {
  *staged = adit_pools_prepare(config, error);
  return *staged != NULL;
}

static void pool_commit(gpointer staged) {
  adit_pools_commit((AditPoolSet *)staged);
}

static void pool_abort(gpointer staged) {
  adit_pools_abort((AditPoolSet *)staged);
}

static gboolean aaa_prepare(const AditValue *config, gpointer *staged, GError **error) {
  *staged = adit_aaa_prepare(config, error);
  return *staged != NULL;
}

static void aaa_commit(gpointer staged) {
  adit_aaa_commit((AditAaaStaged *)staged);
}

static void aaa_abort(gpointer staged) {
  adit_aaa_abort((AditAaaStaged *)staged);
}

static const AditModule modules[] = {
    {"pools", pool_prepare, pool_commit, pool_abort},
    {"aaa", aaa_prepare, aaa_commit, aaa_abort},
    {"sessions", adit_session_prepare, adit_session_commit, adit_session_abort},
};

/* ---- begin and end ---- */

void adit_modules_init(void) {
  const void *const tables[] = {adit_bus_service(),     adit_net_service(), adit_store_service(), adit_pool_service(),
                                adit_path_service(),    adit_aaa_service(), adit_ppp_service(),   adit_session_service(),
                                adit_control_service(), adit_loop_service()};

  G_STATIC_ASSERT(G_N_ELEMENTS(tables) == G_N_ELEMENTS(served));
  for (guint i = 0; i < G_N_ELEMENTS(served); i++)
    served[i].table = tables[i];
  adit_memory_init(adit_loop_service());
  adit_loop_init();
  adit_bus_init();
  adit_path_init();
  adit_ppp_init();
  adit_aaa_init(adit_loop_service());
  adit_session_init(adit_net_service());
  adit_control_init();
  adit_plugins_init(served, G_N_ELEMENTS(served), modules, G_N_ELEMENTS(modules));
}

/* Where stopping took too long, interfaces are still being closed: their completions go to plugins and sessions. */
void adit_modules_fini(void) {
  adit_memory_fini();
  adit_net_quiesce();
  adit_plugins_fini();
  adit_net_quiesce();
  adit_session_fini();
  adit_control_fini();
  adit_aaa_fini();
  adit_ppp_fini();
  adit_path_fini();
  adit_pools_fini();
  adit_net_fini();
  adit_store_close();
  adit_bus_fini();
  adit_loop_fini();
}

/* ---- plugins and schema ---- */

void adit_modules_add_dirs(const AditDaemonOptions *options) {
  for (guint i = 0; options->plugin_dirs && options->plugin_dirs[i]; i++)
    adit_plugins_add_dir(options->plugin_dirs[i]);
  adit_plugins_add_dir(PLUGINDIR);
}

gboolean adit_modules_load_plugins(const AditDaemonOptions *options, GPtrArray *problems) {
  g_auto(GStrv) names = adit_config_peek(options->config, adit_option_daemon_plugins_key);

  adit_modules_add_dirs(options);
  return adit_plugins_load((const char *const *)names, problems);
}

static void add_options(const char *owner, const AditOption *options, guint n, gpointer data) {
  adit_schema_add((AditSchema *)data, owner, options, n);
}

AditSchema *adit_modules_schema(const AditDaemonOptions *options) {
  AditSchema *schema = adit_schema_new();
  g_autoptr(GError) error = NULL;

  adit_schema_add(schema, "core", adit_daemon_options, adit_daemon_n_options);
  adit_schema_add(schema, "core", adit_pool_options, adit_pool_n_options);
  adit_schema_add(schema, "core", adit_aaa_options, adit_aaa_n_options);
  adit_schema_add(schema, "core", adit_session_options, adit_session_n_options);
  adit_schema_add(schema, "core", adit_session_attributes, adit_session_n_attributes);
  adit_plugins_options(add_options, schema);
  adit_schema_add_check(schema, adit_session_check, NULL);
  adit_schema_set_finder(schema, adit_plugins_exists);
  if (!adit_schema_load_dir(schema, SCHEMADIR, &error))
    adit_warning(NULL, "%s: hints about plugins that are not loaded will be missing", error->message);
  adit_schema_check_scopes(schema);
  return schema;
}
