/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Proxy neighbours and masters on the real kernel, in a network namespace of the test's own. */
#include "config.h"

#include "core/base/logging.h"
#include "tests/lib/claims.h"
#include "tests/lib/netns.h"

#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_tun.h>
#include <net/if_arp.h>
#include <poll.h>
#include <sys/ioctl.h>

static const AditNetService *net;

static AditAddress addr(const char *text) {
  AditAddress address;
  assert_true(adit_address_parse(text, &address));
  return address;
}

static TestClaim *claim_neighbour(guint ifindex, const char *address, int expected) {
  AditNetNeighbour neighbour = {.ifindex = ifindex, .address = addr(address)};
  TestClaim *t = test_claim_new("a test");
  assert_int_equal(test_claim_wait(t, net->claim_neighbour(&neighbour, &t->head)), expected);
  return t;
}

static void release(TestClaim *t) {
  net->claim_release(g_steal_pointer(&t->claim));
  assert_true(test_claims_quiet());
}

#define EVENTUALLY(command, words) assert_true(TEST_LOOP_UNTIL(test_shows(command, words), TEST_NET_PATIENCE))

/* ---- proxy neighbours ---- */

static void a_proxy_neighbour_is_kept(void **state) {
  static const struct {
    const char *address, *show, *del;
  } families[] = {{"10.0.0.9", "ip -4 neigh show proxy", "ip neigh del proxy 10.0.0.9 dev l0"},
                  {"2001:db8::9", "ip -6 neigh show proxy", "ip -6 neigh del proxy 2001:db8::9 dev l0"}};
  guint lan = test_link_make("l0", "tap");
  for (guint i = 0; i < G_N_ELEMENTS(families); i++) {
    g_autofree char *words = g_strdup_printf("%s dev l0 proxy proto 173", families[i].address);
    TestClaim *first = claim_neighbour(lan, families[i].address, 0), *second = claim_neighbour(lan, families[i].address, 0);
    assert_true(test_shows(families[i].show, words));
    g_free(test_run(families[i].del));
    assert_false(test_shows(families[i].show, words));
    EVENTUALLY(families[i].show, words);
    g_free(test_run("ip link set l0 down"));
    assert_false(test_shows(families[i].show, words));
    g_free(test_run("ip link set l0 up"));
    EVENTUALLY(families[i].show, words);
    release(first);
    assert_true(test_shows(families[i].show, words)); /* for the other claim */
    release(second);
    assert_false(test_shows(families[i].show, families[i].address));
  }
  g_free(test_run("ip link del l0"));
}

static void an_administrators_neighbour_stays(void **state) {
  guint lan = test_link_make("l1", "tap");
  g_free(test_run("ip neigh add proxy 10.0.0.9 dev l1 protocol static"));
  TestClaim *t = claim_neighbour(lan, "10.0.0.9", EEXIST);
  assert_int_equal(t->state, ADIT_CLAIM_BLOCKED);
  assert_string_equal(t->why, "a proxy neighbour of protocol static");
  release(t);
  assert_true(test_shows("ip neigh show proxy", "10.0.0.9 dev l1 proxy proto static"));
  t = claim_neighbour(lan, "10.0.0.9", EEXIST);
  g_free(test_run("ip neigh del proxy 10.0.0.9 dev l1"));
  assert_true(TEST_LOOP_UNTIL(t->state == ADIT_CLAIM_INSTALLED, TEST_NET_PATIENCE));
  assert_true(test_shows("ip neigh show proxy", "10.0.0.9 dev l1 proxy proto 173"));
  release(t);
  g_free(test_run("ip link del l1"));
  assert_int_equal(claim_neighbour(lan, "10.0.0.9", ENODEV)->state, ADIT_CLAIM_REFUSED);
}

