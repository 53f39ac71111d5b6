/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/config/schema.h"

#include "core/config/format.h"
#include "core/config/schema.h"
#include "core/config/types.h"

typedef struct {
  GArray *entries;     /* AditSchemaEntry, in order of declaration */
  GPtrArray *defaults; /* AditValue* or NULL, beside entries */
  GHashTable *index;   /* name -> position + 1 */
} Scope;

struct AditSchema {
  GHashTable *scopes; /* name -> Scope */
  GPtrArray *owners;  /* interned names, in order of adding */
  GHashTable *absent; /* "scope name" -> interned owner that is not loaded */
  AditSchemaFinder is_plugin;
  GArray *checks;     /* AditSchemaCheckEntry */
  GPtrArray *strings; /* what read options point into */
  GPtrArray *tables;  /* read options */
  char *error;
};

static void free_scope(gpointer data) {
  Scope *scope = data;
  g_array_unref(scope->entries);
  g_ptr_array_unref(scope->defaults);
  g_hash_table_unref(scope->index);
  g_free(scope);
}

AditSchema *adit_schema_new(void) {
  AditSchema *schema = g_new0(AditSchema, 1);
  schema->scopes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_scope);
  schema->owners = g_ptr_array_new();
  schema->absent = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  schema->checks = g_array_new(FALSE, FALSE, sizeof(AditSchemaCheckEntry));
  schema->strings = g_ptr_array_new_with_free_func(g_free);
  schema->tables = g_ptr_array_new_with_free_func(g_free);
  return schema;
}

void adit_schema_free(AditSchema *schema) {
  if (!schema)
    return;
  g_hash_table_unref(schema->scopes);
  g_ptr_array_unref(schema->owners);
  g_hash_table_unref(schema->absent);
  g_array_unref(schema->checks);
  g_ptr_array_unref(schema->strings);
  g_ptr_array_unref(schema->tables);
  g_free(schema->error);
  g_free(schema);
}

static Scope *scope_get(AditSchema *schema, const char *name) {
  Scope *scope = g_hash_table_lookup(schema->scopes, name);
  if (!scope) {
    scope = g_new0(Scope, 1);
    scope->entries = g_array_new(FALSE, FALSE, sizeof(AditSchemaEntry));
    scope->defaults = g_ptr_array_new_with_free_func((GDestroyNotify)adit_value_unref);
    scope->index = g_hash_table_new(g_str_hash, g_str_equal);
    g_hash_table_insert(schema->scopes, g_strdup(name), scope);
  }
  return scope;
}

G_GNUC_PRINTF(4, 5)
static gboolean report_bug(AditSchema *schema, const char *owner, const AditOption *option, const char *format, ...) {
  if (!schema->error) {
    va_list args;
    va_start(args, format);
    g_autofree char *what = g_strdup_vprintf(format, args);
    va_end(args);
    schema->error = g_strdup_printf("option %s of %s: %s", option->name ? option->name : "(no name)", owner, what);
  }
  return FALSE;
}

enum {
  FLAGS_KNOWN = ADIT_OPTION_LIST | ADIT_OPTION_REQUIRED | ADIT_OPTION_SECRET | ADIT_OPTION_OFF | ADIT_OPTION_ATTRIBUTE | ADIT_OPTION_COA |
                ADIT_OPTION_KEY | ADIT_OPTION_CARRIED,
};

static gboolean is_kebab(const char *name) {
  return name && g_ascii_islower(*name) && name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")] == 0;
}

static gboolean words_are_sane(AditSchema *schema, const char *owner, const AditOption *option) {
  g_auto(GStrv) tokens = g_strsplit(option->words, " ", -1);
  g_auto(GStrv) words = adit_option_words(option);
  for (char **t = tokens; *t; t++) {
    const char *equals = strchr(*t, '=');
    if (equals && !g_strv_contains((const char *const *)words, equals + 1))
      return report_bug(schema, owner, option, "its words have no %s for %s", equals + 1, *t);
  }
  return words[0] || report_bug(schema, owner, option, "has no words");
}

