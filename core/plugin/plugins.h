/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * core/plugin/plugins.h - plugins from file to feature, and the configuration that goes through all of them.
 *
 * Order: init -> load (open, check, resolve features, each plugin's init) -> schema -> start (with the first configuration) ->
 * apply (each reload) -> stop -> fini. Everything is [main].
 */
#pragma once

#include "core/plugin/apply.h"
#include <adit/plugin.h>
#include <adit/value.h>

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
 * features, owners and modes of the files are not checked. For printing the schema, which a build does in its own tree.
 */
gboolean adit_plugins_peruse(const char *more, GPtrArray *problems);

/** Is there a file that could be plugin NAME in the folders? Any thread, once they are added. */
gboolean adit_plugins_exists(const char *name);

/** Adds a plugin that is linked in (tests). Same checks, but the file's. Before adit_plugins_load(). */
void adit_plugins_add_static(const AditPluginInfo *info);

/** Each loaded plugin's options, in order: `add(owner, options, n, data)`. */
void adit_plugins_options(void (*add)(const char *owner, const AditOption *options, guint n, gpointer data), gpointer data);

/** Calls each loaded plugin's check(). */
void adit_plugins_check(const AditValue *config, const AditTrial *trial);

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
