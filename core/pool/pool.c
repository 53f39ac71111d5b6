/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/base/misuse.h"
#include "core/pool/options.h"
#include "core/pool/pool-set.h"

/* Leases, whether a pool of today contains them or not: leases outlive the configuration they came from. */
typedef struct {
  AditPrefix which;
  guint uses;
  gboolean taken; /* by take_address(): belongs to one alone, even if no pool holds it any more */
  char *owner;
} Lease;

static AditPoolSet *current;
static GHashTable *leases; /* AditPrefix -> Lease */
static GArray *aside;      /* AditPrefix: of adit_pools_set_aside() */

static guint prefix_hash(gconstpointer key) {
  const AditPrefix *p = key;
  guint h = p->length;
  for (gsize i = 0; i < sizeof p->address.octet; i++)
    h = h * 31 + p->address.octet[i];
  return h;
}

static gboolean prefix_equal(gconstpointer a, gconstpointer b) {
  const AditPrefix *x = a, *y = b;
  return x->length == y->length && adit_address_equal(&x->address, &y->address);
}

static void lease_free(gpointer data) {
  Lease *lease = data;
  g_free(lease->owner);
  g_free(lease);
}

static Lease *lease_add(const AditPrefix *which) {
  if (!leases)
    leases = g_hash_table_new_full(prefix_hash, prefix_equal, NULL, lease_free);
  Lease *lease = g_hash_table_lookup(leases, which);
  if (!lease) {
    lease = g_new0(Lease, 1);
    lease->which = *which;
    g_hash_table_insert(leases, &lease->which, lease);
  }
  lease->uses++;
  return lease;
}

/* ---- the service ---- */

static gboolean take_from_chain(AditPool *first, const char *owner, AditPrefix *out) {
  for (AditPool *pool = owner ? first : NULL; pool; pool = pool->next)
    if (adit_pool_body_take_remembered(pool->body, owner, out))
      return TRUE;
  for (AditPool *pool = first; pool; pool = pool->next)
    if (adit_pool_body_take(pool->body, out))
      return TRUE;
  return FALSE;
}

static gboolean take_address(const char *name, const char *owner, AditPrefix *out, GError **error) {
  ADIT_MAIN_ONLY("adit.pool take", FALSE);
  AditPool *pool = current ? g_hash_table_lookup(current->by_name, name) : NULL;
  if (!pool) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_NOT_FOUND, "there is no pool %s", name);
    return FALSE;
  }
  if (!take_from_chain(pool, owner, out)) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_BUSY, "pool %s is exhausted", name);
    return FALSE;
  }
  Lease *lease = lease_add(out);
  lease->taken = TRUE;
  g_free(lease->owner);
  lease->owner = g_strdup(owner);
  return TRUE;
}

static gboolean is_free(AditPool *pool, guint64 index, gpointer data) {
  *(guint *)data += 1;
  return !adit_pool_body_is_used(pool->body, index);
}

static gboolean claim_index(AditPool *pool, guint64 index, gpointer data) {
  adit_pool_body_claim(pool->body, index);
  return TRUE;
}

static gboolean reserve_prefix(const AditPrefix *which) {
  ADIT_MAIN_ONLY("adit.pool reserve", FALSE);
  guint entries = 0;
  if (current && !adit_pool_set_span(current, which, is_free, &entries))
    return FALSE;
  if (!entries && leases) {
    /* No pool holds it now; one may have, when it was taken. */
    const Lease *lease = g_hash_table_lookup(leases, which);
    if (lease && lease->taken)
      return FALSE;
  }
  if (entries)
    adit_pool_set_span(current, which, claim_index, NULL);
  lease_add(which);
  return TRUE;
}

static void hold_prefix(const AditPrefix *which) {
  ADIT_MAIN_ONLY("adit.pool hold");
  if (current)
    adit_pool_set_span(current, which, claim_index, NULL);
  lease_add(which);
}

static gboolean release_index(AditPool *pool, guint64 index, gpointer data) {
  adit_pool_body_release(pool->body, index, data);
  return TRUE;
}

static void give_back(const AditPrefix *which) {
  ADIT_MAIN_ONLY("adit.pool give_back");
  Lease *lease = leases ? g_hash_table_lookup(leases, which) : NULL;
  if (!lease)
    return;
  if (current)
    adit_pool_set_span(current, which, release_index, lease->owner);
  if (--lease->uses == 0)
    g_hash_table_remove(leases, which);
}