static int tap_open(const char *name) {
  struct ifreq ifr = {.ifr_flags = IFF_TAP | IFF_NO_PI};
  int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
  g_strlcpy(ifr.ifr_name, name, IFNAMSIZ);
  assert_true(fd >= 0);
  assert_int_equal(ioctl(fd, TUNSETIFF, &ifr), 0);
  return fd;
}

typedef struct {
  struct ethhdr ethernet;
  struct arphdr arp;
  guint8 from_mac[6], from[4], to_mac[6], to[4];
} __attribute__((packed)) Arp;

/* Drops other frames until an ARP reply for 10.0.0.9 is there. */
static gboolean is_answered(int fd) {
  guint8 frame[2048];
  gssize n;
  while ((n = read(fd, frame, sizeof frame)) > 0) {
    const Arp *arp = (const Arp *)frame;
    if (n >= (gssize)sizeof *arp && arp->ethernet.h_proto == g_htons(ETH_P_ARP) && arp->arp.ar_op == g_htons(ARPOP_REPLY) &&
        memcmp(arp->from, (guint8[]){10, 0, 0, 9}, 4) == 0)
      return TRUE;
  }
  return FALSE;
}

/* What it is for: hosts of the LAN find an address that is behind a tunnel. */
static void the_kernel_answers_for_it(void **state) {
  static const guint8 host[6] = {2, 0, 0, 0, 0, 2};
  guint lan = test_link_make("l2", "tap");
  test_link_make("t2", "tun");
  int fd = tap_open("l2");
  g_free(test_run("ip address add 10.0.0.1/24 dev l2"));
  g_free(test_run("ip route add 10.0.0.9/32 dev t2"));
  assert_true(g_file_set_contents_full("/proc/sys/net/ipv4/ip_forward", "1", -1, G_FILE_SET_CONTENTS_NONE, 0644, NULL));
  TestClaim *t = claim_neighbour(lan, "10.0.0.9", 0);
  Arp question = {
      .ethernet = {.h_proto = g_htons(ETH_P_ARP)},
      .arp = {.ar_hrd = g_htons(ARPHRD_ETHER), .ar_pro = g_htons(ETH_P_IP), .ar_hln = 6, .ar_pln = 4, .ar_op = g_htons(ARPOP_REQUEST)},
      .from = {10, 0, 0, 2},
      .to = {10, 0, 0, 9}};
  memset(question.ethernet.h_dest, 255, 6);
  memcpy(question.ethernet.h_source, host, 6);
  memcpy(question.from_mac, host, 6);
  assert_int_equal(write(fd, &question, sizeof question), sizeof question);
  gboolean answered = FALSE;
  for (struct pollfd wait = {.fd = fd, .events = POLLIN}; !answered && poll(&wait, 1, TEST_NET_PATIENCE) > 0;)
    answered = is_answered(fd);
  assert_true(answered);
  release(t);
  close(fd);
  g_free(test_run("ip link del l2"));
  g_free(test_run("ip link del t2"));
}

/* A claim on an interface that is nobody's session's does not make its addresses ours. */
static void addresses_of_a_used_interface_are_protected(void **state) {
  AditAddress before = addr("192.0.2.1"), later = addr("192.0.2.2");
  guint lan = test_link_make("l3", "tap");
  g_free(test_run("ip address add 192.0.2.1/24 dev l3"));
  assert_true(TEST_LOOP_UNTIL(net->protected_by(&before, ADIT_PROTECT_LOCAL, NULL), TEST_NET_PATIENCE));
  TestClaim *t = claim_neighbour(lan, "192.0.2.9", 0);
  g_free(test_run("ip address add 192.0.2.2/24 dev l3"));
  assert_true(TEST_LOOP_UNTIL(net->protected_by(&later, ADIT_PROTECT_LOCAL, NULL), TEST_NET_PATIENCE));
  assert_true(net->protected_by(&before, ADIT_PROTECT_LOCAL, NULL));
  g_free(test_run("ip address del 192.0.2.2/24 dev l3"));
  assert_true(TEST_LOOP_UNTIL(!net->protected_by(&later, ADIT_PROTECT_LOCAL, NULL), TEST_NET_PATIENCE));
  release(t);
  g_free(test_run("ip link del l3"));
}

