/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Claims that come and go on the real kernel while somebody sets links down, flushes and adds routes, deletes proxy neighbours and takes
 * ports out of bridges: after each quiet spell the kernel equals the claims. test-disturbed [STEPS [SEED]]; a seed that fails is printed,
 * and tells the same story again. */
#include "config.h"

#include "core/base/logging.h"
#include "core/net/facts.h"
#include "core/net/queue.h"
#include "core/net/watch.h"
#include "tests/lib/claims.h"
#include "tests/lib/netns.h"

#include <linux/rtnetlink.h>
#include <netlink/attr.h>

enum {
  LINKS = 4,
  BRIDGES = 3,
  /* the last one is an administrator's */ OWNERS = 40,
  PREFIXES = 8,
  QUIET_EVERY = 50,
  LAST = 12,
  PATIENCE = 20000
};

static guint steps = 1000;
static guint32 first_seed = 1;
static const AditNetService *net;

static GPtrArray *did; /* the last commands, for a failure to print */

static int sh(const char *format, ...) G_GNUC_PRINTF(1, 2);
static int sh(const char *format, ...) {
  va_list args;
  va_start(args, format);
  g_autofree char *command = g_strdup_vprintf(format, args);
  va_end(args);
  int status = 0;
  g_ptr_array_add(did, g_strdup(command));
  if (did->len > LAST)
    g_ptr_array_remove_index(did, 0);
  g_spawn_command_line_sync(command, NULL, NULL, &status, NULL);
  return status;
}

/* ---- the story's people: each has an address, a host route, and routes, proxy neighbours and a master that it shares with others ---- */

enum { CLAIMS = 8 };

typedef struct {
  AditClaimant head;
  char who[32], party[8];
  AditClaim *claim[CLAIMS];
  guint n;
} Owner;

static Owner owner[OWNERS];
static guint ifindex[LINKS], bridge[BRIDGES], other; /* without bridges in the kernel they are 0 */
static AditClaim *link_claim[LINKS];
static AditClaimant link_owner = {.size = sizeof link_owner, .who = "a link"};

static AditPrefix prefix(const char *text) {
  AditPrefix p;
  assert_true(adit_prefix_parse(text, &p));
  return p;
}

static void arrive(GRand *rand, guint i) {
  Owner *o = &owner[i];
  guint at = ifindex[g_rand_int_range(rand, 0, LINKS)];
  g_snprintf(o->who, sizeof o->who, "session %u", i);
  g_snprintf(o->party, sizeof o->party, "%u", i % 7);
  o->head = (AditClaimant){.size = sizeof o->head, .who = o->who, .party = i % 3 ? o->party : NULL};
  g_autofree char *peer = g_strdup_printf("10.1.0.%u/32", 2 + i), *shared = g_strdup_printf("172.%u.0.0/16", 16 + i % PREFIXES),
                  *six = g_strdup_printf("2001:db8:%x::/48", i % PREFIXES), *local = g_strdup_printf("fe80::%x/128", 1 + i % 5);
  AditNetAddress v4 = {.ifindex = at, .local = prefix("10.1.0.1/32"), .peer = prefix(peer).address},
                 v6 = {.ifindex = at, .local = prefix(local)};
  AditNetRoute host = {.to = prefix(peer), .ifindex = at, .metric = 5}, wide = {.to = prefix(shared), .ifindex = at},
               far = {.to = prefix(shared), .ifindex = at, .metric = 7}, long6 = {.to = prefix(six), .ifindex = at};
  g_autofree char *proxied = g_strdup_printf("10.2.0.%u/32", i % PREFIXES), *proxied6 = g_strdup_printf("2001:db8::%x/128", i % PREFIXES);
  AditNetNeighbour proxy = {.ifindex = other, .address = prefix(proxied).address},
                   proxy6 = {.ifindex = at, .address = prefix(proxied6).address};
  o->n = 0;
  o->claim[o->n++] = net->claim_address(&v4, &o->head);
  o->claim[o->n++] = net->claim_address(&v6, &o->head);
  o->claim[o->n++] = net->claim_route(&host, &o->head);
  o->claim[o->n++] = net->claim_route(&wide, &o->head);
  o->claim[o->n++] = i % 2 ? net->claim_route(&far, &o->head) : net->claim_route(&long6, &o->head);
  o->claim[o->n++] = net->claim_neighbour(i % 2 ? &proxy : &proxy6, &o->head);
  if (bridge[0] && i % 4 == 0)
    o->claim[o->n++] = net->claim_master(at, bridge[i % 8 / 4], &o->head);
}

