/* SPDX-License-Identifier: MIT */
/** core/control/interface-check.h - whether an interface's methods and commands fit its description. Pure; libadit-test has it, too. */
#pragma once

#include "core/control/idl.h"
#include <adit/control.h>

G_BEGIN_DECLS

/** An interface that is to be added. */
typedef struct {
  const AditIdl *idl;
  const AditMethod *methods; /**< as long as this program's own struct */
  guint n_methods;
  const AditCommand *commands;
  guint n_commands;
  char *(*verb_owner)(const char *verb); /**< the owner of a command that exists already, for the message (the caller's); NULL = none */
} AditInterfaceCandidate;

/** Its mistake, `interface NAME: ...` (the caller's), and of what kind; NULL = nothing. */
char *adit_interface_wrong(const AditInterfaceCandidate *candidate, AditErrorCode *code);

/** Copies `n` structs that begin with their size into structs of `own` octets; members that an older plugin lacks are 0. NULL: they have no
 *  size, or different ones, or end before `least`. */
gpointer adit_interface_copy(gconstpointer structs, guint n, gsize own, gsize least);

G_END_DECLS
