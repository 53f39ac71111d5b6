/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The configuration `pools`, read and checked. */
#include "core/pool/pool-set.h"
#include "core/net/special.h"
#include "core/pool/options.h"
#include <adit/mistake.h>

enum { SPAN_MAX = 65536 };

typedef struct {
  GError **error; /* all mistakes of one configuration, a line each */
  guint pool;     /* index of the pool that is read */
  guint count;
} Report;

/* `index` < 0: the option is no list. */
G_GNUC_PRINTF(5, 6)
static void add_mistake(Report *report, const AditValue *value, const char *key, int index, const char *format, ...) {
  g_autoptr(GString) option = g_string_new(NULL);
  va_list args;

  g_string_append_printf(option, "pools[%u].%s", report->pool, key);
  if (index >= 0)
    g_string_append_printf(option, "[%d]", index);
  va_start(args, format);
  adit_mistake_va(report->error, value ? &value->where : NULL, option->str, format, args);
  va_end(args);
  report->count++;
}

/* ---- ranges ---- */

/* A range as written, before the length of its entries is known. */
typedef struct {
  guint8 family;
  int prefix; /* length as written; -1 = `a-b` or a single address */
  AditNumber low, high;
} Written;

/* NULL, or what is wrong. */
static const char *read_range(const char *text, Written *w) {
  AditAddress low, high;
  AditPrefix prefix;
  const char *dash = strchr(text, '-');

  if (dash) {
    g_autofree char *left = g_strstrip(g_strndup(text, (gsize)(dash - text))), *right = g_strstrip(g_strdup(dash + 1));
    if (!adit_address_parse(left, &low) || !adit_address_parse(right, &high))
      return "is not a range of addresses";
    if (low.family != high.family)
      return "goes from one address family to another";
    *w = (Written){low.family, -1, adit_number(&low), adit_number(&high)};
    return w->low > w->high ? "ends before it begins" : NULL;
  }
  if (!adit_prefix_parse(text, &prefix))
    return "is not an address, a range or a prefix";
  guint bits = (guint)adit_address_size(&prefix.address) * 8;
  AditNumber size_less_1 = prefix.length ? ((AditNumber)1 << (bits - prefix.length)) - 1 : bits == 128 ? ~(AditNumber)0 : 0xffffffff;
  AditNumber base = adit_number(&prefix.address);
  *w = (Written){prefix.address.family, strchr(text, '/') ? prefix.length : -1, base, base + size_less_1};
  return base & size_less_1 ? "has bits set behind its prefix length" : NULL;
}

static void read_ranges(Report *report, AditPool *pool) {
  const AditValue *list = adit_option_pool_ranges(pool->config), *length_value = adit_option_pool_prefix_length_value(pool->config);
  guint8 family = 0;

  for (guint i = 0; i < adit_value_length(list); i++) {
    const AditValue *value = adit_value_at(list, i);
    const char *text = value->as.string, *wrong;
    Written w;
    if ((wrong = read_range(text, &w))) {
      add_mistake(report, value, "ranges", (int)i, "%s %s", text, wrong);
      continue;
    }
    if (family && family != w.family) {
      add_mistake(report, value, "ranges", (int)i, "%s: a pool is of one address family", text);
      continue;
    }
    family = w.family;
    AditAddress first = adit_number_address(w.low, family), last = adit_number_address(w.high, family);
    const AditSpecial *special = adit_special_find(&first, &last);
    if (special) {
      add_mistake(report, value, "ranges", (int)i, "%s shares addresses with %s: each of these is %s; leave them out", text,
                  special->prefix, special->what);
      continue;
    }

    gint64 bits = family == AF_INET ? 32 : 128;
    gint64 length = length_value ? length_value->as.integer : family == AF_INET ? 32 : 64;
    if (length > bits) {
      add_mistake(report, length_value, "prefix-length", -1, "%d is over 32, and the pool is of IPv4", (int)length);
      return;
    }
    AditNumber mask = ((AditNumber)1 << (bits - length)) - 1;
    if (w.low & mask || (w.high & mask) != mask) {
      add_mistake(report, value, "ranges", (int)i, "%s does not consist of whole /%d: see prefix-length", text, (int)length);
      continue;
    }
    AditPoolRange r = {
        .family = family, .length = (guint8)length, .low = w.low, .high = w.high, .cover_low = w.low, .cover_high = w.high, .written = i};
    /* Network and broadcast address of a subnet: some peers' stacks refuse them, even point to point. */
    if (family == AF_INET && length == 32 && w.prefix >= 0 && w.prefix <= 30) {
      r.low++;
      r.high--;
    }
    adit_pool_body_add_range(pool->body, &r);
  }
}

