/* SPDX-License-Identifier: MIT */
/**
 * adit/chap.h - the CHAP exchange (RFC 1994), both sides, as an engine (adit/engine.h) for a method plugin to embed.
 *
 * An AditChapAlgorithm holds the differences between CHAP with MD5, MS-CHAPv1 and MS-CHAPv2; the packets, identifiers, timers
 * and repeats are the same, and they are here. An AditAuthMethod with an AditChap as state forwards its calls. [any]
 *
 * A method with an AditChap as state forwards the calls of AditAuthMethod with its algorithm:
 *
 *     static void my_respond(const AditChap *chap, const AditAuthEnv *env, guint8 id, const guint8 *challenge, guint8 length,
 *                            guint8 *response) {
 *       GChecksum *md5 = g_checksum_new(G_CHECKSUM_MD5); // RFC 1994 4.1
 *       gsize size = 16;
 *       g_checksum_update(md5, &id, 1);
 *       g_checksum_update(md5, (const guchar *)chap->password, -1);
 *       g_checksum_update(md5, challenge, length);
 *       g_checksum_get_digest(md5, response, &size);
 *       g_checksum_free(md5);
 *     }
 *
 *     static const AditChapAlgorithm my_algorithm = {.kind = ADIT_AUTH_CHAP_MD5, .challenge_length = 16, .challenge_min = 1,
 *                                                    .challenge_max = 255, .response_length = 16, .respond = my_respond};
 *
 *     static void my_start(gpointer state, const AditAuthEnv *env, const AditAuthStart *start) {
 *       adit_chap_start(state, env, start, &my_algorithm);
 *     }
 */
#pragma once

#include <adit/auth.h>

G_BEGIN_DECLS

#define ADIT_CHAP_VALUE_MAX 49
#define ADIT_CHAP_ROUNDS    4 /**< how many challenges may be on their way at once */
#define ADIT_CHAP_RETRIES   3 /**< times that a peer may try again on one link */
#define ADIT_CHAP_SLOTS     2
#define ADIT_CHAP_TEXT      256

enum { ADIT_CHAP_CHALLENGE = 1, ADIT_CHAP_RESPONSE, ADIT_CHAP_SUCCESS, ADIT_CHAP_FAILURE };

typedef enum {
  ADIT_CHAP_STATE_CHALLENGED = 1, /**< demanding: a challenge is out */
  ADIT_CHAP_STATE_ASKED,          /**< demanding: the verdict is to come */
  ADIT_CHAP_STATE_RETRY,          /**< demanding: refused, but the peer may try again */
  ADIT_CHAP_STATE_WAITING,        /**< answering: no challenge yet */
  ADIT_CHAP_STATE_ANSWERED,       /**< answering: a response is out */
  ADIT_CHAP_STATE_OPEN,
  ADIT_CHAP_STATE_FAILED,
} AditChapState;

/** One challenge and what was said to it. */
typedef struct {
  guint8 used;
  guint8 id;
  guint8 length;
  guint8 challenge[16]; /**< the first 16 octets */
  guint8 response[ADIT_CHAP_VALUE_MAX];
} AditChapRound;

typedef struct {
  guint8 state; /**< AditChapState */
  guint8 demand;
  guint8 again;   /**< this is a re-challenge */
  guint8 id;      /**< of the newest challenge sent */
  guint8 newest;  /**< round used last */
  guint8 decided; /**< round that was asked about, or decided */
  guint8 retries;
  guint32 tries_left;
  guint64 deadline[ADIT_CHAP_SLOTS]; /**< 0 repeats, 1 re-challenges */
  AditChapRound rounds[ADIT_CHAP_ROUNDS];
  char text[ADIT_CHAP_TEXT]; /**< demanding: message of the last verdict; answering: what the peer said */
  /* from AditAuthStart: not saved */
  guint32 tries, timeout_ms, rechallenge_ms;
  char name[ADIT_AUTH_NAME_MAX + 1];
  const char *password; /**< AditAuthStart's, not copied; NULL where the peer answers */
} AditChap;

