/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * core/net/watch.h - what others do to links, addresses and routes: read on the network thread, handed to the main loop in pieces.
 *
 * The kernel itself leaves out what our own requests changed. When it could not keep pace (ENOBUFS), all links are read anew, and the
 * claims are told that anything may have happened.
 */
#pragma once

#include "core/net/claims.h"
#include "core/net/rtnl.h"

G_BEGIN_DECLS

#define ADIT_WATCH_BUDGET 256 /**< events in one go on the main loop */

/** Opens the socket in the calling thread's namespace, and reads nothing yet. `ours`: the socket whose changes are left out. [main] */
gboolean adit_watcher_open(const AditRtnl *ours, GError **error);
/** The network thread has ended. [main] */
void adit_watcher_close(void);
/** -1 when it is not open. [any] */
int adit_watcher_fd(void);
/** Reads what is there, without waiting. [network thread] */
void adit_watcher_read(AditRtnl *rtnl);
/** Events of an interface that is used go to the claims. [main] */
void adit_watcher_use(guint ifindex, AditIfaceUse use);
AditIfaceUse adit_watcher_used(guint ifindex); /**< [any] */
/** For tests: how often it overran, and the most events that the main loop handled in one go. */
guint adit_watcher_overruns(void);
guint adit_watcher_most(void);

G_END_DECLS
