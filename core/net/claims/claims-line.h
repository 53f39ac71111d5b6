/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/net/claims/claims-line.h - the claimants of an object in order, and the state that changed() reports to them */
#pragma once

#include "core/net/claims/claims-table.h"

G_BEGIN_DECLS

AditObject *adit_object_find(const AditClaims *claims, const AditObjectKey *key);
const AditClaim *adit_object_winner(const AditObject *object);
/** Several claims can have it at once: it has no value over which they could differ. */
gboolean adit_object_is_shared(const AditObject *object);
void adit_object_set_state(AditClaims *claims, AditObject *object, AditClaimState state, int error, const char *why);
/** The claimants are due for a call of changed(). */
void adit_object_mark_line(AditClaims *claims, AditObject *object);
/** Another program may have changed it. */
void adit_object_doubt(AditObject *object);
/** Calls changed() of claims with a new state. */
void adit_claims_tell(AditClaims *claims);
void adit_claim_tell(AditClaim *claim);

G_END_DECLS
