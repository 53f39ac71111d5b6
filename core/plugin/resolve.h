/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/plugin/resolve.h - the order in which plugins start, by their features. Pure. */
#pragma once

#include "core/plugin/loaded.h"

/** Puts `plugins` (of Loaded*) in order of start. Missing and circular features are named in `problems`, with their chain. */
gboolean adit_plugin_resolve(GPtrArray *plugins, GPtrArray *problems);
