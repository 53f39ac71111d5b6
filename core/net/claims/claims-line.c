/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The claimants of an object in order, its state, and the calls of changed(). */
#include "core/net/claims/claims-line.h"
#include "core/base/misuse.h"

AditObject *adit_object_find(const AditClaims *claims, const AditObjectKey *key) {
  return g_hash_table_lookup(claims->objects, key);
}

const AditClaim *adit_object_winner(const AditObject *object) {
  return object->line.head ? object->line.head->data : NULL;
}

gboolean adit_object_is_shared(const AditObject *object) {
  return object->key.kind == ADIT_OBJECT_ADDRESS || object->key.kind == ADIT_OBJECT_NEIGHBOUR;
}

guint adit_claims_count(const AditClaims *claims) {
  return claims->all.length;
}

/* ---- states, and calls of changed() ---- */

AditClaimState adit_claims_state(const AditClaim *claim, const char **why) {
  ADIT_MAIN_ONLY("adit.net claim_state", ADIT_CLAIM_PENDING);
  const AditObject *object = claim->object;
  gboolean has = adit_object_winner(object) == claim || adit_object_is_shared(object);
  if (why)
    *why = has ? object->why : ((const AditClaim *)object->line.head->data)->claimant->who;
  return has ? (AditClaimState)object->state : ADIT_CLAIM_WAITING;
}

static void mark_changed(AditClaims *claims, AditClaim *claim) {
  if (claim->tell.data || !claim->claimant->changed)
    return;
  claim->tell.data = claim;
  g_queue_push_tail_link(&claims->tells, &claim->tell);
}

void adit_claim_tell(AditClaim *claim) {
  const char *why;
  AditClaimState state = adit_claims_state(claim, &why);
  if (state == (AditClaimState)claim->told)
    return;
  claim->told = (guint8)state;
  g_autofree char *words = g_strdup(why); /* it may be released in the call, and the words with it */
  if (claim->claimant->changed)
    claim->claimant->changed(claim, state, claim->object->error, words, claim->claimant->user);
}

void adit_claims_tell(AditClaims *claims) {
  GList *node;
  if (claims->telling)
    return; /* the one further out goes on */
  claims->telling = TRUE;
  while ((node = g_queue_pop_head_link(&claims->tells))) {
    AditClaim *claim = node->data;
    claim->tell.data = NULL;
    adit_claim_tell(claim);
  }
  claims->telling = FALSE;
}

void adit_object_mark_line(AditClaims *claims, AditObject *object) {
  if (adit_object_is_shared(object))
    for (GList *node = object->line.head; node; node = node->next)
      mark_changed(claims, node->data);
  else if (object->line.head)
    mark_changed(claims, object->line.head->data);
}

void adit_object_set_state(AditClaims *claims, AditObject *object, AditClaimState state, int error, const char *why) {
  object->error = error;
  if (why != object->why) {
    g_free(object->why);
    object->why = g_strdup(why);
  }
  if (object->state == (guint8)state)
    return;
  object->state = (guint8)state;
  adit_object_mark_line(claims, object);
}

const char *adit_claim_state_word(AditClaimState state) {
  switch (state) {
  case ADIT_CLAIM_PENDING:
    return "pending";
  case ADIT_CLAIM_INSTALLED:
    return "installed";
  case ADIT_CLAIM_WAITING:
    return "waiting";
  case ADIT_CLAIM_BLOCKED:
    return "blocked";
  case ADIT_CLAIM_REFUSED:
    return "refused";
  case ADIT_CLAIM_LOST:
    return "lost";
  }
  return "?";
}

void adit_object_doubt(AditObject *object) {
  object->disturbed |= object->busy;
  if (object->known == ADIT_PRESENT)
    object->known = ADIT_DOUBTFUL;
}
