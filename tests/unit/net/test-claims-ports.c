/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The engine of claims: masters and proxy neighbours. */
#include "tests/unit/net/claims-world.h"

static void a_master_is_handed_over_and_given_back(void **state) {
  OWNER(ann, "ann");
  OWNER(bob, "bob");
  AditClaim *a = claim_master(5, 20, &ann), *b = claim_master(5, 21, &bob);
  run(0);
  assert_int_equal(master_of(5), 20);
  assert_int_equal(bob.state, ADIT_CLAIM_WAITING);

  /* An administrator takes it out, or puts it elsewhere. */
  AditObjectKey key = adit_object_key_master(5);
  g_hash_table_remove(kernel.have, &key);
  event((AditKernelEvent){.kind = ADIT_KERNEL_LINK, .ifindex = 5, .up = TRUE, .mtu = 1400});
  run(1000);
  assert_int_equal(master_of(5), 20);
  guint changes = kernel.started[ADIT_CHANGE_ENSURE];
  event((AditKernelEvent){.kind = ADIT_KERNEL_LINK, .ifindex = 5, .up = FALSE, .mtu = 1400, .master = 20}); /* it stays in it */
  run(1000);
  assert_int_equal(kernel.started[ADIT_CHANGE_ENSURE], changes);

  adit_claims_release(a);
  run(0);
  assert_int_equal(master_of(5), 21);
  assert_int_equal(bob.state, ADIT_CLAIM_INSTALLED);
  adit_claims_release(b);
  run(0);
  assert_int_equal(g_hash_table_size(kernel.have), 0);
  assert_int_equal(adit_claims_count(kernel.claims), 0);
}

static void a_master_that_is_refused_is_left(void **state) {
  OWNER(ann, "ann");
  OWNER(bob, "bob");
  AditClaim *a = claim_master(5, 20, &ann), *b = claim_master(5, 21, &bob);
  run(0);
  kernel.refuse = EINVAL; /* no port for that one */
  adit_claims_release(a);
  run(0);
  assert_int_equal(master_of(5), 0);
  assert_int_equal(bob.state, ADIT_CLAIM_REFUSED);
  kernel.refuse = 0;
  run(60000);
  assert_int_equal(master_of(5), 21);
  adit_claims_release(b);
  run(0);
  assert_int_equal(g_hash_table_size(kernel.have), 0);
}

static guint count_ensures(void) {
  return kernel.started[ADIT_CHANGE_ENSURE];
}

static void a_bridge_is_found_by_its_name(void **state) {
  static const AditBridgePortWish wish = {.set = ADIT_BRIDGE_PORT_ISOLATED, .isolated = TRUE};
  OWNER(ann, "ann");
  kernel.refuse = ENODEV; /* there is none */
  AditClaim *a = claim_bridge(5, &wish, &ann);
  run(0);
  assert_int_equal(ann.state, ADIT_CLAIM_REFUSED);
  kernel.refuse = 0;
  kernel.bridge = 20;
  event((AditKernelEvent){.kind = ADIT_KERNEL_CHANGED}); /* it is made: not only when the next attempt is due */
  run(200);
  assert_int_equal(master_of(5), 20);
  assert_int_equal(ann.state, ADIT_CLAIM_INSTALLED);

  kernel.bridge = 21; /* deleted and made again */
  event((AditKernelEvent){.kind = ADIT_KERNEL_LINK, .ifindex = 5, .up = TRUE, .mtu = 1400});
  run(1000);
  assert_int_equal(master_of(5), 21);
  adit_claims_release(a);
  run(0);
  assert_int_equal(g_hash_table_size(kernel.have), 0);
  kernel.bridge = 0;
}

static void only_attributes_that_are_wanted_are_looked_at(void **state) {
  static const AditBridgePortWish wish = {.set = ADIT_BRIDGE_PORT_ISOLATED | ADIT_BRIDGE_PORT_PVID, .isolated = TRUE, .pvid = 20};
  AditKernelEvent now = {.kind = ADIT_KERNEL_LINK, .ifindex = 5, .up = TRUE, .mtu = 1400, .master = 20};
  OWNER(ann, "ann");
  kernel.bridge = 20;
  AditClaim *a = claim_bridge(5, &wish, &ann);
  run(0);
  guint changes = count_ensures();
  now.port = (AditBridgePort){.set = ADIT_BRIDGE_PORT_ISOLATED | ADIT_BRIDGE_PORT_COST, .isolated = TRUE, .cost = 7};
  event(now); /* the VLAN is not known, and the cost is the administrator's */
  run(1000);
  assert_int_equal(count_ensures(), changes);
  now.port.isolated = FALSE;
  event(now);
  run(1000);
  assert_int_equal(count_ensures(), changes + 1);
  now.port.isolated = TRUE;
  now.port.set |= ADIT_BRIDGE_PORT_PVID; /* it has none */
  event(now);
  run(1000);
  assert_int_equal(count_ensures(), changes + 2);
  adit_claims_release(a);
  run(0);
  kernel.bridge = 0;
}

