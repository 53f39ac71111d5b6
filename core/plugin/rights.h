/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/plugin/rights.h - what is done as root before there are threads, and how that ends. All [main]. */
#pragma once

#include "core/base/privileges.h"
#include "core/plugin/command-line.h"
#include <adit/value.h>

/** The account that the command line or the configuration names. `*found` FALSE: none is configured, and the usual one does not exist. */
gboolean adit_rights_find_user(const AditDaemonOptions *options, const AditValue *config, AditUser *user, gboolean *found, GError **error);

/** Lets the group of that account read files with secrets, before the configuration is read. */
void adit_rights_know_reader(const AditDaemonOptions *options);

/**
 * Locks the state directory and the link group, makes the management socket, and gives them to the daemon's user; then becomes that user
 * with the capabilities that plugins declare. FALSE: the daemon does not start.
 */
gboolean adit_rights_give_up(const AditDaemonOptions *options, const AditValue *config, GError **error);

/** Handles a start without a state directory, for the reason `why`: FALSE and an error, unless `require-state` is no. */
gboolean adit_rights_without_state(const AditDaemonOptions *options, const AditValue *config, const char *why, GError **error);