/** The functions of an algorithm; all pure. */
typedef struct {
  AditAuthKind kind;
  guint8 challenge_length;             /**< of challenges we send, at most 16 */
  guint8 challenge_min, challenge_max; /**< of challenges we answer */
  guint8 response_length;              /**< at most ADIT_CHAP_VALUE_MAX */
  /** Answering: our response to a challenge. */
  void (*respond)(const AditChap *chap, const AditAuthEnv *env, guint8 id, const guint8 *challenge, guint8 length, guint8 *response);
  /** Demanding: why a response of the right length can't be taken, or NULL. May be NULL. */
  const char *(*refuse)(const guint8 *response);
  /** Demanding: why an accepting reply can't be passed on, or NULL. May be NULL. */
  const char *(*passable)(const AditAuthReply *reply);
  /** Demanding: text of a Failure; `challenge` is what a second try would have to answer. NULL = the reply's message. */
  void (*failure)(const AditAuthReply *reply, gboolean retry, const guint8 *challenge, char text[ADIT_CHAP_TEXT]);
  /** Answering: why a Success does not prove what it should, or NULL. May be NULL. */
  const char *(*doubt)(const AditChap *chap, const AditChapRound *round);
  /** Answering: what AditAuthMethod's keys() is to give, from the round that was accepted. May be NULL. */
  void (*keys)(const AditChap *chap, const AditChapRound *round, guint8 send[16], guint8 receive[16]);
  /** Answering: turns the text of a Failure into words for people, in place. NULL = it is such already. */
  void (*explain)(char text[ADIT_CHAP_TEXT]);
} AditChapAlgorithm;

/** Copies text that came from outside: printable ASCII and UTF-8 stay, control characters become '?'; at the end (a NUL, CR LF) they
 *  are left out. */
static inline void adit_chap_copy_text(char to[ADIT_CHAP_TEXT], const guint8 *from, gsize length) {
  while (length && (from[length - 1] < 0x20 || from[length - 1] == 0x7f))
    length--;
  gsize n = MIN(length, ADIT_CHAP_TEXT - 1);
  for (gsize i = 0; i < n; i++)
    to[i] = from[i] < 0x20 || from[i] == 0x7f ? '?' : (char)from[i];
  to[n] = 0;
}

static inline void adit_chap_send_value(const AditAuthEnv *env, guint8 code, guint8 id, const guint8 *value, guint8 length,
                                        const char *name) {
  guint8 packet[5 + 255 + ADIT_AUTH_NAME_MAX];
  AditBuilder out = adit_builder(packet, sizeof packet);

  adit_put_u8(&out, code);
  adit_put_u8(&out, id);
  adit_put_u16(&out, 0);
  adit_put_u8(&out, length);
  adit_put_bytes(&out, value, length);
  adit_put_bytes(&out, name, strlen(name));
  adit_patch_u16(&out, 2, (guint16)adit_built(&out));
  if (!out.bad)
    env->up->send(env->engine.host, packet, adit_built(&out));
}

static inline void adit_chap_send_text(const AditAuthEnv *env, guint8 code, guint8 id, const char *text) {
  guint8 packet[4 + ADIT_CHAP_TEXT];
  AditBuilder out = adit_builder(packet, sizeof packet);

  adit_put_u8(&out, code);
  adit_put_u8(&out, id);
  adit_put_u16(&out, 0);
  adit_put_bytes(&out, text, strlen(text));
  adit_patch_u16(&out, 2, (guint16)adit_built(&out));
  if (!out.bad)
    env->up->send(env->engine.host, packet, adit_built(&out));
}

static inline AditChapRound *adit_chap_find(AditChap *chap, guint8 id) {
  for (guint i = 0; i < ADIT_CHAP_ROUNDS; i++)
    if (chap->rounds[i].used && chap->rounds[i].id == id)
      return &chap->rounds[i];
  return NULL;
}

