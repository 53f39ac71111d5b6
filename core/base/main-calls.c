/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/base/main-calls.h"
#include "core/base/hold.h"

typedef struct {
  AditWorkFunc func;
  gpointer data;
} Call;

static GSource *calls_source;
static GMutex calls_lock;
static GQueue calls_queue = G_QUEUE_INIT;

/* Runs up to `max` calls; TRUE if none is left. */
static gboolean calls_run(guint max) {
  for (guint i = 0; i < max; i++) {
    g_mutex_lock(&calls_lock);
    g_autofree Call *call = g_queue_pop_head(&calls_queue);
    if (!call && calls_source)
      g_source_set_ready_time(calls_source, -1);
    g_mutex_unlock(&calls_lock);
    if (!call)
      return TRUE;
    ADIT_HOLD(NULL, call->func, "a call_main() function", call->func(call->data));
  }
  return FALSE;
}

static gboolean calls_dispatch(GSource *source, GSourceFunc callback, gpointer data) {
  calls_run(ADIT_LOOP_CALL_BUDGET); /* what is left keeps the source ready for the next pass */
  return G_SOURCE_CONTINUE;
}

void adit_call_main(AditWorkFunc func, gpointer data) {
  Call *call = g_new(Call, 1);
  *call = (Call){func, data};
  g_mutex_lock(&calls_lock);
  g_queue_push_tail(&calls_queue, call);
  if (calls_queue.length == 1 && calls_source)
    g_source_set_ready_time(calls_source, 0);
  g_mutex_unlock(&calls_lock);
}

void adit_main_calls_init(void) {
  static GSourceFuncs funcs = {.dispatch = calls_dispatch};

  g_mutex_lock(&calls_lock);
  calls_source = g_source_new(&funcs, sizeof(GSource));
  g_source_set_static_name(calls_source, "adit-calls");
  g_source_set_priority(calls_source, G_PRIORITY_DEFAULT);
  g_source_attach(calls_source, NULL);
  if (calls_queue.length)
    g_source_set_ready_time(calls_source, 0);
  g_mutex_unlock(&calls_lock);
}

void adit_main_calls_run_all(void) {
  while (!calls_run(G_MAXUINT))
    ;
}

void adit_main_calls_fini(void) {
  g_mutex_lock(&calls_lock);
  g_source_destroy(calls_source);
  g_clear_pointer(&calls_source, g_source_unref);
  g_mutex_unlock(&calls_lock);
}
