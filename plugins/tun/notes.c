/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* What workers hand to the main loop: control datagrams, PPP frames, strays. */
#include "tun.h"
#include <errno.h>
#include <unistd.h>

/* How much of each is handled in one pass of the loop: what belongs to live links and tunnels goes first, and whatever
 * newcomers send, the others get their turn. */
static const guint budget[TUN_TO_N] = {[TUN_TO_LIVE] = 64, [TUN_TO_CONTROL] = 64, [TUN_TO_NEW] = 24};

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
}

/* ---- frames that came before their link ---- */

static gboolean early_deliver(AditListener *listener, const TunEarly *early) {
  AditDpLink *link = (AditDpLink *)tun_table_lookup(&listener->links, early->key);
  if (!link || !tun_where_equal(&link->wire->where, &early->where))
    return FALSE;
  link->ops->frame(link->user, early->frame, early->length);
  return TRUE;
}

static void early_add(TunDp *dp, AditListener *listener, const TunNote *note) {
  TunEarly early = {.listener = listener->serial,
                    .key = (guint64)note->tunnel << 16 | note->session,
                    .where = tun_where(&note->path),
                    .length = MIN(note->length, TUN_EARLY_MAX)};
  memcpy(early.frame, note->data, early.length);
  if (!early_deliver(listener, &early))
    dp->early[dp->next_early++ % TUN_EARLY] = early;
}

void tun_early_attached(TunDp *dp, const AditListener *listener, guint64 key) {
  guint64 count = 1;
  for (guint i = 0; i < TUN_EARLY; i++)
    if (dp->early[i].listener == listener->serial && dp->early[i].key == key && !dp->early_due) {
      dp->early_due = TRUE; /* not now: the link's owner is not ready for frames */
      if (write(dp->wake_fd, &count, sizeof count) < 0)
        g_warning("eventfd: %s", g_strerror(errno));
    }
}

static void early_dispatch(TunDp *dp) {
  dp->early_due = FALSE;
  for (guint i = 0; i < TUN_EARLY; i++)
    for (guint slot = 0; slot < TUN_LISTENERS_MAX && dp->early[i].listener; slot++) {
      AditListener *listener = dp->listener[slot];
      TunEarly early = dp->early[i];
      if (!listener || listener->serial != early.listener || !tun_table_lookup(&listener->links, early.key))
        continue;
      dp->early[i].listener = 0;
      early_deliver(listener, &early);
    }
}

/* Whoever is told may close the port within the call, and others with it: each round begins anew. */
static TunPort *next_gone(TunDp *dp) {
  GHashTableIter iter;
  gpointer each;
  g_hash_table_iter_init(&iter, dp->ports);
  while (g_hash_table_iter_next(&iter, &each, NULL)) {
    TunPort *port = each;
    if (__atomic_exchange_n(&port->gone, FALSE, __ATOMIC_ACQ_REL))
      return port;
  }
  return NULL;
}

static void ports_gone(TunDp *dp) {
  TunPort *port;
  while ((port = next_gone(dp))) {
    void (*lost)(gpointer, AditPort *) = g_steal_pointer(&port->lost);
    if (lost)
      lost(port->user, &port->head);
    else
      adit_warning(NULL, "%s: somebody has deleted the interface: it carries nothing until it is made anew", port->head.name);
  }
}

static void note_handle(TunDp *dp, const TunNote *note) {
  if (note->kind == TUN_NOTE_FRAME) {
    AditDpLink *link = g_hash_table_lookup(dp->links, &note->serial);
    if (link)
      link->ops->frame(link->user, note->data, note->length);
    return;
  }
  if (note->kind == TUN_NOTE_GONE) {
    ports_gone(dp);
    return;
  }
  AditListener *listener = dp->listener[note->slot];
  if (!listener || listener->serial != note->serial)
    return; /* closed meanwhile */
  if (note->kind == TUN_NOTE_EARLY)
    early_add(dp, listener, note);
  else if (note->kind == TUN_NOTE_CONTROL)
    listener->ops->control(listener->user, &note->path, note->data, note->length);
  else if (ADIT_HAS(listener->ops, stray) && listener->ops->stray)
    listener->ops->stray(listener->user, &note->path, note->tunnel, note->session);
}

gboolean tun_notes_dispatch(int fd, guint condition, gpointer data) {
  TunDp *dp = data;
  gboolean more = FALSE;
  guint64 count;
  if (read(fd, &count, sizeof count) < 0)
    return TRUE;
  if (dp->early_due)
    early_dispatch(dp);
  for (guint priority = 0; priority < TUN_TO_N; priority++)
    for (guint i = 0; i < dp->n_workers; i++) {
      TunRing *ring = &dp->worker[i]->main[priority];
      const TunNote *note = NULL;
      gsize length;
      for (guint n = 0; n < budget[priority] && (note = tun_ring_read(ring, &length)); n++) {
        note_handle(dp, note);
        tun_ring_release(ring);
      }
      more |= note != NULL && !tun_ring_is_empty(ring);
    }
  if (more && dp->wake_fd == fd) { /* what was read may have been the end of the data path */
    count = 1;
    if (write(fd, &count, sizeof count) < 0)
      g_warning("eventfd: %s", g_strerror(errno));
  }
  return TRUE;
}
