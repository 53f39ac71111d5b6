/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * core/net/sweep.h - which interfaces and routes of the kernel are this daemon's, and their deletion.
 *
 * Every interface that adit makes carries `adit:TOKEN` as its alias (ifalias, `ip link` shows it). The token lies in the
 * state directory, so that the daemon which starts after a crash recognises its interfaces, and no other daemon's. The link
 * group only makes the deletion of thousands fast. Calls block: for the network thread.
 */
#pragma once

#include "core/net/net.h"
#include "core/net/rtnl.h"

G_BEGIN_DECLS

typedef struct {
  const char *token; /**< for interfaces to delete */
  guint32 group;     /**< of the interfaces that the daemon makes */
  gboolean routes;   /**< also routes and proxy neighbours of ADIT_NET_PROTOCOL that lead through our interfaces, or through no interface of
                        any aditd */
  gboolean alone;    /**< no other aditd runs in this network namespace: such routes on common interfaces are ours, too */
} AditSweep;

/**
 * Deletes what `sweep` describes. Nothing there is success. 0, or a positive errno: EPERM when the process may not change this
 * network namespace, which is found out first and even if there is nothing to delete.
 */
int adit_sweep_run(AditRtnl *rtnl, const AditSweep *sweep, AditSweepReport *report);

/** Whether the interface carries the token. Blocks a moment. */
gboolean adit_sweep_is_ours(AditRtnl *rtnl, guint ifindex, const char *token);

G_END_DECLS
