/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Makes the kernel's objects as their lines say: one change of an object after the other. */
#include "core/net/claims/claims-step.h"
#include "core/net/claims/claims-due.h"
#include "core/net/claims/claims-iface.h"
#include "core/net/claims/claims-line.h"
#include "core/net/claims/claims-show.h"
#include <errno.h>

void adit_object_free(AditClaims *claims, AditObject *object) {
  adit_cursors_leave_object(claims, object);
  adit_looks_remove(claims, object);
  claims->gate->forget(claims, object);
  adit_due_cancel(claims, &object->due, FALSE);
  adit_iface_leave(claims, object);
  g_hash_table_remove(claims->objects, &object->key);
  g_queue_unlink(&claims->all, &object->all);
  g_free(object->why);
  g_free(object);
}

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
    object->asked = *value;
  if (value && value->bridge[0])
    object->asked.master = claims->ops.index ? claims->ops.index(claims->user, value->bridge) : 0;
  if (value)
    change.value = object->asked;
  object->change = kind;
  object->busy = TRUE;
  object->disturbed = FALSE;
  claims->flight++;
  claims->ops.start(claims->user, &change, object);
}

/* A property of an interface, and not a thing on it: an ENSURE overwrites it, and it stays while the interface is down. */
static gboolean is_property(const AditObject *object) {
  return object->key.kind == ADIT_OBJECT_LINK || object->key.kind == ADIT_OBJECT_MASTER;
}

static void set_absent(AditObject *object) {
  object->known = ADIT_ABSENT;
  object->have = (AditObjectValue){0};
}

/* No claim wants an object that may be in the kernel. An interface is as its owner left it, and what was on one that is gone went with it.
 */
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
  if (state == ADIT_CLAIM_PENDING && adit_object_value_equal(&object->have, &adit_object_winner(object)->value))
    adit_object_doubt(object);
  else
    leave_have(claims, object);
  if (object->leaves)
    start_change(claims, object, ADIT_CHANGE_REMOVE, NULL);
}

static void step_unclaimed(AditClaims *claims, AditObject *object) {
  claims->gate->forget(claims, object);
  adit_due_cancel(claims, &object->due, FALSE);
  adit_object_set_state(claims, object, ADIT_CLAIM_PENDING, 0, NULL);
  leave_have(claims, object);
  if (object->leaves)
    start_change(claims, object, ADIT_CHANGE_REMOVE, NULL);
  else
    adit_object_free(claims, object);
}

static void step_admitted(AditClaims *claims, AditObject *object, const AditObjectValue *wanted) {
  gboolean same = adit_object_value_equal(&object->have, wanted);
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
  else if (claims->gate->admit(claims, object))
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
  if (error == ENETDOWN && object->iface && !object->iface->gone) { /* another program has just set it down */
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
    if (!adit_object_value_equal(&object->have, &object->asked))
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

/* ---- interfaces with all objects to check ---- */

void adit_iface_sweep(AditClaims *claims, AditIface *iface) {
  AditObjectKey key = adit_object_key_link(iface->ifindex);
  AditObject *link = adit_object_find(claims, &key);
  if (link && link->known == ADIT_DOUBTFUL)
    adit_object_step(claims, link); /* first: nothing can be on one that is down */
  if (iface->down)
    return; /* adit_iface_is_up() comes here again */
  if (!iface->sweep) {
    iface->sweeping.data = iface;
    g_queue_push_tail_link(&claims->sweeps, &iface->sweeping);
  }
  iface->sweep = 1;
  iface->cursor = iface->others.head;
}

void adit_iface_lost_ipv4(AditClaims *claims, guint32 ifindex) {
  AditIface *iface = adit_iface_find(claims, ifindex);
  if (!iface || iface->gone || !iface->routes.length)
    return;
  adit_iface_sweep(claims, iface);
  adit_claims_wake(claims, 0);
}

void adit_iface_is_up(AditClaims *claims, AditIface *iface, gboolean up) {
  gboolean was_down = iface->down;
  iface->down = !up;
  if (up && was_down) {
    adit_due_cancel(claims, &iface->due, TRUE);
    adit_iface_sweep(claims, iface);
    adit_claims_wake(claims, 0);
  }
}

/* ---- results ---- */

/* A failure is tried again in its own time, and not because it is not there. */
static gboolean is_paused(const AditObject *object, AditChangeResult result) {
  const AditClaim *winner = adit_object_winner(object);
  if (object->change == ADIT_CHANGE_REMOVE && result != ADIT_RESULT_DONE)
    return TRUE;
  return winner && !object->leaves && object->due.node.data && object->state != ADIT_CLAIM_INSTALLED &&
         adit_object_value_equal(&winner->value, &object->asked);
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
