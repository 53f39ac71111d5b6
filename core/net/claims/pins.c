/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* No tunnel is routed into itself: where a claimed route covers a tunnel's end, a host route keeps the way to that end as it was
 * before; or the claim is refused. */
#include "core/net/claims/pins.h"
#include "core/net/claims/claims-due.h"
#include "core/net/claims/claims-line.h"
#include "core/net/claims/claims-step.h"
#include <errno.h>
#include <linux/rtnetlink.h>

enum {
  LOOPBACK = 1,       /* the interface by which our own addresses are reached */
  MOST_PINS = 4096,   /* a route that needs more is refused */
  REFRESH_MS = 100,   /* after a change of the ways, */
  REFRESH_GAP = 1000, /* and between two */
};

typedef enum {
  GUARD_FREE,      /* no claim covers it */
  GUARD_RESOLVING, /* the way to it was asked for */
  GUARD_PINNING,   /* the host route is on its way */
  GUARD_PINNED,
  GUARD_INSIDE, /* the way to it is one of our interfaces: a tunnel in a tunnel */
  GUARD_LOCAL,  /* an address of this machine */
  GUARD_NO_WAY,
} GuardState;

typedef struct {
  AditAddress address; /* the key */
  guint users;
  GSequenceIter *at;
  GuardState state;
  guint32 ifindex; /* INSIDE */
  AditClaim *pin;
  AditClaimant claimant;
  char who[ADIT_ADDRESS_TEXT + 16];
  AditPins *pins;
} Guard;

typedef struct {
  guint8 family, length, octet[18];
} CoverKey;

struct AditPins {
  AditClaims *claims;
  GHashTable *guards; /* AditAddress -> Guard */
  GSequence *order;   /* of Guard, by address */
  GHashTable *covers; /* CoverKey -> how many claimed objects */
  guint lengths[2][129];
  GQueue waiting; /* of AditObject, by `admission` */
  guint open;     /* guards that resolve or are being pinned */
  guint pinned, refreshing;
  gboolean changed;
  guint64 next_ms;
};

/* ---- prefixes that claims cover ---- */

static guint cover_hash(gconstpointer data) {
  const guint8 *octet = data;
  guint hash = 0;
  for (gsize i = 0; i < sizeof(CoverKey); i++)
    hash = hash * 31 + octet[i];
  return hash;
}

static gboolean cover_equal(gconstpointer a, gconstpointer b) {
  return memcmp(a, b, sizeof(CoverKey)) == 0;
}

static CoverKey cover_key(const AditAddress *address, guint length) {
  CoverKey key = {.family = address->family, .length = (guint8)length};
  memcpy(key.octet, address->octet, (length + 7) / 8);
  if (length % 8)
    key.octet[length / 8] &= (guint8)(0xff << (8 - length % 8));
  return key;
}

static void cover_count(AditPins *pins, const AditPrefix *prefix, gboolean add) {
  CoverKey key = cover_key(&prefix->address, prefix->length);
  guint count = GPOINTER_TO_UINT(g_hash_table_lookup(pins->covers, &key));
  pins->lengths[prefix->address.family == AF_INET6][prefix->length] += add ? 1 : -1u;
  if (!add && count <= 1)
    g_hash_table_remove(pins->covers, &key);
  else
    g_hash_table_insert(pins->covers, g_memdup2(&key, sizeof key), GUINT_TO_POINTER(add ? count + 1 : count - 1));
}

static gboolean is_covered(const AditPins *pins, const AditAddress *address) {
  for (guint length = 0; length <= adit_address_size(address) * 8; length++) {
    CoverKey key;
    if (!pins->lengths[address->family == AF_INET6][length])
      continue;
    key = cover_key(address, length);
    if (g_hash_table_contains(pins->covers, &key))
      return TRUE;
  }
  return FALSE;
}

/* The destinations that the object routes to its interface; FALSE if none. */
static gboolean object_prefix(const AditObject *object, AditPrefix *out) {
  AditNetAddress address;
  switch ((AditObjectKind)object->key.kind) {
  case ADIT_OBJECT_LINK:
  case ADIT_OBJECT_MASTER:
  case ADIT_OBJECT_NEIGHBOUR:
    return FALSE;
  case ADIT_OBJECT_ADDRESS:
    address = adit_object_address(&object->key);
    *out = address.local;
    if (adit_address_is_set(&address.peer))
      *out = (AditPrefix){address.peer, (guint8)(adit_address_size(&address.peer) * 8)};
    return TRUE;
  case ADIT_OBJECT_ROUTE:
    *out = adit_object_route(&object->key, &(AditObjectValue){0}).to;
    return object->key.where == RT_TABLE_MAIN;
  }
  return FALSE;
}