/* The claim of the way to a tunnel's end does not hide from it what happens to the uplink that it uses. */
static void the_way_to_a_tunnels_end_leaves_an_uplink_that_is_down(void **state) {
  AditAddress end = addr("203.0.113.9");
  guint tunnel = test_link_make("t4", "tun");
  test_link_make("u0", "tap");
  test_link_make("u1", "tap");
  int carrier[] = {tap_open("u0"), tap_open("u1")};
  g_free(test_run("ip -6 address flush dev u0")); /* whose deletion would tell */
  g_free(test_run("ip address add 192.0.2.1/24 dev u0"));
  g_free(test_run("ip address add 198.51.100.1/24 dev u1"));
  g_free(test_run("ip route add default via 192.0.2.254 metric 10"));
  g_free(test_run("ip route add default via 198.51.100.254 metric 20"));
  net->protect(ADIT_PROTECT_ENDPOINT, &end, "the outer address of a tunnel");
  AditNetRoute inner = {.to = {end, 24}, .ifindex = tunnel};
  inner.to.address.octet[3] = 0;
  assert_int_equal(test_claim_route(&inner), 0);
  assert_true(test_shows("ip route show proto 173", "203.0.113.9 via 192.0.2.254 dev u0"));
  assert_true(test_claims_quiet()); /* nothing else makes it look */
  g_free(test_run("ip link set u0 down"));
  EVENTUALLY("ip route show proto 173", "203.0.113.9 via 198.51.100.254 dev u1");
  assert_int_equal(test_release_route(&inner), 0);
  net->unprotect(ADIT_PROTECT_ENDPOINT, &end, "the outer address of a tunnel");
  assert_true(test_claims_quiet());
  close(carrier[0]);
  close(carrier[1]);
  g_free(test_run("ip link del u0"));
  g_free(test_run("ip link del u1"));
  g_free(test_run("ip link del t4"));
}

/* ---- masters ---- */

static guint bridge(const char *name) {
  g_autofree char *make = g_strdup_printf("ip link add %s type bridge", name);
  g_free(test_run(make));
  return if_nametoindex(name);
}

static void a_port_is_kept_in_its_bridge(void **state) {
  guint port = test_link_make("p0", "tap"), first = bridge("b0"), second = bridge("b1");
  TestClaim *ann = test_claim_new("ann"), *bob = test_claim_new("bob");
  if (!first) /* the kernel has no bridges */
    skip();
  bridge("b2");
  assert_int_equal(test_claim_wait(ann, net->claim_master(port, first, &ann->head)), 0);
  assert_int_equal(test_claim_wait(bob, net->claim_master(port, second, &bob->head)), EEXIST);
  assert_true(test_shows("ip link show p0", "master b0"));
  g_free(test_run("ip link set p0 nomaster"));
  EVENTUALLY("ip link show p0", "master b0");
  g_free(test_run("ip link set p0 master b2"));
  EVENTUALLY("ip link show p0", "master b0");
  g_free(test_run("ip link set p0 down"));
  assert_true(test_claims_quiet());
  assert_true(test_shows("ip link show p0", "master b0"));
  release(ann);
  assert_int_equal(bob->state, ADIT_CLAIM_INSTALLED);
  assert_true(test_shows("ip link show p0", "master b1"));
  release(bob);
  assert_false(test_shows("ip link show p0", "master"));

  assert_int_equal(test_claim_wait(ann, net->claim_master(port, first, &ann->head)), 0);
  g_free(test_run("ip link set p0 master b2"));
  release(ann); /* where an administrator has put it, it stays */
  assert_true(test_shows("ip link show p0", "master b2"));

  assert_int_equal(test_claim_wait(ann, net->claim_master(port, first, &ann->head)), 0);
  g_free(test_run("ip link del b0"));
  assert_true(TEST_LOOP_UNTIL(ann->state == ADIT_CLAIM_REFUSED, TEST_NET_PATIENCE));
  release(ann);
  g_free(test_run("ip link del p0"));
  g_free(test_run("ip link del b1"));
  g_free(test_run("ip link del b2"));
}

