/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * core/net/net.h - the network thread: rtnetlink requests in order, off the main loop, in the daemon's own netns.
 *
 * Requires adit_loop_init(). Every request is acknowledged by the kernel and checked; its completion comes on the main loop.
 */
#pragma once

#include <adit/net.h>

G_BEGIN_DECLS

#define ADIT_NET_PROTOCOL 173   /**< rtm_protocol of every route that adit makes ("adit" in /etc/iproute2/rt_protos.d) */
#define ADIT_NET_GROUP    44311 /**< link group of every interface that adit makes, unless configured otherwise */

/** Opens the socket and starts the thread, which works in the calling thread's network namespace. */
gboolean adit_net_init(GError **error);

/** Carries out what is queued, calls every outstanding completion, and ends the thread. What is asked for after that fails
 *  with ESHUTDOWN, and is completed by the next call of this function or of adit_net_fini(): whoever is about to free what
 *  completions go to calls it before. [main] */
void adit_net_quiesce(void);

/** adit_net_quiesce(), and gives everything back. */
void adit_net_fini(void);

/** The table behind ADIT_NET_SERVICE. */
const AditNetService *adit_net_service(void);

/** Sets the group that AditNetService.group() tells; not 0. Before any interface is made. [main] */
void adit_net_set_group(guint32 group);

/** Removes what a daemon that died has left: all links of the group, then all routes of ADIT_NET_PROTOCOL.
 *  Nothing to remove is success. `done` may be NULL. [main] */
void adit_net_sweep(AditNetDone done, gpointer user);

G_END_DECLS
