/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/session/network/name.h - interface names. Pure. [any] */
#pragma once

#include <glib.h>

#define ADIT_INTERFACE_NAME 16 /**< IFNAMSIZ: fifteen octets and the end */

/**
 * `TRANSPORT-USER`, and for `attempt` above 0 `TRANSPORT-USER-ATTEMPT`; without a transport (NULL) just the user's part.
 *
 * Octets that an interface can't have become `_`. A name that was changed or is too long is cut and gets four hex
 * digits of its hash: it is the same each time, and two users seldom collide.
 *
 * @return the full name, to be freed, when `out` is not it; NULL when it is.
 */
char *adit_interface_name(const char *transport, const char *user, guint attempt, char out[ADIT_INTERFACE_NAME]);
