/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/base/clock.h"

/* Only the thread that follows passes has a cache, so that nothing here needs a lock. */
static _Thread_local struct {
  gboolean follows;
  guint64 ms; /* 0 = not read in this pass yet */
} pass;

guint64 adit_clock_ms(void) {
  return MAX((guint64)g_get_monotonic_time() / 1000, 1);
}

guint64 adit_now_ms(void) {
  /* Outside a dispatch no pass ends, and a cached value would not advance. */
  if (!pass.follows || g_main_depth() == 0)
    return adit_clock_ms();
  if (!pass.ms)
    pass.ms = adit_clock_ms();
  return pass.ms;
}

void adit_clock_new_pass(void) {
  pass.ms = 0;
}

void adit_clock_follow_passes(gboolean follow) {
  pass.follows = follow;
  pass.ms = 0;
}
