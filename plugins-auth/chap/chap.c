/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "chap.h"

#include <nettle/md5.h>
#include <nettle/memops.h>

#define CHALLENGE_LENGTH 16

static void digest_response(guint8 id, const char *password, const guint8 *challenge, gsize length, guint8 out[MD5_DIGEST_SIZE]) {
  struct md5_ctx ctx;

  md5_init(&ctx);
  md5_update(&ctx, 1, &id);
  md5_update(&ctx, strlen(password), (const guint8 *)password);
  md5_update(&ctx, length, challenge);
  md5_digest(&ctx, MD5_DIGEST_SIZE, out);
  explicit_bzero(&ctx, sizeof ctx);
}

static void write_response(const AditChap *chap, const AditAuthEnv *env, guint8 id, const guint8 *challenge, guint8 length,
                           guint8 *response) {
  digest_response(id, chap->password, challenge, length, response);
}

static const AditChapAlgorithm algorithm = {
    .kind = ADIT_AUTH_CHAP_MD5,
    .challenge_length = CHALLENGE_LENGTH,
    .challenge_min = 1,
    .challenge_max = 255,
    .response_length = MD5_DIGEST_SIZE,
    .respond = write_response,
};

static void start_chap(gpointer state, const AditAuthEnv *env, const AditAuthStart *how) {
  adit_chap_start((AditChap *)state, env, how, &algorithm);
}

static void input_packet(gpointer state, const AditAuthEnv *env, const guint8 *payload, gsize length) {
  adit_chap_input((AditChap *)state, env, payload, length, &algorithm);
}

static void repeat_packet(gpointer state, const AditAuthEnv *env, guint slot) {
  adit_chap_timeout((AditChap *)state, env, slot, &algorithm);
}

static void take_verdict(gpointer state, const AditAuthEnv *env, const AditAuthReply *reply) {
  adit_chap_verdict((AditChap *)state, env, reply, &algorithm);
}

static void save_chap(gconstpointer state, AditBuilder *out) {
  adit_chap_save((const AditChap *)state, out);
}

static gboolean restore_chap(gpointer state, const AditAuthEnv *env, const AditAuthStart *how, AditCursor *in) {
  return adit_chap_restore((AditChap *)state, env, how, in, &algorithm);
}

static void verify_response(const AditAuthRequest *request, const AditAuthReply *secret, AditAuthReply *out, char text[128]) {
  guint8 expected[MD5_DIGEST_SIZE];

  out->outcome = ADIT_AUTH_REJECT;
  if (!secret->password) {
    out->why = "only an NT hash is known of this user, and CHAP with MD5 needs the password itself";
    return;
  }
  digest_response(request->id, secret->password, request->challenge, request->challenge_length, expected);
  if (request->response_length == sizeof expected && memeql_sec(expected, request->response, sizeof expected))
    out->outcome = ADIT_AUTH_ACCEPT;
  else
    out->why = "wrong password";
  explicit_bzero(expected, sizeof expected);
}

const AditAuthMethod chap_method = {
    .size = sizeof(AditAuthMethod),
    .name = "chap",
    .kind = ADIT_AUTH_CHAP_MD5,
    .protocol = 0xc223,
    .option = {0x05},
    .option_length = 1,
    .strength = 20,
    .state_size = sizeof(AditChap),
    .n_slots = ADIT_CHAP_SLOTS,
    .start = start_chap,
    .input = input_packet,
    .timeout = repeat_packet,
    .verdict = take_verdict,
    .verify = verify_response,
    .save = save_chap,
    .restore = restore_chap,
};
