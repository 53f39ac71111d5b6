/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/base/loop-private.h - between loop.c, watch.c and work.c. All [main]. */
#pragma once

#include "core/base/loop.h"

G_BEGIN_DECLS

void adit_watches_init(void);
void adit_watches_fini(void);
/** Removes the watches that `plugin` added. */
void adit_watches_drop(AditPlugin *plugin);

/** Ends the blocking work of all. */
void adit_work_drop_all(void);

G_END_DECLS
