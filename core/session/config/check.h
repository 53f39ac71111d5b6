/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/session/config/check.h - what no single option can say of profiles, secrets, servers and clients. */
#pragma once

#include "core/config/schema.h"

/** An AditSchemaCheck: profiles that are named exist, pools that are named exist, routes can be parsed. `data` is unused. */
void adit_session_check(const AditValue *tree, AditConfigErrors *errors, gpointer data);
