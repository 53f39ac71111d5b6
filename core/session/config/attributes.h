/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/session/config/attributes.h - the words that a session's attributes are made of, and whether values fit them. [main] */
#pragma once

#include <adit/log.h>
#include <adit/option.h>

typedef struct AditSchema AditSchema; /* core/config/schema.h */

/** The schema by which attributes are shown as one would write them; borrowed. NULL = plain values. */
void adit_session_set_schema(const AditSchema *schema);

/** The declaration of an attribute: scope session, else profile, else secret. NULL if no table has it, or no schema is set. */
const AditOption *adit_attribute_option(const char *name);

/** A profile in which no option is written: all defaults, of plugins' options too. The caller's, to be completed. */
AditValue *adit_attributes_defaults(void);

/**
 * The attributes that `source` gave with its ACCEPT. Undeclared ones are left out, and logged. NULL with ADIT_ERR_INVALID when a
 * value is not what its word takes: a limit that is not understood must not become no limit. A new reference; a map that is
 * NULL comes back as an empty one.
 */
AditValue *adit_attributes_check(AditValue *given, const char *source, const AditLogContext *log, GError **error);
