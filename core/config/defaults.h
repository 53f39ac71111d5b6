/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/config/defaults.h - what an option is that nobody wrote. [any] */
#pragma once

#include "core/config/schema.h"

G_BEGIN_DECLS

/** A map of `scope` in which nobody wrote anything: each option that has a default, with ADIT_VALUE_IS_DEFAULT. The caller's. */
AditValue *adit_schema_defaults(const AditSchema *schema, const char *scope);
/** The same for one table, without a schema. */
AditValue *adit_options_defaults(const AditOption *options, guint n, const char *scope);

/** What the `index`th option of `scope` is when nobody wrote it; NULL if it is absent then. `depth`: of maps that opened it. The caller's.
 */
AditValue *adit_schema_default_of(const AditSchema *schema, const char *scope, guint index, const AditOption *option, guint depth);

G_END_DECLS
