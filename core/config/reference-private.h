/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/config/reference-private.h - what the three forms of the reference share. Private to core/config. [any] */
#pragma once

#include "core/config/schema.h"

G_BEGIN_DECLS

/** A scope and where it stands. */
typedef struct {
  char *scope;
  char *places; /**< `l2tp.servers[], pppoe.servers[]`; "" for the top level; NULL when no loaded option opens it */
} AditReferenceScope;

/** All scopes, from the top level down in order of declaration, then those that nothing opens. Of AditReferenceScope; the caller's. */
GPtrArray *adit_reference_scopes(const AditSchema *schema);

/** What may be written: `integer, 512 to 65535 octets, or unlimited`. The caller's. */
char *adit_reference_type(const AditOption *option);

/** A value to show: the default, or something valid. As plain text, not quoted. The caller's. */
char *adit_reference_example(const AditOption *option);

/** `text` as a YAML scalar, in quotes where it must. The caller's. */
char *adit_reference_quote(const char *text);

G_END_DECLS
