/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** plugins-auth/radius/options.h - what radius is configured with: the table and the accessors of options.def. */
#pragma once

#include <adit/session-options.h>

#define ADIT_OPTION_ROW ADIT_OPTION_ACCESSOR
#include "options.def"
#undef ADIT_OPTION_ROW

enum {
  RADIUS_N_OPTIONS = 0
#define ADIT_OPTION_ROW(...) +1
#include "options.def"
#undef ADIT_OPTION_ROW
};

extern const AditOption radius_options[];
