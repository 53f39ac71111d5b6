/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The life of all plugins: load, init, start, stop, fini, in order of their features; and the services they are given. */
#include "core/plugin/plugins.h"
#include "core/base/hold.h"
#include "core/base/loop.h"
#include "core/base/privileges.h"
#include "core/base/secret.h"
#include "core/config/reader.h"
#include "core/plugin/apply.h"
#include "core/plugin/loaded.h"
#include "core/plugin/open.h"
#include "core/plugin/resolve.h"

static struct {
  const AditServed *served;
  guint n_served;
  GPtrArray *dirs;   /* of char* */
  GPtrArray *linked; /* of AditPluginInfo*: linked in, waiting for load */
  /* while stopping: */
  gboolean stopping;
  guint64 stop_by;
  AditTimer stop_timer;
  void (*stopped)(gpointer data);
  gpointer stopped_data;
} self;

/* Loaded when the configuration has no `plugins:`. */
static const char *const standard[] = {"l2tp", "ipcp", "ipv6cp", "bcp", "ccp", "mp", "tun", "pap", "chap", "mschap", "secrets", NULL};

void adit_plugins_init(const AditServed *served, guint n_served, const AditModule *modules, guint n_modules) {
  memset(&self, 0, sizeof self);
  self.served = served;
  self.n_served = n_served;
  self.dirs = g_ptr_array_new_with_free_func(g_free);
  self.linked = g_ptr_array_new();
  adit_plugins_all_init((GDestroyNotify)adit_plugin_free);
  adit_plugins_apply_init(modules, n_modules);
}

void adit_plugins_add_dir(const char *dir) {
  g_ptr_array_add(self.dirs, g_canonicalize_filename(dir, NULL));
}

void adit_plugins_add_static(const AditPluginInfo *info) {
  g_ptr_array_add(self.linked, (gpointer)info);
}

/* ---- what plugins are given ---- */

static const void *host_service(AditPlugin *plugin, const char *name, guint version) {
  for (guint i = 0; i < self.n_served; i++)
    if (!strcmp(self.served[i].name, name) && self.served[i].version >= version)
      return self.served[i].table;
  adit_warning(NULL, "plugin %s asks for service %s, version %u, which this daemon does not have", adit_plugin_name(plugin), name, version);
  return NULL;
}

static const AditHost host = {.size = sizeof(AditHost),
                              .abi_major = ADIT_ABI_MAJOR,
                              .abi_minor = ADIT_ABI_MINOR,
                              .service = host_service,
                              .open_file = adit_reader_open,
                              .secret_new = adit_secret_memory,
                              .secret_free = adit_secret_memory_free};

static void drop_registrations(AditPlugin *plugin) {
  for (guint i = 0; i < self.n_served; i++)
    if (self.served[i].quiesce)
      self.served[i].quiesce(plugin);
}

static void drop_everywhere(AditPlugin *plugin) {
  for (guint i = self.n_served; i-- > 0;)
    if (self.served[i].drop_plugin)
      self.served[i].drop_plugin(plugin);
}

/* ---- load ---- */

static gboolean is_loaded(const char *name) {
  for (guint i = 0; i < adit_plugins_all()->len; i++)
    if (!strcmp(((Loaded *)adit_plugins_all()->pdata[i])->owner.name, name))
      return TRUE;
  return FALSE;
}

static void add_or_complain(Loaded *plugin, GError *error, GPtrArray *problems) {
  if (plugin)
    g_ptr_array_add(adit_plugins_all(), plugin);
  else
    g_ptr_array_add(problems, g_strdup(error->message));
  g_clear_error(&error);
}

gboolean adit_plugins_exists(const char *name) {
  return adit_plugin_find(name, self.dirs);
}

/* `names` NULL: the standard ones, of which any may be missing. */
static void open_files(const char *const *names, gboolean trusted, GPtrArray *problems) {
  const char *const *wanted = names ? names : standard;

  for (guint i = 0; wanted[i]; i++) {
    GError *error = NULL;
    if (is_loaded(wanted[i]))
      continue;
    Loaded *plugin = adit_plugin_open(wanted[i], self.dirs, trusted, &error);
    if (!plugin && !names && g_error_matches(error, ADIT_ERROR, ADIT_ERR_NOT_FOUND)) {
      adit_info(NULL, "%s: a standard plugin, but not built: left out", error->message);
      g_clear_error(&error);
      continue;
    }
    add_or_complain(plugin, error, problems);
  }
}

static void open_all(const char *const *names, GPtrArray *problems) {
  for (guint i = 0; i < self.linked->len; i++) {
    const AditPluginInfo *info = (const AditPluginInfo *)self.linked->pdata[i];
    GError *error = NULL;
    Loaded *plugin = adit_plugin_wrap(info, info->name, &error);
    add_or_complain(plugin, error, problems);
  }
  open_files(names, FALSE, problems);
  if (!adit_plugins_all()->len && !problems->len) {
    g_autofree char *dirs = NULL;
    g_ptr_array_add(self.dirs, NULL);
    dirs = g_strjoinv(", ", (char **)self.dirs->pdata);
    g_ptr_array_remove_index(self.dirs, self.dirs->len - 1);
    g_ptr_array_add(problems, g_strdup_printf("no plugin found in %s: see --plugin-dir", dirs));
  }
}

