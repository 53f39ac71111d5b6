/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/session/life/life.h - makes a session of an authenticated link, and does what its state table says (states.h). [main] */
#pragma once

#include <glib.h>

typedef struct AditSess AditSess;
typedef struct AditSessLink AditSessLink;

/** Makes a session and sets it going; on failure the link is ended and NULL returned. Borrowed. `multi_id`: other links may join it, and
 *  accounting knows them by that (copied); NULL = none may. */
AditSess *adit_life_begin(AditSessLink *link, const char *multi_id);
/** LCP of a link has agreed on another MTU. */
void adit_life_set_mtu(AditSess *session);
