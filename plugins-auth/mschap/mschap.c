/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "mschap.h"
#include "crypto.h"

#include <nettle/memops.h>

#define RESPONSE_LENGTH 49
#define NT_AT           24 /* the NT response, in both versions' responses */
#define FLAGS_AT        48
#define FLAG_USE_NT     1 /* version 1: the NT response counts, not the LM one */
#define ERROR_REFUSED   691

/* ---- both versions ---- */

/** RFC 2433 6, RFC 2759 6: `version` is that of the Change-Password packet. */
static void failure_text(const AditAuthReply *reply, gboolean retry, const guint8 *challenge, gsize length, guint version,
                         char text[ADIT_CHAP_TEXT]) {
  char hex[2 * 16 + 1] = "";

  mschap_hex(challenge, length, hex);
  int n = g_snprintf(text, ADIT_CHAP_TEXT, "E=%u R=%d C=%s V=%u", reply->error_code ? reply->error_code : ERROR_REFUSED, retry ? 1 : 0, hex,
                     version);
  if (version == 3 && n > 0 && n < ADIT_CHAP_TEXT)
    g_snprintf(text + n, ADIT_CHAP_TEXT - (gsize)n, " M=%s", reply->message ? reply->message : "");
}

/** RFC 2433 9, RFC 2759 6: the meaning of an error code for the peer. */
static const char *words_of(guint64 code) {
  static const struct {
    guint code;
    const char *words;
  } errors[] = {{646, "not at this hour"},
                {647, "the account is disabled"},
                {648, "the password has expired"},
                {649, "no permission to dial in"},
                {ERROR_REFUSED, "wrong user name or password"},
                {709, "the password was not changed"}};

  for (gsize i = 0; i < G_N_ELEMENTS(errors); i++)
    if (errors[i].code == code)
      return errors[i].words;
  return "refused";
}

/** The part after `E=` and its digits: nothing, or more fields, with or without the blank that RFC 2759 6 has before each. */
static gboolean is_field_end(const char *at) {
  return !*at || *at == ' ' || (g_ascii_isupper(*at) && at[1] == '=');
}

/** The server's own words, if it has any; a text of another form stays as it is. No field before M= can hold an M. */
static void explain_failure(char text[ADIT_CHAP_TEXT]) {
  char *own, *end;
  guint64 code = g_ascii_strtoull(g_str_has_prefix(text, "E=") ? text + 2 : "", &end, 10);

  if (!code || !is_field_end(end))
    return;
  own = strstr(end, "M=");
  own = own ? g_strchug(own + 2) : NULL;
  g_autofree char *said = g_strdup_printf("%s (E=%" G_GUINT64_FORMAT ")", own && *own ? own : words_of(code), code);
  g_strlcpy(text, said, ADIT_CHAP_TEXT);
}

/** The NT hash of what a source told; FALSE if it told nothing of use. */
static gboolean hash_of(const AditAuthReply *secret, guint8 hash[MSCHAP_HASH]) {
  if (secret->password)
    mschap_nt_hash(secret->password, hash);
  else if (secret->nt_hash)
    memcpy(hash, secret->nt_hash, MSCHAP_HASH);
  else
    return FALSE;
  return TRUE;
}

static void refuse_login(AditAuthReply *out, const char *why) {
  out->outcome = ADIT_AUTH_REJECT;
  out->error_code = ERROR_REFUSED;
  out->why = why;
}

/* ---- version 1 ---- */

static void v1_respond(const AditChap *chap, const AditAuthEnv *env, guint8 id, const guint8 *challenge, guint8 length, guint8 *response) {
  guint8 hash[MSCHAP_HASH];

  memset(response, 0, RESPONSE_LENGTH); /* RFC 2433 5: no LM response, it would give the password away */
  mschap_nt_hash(chap->password, hash);
  mschap_nt_response(challenge, hash, response + NT_AT);
  response[FLAGS_AT] = FLAG_USE_NT;
  explicit_bzero(hash, sizeof hash);
}

