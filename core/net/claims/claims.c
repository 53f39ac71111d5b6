/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Objects of the kernel and the lines of those who claim them. */
#include "core/base/misuse.h"
#include "core/net/claims/claims-table.h"
#include "core/net/claims/pins.h"
#include <adit/log.h>
#include <errno.h>

static guint key_hash(gconstpointer data) {
  const guint32 *word = data;
  guint32 hash = 2166136261u;
  G_STATIC_ASSERT(sizeof(AditObjectKey) % 4 == 0);
  for (gsize i = 0; i < sizeof(AditObjectKey) / 4; i++) {
    hash = (hash ^ word[i]) * 16777619u;
    hash ^= hash >> 15;
  }
  return hash;
}

static gboolean key_equal(gconstpointer a, gconstpointer b) {
  return memcmp(a, b, sizeof(AditObjectKey)) == 0;
}

static gboolean value_equal(const AditObjectValue *a, const AditObjectValue *b) {
  return adit_address_equal(&a->via, &b->via) && a->ifindex == b->ifindex && a->mtu == b->mtu && a->master == b->master && a->up == b->up;
}

AditClaims *adit_claims_new(const AditClaimsOps *ops, gpointer user) {
  AditClaims *claims = g_new0(AditClaims, 1);
  claims->ops = *ops;
  claims->user = user;
  claims->objects = g_hash_table_new(key_hash, key_equal);
  claims->ifaces = g_hash_table_new(NULL, NULL);
  claims->pause_ms = ADIT_PAUSE_MS;
  claims->pins = adit_pins_new(claims);
  return claims;
}

void adit_claims_set_pause(AditClaims *claims, guint ms) {
  claims->pause_ms = ms;
}

static void object_free(AditClaims *claims, AditObject *object) {
  adit_cursors_leave_object(claims, object);
  adit_looks_remove(claims, object);
  adit_pins_forget(claims, object);
  adit_due_cancel(claims, &object->due, FALSE);
  adit_iface_leave(claims, object);
  g_hash_table_remove(claims->objects, &object->key);
  g_queue_unlink(&claims->all, &object->all);
  g_free(object->why);
  g_free(object);
}

void adit_claims_free(AditClaims *claims) {
  adit_pins_let_go(claims->pins);
  while (claims->all.head) {
    AditObject *object = claims->all.head->data;
    while (object->line.head)
      g_free(g_queue_pop_head_link(&object->line)->data);
    object_free(claims, object);
  }
  adit_pins_free(claims->pins);
  g_hash_table_unref(claims->ifaces);
  g_hash_table_unref(claims->objects);
  g_free(claims);
}

AditObject *adit_object_find(const AditClaims *claims, const AditObjectKey *key) {
  return g_hash_table_lookup(claims->objects, key);
}

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

const AditClaim *adit_object_winner(const AditObject *object) {
  return object->line.head ? object->line.head->data : NULL;
}

gboolean adit_object_is_shared(const AditObject *object) {
  return object->key.kind == ADIT_OBJECT_ADDRESS || object->key.kind == ADIT_OBJECT_NEIGHBOUR;
}

guint adit_claims_count(const AditClaims *claims) {
  return claims->all.length;
}

/* ---- states, and those who are told of them ---- */

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

static void tell_one(AditClaim *claim) {
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
    tell_one(claim);
  }
  claims->telling = FALSE;
}

/* Owners are called from the loop, and not from within a call of another owner. */
static void tell_soon(AditClaims *claims) {
  if (claims->tells.length)
    adit_claims_wake(claims, 0);
}

static void mark_line(AditClaims *claims, AditObject *object) {
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
  mark_line(claims, object);
}

/* ---- one change after the other ---- */

static void count_ipv4(AditObject *object, gboolean there) {
  if (object->key.kind != ADIT_OBJECT_ADDRESS || object->key.family != AF_INET || !object->iface || object->counted == there)
    return;
  object->counted = there;
  object->iface->n_ipv4 += there ? 1 : -1u;
}

static void start_change(AditClaims *claims, AditObject *object, AditChangeKind kind, const AditObjectValue *value) {
  gboolean counted = object->counted;
  count_ipv4(object, kind != ADIT_CHANGE_REMOVE);
  object->last = counted && kind == ADIT_CHANGE_REMOVE && !object->iface->n_ipv4;
  AditChange change = {.kind = kind, .key = object->key, .old = object->have, .had = object->known != ADIT_ABSENT};
  if (kind == ADIT_CHANGE_REMOVE)
    change.old = object->left;
  if (value)
    change.value = object->asked = *value;
  object->change = kind;
  object->busy = TRUE;
  object->disturbed = FALSE;
  claims->flight++;
  claims->ops.start(claims->user, &change, object);
}

