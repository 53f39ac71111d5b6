/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/session/network/ncps.h - the network control protocols of a session. [main] */
#pragma once

#include "core/ppp/ncp.h"
#include "core/session/network/family.h"
#include <adit/loop.h>

typedef struct AditSess AditSess;
typedef struct AditSessLink AditSessLink;

typedef struct {
  AditNcp *ncp;
  AditTimer timer;
  AditSess *session;
  gboolean required;
  char *why; /**< it closed last */
} AditSessNcp;

typedef struct {
  AditSessNcp *item; /**< stays where it is until the session is freed, as engines may be at work on it */
  guint n;
  gboolean hold_data; /**< the session is not up, and a required NCP is not open: no data may pass */
} AditSessNcps;

/** Which interfaces the session is to have, by the NCPs that will run. */
void adit_sess_ncps_choose(AditSess *session);
void adit_sess_ncps_start(AditSess *session);
/** Closes the NCP of a data protocol for good, as the kernel does not take what it agreed on. FALSE if the session is nothing without it.
 */
gboolean adit_sess_ncp_give_up(AditSess *session, guint16 data_protocol, const char *why);
/** The link was authenticated again, or joins: its keys count if the session began with it, and are wiped. */
void adit_sess_ncps_rekey(AditSess *session, AditSessLink *link);
/** Ends them without a word to the peer. */
void adit_sess_ncps_stop(AditSess *session);
/** With the session itself. */
void adit_sess_ncps_free(AditSess *session);
/** Is no NCP still trying? */
gboolean adit_sess_ncps_settled(AditSess *session);
/** Is no required NCP still trying? One that fails or times out has ended the session. */
gboolean adit_sess_ncps_required_open(AditSess *session);
/** LCP came up (again), or left Opened. Ends the session when there is no NCP that could open. */
void adit_sess_network(AditSess *session, gboolean up);
gboolean adit_sess_frame(AditSess *session, guint16 protocol, const guint8 *payload, gsize length);
void adit_sess_rejected(AditSess *session, guint16 protocol);
/** Adds what `show session` shows of each that is open. */
void adit_sess_ncps_describe(const AditSess *session, AditValue *map);
