/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/aaa/aaa-gate.h - the guard (guard.h) on the loop's clock, as requests pass it: its log lines, its event, its view. Main loop only.
 */
#pragma once

#include "core/aaa/guard.h"
#include <adit/auth.h>

G_BEGIN_DECLS

/** `open` is called for an attempt that has waited: it may go on (and must be left), or `refused` (attempt->why). */
void aaa_gate_init(void (*open)(AaaAttempt *attempt, gboolean refused));
/** The end is near: attempts are left, and none is opened any more. */
void aaa_gate_close(void);
void aaa_gate_fini(void); /**< no attempt may be under way */
/** `exempt`: of AditPrefix, sources that are never held up; borrowed until the next call. */
void aaa_gate_configure(const AaaGuardRules *rules, const GArray *exempt);
/** Judges a new request. A request without a peer's address passes, and so does a re-challenge. */
AaaGuardAnswer aaa_gate_enter(AaaAttempt *attempt, const AditAuthRequest *request);
/** It is over, in whatever state it is. Others may be opened in this call. */
void aaa_gate_leave(AaaAttempt *attempt, AaaLogin outcome);

G_END_DECLS
