/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/session/network/ports.h - the interfaces of sessions, own or shared. [main] */
#pragma once

#include <adit/net.h>
#include <adit/path.h>

typedef struct AditSess AditSess;

typedef struct AditSharedPort AditSharedPort;

/** Opens the session's interface; adit_sess_port_ready() follows. */
void adit_sess_port_open(AditSess *session);
/** Tells an interface of its own the session's MTU, if it has another one; harmless while there is none. */
void adit_sess_port_mtu(AditSess *session);
/** Closes or leaves it; adit_sess_port_gone() follows, maybe in this call. */
void adit_sess_port_close(AditSess *session);
/** AditClaimant.changed of an interface of its own. */
void adit_sess_port_changed(AditClaim *claim, AditClaimState state, int error, const char *why, gpointer session);
void adit_ports_init(void);
void adit_ports_fini(void);
