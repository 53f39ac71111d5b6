/* SPDX-License-Identifier: MIT */
/**
 * adit/value.h - one typed, immutable, shared value: configuration, attributes, records and results are all made of it.
 *
 * A value is built by one owner, then shared by reference and never changed again: any thread may read it, and a live
 * session keeps the snapshot it was made from. Maps keep the order in which keys were added. [any]
 *
 * A map, and what is read out of it:
 *
 *     static AditValue *describe_lease(const char *user, gint64 seconds) { // the caller's: adit_value_unref()
 *       AditValue *map = adit_value_map();
 *       adit_value_set(map, "user", adit_value_string(user));
 *       adit_value_set(map, "left", adit_value_int(seconds));
 *       return map;
 *     }
 *
 *     static gboolean is_short(const AditValue *lease) {
 *       return adit_value_get_int(lease, "left", 0) < 60;
 *     }
 */
#pragma once

#include <adit/address.h>

G_BEGIN_DECLS

typedef enum {
  ADIT_VALUE_BOOL = 1,
  ADIT_VALUE_INT,     /**< integer, duration (milliseconds), rate (bit/s) or size (octets): the schema knows which */
  ADIT_VALUE_STRING,  /**< also enums (their canonical word) and secrets (wiped when freed) */
  ADIT_VALUE_ADDRESS,
  ADIT_VALUE_PREFIX,
  ADIT_VALUE_OCTETS,  /**< binary: RADIUS Class and the like */
  ADIT_VALUE_LIST,
  ADIT_VALUE_MAP,
} AditValueType;

enum {
  ADIT_VALUE_IS_DEFAULT = 1 << 0, /**< it is not written: it came from the schema. Merging treats it as absent */
  ADIT_VALUE_IS_SECRET = 1 << 1,  /**< never printed */
};

/** Where a value was written: line and column from 1; file is interned and lives for ever; NULL when not from a file. */
typedef struct {
  const char *file;
  guint line, column;
} AditWhere;

typedef struct AditValue AditValue;
struct AditValue {
  gint refs;
  AditValueType type;
  guint flags;
  AditWhere where;
  union {
    gboolean boolean;
    gint64 integer;
    char *string;
    AditAddress address;
    AditPrefix prefix;
    GBytes *octets;
    GPtrArray *list; /**< of AditValue* */
    struct {
      GPtrArray *keys;   /**< of char*, in order */
      GHashTable *items; /**< char* (owned by keys) -> AditValue* */
    } map;
  } as;
  void (*release)(char *string); /**< STRING: wipes and frees its text, which is in the core's locked memory; NULL = g_free() */
};

static inline AditValue *adit_value_ref(const AditValue *value) {
  AditValue *v = (AditValue *)value;
  if (v)
    g_atomic_int_inc(&v->refs);
  return v;
}

static inline void adit_value_unref(AditValue *v) {
  if (!v || !g_atomic_int_dec_and_test(&v->refs))
    return;
  switch (v->type) {
  case ADIT_VALUE_STRING:
    if (v->release) {
      v->release(v->as.string);
      break;
    }
    if ((v->flags & ADIT_VALUE_IS_SECRET) && v->as.string)
      adit_wipe(v->as.string, strlen(v->as.string));
    g_free(v->as.string);
    break;
  case ADIT_VALUE_OCTETS:
    g_bytes_unref(v->as.octets);
    break;
  case ADIT_VALUE_LIST:
    g_ptr_array_unref(v->as.list);
    break;
  case ADIT_VALUE_MAP:
    g_hash_table_unref(v->as.map.items);
    g_ptr_array_unref(v->as.map.keys);
    break;
  case ADIT_VALUE_BOOL:
  case ADIT_VALUE_INT:
  case ADIT_VALUE_ADDRESS:
  case ADIT_VALUE_PREFIX:
    break;
  }
  g_free(v);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditValue, adit_value_unref)

static inline AditValue *adit_value_new_(AditValueType type) {
  AditValue *v = g_new0(AditValue, 1);
  v->refs = 1;
  v->type = type;
  return v;
}

static inline AditValue *adit_value_bool(gboolean b) {
  AditValue *v = adit_value_new_(ADIT_VALUE_BOOL);
  v->as.boolean = !!b;
  return v;
}

static inline AditValue *adit_value_int(gint64 i) {
  AditValue *v = adit_value_new_(ADIT_VALUE_INT);
  v->as.integer = i;
  return v;
}

/** Copies `s`, which must not be NULL. */
static inline AditValue *adit_value_string(const char *s) {
  AditValue *v = adit_value_new_(ADIT_VALUE_STRING);
  v->as.string = g_strdup(s);
  return v;
}

