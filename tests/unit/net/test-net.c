/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The network thread, against the kernel, in a network namespace of the test's own. */
#include "config.h"

#include "core/base/logging.h"
#include "core/net/net.h"
#include "core/net/rtnl.h"
#include "tests/lib/claims.h"
#include "tests/lib/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const AditNetService *net;

/* ---- requests that are waited for ---- */

static int link_change(AditLinkChange change) {
  return TEST_NET_WAIT(net->link_change(&change, test_net_done, &result));
}
static int address_add(AditNetAddress a) {
  return test_claim_address(&a);
}
static int address_delete(AditNetAddress a) {
  return test_release_address(&a);
}
static int route_add(AditNetRoute r) {
  return test_claim_route(&r);
}
static int route_delete(AditNetRoute r) {
  return test_release_route(&r);
}

/* ---- interfaces to work on ---- */

typedef struct {
  char name[IFNAMSIZ];
  guint ifindex;
  gboolean done;
  GThread *thread;
} Tun;

static void tun_make(gpointer data) {
  Tun *t = data;
  struct ifreq ifr = {.ifr_flags = IFF_TUN | IFF_NO_PI};
  int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
  g_strlcpy(ifr.ifr_name, t->name, IFNAMSIZ);
  if (fd >= 0 && ioctl(fd, TUNSETIFF, &ifr) == 0 && ioctl(fd, TUNSETPERSIST, 1) == 0)
    t->ifindex = if_nametoindex(t->name);
  if (fd >= 0)
    close(fd);
  t->thread = g_thread_self();
}

static void tun_made(gpointer data) {
  ((Tun *)data)->done = TRUE;
}

static guint tun(const char *name, gboolean up) {
  Tun t = {.done = FALSE};
  g_strlcpy(t.name, name, IFNAMSIZ);
  net->call(tun_make, tun_made, &t);
  assert_true(TEST_LOOP_UNTIL(t.done, TEST_NET_PATIENCE));
  assert_true(t.thread != g_thread_self());
  assert_int_not_equal(t.ifindex, 0);
  AditLinkChange change = {.ifindex = t.ifindex, .set = ADIT_LINK_GROUP | ADIT_LINK_UP, .group = net->group(), .up = up};
  assert_int_equal(link_change(change), 0);
  return t.ifindex;
}

/* ---- what the kernel has ---- */

typedef struct {
  guint ifindex;
  guint flags, mtu, group, gen_mode, carrier, master;
  char alias[128];
  guint aliases;
} Link;

static void read_link(struct nlmsghdr *h, gpointer data) {
  Link *l = data;
  struct nlattr *a[IFLA_MAX + 1], *one;
  int left;
  assert_true(nlmsg_parse(h, sizeof(struct ifinfomsg), a, IFLA_MAX, NULL) >= 0);
  l->flags = ((struct ifinfomsg *)nlmsg_data(h))->ifi_flags;
  l->mtu = nla_get_u32(a[IFLA_MTU]);
  l->group = nla_get_u32(a[IFLA_GROUP]);
  l->carrier = nla_get_u8(a[IFLA_CARRIER]);
  l->master = a[IFLA_MASTER] ? nla_get_u32(a[IFLA_MASTER]) : 0;
  if (a[IFLA_PROP_LIST])
    nla_for_each_nested(one, a[IFLA_PROP_LIST], left) {
      nla_strlcpy(l->alias, one, sizeof l->alias);
      l->aliases++;
    }
  struct nlattr *inet6 = a[IFLA_AF_SPEC] ? nla_find(nla_data(a[IFLA_AF_SPEC]), nla_len(a[IFLA_AF_SPEC]), AF_INET6) : NULL;
  struct nlattr *mode = inet6 ? nla_find(nla_data(inet6), nla_len(inet6), IFLA_INET6_ADDR_GEN_MODE) : NULL;
  l->gen_mode = mode ? nla_get_u8(mode) : 255;
}

static Link link_get(guint ifindex) {
  AditRtnl *r = adit_rtnl_open(NULL);
  Link l = {.ifindex = ifindex};
  assert_int_equal(adit_rtnl_request(r, adit_rtnl_link_get(ifindex), read_link, &l), 0);
  adit_rtnl_close(r);
  return l;
}

static guint count_lines(const char *command) {
  g_autofree char *out = test_run(command);
  guint n = 0;
  for (const char *at = out; (at = strchr(at, '\n')); at++)
    n++;
  return n;
}

static AditPrefix prefix(const char *text) {
  AditPrefix p;
  assert_true(adit_prefix_parse(text, &p));
  return p;
}

