/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/session/config/options.h - what servers, clients, profiles and secrets of every transport have in common. */
#pragma once

#include <adit/option.h>

/** The tables; any plugin may add to the same scopes. Constant. [any] */
extern const AditOption adit_session_options[];
extern const guint adit_session_n_options;
/** More of the scopes profile and secret, and the scope session. */
extern const AditOption adit_session_attributes[];
extern const guint adit_session_n_attributes;
