/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/config/check.h - from the untyped tree to the typed one. Private to core/config. [any] */
#pragma once

#include "core/config/schema.h"
#include "core/config/yaml.h"

G_BEGIN_DECLS

/**
 * Types `top` by the schema, fills in defaults and runs the schema's checks. Always returns a tree, the caller's: it is to
 * be used only if `errors` has none. `secret_files` (set of interned names, may be NULL) gets the files that hold secrets.
 */
AditValue *adit_config_check(const AditSchema *schema, const AditYaml *top, GHashTable *secret_files, AditConfigErrors *errors);

G_END_DECLS
