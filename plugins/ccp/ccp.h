/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** ccp.h - CCP (RFC 1962) for MPPE (RFC 3078): its option, resets, and the parameters of the stage. A pure engine. */
#pragma once

#include <adit/ppp.h>

extern const AditNcpDesc ccp_desc;

enum { CCP_RESET_REQUEST = 14, CCP_RESET_ACK = 15 };

/** Between two flushes that the peer asks for, and two Reset-Requests of ours. */
enum { CCP_FLUSH_MS = 50, CCP_RESET_MS = 100 };

/** Keys are lost for good: notes of the stage in a row without a frame that makes sense. Stateful keys have 5 s at least; stateless ones
 * 40 s, as the search behind a long outage takes 32 s. */
enum { CCP_LOST_RESETS = 50, CCP_LOST_NOISES = 40 };
/** Negotiations in a row that brought no frame that makes sense, before CCP is closed. */
enum { CCP_RECOVERIES_MAX = 3 };
