/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "hidden.h"
#include <nettle/memops.h>
#include <string.h>

#include <nettle/md5.h>

/** The pad for block `n`: MD5(type, secret, vector) for the first, MD5(secret, previous hidden block) for the others. */
static void hidden_pad(guint16 type, const char *secret, const guint8 *vector, gsize vector_length, const guint8 *previous,
                       guint8 pad[16]) {
  struct md5_ctx md5;
  guint8 attribute[2] = {(guint8)(type >> 8), (guint8)type};

  md5_init(&md5);
  if (!previous)
    md5_update(&md5, 2, attribute);
  md5_update(&md5, strlen(secret), (const guint8 *)secret);
  if (previous)
    md5_update(&md5, 16, previous);
  else
    md5_update(&md5, vector_length, vector);
  md5_digest(&md5, 16, pad);
  explicit_bzero(&md5, sizeof md5);
}

gboolean l2tp_hide(guint16 type, const char *secret, const guint8 *vector, gsize vector_length, const guint8 *value, gsize length,
                   const guint8 *pad, gsize padding, guint8 *out) {
  AditBuilder b = adit_builder(out, L2TP_HIDE_MAX);
  guint8 key[16];

  adit_put_u16(&b, (guint16)length);
  adit_put_bytes(&b, value, length);
  adit_put_bytes(&b, pad, padding);
  if (b.bad || length > G_MAXUINT16)
    return FALSE;

  gsize total = adit_built(&b);
  for (gsize at = 0; at < total; at += 16) {
    hidden_pad(type, secret, vector, vector_length, at ? out + at - 16 : NULL, key);
    for (gsize i = 0; i < 16 && at + i < total; i++)
      out[at + i] ^= key[i];
  }
  explicit_bzero(key, sizeof key);
  return TRUE;
}

gssize l2tp_unhide(guint16 type, const char *secret, const guint8 *vector, gsize vector_length, const guint8 *in, gsize length,
                   guint8 *out) {
  guint8 key[16];

  if (length < 2 || length > L2TP_HIDE_MAX)
    return -1;
  for (gsize at = 0; at < length; at += 16) {
    hidden_pad(type, secret, vector, vector_length, at ? in + at - 16 : NULL, key);
    for (gsize i = 0; i < 16 && at + i < length; i++)
      out[at + i] = in[at + i] ^ key[i];
  }
  explicit_bzero(key, sizeof key);

  gsize original = (gsize)out[0] << 8 | out[1];
  return original <= length - 2 ? (gssize)original : -1;
}

void l2tp_challenge_response(guint8 message, const char *secret, const guint8 *challenge, gsize length,
                             guint8 out[L2TP_CHALLENGE_RESPONSE]) {
  struct md5_ctx md5;

  md5_init(&md5);
  md5_update(&md5, 1, &message);
  md5_update(&md5, strlen(secret), (const guint8 *)secret);
  md5_update(&md5, length, challenge);
  md5_digest(&md5, L2TP_CHALLENGE_RESPONSE, out);
  explicit_bzero(&md5, sizeof md5);
}

gboolean l2tp_challenge_equal(const guint8 a[L2TP_CHALLENGE_RESPONSE], const guint8 b[L2TP_CHALLENGE_RESPONSE]) {
  return nettle_memeql_sec(a, b, L2TP_CHALLENGE_RESPONSE) == 1;
}
