/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "foreign.h"
#include "../dp.h"
#include "cell.h"

gboolean tun_foreign_put(TunWorker *w, guint to, const TunForeign *head, const guint8 *data) {
  TunRing *ring = &w->dp->worker[to]->from[w->index];
  TunForeign *record = tun_ring_reserve(ring, sizeof *record + head->length);
  TUN_ADD(w->stats.foreign, 1);
  if (!record) {
    TUN_ADD(w->stats.foreign_full, 1);
    return FALSE;
  }
  memcpy(record, head, sizeof *record);
  if (head->length)
    memcpy(record->data, data, head->length);
  tun_ring_push(ring);
  w->told |= 1u << to;
  return TRUE;
}
