/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/plugin/daemon.h - the daemon put together from all modules; what core/aditd.c calls, and what its files share. */
#pragma once

#include "core/base/privileges.h"
#include "core/config/config.h"
#include "core/plugin/plugins.h"

/** The command line. Strings are borrowed for the daemon's life. */
typedef struct {
  const char *config;
  const char *const *plugin_dirs; /**< searched before the installed one; may be NULL */
  const char *socket;             /**< NULL = as configured */
  const char *state_dir;
  const char *user; /**< whom to become; NULL = as configured */
  int verbose;      /**< 1 = debug */
} AditDaemonOptions;

/** Runs until it is told to stop. Returns the exit status: 0, or 1 when it could not start. */
int adit_daemon_run(const AditDaemonOptions *options);

/** Checks the configuration as a start would; errors and warnings go to stdout. 0 = good, 1 = not. */
int adit_daemon_check(const AditDaemonOptions *options);

/**
 * Prints the schema of core and plugins as `what`: see adit_reference_print(). `man:NAME`, `sample:NAME` and `json:NAME` have
 * the options of plugin NAME, too, which is not loaded by itself. 0, or 1 with a message on stderr.
 */
int adit_daemon_print_schema(const AditDaemonOptions *options, const char *what);

/* ---- modules.c: what there is ---- */

/** Starts all modules that need no configuration, and the plugin module with their services. */
void adit_modules_init(void);

/** Frees everything, also after a start that failed half-way. */
void adit_modules_fini(void);

/** Tells the plugin module where to look. */
void adit_modules_add_dirs(const AditDaemonOptions *options);

/** Does so, and loads the plugins that the file at `config` names. Problems as adit_plugins_load(). */
gboolean adit_modules_load_plugins(const AditDaemonOptions *options, GPtrArray *problems);

/** All options of core and loaded plugins, with hints from installed NAME.schema files. */
AditSchema *adit_modules_schema(const AditDaemonOptions *options);

/* ---- reload.c ---- */

/** The end of a reload. `errors`: what was wrong and what is unwise; `refusal` if plugins refused; `changed`: top-level names, LIST. */
typedef void (*AditReloaded)(AditConfigErrors *errors, const GError *refusal, const AditValue *changed, gpointer data);

/** Reads the configuration off the loop, then applies it and logs the outcome; after those reloads that were asked for before. */
void adit_reload(const AditSchema *schema, const char *path, AditReloaded done, gpointer data);

/* ---- commands.c ---- */

/** Adds io.adit.daemon (`show plugins`, `reload`, `check`); `schema` and `path` are borrowed until adit_modules_fini(). */
gboolean adit_daemon_commands(const AditSchema *schema, const char *path, GError **error);

/* ---- trial.c ---- */

/** Tries what a start with `config` needs of the machine: ports, addresses, files, names, the state directory. Prints each problem. TRUE:
 * none. */
gboolean adit_trial_run(const AditDaemonOptions *options, const AditValue *config);

/* ---- system.c ---- */

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

/* ---- rights.c: before there are threads ---- */

/** The account that the command line or the configuration names. `*found` FALSE: nobody asked for one, and the usual one is not there. */
gboolean adit_rights_find_user(const AditDaemonOptions *options, const AditValue *config, AditUser *user, gboolean *found, GError **error);

/** Lets the group of that account read files with secrets, before the configuration is read. */
void adit_rights_know_reader(const AditDaemonOptions *options);

/**
 * Locks the state directory and the link group, makes the management socket, and gives them to the daemon's user; then becomes that user
 * with the capabilities that plugins declare. FALSE: the daemon does not start.
 */
gboolean adit_rights_give_up(const AditDaemonOptions *options, const AditValue *config, GError **error);

/** What becomes of a start without a state directory, for the reason `why`: FALSE and an error, unless `require-state` is no. */
gboolean adit_rights_without_state(const AditDaemonOptions *options, const AditValue *config, const char *why, GError **error);