/* ---- guards ---- */

static int order_addresses(const AditAddress *a, const AditAddress *b) {
  return a->family != b->family ? (int)a->family - (int)b->family : memcmp(a->octet, b->octet, sizeof a->octet);
}

static gint compare_guards(gconstpointer a, gconstpointer b, gpointer data) {
  return order_addresses(&((const Guard *)a)->address, &((const Guard *)b)->address);
}

/* The first guard that the prefix holds, or any behind it. */
static GSequenceIter *first_in(const AditPins *pins, const AditPrefix *prefix) {
  CoverKey key = cover_key(&prefix->address, prefix->length);
  Guard lowest = {.address = {.family = key.family}};
  memcpy(lowest.address.octet, key.octet, 16);
  GSequenceIter *at = g_sequence_search(pins->order, &lowest, compare_guards, NULL); /* behind equal ones */
  GSequenceIter *before = g_sequence_iter_prev(at);
  return before != at && compare_guards(g_sequence_get(before), &lowest, NULL) == 0 ? before : at;
}

static Guard *guard_in(GSequenceIter *at, const AditPrefix *prefix) {
  Guard *guard = g_sequence_iter_is_end(at) ? NULL : g_sequence_get(at);
  return guard && adit_prefix_contains(prefix, &guard->address) ? guard : NULL;
}

static Guard *guard_find(const AditPins *pins, const AditAddress *address) {
  return g_hash_table_lookup(pins->guards, address);
}

static void step_waiting(AditPins *pins) {
  GList *node;
  if (pins->open)
    return;
  for (guint n = pins->waiting.length; n && (node = g_queue_pop_head_link(&pins->waiting)); n--) {
    AditObject *object = node->data;
    node->data = NULL;
    adit_object_step(pins->claims, object);
  }
}

static void guard_settle(Guard *guard, GuardState state) {
  AditPins *pins = guard->pins;
  gboolean was_open = guard->state == GUARD_RESOLVING || guard->state == GUARD_PINNING;
  gboolean is_open = state == GUARD_RESOLVING || state == GUARD_PINNING;
  guard->state = state;
  pins->open += is_open && !was_open ? 1 : !is_open && was_open ? -1u : 0;
}

static void on_pin(AditClaim *claim, AditClaimState state, int error, const char *why, gpointer user) {
  Guard *guard = user;
  AditPins *pins = guard->pins;
  if (guard->state != GUARD_PINNING || state == ADIT_CLAIM_PENDING)
    return;
  if (state == ADIT_CLAIM_REFUSED)
    adit_warning(NULL, "%s: the route to it cannot be pinned: %s", guard->who, why ? why : "refused");
  /* A host route of the administrator is the pin, if there is one. */
  guard_settle(guard, state == ADIT_CLAIM_REFUSED ? GUARD_NO_WAY : GUARD_PINNED);
  step_waiting(pins);
}

static gboolean is_pin(const AditObject *object) {
  return adit_object_winner(object)->claimant->changed == on_pin;
}

static void remove_pin(Guard *guard) {
  AditClaim *pin = g_steal_pointer(&guard->pin);
  guard_settle(guard, GUARD_FREE);
  if (pin) {
    guard->pins->pinned--;
    adit_claims_release(pin);
  }
}

static AditObjectValue pin_value(int error, const AditNetRoute *route) {
  return error ? (AditObjectValue){0} : (AditObjectValue){.via = route->via, .ifindex = route->ifindex};
}

static void set_pin(Guard *guard, const AditNetRoute *way) {
  AditPins *pins = guard->pins;
  AditNetRoute route = {.to = {guard->address, (guint8)(adit_address_size(&guard->address) * 8)}};
  AditObjectKey key = adit_object_key_route(&route);
  AditObjectValue value = pin_value(0, way);
  guard_settle(guard, GUARD_PINNING);
  pins->pinned++;
  guard->pin = adit_claims_add(pins->claims, &key, &value, &guard->claimant);
}

static void resolve_way(Guard *guard) {
  guard_settle(guard, GUARD_RESOLVING);
  guard->pins->claims->ops.resolve(guard->pins->claims->user, &guard->address);
}

static gboolean is_ours(const AditClaims *claims, guint32 ifindex) {
  AditObjectKey key = adit_object_key_link(ifindex);
  return adit_object_find(claims, &key) != NULL;
}

