/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/config/reference-scope.h"

static void free_reference_scope(gpointer data) {
  AditReferenceScope *scope = data;
  g_free(scope->scope);
  g_free(scope->places);
  g_free(scope);
}

static AditReferenceScope *scope_find(const GPtrArray *scopes, const char *name) {
  for (guint i = 0; i < scopes->len; i++) {
    AditReferenceScope *scope = scopes->pdata[i];
    if (!strcmp(scope->scope, name))
      return scope;
  }
  return NULL;
}

/* Adds `scope` at `place`, and what its options open below. A scope met again only gets the further place. */
static void walk_scopes(const AditSchema *schema, GPtrArray *scopes, const char *scope, const char *place) {
  AditReferenceScope *there = scope_find(scopes, scope);
  guint n;

  if (there) {
    char *places = g_strdup_printf("%s, %s", there->places, place);
    g_free(there->places);
    there->places = places;
    return;
  }
  there = g_new0(AditReferenceScope, 1);
  there->scope = g_strdup(scope);
  there->places = g_strdup(place);
  g_ptr_array_add(scopes, there);

  const AditSchemaEntry *entries = adit_schema_scope(schema, scope, &n);
  for (guint i = 0; i < n; i++) {
    const AditOption *option = entries[i].option;
    if (option->type != ADIT_TYPE_MAP)
      continue;
    g_autofree char *below =
        g_strdup_printf("%s%s%s%s", place, *place ? "." : "", option->name, option->flags & ADIT_OPTION_LIST ? "[]" : "");
    walk_scopes(schema, scopes, option->words, below);
  }
}

GPtrArray *adit_reference_scopes(const AditSchema *schema) {
  GPtrArray *scopes = g_ptr_array_new_with_free_func(free_reference_scope);
  g_autoptr(GPtrArray) names = adit_schema_scope_names(schema);

  walk_scopes(schema, scopes, ADIT_SCOPE_GLOBAL, "");
  for (guint i = 0; i < names->len; i++) {
    if (scope_find(scopes, names->pdata[i]))
      continue;
    AditReferenceScope *scope = g_new0(AditReferenceScope, 1);
    scope->scope = g_strdup(names->pdata[i]);
    g_ptr_array_add(scopes, scope);
  }
  return scopes;
}
