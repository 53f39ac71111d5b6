/* SPDX-License-Identifier: MIT */
#include "core/control/parameters.h"

static const AditIdlType *resolve_type(const AditIdl *idl, const AditIdlType *type) {
  return type->kind == ADIT_IDL_NAMED ? adit_idl_type(idl, type->name) : type;
}

static gboolean reads_as_number(const char *text) {
  char *end;

  g_ascii_strtod(text, &end);
  return end != text && !*end && !g_ascii_isspace(*text);
}

static gboolean value_fits(const AditIdl *idl, const AditIdlType *type, const AditValue *value);

static gboolean elements_fit(const AditIdl *idl, const AditIdlType *type, const AditValue *value) {
  gboolean list = type->kind == ADIT_IDL_LIST;

  if (value->type != (list ? ADIT_VALUE_LIST : ADIT_VALUE_MAP))
    return FALSE;
  for (guint i = 0; i < adit_value_length(value); i++)
    if (!value_fits(idl, type->element, list ? adit_value_at(value, i) : adit_value_get(value, adit_value_key(value, i))))
      return FALSE;
  return TRUE;
}

static gboolean fields_fit(const AditIdl *idl, const AditIdlType *type, const AditValue *value) {
  if (value->type != ADIT_VALUE_MAP)
    return FALSE;
  for (guint i = 0; i < type->names->len; i++) {
    const AditIdlType *field = (const AditIdlType *)type->types->pdata[i];
    const AditValue *item = adit_value_get(value, (const char *)type->names->pdata[i]);
    if (item ? !value_fits(idl, field, item) : !field->optional)
      return FALSE;
  }
  return TRUE;
}

static gboolean value_fits(const AditIdl *idl, const AditIdlType *type, const AditValue *value) {
  type = resolve_type(idl, type);
  switch (type->kind) {
  case ADIT_IDL_BOOL:
    return value->type == ADIT_VALUE_BOOL;
  case ADIT_IDL_INT:
    return value->type == ADIT_VALUE_INT;
  case ADIT_IDL_FLOAT: /* a value has none: JSON's are strings here */
    return value->type == ADIT_VALUE_INT || (value->type == ADIT_VALUE_STRING && reads_as_number(value->as.string));
  case ADIT_IDL_STRING:
    return value->type == ADIT_VALUE_STRING;
  case ADIT_IDL_OBJECT:
    return value->type == ADIT_VALUE_MAP;
  case ADIT_IDL_ENUM:
    return value->type == ADIT_VALUE_STRING && adit_idl_has(type->names, value->as.string, strlen(value->as.string));
  case ADIT_IDL_LIST:
  case ADIT_IDL_DICT:
    return elements_fit(idl, type, value);
  case ADIT_IDL_STRUCT:
    return fields_fit(idl, type, value);
  case ADIT_IDL_NAMED:
    break;
  }
  return FALSE;
}

/* aditctl sends strings; NULL: it does not read as the type. */
static AditValue *convert_string(const AditIdlType *type, const char *text) {
  gint64 number;

  if (type->kind == ADIT_IDL_INT && g_ascii_string_to_signed(text, 10, G_MININT64, G_MAXINT64, &number, NULL))
    return adit_value_int(number);
  if (type->kind == ADIT_IDL_BOOL && (!strcmp(text, "yes") || !strcmp(text, "true")))
    return adit_value_bool(TRUE);
  if (type->kind == ADIT_IDL_BOOL && (!strcmp(text, "no") || !strcmp(text, "false")))
    return adit_value_bool(FALSE);
  return NULL;
}

static char *name_type(const AditIdlType *type) {
  static const char *const words[] = {
      [ADIT_IDL_BOOL] = "a bool",
      [ADIT_IDL_INT] = "an int",
      [ADIT_IDL_FLOAT] = "a float",
      [ADIT_IDL_STRING] = "a string",
      [ADIT_IDL_OBJECT] = "an object",
      [ADIT_IDL_LIST] = "a list of its type",
      [ADIT_IDL_DICT] = "a map of its type",
      [ADIT_IDL_STRUCT] = "an object with the fields of its type",
  };
  if (type->kind != ADIT_IDL_ENUM)
    return g_strdup(words[type->kind]);
  GString *text = g_string_new("one of");
  for (guint i = 0; i < type->names->len; i++)
    g_string_append_printf(text, "%s %s", i ? "," : "", (const char *)type->names->pdata[i]);
  return g_string_free(text, FALSE);
}

static void set_item(AditValue **map, const AditValue *given, const char *name, AditValue *item) {
  if (!*map) {
    *map = adit_value_map();
    for (guint i = 0; i < adit_value_length(given); i++)
      adit_value_set(*map, adit_value_key(given, i), adit_value_ref(adit_value_get(given, adit_value_key(given, i))));
  }
  adit_value_set(*map, name, item);
}

AditValue *adit_parameters_check(const AditIdl *idl, const AditIdlMethod *method, const AditValue *given, const char **which, char **why) {
  g_autoptr(AditValue) changed = NULL;

  for (guint i = 0; i < method->in->names->len; i++) {
    const AditIdlType *field = (const AditIdlType *)method->in->types->pdata[i], *type = resolve_type(idl, field);
    const AditValue *item = adit_value_get(given, *which = (const char *)method->in->names->pdata[i]);
    if (!item && field->optional)
      continue;
    if (!item) {
      *why = g_strdup_printf("parameter `%s` is missing", *which);
      return NULL;
    }
    if (value_fits(idl, type, item))
      continue;
    AditValue *converted = item->type == ADIT_VALUE_STRING ? convert_string(type, item->as.string) : NULL;
    if (converted) {
      set_item(&changed, given, *which, converted);
      continue;
    }
    g_autofree char *wanted = name_type(type);
    *why = g_strdup_printf("parameter `%s` is not %s", *which, wanted);
    return NULL;
  }
  return changed ? g_steal_pointer(&changed) : adit_value_ref((AditValue *)given);
}
