/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/session/life/limits.h - the limits on a session's age, silence and octets. [main] */
#pragma once

#include <adit/loop.h>

typedef struct AditSess AditSess;

typedef struct {
  AditTimer age, idle, quota;
} AditSessLimits;

void adit_sess_limits_init(AditSess *session);
/** The session is up, or its limits have changed: they count from its start (RFC 2865 5.27), idleness from the last packet. */
void adit_sess_limits_start(AditSess *session);
void adit_sess_limits_stop(AditSess *session);
