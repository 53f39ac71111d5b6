/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** deadline.h - one deadline of the host for several deadlines */
#pragma once

#include <adit/engine.h>

/** Asks the host to be woken at the earliest of `slots` (milliseconds, 0 = none). `*armed`: what it was asked for last. */
static inline void adit_ppp_wake_at_earliest(const AditEngineEnv *host, const guint64 *slots, guint n, guint64 *armed) {
  guint64 earliest = 0;
  for (guint i = 0; i < n; i++)
    if (slots[i] && (!earliest || slots[i] < earliest))
      earliest = slots[i];
  if (earliest == *armed)
    return;
  *armed = earliest;
  host->ops->wake(host->host, 0, earliest);
}
