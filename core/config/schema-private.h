/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/config/schema-private.h - what the other files of core/config need of the schema. */
#pragma once

#include "core/config/schema.h"

G_BEGIN_DECLS

typedef struct {
  AditSchemaCheck check;
  gpointer data;
} AditSchemaCheckEntry;

/** The checks in order of their registration. Borrowed. */
const AditSchemaCheckEntry *adit_schema_checks(const AditSchema *schema, guint *n);

/** The typed default of the `index`th option of `scope`, which must exist; NULL if it has none. Borrowed. */
const AditValue *adit_schema_default(const AditSchema *schema, const char *scope, guint index);

gboolean adit_schema_has_owner(const AditSchema *schema, const char *owner);
void adit_schema_add_absent(AditSchema *schema, const char *owner, const AditOption *option);

/** A table of `n` zeroed options that lives as long as the schema. */
AditOption *adit_schema_keep_table(AditSchema *schema, guint n);

/** Takes over `text`, which may be NULL, for as long as the schema lives. */
const char *adit_schema_keep_string(AditSchema *schema, char *text);

/** The names of all scopes, sorted: of borrowed const char*. The caller's. */
GPtrArray *adit_schema_scope_names(const AditSchema *schema);

/** Each option of `owner` once: of borrowed const AditOption*. The caller's. */
GPtrArray *adit_schema_options_of(const AditSchema *schema, const char *owner);

G_END_DECLS
