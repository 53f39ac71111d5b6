/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/net/net.h"
#include "core/base/misuse.h"
#include "core/net/claims/pins.h"
#include "core/net/device.h"
#include "core/net/facts.h"
#include "core/net/kernel.h"
#include "core/net/protected.h"
#include "core/net/queue.h"
#include "core/net/sweep.h"
#include "core/net/watch.h"

#include <adit/log.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>

/* One call of the service. Its messages join a batch, or `run` does its work by itself. */
typedef struct Request Request;
struct Request {
  AditNetJob job; /* head */
  char what[64];  /* for logs */
  char text[96];
  void (*run)(Request *request); /* on the network thread */
  gboolean undoes;               /* an object that is gone already is success, unless the caller asked to know */

  AditNetDone done;
  gpointer user;
  union {
    struct {
      AditLinkChange change;
      char *alias;
    } link;
    struct {
      void (*work)(gpointer data);
      void (*done)(gpointer data);
    } call;
    struct {
      AditSweep sweep;
      AditSweepReport report;
      AditNetSwept done;
    } sweep;
  } as;
};

static struct {
  AditRtnl *rtnl;                  /* the network thread's, while there is one */
  gint group;                      /* atomic */
  char token[ADIT_NET_TOKEN_SIZE]; /* set before the thread starts, and then constant */
} net = {.group = ADIT_NET_GROUP};

/* ---- requests ---- */

static void tell_done(const Request *r) {
  int error = r->job.error;
  const char *text = *r->text ? r->text : adit_net_job_text(&r->job);
  gboolean gone = r->undoes && (error == ENODEV || error == ENXIO || error == ESRCH || error == EADDRNOTAVAIL);
  if (r->done)
    r->done(r->user, error);
  else if (gone)
    adit_debug(NULL, "%s: gone already", r->what);
  else if (error)
    adit_warning(NULL, "%s: %s%s%s%s", r->what, g_strerror(error), *text ? " (" : "", text, *text ? ")" : "");
}

static void finish_done(AditNetJob *job) {
  tell_done((Request *)job);
  g_free(job);
}

static void run_follow(AditNetJob *job, AditRtnl *rtnl) {
  Request *r = (Request *)job;
  r->run(r);
}

static Request *request_new(AditNetDone done, gpointer user) {
  Request *r = g_new0(Request, 1);
  r->job.done = finish_done;
  r->done = done;
  r->user = user;
  return r;
}

static void submit_run(Request *r, void (*run)(Request *request), void (*finish)(AditNetJob *job)) {
  r->run = run;
  r->job.follow = run_follow;
  r->job.done = finish;
  adit_net_submit(&r->job);
}

/* Runs parts from within a run(); the first error. */
static int run_forgiving(Request *r, struct nl_msg *msg, int forgive1, int forgive2) {
  AditRtnlPart part = {.msg = msg, .forgive = {forgive1, forgive2}}, *list[] = {&part};
  adit_rtnl_batch(net.rtnl, list, 1);
  nlmsg_free(msg);
  if (part.error && !r->job.error) {
    r->job.error = part.error;
    g_strlcpy(r->text, part.text, sizeof r->text);
  }
  return part.error;
}

/* ---- links ---- */

static void collect_aliases(struct nlmsghdr *h, gpointer data) {
  struct nlattr *list = nlmsg_find_attr(h, sizeof(struct ifinfomsg), IFLA_PROP_LIST), *one;
  int left;
  if (h->nlmsg_type != RTM_NEWLINK || !list)
    return;
  nla_for_each_nested(one, list, left) {
    if (nla_type(one) == IFLA_ALT_IFNAME)
      g_ptr_array_add(data, nla_strdup(one));
  }
}

/* Makes `alias` the link's only alternative name: a pooled interface has its last user's. */
static void set_alias(Request *r, guint ifindex, const char *alias) {
  g_autoptr(GPtrArray) present = g_ptr_array_new_with_free_func(free); /* nla_strdup() is strdup() */
  int failed = adit_rtnl_request(net.rtnl, adit_rtnl_link_get(ifindex), collect_aliases, present);
  gboolean there = FALSE;

  if (failed && !r->job.error)
    r->job.error = failed;
  for (guint i = 0; i < present->len; i++) {
    if (alias && g_str_equal(present->pdata[i], alias))
      there = TRUE;
    else
      run_forgiving(r, adit_rtnl_link_alias(RTM_DELLINKPROP, ifindex, present->pdata[i]), 0, 0);
  }
  if (!failed && alias && *alias && !there)
    run_forgiving(r, adit_rtnl_link_alias(RTM_NEWLINKPROP, ifindex, alias), EEXIST, 0); /* another's: this one goes without */
}

