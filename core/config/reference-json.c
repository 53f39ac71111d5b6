/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Editors parse YAML with its own guesses: a text may reach them as a number, a word as a boolean. The schema allows for that. */
#include <json-glib/json-glib.h>

#include "core/config/format.h"
#include "core/config/reference-option.h"
#include "core/config/reference-scope.h"
#include "core/config/reference.h"
#include "core/config/types.h"

static void add_member(JsonBuilder *b, const char *name, const char *value) {
  json_builder_set_member_name(b, name);
  json_builder_add_string_value(b, value);
}

static void begin_object(JsonBuilder *b, const char *name) {
  if (name)
    json_builder_set_member_name(b, name);
  json_builder_begin_object(b);
}

static void add_types(JsonBuilder *b, const char *const *names) {
  json_builder_set_member_name(b, "type");
  json_builder_begin_array(b);
  for (; *names; names++)
    json_builder_add_string_value(b, *names);
  json_builder_end_array(b);
}

static void add_enumeration(JsonBuilder *b, const char *const *words) {
  json_builder_set_member_name(b, "enum");
  json_builder_begin_array(b);
  for (const char *const *w = words; *w; w++)
    json_builder_add_string_value(b, *w);
  if (g_strv_contains(words, "yes"))
    json_builder_add_boolean_value(b, TRUE);
  if (g_strv_contains(words, "no"))
    json_builder_add_boolean_value(b, FALSE);
  json_builder_end_array(b);
}

/* One value of the option's type, as the members of an object that is open. */
static void one_value(JsonBuilder *b, const AditOption *option) {
  static const char *const bools[] = {"yes", "no", "true", "false", "on", "off", NULL};
  static const char *const texts[] = {"string", "number", "boolean", "null", NULL};
  static const char *const units[] = {"string", "integer", NULL};

  switch (option->type) {
  case ADIT_TYPE_BOOL:
    add_enumeration(b, bools);
    break;
  case ADIT_TYPE_INT:
    add_member(b, "type", "integer");
    if (option->min || option->max) {
      json_builder_set_member_name(b, "minimum");
      json_builder_add_int_value(b, option->flags & ADIT_OPTION_OFF ? MIN(option->min, 0) : option->min);
      json_builder_set_member_name(b, "maximum");
      json_builder_add_int_value(b, option->max);
    }
    break;
  case ADIT_TYPE_DURATION:
  case ADIT_TYPE_RATE:
  case ADIT_TYPE_SIZE:
    add_types(b, units);
    break;
  case ADIT_TYPE_STRING:
    add_types(b, texts);
    break;
  case ADIT_TYPE_ENUM:
  case ADIT_TYPE_SET: {
    g_auto(GStrv) words = adit_option_spellings(option);
    add_enumeration(b, (const char *const *)words);
    break;
  }
  case ADIT_TYPE_ADDRESS:
  case ADIT_TYPE_PREFIX:
  case ADIT_TYPE_ADDRESS_OR_NAME:
  case ADIT_TYPE_RANGE:
  case ADIT_TYPE_OCTETS:
    add_member(b, "type", "string");
    break;
  case ADIT_TYPE_MAP: {
    g_autofree char *ref = g_strdup_printf("#/$defs/%s", option->words);
    add_member(b, "$ref", ref);
    break;
  }
  }
}

static void add_alternatives(JsonBuilder *b, const AditOption *option, gboolean many, gboolean off) {
  static const char *const off_words[] = {"none", "disabled", "unlimited", "no", NULL};

  json_builder_set_member_name(b, "anyOf");
  json_builder_begin_array(b);
  begin_object(b, NULL);
  one_value(b, option);
  json_builder_end_object(b);
  if (many) {
    begin_object(b, NULL);
    add_member(b, "type", "array");
    begin_object(b, "items");
    one_value(b, option);
    json_builder_end_object(b);
    json_builder_end_object(b);
  }
  if (adit_option_splits(option)) { /* a, b */
    begin_object(b, NULL);
    add_member(b, "type", "string");
    json_builder_end_object(b);
  }
  if (off) {
    begin_object(b, NULL);
    add_enumeration(b, off_words);
    json_builder_end_object(b);
  }
  json_builder_end_array(b);
}

static void default_value(JsonBuilder *b, const AditOption *option) {
  g_autoptr(AditValue) value = option->fallback ? adit_option_parse(option, option->fallback, NULL) : NULL;
  if (!value)
    return;
  json_builder_set_member_name(b, "default");
  if (value->type == ADIT_VALUE_BOOL)
    json_builder_add_boolean_value(b, value->as.boolean);
  else if (value->type == ADIT_VALUE_INT && option->type == ADIT_TYPE_INT && value->as.integer)
    json_builder_add_int_value(b, value->as.integer);
  else
    json_builder_add_string_value(b, option->fallback);
}

static void add_option_schema(JsonBuilder *b, const AditOption *option) {
  gboolean many = option->type == ADIT_TYPE_SET || (option->flags & ADIT_OPTION_LIST), off = (option->flags & ADIT_OPTION_OFF) != 0;
  g_autofree char *type = adit_reference_type(option);
  g_autofree char *help = g_strdup_printf("%s (%s)", option->help ? option->help : option->name, type);

  begin_object(b, option->name);
  add_member(b, "description", help);
  default_value(b, option);
  if (option->flags & ADIT_OPTION_SECRET) {
    json_builder_set_member_name(b, "writeOnly");
    json_builder_add_boolean_value(b, TRUE);
  }
  if (many || off)
    add_alternatives(b, option, many, off);
  else
    one_value(b, option);
  json_builder_end_object(b);
}

static void add_scope_schema(JsonBuilder *b, const AditSchema *schema, const char *scope) {
  guint n;
  const AditSchemaEntry *entries = adit_schema_scope(schema, scope, &n);

  add_member(b, "type", "object");
  json_builder_set_member_name(b, "additionalProperties");
  json_builder_add_boolean_value(b, FALSE);
  begin_object(b, "properties");
  for (guint i = 0; i < n; i++)
    add_option_schema(b, entries[i].option);
  json_builder_end_object(b);
  json_builder_set_member_name(b, "required");
  json_builder_begin_array(b);
  for (guint i = 0; i < n; i++)
    if (entries[i].option->flags & ADIT_OPTION_REQUIRED)
      json_builder_add_string_value(b, entries[i].option->name);
  json_builder_end_array(b);
}

char *adit_reference_json(const AditSchema *schema) {
  g_autoptr(JsonBuilder) b = json_builder_new();
  g_autoptr(GPtrArray) scopes = adit_reference_scopes(schema);

  json_builder_begin_object(b);
  add_member(b, "$schema", "https://json-schema.org/draft/2020-12/schema");
  add_member(b, "title", "adit.yaml");
  add_scope_schema(b, schema, ADIT_SCOPE_GLOBAL);
  begin_object(b, "$defs");
  for (guint i = 0; i < scopes->len; i++) {
    const AditReferenceScope *scope = scopes->pdata[i];
    if (!strcmp(scope->scope, ADIT_SCOPE_GLOBAL))
      continue;
    begin_object(b, scope->scope);
    add_scope_schema(b, schema, scope->scope);
    json_builder_end_object(b);
  }
  json_builder_end_object(b);
  json_builder_end_object(b);

  g_autoptr(JsonNode) root = json_builder_get_root(b);
  g_autofree char *text = json_to_string(root, TRUE);
  return g_strconcat(text, "\n", NULL);
}
