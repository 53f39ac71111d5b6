/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* J.-P. Aumasson, D. J. Bernstein: "SipHash: a fast short-input PRF", 2012. */
#include "siphash.h"

#include <string.h>

static guint64 rotate_left(guint64 x, guint bits) {
  return x << bits | x >> (64 - bits);
}

static guint64 read_le64(const guint8 *at) {
  guint64 word;

  memcpy(&word, at, sizeof word);
  return GUINT64_FROM_LE(word);
}

static void mix_rounds(guint64 v[4], guint rounds) {
  while (rounds--) {
    v[0] += v[1];
    v[1] = rotate_left(v[1], 13) ^ v[0];
    v[0] = rotate_left(v[0], 32);
    v[2] += v[3];
    v[3] = rotate_left(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate_left(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate_left(v[1], 17) ^ v[2];
    v[2] = rotate_left(v[2], 32);
  }
}

static void absorb_word(guint64 v[4], guint64 word) {
  v[3] ^= word;
  mix_rounds(v, 2);
  v[0] ^= word;
}

guint64 l2tp_siphash(const guint8 key[L2TP_SIPHASH_KEY], gconstpointer data, gsize length) {
  const guint8 *at = data;
  guint64 k0 = read_le64(key), k1 = read_le64(key + 8);
  guint64 v[4] = {k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573};
  guint64 last = (guint64)length << 56;

  for (; length >= 8; length -= 8, at += 8)
    absorb_word(v, read_le64(at));
  for (gsize i = 0; i < length; i++)
    last |= (guint64)at[i] << (8 * i);
  absorb_word(v, last);
  v[2] ^= 0xff;
  mix_rounds(v, 4);
  return v[0] ^ v[1] ^ v[2] ^ v[3];
}
