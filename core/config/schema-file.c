/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* NAME.schema: a key file with one group for each option, in the words of adit/option.h. */
#include "core/config/schema.h"

#define SCHEMA_FILE_OPTIONS_MAX 4096

static const char *const type_words[] = {
    [ADIT_TYPE_BOOL] = "bool",
    [ADIT_TYPE_INT] = "int",
    [ADIT_TYPE_DURATION] = "duration",
    [ADIT_TYPE_RATE] = "rate",
    [ADIT_TYPE_SIZE] = "size",
    [ADIT_TYPE_STRING] = "string",
    [ADIT_TYPE_ENUM] = "enum",
    [ADIT_TYPE_SET] = "set",
    [ADIT_TYPE_ADDRESS] = "address",
    [ADIT_TYPE_PREFIX] = "prefix",
    [ADIT_TYPE_RANGE] = "range",
    [ADIT_TYPE_MAP] = "map",
    [ADIT_TYPE_ADDRESS_OR_NAME] = "address-or-name",
    [ADIT_TYPE_OCTETS] = "octets",
};
static const char *const flag_words[] = {"list", "required", "secret", "off", "attribute", "coa", "key", "carried"};
static const char *const reload_words[] = {
    [ADIT_RELOAD_LIVE] = "live", [ADIT_RELOAD_NEXT_SESSION] = "next-session", [ADIT_RELOAD_RESTART] = "restart"};

static int word_index(const char *const *words, guint n, const char *word) {
  for (guint i = 0; i < n; i++)
    if (words[i] && word && !strcmp(words[i], word))
      return (int)i;
  return -1;
}

static void set_text(GKeyFile *file, const char *group, const char *key, const char *text) {
  if (text)
    g_key_file_set_string(file, group, key, text);
}

static void option_write(GKeyFile *file, const char *group, const AditOption *option) {
  const char *flags[G_N_ELEMENTS(flag_words)];
  gsize n = 0;
  for (guint i = 0; i < G_N_ELEMENTS(flag_words); i++)
    if (option->flags & 1u << i)
      flags[n++] = flag_words[i];

  set_text(file, group, "name", option->name);
  set_text(file, group, "scopes", option->scopes);
  set_text(file, group, "type", type_words[option->type]);
  if (n)
    g_key_file_set_string_list(file, group, "flags", flags, n);
  set_text(file, group, "reload", reload_words[option->reload]);
  if (option->min || option->max) {
    g_key_file_set_int64(file, group, "min", option->min);
    g_key_file_set_int64(file, group, "max", option->max);
  }
  set_text(file, group, "default", option->fallback);
  set_text(file, group, "words", option->words);
  set_text(file, group, "unit", option->unit);
  set_text(file, group, "help", option->help);
  set_text(file, group, "reference", option->reference);
}

char *adit_schema_write(const AditSchema *schema, const char *owner) {
  g_autoptr(GKeyFile) file = g_key_file_new();
  g_autoptr(GPtrArray) options = adit_schema_options_of(schema, owner);
  for (guint i = 0; i < options->len; i++) {
    g_autofree char *group = g_strdup_printf("option %u", i + 1);
    option_write(file, group, options->pdata[i]);
  }
  return g_key_file_to_data(file, NULL, NULL);
}

