/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/session/config/check-addresses.h - addresses that the configuration gives to users and to our own ends. [any] */
#pragma once

#include "core/config/errors.h"
#include <adit/address.h>

G_BEGIN_DECLS

/** Mistakes in the addresses of `profiles` and `secrets`, each by itself and with one another. */
void adit_session_check_addresses(const AditValue *tree, AditConfigErrors *errors);
/** All single addresses that profiles and enabled secrets name, of either end: AditPrefix, the caller's. */
GArray *adit_session_fixed_addresses(const AditValue *tree);

G_END_DECLS
