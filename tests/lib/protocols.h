/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** protocols.h - the usual AditDpSessionParams.protocols. */
#pragma once

#include <adit/ppp.h>

static const guint16 adit_test_ip[] = {ADIT_PPP_IPV4, ADIT_PPP_IPV6};