/* ---- sets ---- */

static int by_address(gconstpointer a, gconstpointer b) {
  const AditPoolRange *x = ((const AditPoolSpot *)a)->range, *y = ((const AditPoolSpot *)b)->range;
  if (x->family != y->family)
    return x->family < y->family ? -1 : 1;
  return x->cover_low < y->cover_low ? -1 : x->cover_low > y->cover_low;
}

void adit_pool_set_sort(AditPoolSet *set) {
  g_array_set_size(set->sorted, 0);
  for (guint i = 0; i < set->pools->len; i++) {
    AditPool *pool = set->pools->pdata[i];
    guint n;
    const AditPoolRange *ranges = adit_pool_body_ranges(pool->body, &n);
    for (guint k = 0; k < n; k++)
      g_array_append_val(set->sorted, ((AditPoolSpot){&ranges[k], pool}));
  }
  g_array_sort(set->sorted, by_address);
}

gboolean adit_pool_set_span(const AditPoolSet *set, const AditPrefix *which, gboolean (*each)(AditPool *pool, guint64 index, gpointer data),
                            gpointer data) {
  gboolean whole = TRUE;
  guint bits = (guint)adit_address_size(&which->address) * 8, low = 0, high = set->sorted->len;
  AditNumber mask = which->length ? ((AditNumber)1 << (bits - which->length)) - 1 : ~(AditNumber)0;
  AditNumber first = adit_number(&which->address) & ~mask, last = first | (bits == 32 ? mask & 0xffffffff : mask);

  /* The first range that doesn't end before it. They don't overlap: sorted by where they begin is sorted by where they end. */
  while (low < high) {
    guint middle = (low + high) / 2;
    const AditPoolRange *r = g_array_index(set->sorted, AditPoolSpot, middle).range;
    if (r->family < which->address.family || (r->family == which->address.family && r->cover_high < first))
      low = middle + 1;
    else
      high = middle;
  }
  for (; low < set->sorted->len; low++) {
    const AditPoolSpot *spot = &g_array_index(set->sorted, AditPoolSpot, low);
    const AditPoolRange *r = spot->range;
    if (r->family != which->address.family || r->cover_low > last)
      break;
    if (last < r->low || first > r->high)
      continue; /* a network or broadcast address */
    guint size = bits - r->length;
    AditNumber from = ((first > r->low ? first : r->low) - r->low) >> size, to = ((last < r->high ? last : r->high) - r->low) >> size;
    if (from >= r->count)
      continue;
    to = MIN(to, (AditNumber)r->count - 1);
    if (to - from >= SPAN_MAX) {
      whole = FALSE;
      continue;
    }
    for (; from <= to; from++)
      if (!each(spot->pool, r->first + (guint64)from, data))
        return FALSE;
  }
  return whole;
}

static void pool_free(gpointer data) {
  AditPool *pool = data;
  adit_pool_body_free(pool->body);
  adit_value_unref((AditValue *)pool->config);
  g_free(pool);
}

static guint index_of(const AditPoolSet *set, const AditPool *pool) {
  guint index = 0;
  g_ptr_array_find(set->pools, pool, &index);
  return index;
}

static const AditValue *value_of(const AditPoolSpot *spot) {
  return adit_value_at(adit_option_pool_ranges(spot->pool->config), spot->range->written);
}

static void report_overlap(Report *report, AditPoolSet *set, const AditPoolSpot *a, const AditPoolSpot *b) {
  /* The later one in the file is the one that is wrong. */
  if (a->pool == b->pool ? a->range > b->range : index_of(set, a->pool) > index_of(set, b->pool)) {
    const AditPoolSpot *swap = a;
    a = b;
    b = swap;
  }
  const AditValue *first = value_of(a), *second = value_of(b);
  const AditWhere *at = first ? &first->where : NULL;
  g_autofree char *where = at && at->file ? g_strdup_printf(" (%s:%u:%u)", at->file, at->line, at->column) : g_strdup("");
  report->pool = index_of(set, b->pool);
  add_mistake(report, second, "ranges", (int)b->range->written, "%s of pool %s overlaps %s of pool %s%s", second->as.string, b->pool->name,
              first->as.string, a->pool->name, where);
}

