/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Claims: they come, change and go. */
#include "core/net/claims/claims.h"
#include "core/base/misuse.h"
#include "core/net/claims/claims-due.h"
#include "core/net/claims/claims-line.h"
#include "core/net/claims/claims-show.h"
#include "core/net/claims/claims-step.h"

static AditObject *object_get(AditClaims *claims, const AditObjectKey *key) {
  AditObject *object = adit_object_find(claims, key);
  if (object)
    return object;
  object = g_new0(AditObject, 1);
  object->key = *key;
  object->all.data = object;
  object->on.data = object;
  object->state = ADIT_CLAIM_PENDING;
  g_hash_table_insert(claims->objects, &object->key, object);
  g_queue_push_tail_link(&claims->all, &object->all);
  if (key->kind == ADIT_OBJECT_NEIGHBOUR)
    adit_looks_add(claims, object);
  return object;
}

/* Owners are called from the loop, and not from within a call of another owner. */
static void tell_soon(AditClaims *claims) {
  if (claims->tells.length)
    adit_claims_wake(claims, 0);
}

static gboolean of_one_party(const AditClaimant *a, const AditClaimant *b) {
  return a->party && b->party && strcmp(a->party, b->party) == 0;
}

static void join_line(AditObject *object, AditClaim *claim) {
  const AditClaim *head = adit_object_winner(object);
  claim->place.data = claim;
  if (head && !adit_object_is_shared(object) && object->key.kind != ADIT_OBJECT_LINK && of_one_party(head->claimant, claim->claimant))
    g_queue_push_head_link(&object->line, &claim->place);
  else
    g_queue_push_tail_link(&object->line, &claim->place);
}

/* The winner or its value has changed: a value that was refused before may be granted. */
static void step_anew(AditClaims *claims, AditObject *object) {
  adit_due_cancel(claims, &object->due, FALSE);
  adit_object_step(claims, object);
}

static void install_first(AditClaims *claims, AditObject *object) {
  const AditClaim *winner = adit_object_winner(object);
  if (winner && (object->known == ADIT_ABSENT || !adit_object_value_equal(&object->have, &winner->value)))
    adit_object_set_state(claims, object, ADIT_CLAIM_PENDING, 0, NULL);
  step_anew(claims, object);
}

AditClaim *adit_claims_add(AditClaims *claims, const AditObjectKey *key, const AditObjectValue *value, const AditClaimant *claimant) {
  AditObject *object = object_get(claims, key);
  AditClaim *claim = g_new0(AditClaim, 1), *before = object->line.head ? object->line.head->data : NULL;

  claim->claims = claims;
  claim->object = object;
  claim->claimant = claimant;
  claim->value = *value;
  claim->since_ms = claims->ops.now(claims->user);
  join_line(object, claim);
  if (adit_object_winner(object) == claim) {
    if (key->kind == ADIT_OBJECT_LINK && object->known == ADIT_ABSENT) { /* its owner has set it up so */
      object->known = ADIT_PRESENT;
      object->have = *value;
    }
    install_first(claims, object);
  }
  claim->told = (guint8)adit_claims_state(claim, NULL);
  if (before && adit_object_winner(object) == claim)
    adit_claim_tell(before); /* at once: it gives up what only one may have */
  tell_soon(claims);
  return claim;
}

void adit_claims_set_value(AditClaim *claim, const AditObjectValue *value) {
  claim->value = *value;
  if (adit_object_winner(claim->object) == claim)
    step_anew(claim->claims, claim->object);
  tell_soon(claim->claims);
}

void adit_claims_set_mtu(AditClaim *claim, guint32 mtu) {
  ADIT_MAIN_ONLY("adit.net claim_set_mtu");
  AditObjectValue value = claim->value;
  value.mtu = mtu;
  if (claim->value.mtu != mtu)
    adit_claims_set_value(claim, &value);
}

void adit_claims_release(AditClaim *claim) {
  ADIT_MAIN_ONLY("adit.net claim_release");
  if (!claim)
    return;
  AditClaims *claims = claim->claims;
  AditObject *object = claim->object;
  gboolean won = adit_object_winner(object) == claim;

  adit_cursors_leave_claim(claims, claim);
  g_queue_unlink(&object->line, &claim->place);
  if (claim->tell.data)
    g_queue_unlink(&claims->tells, &claim->tell);
  g_free(claim);
  if (!won)
    return;
  if (!adit_object_is_shared(object)) {
    object->admitted = FALSE; /* the next one's tunnel may end elsewhere */
    adit_object_mark_line(claims, object);
  }
  install_first(claims, object);
  tell_soon(claims);
}
