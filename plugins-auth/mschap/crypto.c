/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "crypto.h"

#include <nettle/des.h>
#include <nettle/md4.h>
#include <nettle/sha1.h>

static void put_utf16(struct md4_ctx *ctx, guint16 unit) {
  guint8 octets[2] = {(guint8)unit, (guint8)(unit >> 8)};
  md4_update(ctx, sizeof octets, octets);
}

void mschap_nt_hash(const char *password, guint8 hash[MSCHAP_HASH]) {
  gboolean utf8 = g_utf8_validate(password, -1, NULL);
  struct md4_ctx ctx;

  md4_init(&ctx);
  while (*password) {
    gunichar c = utf8 ? g_utf8_get_char(password) : (guint8)*password;
    password = utf8 ? g_utf8_next_char(password) : password + 1;
    if (c >= 0x10000) {
      put_utf16(&ctx, (guint16)(0xd800 + ((c - 0x10000) >> 10)));
      put_utf16(&ctx, (guint16)(0xdc00 + ((c - 0x10000) & 0x3ff)));
    } else {
      put_utf16(&ctx, (guint16)c);
    }
  }
  md4_digest(&ctx, MSCHAP_HASH, hash);
  explicit_bzero(&ctx, sizeof ctx);
}

/** DES with 56 bits spread over eight octets; parity, which DES does not look at, stays zero. */
static void des_block(const guint8 bits[7], const guint8 in[8], guint8 out[8]) {
  guint8 key[DES_KEY_SIZE];
  struct des_ctx ctx;
  guint64 all = 0;

  for (guint i = 0; i < 7; i++)
    all = all << 8 | bits[i];
  for (guint i = 0; i < 8; i++)
    key[i] = (guint8)((all >> (49 - 7 * i) & 0x7f) << 1);
  (void)des_set_key(&ctx, key); /* says that a key is weak: we can't choose it */
  des_encrypt(&ctx, DES_BLOCK_SIZE, out, in);
  explicit_bzero(&ctx, sizeof ctx);
  explicit_bzero(key, sizeof key);
  explicit_bzero(&all, sizeof all);
}

void mschap_nt_response(const guint8 challenge[MSCHAP_CHALLENGE], const guint8 hash[MSCHAP_HASH], guint8 response[MSCHAP_NT_RESPONSE]) {
  guint8 padded[21] = {0};

  memcpy(padded, hash, MSCHAP_HASH);
  for (guint i = 0; i < 3; i++)
    des_block(padded + 7 * i, challenge, response + 8 * i);
  explicit_bzero(padded, sizeof padded);
}

void mschap_v2_challenge(const guint8 peer_challenge[16], const guint8 challenge[16], const char *user, guint8 out[MSCHAP_CHALLENGE]) {
  const char *domain_end = strrchr(user, '\\');
  const char *name = domain_end ? domain_end + 1 : user;
  struct sha1_ctx ctx;

  sha1_init(&ctx);
  sha1_update(&ctx, 16, peer_challenge);
  sha1_update(&ctx, 16, challenge);
  sha1_update(&ctx, strlen(name), (const guint8 *)name);
  sha1_digest(&ctx, MSCHAP_CHALLENGE, out);
}

static void hash_of_hash(const guint8 hash[MSCHAP_HASH], guint8 out[MSCHAP_HASH]) {
  struct md4_ctx ctx;

  md4_init(&ctx);
  md4_update(&ctx, MSCHAP_HASH, hash);
  md4_digest(&ctx, MSCHAP_HASH, out);
  explicit_bzero(&ctx, sizeof ctx);
}

void mschap_hex(const guint8 *octets, gsize length, char *text) {
  static const char digits[] = "0123456789ABCDEF";

  for (gsize i = 0; i < length; i++) {
    *text++ = digits[octets[i] >> 4];
    *text++ = digits[octets[i] & 15];
  }
  *text = '\0';
}

