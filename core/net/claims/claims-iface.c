/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/net/claims/claims-iface.h"
#include "core/net/claims/claims-due.h"

/* ---- interfaces ---- */

AditIface *adit_iface_find(const AditClaims *claims, guint32 ifindex) {
  return g_hash_table_lookup(claims->ifaces, GUINT_TO_POINTER(ifindex));
}

gboolean adit_iface_is_gone(const AditClaims *claims, guint32 ifindex) {
  const AditIface *iface = ifindex ? adit_iface_find(claims, ifindex) : NULL;
  return iface && iface->gone;
}

static void set_use(AditClaims *claims, const AditIface *iface, AditIfaceUse use) {
  if (claims->ops.watch)
    claims->ops.watch(claims->user, iface->ifindex, use);
}

static AditIface *iface_get(AditClaims *claims, guint32 ifindex) {
  AditIface *iface = adit_iface_find(claims, ifindex);
  if (iface)
    return iface;
  iface = g_new0(AditIface, 1);
  iface->ifindex = ifindex;
  g_hash_table_insert(claims->ifaces, GUINT_TO_POINTER(ifindex), iface);
  set_use(claims, iface, ADIT_IFACE_USED);
  return iface;
}

static GQueue *queue_of(AditIface *iface, const AditObject *object) {
  return object->key.kind == ADIT_OBJECT_ROUTE ? &iface->routes : &iface->others;
}

void adit_iface_join(AditClaims *claims, AditObject *object, guint32 ifindex) {
  if ((object->iface ? object->iface->ifindex : 0) == ifindex)
    return;
  adit_iface_leave(claims, object);
  if (!ifindex)
    return;
  object->iface = iface_get(claims, ifindex);
  g_queue_push_head_link(queue_of(object->iface, object), &object->on); /* before the cursor of a sweep: it is new */
  if (object->key.kind == ADIT_OBJECT_LINK)
    set_use(claims, object->iface, ADIT_IFACE_OWN);
}

static void iface_free(AditClaims *claims, AditIface *iface) {
  if (iface->sweep)
    g_queue_unlink(&claims->sweeps, &iface->sweeping);
  adit_due_cancel(claims, &iface->due, TRUE);
  g_hash_table_remove(claims->ifaces, GUINT_TO_POINTER(iface->ifindex));
  set_use(claims, iface, ADIT_IFACE_UNUSED);
  g_free(iface);
}

void adit_iface_leave(AditClaims *claims, AditObject *object) {
  AditIface *iface = g_steal_pointer(&object->iface);
  if (!iface)
    return;
  if (iface->cursor == &object->on)
    iface->cursor = object->on.next;
  g_queue_unlink(queue_of(iface, object), &object->on);
  iface->n_ipv4 -= object->counted;
  object->counted = FALSE;
  if (!iface->others.length && !iface->routes.length)
    iface_free(claims, iface);
  else if (object->key.kind == ADIT_OBJECT_LINK)
    set_use(claims, iface, ADIT_IFACE_USED);
}
