/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/net/claims/claims-show.h - lists that are being shown while claims come and go */
#pragma once

#include "core/net/claims/claims-table.h"

G_BEGIN_DECLS

/** They are about to go. */
void adit_cursors_leave_object(AditClaims *claims, const AditObject *object);
void adit_cursors_leave_claim(AditClaims *claims, const AditClaim *claim);

G_END_DECLS
