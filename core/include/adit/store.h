/* SPDX-License-Identifier: MIT */
/**
 * adit/store.h - what must outlive a crash: named tables of key and octets, on disk. Service "adit.store".
 *
 * A counter that outlives the daemon:
 *
 *     static void counter_row(gpointer user, const char *key, const guint8 *data, gsize length) {
 *       if (length == sizeof(guint64))
 *         memcpy(user, data, length);
 *     }
 *
 *     static void counter_loaded(gpointer user, const GError *error) {
 *       if (!error)
 *         ++*(guint64 *)user;
 *     }
 *
 *     static void load_counter(const AditStoreService *store, guint64 *counter) { // it lives until counter_loaded()
 *       store->load("mine", NULL, 0, counter_row, counter_loaded, counter);
 *     }
 *
 *     static void save_counter(const AditStoreService *store, const guint64 *counter) {
 *       store->put("mine", "starts", counter, sizeof *counter, NULL, NULL);
 *     }
 */
#pragma once

#include <adit/plugin.h>

G_BEGIN_DECLS

/** [main] Durable, or failed. NULL = a failure is only logged. */
typedef void (*AditStoreDone)(gpointer user, const GError *error);
/** [main] One row, borrowed; in order of key. */
typedef void (*AditStoreRow)(gpointer user, const char *key, const guint8 *data, gsize length);

#define ADIT_STORE_SERVICE "adit.store"
typedef struct {
  gsize size;
  /** [main] Writes are grouped into transactions, in order; `done` (may be NULL) comes after the commit is on disk. */
  void (*put)(const char *table, const char *key, const void *data, gsize length, AditStoreDone done, gpointer user);
  void (*remove)(const char *table, const char *key, AditStoreDone done, gpointer user);
  /** [main] What is there after all earlier writes: rows with a key after `after` (NULL or "" = from the first), at most `limit`
   *  (0 = all), then `done` once: with an error when not all could be read. Big tables are read in parts: one part is one piece
   *  of work on the main loop. */
  void (*load)(const char *table, const char *after, guint limit, AditStoreRow row, AditStoreDone done, gpointer user);
} AditStoreService;

G_END_DECLS
