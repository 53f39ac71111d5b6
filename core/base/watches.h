/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/base/watches.h - descriptors that the main loop watches. All [main]. */
#pragma once

#include "core/base/owner.h"
#include <adit/loop.h>

G_BEGIN_DECLS

#define ADIT_LOOP_WATCH_BUDGET 64 /**< descriptors served in one dispatch */

/** Watches `fd` for GIOCondition bits, level-triggered. NULL when epoll refuses it (closed, a regular file, watched
 *  already: one watch an fd); logged. Remove the watch before closing the descriptor */
AditWatch *adit_watch_add(AditPlugin *plugin, int fd, guint condition, AditWatchFunc func, gpointer data);
/** Ends the watch; its function is not called again; safe inside any watch's function; NULL is harmless */
void adit_watch_remove(AditWatch *watch);

void adit_watches_init(void);
void adit_watches_fini(void);
/** Removes the watches that `plugin` added. */
void adit_watches_drop(AditPlugin *plugin);

G_END_DECLS
