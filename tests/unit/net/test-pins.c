/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* No tunnel is routed into itself. */
#include "tests/unit/net/claims-world.h"

#define END(text) prefix(text).address

static void a_route_over_its_own_tunnels_end_pins_the_way(void **state) {
  AditAddress end = END("198.51.100.2");
  OWNER(site, "site", .endpoint = end);
  adit_claims_guard(kernel.claims, &end);
  AditClaim *r = claim_route("198.51.100.0/24", 5, &site);
  assert_int_equal(site.state, ADIT_CLAIM_PENDING);
  run(0);
  assert_int_equal(site.state, ADIT_CLAIM_INSTALLED);
  assert_int_equal(route_at("198.51.100.2/32"), 2);
  assert_int_equal(route_at("198.51.100.0/24"), 5);

  /* The way changes, and is lost: nothing of the tunnel may get into it. */
  kernel.way.ifindex = 3;
  event((AditKernelEvent){.kind = ADIT_KERNEL_CHANGED});
  run(2000);
  assert_int_equal(route_at("198.51.100.2/32"), 3);
  kernel.no_way = ENETUNREACH;
  event((AditKernelEvent){.kind = ADIT_KERNEL_CHANGED});
  run(2000);
  AditObjectKey key = route_key("198.51.100.2/32");
  assert_non_null(g_hash_table_lookup(kernel.have, &key)); /* unreachable */
  assert_int_equal(route_at("198.51.100.2/32"), 0);
  kernel.no_way = 0;
  event((AditKernelEvent){.kind = ADIT_KERNEL_CHANGED});
  run(2000);
  assert_int_equal(route_at("198.51.100.2/32"), 3);

  adit_claims_release(r);
  run(0);
  assert_int_equal(g_hash_table_size(kernel.have), 0); /* the pin goes with what it was for */
  adit_claims_unguard(kernel.claims, &end);
}

static void a_tunnel_that_comes_later_is_pinned_too(void **state) {
  AditAddress end = END("203.0.113.9");
  OWNER(up, "up");
  AditClaim *a = claim_route("128.0.0.0/1", 5, &up);
  run(0);
  adit_claims_guard(kernel.claims, &end);
  adit_claims_guard(kernel.claims, &end); /* two tunnels to one server */
  run(0);
  assert_int_equal(route_at("203.0.113.9/32"), 2);
  adit_claims_unguard(kernel.claims, &end);
  run(0);
  assert_int_equal(route_at("203.0.113.9/32"), 2);
  adit_claims_unguard(kernel.claims, &end);
  run(0);
  assert_int_equal(route_at("203.0.113.9/32"), 0);
  adit_claims_release(a);
}

static void the_end_itself_is_refused(void **state) {
  AditAddress end = END("192.0.2.1"), end6 = END("2001:db8::1");
  OWNER(up, "up", .endpoint = end);
  adit_claims_guard(kernel.claims, &end);
  adit_claims_guard(kernel.claims, &end6);
  AditClaim *peer = claim_address("10.0.0.9/32", "192.0.2.1", 5, &up), *claim;
  assert_int_equal(up.state, ADIT_CLAIM_REFUSED);
  adit_claims_release(peer);
  claim = claim_address("192.0.2.1/32", NULL, 5, &up); /* it would become ours */
  assert_int_equal(up.state, ADIT_CLAIM_REFUSED);
  adit_claims_release(claim);
  OWNER(six, "six", .endpoint = end6);
  claim = claim_route("2001:db8::1/128", 5, &up); /* another tunnel's end may be inside of this one */
  assert_int_equal(up.state, ADIT_CLAIM_PENDING);
  run(100);
  adit_claims_release(claim);
  run(100);
  claim = claim_route("2001:db8::1/128", 5, &six);
  const char *why;
  assert_int_equal(adit_claims_state(claim, &why), ADIT_CLAIM_REFUSED);
  assert_non_null(strstr(why, "2001:db8::1 is the outer address of a tunnel"));
  adit_claims_release(claim);
  run(100);
  assert_int_equal(g_hash_table_size(kernel.have), 0);
  adit_claims_unguard(kernel.claims, &end);
  adit_claims_unguard(kernel.claims, &end6);
}

