/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/net/net.h"
#include "core/base/loop.h"
#include "core/net/protected.h"
#include "core/net/rtnl.h"
#include "core/net/sweep.h"

#include <adit/log.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>

enum { PARTS = 2, COMPLETIONS = 256 /* in one go on the main loop */ };

/* One call of the service. Either it has parts, and joins a batch, or it runs by itself. */
typedef struct Request Request;
struct Request {
  char what[160]; /* for logs */
  AditRtnlPart part[PARTS];
  guint n_parts;
  void (*run)(Request *request);    /* on the network thread */
  void (*finish)(Request *request); /* on the main loop */
  int error;
  char text[96];
  gboolean undoes; /* what is gone already is as asked for, unless somebody wants to know */

  AditNetDone done;
  gpointer user;
  union {
    struct {
      AditLinkChange change;
      char *alias;
    } link;
    struct {
      AditAddress to;
      AditNetRoute found;
      AditAddress source;
      gboolean answered;
      AditNetRouteDone done;
    } route;
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
  AditRtnl *rtnl; /* the thread's */
  GThread *thread;
  GMutex lock;
  GCond cond;
  GQueue waiting, finished; /* of Request; behind lock, as the next two */
  gboolean quit, drain_queued;
  gint group;                      /* atomic */
  char token[ADIT_NET_TOKEN_SIZE]; /* set before the thread starts, and then constant */
} net = {.group = ADIT_NET_GROUP};

/* ---- completions, on the main loop ---- */

static void request_free(Request *r) {
  for (guint i = 0; i < r->n_parts; i++)
    nlmsg_free(r->part[i].msg);
  g_free(r);
}

/* Calls up to `max` completions; TRUE when none is left. */
static gboolean complete(guint max) {
  for (guint i = 0; i < max; i++) {
    g_mutex_lock(&net.lock);
    Request *r = g_queue_pop_head(&net.finished);
    g_mutex_unlock(&net.lock);
    if (!r)
      return TRUE;
    r->finish(r);
    request_free(r);
  }
  return FALSE;
}

static void drain(gpointer data) {
  g_mutex_lock(&net.lock);
  net.drain_queued = FALSE;
  g_mutex_unlock(&net.lock);
  if (complete(COMPLETIONS))
    return;
  g_mutex_lock(&net.lock);
  gboolean again = net.finished.length && !net.drain_queued;
  net.drain_queued |= again;
  g_mutex_unlock(&net.lock);
  if (again)
    adit_call_main(drain, NULL);
}

/* From any thread. */
static void finished(Request *r) {
  g_mutex_lock(&net.lock);
  g_queue_push_tail(&net.finished, r);
  gboolean wake = !net.drain_queued;
  net.drain_queued = TRUE;
  g_mutex_unlock(&net.lock);
  if (wake)
    adit_call_main(drain, NULL);
}

static void finish_done(Request *r) {
  gboolean gone = r->undoes && (r->error == ENODEV || r->error == ENXIO || r->error == ESRCH || r->error == EADDRNOTAVAIL);
  if (r->done)
    r->done(r->user, r->error);
  else if (gone)
    adit_debug(NULL, "%s: gone already", r->what);
  else if (r->error)
    adit_warning(NULL, "%s: %s%s%s%s", r->what, g_strerror(r->error), *r->text ? " (" : "", r->text, *r->text ? ")" : "");
}

/* ---- the network thread ---- */

static void settle(Request *r) {
  for (guint i = 0; i < r->n_parts && !r->error; i++) {
    r->error = r->part[i].error;
    g_strlcpy(r->text, r->part[i].text, sizeof r->text);
  }
  finished(r);
}

static void flush(GPtrArray *requests, GPtrArray *parts) {
  adit_rtnl_batch(net.rtnl, (AditRtnlPart **)parts->pdata, parts->len);
  for (guint i = 0; i < requests->len; i++)
    settle(requests->pdata[i]);
  g_ptr_array_set_size(requests, 0);
  g_ptr_array_set_size(parts, 0);
}

static void work_off(GQueue *queue) {
  g_autoptr(GPtrArray) requests = g_ptr_array_new(), parts = g_ptr_array_new();
  for (Request *r; (r = g_queue_pop_head(queue));) {
    if (parts->len && (r->run || parts->len + r->n_parts > ADIT_RTNL_BATCH))
      flush(requests, parts);
    if (r->run) {
      r->run(r);
      finished(r);
      continue;
    }
    g_ptr_array_add(requests, r);
    for (guint i = 0; i < r->n_parts; i++)
      g_ptr_array_add(parts, &r->part[i]);
  }
  if (parts->len)
    flush(requests, parts);
}

static gpointer net_thread(gpointer data) {
  g_mutex_lock(&net.lock);
  for (;;) {
    while (!net.waiting.length && !net.quit)
      g_cond_wait(&net.cond, &net.lock);
    if (!net.waiting.length)
      break;
    GQueue mine = net.waiting;
    g_queue_init(&net.waiting);
    g_mutex_unlock(&net.lock);
    work_off(&mine);
    g_mutex_lock(&net.lock);
  }
  g_mutex_unlock(&net.lock);
  return NULL;
}

/* ---- requests, on the main loop ---- */

static Request *request_new(AditNetDone done, gpointer user) {
  Request *r = g_new0(Request, 1);
  r->finish = finish_done;
  r->done = done;
  r->user = user;
  return r;
}

static void add_part(Request *r, struct nl_msg *msg, int forgive1, int forgive2) {
  g_assert(r->n_parts < PARTS);
  r->part[r->n_parts++] = (AditRtnlPart){.msg = msg, .forgive = {forgive1, forgive2}};
}

static void submit(Request *r) {
  g_mutex_lock(&net.lock);
  gboolean running = net.thread && !net.quit;
  if (running) {
    g_queue_push_tail(&net.waiting, r);
    g_cond_signal(&net.cond);
  }
  g_mutex_unlock(&net.lock);
  if (running)
    return;
  r->error = ESHUTDOWN;
  finished(r);
}

/* Runs parts from within a run(); the first error. */
static int talk(Request *r, struct nl_msg *msg, int forgive1, int forgive2) {
  AditRtnlPart part = {.msg = msg, .forgive = {forgive1, forgive2}}, *list[] = {&part};
  adit_rtnl_batch(net.rtnl, list, 1);
  nlmsg_free(msg);
  if (part.error && !r->error) {
    r->error = part.error;
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
  int failed = adit_rtnl_ask(net.rtnl, adit_rtnl_link_get(ifindex), collect_aliases, present);
  gboolean there = FALSE;

  if (failed && !r->error)
    r->error = failed;
  for (guint i = 0; i < present->len; i++) {
    if (alias && g_str_equal(present->pdata[i], alias))
      there = TRUE;
    else
      talk(r, adit_rtnl_link_alias(RTM_DELLINKPROP, ifindex, present->pdata[i]), 0, 0);
  }
  if (!failed && alias && *alias && !there)
    talk(r, adit_rtnl_link_alias(RTM_NEWLINKPROP, ifindex, alias), EEXIST, 0); /* another's: this one goes without */
}

/* What enters our group carries our token from that moment on, so that the next start finds it. */
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
    talk(r, adit_rtnl_link_no_ipv6_auto(c->ifindex), EAFNOSUPPORT, EOPNOTSUPP);
  if (c->set & ADIT_LINK_ALIAS)
    set_alias(r, c->ifindex, r->as.link.alias);
  if (c->set & ~(guint)(ADIT_LINK_NO_IPV6_AUTO | ADIT_LINK_ALIAS))
    talk(r, link_message(c), 0, 0);
  g_free(r->as.link.alias);
  r->as.link.alias = NULL;
}

static void finish_link_change(Request *r) {
  g_free(r->as.link.alias); /* if it never ran */
  finish_done(r);
}

static void link_change(const AditLinkChange *change, AditNetDone done, gpointer user) {
  Request *r = request_new(done, user);
  g_snprintf(r->what, sizeof r->what, "change interface %u", change->ifindex);
  if (change->set & (ADIT_LINK_ALIAS | ADIT_LINK_NO_IPV6_AUTO)) {
    r->run = run_link_change;
    r->finish = finish_link_change;
    r->as.link.change = *change;
    r->as.link.alias = g_strdup(change->alias);
  } else {
    add_part(r, link_message(change), 0, 0);
  }
  submit(r);
}

static void link_delete_group(guint group, AditNetDone done, gpointer user) {
  Request *r = request_new(done, user);
  g_snprintf(r->what, sizeof r->what, "delete interfaces of group %u", group);
  add_part(r, adit_rtnl_link_delete_group(group), ENODEV, 0); /* none there: as asked for */
  submit(r);
}

static void link_delete(guint ifindex, AditNetDone done, gpointer user) {
  Request *r = request_new(done, user);
  g_snprintf(r->what, sizeof r->what, "delete interface %u", ifindex);
  r->undoes = TRUE;
  add_part(r, adit_rtnl_link_delete(ifindex), 0, 0);
  submit(r);
}

/* ---- addresses and routes ---- */

static void address(int type, const AditNetAddress *a, AditNetDone done, gpointer user) {
  Request *r = request_new(done, user);
  char local[ADIT_PREFIX_TEXT], peer[ADIT_ADDRESS_TEXT];
  g_snprintf(r->what, sizeof r->what, "%s address %s peer %s on interface %u", type == RTM_NEWADDR ? "add" : "delete",
             adit_prefix_format(&a->local, local), adit_address_format(&a->peer, peer), a->ifindex);
  r->undoes = type == RTM_DELADDR;
  add_part(r, adit_rtnl_address(type, a), 0, 0);
  submit(r);
}

static void address_add(const AditNetAddress *a, AditNetDone done, gpointer user) {
  address(RTM_NEWADDR, a, done, user);
}

static void address_delete(const AditNetAddress *a, AditNetDone done, gpointer user) {
  address(RTM_DELADDR, a, done, user);
}

static Request *route_request(const char *verb, const AditNetRoute *route, AditNetDone done, gpointer user) {
  Request *r = request_new(done, user);
  char to[ADIT_PREFIX_TEXT], via[ADIT_ADDRESS_TEXT];
  g_snprintf(r->what, sizeof r->what, "%s route %s via %s on interface %u", verb, adit_prefix_format(&route->to, to),
             adit_address_format(&route->via, via), route->ifindex);
  return r;
}

static void route_add(const AditNetRoute *route, AditNetDone done, gpointer user) {
  Request *r = route_request("add", route, done, user);
  /* NLM_F_REPLACE would take the place of anybody's route to that destination, an administrator's default route included.
   * Only our own gives way; another's makes the add fail. */
  add_part(r, adit_rtnl_route(RTM_DELROUTE, route, FALSE), ESRCH, ENETUNREACH);
  add_part(r, adit_rtnl_route(RTM_NEWROUTE, route, TRUE), 0, 0);
  submit(r);
}

static void route_delete(const AditNetRoute *route, AditNetDone done, gpointer user) {
  Request *r = route_request("delete", route, done, user);
  r->undoes = TRUE;
  add_part(r, adit_rtnl_route(RTM_DELROUTE, route, TRUE), 0, 0);
  submit(r);
}

static void read_route(struct nlmsghdr *h, gpointer data) {
  Request *r = data;
  if (!r->as.route.answered)
    r->as.route.answered = adit_rtnl_route_parse(h, &r->as.route.found, &r->as.route.source);
}

static void run_route_get(Request *r) {
  r->error = adit_rtnl_ask(net.rtnl, adit_rtnl_route_get(&r->as.route.to), read_route, r);
  if (!r->error && !r->as.route.answered)
    r->error = ENETUNREACH;
}

static void finish_route_get(Request *r) {
  r->as.route.done(r->user, r->error, r->error ? NULL : &r->as.route.found, r->error ? NULL : &r->as.route.source);
}

static void route_get(const AditAddress *to, AditNetRouteDone done, gpointer user) {
  Request *r = request_new(NULL, user);
  r->run = run_route_get;
  r->finish = finish_route_get;
  r->as.route.to = *to;
  r->as.route.done = done;
  submit(r);
}

/* ---- calls ---- */

static void run_call(Request *r) {
  r->as.call.work(r->user);
  r->as.call.work = NULL;
}

static void finish_call(Request *r) {
  /* The thread has ended: what has to be closed or deleted is, all the same. */
  if (r->as.call.work)
    r->as.call.work(r->user);
  if (r->as.call.done)
    r->as.call.done(r->user);
}

static void call(void (*work)(gpointer data), void (*done)(gpointer data), gpointer data) {
  Request *r = request_new(NULL, data);
  r->run = run_call;
  r->finish = finish_call;
  r->as.call.work = work;
  r->as.call.done = done;
  submit(r);
}

/* ---- the sweep ---- */

static void run_sweep(Request *r) {
  r->error = adit_sweep_run(net.rtnl, &r->as.sweep.sweep, &r->as.sweep.report);
}

static void finish_sweep(Request *r) {
  if (r->as.sweep.done)
    r->as.sweep.done(r->user, r->error, &r->as.sweep.report);
  else
    finish_done(r);
}

static Request *sweep_request(AditNetDone done, gpointer user) {
  Request *r = request_new(done, user);
  g_snprintf(r->what, sizeof r->what, "delete the interfaces of this daemon");
  r->run = run_sweep;
  r->finish = finish_sweep;
  r->as.sweep.sweep = (AditSweep){.token = net.token, .group = (guint32)g_atomic_int_get(&net.group)};
  return r;
}

static void link_sweep(AditNetDone done, gpointer user) {
  submit(sweep_request(done, user));
}

void adit_net_sweep(gboolean alone, AditNetSwept done, gpointer user) {
  Request *r = sweep_request(NULL, user);
  r->as.sweep.sweep.routes = TRUE;
  r->as.sweep.sweep.alone = alone;
  r->as.sweep.done = done;
  submit(r);
}

/* ---- life ---- */

static guint32 group(void) {
  return (guint32)g_atomic_int_get(&net.group);
}

void adit_net_set_group(guint32 number) {
  g_return_if_fail(number != 0);
  g_atomic_int_set(&net.group, (gint)number);
}

void adit_net_set_token(const char *token) {
  g_return_if_fail(!net.thread && *token && strlen(token) < sizeof net.token);
  g_strlcpy(net.token, token, sizeof net.token);
}

gboolean adit_net_init(GError **error) {
  g_return_val_if_fail(!net.thread, FALSE);
  if (!*net.token) /* a daemon without a state directory recognises its own interfaces only as long as it lives */
    g_snprintf(net.token, sizeof net.token, "%08x%08x", g_random_int(), g_random_int());
  net.rtnl = adit_rtnl_open(error);
  if (!net.rtnl)
    return FALSE;
  net.quit = FALSE;
  net.thread = g_thread_new("adit-net", net_thread, NULL);
  return TRUE;
}

void adit_net_quiesce(void) {
  if (net.thread) {
    g_mutex_lock(&net.lock);
    net.quit = TRUE;
    g_cond_signal(&net.cond);
    g_mutex_unlock(&net.lock);
    g_thread_join(net.thread);
    net.thread = NULL;
  }
  complete(G_MAXUINT);
}

void adit_net_fini(void) {
  adit_net_quiesce();
  g_clear_pointer(&net.rtnl, adit_rtnl_close);
  adit_protected_fini();
}

const AditNetService *adit_net_service(void) {
  static const AditNetService service = {
      .size = sizeof service,
      .link_change = link_change,
      .link_delete_group = link_delete_group,
      .link_delete = link_delete,
      .address_add = address_add,
      .address_delete = address_delete,
      .route_add = route_add,
      .route_delete = route_delete,
      .route_get = route_get,
      .call = call,
      .group = group,
      .protect = adit_protected_add,
      .unprotect = adit_protected_remove,
      .protected_by = adit_protected_by,
      .protected_within = adit_protected_within,
      .link_sweep = link_sweep,
  };
  return &service;
}
