/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** radius/wire/dictionary.h - names of attributes for logs, from a dictionary in libradcli's format. */
#pragma once

#include <glib.h>

#define RADIUS_NAME_MAX 64

/** The installed dictionary, or what the environment's ADIT_RADIUS_DICTIONARY says: for a daemon that runs from a build tree. */
const char *radius_names_file(void);

/** Reads the dictionary of that file; it replaces one that was read before. Blocks on the file: at start, not on the loop of a daemon
 *  that serves. FALSE: the file can't be read or understood; names are numbers then. [main] */
gboolean radius_names_load(const char *file, GError **error);
void radius_names_unload(void); /**< [main] */

/** `Mikrotik-Rate-Limit (14988/8)`; without a name, `attribute 14988/8`, `attribute 250` for a standard one. Writes to `text` and
 *  returns it. Lookups are lock-free and the dictionary constant between load and unload. [any] */
const char *radius_name(guint32 vendor, guint8 type, char text[RADIUS_NAME_MAX]);
