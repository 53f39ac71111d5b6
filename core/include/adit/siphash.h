/* SPDX-License-Identifier: MIT */
/**
 * adit/siphash.h - SipHash-2-4 (J.-P. Aumasson, D. J. Bernstein, 2012): the hash of tables with keys that strangers choose. Without the
 * random key a stranger can't make two keys collide. Pure. [any]
 *
 *     guint8 key[ADIT_SIPHASH_KEY];
 *     loop->random(key, sizeof key);                                       // once for each table
 *     guint bucket = adit_siphash(key, &address, sizeof address) % n_buckets; // no padding in what is hashed
 */
#pragma once

#include <glib.h>
#include <string.h>

G_BEGIN_DECLS

enum { ADIT_SIPHASH_KEY = 16 };

static inline guint64 adit_siphash_load_(const guint8 *at) {
  guint64 word;
  memcpy(&word, at, sizeof word);
  return GUINT64_FROM_LE(word);
}

static inline guint64 adit_siphash_rotate_(guint64 x, guint bits) {
  return x << bits | x >> (64 - bits);
}

static inline void adit_siphash_mix_(guint64 v[4], guint rounds) {
  while (rounds--) {
    v[0] += v[1];
    v[1] = adit_siphash_rotate_(v[1], 13) ^ v[0];
    v[0] = adit_siphash_rotate_(v[0], 32);
    v[2] += v[3];
    v[3] = adit_siphash_rotate_(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = adit_siphash_rotate_(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = adit_siphash_rotate_(v[1], 17) ^ v[2];
    v[2] = adit_siphash_rotate_(v[2], 32);
  }
}

static inline void adit_siphash_absorb_(guint64 v[4], guint64 word) {
  v[3] ^= word;
  adit_siphash_mix_(v, 2);
  v[0] ^= word;
}

/** Of `length` octets of `data`, under a random `key`. */
static inline guint64 adit_siphash(const guint8 key[ADIT_SIPHASH_KEY], gconstpointer data, gsize length) {
  const guint8 *at = (const guint8 *)data;
  guint64 k0 = adit_siphash_load_(key), k1 = adit_siphash_load_(key + 8);
  guint64 v[4] = {k0 ^ 0x736f6d6570736575u, k1 ^ 0x646f72616e646f6du, k0 ^ 0x6c7967656e657261u, k1 ^ 0x7465646279746573u};
  guint64 last = (guint64)length << 56;

  for (; length >= 8; length -= 8, at += 8)
    adit_siphash_absorb_(v, adit_siphash_load_(at));
  for (gsize i = 0; i < length; i++)
    last |= (guint64)at[i] << (8 * i);
  adit_siphash_absorb_(v, last);
  v[2] ^= 0xff;
  adit_siphash_mix_(v, 4);
  return v[0] ^ v[1] ^ v[2] ^ v[3];
}

G_END_DECLS
