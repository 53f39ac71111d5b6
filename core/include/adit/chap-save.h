/* SPDX-License-Identifier: MIT */
/**
 * adit/chap-save.h - saves a CHAP exchange, and carries on with it in another process. adit/chap.h includes it. [any]
 *
 *     static void my_save(gconstpointer state, AditBuilder *out) {
 *       adit_chap_save(state, out);
 *     }
 */
#pragma once

#include <adit/chap.h>

G_BEGIN_DECLS

/** AditAuthMethod's save(). */
static inline void adit_chap_save(const AditChap *chap, AditBuilder *out) {
  adit_put_u8(out, 1); /* version of what follows */
  adit_put_u8(out, chap->state);
  adit_put_u8(out, chap->demand);
  adit_put_u8(out, chap->again);
  adit_put_u8(out, chap->id);
  adit_put_u8(out, chap->newest);
  adit_put_u8(out, chap->decided);
  adit_put_u8(out, chap->retries);
  adit_put_u32(out, chap->tries_left);
  for (guint i = 0; i < ADIT_CHAP_SLOTS; i++)
    adit_put_u64(out, chap->deadline[i]);
  for (guint i = 0; i < ADIT_CHAP_ROUNDS; i++) {
    const AditChapRound *round = &chap->rounds[i];
    adit_put_u8(out, round->used);
    if (!round->used)
      continue;
    adit_put_u8(out, round->id);
    adit_put_u8(out, round->length);
    adit_put_bytes(out, round->challenge, sizeof round->challenge);
    adit_put_bytes(out, round->response, sizeof round->response);
  }
  adit_put_u8(out, (guint8)strlen(chap->text));
  adit_put_bytes(out, chap->text, strlen(chap->text));
}

static inline gboolean adit_chap_read(AditChap *chap, AditCursor *in, const AditChapAlgorithm *a) {
  gboolean version = adit_get_u8(in) == 1;

  chap->state = adit_get_u8(in);
  gboolean same_side = adit_get_u8(in) == chap->demand;
  chap->again = adit_get_u8(in);
  chap->id = adit_get_u8(in);
  chap->newest = adit_get_u8(in);
  chap->decided = adit_get_u8(in);
  chap->retries = adit_get_u8(in);
  chap->tries_left = adit_get_u32(in);
  chap->tries_left = MIN(chap->tries_left, chap->tries);
  for (guint i = 0; i < ADIT_CHAP_SLOTS; i++)
    chap->deadline[i] = adit_get_u64(in);
  gboolean fits = TRUE;
  for (guint i = 0; i < ADIT_CHAP_ROUNDS; i++) {
    AditChapRound *round = &chap->rounds[i];
    round->used = adit_get_u8(in);
    if (!round->used)
      continue;
    round->id = adit_get_u8(in);
    round->length = adit_get_u8(in);
    adit_get_copy(in, round->challenge, sizeof round->challenge);
    adit_get_copy(in, round->response, sizeof round->response);
    fits = fits && (!chap->demand || round->length == a->challenge_length);
  }
  gsize length = adit_get_u8(in);
  adit_get_copy(in, chap->text, length);

  gboolean state_fits =
      chap->demand ? chap->state <= ADIT_CHAP_STATE_RETRY || chap->state == ADIT_CHAP_STATE_OPEN || chap->state == ADIT_CHAP_STATE_FAILED
                   : chap->state >= ADIT_CHAP_STATE_WAITING && chap->state <= ADIT_CHAP_STATE_FAILED;
  return version && same_side && fits && state_fits && chap->state && !in->bad && chap->newest < ADIT_CHAP_ROUNDS &&
         chap->decided < ADIT_CHAP_ROUNDS;
}

/** AditAuthMethod's restore(). */
static inline gboolean adit_chap_restore(AditChap *chap, const AditAuthEnv *env, const AditAuthStart *start, AditCursor *in,
                                         const AditChapAlgorithm *a) {
  adit_chap_configure(chap, start);
  if (!adit_chap_read(chap, in, a))
    return FALSE;
  if (chap->state == ADIT_CHAP_STATE_ASKED) { /* the question died with the process: have it put again */
    chap->state = ADIT_CHAP_STATE_CHALLENGED;
    chap->tries_left = MAX(chap->tries_left, 1);
    adit_env_arm(&env->engine, &chap->deadline[0], 0, 1);
  }
  for (guint i = 0; i < ADIT_CHAP_SLOTS; i++)
    if (chap->deadline[i])
      env->engine.ops->wake(env->engine.host, i, chap->deadline[i]);
  return TRUE;
}

G_END_DECLS
