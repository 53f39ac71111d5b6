/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** policy.h - what a session may and must encrypt with, by its attributes and keys. Pure. [any] */
#pragma once

#include "mppe-key.h"
#include <adit/ppp.h>

typedef enum { CCP_MODE_ANY = 0, CCP_MODE_STATELESS, CCP_MODE_STATEFUL } CcpMode;

/** AditNcpDesc.need(): use-encryption, and the policy that RADIUS gave. */
AditNcpNeed ccp_need(const AditNcpParams *params, const char *word, const char **why);
/** The strengths that profile and RADIUS allow and `keys` are good for; 0 = none. `keys` may be NULL. */
guint32 ccp_allowed_strengths(const AditValue *attributes, const AditMppeKeys *keys);
CcpMode ccp_mode(const AditValue *attributes);
/** The profile or RADIUS requires encryption. */
gboolean ccp_is_required(const AditValue *attributes);
