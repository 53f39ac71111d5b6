/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The parts of a packet that depend on the shared secret: authenticators, signatures, hidden values. */
#include "radius-packet.h"
#include <nettle/hmac.h>
#include <nettle/md5.h>
#include <nettle/memops.h>

enum { BLOCK = 16, PASSWORD_MAX = 128, TYPE_USER_PASSWORD = 2, TYPE_MESSAGE_AUTHENTICATOR = 80 };

/* MD5 over the secret and up to two pieces: the pad that a block is hidden with (RFC 2865 5.2, RFC 2868 3.5). */
static void pad_make(const char *secret, const guint8 *a, gsize a_length, const guint8 *b, gsize b_length, guint8 pad[BLOCK]) {
  struct md5_ctx md5;
  md5_init(&md5);
  md5_update(&md5, strlen(secret), (const guint8 *)secret);
  md5_update(&md5, a_length, a);
  md5_update(&md5, b_length, b);
  md5_digest(&md5, BLOCK, pad);
  explicit_bzero(&md5, sizeof md5);
}

static void pad_apply(const guint8 *from, const guint8 pad[BLOCK], guint8 *to) {
  for (gsize i = 0; i < BLOCK; i++)
    to[i] = from[i] ^ pad[i];
}

gboolean radius_put_password(RadiusBuilder *b, const char *password, const char *secret) {
  guint8 clear[PASSWORD_MAX] = {0}, hidden[PASSWORD_MAX], pad[BLOCK];
  gsize length = strlen(password), size = MAX(BLOCK, (length + BLOCK - 1) / BLOCK * BLOCK);

  if (length > PASSWORD_MAX)
    return FALSE;
  memcpy(clear, password, length);
  for (gsize at = 0; at < size; at += BLOCK) {
    pad_make(secret, at ? hidden + at - BLOCK : b->data + 4, BLOCK, NULL, 0, pad);
    pad_apply(clear + at, pad, hidden + at);
  }
  radius_put(b, 0, TYPE_USER_PASSWORD, hidden, size);
  explicit_bzero(clear, sizeof clear);
  explicit_bzero(pad, sizeof pad);
  return TRUE;
}

gboolean radius_unhide(const guint8 *value, gsize length, const guint8 authenticator[16], const char *secret, char out[129]) {
  guint8 pad[BLOCK];

  memset(out, 0, PASSWORD_MAX + 1);
  if (!length || length > PASSWORD_MAX || length % BLOCK)
    return FALSE;
  for (gsize at = 0; at < length; at += BLOCK) {
    pad_make(secret, at ? value + at - BLOCK : authenticator, BLOCK, NULL, 0, pad);
    pad_apply(value + at, pad, (guint8 *)out + at);
  }
  explicit_bzero(pad, sizeof pad);
  return TRUE;
}

gboolean radius_unsalt(const guint8 *value, gsize length, const guint8 request_authenticator[16], const char *secret, guint8 out[249],
                       gsize *out_length) {
  enum { SALT = 2, ROOM = 240 }; /* the whole blocks that fit into an attribute */
  guint8 clear[ROOM], pad[BLOCK];
  gsize size = length > SALT ? length - SALT : 0;

  *out_length = 0;
  if (!size || size > ROOM || size % BLOCK)
    return FALSE;
  const guint8 *hidden = value + SALT;
  for (gsize at = 0; at < size; at += BLOCK) {
    if (at)
      pad_make(secret, hidden + at - BLOCK, BLOCK, NULL, 0, pad);
    else
      pad_make(secret, request_authenticator, BLOCK, value, SALT, pad);
    pad_apply(hidden + at, pad, clear + at);
  }
  gboolean good = clear[0] < size; /* its first octet is the length of what follows */
  if (good) {
    *out_length = clear[0];
    memcpy(out, clear + 1, *out_length);
  }
  explicit_bzero(clear, sizeof clear);
  explicit_bzero(pad, sizeof pad);
  return good;
}

/* HMAC-MD5 over the packet, with `authenticator` in its place: RFC 3579 3.2, RFC 5176 3.4. */
static void sign_packet(const guint8 *data, gsize length, gsize offset, const guint8 authenticator[16], const char *secret,
                        guint8 out[16]) {
  static const guint8 zeros[16] = {0};
  struct hmac_md5_ctx hmac;

  hmac_md5_set_key(&hmac, strlen(secret), (const guint8 *)secret);
  hmac_md5_update(&hmac, 4, data);
  hmac_md5_update(&hmac, 16, authenticator);
  hmac_md5_update(&hmac, offset - RADIUS_HEADER, data + RADIUS_HEADER);
  hmac_md5_update(&hmac, sizeof zeros, zeros);
  hmac_md5_update(&hmac, length - offset - 16, data + offset + 16);
  hmac_md5_digest(&hmac, 16, out);
  explicit_bzero(&hmac, sizeof hmac);
}

