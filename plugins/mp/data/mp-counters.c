/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Counters of a bundle. The home worker writes them, and the main loop may read them after the stage is gone. */
#include "mp-counters.h"

typedef struct {
  MpCounters counters; /* first */
  gatomicrefcount references;
} Counted;

#define COUNTERS_N (sizeof(MpCounters) / sizeof(guint64))
G_STATIC_ASSERT(sizeof(MpCounters) % sizeof(guint64) == 0);

MpCounters *mp_counters_new(void) {
  Counted *counted = g_new0(Counted, 1);
  g_atomic_ref_count_init(&counted->references);
  return &counted->counters;
}

MpCounters *mp_counters_ref(MpCounters *counters) {
  g_atomic_ref_count_inc(&((Counted *)(gpointer)counters)->references);
  return counters;
}

void mp_counters_unref(MpCounters *counters) {
  if (g_atomic_ref_count_dec(&((Counted *)(gpointer)counters)->references))
    g_free(counters);
}

void mp_counters_read(const MpCounters *counters, MpCounters *out) {
  const guint64 *from = (const guint64 *)counters;
  guint64 *to = (guint64 *)out;
  for (gsize i = 0; i < COUNTERS_N; i++)
    to[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}
