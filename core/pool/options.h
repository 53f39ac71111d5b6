/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/pool/options.h - what pools are configured with: the accessors of options.def. */
#pragma once

#include <adit/option.h>

#define ADIT_OPTION_ROW ADIT_OPTION_ACCESSOR
#include "core/pool/options.def"
#undef ADIT_OPTION_ROW
