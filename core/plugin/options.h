/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/plugin/options.h - what the daemon itself is configured with: the accessors of options.def. */
#pragma once

#include <adit/option.h>

extern const AditOption adit_daemon_options[];
extern const guint adit_daemon_n_options;

#define ADIT_OPTION_ROW ADIT_OPTION_ACCESSOR
#include "core/plugin/options.def"
#undef ADIT_OPTION_ROW
