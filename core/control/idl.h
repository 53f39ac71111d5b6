/* SPDX-License-Identifier: MIT */
/** core/control/idl.h - Varlink's interface definition language: what a description says. Pure; libadit-test has it, too. */
#pragma once

#include <adit/types.h>

G_BEGIN_DECLS

typedef enum {
  ADIT_IDL_BOOL = 1,
  ADIT_IDL_INT,
  ADIT_IDL_FLOAT,
  ADIT_IDL_STRING,
  ADIT_IDL_OBJECT,
  ADIT_IDL_LIST,
  ADIT_IDL_DICT, /**< `[string]T` */
  ADIT_IDL_ENUM,
  ADIT_IDL_STRUCT,
  ADIT_IDL_NAMED,
} AditIdlKind;

typedef struct AditIdlType {
  AditIdlKind kind;
  gboolean optional;
  char *name;                        /**< of a NAMED */
  const struct AditIdlType *element; /**< of a LIST or DICT */
  GPtrArray *names;                  /**< of char*: fields of a STRUCT, words of an ENUM */
  GPtrArray *types;                  /**< of AditIdlType*: of the fields */
} AditIdlType;

typedef struct {
  char *name;
  const AditIdlType *in, *out; /**< STRUCTs: the parameters, and what the reply has */
} AditIdlMethod;

typedef struct {
  char *interface;
  GPtrArray *methods; /**< of AditIdlMethod* */
  GPtrArray *types;   /**< of char*: names of described types */
  GPtrArray *described; /**< of AditIdlType*: those types, in the same order */
  GPtrArray *errors;  /**< of char* */
  GPtrArray *owned;   /**< of AditIdlType*: all that there are */
} AditIdl;

/** Parses a description. NULL when it does not follow the grammar, describes a name twice or uses an undescribed type; the error begins
 *  with line and column. */
AditIdl *adit_idl_parse(const char *text, GError **error);

void adit_idl_free(AditIdl *idl);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditIdl, adit_idl_free)

/** NULL if it is not described. */
const AditIdlMethod *adit_idl_method(const AditIdl *idl, const char *name);

/** The type that the description calls so; NULL = none. */
const AditIdlType *adit_idl_type(const AditIdl *idl, const char *name);

/** Does the list hold `name`? */
gboolean adit_idl_has(const GPtrArray *names, const char *name, gsize length);

G_END_DECLS
