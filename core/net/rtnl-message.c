/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* rtnetlink messages, built and read. */
#include "core/net/net.h"
#include "core/net/rtnl.h"

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>

/* libnl's own default is a page a message, and ten thousand may be queued; the longest attribute is an alternative name. */
static struct nl_msg *new_message(int type, int flags, const void *header, int length) {
  struct nl_msg *msg = nlmsg_alloc_size(NLMSG_SPACE(length) + 256);
  nlmsg_put(msg, 0, 0, type, 0, flags);
  nlmsg_append(msg, (void *)header, (size_t)length, NLMSG_ALIGNTO);
  return msg;
}

static void put_address(struct nl_msg *msg, int type, const AditAddress *a) {
  nla_put(msg, type, (int)adit_address_size(a), a->octet);
}

/* ---- links ---- */

struct nl_msg *adit_rtnl_link_set(const AditLinkChange *c) {
  struct ifinfomsg ifi = {.ifi_family = AF_UNSPEC, .ifi_index = (int)c->ifindex};
  if (c->set & ADIT_LINK_UP) {
    ifi.ifi_change = IFF_UP;
    ifi.ifi_flags = c->up ? IFF_UP : 0;
  }
  if (c->set & ADIT_LINK_MULTICAST) {
    ifi.ifi_change |= IFF_MULTICAST;
    ifi.ifi_flags |= c->multicast ? IFF_MULTICAST : 0;
  }
  struct nl_msg *msg = new_message(RTM_NEWLINK, 0, &ifi, sizeof ifi);
  if (c->set & ADIT_LINK_MTU)
    nla_put_u32(msg, IFLA_MTU, c->mtu);
  if (c->set & ADIT_LINK_GROUP)
    nla_put_u32(msg, IFLA_GROUP, c->group);
  if (c->set & ADIT_LINK_CARRIER)
    nla_put_u8(msg, IFLA_CARRIER, c->carrier ? 1 : 0);
  if (c->set & ADIT_LINK_MASTER)
    nla_put_u32(msg, IFLA_MASTER, c->master);
  return msg;
}

void adit_rtnl_link_put_token(struct nl_msg *msg, const char *token) {
  char alias[sizeof ADIT_NET_ALIAS + ADIT_NET_TOKEN_SIZE];
  g_snprintf(alias, sizeof alias, ADIT_NET_ALIAS "%s", token);
  nla_put(msg, IFLA_IFALIAS, (int)strlen(alias), alias);
}

struct nl_msg *adit_rtnl_link_dump(int family) {
  struct ifinfomsg ifi = {.ifi_family = (guint8)family};
  return new_message(RTM_GETLINK, NLM_F_DUMP, &ifi, sizeof ifi);
}

