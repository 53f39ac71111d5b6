/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "pap.h"

#include <nettle/md4.h>
#include <nettle/memops.h>

enum { PAP_REQUEST = 1, PAP_ACK, PAP_NAK };

static void send_body(const AditAuthEnv *env, guint8 code, guint8 id, const guint8 *body, gsize length) {
  guint8 packet[4 + PAP_BODY_MAX];
  AditBuilder out = adit_builder(packet, sizeof packet);

  adit_put_u8(&out, code);
  adit_put_u8(&out, id);
  adit_put_u16(&out, (guint16)(4 + length));
  adit_put_bytes(&out, body, length);
  if (!out.bad)
    env->up->send(env->engine.host, packet, adit_built(&out));
  explicit_bzero(packet, sizeof packet);
}

static void put_text(AditBuilder *out, const char *text) {
  gsize length = MIN(strlen(text), 255);
  adit_put_u8(out, (guint8)length);
  adit_put_bytes(out, text, length);
}

static void settle_outcome(Pap *pap, const AditAuthEnv *env, gboolean ok, const char *why) {
  pap->state = ok ? PAP_STATE_OPEN : PAP_STATE_FAILED;
  adit_env_disarm(&env->engine, &pap->deadline, 0);
  env->up->done(env->engine.host, ok, why);
}

/* ---- answering ---- */

static void send_request(Pap *pap, const AditAuthEnv *env) {
  guint8 body[PAP_BODY_MAX];
  AditBuilder out = adit_builder(body, sizeof body);

  put_text(&out, pap->name);
  put_text(&out, pap->password);
  pap->id++; /* RFC 1334 2.2.1: each request has a new identifier */
  pap->tries_left--;
  adit_env_arm(&env->engine, &pap->deadline, 0, pap->timeout_ms);
  send_body(env, PAP_REQUEST, pap->id, body, adit_built(&out));
  explicit_bzero(body, sizeof body);
}

static void take_judgement(Pap *pap, const AditAuthEnv *env, guint8 code, guint8 id, AditCursor *in) {
  /* An answer to any of our requests will do: it may have been slow. */
  if (pap->state != PAP_STATE_SENT || (guint8)(id - pap->first_id) > (guint8)(pap->id - pap->first_id))
    return;
  gsize length = adit_get_u8(in);
  length = MIN(length, adit_left(in)); /* peers are known to leave the message out, or to get its length wrong */
  const guint8 *said = adit_get_bytes(in, length);

  while (said && length && (said[length - 1] < 0x20 || said[length - 1] == 0x7f)) /* a NUL, or a line's end */
    length--;
  for (gsize i = 0; i < length && said; i++)
    pap->text[i] = said[i] < 0x20 || said[i] == 0x7f ? '?' : (char)said[i];
  pap->text[said ? length : 0] = 0;
  settle_outcome(pap, env, code == PAP_ACK, pap->text);
}

/* ---- demanding ---- */

static void send_verdict(Pap *pap, const AditAuthEnv *env, guint8 id) {
  guint8 body[1 + 255];
  AditBuilder out = adit_builder(body, sizeof body);

  put_text(&out, pap->text);
  send_body(env, pap->state == PAP_STATE_OPEN ? PAP_ACK : PAP_NAK, id, body, adit_built(&out));
}

static void take_verdict(gpointer state, const AditAuthEnv *env, const AditAuthReply *reply) {
  Pap *pap = (Pap *)state;
  gboolean ok = reply->outcome == ADIT_AUTH_ACCEPT;

  if (pap->state != PAP_STATE_ASKED)
    return;
  explicit_bzero(pap->body, sizeof pap->body);
  pap->body_length = 0;
  pap->state = ok ? PAP_STATE_OPEN : PAP_STATE_FAILED;
  g_strlcpy(pap->text, reply->message ? reply->message : ok ? "" : "authentication failed", sizeof pap->text);
  send_verdict(pap, env, pap->id);
  settle_outcome(pap, env, ok, reply->why);
}

static void refuse_peer(Pap *pap, const AditAuthEnv *env, const char *why) {
  AditAuthReply reply = {.size = sizeof reply, .outcome = ADIT_AUTH_REJECT, .why = why};
  pap->state = PAP_STATE_ASKED;
  take_verdict(pap, env, &reply);
}

