/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/session/life/admission.h - may a session start? [main] */
#pragma once

typedef struct AditSess AditSess;

/** Asks only-one and the veto hooks, ends the session that this one replaces, and reserves addresses. Returns why it must not start, the
 *  caller's; NULL when it may. */
char *adit_sess_admit(AditSess *session);
