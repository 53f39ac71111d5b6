/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/aaa/aaa-accounting.h"
#include "core/aaa/aaa-registry.h"
#include "core/base/hold.h"

/** A record that a sink has and did not yet acknowledge. Sinks know it by number, so that a second acknowledgement, or
 *  one that comes after the end, meets nothing. */
typedef struct {
  AditPlugin *plugin;
  const char *sink; /**< interned */
} Receipt;

static GMutex lock; /* guards what follows; threads may acknowledge before init and after fini */
static GHashTable *receipts;
static gsize last_token;
static gboolean wanted; /* a function is to be called when nothing is pending */
static AditRateLimit losses;

static AditWorkFunc idle_func; /* main loop only */
static gpointer idle_data;

static void tell_idle(gpointer data) {
  AditWorkFunc func = idle_func;

  if (!func || adit_acct_pending())
    return;
  idle_func = NULL;
  func(idle_data);
}

static void tell_if_idle_locked(void) {
  if (!wanted || g_hash_table_size(receipts))
    return;
  wanted = FALSE;
  aaa_loop->call_main(tell_idle, NULL);
}

static void on_record_kept(gpointer token, gboolean kept) {
  Receipt *receipt = NULL;
  const char *loser = NULL;
  gboolean known = FALSE, running;
  guint more = 0;

  g_mutex_lock(&lock);
  running = receipts != NULL;
  if (running && g_hash_table_steal_extended(receipts, token, NULL, (gpointer *)&receipt)) {
    known = TRUE;
    if (!kept && adit_rate_allows(&losses, aaa_loop->now(), 5, 1000, &more))
      loser = receipt->sink;
    tell_if_idle_locked();
  }
  g_mutex_unlock(&lock);

  if (loser)
    adit_warning(NULL, "sink %s could not keep an accounting record", loser);
  else if (running && !known)
    adit_debug(NULL, "an accounting record was acknowledged twice, or too late");
  g_free(receipt);
}

void adit_acct_record(const AditAcctRecord *record) {
  const GPtrArray *sinks = aaa_sinks();
  gboolean begins = record->kind == ADIT_ACCT_START || record->kind == ADIT_ACCT_ON;

  if (begins && !adit_aaa_accounting())
    return;
  for (guint i = 0; i < sinks->len; i++) {
    const AaaSink *sink = (const AaaSink *)sinks->pdata[i];
    Receipt *receipt = g_new(Receipt, 1);

    *receipt = (Receipt){sink->plugin, sink->name};
    g_mutex_lock(&lock);
    gpointer token = GSIZE_TO_POINTER(++last_token);
    g_hash_table_insert(receipts, token, receipt);
    g_mutex_unlock(&lock);
    ADIT_HOLD(sink->plugin, sink->ops->record, "record()", sink->ops->record(sink->state, record, on_record_kept, token));
  }
}

gboolean adit_acct_has_sink(void) {
  return aaa_sinks()->len > 0;
}

guint adit_acct_pending(void) {
  g_mutex_lock(&lock);
  guint n = receipts ? g_hash_table_size(receipts) : 0;
  g_mutex_unlock(&lock);
  return n;
}

void adit_acct_when_idle(AditWorkFunc func, gpointer data) {
  idle_func = func;
  idle_data = data;
  g_mutex_lock(&lock);
  wanted = func != NULL;
  tell_if_idle_locked();
  g_mutex_unlock(&lock);
}

static gboolean is_of(gpointer token, gpointer receipt, gpointer plugin) {
  return ((Receipt *)receipt)->plugin == plugin;
}

void aaa_acct_drop(AditPlugin *plugin) {
  g_mutex_lock(&lock);
  guint lost = g_hash_table_foreach_remove(receipts, is_of, plugin);
  tell_if_idle_locked();
  g_mutex_unlock(&lock);
  if (lost)
    adit_warning(NULL, "%u accounting records were not acknowledged when their plugin left", lost);
}

void aaa_acct_init(void) {
  g_mutex_lock(&lock);
  receipts = g_hash_table_new_full(NULL, NULL, NULL, g_free);
  g_mutex_unlock(&lock);
}

void aaa_acct_fini(void) {
  g_mutex_lock(&lock);
  g_clear_pointer(&receipts, g_hash_table_unref);
  wanted = FALSE;
  g_mutex_unlock(&lock);
  idle_func = NULL;
}