void adit_claims_resolved(AditClaims *claims, const AditAddress *to, int error, const AditNetRoute *route) {
  AditPins *pins = claims->pins;
  Guard *guard = guard_find(pins, to);

  if (!guard || guard->state != GUARD_RESOLVING)
    return; /* its tunnel has ended meanwhile */
  if (error || !route || !route->ifindex) {
    guard_settle(guard, GUARD_NO_WAY);
  } else if (route->ifindex == LOOPBACK) {
    guard_settle(guard, GUARD_LOCAL);
  } else if (is_ours(claims, route->ifindex)) {
    guard->ifindex = route->ifindex;
    guard_settle(guard, GUARD_INSIDE);
  } else {
    set_pin(guard, route);
  }
  step_waiting(pins);
  adit_claims_tell(claims);
}

void adit_claims_guard(AditClaims *claims, const AditAddress *address) {
  AditPins *pins = claims->pins;
  char text[ADIT_ADDRESS_TEXT];
  if (!adit_address_is_set(address))
    return;
  Guard *guard = guard_find(pins, address);
  if (!guard) {
    guard = g_new0(Guard, 1);
    guard->address = *address;
    guard->pins = pins;
    g_snprintf(guard->who, sizeof guard->who, "tunnel to %s", adit_address_format(address, text));
    guard->claimant = (AditClaimant){.size = sizeof(AditClaimant), .who = guard->who, .changed = on_pin, .user = guard};
    g_hash_table_insert(pins->guards, &guard->address, guard);
    guard->at = g_sequence_insert_sorted(pins->order, guard, compare_guards, NULL);
    if (is_covered(pins, address))
      resolve_way(guard);
  }
  guard->users++;
}

void adit_claims_unguard(AditClaims *claims, const AditAddress *address) {
  Guard *guard = guard_find(claims->pins, address);
  if (!guard || --guard->users)
    return;
  remove_pin(guard);
  g_sequence_remove(guard->at);
  g_hash_table_remove(claims->pins->guards, address);
  step_waiting(claims->pins);
}

/* ---- admission ---- */

static gboolean refuse_object(AditClaims *claims, AditObject *object, const Guard *guard, const char *because) {
  char address[ADIT_ADDRESS_TEXT];
  g_autofree char *why = g_strdup_printf("%s is the outer address of a tunnel%s", adit_address_format(&guard->address, address), because);
  adit_object_set_state(claims, object, ADIT_CLAIM_REFUSED, ELOOP, why);
  adit_object_retry(claims, object, ADIT_PAUSE_REFUSED);
  return FALSE;
}

/* NULL, or why this guard keeps the object out. */
static const char *find_objection(const AditObject *object, const Guard *guard) {
  const AditClaim *winner = adit_object_winner(object);
  gboolean own = adit_address_equal(&winner->claimant->endpoint, &guard->address);
  if (guard->state == GUARD_NO_WAY && own)
    return ", and there is no way to it beside this one";
  if (guard->state == GUARD_INSIDE && own && guard->ifindex == winner->value.ifindex)
    return ", and the way to it leads into that tunnel already";
  return NULL;
}

static gboolean admit_wide(AditPins *pins, AditObject *object, const AditPrefix *prefix) {
  const char *because;
  Guard *guard;
  guint n = 0;
  for (GSequenceIter *at = first_in(pins, prefix); (guard = guard_in(at, prefix)); at = g_sequence_iter_next(at)) {
    if (guard->state == GUARD_FREE && pins->pinned + pins->open >= MOST_PINS)
      return refuse_object(pins->claims, object, guard, ", one of too many in that prefix");
    if (guard->state == GUARD_FREE)
      resolve_way(guard);
    n += guard->state == GUARD_RESOLVING || guard->state == GUARD_PINNING;
    because = find_objection(object, guard);
    if (because)
      return refuse_object(pins->claims, object, guard, because);
  }
  if (!n)
    return TRUE;
  if (!object->admission.data) {
    object->admission.data = object;
    g_queue_push_tail_link(&pins->waiting, &object->admission);
  }
  adit_object_set_state(pins->claims, object, ADIT_CLAIM_PENDING, 0, "the ways to tunnels' ends are pinned first");
  return FALSE;
}

/* A host route to the endpoint of the same tunnel; that of another one may be inside of this one's. The address itself becomes local: then
 * it is no endpoint any more. */
static const Guard *guard_at(const AditPins *pins, const AditObject *object, const AditPrefix *prefix, gboolean whole) {
  AditNetAddress address = adit_object_address(&object->key);
  const Guard *guard = whole ? guard_find(pins, &prefix->address) : NULL;
  if (guard && !adit_address_equal(&adit_object_winner(object)->claimant->endpoint, &guard->address))
    guard = NULL;
  return guard || object->key.kind != ADIT_OBJECT_ADDRESS ? guard : guard_find(pins, &address.local.address);
}

