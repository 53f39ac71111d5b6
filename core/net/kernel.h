/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/net/kernel.h - claims on the real kernel, by the network thread. All [main]. */
#pragma once

#include "core/net/claims/claims.h"

G_BEGIN_DECLS

/** The network thread has to be there, and its last completion has to be called before fini. */
void adit_kernel_init(void);
void adit_kernel_fini(void);
/** NULL when it is not there. */
AditClaims *adit_kernel_claims(void);

G_END_DECLS