static void leave(guint i) {
  while (owner[i].n)
    net->claim_release(owner[i].claim[--owner[i].n]);
}

static void disturb(GRand *rand) {
  guint link = (guint)g_rand_int_range(rand, 0, LINKS), n = 16 + (guint)g_rand_int_range(rand, 0, PREFIXES);
  switch (g_rand_int_range(rand, 0, bridge[0] ? 15 : 12)) {
  case 0:
    sh("ip link set d%u down", link);
    break;
  case 1:
    sh("ip link set d%u down", link);
    sh("ip link set d%u up", link);
    break;
  case 2:
    sh("ip address flush dev d%u", link);
    break;
  case 3:
    sh("ip route flush proto 173");
    break;
  case 4:
    sh("ip -6 route flush proto 173");
    break;
  case 5:
    sh("ip route replace 172.%u.0.0/16 dev other proto static", n);
    break;
  case 6:
    sh("ip route del 172.%u.0.0/16 dev other proto static", n);
    break;
  case 7:
    sh("ip link set other down");
    sh("ip link set other up");
    break;
  case 8:
    sh("ip link set d%u mtu 1300", link);
    break;
  case 9:
    sh("ip neigh del proxy 10.2.0.%u dev other", n - 16);
    break;
  case 10:
    sh("ip -6 neigh del proxy 2001:db8::%x dev d%u", n - 16, link);
    break;
  case 11:
    sh("ip neigh add proxy 10.2.0.%u dev other protocol static", n - 16);
    break;
  case 12:
    sh("ip link set d%u nomaster", link);
    break;
  case 13:
    sh("ip link set d%u master b%u", link, BRIDGES - 1);
    break;
  case 14:
    sh("ip link set b%u down", link % BRIDGES);
    sh("ip link set b%u up", link % BRIDGES);
    break;
  }
}

/* ---- the comparison ---- */

typedef struct {
  GHashTable *there; /* char* "route ... dev N" */
  guint32 seed, step;
  guint missing, claimed;
} Compare;

static char *route_words(const AditNetRoute *r) {
  char to[ADIT_PREFIX_TEXT];
  return g_strdup_printf("route %s dev %u metric %u", adit_prefix_format(&r->to, to), r->ifindex, r->metric);
}

static char *address_words(const AditNetAddress *a) {
  char local[ADIT_PREFIX_TEXT], peer[ADIT_ADDRESS_TEXT];
  return g_strdup_printf("address %s peer %s dev %u", adit_prefix_format(&a->local, local), adit_address_format(&a->peer, peer),
                         a->ifindex);
}

static void see_route(struct nlmsghdr *h, gpointer data) {
  const struct rtmsg *rtm = nlmsg_data(h);
  AditNetRoute route;
  AditAddress source;
  if (adit_rtnl_route_parse(h, &route, &source) && rtm->rtm_protocol == ADIT_NET_PROTOCOL)
    g_hash_table_add(data, route_words(&route));
}

static void see_address(struct nlmsghdr *h, gpointer data) {
  AditNetAddress address;
  if (!adit_watch_parse_address(h, &address))
    return;
  for (guint i = 0; i < LINKS; i++)
    if (address.ifindex == ifindex[i])
      g_hash_table_add(data, address_words(&address));
}

static char *neighbour_words(const AditNetNeighbour *n) {
  char address[ADIT_ADDRESS_TEXT];
  return g_strdup_printf("proxy neighbour %s dev %u", adit_address_format(&n->address, address), n->ifindex);
}

static void see_neighbour(struct nlmsghdr *h, gpointer data) {
  AditNetNeighbour neighbour;
  guint8 protocol;
  if (adit_rtnl_neighbour_parse(h, &neighbour, &protocol) && protocol == ADIT_NET_PROTOCOL)
    g_hash_table_add(data, neighbour_words(&neighbour));
}

static char *master_words(guint port, guint master) {
  return g_strdup_printf("master %u dev %u", master, port);
}

static void see_link(struct nlmsghdr *h, gpointer data) {
  struct nlattr *attr = nlmsg_find_attr(h, sizeof(struct ifinfomsg), IFLA_MASTER);
  if (attr && nla_get_u32(attr) != bridge[BRIDGES - 1])
    g_hash_table_add(data, master_words((guint)((struct ifinfomsg *)nlmsg_data(h))->ifi_index, nla_get_u32(attr)));
}

