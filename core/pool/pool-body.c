/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The entries of one pool. An entry exists in memory while it is used, and afterwards for as long as its last owner is
 * remembered or it rests; all others are a number, `fresh`: indices from it on were never handed out. */
#include "core/pool/pool-body.h"

typedef struct {
  guint64 index;
  guint uses;
  gboolean aside; /* only for a reservation: in no queue, and remembered for no owner */
  char *owner;    /* free and remembered */
  GList node;     /* in resting or remembered while free */
} Entry;

struct AditPoolBody {
  GArray *ranges;
  guint64 total, used, fresh, aside;
  GHashTable *entries; /* index -> Entry */
  GHashTable *owners;  /* name -> Entry, free */
  GQueue remembered;   /* free, with an owner; oldest first */
  GQueue resting;      /* free, without */
};

AditNumber adit_number(const AditAddress *a) {
  AditNumber n = 0;
  for (gsize i = 0; i < adit_address_size(a); i++)
    n = n << 8 | a->octet[i];
  return n;
}

AditAddress adit_number_address(AditNumber n, guint8 family) {
  AditAddress a = {.family = family};
  for (gsize i = adit_address_size(&a); i-- > 0; n >>= 8)
    a.octet[i] = (guint8)n;
  return a;
}

static void entry_free(gpointer data) {
  Entry *e = data;
  g_free(e->owner);
  g_free(e);
}

AditPoolBody *adit_pool_body_new(void) {
  AditPoolBody *b = g_new0(AditPoolBody, 1);
  b->ranges = g_array_new(FALSE, FALSE, sizeof(AditPoolRange));
  b->entries = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, entry_free);
  b->owners = g_hash_table_new(g_str_hash, g_str_equal);
  return b;
}

void adit_pool_body_free(AditPoolBody *b) {
  if (!b)
    return;
  g_hash_table_unref(b->owners);
  g_hash_table_unref(b->entries);
  g_array_unref(b->ranges);
  g_free(b);
}

static AditNumber step_of(const AditPoolRange *r) {
  return (AditNumber)1 << ((r->family == AF_INET ? 32 : 128) - r->length);
}

void adit_pool_body_add_range(AditPoolBody *b, const AditPoolRange *range) {
  AditPoolRange r = *range;
  /* One less than the count: that of ::/0 in /128 would not fit. */
  AditNumber last = (r.high - r.low) / step_of(&r);
  r.first = b->total;
  r.count = last >= ADIT_POOL_RANGE_MAX ? ADIT_POOL_RANGE_MAX : (guint64)last + 1;
  b->total += r.count;
  g_array_append_val(b->ranges, r);
}

const AditPoolRange *adit_pool_body_ranges(const AditPoolBody *b, guint *n) {
  *n = b->ranges->len;
  return (const AditPoolRange *)(gpointer)b->ranges->data;
}

gboolean adit_pool_body_equal(const AditPoolBody *a, const AditPoolBody *b) {
  if (a->ranges->len != b->ranges->len)
    return FALSE;
  for (guint i = 0; i < a->ranges->len; i++) {
    const AditPoolRange *x = &g_array_index(a->ranges, AditPoolRange, i), *y = &g_array_index(b->ranges, AditPoolRange, i);
    if (x->family != y->family || x->length != y->length || x->low != y->low || x->high != y->high)
      return FALSE;
  }
  return TRUE;
}

guint64 adit_pool_body_total(const AditPoolBody *b) {
  return b->total;
}

guint64 adit_pool_body_used(const AditPoolBody *b) {
  return b->used;
}

static AditPrefix prefix_of(const AditPoolBody *b, guint64 index) {
  guint low = 0, high = b->ranges->len - 1;
  while (low < high) {
    guint middle = (low + high + 1) / 2;
    if (g_array_index(b->ranges, AditPoolRange, middle).first <= index)
      low = middle;
    else
      high = middle - 1;
  }
  const AditPoolRange *r = &g_array_index(b->ranges, AditPoolRange, low);
  return (AditPrefix){adit_number_address(r->low + (index - r->first) * step_of(r), r->family), r->length};
}

static Entry *entry_at(AditPoolBody *b, guint64 index) {
  Entry *e = g_hash_table_lookup(b->entries, &index);
  if (!e) {
    e = g_new0(Entry, 1);
    e->index = index;
    e->node.data = e;
    g_hash_table_insert(b->entries, &e->index, e);
  }
  return e;
}

