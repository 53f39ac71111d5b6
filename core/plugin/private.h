/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/plugin/private.h - what the files of this module share. */
#pragma once

#include "core/plugin/plugins.h"

typedef enum {
  PLUGIN_OPENED = 1, /**< checked; its code has not run */
  PLUGIN_INITED,
  PLUGIN_STARTED,
  PLUGIN_STOPPING,
  PLUGIN_STOPPED,
} PluginPhase;

typedef struct {
  AditPlugin owner;           /**< the head that everyone else sees */
  const AditPluginInfo *info; /**< `whole` */
  AditPluginInfo whole;       /**< the plugin's own, as this core knows it: an older plugin's is shorter */
  char *path;                 /**< NULL when linked in */
  gpointer state;
  PluginPhase phase;
  gpointer staged;   /**< prepared and neither committed nor aborted */
  gboolean prepared; /**< `staged` waits for commit or abort */
  gboolean pending;  /**< prepare() has not answered yet */
  guint round;       /**< which apply it is pending in */
} Loaded;

static inline Loaded *loaded_of(AditPlugin *plugin) {
  return (Loaded *)plugin;
}

void adit_plugin_free(Loaded *plugin);

/** Finds NAME in `dirs`, checks who may write it (unless `trusted`), maps it and checks its info. NOT_FOUND alone means: no such file
 *  anywhere. */
Loaded *adit_plugin_open(const char *name, const GPtrArray *dirs, gboolean trusted, GError **error);

/** The same for one that is linked in. */
Loaded *adit_plugin_wrap(const AditPluginInfo *info, const char *name, GError **error);

/** Is there a file NAME in `dirs`, good or bad? */
gboolean adit_plugin_find(const char *name, const GPtrArray *dirs);

/** Puts `plugins` (of Loaded*) in order of start. Missing and circular features are named in `problems`, with their chain. */
gboolean adit_plugin_resolve(GPtrArray *plugins, GPtrArray *problems);

/** Calls start(); an error names the plugin. */
gboolean adit_plugin_start(Loaded *plugin, GError **error);

/** The plugins in order of start (of Loaded*). */
GPtrArray *adit_plugins_all(void);

/** For adit_plugins_fini(): forgets the configuration and an apply that waits. */
void adit_plugins_apply_fini(void);

/** For adit_plugins_init(). */
void adit_plugins_apply_init(const AditModule *modules, guint n_modules);

/** How long a pending prepare() is waited for; tests are impatient. */
extern guint adit_plugins_prepare_limit_ms;
