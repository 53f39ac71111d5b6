/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/base/loop.h"
#include "core/base/clock.h"
#include "core/base/hold.h"
#include "core/base/memory.h"
#include "core/base/misuse.h"
#include "core/base/random.h"
#include "core/base/wheel.h"

#include <adit/log.h>

static struct {
  AditWheel *wheel;
  GSource *pass;
  GSource *timers;
  gint64 pass_begun_us; /* when poll() returned; 0 before */
} loop;

/* ---- passes: never ready itself, but before all others in each pass, and again when poll() has returned ---- */

/* Sources of GLib that are not the loop's own: only the pass is named. */
static void check_pass(void) {
  static AditRateLimit lines;
  guint suppressed = 0;
  gint64 named = adit_hold_named_us();

  if (!loop.pass_begun_us)
    return;
  int ms = (int)((g_get_monotonic_time() - loop.pass_begun_us - named) / 1000);
  loop.pass_begun_us = 0;
  adit_hold_set_pass(0);
  if (ms >= ADIT_HOLD_LIMIT_MS && adit_rate_allows(&lines, adit_clock_ms(), 10, 10000, &suppressed))
    adit_notice(NULL, "core: something beside timers, watches and calls held the main loop for %d ms (%u such lines were suppressed)", ms,
                suppressed);
}

static gboolean pass_prepare(GSource *source, int *timeout) {
  check_pass();
  adit_clock_new_pass();
  *timeout = -1;
  return FALSE;
}

static gboolean pass_check(GSource *source) {
  adit_clock_new_pass();
  loop.pass_begun_us = g_get_monotonic_time();
  adit_hold_set_pass(loop.pass_begun_us);
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
  ADIT_MAIN_ONLY("adit.loop timer_arm");
  guint64 now = adit_now_ms();
  delay_ms = MAX(delay_ms, 1);
  adit_wheel_arm(loop.wheel, timer, delay_ms > G_MAXUINT64 - now ? G_MAXUINT64 : now + delay_ms);
}

void adit_timer_cancel(AditTimer *timer) {
  ADIT_MAIN_ONLY("adit.loop timer_cancel");
  if (loop.wheel)
    adit_wheel_cancel(loop.wheel, timer);
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

  g_return_if_fail(!loop.wheel);
  adit_clock_follow_passes(TRUE);
  adit_main_thread_set(TRUE);
  loop.wheel = adit_wheel_new(adit_clock_ms());
  loop.pass = source_new(&pass_funcs, "adit-pass", G_MININT);
  loop.timers = source_new(&timers_funcs, "adit-timers", G_PRIORITY_DEFAULT);
  adit_main_calls_init();
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
  adit_main_calls_run_all();
  adit_watches_fini();
  adit_main_calls_fini();
  source_end(&loop.timers);
  source_end(&loop.pass);
  g_clear_pointer(&loop.wheel, adit_wheel_free);
  loop.pass_begun_us = 0;
  adit_hold_set_pass(0);
  adit_clock_follow_passes(FALSE);
  adit_main_thread_set(FALSE);
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
      .memory_freed = adit_memory_give_back,
  };
  return &service;
}
