/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * pace.h - tells a storm of control from a trickle. In a storm, to be woken for each datagram costs more than what it asks for; as a
 * network driver does then, a thread looks by the clock, and finds many at once. One thread's own.
 */
#pragma once

#include <glib.h>

#define TUN_PACE_MS   8  /**< how long is counted */
#define TUN_PACE_MANY 32 /**< in the last one or two of these: a storm. 2,000 in a second, some 150 logins */

typedef struct {
  guint64 since;
  guint count, before;
} TunPace;

/** Counts `n` more at `now` (milliseconds). TRUE = there are many. */
static inline gboolean tun_pace_count(TunPace *pace, guint64 now, guint n) {
  if (now - pace->since >= TUN_PACE_MS) {
    pace->before = now - pace->since < 2 * TUN_PACE_MS ? pace->count : 0;
    pace->since = now;
    pace->count = 0;
  }
  pace->count += n;
  return pace->before + pace->count >= TUN_PACE_MANY;
}
