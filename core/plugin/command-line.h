/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/plugin/command-line.h - what aditd was called with. */
#pragma once

#include <glib.h>

/** The command line. Strings are borrowed for the daemon's life. */
typedef struct {
  const char *config;
  const char *const *plugin_dirs; /**< searched before the installed one; may be NULL */
  const char *socket;             /**< NULL = as configured */
  const char *state_dir;
  const char *user; /**< the user to become; NULL = as configured */
  int verbose;      /**< 1 = debug */
} AditDaemonOptions;
