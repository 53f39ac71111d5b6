/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/base/random.h - unpredictable octets from the kernel. */
#pragma once

#include <adit/types.h>

G_BEGIN_DECLS

/**
 * Fills `buffer` with octets of getrandom(2), of which each thread keeps a few hundred for small requests; none is handed out twice, in
 * a forked child neither. Cannot fail: a kernel that refuses is the end of the process. [any]
 */
void adit_random(gpointer buffer, gsize length);

G_END_DECLS
