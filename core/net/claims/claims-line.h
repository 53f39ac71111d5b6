/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/net/claims/claims-line.h - the line of those who claim an object, and the state that they are told of */
#pragma once

#include "core/net/claims/claims-table.h"

G_BEGIN_DECLS

AditObject *adit_object_find(const AditClaims *claims, const AditObjectKey *key);
const AditClaim *adit_object_winner(const AditObject *object);
/** Several claims can have it at once: it has no value over which they could differ. */
gboolean adit_object_is_shared(const AditObject *object);
void adit_object_set_state(AditClaims *claims, AditObject *object, AditClaimState state, int error, const char *why);
/** Those who are told of its state have to be told of a change. */
void adit_object_mark_line(AditClaims *claims, AditObject *object);
/** Somebody may have changed it. */
void adit_object_doubt(AditObject *object);
/** Tells claims whose state has changed. */
void adit_claims_tell(AditClaims *claims);
void adit_claim_tell(AditClaim *claim);

G_END_DECLS
