/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/session/life/session-event.h - a session as the bus and hooks are told of it. [main] */
#pragma once

#include <adit/event.h>

typedef struct AditSess AditSess;

/** Strings are borrowed from the session. */
void adit_session_event_fill(AditSess *session, AditSessionEvent *event);
/** Publishes an event of that name. */
void adit_session_event_publish(AditSess *session, const char *name);
