/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/control/commands.h - the commands that the core itself offers. All [main]. */
#pragma once

#include <adit/types.h>

/** Adds the interfaces of sessions and pools (`show sessions`, `disconnect`, ...). */
gboolean adit_control_session_commands(GError **error);
/** Adds io.adit.aaa (`show logins`, `forgive`); adit_control_session_commands() does. */
gboolean adit_control_aaa_commands(GError **error);
/** Adds io.adit.net (`show claims`). */
gboolean adit_control_net_commands(GError **error);
