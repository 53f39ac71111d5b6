/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/session/network/session-claims.h - what a session claims of the kernel: addresses and routes of its interface. [main] */
#pragma once

#include "core/session/network/family.h"
#include <adit/net.h>

typedef struct AditSess AditSess;

typedef enum {
  ADIT_SESS_ADDRESS,
  ADIT_SESS_HOST,  /**< the way to the peer on a shared interface: no IPv4 without it */
  ADIT_SESS_ROUTE, /**< any other */
} AditSessClaimKind;

/** What a session claims of the kernel. */
typedef struct {
  AditClaim *claim;
  AditSessClaimKind kind;
  AditPrefix prefix;
  gboolean awaited;   /**< counted in `pending` */
  gboolean installed; /**< it was, once */
  gboolean owned;     /**< shared interface: the data path has the prefix for this session */
} AditSessClaim;

/** How the kernel is told: given to adit_session_init(). */
extern const AditNetService *adit_sess_net;

/** Claims what the family's NCP agreed on; once. */
void adit_sess_apply(AditSess *session, AditSessFamily *family);
/** The session's MTU has changed: so does that of its routes on a shared interface. */
void adit_sess_routes_mtu(AditSess *session);
void adit_sess_withdraw(AditSess *session);
void adit_sess_withdraw_family(AditSess *session, const AditSessFamily *family);
/** AditClaimant.changed of a session's claims. */
void adit_sess_claim_changed(AditClaim *claim, AditClaimState state, int error, const char *why, gpointer session);
/** Its routes with their states, for `show session`; the caller's. */
AditValue *adit_sess_describe_routes(AditSess *session);
