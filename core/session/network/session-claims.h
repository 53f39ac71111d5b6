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

/** The claims of a session on the kernel. */
typedef struct {
  AditClaim *claim;
  AditSessClaimKind kind;
  AditPrefix prefix;
  gboolean awaited;   /**< counted in `pending` */
  gboolean installed; /**< it was, once */
  gboolean owned;     /**< shared interface: the data path has the prefix for this session */
} AditSessClaim;

typedef struct {
  AditClaimant claimant;
  char *who;             /**< claimant.who */
  GArray *held;          /**< of AditSessClaim: addresses before the routes that need them */
  guint pending;         /**< that the kernel has not answered */
  AditValue *bad_routes; /**< as adit_sess_describe_routes() has them: those that are no routes, or must not be; NULL = none */
  char *route_failure;   /**< with `routes-required`: why the session ends once the kernel has answered */
} AditSessClaims;

void adit_sess_claims_serve(const AditNetService *net); /**< how the kernel is told */
void adit_sess_claims_init(AditSess *session);
void adit_sess_claims_free(AditSess *session);

/** Claims what each family's NCP agreed on and the kernel has not been told; the event KERNEL_ANSWERED follows, maybe in this call. */
void adit_sess_claim_families(AditSess *session);
/** The session's MTU has changed: so does that of its routes on a shared interface. */
void adit_sess_routes_mtu(AditSess *session);
void adit_sess_withdraw(AditSess *session);
void adit_sess_withdraw_family(AditSess *session, const AditSessFamily *family);
/** Its routes with their states, for `show session`; the caller's. */
AditValue *adit_sess_describe_routes(AditSess *session);
