/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/plugin/system.h - the service manager and limits of the process. All [main]. */
#pragma once

#include <glib.h>

/** sd_notify; nothing without systemd. */
void adit_system_notify(const char *state);

/** Tells the service manager why the start failed: STATUS and, unless 0, ERRNO. */
void adit_system_notify_failure(int number, const char *why);

/** Microseconds between the watchdog's signs of life; 0 = none wanted. */
guint64 adit_system_watchdog_us(void);

/** Says RELOADING=1 with the time that systemd asks for. */
void adit_system_notify_reloading(void);

/** As many open files as the hard limit allows. */
void adit_system_raise_files(void);