static const char *v1_refuse(const guint8 *response) {
  return response[FLAGS_AT] & FLAG_USE_NT ? NULL : "the peer sent an LM response, which is too weak to be taken";
}

static void v1_failure(const AditAuthReply *reply, gboolean retry, const guint8 *challenge, char text[ADIT_CHAP_TEXT]) {
  failure_text(reply, retry, challenge, MSCHAP_CHALLENGE, 2, text);
}

static AditMppeShort short_key_of(const char *password, guint8 key[MSCHAP_SHORT_KEY]) {
  return password && mschap_v1_short_key(password, key) ? ADIT_MPPE_SHORT_OWN : ADIT_MPPE_SHORT_NONE;
}

static void v1_verify(const AditAuthRequest *request, const AditAuthReply *secret, AditAuthReply *out, char text[128]) {
  guint8 hash[MSCHAP_HASH], expected[MSCHAP_NT_RESPONSE];

  if (request->response_length != RESPONSE_LENGTH || request->challenge_length != MSCHAP_CHALLENGE || v1_refuse(request->response)) {
    refuse_login(out, "the response is none of MS-CHAPv1's");
    return;
  }
  if (!hash_of(secret, hash)) {
    refuse_login(out, "neither password nor NT hash is known of this user");
    return;
  }
  mschap_nt_response(request->challenge, hash, expected);
  if (memeql_sec(expected, request->response + NT_AT, sizeof expected)) {
    out->outcome = ADIT_AUTH_ACCEPT;
    mschap_v1_start_key(hash, request->challenge, out->mppe_send_key);
    memcpy(out->mppe_receive_key, out->mppe_send_key, MSCHAP_KEY);
    out->has_mppe_keys = TRUE;
    out->mppe_short = short_key_of(secret->password, out->mppe_short_key);
  } else {
    refuse_login(out, "wrong password");
  }
  explicit_bzero(hash, sizeof hash);
  explicit_bzero(expected, sizeof expected);
}

static void v1_keys(const AditChap *chap, const AditChapRound *round, guint8 send[16], guint8 receive[16]) {
  guint8 hash[MSCHAP_HASH];

  mschap_nt_hash(chap->password, hash);
  mschap_v1_start_key(hash, round->challenge, send);
  memcpy(receive, send, MSCHAP_KEY);
  explicit_bzero(hash, sizeof hash);
}

static const AditChapAlgorithm version1 = {
    .kind = ADIT_AUTH_MSCHAPV1,
    .challenge_length = MSCHAP_CHALLENGE,
    .challenge_min = MSCHAP_CHALLENGE,
    .challenge_max = MSCHAP_CHALLENGE,
    .response_length = RESPONSE_LENGTH,
    .respond = v1_respond,
    .refuse = v1_refuse,
    .failure = v1_failure,
    .explain = explain_failure,
    .keys = v1_keys,
};

/* ---- version 2 ---- */

static void v2_respond(const AditChap *chap, const AditAuthEnv *env, guint8 id, const guint8 *challenge, guint8 length, guint8 *response) {
  guint8 hash[MSCHAP_HASH], short_challenge[MSCHAP_CHALLENGE];

  memset(response, 0, RESPONSE_LENGTH); /* RFC 2759 4: reserved octets and flags are zero */
  adit_env_random(&env->engine, response, 16);
  mschap_nt_hash(chap->password, hash);
  mschap_v2_challenge(response, challenge, chap->name, short_challenge);
  mschap_nt_response(short_challenge, hash, response + NT_AT);
  explicit_bzero(hash, sizeof hash);
}

/** True if `text` begins with `S=` and 40 hexadecimal digits: these prove, whatever follows. Servers are known to leave out the blank
 *  before M=, and to end the text with a NUL or a line's end. */