static AditAddress addr(const char *text) {
  return prefix(text).address;
}

/* ---- tests ---- */

static void link_properties_are_set(void **state) {
  guint i = tun("p0", FALSE);
  AditLinkChange change = {.ifindex = i,
                           .set = ADIT_LINK_MTU | ADIT_LINK_UP | ADIT_LINK_NO_IPV6_AUTO | ADIT_LINK_ALIAS,
                           .mtu = 1400,
                           .up = TRUE,
                           .alias = "l2tp-somebody.with.a.long.name@example.net"};
  assert_int_equal(link_change(change), 0);
  Link l = link_get(i);
  assert_int_equal(l.mtu, 1400);
  assert_int_equal(l.group, ADIT_NET_GROUP);
  assert_true(l.flags & IFF_UP);
  assert_string_equal(l.alias, change.alias);
  if (l.gen_mode != 255) /* IPv6 is there */
    assert_int_equal(l.gen_mode, IN6_ADDR_GEN_MODE_NONE);
  assert_false(test_shows("ip -6 addr show dev p0", "fe80"));

  /* Again is no error; another alias takes the first one's place; none removes it. */
  assert_int_equal(link_change(change), 0);
  change.alias = "l2tp-another.with.a.long.name@example.net";
  assert_int_equal(link_change(change), 0);
  l = link_get(i);
  assert_string_equal(l.alias, change.alias);
  assert_int_equal(l.aliases, 1);
  /* A name that another has is no reason to fail: "a/b" and "a b" are one name for the kernel. */
  change.ifindex = tun("p1", FALSE);
  assert_int_equal(link_change(change), 0);
  l = link_get(change.ifindex);
  assert_int_equal(l.aliases, 0);
  assert_true(l.flags & IFF_UP);
  assert_int_equal(TEST_NET_WAIT(net->link_delete(change.ifindex, test_net_done, &result)), 0);
  change = (AditLinkChange){.ifindex = i, .set = ADIT_LINK_ALIAS | ADIT_LINK_UP | ADIT_LINK_CARRIER, .up = TRUE, .carrier = FALSE};
  assert_int_equal(link_change(change), 0);
  l = link_get(i);
  assert_int_equal(l.aliases, 0);
  assert_int_equal(l.carrier, 0);
  /* Nobody has the TUN open: the kernel refuses it a carrier, so that the question did arrive. */
  change = (AditLinkChange){.ifindex = i, .set = ADIT_LINK_CARRIER, .carrier = TRUE};
  assert_int_equal(link_change(change), EPERM);
  change = (AditLinkChange){.ifindex = i, .set = ADIT_LINK_UP, .up = FALSE};
  assert_int_equal(link_change(change), 0);
  l = link_get(i);
  assert_false(l.flags & IFF_UP);
  assert_int_equal(TEST_NET_WAIT(net->link_delete(i, test_net_done, &result)), 0);
  assert_false(test_link_exists(i));
}

static void errors_are_the_kernels(void **state) {
  AditLinkChange change = {.ifindex = 9999, .set = ADIT_LINK_MTU, .mtu = 1400};
  assert_int_equal(link_change(change), ENODEV);
  change.set |= ADIT_LINK_ALIAS;
  change.alias = "x";
  assert_int_equal(link_change(change), ENODEV);
  assert_int_equal(TEST_NET_WAIT(net->link_delete(9999, test_net_done, &result)), ENODEV);
  AditNetRoute r = {.to = prefix("198.51.100.1/32"), .ifindex = 9999};
  assert_int_equal(route_add(r), ENODEV);
  assert_int_equal(route_delete(r), 0); /* there is nothing to take away */
}

static void point_to_point_addresses(void **state) {
  guint i = tun("a0", TRUE);
  AditNetAddress v4 = {.ifindex = i, .local = prefix("192.0.2.1/32"), .peer = addr("198.51.100.7")};
  assert_int_equal(address_add(v4), 0);
  assert_true(test_shows("ip -4 addr show dev a0", "inet 192.0.2.1 peer 198.51.100.7/32"));
  assert_int_equal(address_add(v4), 0); /* the same again is no error */
  assert_true(test_shows("ip -4 route get 198.51.100.7", "dev a0"));
  assert_int_equal(address_delete(v4), 0);
  assert_true(test_shows("ip -4 addr show dev a0", "inet 192.0.2.1")); /* for the other claim */
  assert_int_equal(address_delete(v4), 0);
  assert_false(test_shows("ip -4 addr show dev a0", "inet "));

  AditNetAddress plain = {.ifindex = i, .local = prefix("203.0.113.1/24")};
  assert_int_equal(address_add(plain), 0);
  assert_true(test_shows("ip -4 addr show dev a0", "inet 203.0.113.1/24"));
  TEST_NET_WAIT(net->link_delete(i, test_net_done, &result));
}

