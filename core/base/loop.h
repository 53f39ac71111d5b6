/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * core/base/loop.h - the main loop: one timer wheel, one epoll descriptor, one way in from other threads.
 *
 * All of it runs on the default GMainContext, as a handful of GSources. Each dispatch has a budget (ADIT_LOOP_*_BUDGET).
 */
#pragma once

#include "core/base/owner.h"
#include <adit/loop.h>

G_BEGIN_DECLS

#define ADIT_LOOP_TIMER_BUDGET 1024 /**< timers run in one dispatch */
#define ADIT_LOOP_WATCH_BUDGET 64   /**< descriptors served in one dispatch */
#define ADIT_LOOP_CALL_BUDGET  256  /**< call_main() functions run in one dispatch */
#define ADIT_LOOP_WORK_THREADS 4    /**< run_blocking() threads of one plugin */
#define ADIT_LOOP_WORK_QUEUE   256  /**< run_blocking() jobs of one plugin that may wait for a thread */

/** Attaches to the default main context; the calling thread is the main thread from now on. */
void adit_loop_init(void);

/** Ends all work as adit_loop_drop_plugin() does, runs what call_main() has left, removes watches and timers. */
void adit_loop_fini(void);

/** The table behind ADIT_LOOP_SERVICE. */
const AditLoopService *adit_loop_service(void);

/** Removes the plugin's watches and ends its blocking work: waits for jobs that run, skips the `work` of those that
 *  have not begun, and calls every outstanding `done` before it returns. Jobs asked for meanwhile are refused. [main] */
void adit_loop_drop_plugin(AditPlugin *plugin);

/** The second half of it alone: nothing of the plugin's runs on another thread any more. Before its state is freed. [main] */
void adit_work_drop(AditPlugin *plugin);

/** Runs `timer` in `delay_ms` (at least 1), in place of what it was armed for. [main] */
void adit_timer_arm(AditTimer *timer, guint64 delay_ms);

/** [main] Harmless when idle. */
void adit_timer_cancel(AditTimer *timer);

/** Watches `fd` for GIOCondition bits, level-triggered. NULL when epoll refuses it (closed, a regular file, watched
 *  already: one watch an fd); logged. Remove the watch before closing the descriptor. [main] */
AditWatch *adit_watch_add(AditPlugin *plugin, int fd, guint condition, AditWatchFunc func, gpointer data);

/** Ends the watch, whose function is not called again; safe inside any watch's function; NULL is harmless. [main] */
void adit_watch_remove(AditWatch *watch);

/** Runs `work` on the plugin's own threads, then `done` (may be NULL) on the main loop, exactly once. FALSE when
 *  ADIT_LOOP_WORK_QUEUE jobs are waiting, or the plugin is being dropped: then neither is called. [main] */
gboolean adit_run_blocking(AditPlugin *plugin, AditWorkFunc work, AditWorkFunc done, gpointer data);

/** Calls `func` on the main loop, in the order of the calls. [any] */
void adit_call_main(AditWorkFunc func, gpointer data);

G_END_DECLS