static char *object_words(const AditObjectKey *key, const AditObjectValue *value) {
  AditNetAddress address = adit_object_address(key);
  AditNetRoute route = adit_object_route(key, value);
  AditNetNeighbour neighbour = adit_object_neighbour(key);
  switch ((AditObjectKind)key->kind) {
  case ADIT_OBJECT_LINK:
    return NULL;
  case ADIT_OBJECT_ADDRESS:
    return address_words(&address);
  case ADIT_OBJECT_ROUTE:
    return route_words(&route);
  case ADIT_OBJECT_MASTER:
    return master_words(key->where, value->master);
  case ADIT_OBJECT_NEIGHBOUR:
    return neighbour_words(&neighbour);
  }
  return NULL;
}

static void expect_there(const AditObjectKey *key, const AditObjectValue *value, gpointer data) {
  Compare *compare = data;
  g_autofree char *words = object_words(key, value);
  if (!words)
    return;
  compare->claimed++;
  if (g_hash_table_remove(compare->there, words))
    return;
  compare->missing++;
  print_error("seed %u step %u: %s is claimed, and not in the kernel\n", compare->seed, compare->step, words);
}

static guint compare(guint32 seed, guint step) {
  g_autoptr(GHashTable) there = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  Compare c = {there, seed, step, 0, 0};
  AditRtnl *rtnl = adit_rtnl_open(NULL);
  GHashTableIter iter;
  gpointer words;
  assert_int_equal(adit_rtnl_request(rtnl, adit_rtnl_route_dump(AF_INET), see_route, there), 0);
  assert_int_equal(adit_rtnl_request(rtnl, adit_rtnl_route_dump(AF_INET6), see_route, there), 0);
  assert_int_equal(adit_rtnl_request(rtnl, adit_rtnl_address_dump(AF_UNSPEC), see_address, there), 0);
  assert_int_equal(adit_rtnl_request(rtnl, adit_rtnl_neighbour_dump(AF_INET), see_neighbour, there), 0);
  assert_int_equal(adit_rtnl_request(rtnl, adit_rtnl_neighbour_dump(AF_INET6), see_neighbour, there), 0);
  assert_int_equal(adit_rtnl_request(rtnl, adit_rtnl_link_dump(AF_UNSPEC), see_link, there), 0);
  adit_rtnl_close(rtnl);
  adit_claims_foreach(adit_kernel_claims(), expect_there, &c);
  g_hash_table_iter_init(&iter, there);
  while (g_hash_table_iter_next(&iter, &words, NULL)) {
    print_error("seed %u step %u: %s is in the kernel, and nobody claims it\n", seed, step, (char *)words);
    c.missing++;
  }
  if (c.missing)
    g_spawn_command_line_sync("sh -c 'ip address; ip route; ip -6 route; ip neigh show proxy' >&2", NULL, NULL, NULL, NULL);
  for (guint i = 0; c.missing && i < did->len; i++)
    print_error("  %s\n", (char *)did->pdata[i]);
  assert_int_equal(c.missing, 0);
  return c.claimed;
}

typedef struct {
  AditNetJob job; /* head */
  gboolean done;
} Barrier;

static void read_watch(AditNetJob *job, AditRtnl *rtnl) {
  adit_watcher_read(rtnl);
}

static void passed(AditNetJob *job) {
  ((Barrier *)job)->done = TRUE;
}

/* What was done to the kernel before has been read, and the main loop has heard of it. */
static void pass_barrier(void) {
  Barrier barrier = {.job = {.follow = read_watch, .done = passed}};
  adit_net_submit(&barrier.job);
  assert_true(TEST_LOOP_UNTIL(barrier.done, PATIENCE));
  test_loop_drain();
}

/* All events have come, what they lead to is done, and that has led to nothing else. */
static void settle(guint32 seed, guint step) {
  gint64 end = g_get_monotonic_time() + (gint64)PATIENCE * 1000;
  guint calm = 0;
  adit_claims_look_now(adit_kernel_claims());
  while (g_get_monotonic_time() < end && calm < 3) {
    gboolean tick = FALSE;
    (void)TEST_LOOP_UNTIL(tick, 10);
    pass_barrier();
    calm = adit_claims_quiet(adit_kernel_claims()) ? calm + 1 : 0;
  }
  if (calm < 3)
    fail_msg("seed %u step %u: not quiet within %u s", seed, step, PATIENCE / 1000);
}

