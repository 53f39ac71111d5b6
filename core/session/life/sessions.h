/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/session/life/sessions.h - the registry of all sessions, each with one reference. [main] */
#pragma once

#include <adit/types.h>
#include <glib.h>

typedef struct AditSess AditSess;

void adit_sessions_init(void);
void adit_sessions_fini(void);

/** An id that no session had. */
AditSessionId adit_sessions_new_id(void);
/** It lives from now on; takes over a reference. */
void adit_sessions_add(AditSess *session);
/** It is ending: it no longer counts, and its user may have another one. */
void adit_sessions_retire(AditSess *session);
/** It is gone. The reference is dropped when the loop comes round, as the caller may be deep in the session. */
void adit_sessions_remove(AditSess *session);

/** The ids of all, of guint64, in no order; the caller's. */
GArray *adit_session_ids(void);
AditSess *adit_sess_find(AditSessionId id);
/** By its accounting id; not one that is ending. */
AditSess *adit_sess_find_record(const char *record_id);
/** Each may end its session. */
void adit_sess_foreach(void (*each)(AditSess *session, gpointer data), gpointer data);
/** Sessions that are not ending and match, with a reference each (the array has them). */
GPtrArray *adit_sess_matching(gboolean (*matches)(const AditSess *session, const char *text), const char *text);
/** How many are not ending; NULL = any. */
guint adit_sess_count(const char *transport, const char *server);
/** Has a server a session of the user that is not ending? */
/** How many a server has that are not ending; `*bundles`: how many of them take another link. */
guint adit_sessions_count_on(const char *transport, const char *server, guint *bundles);
gboolean adit_sessions_has_user(const char *user);
/** `done` comes once when there is none, which may be in this call. */
void adit_sessions_when_none(void (*done)(gpointer data), gpointer data);
