/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * core/path/path.h - the registries of data paths and transports behind service "adit.path". All [main].
 */
#pragma once

#include <adit/path.h>

/** Empties both registries; call once before plugins are loaded. */
void adit_path_init(void);
/** Forgets everything. The objects that plugins registered belong to them and are not touched. */
void adit_path_fini(void);

/** The table handed to plugins as ADIT_PATH_SERVICE; lives for ever. */
const AditPathService *adit_path_service(void);

/** Removes what `plugin` registered. Links and listeners that still use it must be gone before. */
void adit_path_drop_plugin(AditPlugin *plugin);

/** The data path called `name`, or NULL; its state goes to `*dp` (which may be NULL). Borrowed. */
const AditDatapathOps *adit_datapath_find(const char *name, gpointer *dp);

/** The transport called `name` (`l2tp`), or NULL; its state goes to `*state` (which may be NULL). Borrowed. */
const AditTransportOps *adit_transport_find(const char *name, gpointer *state);

/** The `index`th data path in order of registration, NULL past the last. `dp` and `plugin` may be NULL. */
const AditDatapathOps *adit_datapath_at(guint index, gpointer *dp, AditPlugin **plugin);

/** The `index`th transport in order of registration, NULL past the last. `state` and `plugin` may be NULL. */
const AditTransportOps *adit_transport_at(guint index, gpointer *state, AditPlugin **plugin);
