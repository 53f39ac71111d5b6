/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * tests/lib/loop.h - waiting in tests: run the default main context until something is true or a deadline has passed.
 *
 *     assert_true(TEST_LOOP_UNTIL(ctx.done, 2000));
 */
#pragma once

#include <glib.h>

static inline gboolean test_loop_wake_(GSource *source, GSourceFunc callback, gpointer data) {
  g_source_set_ready_time(source, -1);
  return G_SOURCE_CONTINUE;
}

/** A source that only ends a blocking iteration after `ms`. */
static inline GSource *test_loop_alarm_(guint ms) {
  static GSourceFuncs funcs = {.dispatch = test_loop_wake_};
  GSource *source = g_source_new(&funcs, sizeof(GSource));
  g_source_set_ready_time(source, g_get_monotonic_time() + (gint64)ms * 1000);
  g_source_attach(source, NULL);
  return source;
}

/** Runs the main context until the expression is true: TRUE; FALSE if `ms` milliseconds passed first. */
#define TEST_LOOP_UNTIL(expression, ms)                                                                                                    \
  ({                                                                                                                                       \
    gint64 test_deadline_ = g_get_monotonic_time() + (gint64)(ms)*1000;                                                                    \
    GSource *test_alarm_ = test_loop_alarm_(ms);                                                                                           \
    while (!(expression) && g_get_monotonic_time() < test_deadline_)                                                                       \
      g_main_context_iteration(NULL, TRUE);                                                                                                \
    g_source_destroy(test_alarm_);                                                                                                         \
    g_source_unref(test_alarm_);                                                                                                           \
    !!(expression);                                                                                                                        \
  })

/** Runs everything that is ready now, without waiting. */
static inline void test_loop_drain(void) {
  while (g_main_context_iteration(NULL, FALSE))
    ;
}