static gboolean is_proof(const char *text) {
  if (!text || strncmp(text, "S=", 2) != 0)
    return FALSE;
  for (guint i = 2; i < MSCHAP_PROOF - 1; i++)
    if (!g_ascii_isxdigit(text[i]))
      return FALSE;
  return TRUE;
}

static const char *v2_passable(const AditAuthReply *reply) {
  return is_proof(reply->message) ? NULL : "the source accepted without the proof (S=) that the peer must see";
}

static const char *v2_doubt(const AditChap *chap, const AditChapRound *round) {
  guint8 hash[MSCHAP_HASH];
  char expected[MSCHAP_PROOF], said[MSCHAP_PROOF];

  if (!is_proof(chap->text))
    return "the server did not prove that it knows our password";
  for (guint i = 0; i < MSCHAP_PROOF - 1; i++)
    said[i] = g_ascii_toupper(chap->text[i]);
  mschap_nt_hash(chap->password, hash);
  mschap_v2_proof(hash, round->response + NT_AT, round->response, round->challenge, chap->name, expected);
  explicit_bzero(hash, sizeof hash);
  return memeql_sec(expected, said, MSCHAP_PROOF - 1) ? NULL : "the server's proof is wrong: it does not know our password";
}

static void v2_failure(const AditAuthReply *reply, gboolean retry, const guint8 *challenge, char text[ADIT_CHAP_TEXT]) {
  failure_text(reply, retry, challenge, 16, 3, text);
}

static void v2_verify(const AditAuthRequest *request, const AditAuthReply *secret, AditAuthReply *out, char text[128]) {
  guint8 hash[MSCHAP_HASH], short_challenge[MSCHAP_CHALLENGE], expected[MSCHAP_NT_RESPONSE], master[MSCHAP_KEY];
  const guint8 *nt_response = request->response + NT_AT;

  if (request->response_length != RESPONSE_LENGTH || request->challenge_length != 16) {
    refuse_login(out, "the response is none of MS-CHAPv2's");
    return;
  }
  if (!hash_of(secret, hash)) {
    refuse_login(out, "neither password nor NT hash is known of this user");
    return;
  }
  mschap_v2_challenge(request->peer_challenge, request->challenge, request->user, short_challenge);
  mschap_nt_response(short_challenge, hash, expected);
  if (memeql_sec(expected, nt_response, sizeof expected)) {
    out->outcome = ADIT_AUTH_ACCEPT;
    mschap_v2_proof(hash, nt_response, request->peer_challenge, request->challenge, request->user, text);
    out->message = text;
    mschap_v2_master_key(hash, nt_response, master);
    mschap_v2_start_key(master, TRUE, TRUE, out->mppe_send_key);
    mschap_v2_start_key(master, FALSE, TRUE, out->mppe_receive_key);
    out->has_mppe_keys = TRUE;
    explicit_bzero(master, sizeof master);
  } else {
    refuse_login(out, "wrong password");
  }
  explicit_bzero(hash, sizeof hash);
  explicit_bzero(expected, sizeof expected);
}

static void v2_keys(const AditChap *chap, const AditChapRound *round, guint8 send[16], guint8 receive[16]) {
  guint8 hash[MSCHAP_HASH], master[MSCHAP_KEY];

  mschap_nt_hash(chap->password, hash);
  mschap_v2_master_key(hash, round->response + NT_AT, master);
  mschap_v2_start_key(master, TRUE, FALSE, send);
  mschap_v2_start_key(master, FALSE, FALSE, receive);
  explicit_bzero(hash, sizeof hash);
  explicit_bzero(master, sizeof master);
}

static const AditChapAlgorithm version2 = {
    .kind = ADIT_AUTH_MSCHAPV2,
    .challenge_length = 16,
    .challenge_min = 16,
    .challenge_max = 16,
    .response_length = RESPONSE_LENGTH,
    .respond = v2_respond,
    .passable = v2_passable,
    .failure = v2_failure,
    .explain = explain_failure,
    .doubt = v2_doubt,
    .keys = v2_keys,
};

