/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "challenge.h"

#include <nettle/md5.h>
#include <nettle/memops.h>
#include <string.h>

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
