/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * core/aaa/lent.h - requests as sources get them: one that gives a request back once too often is named in the log, without other harm.
 */
#pragma once

#include <adit/auth.h>

G_BEGIN_DECLS

/** A copy with all members, whichever headers the method was built against; the caller's until aaa_lent_release(). [main] */
AditAuthRequest *aaa_lent_new(const AditAuthRequest *request);

/** The same, for a caller that gives it back with adit_auth_request_unref(). [main] */
AditAuthRequest *aaa_lent_copy(const AditAuthRequest *request);

/** It goes to this source next (an interned name): to blame. [main] */
void aaa_lent_to(AditAuthRequest *request, const char *source);

/** The core needs it no more; others may still hold references. [main] */
void aaa_lent_release(AditAuthRequest *request);

/** Frees what is kept of requests that are over. [main] */
void aaa_lent_fini(void);

G_END_DECLS
