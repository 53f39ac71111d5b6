/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * core/config/config.h - reads the configuration: YAML files -> one typed, checked, immutable tree.
 *
 * The tree is a MAP of the options of scope "global". A MAP option is a nested MAP, an option with ADIT_OPTION_LIST a
 * LIST (of one, if a single value was written). Defaults are filled in, in each map that was written and in each single
 * map that was not, and carry ADIT_VALUE_IS_DEFAULT; an option that is not written and has no default is absent. value->where
 * is the place of its key, or of the item in a list. [any]: all functions only read the schema.
 */
#pragma once

#include "core/config/errors.h"
#include "core/config/schema.h"

G_BEGIN_DECLS

/**
 * Reads `path` and then each `*.yaml` of the folder conf.d beside it, in order of their names: maps join, lists append,
 * a scalar set twice is an error. NULL, with all errors in `errors`, if anything is wrong; warnings may be there in any
 * case (a file with secrets that others may read). The tree is the caller's.
 */
AditValue *adit_config_load(const AditSchema *schema, const char *path, AditConfigErrors *errors);

/** The same from memory; `name` is the file's name in errors. `length` -1 = NUL-terminated. For tests and fuzzing. */
AditValue *adit_config_load_text(const AditSchema *schema, const char *name, const char *text, gssize length, AditConfigErrors *errors);

/**
 * The texts of one list at the top level (`plugins`), read before there is a schema: the plugins to load decide which options can be
 * checked. NULL when it is not written or the files can't be read: adit_config_load() then reports why. The caller frees (g_strfreev).
 */
char **adit_config_peek(const char *path, const char *key);

/** Files with secrets may be readable for this group, the daemon's own, without a warning; 0 = for none. Before any is read by threads. */
void adit_config_set_reader(gid_t gid);

/** Warns of each option that differs between `before` and `now` and takes a restart (ADIT_RELOAD_RESTART). */
void adit_config_warn_restart(const AditSchema *schema, const AditValue *before, const AditValue *now, AditConfigErrors *errors);

/**
 * Replaces the parts of `fresh` that equal those of `before`, places included, by those of `before`: its parts that are equal are replaced
 * by those of `before`. Takes over `fresh`, which must have no other reference; the result is the caller's.
 */
AditValue *adit_config_share(AditValue *fresh, const AditValue *before);

/** True if both are the same in type and content; flags and places do not count. NULL equals NULL alone. */
gboolean adit_value_equal(const AditValue *a, const AditValue *b);

G_END_DECLS
