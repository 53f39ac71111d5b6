/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** The rows of options.def, as functions that read them. */
#pragma once

#include <adit/option.h>

#define ADIT_OPTION_ROW ADIT_OPTION_ACCESSOR
#include "options.def"
#undef ADIT_OPTION_ROW
