/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Changes of other programs to our objects: when they are looked at again, and how many at once. */
#include "core/net/claims/claims-due.h"
#include "core/net/claims/claims-iface.h"
#include "core/net/claims/claims-line.h"
#include "core/net/claims/claims-step.h"
#include "core/net/claims/pins.h"
#include "core/net/net.h"
#include <net/if.h>

static void log_fight(AditClaims *claims, const char *name, const char *who, const AditDue *due) {
  guint kept = 0;
  if (due->fights == ADIT_PAUSE_WARNING)
    adit_warning(NULL, "%s (%s): another program keeps changing it: restored less often from now on", name, who);
  else if (due->fights == 1 && adit_rate_allows(&claims->fight_log, claims->ops.now(claims->user), 10, 1000, &kept))
    adit_notice(NULL, "%s (%s): another program changed it: restored", name, who);
}

static void object_disturbed(AditClaims *claims, AditObject *object) {
  const AditClaim *winner = adit_object_winner(object);
  char name[ADIT_OBJECT_TEXT];
  adit_object_doubt(object);
  if (!winner || !adit_due_disturbed(claims, &object->due, object, FALSE) || object->state != ADIT_CLAIM_INSTALLED)
    return;
  log_fight(claims, adit_object_format(&object->key, &winner->value, name), winner->claimant->who, &object->due);
}

static void iface_disturbed(AditClaims *claims, AditIface *iface, const char *what) {
  AditObjectKey key = adit_object_key_link(iface->ifindex);
  const AditObject *link = adit_object_find(claims, &key);
  char name[64], interface[IF_NAMESIZE] = "?";
  if (!adit_due_disturbed(claims, &iface->due, iface, TRUE) || !link || !adit_object_winner(link))
    return;
  if_indextoname(iface->ifindex, interface);
  g_snprintf(name, sizeof name, "interface %s: %s", interface, what);
  log_fight(claims, name, adit_object_winner(link)->claimant->who, &iface->due);
}

/* Up to `budget` objects of the first interface in line; how many are left of the budget. */
static guint sweep_some(AditClaims *claims, AditIface *iface, guint budget) {
  guint32 ifindex = iface->ifindex;
  while (budget && claims->flight < ADIT_CLAIMS_FLIGHT) {
    if (!iface->cursor && iface->sweep == 1) { /* addresses first: a gateway needs them */
      iface->sweep = 2;
      iface->cursor = iface->routes.head;
    }
    if (!iface->cursor) {
      g_queue_unlink(&claims->sweeps, &iface->sweeping);
      iface->sweep = 0;
      return budget;
    }
    AditObject *object = iface->cursor->data;
    iface->cursor = iface->cursor->next;
    if (object->key.kind != ADIT_OBJECT_LINK) {
      adit_object_doubt(object);
      adit_due_cancel(claims, &object->due, FALSE);
      adit_object_step(claims, object);
      budget--;
      if (adit_iface_find(claims, ifindex) != iface)
        return budget; /* that was the last on it */
    }
  }
  return budget;
}

/* ---- a pass ---- */

static guint run_due_objects(AditClaims *claims, guint64 now, guint budget) {
  for (guint i = 0; i < ADIT_PAUSES; i++)
    while (budget && claims->flight < ADIT_CLAIMS_FLIGHT && claims->due[i].head) {
      AditObject *object = claims->due[i].head->data;
      if (object->due.due_ms > now)
        break;
      adit_due_cancel(claims, &object->due, FALSE);
      adit_object_step(claims, object);
      budget--;
    }
  return budget;
}

static void run_due_ifaces(AditClaims *claims, guint64 now) {
  for (guint i = 0; i < ADIT_PAUSES; i++)
    for (guint n = 0; n < ADIT_CLAIMS_BUDGET && claims->iface_due[i].head; n++) {
      AditIface *iface = claims->iface_due[i].head->data;
      if (iface->due.due_ms > now)
        break;
      adit_due_cancel(claims, &iface->due, TRUE);
      adit_iface_sweep(claims, iface);
    }
}