static inline AditValue *adit_value_secret(const char *s) {
  AditValue *v = adit_value_string(s);
  v->flags |= ADIT_VALUE_IS_SECRET;
  return v;
}

static inline AditValue *adit_value_address(const AditAddress *a) {
  AditValue *v = adit_value_new_(ADIT_VALUE_ADDRESS);
  v->as.address = *a;
  return v;
}

static inline AditValue *adit_value_prefix(const AditPrefix *p) {
  AditValue *v = adit_value_new_(ADIT_VALUE_PREFIX);
  v->as.prefix = *p;
  return v;
}

static inline AditValue *adit_value_octets(const void *data, gsize length) {
  AditValue *v = adit_value_new_(ADIT_VALUE_OCTETS);
  v->as.octets = g_bytes_new(data, length);
  return v;
}

static inline AditValue *adit_value_list(void) {
  AditValue *v = adit_value_new_(ADIT_VALUE_LIST);
  v->as.list = g_ptr_array_new_with_free_func((GDestroyNotify)adit_value_unref);
  return v;
}

static inline AditValue *adit_value_map(void) {
  AditValue *v = adit_value_new_(ADIT_VALUE_MAP);
  v->as.map.keys = g_ptr_array_new_with_free_func(g_free);
  v->as.map.items = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)adit_value_unref);
  return v;
}

/** Appends to a list that is still being built; takes over `item`. */
static inline void adit_value_append(AditValue *list, AditValue *item) { g_ptr_array_add(list->as.list, item); }

/** Sets a key of a map that is still being built (replacing what was there); takes over `item`; copies `key`. */
static inline void adit_value_set(AditValue *map, const char *key, AditValue *item) {
  gpointer old = NULL;
  if (g_hash_table_lookup_extended(map->as.map.items, key, &old, NULL)) {
    g_hash_table_replace(map->as.map.items, old, item);
    return;
  }
  char *own = g_strdup(key);
  g_ptr_array_add(map->as.map.keys, own);
  g_hash_table_insert(map->as.map.items, own, item);
}

static inline guint adit_value_length(const AditValue *v) {
  return !v                           ? 0
         : v->type == ADIT_VALUE_LIST ? v->as.list->len
         : v->type == ADIT_VALUE_MAP  ? v->as.map.keys->len
                                      : 0;
}

static inline const AditValue *adit_value_at(const AditValue *v, guint index) {
  return v && v->type == ADIT_VALUE_LIST && index < v->as.list->len ? (const AditValue *)v->as.list->pdata[index] : NULL;
}

/** The `index`th key of a map, in the order they were added. */
static inline const char *adit_value_key(const AditValue *v, guint index) {
  return v && v->type == ADIT_VALUE_MAP && index < v->as.map.keys->len ? (const char *)v->as.map.keys->pdata[index] : NULL;
}

/** The value under `key`, borrowed; NULL when absent or `v` is no map. */
static inline const AditValue *adit_value_get(const AditValue *v, const char *key) {
  return v && v->type == ADIT_VALUE_MAP ? (const AditValue *)g_hash_table_lookup(v->as.map.items, key) : NULL;
}

/** Like adit_value_get(), but NULL also when only the schema's default is there. */
static inline const AditValue *adit_value_get_written(const AditValue *v, const char *key) {
  const AditValue *item = adit_value_get(v, key);
  return item && !(item->flags & ADIT_VALUE_IS_DEFAULT) ? item : NULL;
}

static inline gboolean adit_value_get_bool(const AditValue *v, const char *key, gboolean otherwise) {
  const AditValue *item = adit_value_get(v, key);
  return item && item->type == ADIT_VALUE_BOOL ? item->as.boolean : otherwise;
}

static inline gint64 adit_value_get_int(const AditValue *v, const char *key, gint64 otherwise) {
  const AditValue *item = adit_value_get(v, key);
  return item && item->type == ADIT_VALUE_INT ? item->as.integer : otherwise;
}

/** Borrowed: valid as long as `v`. */
static inline const char *adit_value_get_string(const AditValue *v, const char *key, const char *otherwise) {
  const AditValue *item = adit_value_get(v, key);
  return item && item->type == ADIT_VALUE_STRING ? item->as.string : otherwise;
}

/** False, and `*out` cleared, when absent or not an address. */
static inline gboolean adit_value_get_address(const AditValue *v, const char *key, AditAddress *out) {
  const AditValue *item = adit_value_get(v, key);
  if (item && item->type == ADIT_VALUE_ADDRESS) {
    *out = item->as.address;
    return TRUE;
  }
  memset(out, 0, sizeof *out);
  return FALSE;
}

G_END_DECLS