/* An interface carries our token from the moment it enters our group, so that the next start finds it. */
static struct nl_msg *link_message(const AditLinkChange *c) {
  struct nl_msg *msg = adit_rtnl_link_set(c);
  if ((c->set & ADIT_LINK_GROUP) && c->group == (guint32)g_atomic_int_get(&net.group))
    adit_rtnl_link_put_token(msg, net.token);
  return msg;
}

static void run_link_change(Request *r) {
  const AditLinkChange *c = &r->as.link.change;
  /* Before the link comes up, when the kernel would make a link-local address; without IPv6 there is nothing to keep it from. */
  if (c->set & ADIT_LINK_NO_IPV6_AUTO)
    run_forgiving(r, adit_rtnl_link_no_ipv6_auto(c->ifindex), EAFNOSUPPORT, EOPNOTSUPP);
  if (c->set & ADIT_LINK_ALIAS)
    set_alias(r, c->ifindex, r->as.link.alias);
  if (c->set & ~(guint)(ADIT_LINK_NO_IPV6_AUTO | ADIT_LINK_ALIAS))
    run_forgiving(r, link_message(c), 0, 0);
  g_free(r->as.link.alias);
  r->as.link.alias = NULL;
}

static void finish_link_change(AditNetJob *job) {
  g_free(((Request *)job)->as.link.alias); /* if it never ran */
  finish_done(job);
}

static void link_change(const AditLinkChange *change, AditNetDone done, gpointer user) {
  ADIT_MAIN_ONLY("adit.net link_change");
  Request *r = request_new(done, user);
  g_snprintf(r->what, sizeof r->what, "change interface %u", change->ifindex);
  if (change->set & (ADIT_LINK_ALIAS | ADIT_LINK_NO_IPV6_AUTO)) {
    r->as.link.change = *change;
    r->as.link.alias = g_strdup(change->alias);
    submit_run(r, run_link_change, finish_link_change);
    return;
  }
  adit_net_job_add(&r->job, link_message(change), 0, 0);
  adit_net_submit(&r->job);
}

static void link_delete_group(guint group, AditNetDone done, gpointer user) {
  ADIT_MAIN_ONLY("adit.net link_delete_group");
  Request *r = request_new(done, user);
  g_snprintf(r->what, sizeof r->what, "delete interfaces of group %u", group);
  adit_net_job_add(&r->job, adit_rtnl_link_delete_group(group), ENODEV, 0); /* none there: as asked for */
  adit_net_submit(&r->job);
}

static void link_delete(guint ifindex, AditNetDone done, gpointer user) {
  ADIT_MAIN_ONLY("adit.net link_delete");
  Request *r = request_new(done, user);
  g_snprintf(r->what, sizeof r->what, "delete interface %u", ifindex);
  r->undoes = TRUE;
  adit_net_job_add(&r->job, adit_rtnl_link_delete(ifindex), 0, 0);
  adit_net_submit(&r->job);
}

/* ---- calls ---- */

static void run_call(Request *r) {
  r->as.call.work(r->user);
  r->as.call.work = NULL;
}

static void finish_call(AditNetJob *job) {
  Request *r = (Request *)job;
  /* The thread has ended: what has to be closed or deleted is, all the same. */
  if (r->as.call.work)
    r->as.call.work(r->user);
  if (r->as.call.done)
    r->as.call.done(r->user);
  g_free(r);
}

static void call_network(void (*work)(gpointer data), void (*done)(gpointer data), gpointer data) {
  ADIT_MAIN_ONLY("adit.net call");
  Request *r = request_new(NULL, data);
  r->as.call.work = work;
  r->as.call.done = done;
  submit_run(r, run_call, finish_call);
}

/* ---- the sweep ---- */

static void run_sweep(Request *r) {
  r->job.error = adit_sweep_run(net.rtnl, &r->as.sweep.sweep, &r->as.sweep.report);
}

static void finish_sweep(AditNetJob *job) {
  Request *r = (Request *)job;
  if (r->as.sweep.done)
    r->as.sweep.done(r->user, job->error, &r->as.sweep.report);
  else
    tell_done(r);
  g_free(r);
}

