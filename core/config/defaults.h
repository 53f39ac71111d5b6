/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/config/defaults.h - the values of options that are not written. [any] */
#pragma once

#include "core/config/schema.h"

G_BEGIN_DECLS

/** A map of `scope` in which no option is written: each option that has a default, with ADIT_VALUE_IS_DEFAULT. The caller's. */
AditValue *adit_schema_defaults(const AditSchema *schema, const char *scope);
/** The same for one table, without a schema. */
AditValue *adit_options_defaults(const AditOption *options, guint n, const char *scope);

/** The value of the `index`th option of `scope` when it is not written; NULL if it is absent then. `depth`: of maps that opened it. The
 * caller's.
 */
AditValue *adit_schema_default_of(const AditSchema *schema, const char *scope, guint index, const AditOption *option, guint depth);

G_END_DECLS