/* Refuses options that could not be configured. `*fallback` gets the default, typed. */
static gboolean option_is_sane(AditSchema *schema, const char *owner, const AditOption *option, AditValue **fallback) {
  g_autoptr(GError) error = NULL;
  gboolean worded = option->type == ADIT_TYPE_ENUM || option->type == ADIT_TYPE_SET;

  if (!is_kebab(option->name))
    return report_bug(schema, owner, option, "its name is not in kebab-case");
  if (option->type < ADIT_TYPE_BOOL || option->type > ADIT_TYPE_OCTETS)
    return report_bug(schema, owner, option, "has no type");
  if (option->flags & ~(guint)FLAGS_KNOWN)
    return report_bug(schema, owner, option, "has flags 0x%x, which nobody knows", option->flags & ~(guint)FLAGS_KNOWN);
  if (option->reload < ADIT_RELOAD_LIVE || option->reload > ADIT_RELOAD_RESTART)
    return report_bug(schema, owner, option, "its reload is no AditReload");
  if (!option->scopes || !*option->scopes)
    return report_bug(schema, owner, option, "has no scope");
  if ((worded || option->type == ADIT_TYPE_MAP) && (!option->words || !*option->words))
    return report_bug(schema, owner, option, "has no words");
  if (worded && !words_are_sane(schema, owner, option))
    return FALSE;
  if (option->min > option->max)
    return report_bug(schema, owner, option, "min is over max");
  if (!option->fallback)
    return TRUE;
  if (option->type == ADIT_TYPE_MAP || (option->flags & ADIT_OPTION_REQUIRED))
    return report_bug(schema, owner, option, "can have no default");
  *fallback = adit_option_parse(option, option->fallback, &error);
  if (!*fallback)
    return report_bug(schema, owner, option, "its default: %s", error->message);
  (*fallback)->flags |= ADIT_VALUE_IS_DEFAULT;
  return TRUE;
}

static gboolean is_same_option(const AditOption *a, const AditOption *b) {
  return a->type == b->type && a->flags == b->flags && a->min == b->min && a->max == b->max && !g_strcmp0(a->words, b->words) &&
         !g_strcmp0(a->fallback, b->fallback);
}

static gboolean scope_add(AditSchema *schema, const char *owner, const AditOption *option, const char *name, AditValue *fallback) {
  Scope *scope = scope_get(schema, name);
  guint at = GPOINTER_TO_UINT(g_hash_table_lookup(scope->index, option->name));
  if (at) {
    const AditSchemaEntry *there = &g_array_index(scope->entries, AditSchemaEntry, at - 1);
    return is_same_option(there->option, option) ||
           report_bug(schema, owner, option, "%s declares it otherwise in scope %s", there->owner, name);
  }
  AditSchemaEntry entry = {option, owner};
  g_array_append_val(scope->entries, entry);
  g_ptr_array_add(scope->defaults, adit_value_ref(fallback));
  g_hash_table_insert(scope->index, (gpointer)option->name, GUINT_TO_POINTER(scope->entries->len));
  return TRUE;
}

gboolean adit_schema_add(AditSchema *schema, const char *owner, const AditOption *options, guint n) {
  gboolean ok = TRUE;
  owner = g_intern_string(owner);
  if (!adit_schema_has_owner(schema, owner))
    g_ptr_array_add(schema->owners, (gpointer)owner);
  for (guint i = 0; i < n; i++) {
    g_autoptr(AditValue) fallback = NULL;
    if (!option_is_sane(schema, owner, &options[i], &fallback)) {
      ok = FALSE;
      continue;
    }
    g_auto(GStrv) scopes = g_strsplit(options[i].scopes, " ", -1);
    for (char **s = scopes; *s; s++)
      if (**s)
        ok &= scope_add(schema, owner, &options[i], *s, fallback);
  }
  return ok;
}

const char *adit_schema_error(const AditSchema *schema) {
  return schema->error;
}

const AditSchemaEntry *adit_schema_find(const AditSchema *schema, const char *scope, const char *name) {
  const Scope *s = g_hash_table_lookup(schema->scopes, scope);
  guint at = s ? GPOINTER_TO_UINT(g_hash_table_lookup(s->index, name)) : 0;
  return at ? &g_array_index(s->entries, AditSchemaEntry, at - 1) : NULL;
}

const AditSchemaEntry *adit_schema_scope(const AditSchema *schema, const char *scope, guint *n) {
  const Scope *s = g_hash_table_lookup(schema->scopes, scope);
  *n = s ? s->entries->len : 0;
  return s ? (const AditSchemaEntry *)(gpointer)s->entries->data : NULL;
}

const AditValue *adit_schema_default(const AditSchema *schema, const char *scope, guint index) {
  const Scope *s = g_hash_table_lookup(schema->scopes, scope);
  return s->defaults->pdata[index];
}

void adit_schema_add_check(AditSchema *schema, AditSchemaCheck check, gpointer data) {
  AditSchemaCheckEntry entry = {check, data};
  g_array_append_val(schema->checks, entry);
}

const AditSchemaCheckEntry *adit_schema_checks(const AditSchema *schema, guint *n) {
  *n = schema->checks->len;
  return (const AditSchemaCheckEntry *)(gpointer)schema->checks->data;
}

gboolean adit_schema_has_owner(const AditSchema *schema, const char *owner) {
  return g_ptr_array_find(schema->owners, g_intern_string(owner), NULL);
}

void adit_schema_add_absent(AditSchema *schema, const char *owner, const AditOption *option) {
  g_auto(GStrv) scopes = g_strsplit(option->scopes, " ", -1);
  for (char **s = scopes; *s; s++)
    if (**s)
      g_hash_table_insert(schema->absent, g_strdup_printf("%s %s", *s, option->name), (gpointer)g_intern_string(owner));
}

