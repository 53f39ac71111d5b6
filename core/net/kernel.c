/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Changes of claims.h as rtnetlink messages. */
#include "core/net/kernel.h"
#include "core/base/loop.h"
#include "core/net/bridge-message.h"
#include "core/net/claims/pins.h"
#include "core/net/match.h"
#include "core/net/net.h"
#include "core/net/queue.h"
#include "core/net/watch.h"

#include <adit/log.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>

enum { DEFAULT_VLAN = 1 /* of a bridge's ports */ };

static struct {
  AditClaims *claims;
  AditTimer timer;
  gboolean soon;
  AditRateLimit removal_log;
} self;

/* ---- one change ---- */

typedef struct {
  AditNetJob job; /* head */
  AditChange change;
  AditObject *object;
  gboolean foreign, lost;
  guint deletion; /* of a REPLACE: which part */
  char text[160];
} Work;

/* The errno, `forgive` as 0. */
static int run_message(Work *work, AditRtnl *rtnl, struct nl_msg *message, int forgive) {
  AditRtnlPart part = {.msg = message, .forgive = {forgive}}, *list[] = {&part};
  adit_rtnl_batch(rtnl, list, 1);
  nlmsg_free(message);
  work->lost |= part.lost;
  return part.error;
}

/* Ours is not there any more, or it is not known whether it is. */
static void drop_route(Work *work, AditRtnl *rtnl, const AditNetRoute *route) {
  int error = run_message(work, rtnl, adit_rtnl_route(RTM_DELROUTE, route, TRUE), ESRCH);
  work->lost |= error && error != ENODEV;
}

/* The owner of the present route: we, another program, or we with another next hop after a race: then the right one takes its place.
 */
static void look_at_route(AditNetJob *job, AditRtnl *rtnl) {
  Work *work = (Work *)job;
  AditNetRoute route = adit_object_route(&work->change.key, &work->change.value), there;
  if (job->error != EEXIST)
    return;
  switch (adit_match_route(rtnl, &route, &there, work->text, sizeof work->text)) {
  case ADIT_MATCH_OURS:
    job->error = 0;
    return;
  case ADIT_MATCH_OURS_OTHERWISE: /* two of one next hop cannot be there at once */
    drop_route(work, rtnl, &there);
    job->error = run_message(work, rtnl, adit_rtnl_route(RTM_NEWROUTE, &route, TRUE), 0);
    return;
  case ADIT_MATCH_UNKNOWN: /* an append fails on exactly ours alone */
    job->error = run_message(work, rtnl, adit_rtnl_route_append(&route), 0);
    if (job->error) {
      job->error = job->error == EEXIST ? 0 : job->error;
      return;
    }
    g_strlcpy(work->text, "another program's route with that prefix and metric", sizeof work->text);
    drop_route(work, rtnl, &route);
    break;
  case ADIT_MATCH_FOREIGN: /* ours may be behind it, if it was there: else the deletion would take one of another metric */
    if (work->change.had)
      drop_route(work, rtnl, &route);
    break;
  }
  work->foreign = TRUE;
}

static void add_route_parts(Work *work) {
  const AditChange *change = &work->change;
  AditNetRoute route = adit_object_route(&change->key, &change->value), old = adit_object_route(&change->key, &change->old);
  gboolean one_hop = old.ifindex == route.ifindex && adit_address_equal(&old.via, &route.via);
  switch (change->kind) {
  case ADIT_CHANGE_ENSURE:
    adit_net_job_add(&work->job, adit_rtnl_route(RTM_NEWROUTE, &route, TRUE), 0, 0);
    work->job.follow = look_at_route;
    break;
  case ADIT_CHANGE_REPLACE:
    /* NLM_F_REPLACE would take the place of an administrator's route that came meanwhile. Two of one next hop cannot be there at once. */
    if (one_hop) {
      adit_net_job_add(&work->job, adit_rtnl_route(RTM_DELROUTE, &old, TRUE), ESRCH, ENODEV);
      adit_net_job_add(&work->job, adit_rtnl_route(RTM_NEWROUTE, &route, TRUE), 0, 0);
      work->job.follow = look_at_route;
    } else {
      work->deletion = 1;
      adit_net_job_add(&work->job, adit_rtnl_route_append(&route), EEXIST, 0);
      adit_net_job_add(&work->job, adit_rtnl_route(RTM_DELROUTE, &old, TRUE), ESRCH, ENODEV);
    }
    break;
  case ADIT_CHANGE_REMOVE:
    adit_net_job_add(&work->job, adit_rtnl_route(RTM_DELROUTE, &old, TRUE), ESRCH, ENODEV);
    break;
  }
}

static void add_link_part(Work *work) {
  const AditObjectValue *value = &work->change.value;
  AditLinkChange change = {
      .ifindex = work->change.key.where, .set = ADIT_LINK_UP | (value->mtu ? ADIT_LINK_MTU : 0), .up = value->up, .mtu = value->mtu};
  adit_net_job_add(&work->job, adit_rtnl_link_set(&change), 0, 0);
}

