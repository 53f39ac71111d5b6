/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/plugin/open.h - a plugin from its file, or linked in. All [main]. */
#pragma once

#include "core/plugin/loaded.h"

void adit_plugin_free(Loaded *plugin);

/** Finds NAME in `dirs`, checks its owner and mode (unless `trusted`), maps it and checks its info. NOT_FOUND alone means: no such file
 *  anywhere. */
Loaded *adit_plugin_open(const char *name, const GPtrArray *dirs, gboolean trusted, GError **error);

/** The same for one that is linked in. */
Loaded *adit_plugin_wrap(const AditPluginInfo *info, const char *name, GError **error);

/** Is there a file NAME in `dirs`, good or bad? */
gboolean adit_plugin_find(const char *name, const GPtrArray *dirs);
