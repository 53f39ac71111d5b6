/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * core/config/schema.h - the registry of every option that core and plugins declare, by its scopes.
 *
 * It is filled on the main loop before the first load and not changed afterwards; loading, formatting and printing the
 * reference only read it, so they may run on any thread.
 */
#pragma once

#include <adit/option.h>

#include "core/config/errors.h"

G_BEGIN_DECLS

typedef struct AditSchema AditSchema;

/** One option in one scope. */
typedef struct {
  const AditOption *option; /**< borrowed from the table that was added */
  const char *owner;        /**< interned: a plugin's name, or "core" */
} AditSchemaEntry;

AditSchema *adit_schema_new(void);
void adit_schema_free(AditSchema *schema);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditSchema, adit_schema_free)

/**
 * Adds a table. `options` is borrowed and must live as long as the schema: static tables do, plugins stay resident.
 * The same option twice in one scope is fine when both declare the same. FALSE when a declaration is a bug (another
 * type than before, words that do not parse, a fallback outside its own range ...); adit_schema_error() then returns
 * what, and adit_config_load() refuses with it, so that no caller need look.
 */
gboolean adit_schema_add(AditSchema *schema, const char *owner, const AditOption *options, guint n);

/** Call after all tables were added and the folder was loaded. FALSE, and adit_schema_error(), if an option has a scope that no file can
 * contain. */
gboolean adit_schema_check_scopes(AditSchema *schema);

/** The first wrong declaration, or NULL. Borrowed. */
const char *adit_schema_error(const AditSchema *schema);

/** The option `name` of `scope`, or NULL. Borrowed, valid until the next adit_schema_add(). */
const AditSchemaEntry *adit_schema_find(const AditSchema *schema, const char *scope, const char *name);

/** The options of `scope` in the order of their declaration: AditSchemaEntry; *n is 0 and NULL comes back for no such scope. Borrowed. */
const AditSchemaEntry *adit_schema_scope(const AditSchema *schema, const char *scope, guint *n);

/**
 * A check that runs over the whole typed tree after typing, for what one option alone cannot say ("no profile is named
 * so"). It also runs when there were errors, so that all come in one go: values that were wrong are then absent or have
 * their default. Report with adit_config_error(errors, value->where, path, ...). May run off the main loop: read only the tree and `data`.
 */
typedef void (*AditSchemaCheck)(const AditValue *tree, AditConfigErrors *errors, gpointer data);
void adit_schema_add_check(AditSchema *schema, AditSchemaCheck check, gpointer data);

/**
 * Reads all NAME.schema files of a folder. Options of owners that were not added become hints: `bridge belongs to
 * plugin bcp, which is not loaded: write plugins: [l2tp, bcp]`. Call after the last adit_schema_add(). A missing folder is not an error.
 */
gboolean adit_schema_load_dir(AditSchema *schema, const char *folder, GError **error);

/** The owner, not loaded, of option `name` in `scope`; NULL if none is known. Interned. */
const char *adit_schema_absent_owner(const AditSchema *schema, const char *scope, const char *name);

/** Is there a plugin of this name that could be loaded? Any thread. */
typedef gboolean (*AditSchemaFinder)(const char *name);
/** For the hint where no NAME.schema gives it: an unknown option of scope global that has a plugin's name is taken for that plugin's. */
void adit_schema_set_finder(AditSchema *schema, AditSchemaFinder is_plugin);

/** The value that `plugins` needs: those that were added, and `owner`; "l2tp, bcp". The caller's. */
char *adit_schema_plugins_with(const AditSchema *schema, const char *owner);

/** The text of NAME.schema: all options of `owner`. */
char *adit_schema_write(const AditSchema *schema, const char *owner);

/** Reads such a text as options of `owner`, as if its table had been added: a reference can be printed without the plugin. */
gboolean adit_schema_read(AditSchema *schema, const char *owner, const char *text, GError **error);

/* ---- for the other files of core/config ---- */

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