static void rest_entry(AditPoolBody *b, Entry *e) {
  g_queue_push_tail_link(&b->resting, &e->node);
}

/* A free entry leaves its queue, and its owner's memory. */
static void detach_entry(AditPoolBody *b, Entry *e) {
  if (e->owner) {
    g_hash_table_remove(b->owners, e->owner);
    g_clear_pointer(&e->owner, g_free);
    g_queue_unlink(&b->remembered, &e->node);
  } else if (e->node.prev || e->node.next || b->resting.head == &e->node) {
    g_queue_unlink(&b->resting, &e->node);
  }
}

static void forget_owner(AditPoolBody *b, Entry *e) {
  detach_entry(b, e);
  rest_entry(b, e);
}

static void remember_owner(AditPoolBody *b, Entry *e, const char *owner) {
  Entry *before = g_hash_table_lookup(b->owners, owner);
  if (before)
    forget_owner(b, before);
  e->owner = g_strdup(owner);
  g_hash_table_insert(b->owners, e->owner, e);
  g_queue_push_tail_link(&b->remembered, &e->node);
  if (b->remembered.length > ADIT_POOL_OWNERS)
    forget_owner(b, b->remembered.head->data);
}

void adit_pool_body_claim(AditPoolBody *b, guint64 index) {
  Entry *e = entry_at(b, index);
  if (e->uses++)
    return;
  detach_entry(b, e);
  b->used++;
}

void adit_pool_body_release(AditPoolBody *b, guint64 index, const char *owner) {
  Entry *e = g_hash_table_lookup(b->entries, &index);
  if (!e || !e->uses || --e->uses)
    return;
  b->used--;
  if (e->aside)
    return;
  if (owner)
    remember_owner(b, e, owner);
  else
    rest_entry(b, e);
}

void adit_pool_body_remember(AditPoolBody *b, guint64 index, const char *owner) {
  Entry *e = entry_at(b, index);
  g_return_if_fail(!e->uses);
  if (e->aside)
    return;
  detach_entry(b, e);
  remember_owner(b, e, owner);
}

void adit_pool_body_set_aside(AditPoolBody *b, guint64 index, gboolean aside) {
  Entry *e = entry_at(b, index);
  if (e->aside == aside)
    return;
  if (aside && !e->uses)
    detach_entry(b, e);
  e->aside = aside;
  b->aside += aside ? 1 : -1;
  if (!aside && !e->uses)
    rest_entry(b, e);
}

guint64 adit_pool_body_aside(const AditPoolBody *b) {
  return b->aside;
}

void adit_pool_body_remembered(const AditPoolBody *b, void (*each)(const AditPrefix *which, const char *owner, gpointer data),
                               gpointer data) {
  for (GList *node = b->remembered.head; node; node = node->next) {
    const Entry *e = node->data;
    AditPrefix which = prefix_of(b, e->index);
    each(&which, e->owner, data);
  }
}

gboolean adit_pool_body_is_used(const AditPoolBody *b, guint64 index) {
  const Entry *e = g_hash_table_lookup(b->entries, &index);
  return e && e->uses;
}

static void take_index(AditPoolBody *b, guint64 index, AditPrefix *out) {
  *out = prefix_of(b, index);
  adit_pool_body_claim(b, index);
}

gboolean adit_pool_body_take_remembered(AditPoolBody *b, const char *owner, AditPrefix *out) {
  const Entry *e = g_hash_table_lookup(b->owners, owner);
  if (!e)
    return FALSE;
  take_index(b, e->index, out);
  return TRUE;
}

/* An index that was never handed out; FALSE at the end. Those that were reserved ahead of their turn are passed over. */
static gboolean next_fresh(AditPoolBody *b, guint64 *index) {
  while (b->fresh < b->total) {
    *index = b->fresh++;
    if (!g_hash_table_contains(b->entries, index))
      return TRUE;
  }
  return FALSE;
}

gboolean adit_pool_body_take(AditPoolBody *b, AditPrefix *out) {
  guint64 index;
  /* An entry that is remembered for an owner is given to another one last. */
  if (b->resting.length > ADIT_POOL_REST)
    index = ((Entry *)b->resting.head->data)->index;
  else if (next_fresh(b, &index))
    ;
  else if (b->resting.head)
    index = ((Entry *)b->resting.head->data)->index;
  else if (b->remembered.head)
    index = ((Entry *)b->remembered.head->data)->index;
  else
    return FALSE;
  take_index(b, index, out);
  return TRUE;
}
