/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/config/config.h"
#include "core/config/yaml.h"

static gboolean lists_equal(const AditValue *a, const AditValue *b) {
  if (adit_value_length(a) != adit_value_length(b))
    return FALSE;
  for (guint i = 0; i < adit_value_length(a); i++)
    if (!adit_value_equal(adit_value_at(a, i), adit_value_at(b, i)))
      return FALSE;
  return TRUE;
}

static gboolean maps_equal(const AditValue *a, const AditValue *b) {
  if (adit_value_length(a) != adit_value_length(b))
    return FALSE;
  for (guint i = 0; i < adit_value_length(a); i++) {
    const char *key = adit_value_key(a, i);
    if (!adit_value_equal(adit_value_get(a, key), adit_value_get(b, key)))
      return FALSE;
  }
  return TRUE;
}

gboolean adit_value_equal(const AditValue *a, const AditValue *b) {
  if (a == b || !a || !b || a->type != b->type)
    return a == b;
  switch (a->type) {
  case ADIT_VALUE_BOOL:
    return a->as.boolean == b->as.boolean;
  case ADIT_VALUE_INT:
    return a->as.integer == b->as.integer;
  case ADIT_VALUE_STRING:
    return !strcmp(a->as.string, b->as.string);
  case ADIT_VALUE_ADDRESS:
    return adit_address_equal(&a->as.address, &b->as.address);
  case ADIT_VALUE_PREFIX:
    return a->as.prefix.length == b->as.prefix.length && adit_address_equal(&a->as.prefix.address, &b->as.prefix.address);
  case ADIT_VALUE_OCTETS:
    return g_bytes_equal(a->as.octets, b->as.octets);
  case ADIT_VALUE_LIST:
    return lists_equal(a, b);
  case ADIT_VALUE_MAP:
    return maps_equal(a, b);
  }
  return FALSE;
}

typedef struct {
  const AditSchema *schema;
  AditConfigErrors *errors;
  GString *path;
} Restart;

static void warn_map(Restart *r, const char *scope, const AditValue *before, const AditValue *now);

/* The item of `list` with the same KEY option as `item`; a list without one is matched by position. */
static const AditValue *find_counterpart(const AditSchema *schema, const char *scope, const AditValue *list, const AditValue *item,
                                         guint index) {
  guint n;
  const AditSchemaEntry *entries = adit_schema_scope(schema, scope, &n);
  for (guint i = 0; i < n; i++) {
    const char *key = entries[i].option->name;
    if (!(entries[i].option->flags & ADIT_OPTION_KEY))
      continue;
    for (guint j = 0; j < adit_value_length(list); j++)
      if (adit_value_equal(adit_value_get(adit_value_at(list, j), key), adit_value_get(item, key)))
        return adit_value_at(list, j);
    return NULL;
  }
  return adit_value_at(list, index);
}

/* True if a change somewhere in `scope` may take a restart: lists of thousands of secrets are not compared for nothing. */
static gboolean scope_has_restart(const AditSchema *schema, const char *scope, guint depth) {
  guint n;
  const AditSchemaEntry *entries = adit_schema_scope(schema, scope, &n);
  for (guint i = 0; i < n; i++) {
    const AditOption *option = entries[i].option;
    if (option->reload == ADIT_RELOAD_RESTART)
      return TRUE;
    if (option->type == ADIT_TYPE_MAP && depth < ADIT_YAML_DEPTH_MAX && scope_has_restart(schema, option->words, depth + 1))
      return TRUE;
  }
  return FALSE;
}

static void warn_option(Restart *r, const AditOption *option, const AditValue *map, const AditValue *before, const AditValue *now) {
  if (option->reload == ADIT_RELOAD_RESTART) {
    if (!adit_value_equal(before, now))
      adit_config_warning(r->errors, now ? now->where : map->where, r->path->str, "changed: takes effect after a restart");
    return;
  }
  if (option->type != ADIT_TYPE_MAP || !scope_has_restart(r->schema, option->words, 0))
    return;
  if (!(option->flags & ADIT_OPTION_LIST)) {
    if (before && now)
      warn_map(r, option->words, before, now);
    return;
  }
  gsize base = r->path->len;
  for (guint i = 0; i < adit_value_length(now); i++) {
    const AditValue *item = adit_value_at(now, i);
    const AditValue *old = find_counterpart(r->schema, option->words, before, item, i);
    g_string_append_printf(r->path, "[%u]", i);
    if (old)
      warn_map(r, option->words, old, item);
    g_string_truncate(r->path, base);
  }
}

static void warn_map(Restart *r, const char *scope, const AditValue *before, const AditValue *now) {
  guint n;
  const AditSchemaEntry *entries = adit_schema_scope(r->schema, scope, &n);
  gsize base = r->path->len;
  for (guint i = 0; i < n; i++) {
    const char *name = entries[i].option->name;
    adit_yaml_path_key(r->path, name);
    warn_option(r, entries[i].option, now, adit_value_get(before, name), adit_value_get(now, name));
    g_string_truncate(r->path, base);
  }
}

void adit_config_warn_restart(const AditSchema *schema, const AditValue *before, const AditValue *now, AditConfigErrors *errors) {
  Restart r = {schema, errors, g_string_new(NULL)};
  warn_map(&r, ADIT_SCOPE_GLOBAL, before, now);
  g_string_free(r.path, TRUE);
}
