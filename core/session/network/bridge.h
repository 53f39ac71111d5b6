/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/session/network/bridge.h - the bridge that a session's L2 port is in, as a claim on the kernel. [main] */
#pragma once

#include <adit/net.h>

typedef struct AditSess AditSess;

/** Zero-initialise. */
typedef struct {
  AditClaim *claim;
  AditClaimant claimant;
  gboolean awaited;   /**< counted in the session's pending claims */
  gboolean installed; /**< it was, once */
  gboolean refused;   /**< it is refused now */
} AditSessBridge;

void adit_bridge_serve(const AditNetService *net); /**< how the kernel is told */
/** Claims the membership that the NCP agreed on, if it is open and the kernel has not been told. Its claims are counted in the session's,
 *  and KERNEL_ANSWERED follows in a later call alone. */
void adit_sess_bridge_claim(AditSess *session);
void adit_sess_bridge_withdraw(AditSess *session);