struct nl_msg *adit_rtnl_link_no_ipv6_auto(guint ifindex) {
  struct ifinfomsg ifi = {.ifi_family = AF_UNSPEC, .ifi_index = (int)ifindex};
  struct nl_msg *msg = new_message(RTM_NEWLINK, 0, &ifi, sizeof ifi);
  struct nlattr *spec = nla_nest_start(msg, IFLA_AF_SPEC), *inet6 = nla_nest_start(msg, AF_INET6);
  nla_put_u8(msg, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
  nla_nest_end(msg, inet6);
  nla_nest_end(msg, spec);
  return msg;
}

struct nl_msg *adit_rtnl_link_alias(int type, guint ifindex, const char *alias) {
  struct ifinfomsg ifi = {.ifi_family = AF_UNSPEC, .ifi_index = (int)ifindex};
  struct nl_msg *msg = new_message(type, type == RTM_NEWLINKPROP ? NLM_F_CREATE | NLM_F_EXCL | NLM_F_APPEND : 0, &ifi, sizeof ifi);
  struct nlattr *list = nla_nest_start(msg, IFLA_PROP_LIST | NLA_F_NESTED);
  nla_put_string(msg, IFLA_ALT_IFNAME, alias);
  nla_nest_end(msg, list);
  return msg;
}

struct nl_msg *adit_rtnl_link_get(guint ifindex) {
  struct ifinfomsg ifi = {.ifi_family = AF_UNSPEC, .ifi_index = (int)ifindex};
  return new_message(RTM_GETLINK, 0, &ifi, sizeof ifi);
}

struct nl_msg *adit_rtnl_link_delete(guint ifindex) {
  struct ifinfomsg ifi = {.ifi_family = AF_UNSPEC, .ifi_index = (int)ifindex};
  return new_message(RTM_DELLINK, 0, &ifi, sizeof ifi);
}

struct nl_msg *adit_rtnl_link_delete_group(guint group) {
  struct ifinfomsg ifi = {.ifi_family = AF_UNSPEC};
  struct nl_msg *msg = new_message(RTM_DELLINK, 0, &ifi, sizeof ifi);
  nla_put_u32(msg, IFLA_GROUP, group);
  return msg;
}

/* ---- addresses ---- */

struct nl_msg *adit_rtnl_address(int type, const AditNetAddress *a) {
  const AditAddress *local = &a->local.address;
  struct ifaddrmsg ifa = {.ifa_family = local->family, .ifa_prefixlen = a->local.length, .ifa_index = a->ifindex};
  gboolean peer = a->peer.family == local->family;
  if (local->family == AF_INET6)
    ifa.ifa_flags = IFA_F_NODAD; /* two ends, each told its own: no collision is possible, and it is usable at once */
  struct nl_msg *msg = new_message(type, type == RTM_NEWADDR ? NLM_F_CREATE | NLM_F_REPLACE : 0, &ifa, sizeof ifa);
  put_address(msg, IFA_LOCAL, local);
  put_address(msg, IFA_ADDRESS, peer ? &a->peer : local);
  return msg;
}

/* ---- routes ---- */

/* IPv6 heeds it for what it forwards only when it is locked; locked, what IPv4 sends itself would lose its DF. */
static void put_mtu(struct nl_msg *msg, const AditNetRoute *r) {
  struct nlattr *metrics = nla_nest_start(msg, RTA_METRICS);
  if (r->to.address.family == AF_INET6)
    nla_put_u32(msg, RTAX_LOCK, 1 << RTAX_MTU);
  nla_put_u32(msg, RTAX_MTU, r->mtu);
  nla_nest_end(msg, metrics);
}

gboolean adit_rtnl_route_is_unreachable(const AditNetRoute *r) {
  return !r->ifindex && !adit_address_is_set(&r->via);
}

static struct nl_msg *route_message(int type, int flags, const AditNetRoute *r, gboolean exact) {
  guint32 table = r->table ? r->table : RT_TABLE_MAIN;
  gboolean add = type == RTM_NEWROUTE, via = adit_address_is_set(&r->via), unreachable = exact && adit_rtnl_route_is_unreachable(r);
  struct rtmsg rtm = {
      .rtm_family = r->to.address.family,
      .rtm_dst_len = r->to.length,
      .rtm_table = table < 256 ? (guint8)table : RT_TABLE_UNSPEC,
      .rtm_protocol = ADIT_NET_PROTOCOL,
      /* A delete matches any scope. */
      .rtm_scope = !add                                                      ? RT_SCOPE_NOWHERE
                   : r->to.address.family == AF_INET && !via && !unreachable ? RT_SCOPE_LINK
                                                                             : RT_SCOPE_UNIVERSE,
      .rtm_type = unreachable ? RTN_UNREACHABLE
                  : add       ? RTN_UNICAST
                              : RTN_UNSPEC,
  };
  struct nl_msg *msg = new_message(type, flags, &rtm, sizeof rtm);
  if (r->to.length)
    put_address(msg, RTA_DST, &r->to.address);
  nla_put_u32(msg, RTA_TABLE, table);
  if (r->metric)
    nla_put_u32(msg, RTA_PRIORITY, r->metric);
  if (add && r->mtu)
    put_mtu(msg, r);
  if (!exact)
    return msg;
  if (r->ifindex)
    nla_put_u32(msg, RTA_OIF, r->ifindex);
  if (via && r->via.family == r->to.address.family) {
    put_address(msg, RTA_GATEWAY, &r->via);
  } else if (via) {
    struct {
      guint16 family; /* struct rtvia */
      guint8 octet[16];
    } rtvia = {.family = r->via.family};
    memcpy(rtvia.octet, r->via.octet, 16);
    nla_put(msg, RTA_VIA, (int)(sizeof rtvia.family + adit_address_size(&r->via)), &rtvia);
  }
  return msg;
}

struct nl_msg *adit_rtnl_route(int type, const AditNetRoute *r, gboolean exact) {
  return route_message(type, type == RTM_NEWROUTE ? NLM_F_CREATE | NLM_F_EXCL : 0, r, exact);
}

struct nl_msg *adit_rtnl_route_append(const AditNetRoute *r) {
  return route_message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_APPEND, r, TRUE);
}
struct nl_msg *adit_rtnl_route_get(const AditAddress *to) {
  struct rtmsg rtm = {.rtm_family = to->family, .rtm_dst_len = (guint8)(adit_address_size(to) * 8)};
  struct nl_msg *msg = new_message(RTM_GETROUTE, 0, &rtm, sizeof rtm);
  put_address(msg, RTA_DST, to);
  return msg;
}