static void read_master(struct nlmsghdr *h, gpointer data) {
  struct nlattr *master = nlmsg_find_attr(h, sizeof(struct ifinfomsg), IFLA_MASTER);
  *(guint32 *)data = master ? nla_get_u32(master) : 0;
}

/* An administrator may have put it elsewhere since: there it stays. */
static void leave_master(AditNetJob *job, AditRtnl *rtnl) {
  Work *work = (Work *)job;
  AditLinkChange leave = {.ifindex = work->change.key.where, .set = ADIT_LINK_MASTER};
  guint32 master = 0;
  if (adit_rtnl_request(rtnl, adit_rtnl_link_get(leave.ifindex), read_master, &master) == 0 && master == work->change.old.master)
    job->error = run_message(work, rtnl, adit_rtnl_link_set(&leave), ENODEV);
}

/* In its bridge; the first that fails refuses all. */
static void configure_port(AditNetJob *job, AditRtnl *rtnl) {
  Work *work = (Work *)job;
  guint32 ifindex = work->change.key.where;
  const AditBridgePort *port = &work->change.value.port;
  if (!job->error && port->set & ~(guint32)ADIT_BRIDGE_PORT_PVID)
    job->error = run_message(work, rtnl, adit_bridge_port_set(ifindex, port), 0);
  if (!job->error && port->set & ADIT_BRIDGE_PORT_PVID)
    job->error = run_message(work, rtnl, adit_bridge_port_vlan(RTM_SETLINK, ifindex, port->pvid), 0);
  if (!job->error && port->set & ADIT_BRIDGE_PORT_PVID && port->pvid != DEFAULT_VLAN)
    job->error = run_message(work, rtnl, adit_bridge_port_vlan(RTM_DELLINK, ifindex, DEFAULT_VLAN), ENOENT);
}

static void miss_bridge(AditNetJob *job, AditRtnl *rtnl) {
  Work *work = (Work *)job;
  job->error = ENODEV;
  g_strlcpy(work->text, "there is no such interface", sizeof work->text);
}

static void add_master_part(Work *work) {
  AditLinkChange enter = {.ifindex = work->change.key.where, .set = ADIT_LINK_MASTER, .master = work->change.value.master};
  if (work->change.kind == ADIT_CHANGE_REMOVE)
    work->job.follow = leave_master;
  else if (!enter.master)
    work->job.follow = miss_bridge;
  else {
    adit_net_job_add(&work->job, adit_rtnl_link_set(&enter), 0, 0);
    work->job.follow = configure_port;
  }
}

typedef struct {
  gboolean there;
  guint8 protocol;
} Entry;

static void read_entry(struct nlmsghdr *h, gpointer data) {
  Entry *entry = data;
  AditNetNeighbour neighbour;
  entry->there = adit_rtnl_neighbour_parse(h, &neighbour, &entry->protocol);
}

/* The kernel neither refuses an entry that is there nor keeps two: its owner must be read first. */
static void look_at_neighbour(AditNetJob *job, AditRtnl *rtnl) {
  Work *work = (Work *)job;
  AditNetNeighbour neighbour = adit_object_neighbour(&work->change.key);
  gboolean removes = work->change.kind == ADIT_CHANGE_REMOVE;
  char word[ADIT_MATCH_PROTOCOL];
  Entry entry = {FALSE, 0};
  int failed = adit_rtnl_request(rtnl, adit_rtnl_neighbour_get(&neighbour), read_entry, &entry);
  if (failed && failed != ENOENT && failed != EOPNOTSUPP)
    job->error = removes && failed == ENODEV ? 0 : failed;
  else if (removes && entry.there && entry.protocol == ADIT_NET_PROTOCOL)
    job->error = run_message(work, rtnl, adit_rtnl_neighbour(RTM_DELNEIGH, &neighbour), ENOENT);
  else if (!removes && !entry.there)
    job->error = run_message(work, rtnl, adit_rtnl_neighbour(RTM_NEWNEIGH, &neighbour), 0);
  else if (!removes && entry.protocol != ADIT_NET_PROTOCOL) {
    work->foreign = TRUE;
    g_snprintf(work->text, sizeof work->text, "a proxy neighbour of protocol %s", adit_match_protocol_word(entry.protocol, word));
  }
}

/* A REPLACE that may have done half of its work is one without an answer. */
static AditChangeResult result_of(const Work *work) {
  const AditNetJob *job = &work->job;
  gboolean lost = work->lost || (work->change.kind == ADIT_CHANGE_REPLACE && job->part[work->deletion].error);
  for (guint i = 0; i < job->n_parts; i++)
    lost |= job->part[i].lost;
  return lost ? ADIT_RESULT_LOST : work->foreign ? ADIT_RESULT_FOREIGN : job->error ? ADIT_RESULT_FAILED : ADIT_RESULT_DONE;
}

static void log_removal(const Work *work) {
  char name[ADIT_OBJECT_TEXT];
  guint kept = 0;
  if (adit_rate_allows(&self.removal_log, adit_loop_service()->now(), 20, 1000, &kept))
    adit_warning(NULL, "%s: cannot be removed: %s; retrying", adit_object_format(&work->change.key, &work->change.old, name),
                 g_strerror(work->job.error));
}

