/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/config/reference.h"

char *adit_reference_print(const AditSchema *schema, const char *what, GError **error) {
  static const char prefix[] = "schema:";
  if (!strcmp(what, "man"))
    return adit_reference_man(schema);
  if (!strcmp(what, "sample"))
    return adit_reference_sample(schema);
  if (!strcmp(what, "json"))
    return adit_reference_json(schema);
  if (!g_str_has_prefix(what, prefix)) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_INVALID, "%s is not one of man, sample, json, schema:NAME", what);
    return NULL;
  }
  const char *owner = what + strlen(prefix);
  if (!adit_schema_has_owner(schema, owner)) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_NOT_FOUND, "no plugin %s is loaded", owner);
    return NULL;
  }
  return adit_schema_write(schema, owner);
}
