/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** plugins/ccp/options.h - what ccp is configured with: the table and the accessors of options.def. */
#pragma once

#include <adit/session-options.h>

#define ADIT_OPTION_ROW ADIT_OPTION_ACCESSOR
#include "options.def"
#undef ADIT_OPTION_ROW

enum {
  CCP_N_OPTIONS = 0
#define ADIT_OPTION_ROW(...) +1
#include "options.def"
#undef ADIT_OPTION_ROW
};

extern const AditOption ccp_options[];
