/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * core/base/table.h - tables of plugins that were built against older headers, made as long as this core's. [main]
 *
 * A table that is long enough is returned as it is. A copy lives as long as the process, as the plugin's own static table does: links and
 * sessions may hold it after the plugin is gone.
 */
#pragma once

#include <adit/types.h>

G_BEGIN_DECLS

/** `table` begins with its size; members that it is too short for are 0 in the copy. `size`: this core's. */
gconstpointer adit_table_whole(gconstpointer table, gsize size);

/** `n` items of `from` octets each, which do not have their size, as items of `to` octets. */
gconstpointer adit_table_list(gconstpointer items, guint n, gsize from, gsize to);

G_END_DECLS