static void without_another_way_the_route_is_refused(void **state) {
  AditAddress end = END("198.51.100.2");
  OWNER(site, "site", .endpoint = end);
  OWNER(link, NULL);
  AditClaim *l = claim_link(5, &link);
  adit_claims_guard(kernel.claims, &end);
  kernel.no_way = ENETUNREACH;
  AditClaim *r = claim_route("198.51.100.0/24", 5, &site);
  run(0);
  assert_int_equal(site.state, ADIT_CLAIM_REFUSED);
  assert_non_null(strstr(site.why, "198.51.100.2 is the outer address of a tunnel, and there is no way to it"));
  adit_claims_release(r);
  run(0);
  kernel.no_way = 0;
  kernel.way = (AditNetRoute){.ifindex = 5}; /* that tunnel already */
  r = claim_route("198.51.100.0/24", 5, &site);
  run(0);
  assert_int_equal(site.state, ADIT_CLAIM_REFUSED);
  adit_claims_release(r);
  adit_claims_unguard(kernel.claims, &end);
  adit_claims_release(l);
}

/* A tunnel whose way is another tunnel is as it should be. */
static void a_tunnel_in_a_tunnel_is_let_in(void **state) {
  AditAddress outer = END("192.0.2.1"), inner = END("10.9.0.1");
  OWNER(first, "first", .endpoint = outer);
  OWNER(second, "second", .endpoint = inner);
  AditClaim *l = claim_link(5, &first), *r = claim_route("10.0.0.0/8", 5, &first);
  adit_claims_guard(kernel.claims, &outer);
  adit_claims_guard(kernel.claims, &inner);
  kernel.way = (AditNetRoute){.ifindex = 5};
  run(0);
  assert_int_equal(route_at("10.9.0.1/32"), 0); /* no pin */
  AditClaim *s = claim_route("172.16.0.0/12", 6, &second);
  run(0);
  assert_int_equal(second.state, ADIT_CLAIM_INSTALLED);
  adit_claims_release(s);
  adit_claims_release(r);
  adit_claims_release(l);
  adit_claims_unguard(kernel.claims, &outer);
  adit_claims_unguard(kernel.claims, &inner);
}

/* What one tunnel may have, the next one in line may not: then nobody has it. */
static void a_refused_successor_keeps_nothing(void **state) {
  AditAddress end = END("198.51.100.2");
  OWNER(ann, "ann");
  OWNER(site, "site", .endpoint = end);
  adit_claims_guard(kernel.claims, &end);
  AditClaim *a = claim_route("198.51.100.2/32", 5, &ann), *s = claim_route("198.51.100.2/32", 6, &site);
  run(0);
  assert_int_equal(route_at("198.51.100.2/32"), 5);
  adit_claims_release(a);
  run(0);
  assert_int_equal(site.state, ADIT_CLAIM_REFUSED);
  assert_int_equal(route_at("198.51.100.2/32"), 0);
  adit_claims_release(s);
  run(0);
  assert_int_equal(adit_claims_count(kernel.claims), 0);
  adit_claims_unguard(kernel.claims, &end);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
  const struct CMUnitTest tests[] = {
      T(a_route_over_its_own_tunnels_end_pins_the_way), T(a_tunnel_that_comes_later_is_pinned_too), T(the_end_itself_is_refused),
      T(without_another_way_the_route_is_refused),      T(a_tunnel_in_a_tunnel_is_let_in),          T(a_refused_successor_keeps_nothing),
  };
  return cmocka_run_group_tests_name("pins", tests, NULL, NULL);
}
