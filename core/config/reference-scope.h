/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/config/reference-scope.h - the scopes that the reference describes. [any] */
#pragma once

#include "core/config/schema.h"

G_BEGIN_DECLS

/** A scope and its place in the file. */
typedef struct {
  char *scope;
  char *places; /**< `l2tp.servers[], pppoe.servers[]`; "" for the top level; NULL when no loaded option opens it */
} AditReferenceScope;

/** All scopes, from the top level down in order of declaration, then those that nothing opens. Of AditReferenceScope; the caller's. */
GPtrArray *adit_reference_scopes(const AditSchema *schema);

G_END_DECLS
