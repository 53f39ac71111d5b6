/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * core/session/network/reach.h - may a session have an address, prefix or route? Asked for each one, whatever said it: a file, a source,
 * the peer.
 *
 * Pure but for its facts, which are special ranges (core/net/special.h) and protected addresses (AditNetService). A refusal names
 * the address and what speaks against it: "remote-address 192.0.2.254 is a next hop of this machine's routes". [main]
 */
#pragma once

#include <adit/net.h>

G_BEGIN_DECLS

typedef enum {
  ADIT_REACH_PEER, /**< the other end: traffic to the address enters the session */
  ADIT_REACH_OURS, /**< our end: one that this machine has already is fine, as for an unnumbered link */
} AditReachEnd;

/** `name`: the option, for the message. `outer`: where the session's own tunnel leads to, up or not; may be unset. */
gboolean adit_reach_address(const AditNetService *net, AditReachEnd end, const char *name, const AditAddress *address,
                            const AditAddress *outer, GError **error);
/** A prefix that is given to the peer: nothing in it may be protected. */
gboolean adit_reach_prefix(const AditNetService *net, const char *name, const AditPrefix *prefix, const AditAddress *outer, GError **error);
/** A route through the session. A wider route may cover what is protected, which has longer routes; a host route must not lead there. */
gboolean adit_reach_route(const AditNetService *net, const AditPrefix *to, const AditAddress *outer, GError **error);

G_END_DECLS