static void take_request(Pap *pap, const AditAuthEnv *env, guint8 id, AditCursor *in) {
  const guint8 *body = in->at;
  guint8 name_length = adit_get_u8(in);
  const guint8 *name = adit_get_bytes(in, name_length);
  guint8 password_length = adit_get_u8(in);
  const guint8 *password = adit_get_bytes(in, password_length);
  gsize length = (gsize)(in->at - body);

  if (in->bad)
    return;
  switch ((PapState)pap->state) {
  case PAP_STATE_OPEN:
  case PAP_STATE_FAILED:
    send_verdict(pap, env, id); /* RFC 1334 2.2.1: a repeated request gets the same code again */
    return;
  case PAP_STATE_ASKED:
    if (length == pap->body_length && memeql_sec(body, pap->body, length))
      pap->id = id; /* the peer waits for this one now */
    return;
  case PAP_STATE_SENT:
    return;
  case PAP_STATE_LISTENING:
    break;
  }

  pap->id = id;
  if ((name_length && memchr(name, 0, name_length)) || (password_length && memchr(password, 0, password_length))) {
    refuse_peer(pap, env, "name or password hold a NUL");
    return;
  }
  pap->state = PAP_STATE_ASKED;
  pap->body_length = (guint16)length;
  memcpy(pap->body, body, length);
  adit_env_disarm(&env->engine, &pap->deadline, 0);

  AditAuthRequest *request = adit_auth_request_new(ADIT_AUTH_PAP);
  request->id = id;
  request->user = g_strndup((const char *)name, name_length);
  request->password = g_strndup((const char *)password, password_length);
  env->up->ask(env->engine.host, request);
}

/* ---- both ---- */

static void configure_pap(Pap *pap, const AditAuthStart *start) {
  pap->demand = !!start->demand;
  pap->tries = start->tries ? start->tries : 10;
  pap->timeout_ms = start->timeout_ms ? start->timeout_ms : 3000;
  g_strlcpy(pap->name, start->name ? start->name : "", sizeof pap->name);
  pap->password = start->password ? start->password : "";
}

static void listen_for(Pap *pap, const AditAuthEnv *env) {
  pap->state = PAP_STATE_LISTENING;
  adit_env_arm(&env->engine, &pap->deadline, 0, (guint64)pap->timeout_ms * pap->tries);
}

static void start_pap(gpointer state, const AditAuthEnv *env, const AditAuthStart *how) {
  Pap *pap = (Pap *)state;

  configure_pap(pap, how);
  if (pap->demand) {
    listen_for(pap, env);
    return;
  }
  adit_env_random(&env->engine, &pap->id, 1);
  pap->first_id = (guint8)(pap->id + 1);
  pap->tries_left = pap->tries;
  pap->state = PAP_STATE_SENT;
  send_request(pap, env);
}

static void input_packet(gpointer state, const AditAuthEnv *env, const guint8 *payload, gsize length) {
  Pap *pap = (Pap *)state;
  AditCursor packet = adit_cursor(payload, length);
  guint8 code = adit_get_u8(&packet), id = adit_get_u8(&packet);
  guint16 total = adit_get_u16(&packet);

  if (packet.bad || total < 4)
    return;
  AditCursor in = adit_get_sub(&packet, total - 4u); /* what follows is padding */
  if (in.bad)
    return;
  if (pap->demand && code == PAP_REQUEST)
    take_request(pap, env, id, &in);
  else if (!pap->demand && (code == PAP_ACK || code == PAP_NAK))
    take_judgement(pap, env, code, id, &in);
}

static void repeat_request(gpointer state, const AditAuthEnv *env, guint slot) {
  Pap *pap = (Pap *)state;

  if (slot != 0 || !adit_env_due(&env->engine, &pap->deadline, 0))
    return;
  switch ((PapState)pap->state) {
  case PAP_STATE_LISTENING:
    settle_outcome(pap, env, FALSE, "the peer sends no name and password");
    return;
  case PAP_STATE_SENT:
    if (pap->tries_left)
      send_request(pap, env);
    else
      settle_outcome(pap, env, FALSE, "the peer does not answer");
    return;
  case PAP_STATE_ASKED:
  case PAP_STATE_OPEN:
  case PAP_STATE_FAILED:
    return;
  }
}

