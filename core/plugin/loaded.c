/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/plugin/loaded.h"
#include "core/base/hold.h"
#include <adit/log.h>

static GPtrArray *plugins; /* of Loaded*, in order of start */

void adit_plugins_all_init(GDestroyNotify free_one) {
  plugins = g_ptr_array_new_with_free_func(free_one);
}

void adit_plugins_all_fini(void) {
  g_clear_pointer(&plugins, g_ptr_array_unref);
}

GPtrArray *adit_plugins_all(void) {
  return plugins;
}

gboolean adit_plugin_start(Loaded *plugin, GError **error) {
  gboolean good = TRUE;

  if (plugin->info->start)
    ADIT_HOLD(&plugin->owner, plugin->info->start, "start()", good = plugin->info->start(plugin->state, error));
  if (!good) {
    if (error && !*error)
      g_set_error_literal(error, ADIT_ERROR, ADIT_ERR_SYSTEM, "start failed without a reason");
    g_prefix_error(error, "plugin %s: ", plugin->owner.name);
    return FALSE;
  }
  plugin->phase = PLUGIN_STARTED;
  adit_debug(NULL, "plugin %s started", plugin->owner.name);
  return TRUE;
}
