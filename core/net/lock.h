/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * core/net/lock.h - one aditd for each link group of a network namespace.
 *
 * The lock is a listening UNIX socket with an abstract name: such names belong to the network namespace, and vanish with the
 * process, even after kill -9. Any local user can take a name first, so a holder counts only if its uid does.
 */
#pragma once

#include <adit/types.h>

G_BEGIN_DECLS

/**
 * Locks `group` for the life of this process. `user`: the uid that aditd runs as; its processes count as aditd, as root's and our own do.
 * ADIT_ERR_EXISTS when another aditd holds it; a holder of another uid is ignored with a warning. Adds to what the process holds already.
 * [main]
 */
gboolean adit_net_lock(guint32 group, uid_t user, GError **error);

/** Whether a process of a trusted uid holds `group`, other than this one; for a look that must leave no trace. Its pid, or 0. */
pid_t adit_net_lock_holder(guint32 group, uid_t user);

/** Whether another aditd, of whichever group, runs in this network namespace. */
gboolean adit_net_lock_others(uid_t user);

/** Gives up all locks; for tests and the orderly end. */
void adit_net_unlock(void);

G_END_DECLS
