/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "note.h"
#include "../dp.h"
#include "cell.h"

void tun_note(TunWorker *w, TunPriority priority, const TunNote *note, const guint8 *head, gsize head_length, const guint8 *data,
              gsize length) {
  TunRing *ring = &w->main[priority];
  TunNote *to = tun_ring_reserve(ring, sizeof *to + head_length + length);
  if (!to) {
    TUN_ADD(w->stats.main_full, 1);
    w->told_main = TRUE;
    return;
  }
  *to = *note;
  to->length = (guint32)(head_length + length);
  if (head_length)
    memcpy(to->data, head, head_length);
  if (length)
    memcpy(to->data + head_length, data, length);
  tun_ring_push(ring);
  w->told_main = TRUE;
  w->notes++;
}
