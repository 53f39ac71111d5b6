/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/net/claims/claims-due.h"

void adit_claims_wake(AditClaims *claims, guint64 delay_ms) {
  guint64 when = claims->ops.now(claims->user) + delay_ms;
  if (claims->wake_ms && claims->wake_ms <= when)
    return;
  claims->wake_ms = when;
  claims->ops.wake(claims->user, delay_ms);
}

/* ---- pauses ---- */

void adit_due_cancel(AditClaims *claims, AditDue *due, gboolean iface) {
  if (!due->node.data)
    return;
  g_queue_unlink(iface ? &claims->iface_due[due->pause] : &claims->due[due->pause], &due->node);
  due->node.data = NULL;
}

static void due_push(AditClaims *claims, AditDue *due, gpointer what, gboolean iface, guint pause) {
  adit_due_cancel(claims, due, iface);
  due->pause = (guint8)pause;
  due->due_ms = claims->ops.now(claims->user) + ((guint64)claims->pause_ms << pause);
  due->node.data = what;
  g_queue_push_tail_link(iface ? &claims->iface_due[pause] : &claims->due[pause], &due->node);
  adit_claims_wake(claims, (guint64)claims->pause_ms << pause);
}

void adit_object_retry(AditClaims *claims, AditObject *object, guint pause) {
  if (!object->due.node.data || object->due.pause < pause)
    due_push(claims, &object->due, object, FALSE, pause);
}

gboolean adit_due_disturbed(AditClaims *claims, AditDue *due, gpointer what, gboolean iface) {
  guint64 now = claims->ops.now(claims->user);
  if (due->fights && now - due->last_ms > (guint64)claims->pause_ms * ADIT_PAUSE_FORGET)
    due->fights = 0;
  guint pause = MIN(due->fights, ADIT_PAUSE_MOST);
  if (due->node.data && due->pause <= pause)
    return FALSE;
  due->last_ms = now;
  due->fights += due->fights < ADIT_PAUSES - 1;
  due_push(claims, due, what, iface, pause);
  return TRUE;
}

void adit_looks_add(AditClaims *claims, AditObject *object) {
  object->look.data = object;
  g_queue_push_tail_link(&claims->looks, &object->look);
  adit_claims_wake(claims, (guint64)claims->pause_ms * ADIT_LOOK_PAUSES);
}

void adit_looks_remove(AditClaims *claims, AditObject *object) {
  if (object->look.data)
    g_queue_unlink(&claims->looks, &object->look);
}
