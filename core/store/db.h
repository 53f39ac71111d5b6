/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/store/db.h - the database file: blocking calls, one thread at a time. */
#pragma once

#include <adit/types.h>

G_BEGIN_DECLS

typedef struct AditDb AditDb;

/** Opens or makes it, and checks it. Moves a damaged database to `PATH.corrupt-TIME`, with a warning, and makes a new one. */
AditDb *adit_db_open(const char *path, GError **error);
void adit_db_close(AditDb *db);

gboolean adit_db_begin(AditDb *db, GError **error);
/** `data` NULL removes the row. */
gboolean adit_db_write(AditDb *db, const char *table, const char *key, GBytes *data, GError **error);
/** When it returns TRUE, what was written since adit_db_begin() is on the disk. */
gboolean adit_db_commit(AditDb *db, GError **error);
void adit_db_rollback(AditDb *db);

typedef void (*AditDbRow)(const char *key, const void *data, gsize length, gpointer user);
/** Up to `limit` rows (0 = all) of a table with a key after `after` ("" = from the first), in order of key. */
gboolean adit_db_load(AditDb *db, const char *table, const char *after, guint limit, AditDbRow row, gpointer user, GError **error);

G_END_DECLS