/* The table's entry, and not what the lookup makes of it. */
struct nl_msg *adit_rtnl_route_match(const AditAddress *to) {
  struct nl_msg *msg = adit_rtnl_route_get(to);
  ((struct rtmsg *)nlmsg_data(nlmsg_hdr(msg)))->rtm_flags = RTM_F_FIB_MATCH;
  return msg;
}

struct nl_msg *adit_rtnl_route_dump_main(int family) {
  struct rtmsg rtm = {.rtm_family = (guint8)family, .rtm_table = RT_TABLE_MAIN};
  return new_message(RTM_GETROUTE, NLM_F_DUMP, &rtm, sizeof rtm);
}

struct nl_msg *adit_rtnl_address_dump(int family) {
  struct ifaddrmsg ifa = {.ifa_family = (guint8)family};
  return new_message(RTM_GETADDR, NLM_F_DUMP, &ifa, sizeof ifa);
}

struct nl_msg *adit_rtnl_route_dump(int family) {
  struct rtmsg rtm = {.rtm_family = (guint8)family, .rtm_protocol = ADIT_NET_PROTOCOL};
  return new_message(RTM_GETROUTE, NLM_F_DUMP, &rtm, sizeof rtm);
}

struct nl_msg *adit_rtnl_route_delete_dumped(struct nlmsghdr *dumped) {
  return new_message(RTM_DELROUTE, 0, nlmsg_data(dumped), nlmsg_datalen(dumped));
}

static gboolean get_address(struct nlattr *attr, int family, AditAddress *out) {
  memset(out, 0, sizeof *out);
  if (!attr || nla_len(attr) != (family == AF_INET6 ? 16 : 4))
    return FALSE;
  out->family = (guint8)family;
  memcpy(out->octet, nla_data(attr), (gsize)nla_len(attr));
  return TRUE;
}

/* Of several next hops the first counts. */
static void parse_first_hop(struct nlattr *list, int family, AditNetRoute *route) {
  if (!list || nla_len(list) < (int)sizeof(struct rtnexthop) || route->ifindex)
    return;
  const struct rtnexthop *hop = nla_data(list);
  int length = MIN(hop->rtnh_len, nla_len(list)) - (int)sizeof *hop;
  route->ifindex = (guint)hop->rtnh_ifindex;
  if (length > 0)
    get_address(nla_find((struct nlattr *)(hop + 1), length, RTA_GATEWAY), family, &route->via);
}