const AditPoolService *adit_pool_service(void) {
  static const AditPoolService service = {
      .size = sizeof service, .take = take_address, .reserve = reserve_prefix, .give_back = give_back, .hold = hold_prefix};
  return &service;
}

/* ---- reload ---- */

/* A pool with unchanged ranges keeps its leases and memory. */
static void take_over(AditPoolSet *set) {
  for (guint i = 0; i < set->pools->len; i++) {
    AditPool *pool = set->pools->pdata[i];
    AditPool *old = current ? g_hash_table_lookup(current->by_name, pool->name) : NULL;
    pool->fresh = !old || !adit_pool_body_equal(old->body, pool->body);
    if (pool->fresh)
      continue;
    AditPoolBody *swap = old->body;
    old->body = pool->body;
    pool->body = swap;
  }
  adit_pool_set_sort(set);
}

static gboolean claim_if_fresh(AditPool *pool, guint64 index, gpointer data) {
  if (pool->fresh)
    adit_pool_body_claim(pool->body, index);
  return TRUE;
}

static gboolean change_aside(AditPool *pool, guint64 index, gpointer data) {
  adit_pool_body_set_aside(pool->body, index, data != NULL);
  return TRUE;
}

static void change_all_aside(const AditPoolSet *set, gboolean to) {
  for (guint i = 0; set && aside && i < aside->len; i++)
    adit_pool_set_span(set, &g_array_index(aside, AditPrefix, i), change_aside, to ? aside : NULL);
}

void adit_pools_set_aside(const AditPrefix *list, guint n) {
  change_all_aside(current, FALSE);
  g_clear_pointer(&aside, g_array_unref);
  aside = g_array_new(FALSE, FALSE, sizeof(AditPrefix));
  if (n)
    g_array_append_vals(aside, list, n);
  change_all_aside(current, TRUE);
}

typedef struct {
  const AditPrefix *which;
  const char *owner;
} Memory;

static gboolean remember_one(AditPool *pool, guint64 index, gpointer data) {
  const Memory *m = data;
  if (pool->fresh && !adit_pool_body_is_used(pool->body, index))
    adit_pool_body_remember(pool->body, index, m->owner);
  return FALSE; /* if it spans more, they are not what the owner had */
}

static void remember_prefix(const AditPrefix *which, const char *owner, gpointer data) {
  Memory m = {which, owner};
  adit_pool_set_span(data, which, remember_one, &m);
}

void adit_pools_commit(AditPoolSet *set) {
  GHashTableIter iter;
  gpointer value;

  take_over(set);
  change_all_aside(set, TRUE);
  if (leases) {
    g_hash_table_iter_init(&iter, leases);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
      const Lease *lease = value;
      for (guint i = 0; i < lease->uses; i++)
        adit_pool_set_span(set, &lease->which, claim_if_fresh, NULL);
    }
  }
  for (guint i = 0; current && i < current->pools->len; i++)
    adit_pool_body_remembered(((AditPool *)current->pools->pdata[i])->body, remember_prefix, set);
  adit_pools_abort(current);
  current = set;
}

void adit_pools_fini(void) {
  g_clear_pointer(&current, adit_pools_abort);
  g_clear_pointer(&leases, g_hash_table_unref);
  g_clear_pointer(&aside, g_array_unref);
}

/* ---- show ---- */

gboolean adit_pool_exists(const char *name) {
  return current && g_hash_table_contains(current->by_name, name);
}

static AditValue *value_of_number(guint64 n) {
  return adit_value_int((gint64)MIN(n, (guint64)G_MAXINT64));
}

AditValue *adit_pools_describe(void) {
  AditValue *list = adit_value_list();
  for (guint i = 0; current && i < current->pools->len; i++) {
    const AditPool *pool = current->pools->pdata[i];
    const AditValue *comment = adit_option_pool_comment_value(pool->config);
    AditValue *item = adit_value_map();
    adit_value_set(item, "name", adit_value_string(pool->name));
    adit_value_set(item, "ranges", adit_value_ref(adit_option_pool_ranges(pool->config)));
    adit_value_set(item, "used", value_of_number(adit_pool_body_used(pool->body)));
    adit_value_set(item, "total", value_of_number(adit_pool_body_total(pool->body)));
    if (adit_pool_body_aside(pool->body))
      adit_value_set(item, "reserved", value_of_number(adit_pool_body_aside(pool->body)));
    if (pool->next)
      adit_value_set(item, "next-pool", adit_value_string(pool->next->name));
    if (comment)
      adit_value_set(item, "comment", adit_value_ref(comment));
    adit_value_append(list, item);
  }
  return list;
}
