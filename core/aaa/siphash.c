/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* SipHash-2-4 (Aumasson and Bernstein, 2012): whoever does not know the key cannot choose where in a table a key goes. */
#include "core/aaa/guard-private.h"

typedef struct {
  guint64 v0, v1, v2, v3;
} Sip;

static guint64 rotate_left(guint64 x, guint bits) {
  return x << bits | x >> (64 - bits);
}

static guint64 load_u64(const guint8 *p) {
  guint64 x;
  memcpy(&x, p, sizeof x);
  return GUINT64_FROM_LE(x);
}

static void mix_state(Sip *s) {
  s->v0 += s->v1;
  s->v1 = rotate_left(s->v1, 13) ^ s->v0;
  s->v0 = rotate_left(s->v0, 32);
  s->v2 += s->v3;
  s->v3 = rotate_left(s->v3, 16) ^ s->v2;
  s->v0 += s->v3;
  s->v3 = rotate_left(s->v3, 21) ^ s->v0;
  s->v2 += s->v1;
  s->v1 = rotate_left(s->v1, 17) ^ s->v2;
  s->v2 = rotate_left(s->v2, 32);
}

static void absorb_word(Sip *s, guint64 word) {
  s->v3 ^= word;
  mix_state(s);
  mix_state(s);
  s->v0 ^= word;
}

guint64 aaa_siphash(const guint8 key[16], const guint8 *data, gsize length) {
  guint64 k0 = load_u64(key), k1 = load_u64(key + 8), last = (guint64)length << 56;
  Sip s = {k0 ^ 0x736f6d6570736575u, k1 ^ 0x646f72616e646f6du, k0 ^ 0x6c7967656e657261u, k1 ^ 0x7465646279746573u};

  for (; length >= 8; length -= 8, data += 8)
    absorb_word(&s, load_u64(data));
  for (gsize i = 0; i < length; i++)
    last |= (guint64)data[i] << (8 * i);
  absorb_word(&s, last);
  s.v2 ^= 0xff;
  for (guint i = 0; i < 4; i++)
    mix_state(&s);
  return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
