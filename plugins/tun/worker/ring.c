/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "ring.h"
#include <sys/mman.h>

/* Each record begins with its length; one that would run over the end leaves a gap, marked PAD, and starts at zero. */
enum { LENGTH = 8 };
#define PAD      G_MAXUINT32
#define ROUND(n) (((gsize)(n) + LENGTH + 7) & ~(gsize)7)

gboolean tun_ring_init(TunRing *ring, gsize size, gboolean ready) {
  memset(ring, 0, sizeof *ring);
  void *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | (ready ? MAP_POPULATE : MAP_NORESERVE), -1, 0);
  if (data == MAP_FAILED)
    return FALSE;
  ring->data = data;
  ring->size = size;
  return TRUE;
}

void tun_ring_clear(TunRing *ring) {
  if (ring->data)
    munmap(ring->data, ring->size);
  memset(ring, 0, sizeof *ring);
}

static guint32 *length_at(const TunRing *ring, gsize position) {
  return (guint32 *)(gpointer)(ring->data + (position & (ring->size - 1)));
}

gpointer tun_ring_reserve(TunRing *ring, gsize length) {
  gsize need = ROUND(length), tail = __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE);
  gsize at = ring->head & (ring->size - 1), gap = at + need > ring->size ? ring->size - at : 0;
  if (length >= PAD || ring->head - tail + gap + need > ring->size)
    return NULL;
  if (gap) {
    *length_at(ring, ring->head) = PAD;
    __atomic_store_n(&ring->head, ring->head + gap, __ATOMIC_RELEASE);
  }
  guint32 *record = length_at(ring, ring->head);
  *record = (guint32)length;
  return (guint8 *)record + LENGTH;
}

void tun_ring_push(TunRing *ring) {
  __atomic_store_n(&ring->head, ring->head + ROUND(*length_at(ring, ring->head)), __ATOMIC_RELEASE);
}

gpointer tun_ring_read(TunRing *ring, gsize *length) {
  gsize head = __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE);
  if (ring->read != head && *length_at(ring, ring->read) == PAD)
    ring->read += ring->size - (ring->read & (ring->size - 1));
  if (ring->read == head)
    return NULL;
  guint32 *record = length_at(ring, ring->read);
  *length = *record;
  ring->read += ROUND(*length);
  return (guint8 *)record + LENGTH;
}

void tun_ring_release(TunRing *ring) {
  __atomic_store_n(&ring->tail, ring->read, __ATOMIC_RELEASE);
}

gboolean tun_ring_is_empty(const TunRing *ring) {
  return __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE) == __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE);
}