static void ipv6_addresses_are_usable_at_once(void **state) {
  guint i = tun("b0", FALSE);
  AditLinkChange up = {.ifindex = i, .set = ADIT_LINK_NO_IPV6_AUTO | ADIT_LINK_UP, .up = TRUE};
  assert_int_equal(link_change(up), 0);
  AditNetAddress ll = {.ifindex = i, .local = prefix("fe80::1/64")};
  AditNetAddress peer = {.ifindex = i, .local = prefix("2001:db8::1/128"), .peer = addr("2001:db8::2")};
  assert_int_equal(address_add(ll), 0);
  assert_int_equal(address_add(peer), 0);
  g_autofree char *out = test_run("ip -6 addr show dev b0");
  assert_non_null(strstr(out, "inet6 fe80::1/64"));
  assert_non_null(strstr(out, "inet6 2001:db8::1 peer 2001:db8::2/128"));
  assert_null(strstr(out, "tentative"));
  assert_int_equal(address_delete(peer), 0);
  TEST_NET_WAIT(net->link_delete(i, test_net_done, &result));
}

static void routes_carry_our_protocol_and_wait_for_others(void **state) {
  guint i = tun("r0", TRUE), j = tun("r1", TRUE);
  AditNetRoute r = {.to = prefix("198.51.100.0/24"), .ifindex = i}, second = {.to = r.to, .ifindex = j};
  TestClaim *first = test_claim_new("the first"), *next = test_claim_new("the second");
  assert_int_equal(test_claim_wait(first, net->claim_route(&r, &first->head)), 0);
  assert_true(test_shows("ip route show proto 173", "198.51.100.0/24 dev r0"));
  assert_int_equal(test_claim_wait(next, net->claim_route(&second, &next->head)), EEXIST);
  assert_int_equal(next->state, ADIT_CLAIM_WAITING);
  assert_true(test_shows("ip route show proto 173", "198.51.100.0/24 dev r0"));
  net->claim_release(first->claim);
  assert_true(TEST_LOOP_UNTIL(next->state == ADIT_CLAIM_INSTALLED, TEST_NET_PATIENCE));
  assert_true(test_shows("ip route show proto 173", "198.51.100.0/24 dev r1"));
  assert_false(test_shows("ip route show", "dev r0"));
  net->claim_release(next->claim);
  assert_true(test_claims_quiet());
  assert_false(test_shows("ip route show", "198.51.100.0/24"));

  /* An administrator's route is never replaced or deleted; ours takes its place when it goes, at once. */
  g_free(test_run("ip route add default dev r0 proto static"));
  AditNetRoute def = {.to = {.address = {.family = AF_INET}}, .ifindex = j};
  TestClaim *blocked = test_claim_new("a default route");
  assert_int_equal(test_claim_wait(blocked, net->claim_route(&def, &blocked->head)), EEXIST);
  assert_int_equal(blocked->state, ADIT_CLAIM_BLOCKED);
  const char *why = NULL;
  net->claim_state(blocked->claim, &why);
  assert_string_equal(why, "route 0.0.0.0/0 of protocol static on interface r0");
  AditNetRoute far = def;
  far.metric = 5;
  assert_int_equal(route_add(far), 0);
  assert_true(test_shows("ip route show", "default dev r0 proto static"));
  assert_true(test_shows("ip route show", "default dev r1 proto 173 scope link metric 5"));
  g_free(test_run("ip route del default dev r0"));
  assert_true(TEST_LOOP_UNTIL(blocked->state == ADIT_CLAIM_INSTALLED, TEST_NET_PATIENCE));
  assert_int_equal(count_lines("ip route show default proto 173"), 2);
  net->claim_release(blocked->claim);
  assert_int_equal(route_delete(far), 0);

  AditNetRoute table = {.to = prefix("198.51.100.9/32"), .ifindex = i, .table = 1000, .metric = 7};
  assert_int_equal(route_add(table), 0);
  assert_true(test_shows("ip route show table 1000", "198.51.100.9 dev r0 proto 173 scope link metric 7"));
  assert_int_equal(route_delete(table), 0);

  AditNetAddress a = {.ifindex = i, .local = prefix("203.0.113.1/24")};
  assert_int_equal(address_add(a), 0);
  AditNetRoute via = {.to = prefix("192.0.2.0/25"), .via = addr("203.0.113.9"), .ifindex = i};
  assert_int_equal(route_add(via), 0);
  assert_true(test_shows("ip route show proto 173", "192.0.2.0/25 via 203.0.113.9 dev r0"));
  AditNetRoute v6 = {.to = prefix("2001:db8:1::/48"), .ifindex = i}, v6too = {.to = v6.to, .ifindex = j};
  assert_int_equal(route_add(v6), 0);
  assert_true(test_shows("ip -6 route show proto 173", "2001:db8:1::/48 dev r0"));
  TestClaim *six = test_claim_new("the second");
  assert_int_equal(test_claim_wait(six, net->claim_route(&v6too, &six->head)), EEXIST);
  assert_int_equal(route_delete(v6), 0);
  assert_true(TEST_LOOP_UNTIL(six->state == ADIT_CLAIM_INSTALLED, TEST_NET_PATIENCE));
  assert_true(test_shows("ip -6 route show proto 173", "2001:db8:1::/48 dev r1"));
  assert_false(test_shows("ip -6 route show proto 173", "dev r0"));
  net->claim_release(six->claim);
  assert_true(test_claims_quiet());
  TEST_NET_WAIT(net->link_delete(i, test_net_done, &result));
  TEST_NET_WAIT(net->link_delete(j, test_net_done, &result));
}

