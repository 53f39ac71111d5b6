/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * core/net/net.h - the network thread: rtnetlink requests in order, off the main loop, in the daemon's own netns.
 *
 * Requires adit_loop_init(). Every request is acknowledged by the kernel and checked; its completion comes on the main loop.
 */
#pragma once

#include <adit/net.h>
#include <net/if.h>

G_BEGIN_DECLS

#define ADIT_NET_PROTOCOL 173   /**< rtm_protocol of every route that adit makes ("adit" in /etc/iproute2/rt_protos.d) */
#define ADIT_NET_GROUP    44311 /**< link group of every interface that adit makes, unless configured otherwise */

#define ADIT_NET_ALIAS       "adit:"    /**< what the alias (ifalias) of every interface of any aditd begins with; the token follows */
#define ADIT_NET_TOKEN_SIZE  32         /**< longest token, with its zero octet */
#define ADIT_NET_DYING_GROUP 0x40000000 /**< a group with this bit flipped holds interfaces on their way to deletion */

/** Opens the socket and starts the thread, which works in the calling thread's network namespace. */
gboolean adit_net_init(GError **error);

/** Carries out what is queued, calls every outstanding completion, and ends the thread. Later jobs fail with ESHUTDOWN, and are completed
 * by the next call of this function or of adit_net_fini(): call it before you free what completions use. [main] */
void adit_net_quiesce(void);

/** adit_net_quiesce(), and gives everything back. */
void adit_net_fini(void);

/** The table behind ADIT_NET_SERVICE. */
const AditNetService *adit_net_service(void);

/** Sets the group that AditNetService.group() returns; not 0. Before any interface is made. [main] */
void adit_net_set_group(guint32 group);

/** The mark of interfaces that this daemon makes: see core/net/sweep.h. Without it a random one. Before adit_net_init(). */
void adit_net_set_token(const char *token);

/** The result of a sweep. */
typedef struct {
  guint links, routes;        /**< deleted */
  guint strangers;            /**< interfaces of our groups without our token, which are left alone */
  char stranger[IF_NAMESIZE]; /**< the first of them */
  guint routes_left;          /**< routes that may be another daemon's */
} AditSweepReport;

/** The end of a sweep; `report` is borrowed. [main] */
typedef void (*AditNetSwept)(gpointer user, int error, const AditSweepReport *report);

/** Deletes what a daemon that died has left: all interfaces with our token, and routes of ADIT_NET_PROTOCOL through them. `alone`: no other
 *  aditd runs in this network namespace, so that such routes through common interfaces can only be ours.
 *  Nothing to delete is success; EPERM: this process may not change the network at all. [main] */
void adit_net_sweep(gboolean alone, AditNetSwept done, gpointer user);

G_END_DECLS