static Request *sweep_request(AditNetDone done, gpointer user) {
  Request *r = request_new(done, user);
  g_snprintf(r->what, sizeof r->what, "delete the interfaces of this daemon");
  r->as.sweep.sweep = (AditSweep){.token = net.token, .group = (guint32)g_atomic_int_get(&net.group)};
  return r;
}

static void link_sweep(AditNetDone done, gpointer user) {
  ADIT_MAIN_ONLY("adit.net link_sweep");
  submit_run(sweep_request(done, user), run_sweep, finish_sweep);
}

void adit_net_sweep(gboolean alone, AditNetSwept done, gpointer user) {
  Request *r = sweep_request(NULL, user);
  r->as.sweep.sweep.routes = TRUE;
  r->as.sweep.sweep.alone = alone;
  r->as.sweep.done = done;
  submit_run(r, run_sweep, finish_sweep);
}

/* ---- settings and protected addresses ---- */

static guint32 get_group(void) {
  return (guint32)g_atomic_int_get(&net.group);
}

void adit_net_set_group(guint32 number) {
  g_return_if_fail(number != 0);
  g_atomic_int_set(&net.group, (gint)number);
}

void adit_net_set_token(const char *token) {
  g_return_if_fail(!adit_net_queue_is_open() && *token && strlen(token) < sizeof net.token);
  g_strlcpy(net.token, token, sizeof net.token);
}

/* The end of a tunnel is protected and kept out of tunnels, too. */
static void protect_address(AditProtectKind kind, const AditAddress *address, const char *what) {
  ADIT_MAIN_ONLY("adit.net protect");
  adit_protected_add(kind, address, what);
  if (kind == ADIT_PROTECT_ENDPOINT && adit_kernel_claims())
    adit_claims_guard(adit_kernel_claims(), address);
}

static void unprotect_address(AditProtectKind kind, const AditAddress *address, const char *what) {
  ADIT_MAIN_ONLY("adit.net unprotect");
  adit_protected_remove(kind, address, what);
  if (kind == ADIT_PROTECT_ENDPOINT && adit_kernel_claims())
    adit_claims_unguard(adit_kernel_claims(), address);
}

static AditNetService service = {
    .size = sizeof service,
    .link_change = link_change,
    .link_delete_group = link_delete_group,
    .link_delete = link_delete,
    .call = call_network,
    .group = get_group,
    .protect = protect_address,
    .unprotect = unprotect_address,
    .protected_by = adit_protected_by,
    .protected_within = adit_protected_within,
    .link_sweep = link_sweep,
    .tun_open = adit_device_open,
};

/* ---- what others do in the kernel ---- */

static void on_watch_overrun(void) {
  if (!adit_kernel_claims())
    return;
  adit_claims_event(adit_kernel_claims(), &(AditKernelEvent){.kind = ADIT_KERNEL_OVERRUN});
  adit_facts_scan();
}

static void on_watched(const AditWatched *watched) {
  if (!adit_kernel_claims())
    return;
  adit_claims_event(adit_kernel_claims(), &watched->event);
  adit_facts_event(watched);
}

static void on_watch_changed(void) {
  if (adit_kernel_claims())
    adit_claims_event(adit_kernel_claims(), &(AditKernelEvent){.kind = ADIT_KERNEL_CHANGED});
}

static const AditWatchOps watch_ops = {on_watch_overrun, on_watched, on_watch_changed, get_group};

/* ---- life ---- */

gboolean adit_net_init(GError **error) {
  g_return_val_if_fail(!adit_net_queue_is_open(), FALSE);
  if (!*net.token) /* a daemon without a state directory recognises its own interfaces only as long as it lives */
    g_snprintf(net.token, sizeof net.token, "%08x%08x", g_random_int(), g_random_int());
  net.rtnl = adit_rtnl_open(error);
  if (!net.rtnl || !adit_watcher_open(net.rtnl, &watch_ops, error) || !adit_net_queue_open(net.rtnl, error)) {
    adit_net_fini();
    return FALSE;
  }
  adit_kernel_init();
  adit_claims_serve(adit_kernel_claims(), &service);
  adit_facts_scan();
  return TRUE;
}

void adit_net_quiesce(void) {
  adit_net_queue_quiesce();
}

void adit_net_fini(void) {
  adit_net_queue_quiesce();
  adit_facts_fini();
  adit_claims_serve(NULL, &service);
  adit_kernel_fini();
  adit_watcher_close();
  g_clear_pointer(&net.rtnl, adit_rtnl_close);
  adit_protected_fini();
}

const AditNetService *adit_net_service(void) {
  return &service;
}
