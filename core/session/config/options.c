/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The properties of RouterOS's `/ppp profile`, `/ppp secret`, `l2tp-server` and `l2tp-client` that belong to no transport. */
#include "core/session/config/options.h"

const AditOption adit_session_options[] = {
#define ADIT_OPTION_ROW ADIT_OPTION_ENTRY
#include <adit/session-options.def>
#undef ADIT_OPTION_ROW
};

const guint adit_session_n_options = G_N_ELEMENTS(adit_session_options);

/* Attributes of sessions that a source may give. */
const AditOption adit_session_attributes[] = {
#define ADIT_OPTION_ROW ADIT_OPTION_ENTRY
#include <adit/session-attributes.def>
#undef ADIT_OPTION_ROW
};

const guint adit_session_n_attributes = G_N_ELEMENTS(adit_session_attributes);
