/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/plugin/loaded.h - a plugin that is there, and all of them in order of start. All [main]. */
#pragma once

#include "core/base/owner.h"
#include <adit/plugin.h>

typedef enum {
  PLUGIN_OPENED = 1, /**< checked; its code has not run */
  PLUGIN_INITED,
  PLUGIN_STARTED,
  PLUGIN_STOPPING,
  PLUGIN_STOPPED,
} PluginPhase;

typedef struct {
  AditPlugin owner;           /**< the head that all others see */
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

/** Calls start(); an error names the plugin. */
gboolean adit_plugin_start(Loaded *plugin, GError **error);

/** The plugins in order of start (of Loaded*). */
GPtrArray *adit_plugins_all(void);

/** Makes the list, which is empty; each plugin in it is freed by `free_one` when it is removed. */
void adit_plugins_all_init(GDestroyNotify free_one);
void adit_plugins_all_fini(void);
