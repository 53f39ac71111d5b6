/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * core/net/protected.h - addresses that must not be given to a session: those of the machine itself, its next hops, and
 * what plugins protect (a tunnel's outer address, a RADIUS server). A pure table; all [main].
 *
 * Two feeders: plugins through AditNetService, counted; and whatever watches the kernel, as facts that are there or not:
 *
 *   adit_protected_kernel(ADIT_PROTECT_LOCAL, ifindex, &address, TRUE);   // RTM_NEWADDR
 *   adit_protected_kernel(ADIT_PROTECT_NEXT_HOP, ifindex, &via, TRUE);    // a route with a gateway
 *
 * A fact of the kernel may be told twice; several routes through one gateway on one interface are one fact.
 */
#pragma once

#include <adit/net.h>

G_BEGIN_DECLS

/** AditNetService.protect and unprotect. */
void adit_protected_add(AditProtectKind kind, const AditAddress *address, const char *what);
void adit_protected_remove(AditProtectKind kind, const AditAddress *address, const char *what);

/** The kernel has, or no longer has, an address (ADIT_PROTECT_LOCAL) or a route through a gateway (ADIT_PROTECT_NEXT_HOP). The interfaces
 *  of this daemon's own sessions are not told: what they have is the session's business. */
void adit_protected_kernel(AditProtectKind kind, guint ifindex, const AditAddress *address, gboolean present);
/** Forgets all facts of the kernel, before they are read again: after a netlink overrun. */
void adit_protected_kernel_forget(void);

/** AditNetService.protected_by and protected_within. */
gboolean adit_protected_by(const AditAddress *address, guint kinds, AditProtected *out);
gboolean adit_protected_within(const AditPrefix *prefix, guint kinds, AditProtected *out);

guint adit_protected_count(void); /**< protected addresses */
void adit_protected_fini(void);   /**< forgets all */

G_END_DECLS