void adit_object_doubt(AditObject *object) {
  object->disturbed |= object->busy;
  if (object->known == ADIT_PRESENT)
    object->known = ADIT_DOUBTFUL;
}

/* A property of an interface, and not a thing on it: an ENSURE overwrites it, and it stays while the interface is down. */
static gboolean is_property(const AditObject *object) {
  return object->key.kind == ADIT_OBJECT_LINK || object->key.kind == ADIT_OBJECT_MASTER;
}

static void set_absent(AditObject *object) {
  object->known = ADIT_ABSENT;
  object->have = (AditObjectValue){0};
}

/* Nobody wants what may be there. An interface is as its owner left it, and what was on one that is gone went with it. */
static void leave_have(AditClaims *claims, AditObject *object) {
  if (object->known != ADIT_ABSENT && object->key.kind != ADIT_OBJECT_LINK && !adit_iface_is_gone(claims, object->have.ifindex)) {
    object->left = object->have;
    object->leaves = TRUE;
  }
  set_absent(object);
}

/* The winner cannot have its way for now: what may be there of another one goes. */
static void step_hindered(AditClaims *claims, AditObject *object, AditClaimState state, int error, const char *why) {
  adit_object_set_state(claims, object, state, error, why);
  if (state == ADIT_CLAIM_PENDING && value_equal(&object->have, &adit_object_winner(object)->value))
    adit_object_doubt(object);
  else
    leave_have(claims, object);
  if (object->leaves)
    start_change(claims, object, ADIT_CHANGE_REMOVE, NULL);
}

static void step_unclaimed(AditClaims *claims, AditObject *object) {
  adit_pins_forget(claims, object);
  adit_due_cancel(claims, &object->due, FALSE);
  adit_object_set_state(claims, object, ADIT_CLAIM_PENDING, 0, NULL);
  leave_have(claims, object);
  if (object->leaves)
    start_change(claims, object, ADIT_CHANGE_REMOVE, NULL);
  else
    object_free(claims, object);
}

static void step_admitted(AditClaims *claims, AditObject *object, const AditObjectValue *wanted) {
  gboolean same = value_equal(&object->have, wanted);
  if (object->known == ADIT_PRESENT && same) {
    adit_object_set_state(claims, object, ADIT_CLAIM_INSTALLED, 0, NULL);
  } else if (object->iface && object->iface->down && !is_property(object)) { /* the sweep after it came up has it installed */
    step_hindered(claims, object, ADIT_CLAIM_PENDING, 0, "the interface is down");
  } else if (object->known == ADIT_PRESENT && object->key.kind == ADIT_OBJECT_ROUTE) {
    start_change(claims, object, ADIT_CHANGE_REPLACE, wanted);
  } else if (object->known == ADIT_DOUBTFUL && !same && !is_property(object)) {
    leave_have(claims, object);
    adit_object_step(claims, object);
  } else {
    start_change(claims, object, ADIT_CHANGE_ENSURE, wanted);
  }
}

void adit_object_step(AditClaims *claims, AditObject *object) {
  const AditClaim *winner = adit_object_winner(object);

  if (object->busy)
    return;
  if (object->leaves) {
    start_change(claims, object, ADIT_CHANGE_REMOVE, NULL);
    return;
  }
  if (!winner) {
    step_unclaimed(claims, object);
    return;
  }
  adit_iface_join(claims, object, winner->value.ifindex);
  if (object->iface && object->iface->gone)
    step_hindered(claims, object, object->key.kind == ADIT_OBJECT_LINK ? ADIT_CLAIM_LOST : ADIT_CLAIM_REFUSED, ENODEV,
                  object->iface->moved ? "the interface was moved to another network namespace" : "the interface was deleted");
  else if (adit_pins_admit(claims, object))
    step_admitted(claims, object, &winner->value);
  else if (object->state == ADIT_CLAIM_REFUSED)
    step_hindered(claims, object, ADIT_CLAIM_REFUSED, object->error, object->why);
}

static void log_foreign(AditClaims *claims, const AditObject *object, const char *text) {
  char name[ADIT_OBJECT_TEXT];
  guint kept = 0;
  if (!object->line.head || !adit_rate_allows(&claims->foreign_log, claims->ops.now(claims->user), 20, 1000, &kept))
    return;
  adit_warning(NULL, "%s: %s waits: %s exists already; it is installed when that is removed", adit_object_winner(object)->claimant->who,
               adit_object_format(&object->key, NULL, name), text);
}

