/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/plugin/modules.h - all modules in one list each: what they serve, what they take of the configuration, their begin and end. All
 * [main]. */
#pragma once

#include "core/config/config.h"
#include "core/plugin/command-line.h"

/** Starts all modules that need no configuration, and the plugin module with their services. */
void adit_modules_init(void);

/** Frees everything, also after a start that failed half-way. */
void adit_modules_fini(void);

/** Tells the plugin module where to look. */
void adit_modules_add_dirs(const AditDaemonOptions *options);

/** Does so, and loads the plugins that the file at `config` names. Problems as adit_plugins_load(). */
gboolean adit_modules_load_plugins(const AditDaemonOptions *options, GPtrArray *problems);

/** All options of core and loaded plugins, with hints from installed NAME.schema files. */
AditSchema *adit_modules_schema(const AditDaemonOptions *options);
