/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * core/base/stall.h - a call that does not return: a thread logs the call that holds the main loop, again and again until it returns.
 *
 * A call that returns late is named when it returns (core/base/hold.h). The thread takes no lock that the main loop's thread may hold, so
 * that it can log whatever that thread is stuck in. Capabilities belong to threads, so it must not run while the daemon gives up its
 * rights.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

enum { ADIT_STALL_FIRST_MS = 1000, ADIT_STALL_AGAIN_MS = 10000 };

/** Begins to look on: a call that lasts `first_ms` is logged, and again every `again_ms`. Harmless when it runs. [main] */
void adit_stall_start(guint first_ms, guint again_ms);

/** Ends the thread, and waits for it. Harmless when there is none. [main] */
void adit_stall_stop(void);

G_END_DECLS
