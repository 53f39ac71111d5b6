/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/base/work.h - blocking work on threads: each plugin has its own. */
#pragma once

#include "core/base/owner.h"
#include <adit/loop.h>

G_BEGIN_DECLS

#define ADIT_LOOP_WORK_THREADS 4   /**< run_blocking() threads of one plugin */
#define ADIT_LOOP_WORK_QUEUE   256 /**< run_blocking() jobs of one plugin that may wait for a thread */

/** The second half of adit_loop_drop_plugin() alone: nothing of the plugin's runs on another thread any more. Before its state is freed.
 * [main] */
void adit_work_drop(AditPlugin *plugin);
/** Runs `work` on the plugin's own threads, then `done` (may be NULL) on the main loop, exactly once. FALSE when
 *  ADIT_LOOP_WORK_QUEUE jobs are waiting, or the plugin is being dropped: then neither is called. [main] */
gboolean adit_run_blocking(AditPlugin *plugin, AditWorkFunc work, AditWorkFunc done, gpointer data);

/** Ends the blocking work of all. [main] */
void adit_work_drop_all(void);

G_END_DECLS
