/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * core/plugin/plugins.h - plugins from file to feature, and the configuration that goes through all of them.
 *
 * Order: init -> load (open, check, resolve features, each plugin's init) -> schema -> start (with the first configuration) ->
 * apply (each reload) -> stop -> fini. Everything is [main].
 */
#pragma once

#include "core/base/owner.h"
#include <adit/plugin.h>
#include <adit/value.h>

/** A module of the core that takes its part of the configuration in two phases, like a plugin; modules go before plugins. */
typedef struct {
  const char *name;
  /** As AditPluginInfo.prepare, always at once. May be NULL, as may the others. */
  gboolean (*prepare)(const AditValue *config, gpointer *staged, GError **error);
  void (*commit)(gpointer staged);
  void (*abort)(gpointer staged);
} AditModule;

/** A table that a module serves to plugins. */
typedef struct {
  const char *name; /**< ADIT_*_SERVICE */
  guint version;
  const void *table;
  void (*drop_plugin)(AditPlugin *plugin); /**< after its fini; may be NULL */
  void (*quiesce)(AditPlugin *plugin);     /**< before its fini: ends work on other threads; may be NULL */
  /** When it says that it has stopped, or its time is over: ends what would still call it. May be NULL. */
  void (*stopped)(AditPlugin *plugin);
} AditServed;

/** Begins with nothing loaded. Arrays are borrowed for the daemon's life. */
void adit_plugins_init(const AditServed *served, guint n_served, const AditModule *modules, guint n_modules);

/** Adds a folder to look in, before those added later: NAME.so, NAME/NAME.so, and .libs/ in either (a build tree). */
void adit_plugins_add_dir(const char *dir);

/**
 * Opens and checks each of `names` (NULL = the standard ones, as far as they were built), resolves features and calls init in
 * order of dependence. On failure every problem is one string in `problems` (GPtrArray of char*), and nothing stays registered.
 */
gboolean adit_plugins_load(const char *const *names, GPtrArray *problems);

/**
 * Opens the standard plugins and `more` (may be NULL) for their options alone: no code of theirs runs but what the dynamic linker runs,
 * features are not looked at, and neither is who may write the files. For printing the schema, which a build does in its own tree.
 */
gboolean adit_plugins_peruse(const char *more, GPtrArray *problems);

/** Is there a file that could be plugin NAME in the folders? Any thread, once they are added. */
gboolean adit_plugins_exists(const char *name);

/** Adds a plugin that is linked in (tests). Same checks, but the file's. Before adit_plugins_load(). */
void adit_plugins_add_static(const AditPluginInfo *info);

/** Each loaded plugin's options, in order: `add(owner, options, n, data)`. */
void adit_plugins_options(void (*add)(const char *owner, const AditOption *options, guint n, gpointer data), gpointer data);

/** The end of adit_plugins_apply(): `error` NULL = committed everywhere; else its message has a line for each that refused. */
typedef void (*AditApplied)(const GError *error, gpointer data);

/**
 * Gives `config` to all modules and plugins: all prepare, then all commit; if one refuses or is late (10 s) all abort and nothing
 * has changed. One at a time: a second one meanwhile is answered ADIT_ERR_BUSY. `done` is called once, maybe before the return.
 */
void adit_plugins_apply(const AditValue *config, AditApplied done, gpointer data);

/**
 * The first configuration: modules take it; then each plugin, in order of dependence, takes it and is started, so that it finds
 * those that it requires or wants at work. Ends at the first refusal; those started are left running: call adit_plugins_stop().
 */
void adit_plugins_start(const AditValue *config, AditApplied done, gpointer data);

/**
 * Whether plugins would take `config` as their first, with the refusals of all: they prepare and abort, and none is started, so that
 * nothing outside this process is touched. Call adit_plugins_fini() afterwards, as this configuration is in force nowhere.
 */
void adit_plugins_try(const AditValue *config, AditApplied done, gpointer data);

/** Calls each loaded plugin's check(). */
void adit_plugins_check(const AditValue *config, const AditTrial *trial);

/** The daemon stops: an apply that waits is aborted, and from now on each is answered ADIT_ERR_BUSY. */
void adit_plugins_freeze(void);

/** The configuration last committed; borrowed, NULL before the first. */
const AditValue *adit_plugins_config(void);

/** Stops all, last started first, each bounded by what is left of `limit_ms`; `done` once. */
void adit_plugins_stop(guint limit_ms, void (*done)(gpointer data), gpointer data);

/** fini of all, last first, and everything freed; modules stay mapped. After a stop, or without a start. */
void adit_plugins_fini(void);

/** Capabilities that the loaded plugins declare, as bits; those that they can do without among them. */
guint64 adit_plugins_capabilities(void);

/** Whether `held` has every capability that a loaded plugin can't do without; the error names the first plugin that lacks one. */
gboolean adit_plugins_permitted(guint64 held, GError **error);

/** LIST of MAP for `show plugins`. */
AditValue *adit_plugins_describe(void);