/** A fresh round in place of the oldest one. */
static inline AditChapRound *adit_chap_round(AditChap *chap, guint8 id) {
  chap->newest = (guint8)((chap->newest + 1) % ADIT_CHAP_ROUNDS);
  AditChapRound *round = &chap->rounds[chap->newest];
  memset(round, 0, sizeof *round);
  round->used = 1;
  round->id = id;
  return round;
}

/** RFC 1994 4.1: each challenge has a new identifier and a new value, repeats too. */
static inline AditChapRound *adit_chap_invent(AditChap *chap, const AditAuthEnv *env, const AditChapAlgorithm *a) {
  AditChapRound *round = adit_chap_round(chap, ++chap->id);
  round->length = a->challenge_length;
  adit_env_random(&env->engine, round->challenge, round->length);
  return round;
}

static inline void adit_chap_challenge(AditChap *chap, const AditAuthEnv *env, const AditChapAlgorithm *a) {
  AditChapRound *round = adit_chap_invent(chap, env, a);

  chap->state = ADIT_CHAP_STATE_CHALLENGED;
  chap->tries_left--;
  adit_env_arm(&env->engine, &chap->deadline[0], 0, chap->timeout_ms);
  adit_chap_send_value(env, ADIT_CHAP_CHALLENGE, round->id, round->challenge, round->length, chap->name);
}

static inline void adit_chap_fail(AditChap *chap, const AditAuthEnv *env, const char *why) {
  chap->state = ADIT_CHAP_STATE_FAILED;
  adit_env_disarm(&env->engine, &chap->deadline[0], 0);
  adit_env_disarm(&env->engine, &chap->deadline[1], 1);
  env->up->done(env->engine.host, FALSE, why);
}

static inline void adit_chap_configure(AditChap *chap, const AditAuthStart *start) {
  chap->demand = !!start->demand;
  chap->tries = start->tries ? start->tries : 10;
  chap->timeout_ms = start->timeout_ms ? start->timeout_ms : 3000;
  chap->rechallenge_ms = start->rechallenge_ms;
  g_strlcpy(chap->name, start->name ? start->name : "", sizeof chap->name);
  chap->password = start->password ? start->password : "";
}

static inline void adit_chap_start(AditChap *chap, const AditAuthEnv *env, const AditAuthStart *start, const AditChapAlgorithm *a) {
  adit_chap_configure(chap, start);
  chap->tries_left = chap->tries;
  if (chap->demand) {
    adit_env_random(&env->engine, &chap->id, 1);
    adit_chap_challenge(chap, env, a);
  } else {
    chap->state = ADIT_CHAP_STATE_WAITING;
    adit_env_arm(&env->engine, &chap->deadline[0], 0, (guint64)chap->timeout_ms * chap->tries);
  }
}

/** Sends what was decided about the last response, again too: RFC 1994 4.2 wants repeats to have the same answer. */
static inline void adit_chap_send_verdict(AditChap *chap, const AditAuthEnv *env) {
  guint8 code = chap->state == ADIT_CHAP_STATE_OPEN ? ADIT_CHAP_SUCCESS : ADIT_CHAP_FAILURE;
  adit_chap_send_text(env, code, chap->rounds[chap->decided].id, chap->text);
}

static inline void adit_chap_accept(AditChap *chap, const AditAuthEnv *env, const AditAuthReply *reply) {
  chap->state = ADIT_CHAP_STATE_OPEN;
  g_strlcpy(chap->text, reply->message ? reply->message : "", sizeof chap->text);
  adit_chap_send_verdict(chap, env);
  if (chap->rechallenge_ms)
    adit_env_arm(&env->engine, &chap->deadline[1], 1, chap->rechallenge_ms);
  env->up->done(env->engine.host, TRUE, reply->why);
}

