/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/net/sweep.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>

enum { DUMPS = 5 /* until one is whole */ };

typedef struct {
  guint ifindex;
  guint32 group;
  gboolean gone;
} Link;

typedef struct {
  AditRtnl *rtnl;
  const AditSweep *sweep;
  AditSweepReport *report;
  GHashTable *ours, *others; /* ifindex -> Link: with our token; with any other aditd's */
  guint strangers[2];        /* in our group, and in that of dying interfaces: no token of ours */
  GPtrArray *deletions;      /* of struct nl_msg: of routes and proxy neighbours */
  int error;
} Work;

/* ---- one message ---- */

static int run_sweep_message(Work *w, struct nl_msg *msg, int forgive1, int forgive2) {
  AditRtnlPart part = {.msg = msg, .forgive = {forgive1, forgive2}}, *list[] = {&part};
  adit_rtnl_batch(w->rtnl, list, 1);
  nlmsg_free(msg);
  if (part.error && !w->error)
    w->error = part.error;
  return part.error;
}

/* The kernel asks for CAP_NET_ADMIN in the user namespace that owns this network namespace before it looks for the interface. */
static int try_rights(Work *w) {
  const AditLinkChange nobody = {.ifindex = G_MAXINT32, .set = ADIT_LINK_UP, .up = FALSE};
  return run_sweep_message(w, adit_rtnl_link_set(&nobody), ENODEV, EINVAL);
}

static int dump_family(Work *w, struct nl_msg *(*request)(int family), int family, AditRtnlAnswer answer) {
  int failed = EINTR;
  for (guint i = 0; failed == EINTR && i < DUMPS; i++)
    failed = adit_rtnl_request(w->rtnl, request(family), answer, w);
  if (failed && failed != EAFNOSUPPORT && failed != EOPNOTSUPP && !w->error)
    w->error = failed;
  return failed;
}

/* ---- links ---- */

static gboolean alias_is(const char *alias, const char *token) {
  return g_str_has_prefix(alias, ADIT_NET_ALIAS) && g_str_equal(alias + strlen(ADIT_NET_ALIAS), token);
}

static void remember_link(GHashTable *set, guint ifindex, guint32 group) {
  Link *link = g_new(Link, 1);
  *link = (Link){.ifindex = ifindex, .group = group};
  g_hash_table_replace(set, GUINT_TO_POINTER(ifindex), link);
}

static void count_stranger(Work *w, guint32 group, const char *name) {
  if (group == w->sweep->group)
    w->strangers[0]++;
  else if (group == (w->sweep->group ^ ADIT_NET_DYING_GROUP))
    w->strangers[1]++;
  else
    return;
  if (!w->report->strangers++)
    g_strlcpy(w->report->stranger, name, sizeof w->report->stranger);
}

static void collect_link(struct nlmsghdr *h, gpointer data) {
  Work *w = data;
  struct nlattr *attr[IFLA_MAX + 1];
  if (h->nlmsg_type != RTM_NEWLINK || nlmsg_parse(h, sizeof(struct ifinfomsg), attr, IFLA_MAX, NULL) < 0)
    return;
  guint ifindex = (guint)((struct ifinfomsg *)nlmsg_data(h))->ifi_index;
  const char *alias = attr[IFLA_IFALIAS] ? nla_get_string(attr[IFLA_IFALIAS]) : "";
  guint32 group = attr[IFLA_GROUP] ? nla_get_u32(attr[IFLA_GROUP]) : 0;

  if (g_hash_table_contains(w->ours, GUINT_TO_POINTER(ifindex)) || g_hash_table_contains(w->others, GUINT_TO_POINTER(ifindex)))
    return; /* a dump that was begun again */
  if (alias_is(alias, w->sweep->token)) {
    remember_link(w->ours, ifindex, group);
    return;
  }
  if (g_str_has_prefix(alias, ADIT_NET_ALIAS))
    remember_link(w->others, ifindex, group);
  count_stranger(w, group, attr[IFLA_IFNAME] ? nla_get_string(attr[IFLA_IFNAME]) : "?");
}

/* One RTNL round for thousands, where the group holds no foreign interface. */
static void delete_group(Work *w, guint32 group, guint strangers) {
  GHashTableIter iter;
  gpointer value;
  guint n = 0;
  if (strangers || !group)
    return;
  g_hash_table_iter_init(&iter, w->ours);
  while (g_hash_table_iter_next(&iter, NULL, &value))
    n += ((Link *)value)->group == group;
  if (!n || run_sweep_message(w, adit_rtnl_link_delete_group(group), ENODEV, 0))
    return;
  w->report->links += n;
  g_hash_table_iter_init(&iter, w->ours);
  while (g_hash_table_iter_next(&iter, NULL, &value))
    ((Link *)value)->gone |= ((Link *)value)->group == group;
}

