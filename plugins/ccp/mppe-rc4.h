/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** mppe-rc4.h - keys of RC4, of which stateless MPPE sets two for each packet. [any] */
#pragma once

#include <adit/types.h>
#include <nettle/arcfour.h>

/** As arcfour_set_key(), in a third of its time. `length` is a power of two. */
void mppe_rc4_set_key(struct arcfour_ctx *rc4, guint length, const guint8 *key);