const char *adit_schema_absent_owner(const AditSchema *schema, const char *scope, const char *name) {
  g_autofree char *key = g_strdup_printf("%s %s", scope, name);
  const char *owner = g_hash_table_lookup(schema->absent, key);
  gboolean ask = !owner && schema->is_plugin && !strcmp(scope, ADIT_SCOPE_GLOBAL) && !adit_schema_has_owner(schema, name);

  return ask && schema->is_plugin(name) ? g_intern_string(name) : owner;
}

void adit_schema_set_finder(AditSchema *schema, AditSchemaFinder is_plugin) {
  schema->is_plugin = is_plugin;
}

char *adit_schema_plugins_with(const AditSchema *schema, const char *owner) {
  GString *text = g_string_new(NULL);
  for (guint i = 0; i < schema->owners->len; i++)
    if (strcmp(schema->owners->pdata[i], "core"))
      g_string_append_printf(text, "%s, ", (const char *)schema->owners->pdata[i]);
  g_string_append(text, owner);
  return g_string_free(text, FALSE);
}

AditOption *adit_schema_keep_table(AditSchema *schema, guint n) {
  AditOption *table = g_new0(AditOption, n);
  g_ptr_array_add(schema->tables, table);
  return table;
}

const char *adit_schema_keep_string(AditSchema *schema, char *text) {
  if (text)
    g_ptr_array_add(schema->strings, text);
  return text;
}

static gint compare_entries(gconstpointer a, gconstpointer b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

GPtrArray *adit_schema_scope_names(const AditSchema *schema) {
  GPtrArray *names = g_ptr_array_new();
  GHashTableIter iter;
  gpointer name;
  g_hash_table_iter_init(&iter, schema->scopes);
  while (g_hash_table_iter_next(&iter, &name, NULL))
    g_ptr_array_add(names, name);
  g_ptr_array_sort(names, compare_entries);
  return names;
}

GPtrArray *adit_schema_options_of(const AditSchema *schema, const char *owner) {
  GPtrArray *options = g_ptr_array_new();
  g_autoptr(GHashTable) seen = g_hash_table_new(g_direct_hash, g_direct_equal);
  g_autoptr(GPtrArray) names = adit_schema_scope_names(schema);

  for (guint s = 0; s < names->len; s++) {
    guint n;
    const AditSchemaEntry *entries = adit_schema_scope(schema, names->pdata[s], &n);
    for (guint i = 0; i < n; i++)
      if (!strcmp(entries[i].owner, owner) && g_hash_table_add(seen, (gpointer)entries[i].option))
        g_ptr_array_add(options, (gpointer)entries[i].option);
  }
  return options;
}

/* ---- scopes that exist ---- */

static gboolean scope_is_held(const AditSchema *schema, const char *name) {
  GHashTableIter iter;
  gpointer key, scope;

  g_hash_table_iter_init(&iter, schema->scopes);
  while (g_hash_table_iter_next(&iter, NULL, &scope)) {
    const GArray *entries = ((const Scope *)scope)->entries;
    for (guint i = 0; i < entries->len; i++) {
      const AditOption *option = g_array_index(entries, AditSchemaEntry, i).option;
      if (option->type == ADIT_TYPE_MAP && !strcmp(option->words, name))
        return TRUE;
    }
  }
  g_autofree char *begin = g_strconcat(name, " ", NULL); /* of a plugin that is not loaded */
  g_hash_table_iter_init(&iter, schema->absent);
  while (g_hash_table_iter_next(&iter, &key, NULL))
    if (g_str_has_prefix((const char *)key, begin))
      return TRUE;
  return FALSE;
}

gboolean adit_schema_check_scopes(AditSchema *schema) {
  static const char *const always[] = {ADIT_SCOPE_GLOBAL, ADIT_SCOPE_SERVER, ADIT_SCOPE_CLIENT, ADIT_SCOPE_BINDING, ADIT_SCOPE_PROFILE,
                                       ADIT_SCOPE_SECRET, ADIT_SCOPE_AAA,    ADIT_SCOPE_POOL,   ADIT_SCOPE_SESSION, NULL};
  g_autoptr(GPtrArray) names = adit_schema_scope_names(schema);
  gboolean good = TRUE;

  for (guint i = 0; i < names->len; i++) {
    const char *name = (const char *)names->pdata[i];
    if (g_strv_contains(always, name) || scope_is_held(schema, name))
      continue;
    guint n;
    const AditSchemaEntry *entry = adit_schema_scope(schema, name, &n);
    good =
        report_bug(schema, entry->owner, entry->option,
                   "there is no scope `%s`: it is none of global, server, client, binding, profile, secret, aaa, pool, session, and no MAP "
                   "option holds it in its words",
                   name);
  }
  return good;
}
