/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* All modules in one list each: what they serve to plugins, what they take of the configuration, their options, their begin and end. */
#include "core/aaa/aaa.h"
#include "core/base/loop.h"
#include "core/base/memory.h"
#include "core/bus/bus.h"
#include "core/control/control.h"
#include "core/net/net.h"
#include "core/path/path.h"
#include "core/plugin/daemon.h"
#include "core/pool/pool.h"
#include "core/ppp/registry.h"
#include "core/session/config/check.h"
#include "core/session/config/options.h"
#include "core/session/session.h"
#include "core/store/store.h"

static const AditOption daemon_options[] = {
    {.name = "plugins",
     .scopes = ADIT_SCOPE_GLOBAL,
     .type = ADIT_TYPE_STRING,
     .flags = ADIT_OPTION_LIST,
     .reload = ADIT_RELOAD_RESTART,
     .min = 1,
     .max = 64,
     .help =
         "Plugins to load. Without it the standard ones are: l2tp, ipcp, ipv6cp, tun, pap, chap, mschap, secrets. A list replaces them."},
    {.name = "log-level",
     .scopes = ADIT_SCOPE_GLOBAL,
     .type = ADIT_TYPE_ENUM,
     .fallback = "info",
     .words = "error warning notice info debug",
     .help = "What is logged; --verbose on the command line is debug."},
    {.name = "interface-group",
     .scopes = ADIT_SCOPE_GLOBAL,
     .type = ADIT_TYPE_INT,
     .reload = ADIT_RELOAD_RESTART,
     .min = 1,
     .max = G_MAXUINT32,
     .fallback = "44311",
     .help = "Link group of the interfaces that adit makes. A start deletes the interfaces that a crash has left: those whose alias "
             "holds the token of this daemon's state directory. A second aditd in the same network namespace refuses to start with this "
             "group: give each a group, a --state-dir and a --socket."},
    {.name = "user",
     .scopes = ADIT_SCOPE_GLOBAL,
     .type = ADIT_TYPE_STRING,
     .reload = ADIT_RELOAD_RESTART,
     .min = 1,
     .max = 63,
     .fallback = "adit",
     .help = "User that the daemon becomes when it is started as root, before it opens a port; --user on the command line goes before it. "
             "Without a user `adit` on the machine, and with `root`, it stays root, with few capabilities."},
    {.name = "require-state",
     .scopes = ADIT_SCOPE_GLOBAL,
     .type = ADIT_TYPE_BOOL,
     .reload = ADIT_RELOAD_RESTART,
     .fallback = "yes",
     .help =
         "What a start does when it can't write the state directory (read-only, full): `yes` refuses; `no` runs on, and a stop or crash "
         "then loses the accounting records that no server has taken yet."},
    {.name = "management",
     .scopes = ADIT_SCOPE_GLOBAL,
     .type = ADIT_TYPE_MAP,
     .words = "management",
     .help = "The socket that aditctl speaks to."},
    {.name = "socket",
     .scopes = "management",
     .type = ADIT_TYPE_STRING,
     .reload = ADIT_RELOAD_RESTART,
     .min = 1,
     .max = 107,
     .fallback = RUNSTATEDIR "/adit/adit.sock",
     .help = "Path of the socket. Everyone on the machine may connect; see `group` and `read`."},
    {.name = "group",
     .scopes = "management",
     .type = ADIT_TYPE_STRING,
     .reload = ADIT_RELOAD_RESTART,
     .min = 1,
     .max = 64,
     .fallback = "adit",
     .help = "Members of this group may read everything and change things: disconnect sessions, take clients up and down, reload. Root and "
             "the daemon's user need no group. To add somebody: `usermod -aG adit USER`; it takes effect at the next login."},
    {.name = "read",
     .scopes = "management",
     .type = ADIT_TYPE_ENUM,
     .reload = ADIT_RELOAD_RESTART,
     .fallback = "group",
     .words = "group all",
     .help = "Who may read users, addresses and traffic (sessions, tunnels, clients, pools, events): members of the group, or everybody on "
             "the machine. The daemon's version and its list of commands are open to all."},
};

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
  adit_memory_init();
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
  g_auto(GStrv) names = adit_config_peek(options->config, "plugins");

  adit_modules_add_dirs(options);
  return adit_plugins_load((const char *const *)names, problems);
}

static void add_options(const char *owner, const AditOption *options, guint n, gpointer data) {
  adit_schema_add((AditSchema *)data, owner, options, n);
}

AditSchema *adit_modules_schema(const AditDaemonOptions *options) {
  AditSchema *schema = adit_schema_new();
  g_autoptr(GError) error = NULL;

  adit_schema_add(schema, "core", daemon_options, G_N_ELEMENTS(daemon_options));
  adit_schema_add(schema, "core", adit_pool_options, adit_pool_n_options);
  adit_schema_add(schema, "core", adit_aaa_options, adit_aaa_n_options);
  adit_schema_add(schema, "core", adit_session_options, adit_session_n_options);
  adit_schema_add(schema, "core", adit_session_attributes, adit_session_n_attributes);
  adit_plugins_options(add_options, schema);
  adit_schema_add_check(schema, adit_session_check, NULL);
  adit_schema_set_finder(schema, adit_plugins_exists);
  if (!adit_schema_load_dir(schema, SCHEMADIR, &error))
    adit_warning(NULL, "%s: hints about plugins that are not loaded will be missing", error->message);
  return schema;
}