static void a_route_has_an_mtu_of_its_own(void **state) {
  guint i = tun("m0", TRUE);
  AditNetRoute v4 = {.to = prefix("198.51.100.7/32"), .ifindex = i, .mtu = 1300},
               v6 = {.to = prefix("2001:db8:1::/48"), .ifindex = i, .mtu = 1300};

  assert_int_equal(route_add(v4), 0);
  assert_true(test_shows("ip route show proto 173", "mtu 1300"));
  TestClaim *claim = test_claims_->pdata[test_claims_->len - 1];
  net->claim_set_mtu(claim->claim, 1200);
  assert_true(test_claims_quiet());
  assert_true(test_shows("ip route show proto 173", "mtu 1200"));
  assert_false(test_shows("ip route show proto 173", "mtu 1300"));
  assert_int_equal(route_delete(v4), 0);
  assert_int_equal(route_add(v6), 0);
  assert_true(test_shows("ip -6 route show proto 173", "mtu lock 1300")); /* else the kernel does not heed it when it forwards */
  claim = test_claims_->pdata[test_claims_->len - 1];
  net->claim_set_mtu(claim->claim, 1290);
  assert_true(test_claims_quiet());
  assert_true(test_shows("ip -6 route show proto 173", "mtu lock 1290"));
  assert_int_equal(route_delete(v6), 0);
  TEST_NET_WAIT(net->link_delete(i, test_net_done, &result));
}

typedef struct {
  guint n, out_of_order, errors;
} Order;

typedef struct {
  Order *order;
  guint index;
} Slot;

static void in_order(gpointer user, int error) {
  Slot *s = user;
  if (s->order->n++ != s->index)
    s->order->out_of_order++;
  s->order->errors += error != 0;
}

static void called(gpointer data) {
  in_order(data, 0);
}

static void nothing(gpointer data) {}

static void many_requests_are_carried_out_in_order(void **state) {
  enum { N = 1500 };
  guint i = tun("m0", TRUE);
  Order order = {0};
  g_autofree Slot *slots = g_new0(Slot, N + 1);
  for (guint k = 0; k < N; k++) {
    AditLinkChange change = {.ifindex = i, .set = ADIT_LINK_MTU, .mtu = 1300 + k % 100};
    slots[k] = (Slot){&order, k};
    net->link_change(&change, in_order, &slots[k]);
  }
  slots[N] = (Slot){&order, N};
  net->call(nothing, called, &slots[N]);
  assert_true(TEST_LOOP_UNTIL(order.n == N + 1, TEST_NET_PATIENCE));
  assert_int_equal(order.out_of_order, 0);
  assert_int_equal(order.errors, 0);
  assert_int_equal(link_get(i).mtu, 1300 + (N - 1) % 100);
  TEST_NET_WAIT(net->link_delete(i, test_net_done, &result));
}

static void many_routes_come_and_go(void **state) {
  enum { N = 3000 };
  static const AditClaimant owner = {.size = sizeof owner, .who = "a test"};
  guint i = tun("m0", TRUE);
  g_autofree AditClaim **claims = g_new(AditClaim *, N);
  for (guint k = 0; k < N; k++) {
    AditNetRoute r = {.to = {adit_address_ipv4(0x0a000000 + k), 32}, .ifindex = i};
    claims[k] = net->claim_route(&r, &owner);
  }
  assert_true(test_claims_quiet());
  assert_int_equal(count_lines("ip route show proto 173"), N);
  for (guint k = 0; k < N; k++)
    net->claim_release(claims[k]);
  assert_true(test_claims_quiet());
  assert_int_equal(count_lines("ip route show proto 173"), 0);
  TEST_NET_WAIT(net->link_delete(i, test_net_done, &result));
}

