/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/config/check.h"
#include "core/config/defaults.h"

#include "core/config/format.h"
#include "core/config/schema.h"
#include "core/config/types.h"

typedef struct {
  const AditSchema *schema;
  AditConfigErrors *errors;
  GHashTable *secret_files;
  GString *path;
} Check;

static AditValue *check_map(Check *c, const char *scope, const AditYaml *node);

G_GNUC_PRINTF(3, 4)
static void *add_mistake(Check *c, const AditYaml *node, const char *format, ...) {
  va_list args;
  va_start(args, format);
  g_autofree char *text = g_strdup_vprintf(format, args);
  va_end(args);
  adit_config_error(c->errors, node->where, c->path->str, "%s", text);
  return NULL;
}

static const char *kind_word(const AditYaml *node) {
  switch (node->kind) {
  case ADIT_YAML_SCALAR:
    return "one value";
  case ADIT_YAML_LIST:
    return "a list";
  case ADIT_YAML_MAP:
    return "a map";
  }
  return NULL;
}

/* A map's options as words, for suggestions. */
static const char **option_names(const AditSchema *schema, const char *scope) {
  guint n;
  const AditSchemaEntry *entries = adit_schema_scope(schema, scope, &n);
  const char **names = g_new0(const char *, n + 1);
  for (guint i = 0; i < n; i++)
    names[i] = entries[i].option->name;
  return names;
}

static void unknown_option(Check *c, const char *scope, const AditYaml *node) {
  const char *owner = adit_schema_absent_owner(c->schema, scope, node->key);
  if (owner) {
    g_autofree char *plugins = adit_schema_plugins_with(c->schema, owner);
    add_mistake(c, node, "%s belongs to plugin %s, which is not loaded: write plugins: [%s]", node->key, owner, plugins);
    return;
  }
  g_autofree const char **names = option_names(c->schema, scope);
  const char *near = adit_config_nearest(node->key, names);
  if (near)
    add_mistake(c, node, "unknown option; did you mean %s?", near);
  else
    add_mistake(c, node, "unknown option");
}

/* Places of a value that came from one scalar: its items have its place. */
static void set_where(AditValue *value, AditWhere where) {
  value->where = where;
  if (value->type == ADIT_VALUE_LIST)
    for (guint i = 0; i < value->as.list->len; i++)
      ((AditValue *)value->as.list->pdata[i])->where = where;
}

static AditValue *check_scalar(Check *c, const AditOption *option, const AditYaml *node, gboolean whole) {
  g_autoptr(GError) error = NULL;
  AditValue *value = whole ? adit_option_parse(option, node->text, &error) : adit_scalar_parse(option, node->text, &error);
  if (!value)
    return add_mistake(c, node, "%s", error->message);
  set_where(value, node->where);
  if ((option->flags & ADIT_OPTION_SECRET) && *node->text && c->secret_files)
    g_hash_table_add(c->secret_files, (gpointer)node->where.file);
  return value;
}

/* An item of a list, or the single value of an option that is none. */
static AditValue *check_one(Check *c, const AditOption *option, const AditYaml *node, gboolean whole) {
  if (option->type == ADIT_TYPE_MAP) {
    if (node->kind == ADIT_YAML_MAP || adit_yaml_is_empty(node))
      return check_map(c, option->words, node);
    return add_mistake(c, node, "is %s: a map of options is wanted", kind_word(node));
  }
  if (node->kind != ADIT_YAML_SCALAR)
    return add_mistake(c, node, "is %s: one value is wanted", kind_word(node));
  if (adit_yaml_is_empty(node))
    return add_mistake(c, node, option->type == ADIT_TYPE_STRING ? "has no value (\"\" is an empty text)" : "has no value");
  return check_scalar(c, option, node, whole);
}

static AditValue *check_list(Check *c, const AditOption *option, const AditYaml *node) {
  g_autoptr(AditValue) list = adit_value_list();
  gsize base = c->path->len;
  gboolean ok = TRUE;

  list->where = node->where;
  for (guint i = 0; i < node->items->len; i++) {
    g_string_append_printf(c->path, "[%u]", i);
    AditValue *item = check_one(c, option, node->items->pdata[i], FALSE);
    if (item)
      adit_value_append(list, item);
    else
      ok = FALSE;
    g_string_truncate(c->path, base);
  }
  /* A list of maps goes on without its bad items, so that cross-checks still know the others. */
  return ok || option->type == ADIT_TYPE_MAP ? g_steal_pointer(&list) : NULL;
}

static void check_repeats(Check *c, const AditOption *option, const AditValue *list) {
  g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
  for (guint i = 0; i < adit_value_length(list); i++) {
    const AditValue *item = adit_value_at(list, i);
    if (!g_hash_table_add(seen, item->as.string))
      adit_config_error(c->errors, item->where, c->path->str, "%s is there twice", item->as.string);
  }
}