/* Ours that an administrator moved to another group, or made under another `interface-group`, or beside a stranger's. */
static void delete_rest(Work *w) {
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init(&iter, w->ours);
  while (g_hash_table_iter_next(&iter, NULL, &value)) {
    Link *link = value;
    if (link->gone)
      continue;
    if (!run_sweep_message(w, adit_rtnl_link_delete(link->ifindex), ENODEV, 0))
      w->report->links++;
    link->gone = TRUE;
  }
}

/* ---- routes ---- */

static gboolean route_is_ours(Work *w, guint ifindex) {
  if (g_hash_table_contains(w->ours, GUINT_TO_POINTER(ifindex)))
    return TRUE;
  if (g_hash_table_contains(w->others, GUINT_TO_POINTER(ifindex)))
    return FALSE;
  w->report->routes_left += !w->sweep->alone;
  return w->sweep->alone;
}

static void collect_route(struct nlmsghdr *h, gpointer data) {
  Work *w = data;
  const struct rtmsg *rtm = nlmsg_data(h);
  AditNetRoute route;
  AditAddress source;
  if (h->nlmsg_type == RTM_NEWROUTE && nlmsg_datalen(h) >= (int)sizeof *rtm && rtm->rtm_protocol == ADIT_NET_PROTOCOL &&
      adit_rtnl_route_parse(h, &route, &source) && route_is_ours(w, route.ifindex))
    g_ptr_array_add(w->deletions, adit_rtnl_route_delete_dumped(h));
}

static void collect_neighbour(struct nlmsghdr *h, gpointer data) {
  Work *w = data;
  AditNetNeighbour neighbour;
  guint8 protocol;
  if (adit_rtnl_neighbour_parse(h, &neighbour, &protocol) && protocol == ADIT_NET_PROTOCOL && route_is_ours(w, neighbour.ifindex))
    g_ptr_array_add(w->deletions, adit_rtnl_neighbour(RTM_DELNEIGH, &neighbour));
}

/* Some have gone with the links since the dump, or with a route they depended on, or are there twice. */
static void delete_routes(Work *w) {
  for (guint i = 0; i < w->deletions->len; i++) {
    gboolean route = nlmsg_hdr(w->deletions->pdata[i])->nlmsg_type == RTM_DELROUTE;
    if (!run_sweep_message(w, w->deletions->pdata[i], route ? ESRCH : ENOENT, ENODEV))
      w->report->routes += route;
  }
}

/* ---- the whole ---- */

int adit_sweep_run(AditRtnl *rtnl, const AditSweep *sweep, AditSweepReport *report) {
  AditSweepReport unwanted;
  Work w = {.rtnl = rtnl, .sweep = sweep, .report = report ? report : &unwanted};

  memset(w.report, 0, sizeof *w.report);
  if (try_rights(&w))
    return w.error;
  w.ours = g_hash_table_new_full(NULL, NULL, NULL, g_free);
  w.others = g_hash_table_new_full(NULL, NULL, NULL, g_free);
  w.deletions = g_ptr_array_new();
  /* Without a complete list of links the owners of the rest are unknown. */
  if (!dump_family(&w, adit_rtnl_link_dump, AF_UNSPEC, collect_link)) {
    if (sweep->routes) {
      dump_family(&w, adit_rtnl_route_dump, AF_INET, collect_route);
      dump_family(&w, adit_rtnl_route_dump, AF_INET6, collect_route);
      dump_family(&w, adit_rtnl_neighbour_dump, AF_INET, collect_neighbour);
      dump_family(&w, adit_rtnl_neighbour_dump, AF_INET6, collect_neighbour);
    }
    delete_group(&w, sweep->group, w.strangers[0]);
    delete_group(&w, sweep->group ^ ADIT_NET_DYING_GROUP, w.strangers[1]);
    delete_rest(&w);
    delete_routes(&w);
  }
  g_ptr_array_unref(w.deletions);
  g_hash_table_unref(w.ours);
  g_hash_table_unref(w.others);
  return w.error;
}

/* ---- one interface ---- */

typedef struct {
  const char *token;
  gboolean ours;
} Question;

static void read_alias(struct nlmsghdr *h, gpointer data) {
  Question *question = data;
  struct nlattr *alias = nlmsg_find_attr(h, sizeof(struct ifinfomsg), IFLA_IFALIAS);
  if (h->nlmsg_type == RTM_NEWLINK && alias)
    question->ours = alias_is(nla_get_string(alias), question->token);
}

gboolean adit_sweep_is_ours(AditRtnl *rtnl, guint ifindex, const char *token) {
  Question question = {.token = token};
  return ifindex && !adit_rtnl_request(rtnl, adit_rtnl_link_get(ifindex), read_alias, &question) && question.ours;
}
