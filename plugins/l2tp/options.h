/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** plugins/l2tp/options.h - what l2tp is configured with: the table and the accessors of options.def. */
#pragma once

#include "engine/header.h"
#include <adit/session-options.h>

#define ADIT_OPTION_ROW ADIT_OPTION_ACCESSOR
#include "options.def"
#undef ADIT_OPTION_ROW

enum {
  L2TP_N_OPTIONS = 0
#define ADIT_OPTION_ROW(...) +1
#include "options.def"
#undef ADIT_OPTION_ROW
};

extern const AditOption l2tp_options[];