static void a_failure_in_a_batch_is_its_own(void **state) {
  guint i = tun("f0", TRUE);
  TestClaim *good = test_claim_new("good"), *bad = test_claim_new("bad");
  AditNetRoute right = {.to = prefix("198.51.100.1/32"), .ifindex = i}, wrong = {.to = prefix("198.51.100.2/32"), .ifindex = 9999};
  good->claim = net->claim_route(&right, &good->head);
  bad->claim = net->claim_route(&wrong, &bad->head);
  assert_int_equal(test_claim_wait(good, good->claim), 0);
  assert_int_equal(test_claim_wait(bad, bad->claim), ENODEV);
  net->claim_release(good->claim);
  net->claim_release(bad->claim);
  assert_true(test_claims_quiet());
  TEST_NET_WAIT(net->link_delete(i, test_net_done, &result));
}

static void a_group_goes_at_once(void **state) {
  guint index[50];
  for (guint i = 0; i < G_N_ELEMENTS(index); i++) {
    char name[IFNAMSIZ];
    g_snprintf(name, sizeof name, "grp%u", i);
    index[i] = tun(name, FALSE);
  }
  assert_int_equal(TEST_NET_WAIT(net->link_delete_group(net->group(), test_net_done, &result)), 0);
  for (guint i = 0; i < G_N_ELEMENTS(index); i++)
    assert_false(test_link_exists(index[i]));
}

static void fini_carries_out_what_is_queued(void **state) {
  guint i = tun("q0", TRUE);
  TestNetResult r[100] = {{0}}, late = {0};
  for (guint k = 0; k < G_N_ELEMENTS(r); k++) {
    AditLinkChange change = {.ifindex = i, .set = ADIT_LINK_MTU, .mtu = 1300 + k};
    net->link_change(&change, test_net_done, &r[k]);
  }
  adit_net_fini();
  for (guint k = 0; k < G_N_ELEMENTS(r); k++) {
    assert_int_equal(r[k].n, 1);
    assert_int_equal(r[k].error, 0);
  }
  net->link_delete(i, test_net_done, &late); /* nobody there */
  assert_true(TEST_LOOP_UNTIL(late.n, TEST_NET_PATIENCE));
  assert_int_equal(late.error, ESHUTDOWN);
  assert_true(adit_net_init(NULL));
  TEST_NET_WAIT(net->link_delete(i, test_net_done, &result));
}

typedef struct {
  guint works, asked_for, done;
} Chain;

static void chain_work(gpointer data) {
  ((Chain *)data)->works++;
}

static void chain_done(gpointer data) {
  Chain *chain = data;
  chain->done++;
  if (chain->asked_for++ == 0)
    net->call(chain_work, chain_done, chain);
}

/* The target of completions is freed after adit_net_quiesce(), which must leave none. */
static void quiesce_leaves_no_completion(void **state) {
  Chain chain = {0};
  net->call(chain_work, chain_done, &chain);
  adit_net_quiesce();
  assert_int_equal(chain.done, 2); /* that of the completion, too */
  net->call(chain_work, chain_done, &chain);
  assert_int_equal(chain.done, 2);
  adit_net_quiesce();
  assert_int_equal(chain.done, 3);
  assert_int_equal(chain.works, 3);
  adit_net_fini();
  assert_true(adit_net_init(NULL));
}

/* ---- life ---- */

static int setup(void **state) {
  test_net_setup(state);
  net = adit_net_service();
  return 0;
}

static int teardown(void **state) {
  test_net_teardown(state);
  test_claims_forget();
  return 0;
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
  const struct CMUnitTest tests[] = {
      T(link_properties_are_set),
      T(errors_are_the_kernels),
      T(point_to_point_addresses),
      T(ipv6_addresses_are_usable_at_once),
      T(routes_carry_our_protocol_and_wait_for_others),
      T(a_route_has_an_mtu_of_its_own),
      T(many_requests_are_carried_out_in_order),
      T(many_routes_come_and_go),
      T(a_failure_in_a_batch_is_its_own),
      T(a_group_goes_at_once),
      T(fini_carries_out_what_is_queued),
      T(quiesce_leaves_no_completion),
  };
  if (!test_netns())
    return 1;
  adit_logging_init(ADIT_LOG_INFO);
  return cmocka_run_group_tests_name("net", tests, NULL, NULL);
}