/* MD5 over the packet with `authenticator` in its place, and the secret: RFC 2865 3, RFC 2866 3. */
static void seal_packet(const guint8 *data, gsize length, const guint8 authenticator[16], const char *secret, guint8 out[16]) {
  struct md5_ctx md5;

  md5_init(&md5);
  md5_update(&md5, 4, data);
  md5_update(&md5, 16, authenticator);
  md5_update(&md5, length - RADIUS_HEADER, data + RADIUS_HEADER);
  md5_update(&md5, strlen(secret), (const guint8 *)secret);
  md5_digest(&md5, 16, out);
  explicit_bzero(&md5, sizeof md5);
}

static void set_head(RadiusBuilder *b, guint8 id) {
  b->data[1] = id;
  b->data[2] = (guint8)(b->length >> 8);
  b->data[3] = (guint8)b->length;
}

/* A packet with a digest as authenticator: over `authenticator`, which its signature covers as well. */
static void finish_sealed(RadiusBuilder *b, const guint8 authenticator[16], const char *secret) {
  if (b->message_authenticator)
    sign_packet(b->data, b->length, b->message_authenticator, authenticator, secret, b->data + b->message_authenticator);
  seal_packet(b->data, b->length, authenticator, secret, b->data + 4);
}

void radius_finish_request(RadiusBuilder *b, guint8 id, const guint8 random16[16], const char *secret) {
  static const guint8 zeros[16] = {0};

  set_head(b, id);
  if (b->data[0] != RADIUS_ACCESS_REQUEST && b->data[0] != RADIUS_STATUS_SERVER) {
    finish_sealed(b, zeros, secret);
    return;
  }
  radius_set_authenticator(b, random16);
  if (b->message_authenticator)
    sign_packet(b->data, b->length, b->message_authenticator, random16, secret, b->data + b->message_authenticator);
}

void radius_finish_reply(RadiusBuilder *b, const RadiusPacket *request, const char *secret) {
  set_head(b, request->id);
  finish_sealed(b, request->authenticator, secret);
}

/* The packet's Message-Authenticator, which is no vendor's: offset of its value; 0 = none. FALSE when it occurs twice or has
 * another length than RFC 3579's. */
static gboolean signature_find(const guint8 *data, const RadiusPacket *packet, gsize *offset) {
  RadiusIter iter = {0};
  RadiusAttribute a;

  *offset = 0;
  while (radius_packet_next(packet, &iter, &a)) {
    if (a.vendor || a.type != TYPE_MESSAGE_AUTHENTICATOR)
      continue;
    if (*offset || a.length != 16)
      return FALSE;
    *offset = (gsize)(a.value - data);
  }
  return TRUE;
}

/* No RFC signs an Accounting-Response. FreeRADIUS 3.2.1, told to do so, signs it over zeros, as a request would be; its Response
 * Authenticator has proved it already. */
static gboolean signed_by_habit(const guint8 *data, const RadiusPacket *packet, gsize whole, gsize offset, const char *secret) {
  static const guint8 zeros[16] = {0};
  guint8 digest[16];

  if (packet->code != RADIUS_ACCOUNTING_RESPONSE)
    return FALSE;
  sign_packet(data, whole, offset, zeros, secret, digest);
  return memeql_sec(digest, data + offset, sizeof digest);
}

static RadiusCheck check_packet(const guint8 *data, gsize length, const guint8 authenticator[16], const char *secret,
                                gboolean demand_signature) {
  RadiusPacket packet;
  guint8 digest[16];
  gsize offset;

  if (!radius_packet_parse(data, length, &packet))
    return RADIUS_BAD_AUTHENTICATOR;
  gsize whole = RADIUS_HEADER + packet.length;
  seal_packet(data, whole, authenticator, secret, digest);
  if (!memeql_sec(digest, packet.authenticator, sizeof digest))
    return RADIUS_BAD_AUTHENTICATOR;
  if (!signature_find(data, &packet, &offset))
    return RADIUS_BAD_SIGNATURE;
  if (!offset)
    return demand_signature ? RADIUS_NOT_SIGNED : RADIUS_GOOD;
  sign_packet(data, whole, offset, authenticator, secret, digest);
  if (memeql_sec(digest, data + offset, sizeof digest) || signed_by_habit(data, &packet, whole, offset, secret))
    return RADIUS_GOOD;
  return RADIUS_BAD_SIGNATURE;
}

RadiusCheck radius_check_reply(const guint8 *data, gsize length, const guint8 request_authenticator[16], const char *secret,
                               gboolean demand_signature) {
  return check_packet(data, length, request_authenticator, secret, demand_signature);
}

RadiusCheck radius_check_request(const guint8 *data, gsize length, const char *secret, gboolean demand_signature) {
  static const guint8 zeros[16] = {0};
  return check_packet(data, length, zeros, secret, demand_signature);
}
