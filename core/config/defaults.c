/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/config/defaults.h"

#define DEFAULT_DEPTH_MAX 8 /* maps of defaults within each other: a scope may hold itself */

static AditValue *default_map(const AditSchema *schema, const char *scope, guint depth);

AditValue *adit_schema_default_of(const AditSchema *schema, const char *scope, guint index, const AditOption *option, guint depth) {
  if (option->type == ADIT_TYPE_MAP)
    return !(option->flags & ADIT_OPTION_LIST) && depth < DEFAULT_DEPTH_MAX ? default_map(schema, option->words, depth + 1) : NULL;
  return adit_value_ref(adit_schema_default(schema, scope, index));
}

AditValue *adit_schema_defaults(const AditSchema *schema, const char *scope) {
  return default_map(schema, scope, 0);
}

AditValue *adit_options_defaults(const AditOption *options, guint n, const char *scope) {
  g_autoptr(AditSchema) schema = adit_schema_new();

  adit_schema_add(schema, "core", options, n);
  return adit_schema_defaults(schema, scope);
}

static AditValue *default_map(const AditSchema *schema, const char *scope, guint depth) {
  guint n;
  const AditSchemaEntry *entries = adit_schema_scope(schema, scope, &n);
  AditValue *map = adit_value_map();
  map->flags |= ADIT_VALUE_IS_DEFAULT;
  for (guint i = 0; i < n; i++) {
    AditValue *value = adit_schema_default_of(schema, scope, i, entries[i].option, depth);
    if (value)
      adit_value_set(map, entries[i].option->name, value);
  }
  return map;
}
