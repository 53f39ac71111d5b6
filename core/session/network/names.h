/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * core/session/network/names.h - names of the interfaces that sessions have for themselves: which are in use, and the next that is free.
 * A user's sessions are numbered by the smallest number that is free, found in constant time, however many there are. [main]
 */
#pragma once

#include "core/session/network/name.h"

typedef struct AditNameBase AditNameBase;

/** A name in use. Zero-initialise. */
typedef struct {
  char name[ADIT_INTERFACE_NAME];
  AditNameBase *base; /**< for the sessions that are numbered together; NULL = a name that was chosen as it is */
  guint32 number;
} AditNameHold;

void adit_names_init(void);
void adit_names_fini(void);
/** Takes the first free name of adit_interface_name(transport, user, 0, 1, ...). Returns the full name as that does; the caller's. */
char *adit_names_take(AditNameHold *hold, const char *transport, const char *user);
/** Takes exactly that name, unless it is in use. */
gboolean adit_names_take_chosen(AditNameHold *hold, const char *name);
/** Gives it back; harmless without a name. */
void adit_names_give_back(AditNameHold *hold);
/** The kernel has an interface of that name which is not ours: it is given back, and not tried again while others of its base live. Take
 * the next one first. */
void adit_names_refuse(AditNameHold *hold);
