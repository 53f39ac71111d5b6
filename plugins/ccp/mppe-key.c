/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "mppe-key.h"
#include "mppe-rc4.h"

#include <nettle/sha1.h>

enum { SHORT_KEY = 8 };

/* RFC 3079 2.1, 2.2: what is left of a short key is 40 or 56 bits long. */
static void weaken_key(MppeKey *key) {
  static const guint8 fixed[] = {0xd1, 0x26, 0x9e};
  memcpy(key->current, fixed, key->fixed);
}

/* RFC 3079 2.4.1: GetNewKeyFromSHA() */
static void derive_key(const MppeKey *key, guint8 out[SHA1_DIGEST_SIZE]) {
  guint8 pad[40];
  struct sha1_ctx ctx;

  sha1_init(&ctx);
  sha1_update(&ctx, key->length, key->start);
  memset(pad, 0, sizeof pad);
  sha1_update(&ctx, sizeof pad, pad);
  sha1_update(&ctx, key->length, key->current);
  memset(pad, 0xf2, sizeof pad);
  sha1_update(&ctx, sizeof pad, pad);
  sha1_digest(&ctx, SHA1_DIGEST_SIZE, out);
}

void mppe_key_restart(MppeKey *key) {
  guint8 digest[SHA1_DIGEST_SIZE];

  memcpy(key->current, key->start, key->length);
  derive_key(key, digest);
  memcpy(key->current, digest, key->length);
  weaken_key(key);
  adit_wipe(digest, sizeof digest);
}

void mppe_key_init(MppeKey *key, const guint8 *start, guint32 strength) {
  memset(key, 0, sizeof *key);
  key->length = strength == MPPE_128 ? MPPE_KEY : SHORT_KEY;
  key->fixed = strength == MPPE_40 ? 3 : strength == MPPE_56 ? 1 : 0;
  memcpy(key->start, start, key->length);
  mppe_key_restart(key);
}

void mppe_key_change(MppeKey *key) {
  guint8 interim[SHA1_DIGEST_SIZE];
  struct arcfour_ctx rc4;

  derive_key(key, interim);
  mppe_rc4_set_key(&rc4, key->length, interim);
  arcfour_crypt(&rc4, key->length, key->current, interim);
  weaken_key(key);
  adit_wipe(interim, sizeof interim);
}

guint32 mppe_strongest(guint32 strengths) {
  static const guint32 order[] = {MPPE_128, MPPE_56, MPPE_40};
  for (gsize i = 0; i < G_N_ELEMENTS(order); i++)
    if (strengths & order[i])
      return order[i];
  return 0;
}

guint mppe_strength_bits(guint32 strength) {
  return strength == MPPE_128 ? 128 : strength == MPPE_56 ? 56 : 40;
}
