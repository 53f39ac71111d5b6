/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/session/life/update.h - change of a session that is up. [main] */
#pragma once

#include <adit/value.h>

typedef struct AditSess AditSess;

/** AditSessionService.session_update() of a session that is not ending. */
gboolean adit_sess_update(AditSess *session, const AditValue *changes, GError **error);