static void save_pap(gconstpointer state, AditBuilder *out) {
  const Pap *pap = (const Pap *)state;

  adit_put_u8(out, 1); /* version of what follows; the request at hand holds a password, so it is not written */
  adit_put_u8(out, pap->state);
  adit_put_u8(out, pap->demand);
  adit_put_u8(out, pap->id);
  adit_put_u8(out, pap->first_id);
  adit_put_u32(out, pap->tries_left);
  adit_put_u64(out, pap->deadline);
  put_text(out, pap->text);
}

static gboolean restore_pap(gpointer state, const AditAuthEnv *env, const AditAuthStart *how, AditCursor *in) {
  Pap *pap = (Pap *)state;

  configure_pap(pap, how);
  gboolean fits = adit_get_u8(in) == 1;
  pap->state = adit_get_u8(in);
  fits = adit_get_u8(in) == pap->demand && fits;
  pap->id = adit_get_u8(in);
  pap->first_id = adit_get_u8(in);
  pap->tries_left = adit_get_u32(in);
  pap->tries_left = MIN(pap->tries_left, pap->tries);
  pap->deadline = adit_get_u64(in);
  adit_get_copy(in, pap->text, adit_get_u8(in));
  if (!fits || in->bad || pap->state < PAP_STATE_LISTENING || pap->state > PAP_STATE_FAILED ||
      (pap->demand ? pap->state == PAP_STATE_SENT : pap->state < PAP_STATE_SENT))
    return FALSE;

  if (pap->state == PAP_STATE_ASKED)
    listen_for(pap, env); /* the question died with the process: the peer will repeat its request */
  else if (pap->deadline)
    env->engine.ops->wake(env->engine.host, 0, pap->deadline);
  return TRUE;
}

/** Takes as long for any two texts as `given` is long. */
static gboolean same_text(const char *given, const char *known) {
  gsize given_length = strlen(given), known_length = strlen(known);
  gsize differ = given_length ^ known_length;

  for (gsize i = 0; i < given_length; i++)
    differ |= (guint8)(given[i] ^ known[i % (known_length + 1)]);
  return differ == 0;
}

/** RFC 2433 A.2's NtPasswordHash: MD4 of the password in UTF-16LE. */
static gboolean same_hash(const char *given, const guint8 known[MD4_DIGEST_SIZE]) {
  g_autoptr(GError) not_utf8 = NULL;
  glong units = 0;
  g_autofree gunichar2 *wide = g_utf8_to_utf16(given, -1, NULL, &units, &not_utf8);
  guint8 hash[MD4_DIGEST_SIZE];
  struct md4_ctx ctx;

  if (!wide)
    return FALSE;
  md4_init(&ctx);
  for (glong i = 0; i < units; i++) {
    guint8 octets[2] = {(guint8)wide[i], (guint8)(wide[i] >> 8)};
    md4_update(&ctx, sizeof octets, octets);
  }
  md4_digest(&ctx, sizeof hash, hash);
  gboolean same = memeql_sec(hash, known, sizeof hash);
  explicit_bzero(wide, (gsize)units * sizeof *wide);
  explicit_bzero(&ctx, sizeof ctx);
  explicit_bzero(hash, sizeof hash);
  return same;
}

static void verify_password(const AditAuthRequest *request, const AditAuthReply *secret, AditAuthReply *out, char text[128]) {
  const char *given = request->password ? request->password : "";
  gboolean same = secret->password ? same_text(given, secret->password) : secret->nt_hash && same_hash(given, secret->nt_hash);

  out->outcome = same ? ADIT_AUTH_ACCEPT : ADIT_AUTH_REJECT;
  out->why = same ? NULL : "wrong password";
}

const AditAuthMethod pap_method = {
    .size = sizeof(AditAuthMethod),
    .name = "pap",
    .kind = ADIT_AUTH_PAP,
    .protocol = 0xc023,
    .strength = 10,
    .state_size = sizeof(Pap),
    .n_slots = 1,
    .start = start_pap,
    .input = input_packet,
    .timeout = repeat_request,
    .verdict = take_verdict,
    .verify = verify_password,
    .save = save_pap,
    .restore = restore_pap,
};