gboolean adit_rtnl_route_parse(struct nlmsghdr *h, AditNetRoute *route, AditAddress *source) {
  struct nlattr *attr[RTA_MAX + 1];
  memset(route, 0, sizeof *route);
  memset(source, 0, sizeof *source);
  if ((h->nlmsg_type != RTM_NEWROUTE && h->nlmsg_type != RTM_DELROUTE) || nlmsg_parse(h, sizeof(struct rtmsg), attr, RTA_MAX, NULL) < 0)
    return FALSE;

  const struct rtmsg *rtm = nlmsg_data(h);
  if (!get_address(attr[RTA_DST], rtm->rtm_family, &route->to.address))
    route->to.address.family = rtm->rtm_family;
  route->to.length = rtm->rtm_dst_len;
  route->ifindex = attr[RTA_OIF] ? nla_get_u32(attr[RTA_OIF]) : 0;
  route->metric = attr[RTA_PRIORITY] ? nla_get_u32(attr[RTA_PRIORITY]) : 0;
  route->table = attr[RTA_TABLE] ? nla_get_u32(attr[RTA_TABLE]) : rtm->rtm_table;
  get_address(attr[RTA_GATEWAY], rtm->rtm_family, &route->via);
  get_address(attr[RTA_PREFSRC], rtm->rtm_family, source);
  if (attr[RTA_METRICS]) {
    struct nlattr *mtu = nla_find(nla_data(attr[RTA_METRICS]), nla_len(attr[RTA_METRICS]), RTAX_MTU);
    route->mtu = mtu && nla_len(mtu) == 4 ? nla_get_u32(mtu) : 0;
  }
  parse_first_hop(attr[RTA_MULTIPATH], rtm->rtm_family, route);
  if (attr[RTA_VIA] && nla_len(attr[RTA_VIA]) == 2 + 16 && *(guint16 *)nla_data(attr[RTA_VIA]) == AF_INET6) {
    route->via.family = AF_INET6;
    memcpy(route->via.octet, (guint8 *)nla_data(attr[RTA_VIA]) + 2, 16);
  }
  return TRUE;
}

/* ---- proxy neighbours ---- */

static struct nl_msg *neighbour_message(int type, int flags, guint16 state, const AditNetNeighbour *n) {
  struct ndmsg ndm = {.ndm_family = n->address.family, .ndm_ifindex = (int)n->ifindex, .ndm_state = state, .ndm_flags = NTF_PROXY};
  struct nl_msg *msg = new_message(type, flags, &ndm, sizeof ndm);
  put_address(msg, NDA_DST, &n->address);
  return msg;
}

struct nl_msg *adit_rtnl_neighbour(int type, const AditNetNeighbour *n) {
  gboolean add = type == RTM_NEWNEIGH;
  /* A permanent one survives the loss of the carrier. */
  struct nl_msg *msg = neighbour_message(type, add ? NLM_F_CREATE : 0, add ? NUD_PERMANENT : 0, n);
  if (add)
    nla_put_u8(msg, NDA_PROTOCOL, ADIT_NET_PROTOCOL);
  return msg;
}

struct nl_msg *adit_rtnl_neighbour_get(const AditNetNeighbour *n) {
  return neighbour_message(RTM_GETNEIGH, 0, 0, n);
}

struct nl_msg *adit_rtnl_neighbour_dump(int family) {
  struct ndmsg ndm = {.ndm_family = (guint8)family, .ndm_flags = NTF_PROXY};
  return new_message(RTM_GETNEIGH, NLM_F_DUMP, &ndm, sizeof ndm);
}

gboolean adit_rtnl_neighbour_parse(struct nlmsghdr *h, AditNetNeighbour *neighbour, guint8 *protocol) {
  struct nlattr *attr[NDA_MAX + 1];
  memset(neighbour, 0, sizeof *neighbour);
  if (h->nlmsg_type != RTM_NEWNEIGH || nlmsg_parse(h, sizeof(struct ndmsg), attr, NDA_MAX, NULL) < 0)
    return FALSE;
  const struct ndmsg *ndm = nlmsg_data(h);
  neighbour->ifindex = (guint)ndm->ndm_ifindex;
  *protocol = attr[NDA_PROTOCOL] ? nla_get_u8(attr[NDA_PROTOCOL]) : 0;
  return (ndm->ndm_flags & NTF_PROXY) && get_address(attr[NDA_DST], ndm->ndm_family, &neighbour->address);
}
