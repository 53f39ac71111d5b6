/* SPDX-License-Identifier: MIT */
/**
 * adit/net.h - the network thread: everything that waits for the kernel's RTNL lock. Service "adit.net".
 *
 * Calls are queued in order and carried out on one thread; completions come back on the main loop. A completion may be
 * NULL: failure is then logged.
 *
 * Addresses, routes, proxy neighbours, the state of interfaces and their masters are *claimed*: the daemon keeps the kernel as the
 * claims say until they are released, whatever other programs do meanwhile.
 *
 *     static const AditClaimant owner = {.size = sizeof owner, .who = "client office", .changed = on_changed};
 *     AditClaim *claim = net->claim_route(&route, &owner);
 *     ...
 *     net->claim_release(claim);
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
  gboolean multicast;     /**< IFF_MULTICAST */
  guint32 reserved[4];    /**< zero */
} AditLinkChange;

enum {
  ADIT_LINK_UP = 1 << 0,
  ADIT_LINK_MTU = 1 << 1,
  ADIT_LINK_GROUP = 1 << 2,
  ADIT_LINK_ALIAS = 1 << 3,
  ADIT_LINK_CARRIER = 1 << 4,
  ADIT_LINK_MASTER = 1 << 5,
  ADIT_LINK_NO_IPV6_AUTO = 1 << 6, /**< addr_gen_mode none: the session adds its own link-local */
  ADIT_LINK_MULTICAST = 1 << 7,
};

typedef struct {
  guint ifindex;
  AditPrefix local;
  AditAddress peer; /**< point-to-point; unset = none */
  guint32 reserved[4]; /**< zero */
} AditNetAddress;

typedef struct {
  AditPrefix to;        /**< family says which table; length 0 = default route */
  AditAddress via;      /**< unset = on the interface */
  guint ifindex;        /**< 0 = where `via` leads */
  guint32 metric;       /**< 0 = the kernel's default */
  guint32 table;        /**< 0 = main */
  guint32 mtu;          /**< largest packet on this route, if the interface takes larger ones; 0 = the interface's */
  guint32 reserved[6];  /**< zero */
} AditNetRoute;

/** The state of an interface that a claim wants. */
typedef struct {
  gsize size;
  guint ifindex;
  gboolean up;
  guint mtu; /**< 0 = any */
} AditLinkWish;

enum {
  ADIT_BRIDGE_PORT_LEARNING = 1 << 0,
  ADIT_BRIDGE_PORT_ISOLATED = 1 << 1,
  ADIT_BRIDGE_PORT_COST = 1 << 2,
  ADIT_BRIDGE_PORT_PRIORITY = 1 << 3,
  ADIT_BRIDGE_PORT_PVID = 1 << 4,
};

/** The bridge and the attributes of a port that a claim wants. */
typedef struct {
  gsize size;
  guint ifindex;
  const char *bridge; /**< its name, at most 15 octets, copied: one that is deleted and made again is joined again */
  guint set;          /**< ADIT_BRIDGE_PORT_* bits: which of the following to keep; the others are the kernel's and the administrator's */
  gboolean learning;  /**< of the addresses behind the port */
  gboolean isolated;  /**< no frame passes to other isolated ports of the bridge */
  guint32 cost;       /**< of the path, for Spanning Tree: 1 to 65535 */
  guint16 priority;   /**< for Spanning Tree: 0 to 63 */
  guint16 pvid;       /**< VLAN of untagged frames, which leave without a tag: 1 to 4094. The port leaves VLAN 1 */
} AditBridgePortWish;

/** An address for which this machine answers on an interface (ARP, or Neighbour Discovery) although another one has it. */
typedef struct {
  guint ifindex;
  AditAddress address;
  guint32 reserved[4]; /**< zero */
} AditNetNeighbour;

typedef struct AditClaim AditClaim; /**< a handle; one owner releases it */

typedef enum {
  ADIT_CLAIM_PENDING,   /**< on its way to the kernel, or being restored */
  ADIT_CLAIM_INSTALLED, /**< in the kernel, for this claim */
  ADIT_CLAIM_WAITING,   /**< an earlier claim of this daemon has it */
  ADIT_CLAIM_BLOCKED,   /**< another program's equal route or proxy neighbour has it */
  ADIT_CLAIM_REFUSED,   /**< the kernel refused it, or it would route a tunnel into itself; it is tried again now and then */
  ADIT_CLAIM_LOST,      /**< of interfaces: deleted, or moved to another network namespace */
} AditClaimState;

/** The owner of claims. The owner keeps it unchanged while it has claims. */
typedef struct {
  gsize size;
  const char *who;      /**< for people: `session 1f user ann` */
  /** The user it is for; NULL = none. Of two claims of one party on one route the later one wins (a redial before the old session has
   *  timed out); of others the earlier one. */
  const char *party;
  AditAddress endpoint; /**< where the tunnel behind the interface ends; unset = there is no tunnel */
  /** [main] The state is another one. Never called before the claim function has returned; it may release the claim. `why` is
   *  NULL, or says what blocks or refuses it; `error` is 0 or the kernel's errno. */
  void (*changed)(AditClaim *claim, AditClaimState state, int error, const char *why, gpointer user);
  gpointer user;
} AditClaimant;