static inline void adit_chap_reject(AditChap *chap, const AditAuthEnv *env, const AditAuthReply *reply, const AditChapAlgorithm *a) {
  gboolean retry = reply->retry && a->failure && chap->retries < ADIT_CHAP_RETRIES;

  chap->state = retry ? ADIT_CHAP_STATE_RETRY : ADIT_CHAP_STATE_FAILED;
  if (a->failure) {
    AditChapRound failed = chap->rounds[chap->decided];
    chap->id = failed.id; /* the peer counts on from the response that failed */
    AditChapRound *next = adit_chap_invent(chap, env, a);
    a->failure(reply, retry, next->challenge, chap->text);
    chap->decided = (guint8)((chap->newest + 1) % ADIT_CHAP_ROUNDS);
    for (guint i = 0; i < ADIT_CHAP_ROUNDS; i++) /* no other challenge of ours may be answered now */
      if (i != chap->newest)
        chap->rounds[i].used = 0;
    chap->rounds[chap->decided] = failed;
  } else {
    g_strlcpy(chap->text, reply->message ? reply->message : "", sizeof chap->text);
  }
  adit_chap_send_verdict(chap, env);
  if (retry) {
    chap->retries++;
    adit_env_arm(&env->engine, &chap->deadline[0], 0, (guint64)chap->timeout_ms * chap->tries); /* a person may be typing */
  } else {
    adit_chap_fail(chap, env, reply->why);
  }
}

static inline void adit_chap_verdict(AditChap *chap, const AditAuthEnv *env, const AditAuthReply *reply, const AditChapAlgorithm *a) {
  if (chap->state != ADIT_CHAP_STATE_ASKED)
    return;
  const char *why = reply->outcome == ADIT_AUTH_ACCEPT && a->passable ? a->passable(reply) : NULL;
  if (reply->outcome == ADIT_AUTH_ACCEPT && !why) {
    adit_chap_accept(chap, env, reply);
    return;
  }
  AditAuthReply refusal;
  memset(&refusal, 0, sizeof refusal);
  refusal.size = sizeof refusal;
  refusal.outcome = ADIT_AUTH_REJECT;
  refusal.error_code = reply->error_code;
  refusal.message = why ? NULL : reply->message;
  refusal.retry = reply->retry && !why;
  refusal.why = why ? why : reply->why;
  adit_chap_reject(chap, env, &refusal, a);
}

/** A response that no source need see. */
static inline void adit_chap_refuse(AditChap *chap, const AditAuthEnv *env, const char *why, const AditChapAlgorithm *a) {
  AditAuthReply reply;
  memset(&reply, 0, sizeof reply);
  reply.size = sizeof reply;
  reply.outcome = ADIT_AUTH_REJECT;
  reply.why = why;
  adit_chap_verdict(chap, env, &reply, a);
}

static inline void adit_chap_ask(AditChap *chap, const AditAuthEnv *env, const AditChapRound *round, const guint8 *name, gsize length,
                                 const AditChapAlgorithm *a) {
  AditAuthRequest *request = adit_auth_request_new(a->kind);

  request->again = chap->again;
  request->user = g_strndup((const char *)name, length);
  request->id = round->id;
  request->challenge_length = round->length;
  memcpy(request->challenge, round->challenge, round->length);
  request->response_length = a->response_length;
  memcpy(request->response, round->response, a->response_length);
  if (a->kind == ADIT_AUTH_MSCHAPV2)
    memcpy(request->peer_challenge, round->response, sizeof request->peer_challenge);
  env->up->ask(env->engine.host, request);
}

/** The round that a response belongs to; NULL: to none of ours, drop it. */
static inline AditChapRound *adit_chap_round_of(AditChap *chap, guint8 id, const guint8 *value, guint8 length) {
  AditChapRound *round = adit_chap_find(chap, id);
  AditChapRound *next = &chap->rounds[chap->newest];

  /* A second try has a new challenge; some peers count its identifier on, others keep it. */
  if (round && chap->state == ADIT_CHAP_STATE_RETRY && round == &chap->rounds[chap->decided] &&
      (length > sizeof round->response || memcmp(value, round->response, length) != 0)) {
    round->used = 0;
    next->id = id;
    return next;
  }
  return round;
}

