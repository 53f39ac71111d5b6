/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/plugin/options.h"

#include "core/control/control.h"
#include "core/net/net.h"

const AditOption adit_daemon_options[] = {
#define ADIT_OPTION_ROW ADIT_OPTION_ENTRY
#include "core/plugin/options.def"
#undef ADIT_OPTION_ROW
};
const guint adit_daemon_n_options = G_N_ELEMENTS(adit_daemon_options);
