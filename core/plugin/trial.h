/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/plugin/trial.h - what a start needs of the machine, tried beforehand. All [main]. */
#pragma once

#include "core/plugin/command-line.h"
#include <adit/value.h>

/** Tries what a start with `config` needs of the machine: ports, addresses, files, names, the state directory. Prints each problem. TRUE:
 * none. */
gboolean adit_trial_run(const AditDaemonOptions *options, const AditValue *config);
