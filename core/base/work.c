/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Blocking work: each plugin has its own threads and queue, so that a plugin with a hanging server delays no other. */
#include "core/base/work.h"
#include "core/base/hold.h"
#include "core/base/main-calls.h"
#include "core/base/misuse.h"

#include <adit/log.h>

/* One plugin's threads. Freed when dropped and when no drain is on its way to the main loop. */
typedef struct {
  gint refs;
  GThreadPool *threads;
  gint dropping; /* atomic: skip work that has not begun */
  GMutex lock;
  GQueue finished;       /* of Job; behind lock */
  gboolean drain_queued; /* behind lock */
} Pool;

typedef struct {
  AditWorkFunc work, done;
  gpointer data;
} Job;

static GHashTable *pools; /* AditPlugin* (NULL = core) -> Pool */

static void pool_unref(Pool *pool) {
  if (!g_atomic_int_dec_and_test(&pool->refs))
    return;
  g_mutex_clear(&pool->lock);
  g_free(pool);
}

/* Calls what is finished. */
static void drain_finished(Pool *pool) {
  for (;;) {
    g_mutex_lock(&pool->lock);
    g_autofree Job *job = g_queue_pop_head(&pool->finished);
    g_mutex_unlock(&pool->lock);
    if (!job)
      return;
    if (job->done)
      ADIT_HOLD(NULL, job->done, "the end of run_blocking()", job->done(job->data));
  }
}

static void drain_on_main(gpointer data) {
  Pool *pool = data;
  g_mutex_lock(&pool->lock);
  pool->drain_queued = FALSE;
  g_mutex_unlock(&pool->lock);
  drain_finished(pool);
  pool_unref(pool);
}

static void run_job(gpointer data, gpointer user) {
  Job *job = data;
  Pool *pool = user;

  if (!g_atomic_int_get(&pool->dropping))
    job->work(job->data);
  g_mutex_lock(&pool->lock);
  g_queue_push_tail(&pool->finished, job);
  gboolean wake = !pool->drain_queued;
  if (wake) {
    pool->drain_queued = TRUE;
    g_atomic_int_inc(&pool->refs);
  }
  g_mutex_unlock(&pool->lock);
  if (wake)
    adit_call_main(drain_on_main, pool);
}

static Pool *pool_of(AditPlugin *plugin) {
  if (!pools)
    pools = g_hash_table_new(NULL, NULL);
  Pool *pool = g_hash_table_lookup(pools, plugin);
  if (pool)
    return pool;
  pool = g_new0(Pool, 1);
  pool->refs = 1;
  g_mutex_init(&pool->lock);
  g_queue_init(&pool->finished);
  /* Exclusive: threads that GLib shares could be busy with other work. */
  g_autoptr(GError) error = NULL;
  pool->threads = g_thread_pool_new(run_job, pool, ADIT_LOOP_WORK_THREADS, TRUE, &error);
  if (error)
    adit_error(NULL, "%s: %s", adit_plugin_name(plugin), error->message);
  g_hash_table_insert(pools, plugin, pool);
  return pool;
}

gboolean adit_run_blocking(AditPlugin *plugin, AditWorkFunc work, AditWorkFunc done, gpointer data) {
  ADIT_MAIN_ONLY("adit.loop run_blocking", FALSE);
  if (!work) {
    adit_misuse(plugin, "run_blocking() without a function");
    return FALSE;
  }
  Pool *pool = pool_of(plugin);
  if (g_atomic_int_get(&pool->dropping) || g_thread_pool_unprocessed(pool->threads) >= ADIT_LOOP_WORK_QUEUE)
    return FALSE;
  Job *job = g_new(Job, 1);
  *job = (Job){work, done, data};
  /* An error means that no further thread could be started; the job is queued all the same. */
  g_thread_pool_push(pool->threads, job, NULL);
  return TRUE;
}

void adit_work_drop(AditPlugin *plugin) {
  Pool *pool = pools ? g_hash_table_lookup(pools, plugin) : NULL;
  if (!pool || g_atomic_int_get(&pool->dropping))
    return;
  g_atomic_int_set(&pool->dropping, TRUE);
  g_thread_pool_free(pool->threads, FALSE, TRUE);
  drain_finished(pool);
  g_hash_table_remove(pools, plugin);
  pool_unref(pool);
}

void adit_work_drop_all(void) {
  GHashTableIter iter;
  gpointer plugin;

  while (pools) {
    g_hash_table_iter_init(&iter, pools);
    if (!g_hash_table_iter_next(&iter, &plugin, NULL))
      g_clear_pointer(&pools, g_hash_table_unref);
    else
      adit_work_drop(plugin);
  }
}
