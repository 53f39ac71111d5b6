/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * core/base/loop.h - the main loop: one timer wheel, one epoll descriptor, one way in from other threads.
 *
 * All of it runs on the default GMainContext, as a handful of GSources. Each dispatch has a budget (ADIT_LOOP_*_BUDGET).
 */
#pragma once

#include "core/base/main-calls.h"
#include "core/base/watches.h"
#include "core/base/work.h"
#include <adit/loop.h>

G_BEGIN_DECLS

#define ADIT_LOOP_TIMER_BUDGET 1024 /**< timers run in one dispatch */

/** Attaches to the default main context; the calling thread is the main thread from now on. */
void adit_loop_init(void);

/** Ends all work as adit_loop_drop_plugin() does, runs what call_main() has left, removes watches and timers. */
void adit_loop_fini(void);

/** The table behind ADIT_LOOP_SERVICE. */
const AditLoopService *adit_loop_service(void);

/** Removes the plugin's watches and ends its blocking work: waits for jobs that run, skips the `work` of those that
 *  have not begun, and calls every outstanding `done` before it returns. Jobs asked for meanwhile are refused. [main] */
void adit_loop_drop_plugin(AditPlugin *plugin);

/** Runs `timer` in `delay_ms` (at least 1), in place of what it was armed for. [main] */
void adit_timer_arm(AditTimer *timer, guint64 delay_ms);

/** [main] Harmless when idle. */
void adit_timer_cancel(AditTimer *timer);

G_END_DECLS