/* The last first: a plugin's state outlives those that use what it provides. Its registrations go after its fini, which
 * may still hold handles on them; nothing runs in between. */
static void fini_all(void) {
  for (guint i = adit_plugins_all()->len; i-- > 0;) {
    Loaded *plugin = (Loaded *)adit_plugins_all()->pdata[i];
    if (plugin->phase != PLUGIN_OPENED) {
      drop_registrations(&plugin->owner);
      if (plugin->info->fini)
        ADIT_HOLD(&plugin->owner, plugin->info->fini, "fini()", plugin->info->fini(plugin->state));
      drop_everywhere(&plugin->owner);
    }
  }
  g_ptr_array_set_size(adit_plugins_all(), 0);
}

static void add_problem(GPtrArray *problems, const Loaded *plugin, const char *text) {
  g_ptr_array_add(problems, g_strdup_printf("plugin %s: %s", plugin->owner.name, text));
}

/* Registrations that were refused in its init, also if the plugin ignored the answer. */
static gboolean add_mistakes(GPtrArray *problems, Loaded *plugin) {
  const GPtrArray *mistakes = plugin->owner.mistakes;

  for (guint i = 0; mistakes && i < mistakes->len; i++)
    add_problem(problems, plugin, (const char *)mistakes->pdata[i]);
  return mistakes && mistakes->len;
}

static void init_one(Loaded *plugin, GPtrArray *problems) {
  g_autoptr(GError) error = NULL;
  gboolean good = TRUE;

  if (plugin->info->init)
    ADIT_HOLD(&plugin->owner, plugin->info->init, "init()", good = plugin->info->init(&plugin->owner, &host, &plugin->state, &error));
  plugin->owner.stage = ADIT_OWNER_LOADED;
  gboolean mistaken = add_mistakes(problems, plugin);
  if (good) {
    plugin->phase = PLUGIN_INITED; /* its fini comes, whatever it did wrong */
    return;
  }
  if (!mistaken)
    add_problem(problems, plugin, error ? error->message : "init failed without a reason: set the error");
  drop_everywhere(&plugin->owner);
}

gboolean adit_plugins_load(const char *const *names, GPtrArray *problems) {
  guint before = problems->len;

  open_all(names, problems);
  if (problems->len == before)
    adit_plugin_resolve(adit_plugins_all(), problems);
  for (guint i = 0; problems->len == before && i < adit_plugins_all()->len; i++)
    init_one((Loaded *)adit_plugins_all()->pdata[i], problems);
  if (problems->len == before)
    return TRUE;
  fini_all();
  return FALSE;
}

gboolean adit_plugins_peruse(const char *more, GPtrArray *problems) {
  const char *const names[] = {more, NULL};

  open_files(NULL, TRUE, problems);
  open_files(names, TRUE, problems);
  return !problems->len;
}

void adit_plugins_options(void (*add)(const char *owner, const AditOption *options, guint n, gpointer data), gpointer data) {
  for (guint i = 0; i < adit_plugins_all()->len; i++) {
    const Loaded *plugin = (const Loaded *)adit_plugins_all()->pdata[i];
    add(plugin->owner.name, plugin->info->options, plugin->info->n_options, data);
  }
}

guint64 adit_plugins_capabilities(void) {
  guint64 all = 0;
  for (guint i = 0; i < adit_plugins_all()->len; i++) {
    const AditPluginInfo *info = ((const Loaded *)adit_plugins_all()->pdata[i])->info;
    all |= info->capabilities | info->capabilities_optional;
  }
  return all;
}

gboolean adit_plugins_permitted(guint64 held, GError **error) {
  for (guint i = 0; i < adit_plugins_all()->len; i++) {
    const AditPluginInfo *info = ((const Loaded *)adit_plugins_all()->pdata[i])->info;
    guint64 missing = info->capabilities & ~held;
    if (!missing)
      continue;
    const char *name = adit_privileges_name((guint)g_bit_nth_lsf(missing, -1));
    g_set_error(
        error, ADIT_ERROR, ADIT_ERR_DENIED,
        "plugin %s needs %s, which this process does not have: start aditd as root or from its unit; a container needs --cap-add %s",
        info->name, name, name + strlen("CAP_"));
    return FALSE;
  }
  return TRUE;
}

void adit_plugins_check(const AditValue *config, const AditTrial *trial) {
  for (guint i = 0; i < adit_plugins_all()->len; i++) {
    const Loaded *plugin = (const Loaded *)adit_plugins_all()->pdata[i];
    if (plugin->info->check)
      ADIT_HOLD(&plugin->owner, plugin->info->check, "check()", plugin->info->check(plugin->state, config, trial));
  }
}

