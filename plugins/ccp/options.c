/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "options.h"

const AditOption ccp_options[] = {
#define ADIT_OPTION_ROW ADIT_OPTION_ENTRY
#include "options.def"
#undef ADIT_OPTION_ROW
};