static void change_done(AditNetJob *job) {
  g_autofree Work *work = (Work *)job;
  const char *text = *work->text ? work->text : adit_net_job_text(job);
  AditChangeResult result = result_of(work);
  if (work->change.kind == ADIT_CHANGE_REMOVE && job->error && job->error != ESHUTDOWN)
    log_removal(work);
  int error = result == ADIT_RESULT_LOST && !job->error ? ETIMEDOUT : job->error;
  adit_claims_finished(self.claims, work->object, result, error, text);
}

static void on_start(gpointer user, const AditChange *change, AditObject *object) {
  Work *work = g_new0(Work, 1);
  AditNetAddress address;
  work->change = *change;
  work->object = object;
  work->job.done = change_done;
  switch ((AditObjectKind)change->key.kind) {
  case ADIT_OBJECT_LINK:
    add_link_part(work);
    break;
  case ADIT_OBJECT_ADDRESS:
    address = adit_object_address(&change->key);
    if (change->kind == ADIT_CHANGE_REMOVE)
      adit_net_job_add(&work->job, adit_rtnl_address(RTM_DELADDR, &address), EADDRNOTAVAIL, ENODEV);
    else
      adit_net_job_add(&work->job, adit_rtnl_address(RTM_NEWADDR, &address), 0, 0);
    break;
  case ADIT_OBJECT_ROUTE:
    add_route_parts(work);
    break;
  case ADIT_OBJECT_MASTER:
    add_master_part(work);
    break;
  case ADIT_OBJECT_NEIGHBOUR:
    work->job.follow = look_at_neighbour;
    break;
  }
  adit_net_submit(&work->job);
}

/* ---- ways to tunnels' ends ---- */

typedef struct {
  AditNetJob job; /* head */
  guint n;
  AditMatchWay way[];
} Ways;

static void request_way(AditNetJob *job, AditRtnl *rtnl) {
  Ways *ways = (Ways *)job;
  adit_match_now(rtnl, &ways->way[0]);
}

static void way_done(AditNetJob *job) {
  g_autofree Ways *ways = (Ways *)job;
  const AditMatchWay *way = &ways->way[0];
  int error = job->error ? job->error : way->error;
  adit_claims_resolved(self.claims, &way->to, error, error ? NULL : &way->route);
}

static void request_ways(AditNetJob *job, AditRtnl *rtnl) {
  Ways *ways = (Ways *)job;
  adit_match_without_ours(rtnl, ways->way, ways->n);
}

static void ways_done(AditNetJob *job) {
  g_autofree Ways *ways = (Ways *)job;
  for (guint i = 0; i < ways->n; i++) {
    const AditMatchWay *way = &ways->way[i];
    int error = job->error ? job->error : way->error;
    adit_claims_refreshed(self.claims, &way->to, error, error ? NULL : &way->route);
  }
}

static void submit_ways(const AditAddress *to, guint n, void (*follow)(AditNetJob *, AditRtnl *), void (*done)(AditNetJob *)) {
  Ways *ways = g_malloc0(sizeof *ways + n * sizeof ways->way[0]);
  ways->job.follow = follow;
  ways->job.done = done;
  ways->n = n;
  for (guint i = 0; i < n; i++)
    ways->way[i].to = to[i];
  adit_net_submit(&ways->job);
}

static void on_resolve(gpointer user, const AditAddress *to) {
  submit_ways(to, 1, request_way, way_done);
}

static void on_refresh(gpointer user, const AditAddress *to, guint n) {
  submit_ways(to, n, request_ways, ways_done);
}

/* ---- time ---- */

static void run_claims(AditTimer *timer, gpointer data) {
  if (self.claims)
    adit_claims_run(self.claims);
}

static void run_soon(gpointer data) {
  self.soon = FALSE;
  run_claims(NULL, NULL);
}

static void on_wake(gpointer user, guint64 delay_ms) {
  if (delay_ms) {
    adit_timer_arm(&self.timer, delay_ms);
  } else if (!self.soon) {
    self.soon = TRUE;
    adit_call_main(run_soon, NULL);
  }
}

static guint64 read_clock(gpointer user) {
  return adit_loop_service()->now();
}

static void on_watch(gpointer user, guint ifindex, AditIfaceUse use) {
  adit_watcher_use(ifindex, use);
}

static guint32 find_index(gpointer user, const char *name) {
  return if_nametoindex(name);
}

/* ---- life ---- */

AditClaims *adit_kernel_claims(void) {
  return self.claims;
}

void adit_kernel_init(void) {
  static const AditClaimsOps ops = {sizeof ops, on_start, on_resolve, on_refresh, on_wake, read_clock, on_watch, find_index};
  self.claims = adit_claims_new(&ops, NULL);
  self.timer = (AditTimer){.func = run_claims};
}

void adit_kernel_fini(void) {
  adit_timer_cancel(&self.timer);
  g_clear_pointer(&self.claims, adit_claims_free);
}