/* The KEY option of each item must differ from the others'. */
static void check_key(Check *c, const AditOption *key, const AditValue *list) {
  g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  gsize base = c->path->len;

  for (guint i = 0; i < adit_value_length(list); i++) {
    const AditValue *value = adit_value_get(adit_value_at(list, i), key->name);
    char *text = adit_option_format(key, value);
    gpointer other;
    if (!text)
      continue;
    if (!g_hash_table_lookup_extended(seen, text, NULL, &other)) {
      g_hash_table_insert(seen, text, GUINT_TO_POINTER(i));
      continue;
    }
    const AditWhere *where = &adit_value_get(adit_value_at(list, GPOINTER_TO_UINT(other)), key->name)->where;
    g_autofree char *of = g_strdup_printf("%s[%u]", c->path->str, GPOINTER_TO_UINT(other));
    g_string_append_printf(c->path, "[%u].%s", i, key->name);
    if (where->file)
      adit_config_error(c->errors, value->where, c->path->str, "%s is taken by %s at %s:%u:%u", text, of, where->file, where->line,
                        where->column);
    else
      adit_config_error(c->errors, value->where, c->path->str, "%s is taken by %s", text, of);
    g_string_truncate(c->path, base);
    g_free(text);
  }
}

static void check_keys(Check *c, const char *scope, const AditValue *list) {
  guint n;
  const AditSchemaEntry *entries = adit_schema_scope(c->schema, scope, &n);
  for (guint i = 0; i < n; i++)
    if (entries[i].option->flags & ADIT_OPTION_KEY)
      check_key(c, entries[i].option, list);
}

static AditValue *check_many(Check *c, const AditOption *option, const AditYaml *node) {
  if (node->kind == ADIT_YAML_LIST)
    return check_list(c, option, node);

  AditValue *list = NULL;
  if (adit_yaml_is_empty(node)) {
    list = adit_value_list();
  } else if (node->kind == ADIT_YAML_SCALAR && option->type != ADIT_TYPE_MAP) {
    list = check_one(c, option, node, TRUE);
  } else {
    AditValue *item = check_one(c, option, node, FALSE);
    if (!item)
      return NULL;
    list = adit_value_list();
    adit_value_append(list, item);
  }
  if (list)
    list->where = node->where;
  return list;
}

static AditValue *check_option(Check *c, const AditOption *option, const AditYaml *node) {
  if (option->type != ADIT_TYPE_SET && !(option->flags & ADIT_OPTION_LIST))
    return check_one(c, option, node, FALSE);
  AditValue *list = check_many(c, option, node);
  if (list && option->type == ADIT_TYPE_SET)
    check_repeats(c, option, list);
  if (list && option->type == ADIT_TYPE_MAP)
    check_keys(c, option->words, list);
  return list;
}

static void fill_in(Check *c, const char *scope, const AditYaml *node, AditValue *map) {
  guint n;
  const AditSchemaEntry *entries = adit_schema_scope(c->schema, scope, &n);
  gsize base = c->path->len;

  for (guint i = 0; i < n; i++) {
    const AditOption *option = entries[i].option;
    if (adit_value_get(map, option->name))
      continue;
    gboolean written = node->kind == ADIT_YAML_MAP && g_hash_table_contains(node->index, option->name);
    if ((option->flags & ADIT_OPTION_REQUIRED) && !written) {
      adit_yaml_path_key(c->path, option->name);
      add_mistake(c, node, "is required");
      g_string_truncate(c->path, base);
    }
    AditValue *value = adit_schema_default_of(c->schema, scope, i, option, 0);
    if (value)
      adit_value_set(map, option->name, value);
  }
}

static AditValue *check_map(Check *c, const char *scope, const AditYaml *node) {
  AditValue *map = adit_value_map();
  gsize base = c->path->len;

  map->where = node->where;
  for (guint i = 0; node->kind == ADIT_YAML_MAP && i < node->items->len; i++) {
    const AditYaml *item = node->items->pdata[i];
    const AditSchemaEntry *entry = adit_schema_find(c->schema, scope, item->key);
    adit_yaml_path_key(c->path, item->key);
    AditValue *value = NULL;
    if (entry)
      value = check_option(c, entry->option, item);
    else
      unknown_option(c, scope, item);
    if (value)
      adit_value_set(map, item->key, value);
    g_string_truncate(c->path, base);
  }
  fill_in(c, scope, node, map);
  return map;
}

AditValue *adit_config_check(const AditSchema *schema, const AditYaml *top, GHashTable *secret_files, AditConfigErrors *errors) {
  Check c = {schema, errors, secret_files, g_string_new(NULL)};
  guint n;

  AditValue *tree = check_map(&c, ADIT_SCOPE_GLOBAL, top);
  g_string_free(c.path, TRUE);
  const AditSchemaCheckEntry *checks = adit_schema_checks(schema, &n);
  for (guint i = 0; i < n; i++)
    checks[i].check(tree, errors, checks[i].data);
  return tree;
}