static inline void adit_chap_response(AditChap *chap, const AditAuthEnv *env, guint8 id, AditCursor *in, const AditChapAlgorithm *a) {
  guint8 length = adit_get_u8(in);
  const guint8 *value = adit_get_bytes(in, length);
  gsize name_length = adit_left(in);
  const guint8 *name = adit_get_bytes(in, name_length);

  if (in->bad)
    return;
  AditChapRound *round = adit_chap_round_of(chap, id, value, length);
  if (!round)
    return;
  if (chap->state != ADIT_CHAP_STATE_CHALLENGED && (chap->state != ADIT_CHAP_STATE_RETRY || round == &chap->rounds[chap->decided])) {
    if (chap->state != ADIT_CHAP_STATE_ASKED && round == &chap->rounds[chap->decided])
      adit_chap_send_verdict(chap, env);
    return;
  }

  chap->state = ADIT_CHAP_STATE_ASKED;
  chap->decided = (guint8)(round - chap->rounds);
  adit_env_disarm(&env->engine, &chap->deadline[0], 0);
  if (length != a->response_length) {
    adit_chap_refuse(chap, env, "the response has a wrong length", a);
    return;
  }
  memcpy(round->response, value, length);
  const char *why = a->refuse ? a->refuse(value) : NULL;
  if (name_length > ADIT_AUTH_NAME_MAX || (name_length && memchr(name, 0, name_length)))
    why = "the name is no user name";
  if (why)
    adit_chap_refuse(chap, env, why, a);
  else
    adit_chap_ask(chap, env, round, name, name_length, a);
}

static inline void adit_chap_answer(AditChap *chap, const AditAuthEnv *env, const AditChapRound *round, const AditChapAlgorithm *a) {
  adit_chap_send_value(env, ADIT_CHAP_RESPONSE, round->id, round->response, a->response_length, chap->name);
}

static inline void adit_chap_challenged(AditChap *chap, const AditAuthEnv *env, guint8 id, AditCursor *in, const AditChapAlgorithm *a) {
  guint8 length = adit_get_u8(in);
  const guint8 *value = adit_get_bytes(in, length);

  if (in->bad || length < a->challenge_min || length > a->challenge_max || chap->state == ADIT_CHAP_STATE_FAILED)
    return;
  AditChapRound *round = adit_chap_find(chap, id);
  if (round && length <= sizeof round->challenge && round->length == length && memcmp(round->challenge, value, length) == 0) {
    adit_chap_answer(chap, env, round, a); /* the same challenge again: the same answer, MS-CHAPv2 has a random part in it */
    return;
  }

  if (chap->state == ADIT_CHAP_STATE_OPEN) { /* a re-challenge: verdicts on earlier ones count no more */
    memset(chap->rounds, 0, sizeof chap->rounds);
    chap->again = 1;
  } else if (round) {
    round->used = 0;
  }
  round = adit_chap_round(chap, id);
  round->length = length;
  memcpy(round->challenge, value, MIN(length, sizeof round->challenge));
  a->respond(chap, env, id, value, length, round->response);
  chap->state = ADIT_CHAP_STATE_ANSWERED;
  chap->tries_left = chap->tries - 1;
  adit_env_arm(&env->engine, &chap->deadline[0], 0, chap->timeout_ms);
  adit_chap_answer(chap, env, round, a);
}

static inline void adit_chap_judged(AditChap *chap, const AditAuthEnv *env, guint8 code, guint8 id, AditCursor *in,
                                    const AditChapAlgorithm *a) {
  AditChapRound *round = adit_chap_find(chap, id);
  gsize length = adit_left(in);

  if (!round || chap->state != ADIT_CHAP_STATE_ANSWERED)
    return;
  adit_chap_copy_text(chap->text, adit_get_bytes(in, length), length);
  if (code == ADIT_CHAP_FAILURE) {
    if (a->explain)
      a->explain(chap->text);
    adit_chap_fail(chap, env, chap->text);
    return;
  }
  const char *why = a->doubt ? a->doubt(chap, round) : NULL;
  if (why) {
    adit_chap_fail(chap, env, why);
    return;
  }
  chap->state = ADIT_CHAP_STATE_OPEN;
  chap->decided = (guint8)(round - chap->rounds);
  adit_env_disarm(&env->engine, &chap->deadline[0], 0);
  env->up->done(env->engine.host, TRUE, chap->text);
}

