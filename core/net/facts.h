/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/net/facts.h - the machine's own addresses and next hops, for protected.h: read at the start, and kept by what the watch sees. */
#pragma once

#include "core/net/watch.h"

G_BEGIN_DECLS

void adit_facts_event(const AditWatched *watched); /**< [main] */
/** Reads them again; at once, or a while after the last time. [main] */
void adit_facts_scan(void);
void adit_facts_fini(void); /**< [main] */

G_END_DECLS
