/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "options.h"

/* The core has the options of every transport (name, authentication, profiles, MTU ...). */
const AditOption l2tp_options[] = {
#define ADIT_OPTION_ROW ADIT_OPTION_ENTRY
#include "options.def"
#undef ADIT_OPTION_ROW
};
