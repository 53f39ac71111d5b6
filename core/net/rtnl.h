/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * core/net/rtnl.h - an rtnetlink socket: messages go out in batches, and every one's acknowledgement is waited for.
 * One thread at a time; calls block.
 */
#pragma once

#include <adit/net.h>
#include <netlink/msg.h>

G_BEGIN_DECLS

#define ADIT_RTNL_BATCH 64 /**< messages in one send: their acknowledgements fit a default receive buffer */

typedef struct AditRtnl AditRtnl;

/** Opens a socket in the calling thread's network namespace. */
AditRtnl *adit_rtnl_open(GError **error);
void adit_rtnl_close(AditRtnl *rtnl);
guint32 adit_rtnl_port(const AditRtnl *rtnl); /**< its netlink address */

/** A message and what came of it. */
typedef struct {
  struct nl_msg *msg; /**< without sequence number and NLM_F_ACK, which are filled in */
  int forgive[2];     /**< errnos that count as success; 0 = none */
  int error;          /**< out: 0 or a positive errno */
  gboolean lost;      /**< out: no answer came, it may have been carried out or not */
  char text[96];      /**< out: the kernel's own words on the error, or "" */
} AditRtnlPart;

/** Sends up to ADIT_RTNL_BATCH messages at once and waits for all acknowledgements; the kernel carries them out in order, and goes on
 *  after one that fails. */
void adit_rtnl_batch(AditRtnl *rtnl, AditRtnlPart **parts, guint n);

/** Gets what an answering message holds. */
typedef void (*AditRtnlAnswer)(struct nlmsghdr *header, gpointer data);

/** Sends one request (taken over), which may be a dump, and calls `answer` for each message that comes back. 0, or a positive errno;
 *  EINTR: what was dumped changed meanwhile, so that some of it may be missing. */
int adit_rtnl_request(AditRtnl *rtnl, struct nl_msg *request, AditRtnlAnswer answer, gpointer data);

/* ---- messages; each to be freed with nlmsg_free() ---- */

/** Several properties at once: up, carrier, mtu, group, master. */
struct nl_msg *adit_rtnl_link_set(const AditLinkChange *change);
/** Adds the alias `adit:TOKEN` to a link message. */
void adit_rtnl_link_put_token(struct nl_msg *msg, const char *token);
/** A dump of all links; `family` is AF_UNSPEC. */
struct nl_msg *adit_rtnl_link_dump(int family);
struct nl_msg *adit_rtnl_link_no_ipv6_auto(guint ifindex);
/** RTM_NEWLINKPROP or RTM_DELLINKPROP of an alternative name. */
struct nl_msg *adit_rtnl_link_alias(int type, guint ifindex, const char *alias);
struct nl_msg *adit_rtnl_link_get(guint ifindex);
struct nl_msg *adit_rtnl_link_delete(guint ifindex);
struct nl_msg *adit_rtnl_link_delete_group(guint group);
/** RTM_NEWADDR or RTM_DELADDR. */
struct nl_msg *adit_rtnl_address(int type, const AditNetAddress *address);
/** RTM_NEWROUTE (fails on an equal one) or RTM_DELROUTE, of ADIT_NET_PROTOCOL. `exact`: with gateway and interface; a
 *  delete without them removes our route to the same destination, whatever its next hop. */
struct nl_msg *adit_rtnl_route(int type, const AditNetRoute *route, gboolean exact);
struct nl_msg *adit_rtnl_route_get(const AditAddress *to);
/** RTM_NEWROUTE behind others of its prefix and metric; fails on exactly the same one. */
struct nl_msg *adit_rtnl_route_append(const AditNetRoute *route);
/** A route with neither gateway nor interface is made unreachable. */
gboolean adit_rtnl_route_is_unreachable(const AditNetRoute *route);
/** Asks for the entry of the table that leads to `to`, as it was added. */
struct nl_msg *adit_rtnl_route_match(const AditAddress *to);
/** A dump of the main table, with foreign routes. */
struct nl_msg *adit_rtnl_route_dump_main(int family);
struct nl_msg *adit_rtnl_address_dump(int family);
/** A dump of all routes of ADIT_NET_PROTOCOL, of one family. Older kernels send the others, too. */
struct nl_msg *adit_rtnl_route_dump(int family);
/** RTM_DELROUTE for a route as a dump gave it. */
struct nl_msg *adit_rtnl_route_delete_dumped(struct nlmsghdr *dumped);

/** RTM_NEWNEIGH or RTM_DELNEIGH of a proxy entry, of ADIT_NET_PROTOCOL. */
struct nl_msg *adit_rtnl_neighbour(int type, const AditNetNeighbour *neighbour);
struct nl_msg *adit_rtnl_neighbour_get(const AditNetNeighbour *neighbour); /**< one proxy entry; ENOENT if there is none */
struct nl_msg *adit_rtnl_neighbour_dump(int family);                       /**< all proxy entries */
/** Reads a RTM_NEWNEIGH of a proxy entry. */
gboolean adit_rtnl_neighbour_parse(struct nlmsghdr *header, AditNetNeighbour *neighbour, guint8 *protocol);

/** Reads a RTM_NEWROUTE or RTM_DELROUTE; of several next hops the first one. */
gboolean adit_rtnl_route_parse(struct nlmsghdr *header, AditNetRoute *route, AditAddress *source);

G_END_DECLS
