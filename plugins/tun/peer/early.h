/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * early.h - LCP that came before the main loop had read the control message that makes its link. It is kept for a moment, since
 * the peer repeats it only after three seconds (RFC 1661 4.6). One frame a link, found by hash; when the store is full, the
 * source that has the most frames in it loses its oldest, so that no source displaces another. [main]
 */
#pragma once

#include <adit/path.h>

enum {
  TUN_EARLY_FRAME = 256, /**< octets of a frame; a longer one is not kept */
  TUN_EARLY_MAX = 4096,  /**< frames: about 2 MiB at most */
  TUN_EARLY_MS = 5000,   /**< after that the peer has repeated it */
};

typedef struct {
  guint64 listener, key; /**< of the link that it is for */
} TunEarlyKey;

typedef struct TunEarlySource TunEarlySource;
typedef struct {
  TunEarlyKey key;
  TunEarlySource *source;
  GList by_age, of_source, due; /**< members of queues; due.data is NULL while it is not due */
  guint64 since;
  AditPath path;
  guint length;
  guint8 frame[];
} TunEarly;

typedef struct TunEarlyStore TunEarlyStore;

TunEarlyStore *tun_early_new(guint max);
void tun_early_free(TunEarlyStore *store);
/** Keeps a copy; one of the same link is replaced. */
void tun_early_put(TunEarlyStore *store, const TunEarlyKey *key, const AditPath *path, guint64 now, const guint8 *frame, gsize length);
/** The link is there: its frame is due now. FALSE if there is none for it. */
gboolean tun_early_mark_due(TunEarlyStore *store, const TunEarlyKey *key);
/** Takes the next one that is due and still fresh; the caller's, to g_free(). NULL: no more. */
TunEarly *tun_early_take_due(TunEarlyStore *store, guint64 now);
guint tun_early_count(const TunEarlyStore *store);
guint64 tun_early_displaced(const TunEarlyStore *store); /**< frames that made way for others */