/* ---- start and stop ---- */

static void stop_next_plugin(void);

static void end_plugin_callbacks(Loaded *plugin) {
  for (guint i = 0; i < self.n_served; i++)
    if (self.served[i].stopped)
      self.served[i].stopped(&plugin->owner);
}

static void plugin_stopped(AditPlugin *owner) {
  Loaded *plugin = loaded_of(owner);

  if (plugin->phase != PLUGIN_STOPPING) /* too late, or twice */
    return;
  plugin->phase = PLUGIN_STOPPED;
  adit_debug(NULL, "plugin %s stopped", owner->name);
  end_plugin_callbacks(plugin);
  stop_next_plugin();
}

static void stop_late(AditTimer *timer, gpointer data) {
  for (guint i = 0; i < adit_plugins_all()->len; i++) {
    Loaded *plugin = (Loaded *)adit_plugins_all()->pdata[i];
    if (plugin->phase == PLUGIN_STOPPING) {
      adit_warning(NULL, "plugin %s did not finish in time: continuing without it", plugin->owner.name);
      plugin->phase = PLUGIN_STOPPED;
      end_plugin_callbacks(plugin);
    }
  }
  stop_next_plugin();
}

/* Stops the last one that runs; each gets what is left of the time, and none less than a moment. Those that answer at
 * once come back in here, one level deeper for each plugin. */
static void stop_next_plugin(void) {
  const AditLoopService *loop = adit_loop_service();

  loop->timer_cancel(&self.stop_timer);
  for (guint i = adit_plugins_all()->len; i-- > 0;) {
    Loaded *plugin = (Loaded *)adit_plugins_all()->pdata[i];
    if (plugin->phase != PLUGIN_STARTED)
      continue;
    plugin->phase = PLUGIN_STOPPING;
    if (!plugin->info->stop) {
      plugin_stopped(&plugin->owner);
      return;
    }
    guint64 now = loop->now();
    loop->timer_arm(&self.stop_timer, self.stop_by > now + 100 ? self.stop_by - now : 100);
    ADIT_HOLD(&plugin->owner, plugin->info->stop, "stop()", plugin->info->stop(plugin->state, plugin_stopped, &plugin->owner));
    return;
  }
  if (!self.stopping)
    return;
  self.stopping = FALSE;
  self.stopped(self.stopped_data);
}

void adit_plugins_stop(guint limit_ms, void (*done)(gpointer data), gpointer data) {
  g_return_if_fail(!self.stopping);
  self.stopping = TRUE;
  self.stop_by = adit_loop_service()->now() + limit_ms;
  self.stop_timer = (AditTimer){.func = stop_late};
  self.stopped = done;
  self.stopped_data = data;
  stop_next_plugin();
}

void adit_plugins_fini(void) {
  if (!adit_plugins_all())
    return;
  if (self.stopping)
    adit_loop_service()->timer_cancel(&self.stop_timer);
  adit_plugins_apply_fini();
  fini_all();
  adit_plugins_all_fini();
  g_clear_pointer(&self.linked, g_ptr_array_unref);
  g_clear_pointer(&self.dirs, g_ptr_array_unref);
}

/* ---- for people ---- */

static const char *phase_word(PluginPhase phase) {
  switch (phase) {
  case PLUGIN_OPENED:
    return "opened";
  case PLUGIN_INITED:
    return "loaded";
  case PLUGIN_STARTED:
    return "running";
  case PLUGIN_STOPPING:
    return "stopping";
  case PLUGIN_STOPPED:
    return "stopped";
  }
  return "?";
}

static AditValue *features_value(const AditPluginInfo *info, AditFeatureKind kind) {
  AditValue *list = adit_value_list();
  for (guint i = 0; i < info->n_features; i++)
    if (info->features[i].kind == kind)
      adit_value_append(list, adit_value_string(info->features[i].name));
  return list;
}

AditValue *adit_plugins_describe(void) {
  AditValue *list = adit_value_list();

  for (guint i = 0; i < adit_plugins_all()->len; i++) {
    const Loaded *plugin = (const Loaded *)adit_plugins_all()->pdata[i];
    AditValue *item = adit_value_map();
    adit_value_set(item, "name", adit_value_string(plugin->owner.name));
    adit_value_set(item, "version", adit_value_string(plugin->info->version ? plugin->info->version : ""));
    adit_value_set(item, "state", adit_value_string(phase_word(plugin->phase)));
    adit_value_set(item, "summary", adit_value_string(plugin->info->summary ? plugin->info->summary : ""));
    adit_value_set(item, "provides", features_value(plugin->info, ADIT_PROVIDES));
    adit_value_set(item, "requires", features_value(plugin->info, ADIT_REQUIRES));
    adit_value_set(item, "file", adit_value_string(plugin->path ? plugin->path : "(linked in)"));
    adit_value_append(list, item);
  }
  return list;
}
