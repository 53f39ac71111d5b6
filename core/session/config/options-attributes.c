/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Attributes of sessions that a source may give; options.c has those that are RouterOS's profile alone. */
#include "core/session/config/options.h"

const AditOption adit_session_attributes[] = {
#define ADIT_OPTION_ROW ADIT_OPTION_ENTRY
#include <adit/session-attributes.def>
#undef ADIT_OPTION_ROW
};

const guint adit_session_n_attributes = G_N_ELEMENTS(adit_session_attributes);
