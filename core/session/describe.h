/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/session/describe.h - sessions as people and programs see and name them. [main] */
#pragma once

#include <adit/types.h>
#include <adit/value.h>

/** The row of one in `show sessions`: a MAP, the caller's; NULL if it is gone. */
AditValue *adit_session_row(AditSessionId id);
/** For `show session ID`: one MAP with everything, NULL if there is none. `which` is an id in hex, an interface name, or a user name. The
 *  caller owns the result. */
AditValue *adit_session_describe(const char *which);
/** Ends the session or, given a user name, all sessions of that user; returns how many. */
guint adit_session_disconnect(const char *which, AditCause cause, const char *reason);
