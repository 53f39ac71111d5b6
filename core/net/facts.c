/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/net/facts.h"
#include "core/base/loop.h"
#include "core/net/net.h"
#include "core/net/protected.h"
#include "core/net/queue.h"
#include "core/net/watch.h"

#include <errno.h>
#include <linux/rtnetlink.h>

enum { GAP_MS = 5000 /* between two scans: a routing daemon may change routes all day */, DUMPS = 3 };

static struct {
  AditTimer timer;
  gboolean scanning, again;
  guint64 last_ms;
} self;

typedef struct {
  AditProtectKind kind;
  guint ifindex;
  AditAddress address;
} Fact;

typedef struct {
  AditNetJob job; /* head */
  GHashTable *facts;
  gboolean whole;
} Scan;

static guint hash_fact(gconstpointer data) {
  const Fact *fact = data;
  return adit_address_hash(&fact->address) * 31 + fact->ifindex;
}

static gboolean equal_facts(gconstpointer a, gconstpointer b) {
  const Fact *x = a, *y = b;
  return x->kind == y->kind && x->ifindex == y->ifindex && adit_address_equal(&x->address, &y->address);
}

/* ---- on the network thread ---- */

static void add_fact(Scan *scan, AditProtectKind kind, guint ifindex, const AditAddress *address) {
  Fact fact = {kind, ifindex, *address};
  if (adit_address_is_set(address) && adit_watcher_used(ifindex) != ADIT_IFACE_OWN && !g_hash_table_contains(scan->facts, &fact))
    g_hash_table_add(scan->facts, g_memdup2(&fact, sizeof fact));
}

static void see_address(struct nlmsghdr *h, gpointer data) {
  AditNetAddress address;
  if (h->nlmsg_type == RTM_NEWADDR && adit_watch_parse_address(h, &address))
    add_fact(data, ADIT_PROTECT_LOCAL, address.ifindex, &address.local.address);
}

static void see_route(struct nlmsghdr *h, gpointer data) {
  const struct rtmsg *rtm = nlmsg_data(h);
  AditNetRoute route;
  AditAddress source;
  if (h->nlmsg_type == RTM_NEWROUTE && rtm->rtm_protocol != ADIT_NET_PROTOCOL && adit_rtnl_route_parse(h, &route, &source))
    add_fact(data, ADIT_PROTECT_NEXT_HOP, route.ifindex, &route.via);
}

static void scan_follow(AditNetJob *job, AditRtnl *rtnl) {
  Scan *scan = (Scan *)job;
  int failed = adit_rtnl_request(rtnl, adit_rtnl_address_dump(AF_UNSPEC), see_address, scan);
  for (guint i = 0; i < 2; i++) {
    int one = EINTR;
    for (guint k = 0; one == EINTR && k < DUMPS; k++)
      one = adit_rtnl_request(rtnl, adit_rtnl_route_dump_main(i ? AF_INET6 : AF_INET), see_route, scan);
    failed = failed ? failed : one == EAFNOSUPPORT || one == EOPNOTSUPP ? 0 : one;
  }
  scan->whole = !failed;
}

/* ---- on the main loop ---- */

static void scan_done(AditNetJob *job) {
  Scan *scan = (Scan *)job;
  GHashTableIter iter;
  gpointer data;
  self.scanning = FALSE;
  if (!job->error) {
    if (scan->whole)
      adit_protected_kernel_forget();
    g_hash_table_iter_init(&iter, scan->facts);
    while (g_hash_table_iter_next(&iter, &data, NULL)) {
      const Fact *fact = data;
      adit_protected_kernel(fact->kind, fact->ifindex, &fact->address, TRUE);
    }
    if (self.again)
      adit_facts_scan();
  }
  g_hash_table_unref(scan->facts);
  g_free(scan);
}

static void on_timer(AditTimer *timer, gpointer data) {
  Scan *scan = g_new0(Scan, 1);
  scan->facts = g_hash_table_new_full(hash_fact, equal_facts, g_free, NULL);
  scan->job.follow = scan_follow;
  scan->job.done = scan_done;
  self.scanning = TRUE;
  self.again = FALSE;
  self.last_ms = adit_loop_service()->now();
  adit_net_submit(&scan->job);
}

void adit_facts_scan(void) {
  guint64 now = adit_loop_service()->now();
  if (self.scanning || self.again) {
    self.again = TRUE;
    return;
  }
  self.timer.func = on_timer;
  if (!self.last_ms || now - self.last_ms >= GAP_MS) {
    on_timer(NULL, NULL);
  } else {
    self.again = TRUE;
    adit_timer_arm(&self.timer, self.last_ms + GAP_MS - now);
  }
}

void adit_facts_event(const AditWatched *watched) {
  guint ifindex = watched->event.ifindex;
  if (adit_watcher_used(ifindex) == ADIT_IFACE_OWN)
    return;
  if (adit_address_is_set(&watched->local))
    adit_protected_kernel(ADIT_PROTECT_LOCAL, ifindex, &watched->local, !watched->gone);
  if (adit_address_is_set(&watched->via) && !watched->gone)
    adit_protected_kernel(ADIT_PROTECT_NEXT_HOP, ifindex, &watched->via, TRUE);
  else if (adit_address_is_set(&watched->via) || watched->down)
    adit_facts_scan(); /* others may lead through the same next hop, and those of an interface that is down go without a word */
}

void adit_facts_fini(void) {
  adit_timer_cancel(&self.timer);
  self.scanning = self.again = FALSE;
  self.last_ms = 0;
}
