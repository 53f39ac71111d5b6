/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/base/main-calls.h - functions that other threads want called on the main loop. */
#pragma once

#include <adit/loop.h>

G_BEGIN_DECLS

#define ADIT_LOOP_CALL_BUDGET 256 /**< call_main() functions run in one dispatch */

/** Calls `func` on the main loop, in the order of the calls. [any] */
void adit_call_main(AditWorkFunc func, gpointer data);

/** Attaches the source that runs them; calls queued before it run then. [main] */
void adit_main_calls_init(void);
/** Runs what is left, and whatever that queues. [main] */
void adit_main_calls_run_all(void);
/** Detaches the source. [main] */
void adit_main_calls_fini(void);

G_END_DECLS
