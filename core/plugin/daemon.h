/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/plugin/daemon.h - the daemon put together from all modules; the functions that core/aditd.c calls. */
#pragma once

#include "core/config/schema.h"
#include "core/plugin/command-line.h"

/** Runs until it is told to stop. Returns the exit status: 0, or 1 when it could not start. */
int adit_daemon_run(const AditDaemonOptions *options);

/** Checks the configuration as a start would; errors and warnings go to stdout. 0 = good, 1 = not. */
int adit_daemon_check(const AditDaemonOptions *options);

/**
 * Prints the schema of core and plugins as `what`: see adit_reference_print(). `man:NAME`, `sample:NAME` and `json:NAME` have
 * the options of plugin NAME, too, which is not loaded by itself. 0, or 1 with a message on stderr.
 */
int adit_daemon_print_schema(const AditDaemonOptions *options, const char *what);

/** Adds io.adit.daemon (`show plugins`, `reload`, `check`); `schema` and `path` are borrowed until adit_modules_fini(). */
gboolean adit_daemon_commands(const AditSchema *schema, const char *path, GError **error);
