/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "inbox.h"
#include "dp.h"
#include "port/port.h"
#include "session/stage.h"
#include "session/tun-link.h"
#include <errno.h>
#include <unistd.h>

/* How much of each is handled in one pass of the loop: what belongs to live links and tunnels goes first, and whatever
 * newcomers send, the others get their turn. */
static const guint budget[TUN_TO_N] = {[TUN_TO_LIVE] = 64, [TUN_TO_CONTROL] = 64, [TUN_TO_NEW] = 24};

/* ---- frames that came before their link ---- */

static gboolean early_deliver(const TunDp *dp, const TunEarlyKey *key, const TunWhere *where, const guint8 *frame, gsize length) {
  AditListener *listener = g_hash_table_lookup(dp->listeners, &key->listener);
  AditDpLink *link = listener ? (AditDpLink *)tun_table_lookup(&listener->links, key->key) : NULL;
  if (!link || !tun_where_equal(&link->wire->where, where))
    return FALSE;
  link->ops->frame(link->user, frame, length);
  return TRUE;
}

static void early_add(TunDp *dp, const AditListener *listener, const TunNote *note) {
  TunEarlyKey key = {listener->serial, adit_encap_key(note->tunnel, note->session)};
  TunWhere where = tun_where(&note->path);
  if (!early_deliver(dp, &key, &where, note->data, note->length)) /* it may be there by now */
    tun_early_put(dp->early, &key, &note->path, dp->loop->now(), note->data, note->length);
}

static void early_dispatch(TunDp *dp) {
  TunEarly *early;
  while ((early = tun_early_take_due(dp->early, dp->loop->now()))) {
    TunWhere where = tun_where(&early->path);
    early_deliver(dp, &early->key, &where, early->frame, early->length);
    g_free(early);
  }
}

/* ---- spoofed sources ---- */

/* A peer causes it, as often as it likes. */
static void log_spoofed(TunDp *dp, const TunNote *note) {
  AditLogContext log = {.session = note->serial};
  AditAddress source = {.family = note->length == 16 ? AF_INET6 : AF_INET};
  char text[ADIT_ADDRESS_TEXT];
  guint kept = 0;
  memcpy(source.octet, note->data, MIN(note->length, sizeof source.octet));
  if (!adit_rate_allows(&dp->spoofed_log, dp->loop->now(), 2, 10000, &kept))
    return;
  adit_notice(&log,
              "session %" G_GINT64_MODIFIER "x: dropped packets from %s: not an address, prefix or route of the session (set `routes', or "
              "`source-check: no'); %u lines like this before",
              note->serial, adit_address_format(&source, text), kept);
}

/* ---- interfaces that other programs deleted ---- */

/* The callee may close the port within the call, and others with it: each round starts at the beginning. */
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
      adit_warning(NULL, "%s: the interface was deleted: no traffic until it is created again", port->head.name);
  }
}

static void note_handle(TunDp *dp, const TunNote *note) {
  if (note->kind == TUN_NOTE_FRAME) {
    AditDpLink *link = tun_link_find(dp, note->serial);
    if (link)
      link->ops->frame(link->user, note->data, note->length);
    return;
  }
  if (note->kind == TUN_NOTE_GONE) {
    ports_gone(dp);
    return;
  }
  if (note->kind == TUN_NOTE_SPOOFED) {
    log_spoofed(dp, note);
    return;
  }
  if (note->kind == TUN_NOTE_STAGE) {
    tun_stage_noted(dp, note);
    return;
  }
  AditListener *listener = g_hash_table_lookup(dp->listeners, &note->serial);
  if (!listener)
    return; /* closed meanwhile */
  if (note->kind == TUN_NOTE_EARLY)
    early_add(dp, listener, note);
  else if (note->kind == TUN_NOTE_CONTROL)
    listener->ops->control(listener->user, &note->path, note->data, note->length);
  else if (ADIT_HAS(listener->ops, stray) && listener->ops->stray)
    listener->ops->stray(listener->user, &note->path, note->tunnel, note->session);
}

/* Reads the rings; whether it handled all that there was is in `*all`. Returns how much it handled. */
static guint notes_read(TunDp *dp, gboolean *all) {
  guint handled = 0;
  *all = TRUE;
  dp->dispatching = TRUE;
  early_dispatch(dp);
  for (guint priority = 0; priority < TUN_TO_N; priority++)
    for (guint i = 0; i < dp->n_workers; i++) {
      TunRing *ring = &dp->worker[i]->main[priority];
      TunNote *note = NULL;
      gsize length;
      guint n = 0;
      for (; n < budget[priority] && (note = tun_ring_read(ring, &length)); n++) {
        note_handle(dp, note);
        explicit_bzero(note, length); /* PAP's frames hold passwords */
        tun_ring_release(ring);
      }
      handled += n;
      *all &= note == NULL || tun_ring_is_empty(ring);
    }
  early_dispatch(dp); /* of the links that were made just now */
  dp->dispatching = FALSE;
  return handled;
}

/* Either workers wake the main loop for what comes from now on, or it looks again in a millisecond. */
static void notes_serve(TunDp *dp) {
  gboolean all, storm = tun_pace_count(&dp->pace, dp->loop->now(), 0);
  int fd = dp->wake_fd;
  if (!storm)
    __atomic_store_n(&dp->woken, FALSE, __ATOMIC_SEQ_CST); /* before the rings are read: later notes wake it again */
  tun_outbox_hold(dp->outbox, storm);
  guint handled = notes_read(dp, &all);
  tun_outbox_flush(dp->outbox);
  if (dp->wake_fd != fd) /* what was read may have been the end of the data path */
    return;
  tun_pace_count(&dp->pace, dp->loop->now(), handled);
  if (storm && all) {
    dp->loop->timer_arm(&dp->look_timer, 1);
  } else if (!all) {
    __atomic_store_n(&dp->woken, FALSE, __ATOMIC_SEQ_CST);
    tun_wake_main(dp);
  }
}

void tun_inbox_look(AditTimer *timer, gpointer data) {
  notes_serve(data);
}

gboolean tun_inbox_dispatch(int fd, guint condition, gpointer data) {
  guint64 count;
  if (read(fd, &count, sizeof count) < 0)
    return TRUE;
  notes_serve(data);
  return TRUE;
}
