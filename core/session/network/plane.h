/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/session/network/plane.h - the data plane of a session: what may pass, from where, and how much has. [main] */
#pragma once

#include <adit/path.h>

typedef struct AditSess AditSess;
typedef struct AditSessLink AditSessLink;

/** Opens it on the session's interface. */
gboolean adit_sess_plane_open(AditSess *session, GError **error);
/** The link's data is the session's from now on; stages know it by `*index`. */
gboolean adit_sess_plane_join(AditSess *session, const AditSessLink *link, guint *index, GError **error);
/** And no longer; harmless when the data plane is not open. */
void adit_sess_plane_leave(AditSess *session, const AditSessLink *link);
/** Closes it, and keeps its last counters; harmless when it is not open. */
void adit_sess_plane_close(AditSess *session);
/** Tells it which protocols may pass, and the MSS. */
void adit_sess_set_plane(AditSess *session);
/** The session may send from there, and on a shared interface gets what is sent there. FALSE: another session on that interface
 *  has it, which is logged. */
gboolean adit_sess_own_prefix(AditSess *session, const AditPrefix *prefix);
/** Undoes that, before the session's end: another one takes the prefix over. */
void adit_sess_disown_prefix(AditSess *session, const AditPrefix *prefix);
AditCounters adit_sess_counters(AditSess *session);