/** AditAuthMethod's keys(). */
static inline gboolean adit_chap_keys(const AditChap *chap, guint8 send[16], guint8 receive[16], const AditChapAlgorithm *a) {
  const AditChapRound *round = &chap->rounds[chap->decided];

  if (!a->keys || chap->demand || chap->state != ADIT_CHAP_STATE_OPEN || !round->used)
    return FALSE;
  a->keys(chap, round, send, receive);
  return TRUE;
}

static inline void adit_chap_input(AditChap *chap, const AditAuthEnv *env, const guint8 *payload, gsize length,
                                   const AditChapAlgorithm *a) {
  AditCursor packet = adit_cursor(payload, length);
  guint8 code = adit_get_u8(&packet), id = adit_get_u8(&packet);
  guint16 body = adit_get_u16(&packet);

  if (packet.bad || body < 4)
    return;
  AditCursor in = adit_get_sub(&packet, body - 4u); /* what follows is padding */
  if (in.bad || !chap->state)
    return;
  if (chap->demand && code == ADIT_CHAP_RESPONSE)
    adit_chap_response(chap, env, id, &in, a);
  else if (!chap->demand && code == ADIT_CHAP_CHALLENGE)
    adit_chap_challenged(chap, env, id, &in, a);
  else if (!chap->demand && (code == ADIT_CHAP_SUCCESS || code == ADIT_CHAP_FAILURE))
    adit_chap_judged(chap, env, code, id, &in, a);
}

static inline void adit_chap_repeat(AditChap *chap, const AditAuthEnv *env, const AditChapAlgorithm *a) {
  switch ((AditChapState)chap->state) {
  case ADIT_CHAP_STATE_CHALLENGED:
    if (chap->tries_left)
      adit_chap_challenge(chap, env, a);
    else
      adit_chap_fail(chap, env, "the peer does not answer our challenges");
    return;
  case ADIT_CHAP_STATE_ANSWERED:
    /* We are in, and this may have been an old challenge that came late: a peer that doubts us will end the link. */
    if (!chap->tries_left && chap->again) {
      memset(chap->rounds, 0, sizeof chap->rounds); /* none of them was accepted */
      chap->state = ADIT_CHAP_STATE_OPEN;
      return;
    }
    if (!chap->tries_left) {
      adit_chap_fail(chap, env, "the peer does not say whether our response was right");
      return;
    }
    chap->tries_left--;
    adit_env_arm(&env->engine, &chap->deadline[0], 0, chap->timeout_ms);
    for (guint i = 0; i < ADIT_CHAP_ROUNDS; i++) /* all: the peer may have settled on an earlier one, and ignore the rest */
      if (chap->rounds[i].used)
        adit_chap_answer(chap, env, &chap->rounds[i], a);
    return;
  case ADIT_CHAP_STATE_RETRY:
    adit_chap_fail(chap, env, "wrong credentials, and no second try came");
    return;
  case ADIT_CHAP_STATE_WAITING:
    adit_chap_fail(chap, env, "the peer sends no challenge");
    return;
  case ADIT_CHAP_STATE_ASKED:
  case ADIT_CHAP_STATE_OPEN:
  case ADIT_CHAP_STATE_FAILED:
    return;
  }
}

static inline void adit_chap_timeout(AditChap *chap, const AditAuthEnv *env, guint slot, const AditChapAlgorithm *a) {
  if (slot >= ADIT_CHAP_SLOTS || !adit_env_due(&env->engine, &chap->deadline[slot], slot))
    return;
  if (slot == 0) {
    adit_chap_repeat(chap, env, a);
  } else if (chap->state == ADIT_CHAP_STATE_OPEN && chap->demand) {
    chap->again = 1;
    chap->retries = 0;
    chap->tries_left = chap->tries;
    memset(chap->rounds, 0, sizeof chap->rounds);
    adit_chap_challenge(chap, env, a);
  }
}

G_END_DECLS

#include <adit/chap-save.h>
