/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * ring.h - a bounded queue of records of any length from one thread to one other, without locks. The memory is touched
 * only as far as it is used. A full ring refuses: the producer counts and drops.
 */
#pragma once

#include <adit/types.h>

typedef struct {
  guint8 *data;
  gsize size;                              /**< a power of two */
  gsize head __attribute__((aligned(64))); /**< producer's; grows for ever */
  gsize tail __attribute__((aligned(64))); /**< consumer's: what was given back */
  gsize read;                              /**< consumer's: what was read */
} TunRing;

/** `size` must be a power of two. `ready`: takes all the memory now, so that what strangers send costs none later.
 *  False when there is no memory. [main] */
gboolean tun_ring_init(TunRing *ring, gsize size, gboolean ready);
void tun_ring_clear(TunRing *ring);
/** Space for a record of `length` octets, aligned to 8, or NULL when full; tun_ring_push() makes it visible. [producer] */
gpointer tun_ring_reserve(TunRing *ring, gsize length);
void tun_ring_push(TunRing *ring);
/** The next record, or NULL; it stays until tun_ring_release(), which gives back all that was read. [consumer] */
gpointer tun_ring_read(TunRing *ring, gsize *length);
void tun_ring_release(TunRing *ring);
/** [any] A moment's truth. */
gboolean tun_ring_is_empty(const TunRing *ring);