static void finish_failed(AditClaims *claims, AditObject *object, int error, const char *text, guint pause) {
  if (error == ENETDOWN && object->iface && !object->iface->gone) { /* somebody has just set it down */
    adit_object_set_state(claims, object, ADIT_CLAIM_PENDING, 0, "the interface is down");
    adit_object_retry(claims, object, 1);
    return;
  }
  adit_object_set_state(claims, object, ADIT_CLAIM_REFUSED, error, *text ? text : g_strerror(error));
  adit_object_retry(claims, object, pause);
}

static void finish_install(AditClaims *claims, AditObject *object, AditChangeResult result, int error, const char *text) {
  switch (result) {
  case ADIT_RESULT_DONE:
    object->have = object->asked;
    object->known = object->disturbed ? ADIT_DOUBTFUL : ADIT_PRESENT;
    adit_object_set_state(claims, object, ADIT_CLAIM_INSTALLED, 0, NULL);
    if (object->key.kind == ADIT_OBJECT_LINK && object->iface)
      adit_iface_is_up(claims, object->iface, object->have.up);
    break;
  case ADIT_RESULT_FOREIGN:
    set_absent(object);
    if (object->state != ADIT_CLAIM_BLOCKED)
      log_foreign(claims, object, text);
    adit_object_set_state(claims, object, ADIT_CLAIM_BLOCKED, EEXIST, text);
    adit_object_retry(claims, object, ADIT_PAUSE_REFUSED);
    break;
  case ADIT_RESULT_FAILED:
    if (object->change == ADIT_CHANGE_REPLACE)
      set_absent(object);
    else
      leave_have(claims, object);
    finish_failed(claims, object, error, text, ADIT_PAUSE_REFUSED);
    break;
  case ADIT_RESULT_LOST:
    if (!value_equal(&object->have, &object->asked))
      leave_have(claims, object);
    object->have = object->asked;
    object->known = ADIT_DOUBTFUL;
    finish_failed(claims, object, error, text, ADIT_PAUSE_LOST);
    break;
  }
  if (object->known == ADIT_ABSENT && !object->leaves)
    count_ipv4(object, FALSE);
}

static void finish_remove(AditClaims *claims, AditObject *object, AditChangeResult result, int error, const char *text) {
  object->leaves = result != ADIT_RESULT_DONE;
  if (object->leaves)
    finish_failed(claims, object, error, text, result == ADIT_RESULT_LOST ? ADIT_PAUSE_LOST : ADIT_PAUSE_REFUSED);
  else
    object->left = (AditObjectValue){0};
}

/* A failure is tried again in its own time, and not because it is not there. */
static gboolean is_paused(const AditObject *object, AditChangeResult result) {
  const AditClaim *winner = adit_object_winner(object);
  if (object->change == ADIT_CHANGE_REMOVE && result != ADIT_RESULT_DONE)
    return TRUE;
  return winner && !object->leaves && object->due.node.data && object->state != ADIT_CLAIM_INSTALLED &&
         value_equal(&winner->value, &object->asked);
}

void adit_claims_finished(AditClaims *claims, AditObject *object, AditChangeResult result, int error, const char *text) {
  guint32 flushed = object->last ? object->key.where : 0;
  object->busy = FALSE;
  claims->flight--;
  if (object->change == ADIT_CHANGE_REMOVE)
    finish_remove(claims, object, result, error, text ? text : "");
  else
    finish_install(claims, object, result, error, text ? text : "");
  if (!is_paused(object, result))
    adit_object_step(claims, object); /* may free it */
  if (flushed)
    adit_iface_lost_ipv4(claims, flushed);
  adit_claims_tell(claims);
  if (claims->stalled && claims->flight < ADIT_CLAIMS_FLIGHT / 2)
    adit_claims_wake(claims, 0);
}

/* ---- claims ---- */

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

/* Somebody else wins, or wants something else: what was refused before may be granted. */
static void step_anew(AditClaims *claims, AditObject *object) {
  adit_due_cancel(claims, &object->due, FALSE);
  adit_object_step(claims, object);
}

static void install_first(AditClaims *claims, AditObject *object) {
  const AditClaim *winner = adit_object_winner(object);
  if (winner && (object->known == ADIT_ABSENT || !value_equal(&object->have, &winner->value)))
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
    tell_one(before); /* at once: it gives up what only one may have */
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
    mark_line(claims, object);
  }
  install_first(claims, object);
  tell_soon(claims);
}