static void a_proxy_neighbour_is_everybodys_who_claims_it(void **state) {
  static const char *const addresses[] = {"10.0.0.9/32", "2001:db8::9/128"};
  for (guint i = 0; i < G_N_ELEMENTS(addresses); i++) {
    OWNER(ann, "ann");
    OWNER(bob, "bob");
    AditClaim *a = claim_neighbour(addresses[i], 2, &ann), *b = claim_neighbour(addresses[i], 2, &bob),
              *c = claim_neighbour(addresses[i], 3, &bob);
    guint changes = kernel.started[ADIT_CHANGE_ENSURE];
    run(0);
    assert_true(has_neighbour(addresses[i], 2) && has_neighbour(addresses[i], 3));
    assert_int_equal(ann.state, ADIT_CLAIM_INSTALLED);
    assert_int_equal(bob.state, ADIT_CLAIM_INSTALLED);
    assert_int_equal(kernel.started[ADIT_CHANGE_ENSURE], changes);

    /* The kernel does not report that somebody deletes it; what a link that goes down takes with it is back at once when it is up. */
    g_hash_table_remove_all(kernel.have);
    run(2000);
    assert_true(has_neighbour(addresses[i], 2) && has_neighbour(addresses[i], 3));
    g_hash_table_remove_all(kernel.have);
    event((AditKernelEvent){.kind = ADIT_KERNEL_LINK_DIPPED, .ifindex = 2});
    event((AditKernelEvent){.kind = ADIT_KERNEL_LINK, .ifindex = 2, .up = TRUE});
    run(150);
    assert_true(has_neighbour(addresses[i], 2));

    adit_claims_release(a);
    run(0);
    assert_true(has_neighbour(addresses[i], 2)); /* for bob */
    adit_claims_release(b);
    adit_claims_release(c);
    run(0);
    assert_int_equal(g_hash_table_size(kernel.have), 0);
    assert_int_equal(adit_claims_count(kernel.claims), 0);
  }
}

/* Interfaces that are nobody's sessions': a LAN whose card is pulled out. */
static void a_neighbour_is_refused_when_its_interface_is_gone(void **state) {
  OWNER(ann, "ann");
  AditClaim *a = claim_neighbour("10.0.0.9/32", 2, &ann);
  run(0);
  event((AditKernelEvent){.kind = ADIT_KERNEL_LINK_GONE, .ifindex = 2});
  run(0);
  assert_int_equal(ann.state, ADIT_CLAIM_REFUSED);
  assert_string_equal(ann.why, "the interface was deleted");
  adit_claims_release(a);
  assert_int_equal(adit_claims_count(kernel.claims), 0);
}

static void looks_at_neighbours_are_bounded(void **state) {
  enum { N = 10000 };
  OWNER(many, NULL);
  g_autofree AditClaim **claims = g_new(AditClaim *, N);
  for (guint i = 0; i < N; i++) {
    g_autofree char *address = g_strdup_printf("10.0.%u.%u/32", i >> 8, i & 255);
    claims[i] = claim_neighbour(address, 2, &many);
  }
  run(0);
  g_hash_table_remove_all(kernel.have);
  guint before = kernel.started[ADIT_CHANGE_ENSURE];
  run(2100);
  assert_in_range(kernel.started[ADIT_CHANGE_ENSURE] - before, 1, ADIT_CLAIMS_BUDGET);
  run(90000);
  assert_int_equal(g_hash_table_size(kernel.have), N);
  for (guint i = 0; i < N; i++)
    adit_claims_release(claims[i]);
}

static void show_names_masters_and_neighbours(void **state) {
  OWNER(ann, "ann");
  AditClaim *m = claim_master(5, 99, &ann), *n = claim_neighbour("2001:db8::9/128", 1, &ann);
  run(0);
  g_autoptr(AditValue) list = adit_claims_describe(kernel.claims);
  assert_string_equal(adit_value_get_string(adit_value_at(list, 0), "object", ""), "master interface 99");
  const AditValue *neighbour = adit_value_at(list, 1);
  assert_string_equal(adit_value_get_string(neighbour, "object", ""), "proxy neighbour 2001:db8::9");
  assert_string_equal(adit_value_get_string(neighbour, "interface", ""), "lo");
  assert_string_equal(adit_value_get_string(neighbour, "state", ""), "installed");
  adit_claims_release(m);
  adit_claims_release(n);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
  const struct CMUnitTest tests[] = {
      T(a_master_is_handed_over_and_given_back),
      T(a_master_that_is_refused_is_left),
      T(a_bridge_is_found_by_its_name),
      T(only_attributes_that_are_wanted_are_looked_at),
      T(a_proxy_neighbour_is_everybodys_who_claims_it),
      T(a_neighbour_is_refused_when_its_interface_is_gone),
      T(looks_at_neighbours_are_bounded),
      T(show_names_masters_and_neighbours),
  };
  return cmocka_run_group_tests_name("claims-ports", tests, NULL, NULL);
}
