/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/session/network/plane.h - the data plane of a session: what may pass, and from where. [main] */
#pragma once

#include <adit/address.h>

typedef struct AditSess AditSess;

/** Tells the data plane which protocols may pass, and the MSS. */
void adit_sess_set_plane(AditSess *session);
/** Are packets dropped whose source is not the session's? */
gboolean adit_sess_checks_source(const AditSess *session);
/** The session may send from there, and on a shared interface gets what is sent there. FALSE: another session on that interface
 *  has it, which is logged. */
gboolean adit_sess_own_prefix(AditSess *session, const AditPrefix *prefix);
/** Undoes that, before the session's end: another one takes the prefix over. */
void adit_sess_disown_prefix(AditSess *session, const AditPrefix *prefix);
