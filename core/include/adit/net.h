/* SPDX-License-Identifier: MIT */
/**
 * adit/net.h - the network thread: everything that waits for the kernel's RTNL lock. Service "adit.net".
 *
 * Calls are queued in order and carried out on one thread; completions come back on the main loop. A completion may be
 * NULL: failure is then logged.
 */
#pragma once

#include <adit/address.h>
#include <adit/plugin.h>

G_BEGIN_DECLS

typedef void (*AditNetDone)(gpointer user, int error); /**< [main] 0, or a positive errno */

typedef struct {
  guint ifindex;
  guint set;              /**< ADIT_LINK_* bits: which of the following to change */
  gboolean up, carrier;
  guint mtu;
  guint group;
  const char *alias;      /**< alternative name, for a full name over 15 octets */
  guint master;           /**< bridge or VRF ifindex; 0 = leave it */
} AditLinkChange;

enum {
  ADIT_LINK_UP = 1 << 0,
  ADIT_LINK_MTU = 1 << 1,
  ADIT_LINK_GROUP = 1 << 2,
  ADIT_LINK_ALIAS = 1 << 3,
  ADIT_LINK_CARRIER = 1 << 4,
  ADIT_LINK_MASTER = 1 << 5,
  ADIT_LINK_NO_IPV6_AUTO = 1 << 6, /**< addr_gen_mode none: the session adds its own link-local */
};

typedef struct {
  guint ifindex;
  AditPrefix local;
  AditAddress peer; /**< point-to-point; unset = none */
} AditNetAddress;

typedef struct {
  AditPrefix to;        /**< family says which table; length 0 = default route */
  AditAddress via;      /**< unset = on the interface */
  guint ifindex;        /**< 0 = where `via` leads */
  guint32 metric;       /**< 0 = the kernel's default */
  guint32 table;        /**< 0 = main */
  guint32 mtu;          /**< largest packet on this route, if the interface takes larger ones; 0 = the interface's */
} AditNetRoute;

/** Answer to route_get: how the kernel would reach an address. */
typedef void (*AditNetRouteDone)(gpointer user, int error, const AditNetRoute *route, const AditAddress *source);

#define ADIT_NET_SERVICE "adit.net"
typedef struct {
  gsize size;
  void (*link_change)(const AditLinkChange *change, AditNetDone done, gpointer user);         /**< [main] */
  void (*link_delete_group)(guint group, AditNetDone done, gpointer user);                    /**< [main] all interfaces of the group at once */
  void (*link_delete)(guint ifindex, AditNetDone done, gpointer user);                        /**< [main] */
  void (*address_add)(const AditNetAddress *address, AditNetDone done, gpointer user);        /**< [main] */
  void (*address_delete)(const AditNetAddress *address, AditNetDone done, gpointer user);     /**< [main] */
  void (*route_add)(const AditNetRoute *route, AditNetDone done, gpointer user);              /**< [main] with adit's own protocol number; replaces an equal one */
  void (*route_delete)(const AditNetRoute *route, AditNetDone done, gpointer user);           /**< [main] */
  void (*route_get)(const AditAddress *to, AditNetRouteDone done, gpointer user);             /**< [main] */
  /** [main] Runs `work` on the network thread, in its turn, then `done` on the main loop: for TUNSETIFF and the like. */
  void (*call)(void (*work)(gpointer data), void (*done)(gpointer data), gpointer data);
  guint32 (*group)(void); /**< [any] link group of all interfaces this daemon makes */
} AditNetService;

G_END_DECLS
