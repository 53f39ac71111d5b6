/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* ThreadSanitizer builds only: GLib is not instrumented, so what its locks, pools and counters order looks like a race. Each function
 * here does what GLib's does and says so to the sanitizer. Nothing is suppressed. */
#include <dlfcn.h>
#include <glib.h>

void __tsan_acquire(void *at);
void __tsan_release(void *at);

#define EXPORTED __attribute__((visibility("default")))

#define NEXT(name)                                                                                                                         \
  static typeof(name) *next;                                                                                                               \
  if (!__atomic_load_n(&next, __ATOMIC_RELAXED))                                                                                           \
  __atomic_store_n(&next, (typeof(name) *)dlsym(RTLD_NEXT, #name), __ATOMIC_RELAXED)

EXPORTED void(g_mutex_lock)(GMutex *mutex) {
  NEXT(g_mutex_lock);
  next(mutex);
  __tsan_acquire(mutex);
}

EXPORTED void(g_mutex_unlock)(GMutex *mutex) {
  NEXT(g_mutex_unlock);
  __tsan_release(mutex);
  next(mutex);
}

EXPORTED void(g_cond_wait)(GCond *cond, GMutex *mutex) {
  NEXT(g_cond_wait);
  __tsan_release(mutex);
  next(cond, mutex);
  __tsan_acquire(mutex);
}

EXPORTED gboolean(g_cond_wait_until)(GCond *cond, GMutex *mutex, gint64 end) {
  NEXT(g_cond_wait_until);
  __tsan_release(mutex);
  gboolean signalled = next(cond, mutex, end);
  __tsan_acquire(mutex);
  return signalled;
}

static char all_jobs; /* what was done in any of them */

typedef struct {
  GFunc func;
  gpointer user;
} PoolFunc;

static void run_pool_job(gpointer job, gpointer data) {
  const PoolFunc *pool = data;
  __tsan_acquire(job);
  pool->func(job, pool->user);
  __tsan_release(&all_jobs);
}

/* The pair of function and data is never freed: a build for tests has a handful. */
EXPORTED GThreadPool *(g_thread_pool_new)(GFunc func, gpointer user, gint threads, gboolean exclusive, GError **error) {
  NEXT(g_thread_pool_new);
  PoolFunc *pool = g_new(PoolFunc, 1);
  *pool = (PoolFunc){func, user};
  return next(run_pool_job, pool, threads, exclusive, error);
}

EXPORTED gboolean(g_thread_pool_push)(GThreadPool *pool, gpointer job, GError **error) {
  NEXT(g_thread_pool_push);
  __tsan_release(job);
  return next(pool, job, error);
}

EXPORTED void(g_thread_pool_free)(GThreadPool *pool, gboolean immediate, gboolean wait) {
  NEXT(g_thread_pool_free);
  next(pool, immediate, wait);
  if (wait)
    __tsan_acquire(&all_jobs);
}

EXPORTED void(g_async_queue_push)(GAsyncQueue *queue, gpointer data) {
  NEXT(g_async_queue_push);
  __tsan_release(data);
  next(queue, data);
}

EXPORTED gpointer(g_async_queue_pop)(GAsyncQueue *queue) {
  NEXT(g_async_queue_pop);
  gpointer data = next(queue);
  __tsan_acquire(data);
  return data;
}

EXPORTED gpointer(g_async_queue_try_pop)(GAsyncQueue *queue) {
  NEXT(g_async_queue_try_pop);
  gpointer data = next(queue);
  if (data)
    __tsan_acquire(data);
  return data;
}

EXPORTED gpointer(g_async_queue_timeout_pop)(GAsyncQueue *queue, guint64 us) {
  NEXT(g_async_queue_timeout_pop);
  gpointer data = next(queue, us);
  if (data)
    __tsan_acquire(data);
  return data;
}
