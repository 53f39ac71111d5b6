/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/base/loop.h"
#include "core/base/clock.h"
#include "core/base/loop-private.h"
#include "core/base/random.h"
#include "core/base/wheel.h"

#include <adit/log.h>

static struct {
  AditWheel *wheel;
  GSource *pass;
  GSource *timers;
  GSource *calls;
} loop;

/* ---- passes: never ready itself, but before all others in each pass, and again when poll() has returned ---- */

static gboolean pass_prepare(GSource *source, int *timeout) {
  adit_clock_new_pass();
  *timeout = -1;
  return FALSE;
}

static gboolean pass_check(GSource *source) {
  adit_clock_new_pass();
  return FALSE;
}

/* ---- timers ---- */

static gboolean timers_prepare(GSource *source, int *timeout) {
  guint64 next = adit_wheel_next(loop.wheel), now = adit_clock_ms();
  *timeout = !next ? -1 : next <= now ? 0 : (int)MIN(next - now, G_MAXINT);
  return next && next <= now;
}

static gboolean timers_check(GSource *source) {
  guint64 next = adit_wheel_next(loop.wheel);
  return next && next <= adit_clock_ms();
}

static gboolean timers_dispatch(GSource *source, GSourceFunc callback, gpointer data) {
  adit_wheel_advance_some(loop.wheel, adit_now_ms(), ADIT_LOOP_TIMER_BUDGET);
  return G_SOURCE_CONTINUE;
}

void adit_timer_arm(AditTimer *timer, guint64 delay_ms) {
  guint64 now = adit_now_ms();
  delay_ms = MAX(delay_ms, 1);
  adit_wheel_arm(loop.wheel, timer, delay_ms > G_MAXUINT64 - now ? G_MAXUINT64 : now + delay_ms);
}

void adit_timer_cancel(AditTimer *timer) {
  if (loop.wheel)
    adit_wheel_cancel(loop.wheel, timer);
}

/* ---- calls from any thread ---- */

typedef struct {
  AditWorkFunc func;
  gpointer data;
} Call;

static GMutex calls_lock;
static GQueue calls_queue = G_QUEUE_INIT;

/* Runs up to `max` calls; TRUE if none is left. */
static gboolean calls_run(guint max) {
  for (guint i = 0; i < max; i++) {
    g_mutex_lock(&calls_lock);
    g_autofree Call *call = g_queue_pop_head(&calls_queue);
    if (!call && loop.calls)
      g_source_set_ready_time(loop.calls, -1);
    g_mutex_unlock(&calls_lock);
    if (!call)
      return TRUE;
    call->func(call->data);
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
  if (calls_queue.length == 1 && loop.calls)
    g_source_set_ready_time(loop.calls, 0);
  g_mutex_unlock(&calls_lock);
}

/* ---- life ---- */

static GSource *source_new(GSourceFuncs *funcs, const char *name, int priority) {
  GSource *source = g_source_new(funcs, sizeof(GSource));
  g_source_set_static_name(source, name);
  g_source_set_priority(source, priority);
  g_source_attach(source, NULL);
  return source;
}

void adit_loop_init(void) {
  static GSourceFuncs pass_funcs = {.prepare = pass_prepare, .check = pass_check};
  static GSourceFuncs timers_funcs = {.prepare = timers_prepare, .check = timers_check, .dispatch = timers_dispatch};
  static GSourceFuncs calls_funcs = {.dispatch = calls_dispatch};

  g_return_if_fail(!loop.wheel);
  adit_clock_follow_passes(TRUE);
  loop.wheel = adit_wheel_new(adit_clock_ms());
  loop.pass = source_new(&pass_funcs, "adit-pass", G_MININT);
  loop.timers = source_new(&timers_funcs, "adit-timers", G_PRIORITY_DEFAULT);
  g_mutex_lock(&calls_lock);
  loop.calls = source_new(&calls_funcs, "adit-calls", G_PRIORITY_DEFAULT);
  if (calls_queue.length)
    g_source_set_ready_time(loop.calls, 0);
  g_mutex_unlock(&calls_lock);
  adit_watches_init();
}

static void source_end(GSource **source) {
  g_source_destroy(*source);
  g_clear_pointer(source, g_source_unref);
}

void adit_loop_fini(void) {
  if (!loop.wheel)
    return;
  adit_work_drop_all();
  while (!calls_run(G_MAXUINT))
    ;
  adit_watches_fini();
  g_mutex_lock(&calls_lock);
  source_end(&loop.calls);
  g_mutex_unlock(&calls_lock);
  source_end(&loop.timers);
  source_end(&loop.pass);
  g_clear_pointer(&loop.wheel, adit_wheel_free);
  adit_clock_follow_passes(FALSE);
}

void adit_loop_drop_plugin(AditPlugin *plugin) {
  adit_watches_drop(plugin);
  adit_work_drop(plugin);
}

const AditLoopService *adit_loop_service(void) {
  static const AditLoopService service = {
      .size = sizeof service,
      .now = adit_now_ms,
      .timer_arm = adit_timer_arm,
      .timer_cancel = adit_timer_cancel,
      .watch_add = adit_watch_add,
      .watch_remove = adit_watch_remove,
      .run_blocking = adit_run_blocking,
      .call_main = adit_call_main,
      .random = adit_random,
  };
  return &service;
}
