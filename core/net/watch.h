/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * core/net/watch.h - what others do to links, addresses and routes: read on the network thread, handed to the main loop in pieces.
 *
 * The kernel itself leaves out what our own requests changed. After an overrun (ENOBUFS) all links are read again, and the claims check all
 * objects.
 */
#pragma once

#include "core/net/claims/claims.h"
#include "core/net/rtnl.h"

G_BEGIN_DECLS

#define ADIT_WATCH_BUDGET 256 /**< events in one go on the main loop */

/** An event of the watch. */
typedef struct {
  AditKernelEvent event;
  AditAddress local; /**< of an address; unset = it is none */
  AditAddress via;   /**< of another program's route; unset = none */
  gboolean gone, down;
} AditWatched;

/** The receiver of events. */
typedef struct {
  void (*overrun)(void);                     /**< anything may have happened. [main] */
  void (*event)(const AditWatched *watched); /**< [main] */
  void (*changed)(void);                     /**< something did, behind the events or between them. [main] */
  guint32 (*group)(void);                    /**< the link group of our interfaces. [any] */
} AditWatchOps;

/** Opens the socket in the calling thread's namespace, and reads nothing yet. `ours`: the socket with changes to leave out. `ops` must
 *  outlive adit_watcher_close(). [main] */
gboolean adit_watcher_open(const AditRtnl *ours, const AditWatchOps *ops, GError **error);
/** The network thread has ended. [main] */
void adit_watcher_close(void);
/** -1 when it is not open. [any] */
int adit_watcher_fd(void);
/** Reads what is there, without waiting. [network thread] */
void adit_watcher_read(AditRtnl *rtnl);
/** Parses RTM_NEWADDR or RTM_DELADDR. [any] */
gboolean adit_watch_parse_address(struct nlmsghdr *h, AditNetAddress *out);
/** Events of an interface that is used go to the claims. [main] */
void adit_watcher_use(guint ifindex, AditIfaceUse use);
AditIfaceUse adit_watcher_used(guint ifindex); /**< [any] */
/** For tests: how often it overran, and the most events that the main loop handled in one go. */
guint adit_watcher_overruns(void);
guint adit_watcher_most(void);

G_END_DECLS