/* ---- the methods ---- */

static void v1_start(gpointer state, const AditAuthEnv *env, const AditAuthStart *start) {
  adit_chap_start((AditChap *)state, env, start, &version1);
}

static void v2_start(gpointer state, const AditAuthEnv *env, const AditAuthStart *start) {
  adit_chap_start((AditChap *)state, env, start, &version2);
}

static void v1_input(gpointer state, const AditAuthEnv *env, const guint8 *payload, gsize length) {
  adit_chap_input((AditChap *)state, env, payload, length, &version1);
}

static void v2_input(gpointer state, const AditAuthEnv *env, const guint8 *payload, gsize length) {
  adit_chap_input((AditChap *)state, env, payload, length, &version2);
}

static void v1_timeout(gpointer state, const AditAuthEnv *env, guint slot) {
  adit_chap_timeout((AditChap *)state, env, slot, &version1);
}

static void v2_timeout(gpointer state, const AditAuthEnv *env, guint slot) {
  adit_chap_timeout((AditChap *)state, env, slot, &version2);
}

static void v1_verdict(gpointer state, const AditAuthEnv *env, const AditAuthReply *reply) {
  adit_chap_verdict((AditChap *)state, env, reply, &version1);
}

static void v2_verdict(gpointer state, const AditAuthEnv *env, const AditAuthReply *reply) {
  adit_chap_verdict((AditChap *)state, env, reply, &version2);
}

static gboolean v1_restore(gpointer state, const AditAuthEnv *env, const AditAuthStart *start, AditCursor *in) {
  return adit_chap_restore((AditChap *)state, env, start, in, &version1);
}

static gboolean v2_restore(gpointer state, const AditAuthEnv *env, const AditAuthStart *start, AditCursor *in) {
  return adit_chap_restore((AditChap *)state, env, start, in, &version2);
}

static gboolean v1_method_keys(gconstpointer state, guint8 send[16], guint8 receive[16]) {
  return adit_chap_keys((const AditChap *)state, send, receive, &version1);
}

static AditMppeShort v1_method_short_key(gconstpointer state, guint8 key[8]) {
  return short_key_of(((const AditChap *)state)->password, key);
}

static gboolean v2_method_keys(gconstpointer state, guint8 send[16], guint8 receive[16]) {
  return adit_chap_keys((const AditChap *)state, send, receive, &version2);
}

static void save_mschap(gconstpointer state, AditBuilder *out) {
  adit_chap_save((const AditChap *)state, out);
}

const AditAuthMethod mschap1_method = {
    .size = sizeof(AditAuthMethod),
    .name = "mschap1",
    .kind = ADIT_AUTH_MSCHAPV1,
    .protocol = 0xc223,
    .option = {0x80},
    .option_length = 1,
    .strength = 30,
    .state_size = sizeof(AditChap),
    .n_slots = ADIT_CHAP_SLOTS,
    .start = v1_start,
    .input = v1_input,
    .timeout = v1_timeout,
    .verdict = v1_verdict,
    .verify = v1_verify,
    .save = save_mschap,
    .restore = v1_restore,
    .keys = v1_method_keys,
    .short_key = v1_method_short_key,
};

const AditAuthMethod mschap2_method = {
    .size = sizeof(AditAuthMethod),
    .name = "mschap2",
    .kind = ADIT_AUTH_MSCHAPV2,
    .protocol = 0xc223,
    .option = {0x81},
    .option_length = 1,
    .strength = 40,
    .state_size = sizeof(AditChap),
    .n_slots = ADIT_CHAP_SLOTS,
    .start = v2_start,
    .input = v2_input,
    .timeout = v2_timeout,
    .verdict = v2_verdict,
    .verify = v2_verify,
    .save = save_mschap,
    .restore = v2_restore,
    .keys = v2_method_keys,
};
