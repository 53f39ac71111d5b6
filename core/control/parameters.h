/* SPDX-License-Identifier: MIT */
/** core/control/parameters.h - the parameters of a call against the description of its method. Pure; libadit-test has it, too. */
#pragma once

#include "core/control/idl.h"
#include <adit/value.h>

G_BEGIN_DECLS

/**
 * Checks `given` (a MAP) against what the description says of `method`. Returns what the plugin is given: a reference to `given`, or a copy
 * in which strings that aditctl sent for a bool, int or float have that type. NULL: `*which` is the parameter that is missing or has
 * another type, and `*why` (the caller's) says so. A parameter without a description is passed on unchanged.
 */
AditValue *adit_parameters_check(const AditIdl *idl, const AditIdlMethod *method, const AditValue *given, const char **which, char **why);

G_END_DECLS
