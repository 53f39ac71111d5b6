/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/pool/pool.h"

const AditOption adit_pool_options[] = {
#define ADIT_OPTION_ROW ADIT_OPTION_ENTRY
#include "core/pool/options.def"
#undef ADIT_OPTION_ROW
};

const guint adit_pool_n_options = G_N_ELEMENTS(adit_pool_options);
