/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* A reload changes little: what stayed is not kept twice, for sessions hold on to the values that they began with. */
#include "core/config/config.h"

static gboolean same_origin(const AditValue *a, const AditValue *b) {
  return a->flags == b->flags && a->where.file == b->where.file && a->where.line == b->where.line && a->where.column == b->where.column;
}

static const char *name_of(const AditValue *item) {
  return adit_value_get_string(item, "name", NULL);
}

/* The items of a list by their names, for a list in which something was inserted. */
static GHashTable *index_names(const AditValue *list) {
  GHashTable *index = g_hash_table_new(g_str_hash, g_str_equal);
  for (guint i = 0; i < adit_value_length(list); i++) {
    const char *name = name_of(adit_value_at(list, i));
    if (name)
      g_hash_table_insert(index, (gpointer)name, (gpointer)adit_value_at(list, i));
  }
  return index;
}

/* TRUE if all items are those of `before`, in the same order. */
static gboolean share_list(AditValue *fresh, const AditValue *before) {
  guint length = adit_value_length(fresh);
  gboolean all = length == adit_value_length(before);
  g_autoptr(GHashTable) index = NULL;

  for (guint i = 0; i < length; i++) {
    AditValue *item = (AditValue *)fresh->as.list->pdata[i];
    const char *name = name_of(item);
    const AditValue *old = adit_value_at(before, i);
    if (name && g_strcmp0(name, name_of(old))) {
      if (!index)
        index = index_names(before);
      old = (const AditValue *)g_hash_table_lookup(index, name);
    }
    fresh->as.list->pdata[i] = adit_config_share(item, old);
    all = all && fresh->as.list->pdata[i] == adit_value_at(before, i);
  }
  return all;
}

static gboolean share_map(AditValue *fresh, const AditValue *before) {
  guint length = adit_value_length(fresh);
  gboolean all = length == adit_value_length(before);

  for (guint i = 0; i < length; i++) {
    const char *key = adit_value_key(fresh, i);
    const AditValue *old = adit_value_get(before, key);
    gpointer own = NULL, item = NULL;
    g_hash_table_steal_extended(fresh->as.map.items, key, &own, &item);
    item = adit_config_share((AditValue *)item, old);
    g_hash_table_insert(fresh->as.map.items, own, item);
    all = all && item == old && !g_strcmp0(key, adit_value_key(before, i));
  }
  return all;
}

AditValue *adit_config_share(AditValue *fresh, const AditValue *before) {
  gboolean same = FALSE;

  if (!fresh || !before || fresh == before || fresh->type != before->type)
    return fresh;
  if (fresh->type != ADIT_VALUE_LIST && fresh->type != ADIT_VALUE_MAP)
    same = adit_value_equal(fresh, before);
  else if (g_atomic_int_get(&fresh->refs) == 1) /* not a default of the schema, which others have too */
    same = fresh->type == ADIT_VALUE_LIST ? share_list(fresh, before) : share_map(fresh, before);
  if (!same || !same_origin(fresh, before))
    return fresh;
  adit_value_unref(fresh);
  return adit_value_ref(before);
}