/* The due ones; how long until the next ones' is, 0 = there are none. */
static guint64 run_looks(AditClaims *claims, guint64 now) {
  guint64 pause = (guint64)claims->pause_ms * ADIT_LOOK_PAUSES;
  if (!claims->looks.length || now < claims->look_ms)
    return claims->looks.length ? claims->look_ms - now : 0;
  claims->look_ms = now + pause;
  for (guint n = MIN(claims->looks.length, ADIT_CLAIMS_BUDGET); n && claims->flight < ADIT_CLAIMS_FLIGHT; n--) {
    AditObject *object = claims->looks.head->data;
    g_queue_unlink(&claims->looks, &object->look);
    g_queue_push_tail_link(&claims->looks, &object->look);
    adit_object_doubt(object);
    if (object->state == ADIT_CLAIM_INSTALLED) /* others have their own time */
      adit_object_step(claims, object);
  }
  return pause;
}

void adit_claims_look_now(AditClaims *claims) {
  claims->look_ms = 0;
  adit_claims_wake(claims, 0);
}

static guint64 next_due(const AditClaims *claims) {
  guint64 next = G_MAXUINT64;
  for (guint i = 0; i < ADIT_PAUSES; i++) {
    if (claims->due[i].head)
      next = MIN(next, ((const AditObject *)claims->due[i].head->data)->due.due_ms);
    if (claims->iface_due[i].head)
      next = MIN(next, ((const AditIface *)claims->iface_due[i].head->data)->due.due_ms);
  }
  return next;
}

void adit_claims_run(AditClaims *claims) {
  guint64 now = claims->ops.now(claims->user);
  guint budget = ADIT_CLAIMS_BUDGET;

  claims->wake_ms = 0;
  adit_claims_tell(claims);
  budget = run_due_objects(claims, now, budget);
  run_due_ifaces(claims, now);
  while (budget && claims->sweeps.head && claims->flight < ADIT_CLAIMS_FLIGHT)
    budget = sweep_some(claims, claims->sweeps.head->data, budget);
  adit_claims_tell(claims);
  guint64 looks = run_looks(claims, now), pins = adit_pins_run(claims->pins, now), next = next_due(claims);
  if (pins)
    adit_claims_wake(claims, pins);
  if (looks)
    adit_claims_wake(claims, looks);
  claims->stalled = claims->flight >= ADIT_CLAIMS_FLIGHT;
  if (claims->stalled)
    return; /* adit_claims_finished() goes on */
  if (claims->sweeps.head || next <= now)
    adit_claims_wake(claims, 0);
  else if (next != G_MAXUINT64)
    adit_claims_wake(claims, next - now);
}

/* ---- events ---- */

/* Another program moved the interface to another master, changed it there, or deleted the bridge. */
static void on_master(AditClaims *claims, const AditKernelEvent *event) {
  AditObjectKey key = adit_object_key_master(event->ifindex);
  AditObject *object = adit_object_find(claims, &key);
  if (!object || (object->known == ADIT_ABSENT && !object->busy))
    return;
  const AditObjectValue *expected = object->busy && object->change == ADIT_CHANGE_ENSURE ? &object->asked : &object->have;
  if (event->master != expected->master || !adit_bridge_port_has(&event->port, &expected->port))
    object_disturbed(claims, object);
}

/* The kernel reports MTUs that we set, too, and one of them may arrive while the next one is on its way. */
static gboolean is_own_mtu(const AditObject *link, guint32 mtu) {
  return link->busy && (mtu == link->asked.mtu || mtu == link->have.mtu);
}

/* A bridge that was missing may be there now. */
static void retry_bridges(AditClaims *claims) {
  guint budget = ADIT_CLAIMS_BUDGET;
  for (guint pause = ADIT_PAUSE_REFUSED; pause < ADIT_PAUSES; pause++)
    for (GList *node = claims->due[pause].head, *next; node && budget--; node = next) {
      AditObject *object = node->data;
      const AditClaim *winner = adit_object_winner(object);
      next = node->next;
      if (object->key.kind != ADIT_OBJECT_MASTER || !winner || !winner->value.bridge[0])
        continue;
      adit_due_cancel(claims, &object->due, FALSE);
      adit_object_retry(claims, object, 0);
    }
}

