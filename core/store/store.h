/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/store/store.h - the store: sqlite3 on its own thread, writes grouped into transactions. Requires adit_loop_init(). */
#pragma once

#include <adit/store.h>

G_BEGIN_DECLS

/** Opens (or makes) the database and starts the thread; a file that is no sound database is moved aside (`.corrupt-TIME`)
 *  with a warning and a new one begun. `path` NULL or ":memory:": nothing outlives the process. [main] */
gboolean adit_store_open(const char *path, GError **error);

/** Writes what is queued, calls every outstanding completion, closes. Harmless when not open. [main] */
void adit_store_close(void);

/** The table behind ADIT_STORE_SERVICE. While no store is open, all that is asked fails (ADIT_ERR_NOT_FOUND). */
const AditStoreService *adit_store_service(void);

G_END_DECLS