/** Why an address is not for sessions. Bits: look-ups take several. */
typedef enum {
  ADIT_PROTECT_LOCAL = 1 << 0,    /**< an address of this machine, on an interface that no session made */
  ADIT_PROTECT_NEXT_HOP = 1 << 1, /**< a gateway of one of its routes */
  ADIT_PROTECT_ENDPOINT = 1 << 2, /**< the outer address of a tunnel's peer: packets to it must not enter a tunnel */
  ADIT_PROTECT_SERVER = 1 << 3,   /**< a server that the daemon itself talks with, such as RADIUS */
} AditProtectKind;
#define ADIT_PROTECT_ANY 0xf

typedef struct {
  AditAddress address;
  AditProtectKind kind;
  const char *what; /**< "the outer address of a tunnel": follows the word `is`; lives as long as the daemon */
  guint64 reserved[2];
} AditProtected;

#define ADIT_NET_SERVICE "adit.net"
typedef struct {
  gsize size;
  void (*link_change)(const AditLinkChange *change, AditNetDone done, gpointer user);         /**< [main] */
  /** [main] All interfaces of the group at once, also those of others: for a group that you filled yourself. */
  void (*link_delete_group)(guint group, AditNetDone done, gpointer user);
  void (*link_delete)(guint ifindex, AditNetDone done, gpointer user);                        /**< [main] */
  /** [main] Runs `work` on the network thread, in its turn, then `done` on the main loop: for TUNSETIFF and the like. */
  void (*call)(void (*work)(gpointer data), void (*done)(gpointer data), gpointer data);
  guint32 (*group)(void); /**< [any] link group of all interfaces this daemon makes */
  /**
   * [main] Protects an address: no session gets it, and no host route leads to it through a session. Counted by kind, address and `what`,
   * which follows the word `is` in messages; undo each call with the same three. An unset address is ignored. Protect what has proven
   * to be there (a tunnel that is up, a server that is configured), never what a stranger merely named.
   *
   *     net->protect(ADIT_PROTECT_ENDPOINT, &remote, "the outer address of a tunnel");
   *     ...
   *     net->unprotect(ADIT_PROTECT_ENDPOINT, &remote, "the outer address of a tunnel");
   */
  void (*protect)(AditProtectKind kind, const AditAddress *address, const char *what);
  void (*unprotect)(AditProtectKind kind, const AditAddress *address, const char *what); /**< [main] */
  /** [main] Is the address protected for one of `kinds`? `out` may be NULL. */
  gboolean (*protected_by)(const AditAddress *address, guint kinds, AditProtected *out);
  /** [main] Is an address inside the prefix protected for one of `kinds`? `out` (may be NULL) is the lowest. */
  gboolean (*protected_within)(const AditPrefix *prefix, guint kinds, AditProtected *out);
  /** [main] Deletes every interface that carries this daemon's token, which link_change() gives to each interface that it puts into
   *  group(). Interfaces of others in the group are left alone. For the start and the end of a data path. */
  void (*link_sweep)(AditNetDone done, gpointer user);

  /** [main] The address is kept on the interface. Claims of one address share it. */
  AditClaim *(*claim_address)(const AditNetAddress *address, const AditClaimant *claimant);
  /** [main] A route of adit's own protocol number. It is one claim's at a time; the others wait, and take its place in order. */
  AditClaim *(*claim_route)(const AditNetRoute *route, const AditClaimant *claimant);
  /** [main] The interface is as the wish says already, and is kept so. */
  AditClaim *(*claim_link)(const AditLinkWish *wish, const AditClaimant *claimant);
  void (*claim_set_mtu)(AditClaim *claim, guint32 mtu); /**< [main] of a route or an interface */
  AditClaimState (*claim_state)(const AditClaim *claim, const char **why); /**< [main] `why` may be NULL; borrowed until the next call */
  void (*claim_release)(AditClaim *claim);              /**< [main] the next one takes its place; NULL is harmless */
  /** [any] A new descriptor of /dev/net/tun, not blocking, close-on-exec, yours to close; -1 with errno. Works for a daemon that is root no more
   *  where only root may open the device. May wait for a helper process: not on the main loop. */
  int (*tun_open)(void);
  /** [main] The interface is a port of the bridge `master`, or in that VRF; released, it leaves it, unless an administrator has put it
   *  elsewhere. It is one claim's at a time, as a route is. */
  AditClaim *(*claim_master)(guint ifindex, guint master, const AditClaimant *claimant);
  /**
   * [main] A proxy neighbour entry is kept on the interface. Claims of one address share it. The kernel answers only for addresses that it
   * forwards to another interface, and for IPv6 only where the sysctl `proxy_ndp` is 1: neither is set by the claim. The kernel does not
   * report a deleted entry, it is found missing within seconds (256 entries are looked at every two seconds).
   *
   *     AditNetNeighbour neighbour = {.ifindex = lan, .address = session_address};
   *     AditClaim *claim = net->claim_neighbour(&neighbour, &owner);
   */
  AditClaim *(*claim_neighbour)(const AditNetNeighbour *neighbour, const AditClaimant *claimant);
  /**
   * [main] claim_master() of a bridge by its name, with attributes of the port. REFUSED while there is no such bridge.
   *
   *     AditBridgePortWish wish = {.size = sizeof wish, .ifindex = tap, .bridge = "br0", .set = ADIT_BRIDGE_PORT_ISOLATED, .isolated = TRUE};
   *     AditClaim *claim = net->claim_bridge_port(&wish, &owner);
   */
  AditClaim *(*claim_bridge_port)(const AditBridgePortWish *wish, const AditClaimant *claimant);
} AditNetService;

G_END_DECLS
