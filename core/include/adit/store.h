/* SPDX-License-Identifier: MIT */
/** adit/store.h - what must outlive a crash: named tables of key and octets, on disk. Service "adit.store". */
#pragma once

#include <adit/plugin.h>

G_BEGIN_DECLS

typedef void (*AditStoreDone)(gpointer user, const GError *error);                         /**< [main] durable, or failed */
/** [main] One call per row in order of key, then one with key NULL. */
typedef void (*AditStoreRow)(gpointer user, const char *key, const guint8 *data, gsize length);

#define ADIT_STORE_SERVICE "adit.store"
typedef struct {
  gsize size;
  /** [main] Writes are grouped into transactions, in order; `done` (may be NULL) comes after the commit is on disk. */
  void (*put)(const char *table, const char *key, const void *data, gsize length, AditStoreDone done, gpointer user);
  void (*remove)(const char *table, const char *key, AditStoreDone done, gpointer user);
  void (*load)(const char *table, AditStoreRow row, gpointer user); /**< [main] what is there after all earlier writes */
} AditStoreService;

G_END_DECLS
