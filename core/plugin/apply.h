/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/plugin/apply.h - one configuration for modules and plugins: all take it, or none. All [main]. */
#pragma once

#include <adit/plugin.h>
#include <adit/value.h>

/** A module of the core that takes its part of the configuration in two phases, like a plugin; modules precede plugins. */
typedef struct {
  const char *name;
  /** As AditPluginInfo.prepare, always at once. May be NULL, as may the others. */
  gboolean (*prepare)(const AditValue *config, gpointer *staged, GError **error);
  void (*commit)(gpointer staged);
  void (*abort)(gpointer staged);
} AditModule;

/** The end of adit_plugins_apply(): `error` NULL = committed everywhere; else its message has a line for each that refused. */
typedef void (*AditApplied)(const GError *error, gpointer data);

/**
 * Gives `config` to all modules and plugins: all prepare, then all commit; if one refuses or is late (10 s) all abort and nothing
 * has changed. One at a time: a second one meanwhile is answered ADIT_ERR_BUSY. `done` is called once, maybe before the return.
 */
void adit_plugins_apply(const AditValue *config, AditApplied done, gpointer data);

/**
 * The first configuration: modules take it; then each plugin, in order of dependence, takes it and is started, so that it finds
 * those that it requires or wants at work. Ends at the first refusal; those started are left running: call adit_plugins_stop().
 */
void adit_plugins_start(const AditValue *config, AditApplied done, gpointer data);

/**
 * Whether plugins would take `config` as their first, with the refusals of all: they prepare and abort, and none is started, so that
 * nothing outside this process is touched. Call adit_plugins_fini() afterwards, as this configuration is in force nowhere.
 */
void adit_plugins_try(const AditValue *config, AditApplied done, gpointer data);

/** The daemon stops: an apply that waits is aborted, and from now on each is answered ADIT_ERR_BUSY. */
void adit_plugins_freeze(void);

/** The configuration last committed; borrowed, NULL before the first. */
const AditValue *adit_plugins_config(void);

/** For adit_plugins_fini(): forgets the configuration and an apply that waits. */
void adit_plugins_apply_fini(void);

/** For adit_plugins_init(). */
void adit_plugins_apply_init(const AditModule *modules, guint n_modules);

/** How long a pending prepare() is waited for; tests are impatient. */
extern guint adit_plugins_prepare_limit_ms;
