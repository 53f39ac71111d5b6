/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * core/base/wheel.h - a hierarchical timer wheel: one ms of resolution, O(1) to arm and to cancel, no allocation.
 *
 * The wheel knows no clock: its owner passes the time. The main loop advances one by the monotonic clock, a
 * simulation by its virtual one, and engines can't tell which. Arming, cancelling, re-arming and freeing any timer
 * inside any timer's function is safe. One thread at a time.
 */
#pragma once

#include <adit/loop.h>

G_BEGIN_DECLS

typedef struct AditWheel AditWheel;

/** A wheel with the time `now` (ms). Free with adit_wheel_free(). */
AditWheel *adit_wheel_new(guint64 now);

/** Frees the wheel; timers that are still armed become idle. */
void adit_wheel_free(AditWheel *wheel);

/** Runs `timer` at `deadline_ms`, instead of when it was armed for before. A deadline that has passed is due in the
 *  next adit_wheel_advance(), not in one that is running: a timer that re-arms itself for now does not spin. */
void adit_wheel_arm(AditWheel *wheel, AditTimer *timer, guint64 deadline_ms);

/** Makes the timer idle; harmless when it is. */
void adit_wheel_cancel(AditWheel *wheel, AditTimer *timer);

/** True from arm to cancel or to just before the timer's function is called. */
gboolean adit_timer_is_armed(const AditTimer *timer);

/** Sets the wheel's time to `now` (never back) and runs what is due, in order of deadline, equal ones in order of arming. */
void adit_wheel_advance(AditWheel *wheel, guint64 now);

/** Like adit_wheel_advance(), but calls at most `max` functions. False when something due is left for the next call. */
gboolean adit_wheel_advance_some(AditWheel *wheel, guint64 now, guint max);

/** When to advance next: never later than the earliest deadline and exact within 64 ms of it. Farther away it may be
 *  earlier (the time when a coarse slot has to be sorted into finer ones: advance to it, then call this function once more). 0 when no
 * timer is armed. Costs a few instructions whatever the number of timers. */
guint64 adit_wheel_next(AditWheel *wheel);

/** Number of timers armed. */
guint adit_wheel_count(const AditWheel *wheel);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(AditWheel, adit_wheel_free)

G_END_DECLS