static void the_kernel_equals_the_claims(void **state) {
  g_autoptr(GRand) rand = g_rand_new_with_seed(first_seed);
  guint compared = 0, claimed = 0, disturbed = 0;
  for (guint step = 1; step <= steps; step++) {
    guint i = (guint)g_rand_int_range(rand, 0, OWNERS);
    if (g_rand_int_range(rand, 0, 10) == 0) {
      disturb(rand);
      disturbed++;
    } else if (owner[i].n) {
      leave(i);
    } else {
      arrive(rand, i);
    }
    if (g_rand_int_range(rand, 0, 3) == 0)
      test_loop_drain();
    if (step % QUIET_EVERY)
      continue;
    settle(first_seed, step);
    claimed += compare(first_seed, step);
    compared++;
  }
  print_message("seed %u: %u steps, %u disturbances; %u comparisons of %u objects on average; %u overruns, at most %u events at once\n",
                first_seed, steps, disturbed, compared, compared ? claimed / compared : 0, adit_watcher_overruns(), adit_watcher_most());
  for (guint i = 0; i < OWNERS; i++)
    leave(i);
  settle(first_seed, steps);
  assert_int_equal(compare(first_seed, steps), 0);
}

/* `ip route flush proto 173` on an interface of many: back within bounded passes. */
static void a_flush_of_many_routes_is_undone(void **state) {
  enum { N = 20000 };
  g_autofree AditClaim **claims = g_new(AditClaim *, N);
  for (guint k = 0; k < N; k++) {
    AditNetRoute r = {.to = {adit_address_ipv4(0x0b000000 + k), 32}, .ifindex = ifindex[0]};
    claims[k] = net->claim_route(&r, &link_owner);
  }
  settle(0, 0);
  sh("ip route flush proto 173");
  settle(0, 1);
  compare(0, 1);
  print_message("%u flushed routes are back: %u overruns, at most %u events in a pass of the loop, %u changes under way at most\n", N,
                adit_watcher_overruns(), adit_watcher_most(), ADIT_CLAIMS_FLIGHT);
  assert_in_range(adit_watcher_most(), 0, ADIT_WATCH_BUDGET);
  for (guint k = 0; k < N; k++)
    net->claim_release(claims[k]);
  settle(0, 2);
  compare(0, 2);
}

/* ---- life ---- */

static int setup(void **state) {
  adit_loop_init();
  assert_true(adit_net_init(NULL));
  net = adit_net_service();
  adit_claims_set_pause(adit_kernel_claims(), 5);
  for (guint i = 0; i < LINKS; i++) {
    g_autofree char *name = g_strdup_printf("d%u", i);
    assert_int_equal(sh("ip tuntap add %s mode tap", name), 0);
    sh("ip link set %s addrgenmode none", name);
    assert_int_equal(sh("ip link set %s up mtu 1400", name), 0);
    ifindex[i] = if_nametoindex(name);
    AditLinkWish wish = {.size = sizeof wish, .ifindex = ifindex[i], .up = TRUE, .mtu = 1400};
    link_claim[i] = net->claim_link(&wish, &link_owner);
  }
  other = test_link_make("other", "tap");
  for (guint i = 0; i < BRIDGES; i++) {
    g_autofree char *name = g_strdup_printf("b%u", i);
    sh("ip link add %s type bridge", name);
    sh("ip link set %s up", name);
    bridge[i] = if_nametoindex(name);
  }
  return 0;
}

static int teardown(void **state) {
  for (guint i = 0; i < LINKS; i++) {
    net->claim_release(link_claim[i]);
    sh("ip link del d%u", i);
  }
  for (guint i = 0; i < BRIDGES; i++)
    sh("ip link del b%u", i);
  sh("ip link del other");
  adit_net_fini();
  adit_loop_fini();
  return 0;
}

int main(int argc, char **argv) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
  const struct CMUnitTest tests[] = {
      T(the_kernel_equals_the_claims),
      T(a_flush_of_many_routes_is_undone),
  };
  const char *given = g_getenv("ADIT_KERNEL_STEPS"), *seed = g_getenv("ADIT_KERNEL_SEED");
  steps = argc > 1 ? (guint)atoi(argv[1]) : given ? (guint)atoi(given) : steps;
  first_seed = argc > 2 ? (guint32)atoi(argv[2]) : seed ? (guint32)atoi(seed) : first_seed;
  if (!test_netns())
    return 1;
  adit_logging_init(ADIT_LOG_ERROR);
  did = g_ptr_array_new_with_free_func(g_free);
  int failed = cmocka_run_group_tests_name("disturbed", tests, NULL, NULL);
  g_ptr_array_unref(did);
  return failed;
}