static gboolean option_read(AditSchema *schema, GKeyFile *file, const char *group, AditOption *option, GError **error) {
  g_autofree char *type = g_key_file_get_string(file, group, "type", NULL);
  g_autofree char *reload = g_key_file_get_string(file, group, "reload", NULL);
  g_auto(GStrv) flags = g_key_file_get_string_list(file, group, "flags", NULL, NULL);
  int type_index = word_index(type_words, G_N_ELEMENTS(type_words), type);
  int reload_index = word_index(reload_words, G_N_ELEMENTS(reload_words), reload);

  option->name = adit_schema_keep_string(schema, g_key_file_get_string(file, group, "name", NULL));
  option->scopes = adit_schema_keep_string(schema, g_key_file_get_string(file, group, "scopes", NULL));
  if (type_index < 0 || reload_index < 0 || !option->name || !option->scopes) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_INVALID, "[%s] has no known name, scopes, type or reload", group);
    return FALSE;
  }
  option->type = (AditType)type_index;
  option->reload = (AditReload)reload_index;
  for (char **f = flags; f && *f; f++) {
    int flag = word_index(flag_words, G_N_ELEMENTS(flag_words), *f);
    if (flag < 0) {
      g_set_error(error, ADIT_ERROR, ADIT_ERR_INVALID, "[%s] has an unknown flag %s", group, *f);
      return FALSE;
    }
    option->flags |= 1u << flag;
  }
  option->min = g_key_file_get_int64(file, group, "min", NULL);
  option->max = g_key_file_get_int64(file, group, "max", NULL);
  option->fallback = adit_schema_keep_string(schema, g_key_file_get_string(file, group, "default", NULL));
  option->words = adit_schema_keep_string(schema, g_key_file_get_string(file, group, "words", NULL));
  option->unit = adit_schema_keep_string(schema, g_key_file_get_string(file, group, "unit", NULL));
  option->help = adit_schema_keep_string(schema, g_key_file_get_string(file, group, "help", NULL));
  option->reference = adit_schema_keep_string(schema, g_key_file_get_string(file, group, "reference", NULL));
  return TRUE;
}

static AditOption *options_read(AditSchema *schema, const char *text, guint *n, GError **error) {
  g_autoptr(GKeyFile) file = g_key_file_new();
  gsize groups;
  if (*text && !g_key_file_load_from_data(file, text, (gsize)-1, G_KEY_FILE_NONE, error))
    return NULL;
  g_auto(GStrv) names = g_key_file_get_groups(file, &groups);
  if (groups > SCHEMA_FILE_OPTIONS_MAX) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_INVALID, "has too many options");
    return NULL;
  }
  AditOption *table = adit_schema_keep_table(schema, (guint)groups + 1);
  for (gsize i = 0; i < groups; i++)
    if (!option_read(schema, file, names[i], &table[i], error))
      return NULL;
  *n = (guint)groups;
  return table;
}

gboolean adit_schema_read(AditSchema *schema, const char *owner, const char *text, GError **error) {
  guint n;
  AditOption *table = options_read(schema, text, &n, error);
  if (!table)
    return FALSE;
  if (adit_schema_add(schema, owner, table, n))
    return TRUE;
  g_set_error(error, ADIT_ERROR, ADIT_ERR_INVALID, "%s", adit_schema_error(schema));
  return FALSE;
}

static gboolean load_absent(AditSchema *schema, const char *path, const char *owner, GError **error) {
  g_autofree char *text = NULL;
  guint n;
  if (!g_file_get_contents(path, &text, NULL, error))
    return FALSE;
  const AditOption *table = options_read(schema, text, &n, error);
  if (!table) {
    g_prefix_error(error, "%s: ", path);
    return FALSE;
  }
  for (guint i = 0; i < n; i++)
    adit_schema_add_absent(schema, owner, &table[i]);
  return TRUE;
}

gboolean adit_schema_load_dir(AditSchema *schema, const char *folder, GError **error) {
  g_autoptr(GError) e = NULL;
  g_autoptr(GDir) dir = g_dir_open(folder, 0, &e);
  const char *name;

  if (!dir) {
    if (g_error_matches(e, G_FILE_ERROR, G_FILE_ERROR_NOENT))
      return TRUE;
    g_propagate_error(error, g_steal_pointer(&e));
    return FALSE;
  }
  while ((name = g_dir_read_name(dir))) {
    if (!g_str_has_suffix(name, ".schema") || *name == '.')
      continue;
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autofree char *owner = g_strndup(name, strlen(name) - strlen(".schema"));
    if (!adit_schema_has_owner(schema, owner) && !load_absent(schema, path, owner, error))
      return FALSE;
  }
  return TRUE;
}
