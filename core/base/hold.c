/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/base/hold.h"
#include "core/base/clock.h"
#include "core/base/misuse.h"

#include <adit/log.h>

static AditHold *innermost;
static gint64 named_us;
static AditRateLimit lines;

/* ---- for the thread that looks on: written by the main loop alone, odd while it is being written ---- */

static guint shown_serial; /* atomic, as all of it */
static AditHolder shown;

static void publish_hold(const AditHold *hold, gint64 pass_us) {
  guint serial = __atomic_load_n(&shown_serial, __ATOMIC_RELAXED);

  __atomic_store_n(&shown_serial, serial + 1, __ATOMIC_RELAXED);
  __atomic_store_n(&shown.pass_us, pass_us, __ATOMIC_RELEASE);
  __atomic_store_n(&shown.begun_us, hold ? hold->begun_us : 0, __ATOMIC_RELEASE);
  __atomic_store_n(&shown.plugin, hold ? hold->plugin : NULL, __ATOMIC_RELEASE);
  __atomic_store_n(&shown.what, hold ? hold->what : NULL, __ATOMIC_RELEASE);
  __atomic_store_n(&shown.func, hold ? hold->func : NULL, __ATOMIC_RELEASE);
  __atomic_store_n(&shown_serial, serial + 2, __ATOMIC_RELEASE);
}

gboolean adit_hold_look(AditHolder *out) {
  guint serial = __atomic_load_n(&shown_serial, __ATOMIC_ACQUIRE);

  *out = (AditHolder){.pass_us = __atomic_load_n(&shown.pass_us, __ATOMIC_ACQUIRE),
                      .begun_us = __atomic_load_n(&shown.begun_us, __ATOMIC_ACQUIRE),
                      .plugin = __atomic_load_n(&shown.plugin, __ATOMIC_ACQUIRE),
                      .what = __atomic_load_n(&shown.what, __ATOMIC_ACQUIRE),
                      .func = __atomic_load_n(&shown.func, __ATOMIC_ACQUIRE)};
  return !(serial & 1) && serial == __atomic_load_n(&shown_serial, __ATOMIC_RELAXED);
}

void adit_hold_set_pass(gint64 begun_us) {
  publish_hold(innermost, begun_us);
}

/* ---- calls ---- */

const char *adit_hold_plugin(const char *plugin, gconstpointer func) {
  return plugin ? plugin : adit_code_owner(func);
}

void adit_hold_begin(AditHold *hold, const AditPlugin *plugin, gconstpointer func, const char *what) {
  *hold = (AditHold){
      .begun_us = g_get_monotonic_time(), .plugin = plugin ? plugin->name : NULL, .func = func, .what = what, .outer = innermost};
  innermost = hold;
  publish_hold(hold, shown.pass_us);
}

static void name_holder(const AditHold *hold, int ms) {
  const char *name = adit_hold_plugin(hold->plugin, hold->func);
  guint suppressed = 0;

  if (!adit_rate_allows(&lines, adit_clock_ms(), 10, 10000, &suppressed))
    return;
  if (name)
    adit_warning(NULL, "plugin %s: %s held the main loop for %d ms (%u such lines were suppressed)", name, hold->what, ms, suppressed);
  else
    adit_notice(NULL, "core: %s held the main loop for %d ms (%u such lines were suppressed)", hold->what, ms, suppressed);
}

void adit_hold_end(AditHold *hold) {
  gint64 spent = g_get_monotonic_time() - hold->begun_us;
  gint64 own_ms = (spent - hold->inner_us) / 1000;

  innermost = hold->outer;
  publish_hold(innermost, shown.pass_us);
  if (innermost)
    innermost->inner_us += spent;
  else
    named_us += spent;
  if (G_UNLIKELY(own_ms >= ADIT_HOLD_LIMIT_MS))
    name_holder(hold, (int)own_ms);
}

gint64 adit_hold_named_us(void) {
  gint64 named = named_us;
  named_us = 0;
  return named;
}