void mschap_v2_proof(const guint8 hash[MSCHAP_HASH], const guint8 nt_response[MSCHAP_NT_RESPONSE], const guint8 peer_challenge[16],
                     const guint8 challenge[16], const char *user, char proof[MSCHAP_PROOF]) {
  static const char magic1[] = "Magic server to client signing constant";
  static const char magic2[] = "Pad to make it do more than one iteration";
  guint8 digest[SHA1_DIGEST_SIZE], short_challenge[MSCHAP_CHALLENGE], again[MSCHAP_HASH];
  struct sha1_ctx ctx;

  hash_of_hash(hash, again);
  sha1_init(&ctx);
  sha1_update(&ctx, sizeof again, again);
  sha1_update(&ctx, MSCHAP_NT_RESPONSE, nt_response);
  sha1_update(&ctx, sizeof magic1 - 1, (const guint8 *)magic1);
  sha1_digest(&ctx, sizeof digest, digest);

  mschap_v2_challenge(peer_challenge, challenge, user, short_challenge);
  sha1_update(&ctx, sizeof digest, digest);
  sha1_update(&ctx, sizeof short_challenge, short_challenge);
  sha1_update(&ctx, sizeof magic2 - 1, (const guint8 *)magic2);
  sha1_digest(&ctx, sizeof digest, digest);

  memcpy(proof, "S=", 2);
  mschap_hex(digest, sizeof digest, proof + 2);
  explicit_bzero(again, sizeof again);
  explicit_bzero(&ctx, sizeof ctx);
}

/* RFC 2433 A.2: only the first seven characters count for the half of the hash that is the key. */
gboolean mschap_v1_short_key(const char *password, guint8 key[MSCHAP_SHORT_KEY]) {
  static const guint8 words[] = "KGS!@#$%";
  guint8 first[7] = {0};

  for (gsize i = 0; password[i]; i++) {
    if ((guint8)password[i] >= 0x80)
      return FALSE;
    if (i < sizeof first)
      first[i] = (guint8)g_ascii_toupper(password[i]);
  }
  des_block(first, words, key);
  explicit_bzero(first, sizeof first);
  return TRUE;
}

void mschap_v1_start_key(const guint8 hash[MSCHAP_HASH], const guint8 challenge[MSCHAP_CHALLENGE], guint8 key[MSCHAP_KEY]) {
  guint8 again[MSCHAP_HASH];
  struct sha1_ctx ctx;

  hash_of_hash(hash, again);
  sha1_init(&ctx);
  sha1_update(&ctx, sizeof again, again);
  sha1_update(&ctx, sizeof again, again);
  sha1_update(&ctx, MSCHAP_CHALLENGE, challenge);
  sha1_digest(&ctx, MSCHAP_KEY, key);
  explicit_bzero(again, sizeof again);
  explicit_bzero(&ctx, sizeof ctx);
}

void mschap_v2_master_key(const guint8 hash[MSCHAP_HASH], const guint8 nt_response[MSCHAP_NT_RESPONSE], guint8 key[MSCHAP_KEY]) {
  static const char magic[] = "This is the MPPE Master Key";
  guint8 again[MSCHAP_HASH];
  struct sha1_ctx ctx;

  hash_of_hash(hash, again);
  sha1_init(&ctx);
  sha1_update(&ctx, sizeof again, again);
  sha1_update(&ctx, MSCHAP_NT_RESPONSE, nt_response);
  sha1_update(&ctx, sizeof magic - 1, (const guint8 *)magic);
  sha1_digest(&ctx, MSCHAP_KEY, key);
  explicit_bzero(again, sizeof again);
  explicit_bzero(&ctx, sizeof ctx);
}

void mschap_v2_start_key(const guint8 master[MSCHAP_KEY], gboolean send, gboolean server, guint8 key[MSCHAP_KEY]) {
  static const char to_server[] = "On the client side, this is the send key; on the server side, it is the receive key.";
  static const char to_client[] = "On the client side, this is the receive key; on the server side, it is the send key.";
  const char *magic = !!send == !!server ? to_client : to_server;
  guint8 pad[40];
  struct sha1_ctx ctx;

  sha1_init(&ctx);
  sha1_update(&ctx, MSCHAP_KEY, master);
  memset(pad, 0, sizeof pad);
  sha1_update(&ctx, sizeof pad, pad);
  sha1_update(&ctx, strlen(magic), (const guint8 *)magic);
  memset(pad, 0xf2, sizeof pad);
  sha1_update(&ctx, sizeof pad, pad);
  sha1_digest(&ctx, MSCHAP_KEY, key);
  explicit_bzero(&ctx, sizeof ctx);
}