static gboolean admit_object(AditClaims *claims, AditObject *object) {
  AditPins *pins = claims->pins;
  AditPrefix prefix;

  if (object->admitted || is_pin(object) || !object_prefix(object, &prefix))
    return TRUE;
  if (!object->covers) {
    object->covers = TRUE;
    cover_count(pins, &prefix, TRUE);
  }
  if (!g_hash_table_size(pins->guards)) {
    object->admitted = TRUE;
    return TRUE;
  }
  gboolean whole = prefix.length == adit_address_size(&prefix.address) * 8;
  const Guard *guard = guard_at(pins, object, &prefix, whole);
  if (guard && guard->state != GUARD_LOCAL)
    return refuse_object(claims, object, guard, "");
  object->admitted = whole || admit_wide(pins, object, &prefix);
  return object->admitted;
}

static void forget_object(AditClaims *claims, AditObject *object) {
  AditPins *pins = claims->pins;
  AditPrefix prefix;
  Guard *guard;

  object->admitted = FALSE;
  if (object->admission.data) {
    g_queue_unlink(&pins->waiting, &object->admission);
    object->admission.data = NULL;
  }
  if (!object->covers || !object_prefix(object, &prefix))
    return;
  object->covers = FALSE;
  cover_count(pins, &prefix, FALSE);
  for (GSequenceIter *at = first_in(pins, &prefix); (guard = guard_in(at, &prefix)); at = g_sequence_iter_next(at))
    if (guard->state != GUARD_FREE && !is_covered(pins, &guard->address))
      remove_pin(guard);
}

const AditClaimsGate adit_pins_gate = {admit_object, forget_object};

/* ---- the ways change ---- */

void adit_pins_changed(AditPins *pins) {
  guint64 now = pins->claims->ops.now(pins->claims->user);
  if (pins->changed || !pins->pinned)
    return;
  pins->changed = TRUE;
  pins->next_ms = MAX(pins->next_ms, now + REFRESH_MS);
  adit_claims_wake(pins->claims, pins->next_ms - now);
}

guint64 adit_pins_run(AditPins *pins, guint64 now) {
  if (!pins->changed || pins->refreshing)
    return 0;
  if (now < pins->next_ms)
    return pins->next_ms - now;
  g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(AditAddress));
  for (GSequenceIter *at = g_sequence_get_begin_iter(pins->order); !g_sequence_iter_is_end(at); at = g_sequence_iter_next(at)) {
    const Guard *guard = g_sequence_get(at);
    if (guard->pin)
      g_array_append_val(list, guard->address);
  }
  pins->changed = FALSE;
  pins->next_ms = now + REFRESH_GAP;
  pins->refreshing = list->len;
  if (list->len)
    pins->claims->ops.refresh(pins->claims->user, (const AditAddress *)(gconstpointer)list->data, list->len);
  return 0;
}

void adit_claims_refreshed(AditClaims *claims, const AditAddress *to, int error, const AditNetRoute *route) {
  AditPins *pins = claims->pins;
  Guard *guard = guard_find(pins, to);
  AditObjectValue value = pin_value(error, route);
  char via[ADIT_ADDRESS_TEXT];

  pins->refreshing -= pins->refreshing > 0;
  if (!pins->refreshing && pins->changed)
    adit_claims_wake(claims, REFRESH_MS);
  if (!guard || !guard->pin)
    return;
  const AditObjectValue *old = &guard->pin->value;
  if (old->ifindex == value.ifindex && adit_address_equal(&old->via, &value.via))
    return;
  if (value.ifindex)
    adit_notice(NULL, "%s: the route to it is via %s on interface %u now", guard->who, adit_address_format(&value.via, via), value.ifindex);
  else
    adit_warning(NULL, "%s: no route to it is left outside of the tunnel; nothing is sent until there is one", guard->who);
  adit_claims_set_value(guard->pin, &value);
}

gboolean adit_pins_quiet(const AditPins *pins) {
  return !pins->open && !pins->changed && !pins->refreshing;
}

/* ---- life ---- */

AditPins *adit_pins_new(AditClaims *claims) {
  AditPins *pins = g_new0(AditPins, 1);
  pins->claims = claims;
  pins->guards = g_hash_table_new_full(adit_address_hash, adit_address_same, NULL, g_free);
  pins->order = g_sequence_new(NULL);
  pins->covers = g_hash_table_new_full(cover_hash, cover_equal, g_free, NULL);
  return pins;
}

void adit_pins_let_go(AditPins *pins) {
  GHashTableIter iter;
  gpointer guard;
  g_hash_table_iter_init(&iter, pins->guards);
  while (g_hash_table_iter_next(&iter, NULL, &guard))
    ((Guard *)guard)->pin = NULL;
}

void adit_pins_free(AditPins *pins) {
  g_sequence_free(pins->order);
  g_hash_table_unref(pins->guards);
  g_hash_table_unref(pins->covers);
  g_free(pins);
}
