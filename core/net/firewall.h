/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/net/firewall.h - what nftables does with packets that no rule names, asked of the kernel: the daemon starts no programs. */
#pragma once

#include <adit/types.h>

G_BEGIN_DECLS

typedef struct {
  gboolean drops_input, drops_forward; /**< a base chain of that hook, for IPv4 or IPv6, has the policy drop */
} AditFirewall;

/** Looks at all base chains of this network namespace. Needs CAP_NET_ADMIN. 0, or a positive errno. Blocks a moment. [any] */
int adit_firewall_look(AditFirewall *found);

G_END_DECLS
