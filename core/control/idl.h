/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/control/idl.h - Varlink's interface definition language: what a description says. Pure. */
#pragma once

#include <adit/types.h>

G_BEGIN_DECLS

typedef struct {
  char *name;
  GPtrArray *in, *out; /**< of char*: names of parameters, and of what the reply has */
} AditIdlMethod;

typedef struct {
  char *interface;
  GPtrArray *methods; /**< of AditIdlMethod* */
  GPtrArray *types;   /**< of char*: names of described types */
  GPtrArray *errors;  /**< of char* */
} AditIdl;

/** Reads a description. NULL, and an error that begins with line and column, when it does not follow the grammar, describes a name twice
 *  or uses a type that it does not describe. */
AditIdl *adit_idl_parse(const char *text, GError **error);

void adit_idl_free(AditIdl *idl);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditIdl, adit_idl_free)

/** NULL if it is not described. */
const AditIdlMethod *adit_idl_method(const AditIdl *idl, const char *name);

/** Does the list hold `name`? */
gboolean adit_idl_has(const GPtrArray *names, const char *name, gsize length);

G_END_DECLS