/* ---- life ---- */

static int setup(void **state) {
  test_net_setup(state);
  net = adit_net_service();
  adit_claims_set_pause(adit_kernel_claims(), 10);
  return 0;
}

static int teardown(void **state) {
  test_net_teardown(state);
  test_claims_forget();
  return 0;
}

/* ---- ports of a bridge ---- */

static gboolean shows_port(const char *words) {
  return test_shows("ip -d -o link show dev p0", words);
}

/* Not each kernel has bridges. */
static gboolean has_bridges(void) {
  gboolean has = bridge("b9") != 0;
  if (has)
    g_free(test_run("ip link del b9"));
  return has;
}

static TestClaim *claim_port(const AditBridgePortWish *wish, int expected) {
  TestClaim *t = test_claim_new("a test");
  assert_int_equal(test_claim_wait(t, net->claim_bridge_port(wish, &t->head)), expected);
  return t;
}

static void attributes_of_a_bridges_port_are_kept(void **state) {
  if (!has_bridges())
    skip();
  guint port = test_link_make("p0", "tap");
  bridge("b0");
  AditBridgePortWish wish = {.size = sizeof wish,
                             .ifindex = port,
                             .bridge = "b0",
                             .set =
                                 ADIT_BRIDGE_PORT_LEARNING | ADIT_BRIDGE_PORT_ISOLATED | ADIT_BRIDGE_PORT_COST | ADIT_BRIDGE_PORT_PRIORITY,
                             .isolated = TRUE,
                             .cost = 50,
                             .priority = 16};
  TestClaim *t = claim_port(&wish, 0);
  assert_true(shows_port("priority 16 cost 50"));
  assert_true(shows_port("learning off"));
  assert_true(shows_port("isolated on"));

  g_free(test_run("ip link set p0 type bridge_slave learning on"));
  EVENTUALLY("ip -d -o link show dev p0", "learning off");
  g_free(test_run("bridge link set dev p0 isolated off"));
  EVENTUALLY("ip -d -o link show dev p0", "isolated on");
  g_free(test_run("bridge link set dev p0 cost 7 priority 3"));
  EVENTUALLY("ip -d -o link show dev p0", "priority 16 cost 50");
  g_free(test_run("ip link set p0 nomaster"));
  EVENTUALLY("ip -d -o link show dev p0", "isolated on");
  assert_true(shows_port("master b0"));
  release(t);
  assert_false(shows_port("master"));
  g_free(test_run("ip link del b0"));
  g_free(test_run("ip link del p0"));
}

static void the_vlan_of_a_bridges_port_is_kept(void **state) {
  g_free(test_run("ip link add b0 type bridge vlan_filtering 1"));
  if (!if_nametoindex("b0")) /* nor has each kernel VLANs in bridges */
    skip();
  AditBridgePortWish wish = {
      .size = sizeof wish, .ifindex = test_link_make("p0", "tap"), .bridge = "b0", .set = ADIT_BRIDGE_PORT_PVID, .pvid = 20};
  TestClaim *t = claim_port(&wish, 0);
  assert_true(test_shows("bridge -o vlan show dev p0", "20 PVID Egress Untagged"));
  assert_false(test_shows("bridge -o vlan show dev p0", " 1 "));
  g_free(test_run("bridge vlan add dev p0 vid 30 pvid untagged"));
  EVENTUALLY("bridge -o vlan show dev p0", "20 PVID Egress Untagged");
  g_free(test_run("bridge vlan del dev p0 vid 20"));
  EVENTUALLY("bridge -o vlan show dev p0", "20 PVID Egress Untagged");
  g_free(test_run("ip link set p0 nomaster"));
  EVENTUALLY("bridge -o vlan show dev p0", "20 PVID Egress Untagged");
  assert_false(test_shows("bridge -o vlan show dev p0", " 1 "));
  release(t);
  g_free(test_run("ip link del b0"));
  g_free(test_run("ip link del p0"));
}

