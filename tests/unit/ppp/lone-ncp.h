/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** lone-ncp.h - one NCP on a link in the network phase, node a's first; its peer is the test. */
#pragma once

#include "pair.h"

/** The NCP has sent its first request, and gets no answer but the test's. */
Pair *ncp_lone(const AditNcpDesc *desc, const AditNcpParams *params);
/** The `nth` packet with that code that it sent, in hex; NULL if there were not so many. */
char *ncp_sent(Pair *pair, guint8 code, guint nth);
void ncp_expect_sent(Pair *pair, guint8 code, guint nth, const char *hex);
/** Answers its `nth` request with `code` and `options`; NULL = all of them, as they are. */
void ncp_answer(Pair *pair, guint nth, guint8 code, const char *options);
