/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/base/clock.h - monotonic time. */
#pragma once

#include <adit/types.h>

G_BEGIN_DECLS

/** Monotonic milliseconds, never 0. Inside a dispatch of the main loop the value is that of the loop pass: it is read
 *  once and stays the same until the next pass. Everywhere else it is read afresh. [any] */
guint64 adit_now_ms(void);

/** Monotonic milliseconds, always read afresh. [any] */
guint64 adit_clock_ms(void);

/** The main loop calls this when a new pass begins, or when time has passed in poll(). [main] */
void adit_clock_new_pass(void);

/** Makes the calling thread the one that ends the passes of adit_now_ms(); FALSE ends it. */
void adit_clock_follow_passes(gboolean follow);

G_END_DECLS