static void what_nobody_wants_to_keep_is_the_administrators(void **state) {
  if (!has_bridges())
    skip();
  guint port = test_link_make("p0", "tap");
  g_free(test_run("ip link add b0 type bridge"));
  AditBridgePortWish wish = {.size = sizeof wish, .ifindex = port, .bridge = "b0", .set = ADIT_BRIDGE_PORT_ISOLATED, .isolated = TRUE};
  TestClaim *t = claim_port(&wish, 0);
  g_free(test_run("bridge link set dev p0 cost 7 learning off"));
  g_free(test_run("bridge link set dev p0 isolated off"));
  EVENTUALLY("ip -d -o link show dev p0", "isolated on");
  assert_true(shows_port("cost 7"));
  assert_true(shows_port("learning off"));
  release(t);
  g_free(test_run("ip link del b0"));
  g_free(test_run("ip link del p0"));
}

static void a_bridge_that_is_made_again_is_joined_again(void **state) {
  if (!has_bridges())
    skip();
  guint port = test_link_make("p0", "tap");
  AditBridgePortWish wish = {.size = sizeof wish, .ifindex = port, .bridge = "b0", .set = ADIT_BRIDGE_PORT_LEARNING};
  TestClaim *t = claim_port(&wish, ENODEV);
  assert_int_equal(t->state, ADIT_CLAIM_REFUSED);
  for (guint i = 0; i < 2; i++) {
    g_free(test_run("ip link add b0 type bridge"));
    EVENTUALLY("ip -d -o link show dev p0", "learning off");
    assert_true(TEST_LOOP_UNTIL(t->state == ADIT_CLAIM_INSTALLED, TEST_NET_PATIENCE));
    assert_true(shows_port("master b0"));
    g_free(test_run("ip link del b0"));
    assert_true(TEST_LOOP_UNTIL(t->state == ADIT_CLAIM_REFUSED, TEST_NET_PATIENCE));
  }
  release(t);
  g_free(test_run("ip link del p0"));
}

static void what_is_no_bridge_is_refused(void **state) {
  guint port = test_link_make("p0", "tap");
  test_link_make("p1", "tap");
  AditBridgePortWish wish = {.size = sizeof wish, .ifindex = port, .bridge = "p1"};
  TestClaim *t = claim_port(&wish, EOPNOTSUPP);
  assert_int_equal(t->state, ADIT_CLAIM_REFUSED);
  release(t);
  g_free(test_run("ip link del p0"));
  g_free(test_run("ip link del p1"));
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
  const struct CMUnitTest tests[] = {
      T(a_proxy_neighbour_is_kept),
      T(an_administrators_neighbour_stays),
      T(the_kernel_answers_for_it),
      T(addresses_of_a_used_interface_are_protected),
      T(the_way_to_a_tunnels_end_leaves_an_uplink_that_is_down),
      T(attributes_of_a_bridges_port_are_kept),
      T(the_vlan_of_a_bridges_port_is_kept),
      T(what_nobody_wants_to_keep_is_the_administrators),
      T(a_bridge_that_is_made_again_is_joined_again),
      T(what_is_no_bridge_is_refused),
      T(a_port_is_kept_in_its_bridge),
  };
  if (!test_netns())
    return 1;
  adit_logging_init(ADIT_LOG_INFO);
  return cmocka_run_group_tests_name("ports", tests, NULL, NULL);
}