static void on_link(AditClaims *claims, AditIface *iface, const AditKernelEvent *event) {
  AditObject *link = adit_object_find(claims, &(AditObjectKey){.kind = ADIT_OBJECT_LINK, .where = event->ifindex});
  const AditClaim *wish = link ? adit_object_winner(link) : NULL;

  adit_iface_is_up(claims, iface, event->up);
  on_master(claims, event);
  if (!wish)
    return;
  if (wish->value.up && !event->up)
    iface_disturbed(claims, iface, "set down");
  else if (!wish->value.mtu || wish->value.mtu == event->mtu)
    return;
  else if (!is_own_mtu(link, event->mtu))
    iface_disturbed(claims, iface, "changed");
  adit_object_doubt(link);
}

/* The kernel also reports IPv6 addresses that we removed. With the last address of a family it drops routes without a message. */
static void on_address_gone(AditClaims *claims, AditIface *iface, const AditObjectKey *key) {
  const AditObject *object = adit_object_find(claims, key);
  AditObjectKey link = adit_object_key_link(iface->ifindex);
  gboolean ours =
      object && object->busy && object->change == ADIT_CHANGE_REMOVE; /* and one that is being added may have been taken since */
  gboolean taken = object && (object->known != ADIT_ABSENT || object->busy) && !ours;
  if (taken || (!object && !adit_object_find(claims, &link)))
    iface_disturbed(claims, iface, "address removed");
}

static void sweep_gone(AditClaims *claims, AditIface *iface) {
  iface->down = FALSE;
  adit_iface_sweep(claims, iface);
  adit_claims_wake(claims, 0);
}

static void on_link_gone(AditClaims *claims, AditIface *iface, gboolean moved) {
  AditObject *link = adit_object_find(claims, &(AditObjectKey){.kind = ADIT_OBJECT_LINK, .where = iface->ifindex});
  iface->gone = TRUE;
  iface->moved = moved;
  if (link)
    adit_object_step(claims, link); /* the owner of the interface gives up the rest */
  else
    sweep_gone(claims, iface);
}

static void on_route(AditClaims *claims, const AditKernelEvent *event) {
  AditObject *object = adit_object_find(claims, &event->key);
  gboolean ours = event->protocol == ADIT_NET_PROTOCOL && object && object->have.ifindex == event->ifindex;
  if (!object || (event->kind == ADIT_KERNEL_ROUTE_NEW && ours))
    return;
  if (object->known != ADIT_ABSENT || object->busy || object->state == ADIT_CLAIM_BLOCKED)
    object_disturbed(claims, object);
}

static void on_overrun(AditClaims *claims) {
  GHashTableIter iter;
  gpointer iface;
  g_hash_table_iter_init(&iter, claims->ifaces);
  while (g_hash_table_iter_next(&iter, NULL, &iface))
    iface_disturbed(claims, iface, "looked at again after an overrun");
  adit_pins_changed(claims->pins);
}

void adit_claims_event(AditClaims *claims, const AditKernelEvent *event) {
  AditIface *iface = event->ifindex ? adit_iface_find(claims, event->ifindex) : NULL;

  switch (event->kind) {
  case ADIT_KERNEL_LINK:
    if (iface && !iface->gone)
      on_link(claims, iface, event);
    break;
  case ADIT_KERNEL_LINK_DIPPED:
    if (iface && !iface->gone)
      iface_disturbed(claims, iface, "set down");
    break;
  case ADIT_KERNEL_LINK_GONE:
    if (iface && !iface->gone)
      on_link_gone(claims, iface, event->moved);
    break;
  case ADIT_KERNEL_ADDRESS_GONE:
    if (iface && !iface->gone)
      on_address_gone(claims, iface, &event->key);
    break;
  case ADIT_KERNEL_ROUTE_NEW:
  case ADIT_KERNEL_ROUTE_GONE:
    on_route(claims, event);
    break;
  case ADIT_KERNEL_CHANGED:
    adit_pins_changed(claims->pins);
    retry_bridges(claims);
    break;
  case ADIT_KERNEL_OVERRUN:
    on_overrun(claims);
    break;
  }
  if (claims->tells.length)
    adit_claims_wake(claims, 0);
}
