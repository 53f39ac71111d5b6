/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/net/match.h"
#include "core/net/net.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>

enum { DUMPS = 3 /* until one is whole */ };

/* ---- one prefix ---- */

const char *adit_match_protocol_word(guint8 protocol, char buffer[ADIT_MATCH_PROTOCOL]) {
  static const struct {
    guint8 number;
    const char *word;
  } words[] = {{RTPROT_KERNEL, "kernel"}, {RTPROT_BOOT, "boot"},   {RTPROT_STATIC, "static"},    {RTPROT_RA, "ra"},
               {RTPROT_DHCP, "dhcp"},     {RTPROT_ZEBRA, "zebra"}, {RTPROT_BIRD, "bird"},        {RTPROT_BGP, "bgp"},
               {RTPROT_OSPF, "ospf"},     {RTPROT_ISIS, "isis"},   {RTPROT_REDIRECT, "redirect"}};
  for (guint i = 0; i < G_N_ELEMENTS(words); i++)
    if (words[i].number == protocol)
      return words[i].word;
  g_snprintf(buffer, ADIT_MATCH_PROTOCOL, "%u", protocol);
  return buffer;
}

typedef struct {
  gboolean answered;
  AditNetRoute route;
  AditAddress source;
  guint8 protocol, type;
} Found;

static void read_found(struct nlmsghdr *h, gpointer data) {
  Found *found = data;
  const struct rtmsg *rtm = nlmsg_data(h);
  if (found->answered || !adit_rtnl_route_parse(h, &found->route, &found->source))
    return;
  found->answered = TRUE;
  found->protocol = rtm->rtm_protocol;
  found->type = rtm->rtm_type;
}

/* An address in the prefix without special meaning, as 0.0.0.0 and ::1 have. */
static AditAddress choose_sample(const AditPrefix *prefix) {
  AditAddress address = prefix->address;
  guint bits = (guint)adit_address_size(&address) * 8;
  if (prefix->length < bits)
    address.octet[prefix->length / 8] |= (guint8)(0x80 >> prefix->length % 8);
  return address;
}

static gboolean same_prefix(const AditPrefix *a, const AditPrefix *b) {
  return a->length == b->length && adit_address_equal(&a->address, &b->address);
}

AditMatch adit_match_route(AditRtnl *rtnl, const AditNetRoute *route, AditNetRoute *there, char *text, gsize size) {
  AditAddress to = choose_sample(&route->to);
  guint32 table = route->table ? route->table : RT_TABLE_MAIN;
  char name[IF_NAMESIZE] = "?", prefix[ADIT_PREFIX_TEXT], word[ADIT_MATCH_PROTOCOL];
  Found found = {.answered = FALSE};

  if (adit_rtnl_request(rtnl, adit_rtnl_route_match(&to), read_found, &found) || !found.answered ||
      !same_prefix(&found.route.to, &route->to) || found.route.table != table || found.route.metric != route->metric)
    return ADIT_MATCH_UNKNOWN;
  *there = found.route;
  if (found.protocol != ADIT_NET_PROTOCOL) {
    if_indextoname(found.route.ifindex, name);
    g_snprintf(text, size, "route %s of protocol %s on interface %s", adit_prefix_format(&route->to, prefix),
               adit_match_protocol_word(found.protocol, word), name);
    return ADIT_MATCH_FOREIGN;
  }
  gboolean same = (found.route.ifindex == route->ifindex || found.type == RTN_UNREACHABLE) &&
                  adit_address_equal(&found.route.via, &route->via) && found.route.mtu == route->mtu &&
                  (found.type == RTN_UNREACHABLE) == adit_rtnl_route_is_unreachable(route);
  return same ? ADIT_MATCH_OURS : ADIT_MATCH_OURS_OTHERWISE;
}

/* ---- ways ---- */

void adit_match_now(AditRtnl *rtnl, AditMatchWay *way) {
  Found found = {.answered = FALSE};
  way->error = adit_rtnl_request(rtnl, adit_rtnl_route_get(&way->to), read_found, &found);
  if (!way->error && (!found.answered || found.type == RTN_UNREACHABLE || found.type == RTN_BLACKHOLE || found.type == RTN_PROHIBIT))
    way->error = ENETUNREACH;
  way->route = found.route;
}

typedef struct {
  AditMatchWay *way;
  guint n;
} Dump;

static int compare_addresses(const AditAddress *a, const AditAddress *b) {
  return a->family != b->family ? (int)a->family - (int)b->family : memcmp(a->octet, b->octet, sizeof a->octet);
}

static int compare_ways(const void *a, const void *b) {
  return compare_addresses(&((const AditMatchWay *)a)->to, &((const AditMatchWay *)b)->to);
}

/* The longer prefix, then the smaller metric. */
static gboolean is_better(const AditMatchWay *way, const AditNetRoute *route) {
  if (!way->route.to.address.family)
    return TRUE; /* the first */
  if (way->route.to.length != route->to.length)
    return route->to.length > way->route.to.length;
  return route->metric < way->route.metric;
}

static guint lower_bound(const Dump *dump, const AditAddress *address) {
  guint low = 0, high = dump->n;
  while (low < high) {
    guint middle = (low + high) / 2;
    if (compare_addresses(&dump->way[middle].to, address) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static void judge_route(struct nlmsghdr *h, gpointer data) {
  const Dump *dump = data;
  const struct rtmsg *rtm = nlmsg_data(h);
  AditNetRoute route;
  AditAddress source;
  if (!adit_rtnl_route_parse(h, &route, &source) || rtm->rtm_protocol == ADIT_NET_PROTOCOL ||
      rtm->rtm_flags & (RTNH_F_DEAD | RTNH_F_LINKDOWN) || route.table != RT_TABLE_MAIN)
    return;
  for (guint i = lower_bound(dump, &route.to.address); i < dump->n && adit_prefix_contains(&route.to, &dump->way[i].to); i++)
    if (is_better(&dump->way[i], &route)) {
      dump->way[i].route = route;
      dump->way[i].error = rtm->rtm_type == RTN_UNICAST ? 0 : EHOSTUNREACH;
    }
}

void adit_match_without_ours(AditRtnl *rtnl, AditMatchWay *ways, guint n) {
  static const guint8 families[] = {AF_INET, AF_INET6};
  Dump dump = {ways, n};
  qsort(ways, n, sizeof *ways, compare_ways);
  for (guint i = 0; i < n; i++)
    ways[i].error = ENETUNREACH;
  for (guint f = 0; f < G_N_ELEMENTS(families); f++) {
    gboolean wanted = FALSE;
    int failed = EINTR;
    for (guint i = 0; i < n; i++)
      wanted |= ways[i].to.family == families[f];
    for (guint i = 0; wanted && failed == EINTR && i < DUMPS; i++)
      failed = adit_rtnl_request(rtnl, adit_rtnl_route_dump_main(families[f]), judge_route, &dump);
  }
}
