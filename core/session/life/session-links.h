/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/session/life/session-links.h - the links of a session, which come and go while it lives. [main] */
#pragma once

#include <glib.h>

typedef struct AditSess AditSess;
typedef struct AditSessLink AditSessLink;

/** It is the session's, as the first one. */
void adit_session_links_found(AditSess *session, AditSessLink *link);
/** It is one more of the session's. Errors: DENIED, what the data path says. */
gboolean adit_session_links_join(AditSess *session, AditSessLink *link, GError **error);
/** A link that joined is up: the NCPs have a way to the peer again, if they had none. */
void adit_session_links_joined(AditSess *session);
/** It is lost; the caller ends a session that has none any more. */
void adit_session_links_leave(AditSess *session, AditSessLink *link);
/** Reports a changed number of links to accounting and the bus, if the session is up. */
void adit_session_links_tell(AditSess *session);
/** The data plane was opened: all links join it. */
gboolean adit_session_links_attach(AditSess *session, GError **error);
/** LCP of a link came up (again), or left Opened: the NCPs have a way to the peer as long as one link has. */
void adit_session_links_up(AditSess *session, AditSessLink *link);
void adit_session_links_down(AditSess *session, AditSessLink *link);
/** The smallest MTU of all. */
guint adit_session_links_mtu(const AditSess *session);
/** The session ends: none is its any more. Returns their ids, of AditLinkId, the caller's. */
GArray *adit_session_links_release(AditSess *session);