static void check_overlaps(Report *report, AditPoolSet *set) {
  const AditPoolSpot *widest = NULL; /* of those before: the one that reaches farthest */
  for (guint i = 0; i < set->sorted->len; i++) {
    const AditPoolSpot *spot = &g_array_index(set->sorted, AditPoolSpot, i);
    gboolean same = widest && widest->range->family == spot->range->family;
    if (same && widest->range->cover_high >= spot->range->cover_low)
      report_overlap(report, set, widest, spot);
    if (!same || spot->range->cover_high > widest->range->cover_high)
      widest = spot;
  }
}

static guint8 family_of(const AditPool *pool) {
  guint n;
  const AditPoolRange *ranges = adit_pool_body_ranges(pool->body, &n);
  return n ? ranges->family : 0;
}

static void link_next(Report *report, AditPoolSet *set) {
  for (guint i = 0; i < set->pools->len; i++) {
    AditPool *pool = set->pools->pdata[i];
    const AditValue *value = adit_option_pool_next_pool_value(pool->config);
    const char *name = adit_option_pool_next_pool(pool->config);
    AditPool *next = name ? g_hash_table_lookup(set->by_name, name) : NULL;
    report->pool = i;
    if (!next) {
      if (name && *name && !g_str_equal(name, "none"))
        add_mistake(report, value, "next-pool", -1, "there is no pool %s", name);
      continue;
    }
    if (family_of(next) && family_of(pool) && family_of(next) != family_of(pool)) {
      add_mistake(report, value, "next-pool", -1, "pool %s is of the other address family", name);
      continue;
    }
    pool->next = next;
  }
}

/* Each circle is told once, at its first pool. */
static void check_circles(Report *report, AditPoolSet *set) {
  for (guint i = 0; i < set->pools->len; i++) {
    const AditPool *pool = set->pools->pdata[i], *at = pool->next;
    g_autoptr(GString) chain = g_string_new(pool->name);
    gboolean first = TRUE;
    for (guint steps = 0; at && at != pool && steps < set->pools->len; steps++, at = at->next) {
      g_string_append_printf(chain, " -> %s", at->name);
      first &= index_of(set, at) > i;
    }
    if (at != pool || !first)
      continue;
    report->pool = i;
    add_mistake(report, adit_option_pool_next_pool_value(pool->config), "next-pool", -1, "forms a loop: %s -> %s", chain->str, pool->name);
  }
}

void adit_pools_abort(AditPoolSet *set) {
  if (!set)
    return;
  g_array_unref(set->sorted);
  g_hash_table_unref(set->by_name);
  g_ptr_array_unref(set->pools);
  g_free(set);
}

AditPoolSet *adit_pools_prepare(const AditValue *config, GError **error) {
  const AditValue *list = config && config->type == ADIT_VALUE_MAP ? adit_option_pool_pools(config) : config;
  AditPoolSet *set = g_new0(AditPoolSet, 1);
  Report report = {.error = error};

  set->pools = g_ptr_array_new_with_free_func(pool_free);
  set->by_name = g_hash_table_new(g_str_hash, g_str_equal);
  set->sorted = g_array_new(FALSE, FALSE, sizeof(AditPoolSpot));
  for (guint i = 0; i < adit_value_length(list); i++) {
    AditPool *pool = g_new0(AditPool, 1);
    report.pool = i;
    pool->config = adit_value_ref(adit_value_at(list, i));
    pool->name = adit_option_pool_name(pool->config);
    pool->body = adit_pool_body_new();
    g_ptr_array_add(set->pools, pool);
    if (!g_hash_table_insert(set->by_name, (char *)pool->name, pool))
      add_mistake(&report, adit_option_pool_name_value(pool->config), "name", -1, "there are two pools %s", pool->name);
    read_ranges(&report, pool);
  }
  adit_pool_set_sort(set);
  check_overlaps(&report, set);
  link_next(&report, set);
  check_circles(&report, set);
  if (!report.count)
    return set;
  adit_pools_abort(set);
  return NULL;
}
