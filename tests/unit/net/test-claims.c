/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The engine of claims. */
#include "tests/unit/net/claims-world.h"

static void a_route_is_handed_over_by_one_change(void **state) {
  OWNER(ann, "ann");
  OWNER(bob, "bob");
  AditClaim *a = claim_route("172.20.0.0/16", 5, &ann), *b = claim_route("172.20.0.0/16", 6, &bob);
  run(0);
  assert_int_equal(route_at("172.20.0.0/16"), 5);
  assert_int_equal(ann.state, ADIT_CLAIM_INSTALLED);
  assert_int_equal(bob.state, ADIT_CLAIM_WAITING);
  const char *why;
  adit_claims_state(b, &why);
  assert_string_equal(why, "ann");

  adit_claims_release(a);
  run(0);
  assert_int_equal(route_at("172.20.0.0/16"), 6);
  assert_int_equal(bob.state, ADIT_CLAIM_INSTALLED);
  assert_int_equal(kernel.started[ADIT_CHANGE_REPLACE], 1);
  assert_int_equal(kernel.started[ADIT_CHANGE_REMOVE], 0);
  adit_claims_release(b);
  run(0);
  assert_int_equal(route_at("172.20.0.0/16"), 0);
  assert_int_equal(adit_claims_count(kernel.claims), 0);
}

/* One that waits and leaves takes nothing with it. */
static void a_claim_gives_back_only_its_own(void **state) {
  OWNER(ann, "ann");
  OWNER(bob, "bob");
  AditClaim *a = claim_route("172.20.0.0/16", 5, &ann), *b = claim_route("172.20.0.0/16", 6, &bob);
  run(0);
  adit_claims_release(b);
  run(0);
  assert_int_equal(route_at("172.20.0.0/16"), 5);
  assert_int_equal(kernel.started[ADIT_CHANGE_ENSURE], 1);
  adit_claims_release(a);
}

/* The ghost of a session that the peer has lost must not keep the route from its successor. */
static void a_redial_takes_the_route_of_its_ghost(void **state) {
  OWNER(ghost, "site");
  OWNER(redial, "site");
  AditClaim *a = claim_route("172.20.0.0/16", 5, &ghost), *b = claim_route("172.20.0.0/16", 6, &redial);
  run(0);
  assert_int_equal(route_at("172.20.0.0/16"), 6);
  assert_int_equal(ghost.state, ADIT_CLAIM_WAITING);
  assert_int_equal(redial.state, ADIT_CLAIM_INSTALLED);
  adit_claims_release(a); /* it times out */
  run(0);
  assert_int_equal(route_at("172.20.0.0/16"), 6);
  adit_claims_release(b);
}

static void an_address_is_everybodys_who_claims_it(void **state) {
  OWNER(ann, "ann");
  OWNER(bob, "bob");
  AditClaim *a = claim_address("10.0.0.1/32", NULL, 5, &ann), *b = claim_address("10.0.0.1/32", NULL, 5, &bob);
  run(0);
  assert_int_equal(ann.state, ADIT_CLAIM_INSTALLED);
  assert_int_equal(bob.state, ADIT_CLAIM_INSTALLED);
  assert_int_equal(kernel.started[ADIT_CHANGE_ENSURE], 1);
  adit_claims_release(a);
  run(0);
  assert_int_equal(g_hash_table_size(kernel.have), 1);
  assert_int_equal(bob.told, 1);
  adit_claims_release(b);
  run(0);
  assert_int_equal(g_hash_table_size(kernel.have), 0);
}

static void an_administrators_route_is_waited_for(void **state) {
  OWNER(ann, "ann");
  AditObjectKey key = route_key("172.20.0.0/16");
  g_hash_table_insert(kernel.foreign, g_memdup2(&key, sizeof key), g_new0(AditObjectValue, 1));
  AditClaim *a = claim_route("172.20.0.0/16", 5, &ann);
  run(0);
  assert_int_equal(ann.state, ADIT_CLAIM_BLOCKED);
  assert_non_null(strstr(ann.why, "proto static"));
  g_hash_table_remove(kernel.foreign, &key);
  route_event(ADIT_KERNEL_ROUTE_GONE, "172.20.0.0/16", 2, 4);
  run(1000);
  assert_int_equal(ann.state, ADIT_CLAIM_INSTALLED);
  assert_int_equal(route_at("172.20.0.0/16"), 5);

  /* `ip route replace`: the administrator's wins; and it may go without a word, with its interface. */
  g_hash_table_remove(kernel.have, &key);
  g_hash_table_insert(kernel.foreign, g_memdup2(&key, sizeof key), g_new0(AditObjectValue, 1));
  route_event(ADIT_KERNEL_ROUTE_NEW, "172.20.0.0/16", 2, 4);
  run(1000);
  assert_int_equal(ann.state, ADIT_CLAIM_BLOCKED);
  g_hash_table_remove(kernel.foreign, &key);
  run(20000);
  assert_int_equal(ann.state, ADIT_CLAIM_INSTALLED);
  adit_claims_release(a);
}

static void what_the_kernel_refuses_is_tried_again(void **state) {
  OWNER(ann, "ann");
  kernel.refuse = ENETUNREACH;
  AditClaim *a = claim_route("172.30.4.0/24", 5, &ann);
  run(0);
  assert_int_equal(ann.state, ADIT_CLAIM_REFUSED);
  guint tries = kernel.started[ADIT_CHANGE_ENSURE];
  run(120000);
  assert_in_range(kernel.started[ADIT_CHANGE_ENSURE] - tries, 2, 12); /* now and then */
  kernel.refuse = 0;
  run(60000);
  assert_int_equal(ann.state, ADIT_CLAIM_INSTALLED);
  adit_claims_release(a);
}

/* ---- what is in doubt, or fails half way ---- */

/* What was of the one that left is gone, and nothing is left when the other one leaves, too. */
static void expect_nothing_left(AditClaim *claim, const char *to) {
  adit_claims_release(claim);
  run(60000);
  assert_int_equal(route_at(to), 0);
  assert_int_equal(g_hash_table_size(kernel.behind), 0);
  assert_int_equal(adit_claims_count(kernel.claims), 0);
}

/* Somebody deletes routes; before ours is looked at its session ends, and the interface of the next one in line has just been set down. */
static void what_was_in_doubt_goes_though_its_successor_fails(void **state) {
  static const int errors[] = {ENETDOWN, ENETUNREACH};
  for (guint i = 0; i < G_N_ELEMENTS(errors); i++) {
    OWNER(ann, "ann");
    OWNER(bob, "bob");
    AditClaim *a = claim_route("172.20.0.0/16", 5, &ann), *b = claim_route("172.20.0.0/16", 6, &bob);
    run(0);
    route_event(ADIT_KERNEL_ROUTE_GONE, "172.20.0.0/16", 5, ADIT_NET_PROTOCOL); /* and yet it is there: an older event */
    kernel.refuse = errors[i];
    adit_claims_release(a);
    run(0);
    assert_int_equal(route_at("172.20.0.0/16"), 0);
    kernel.refuse = 0;
    expect_nothing_left(b, "172.20.0.0/16");
  }
}

static void what_cannot_be_ensured_again_is_not_left(void **state) {
  OWNER(ann, "ann");
  AditClaim *r = claim_route("172.20.0.0/16", 5, &ann), *a = claim_address("10.0.0.1/32", NULL, 5, &ann);
  run(0);
  kernel.refuse = ENOBUFS;
  event((AditKernelEvent){.kind = ADIT_KERNEL_OVERRUN});
  run(500);
  assert_int_equal(g_hash_table_size(kernel.have), 0); /* refused, and not there */
  guint tries = kernel.started[ADIT_CHANGE_ENSURE];
  run(1000);
  assert_int_equal(kernel.started[ADIT_CHANGE_ENSURE], tries); /* later */
  kernel.refuse = 0;
  run(30000);
  assert_int_equal(g_hash_table_size(kernel.have), 2);
  adit_claims_release(a);
  expect_nothing_left(r, "172.20.0.0/16");
  assert_int_equal(g_hash_table_size(kernel.have), 0);
}

static void a_successor_without_an_interface_keeps_nothing(void **state) {
  static const AditKernelEventKind kinds[] = {ADIT_KERNEL_LINK, ADIT_KERNEL_LINK_GONE};
  for (guint i = 0; i < G_N_ELEMENTS(kinds); i++) {
    OWNER(ann, "ann");
    OWNER(bob, "bob");
    AditClaim *l = claim_link(6, &bob), *a = claim_route("172.20.0.0/16", 5, &ann), *b = claim_route("172.20.0.0/16", 6, &bob);
    run(0);
    event((AditKernelEvent){.kind = kinds[i], .ifindex = 6, .mtu = 1400});
    adit_claims_release(a);
    run(0);
    assert_int_equal(route_at("172.20.0.0/16"), 0); /* what led to ann leads nowhere */
    adit_claims_release(l);
    expect_nothing_left(b, "172.20.0.0/16");
  }
}

static void a_successor_is_not_installed_before_it_is(void **state) {
  OWNER(ann, "ann");
  OWNER(bob, "bob");
  OWNER(redial, "bob");
  AditClaim *a = claim_route("172.20.0.0/16", 5, &ann), *b = claim_route("172.20.0.0/16", 6, &bob);
  run(0);
  adit_claims_release(a);
  assert_int_equal(adit_claims_state(b, NULL), ADIT_CLAIM_PENDING);
  run(0);
  AditClaim *r = claim_route("172.20.0.0/16", 7, &redial);
  assert_int_equal(redial.state, ADIT_CLAIM_PENDING);
  run(0);
  assert_int_equal(redial.state, ADIT_CLAIM_INSTALLED);
  adit_claims_release(b);
  adit_claims_release(r);
  assert_int_equal(kernel.jobs.length, 1);
  AditClaim *again = claim_route("172.20.0.0/16", 7, &redial); /* its removal is under way */
  assert_int_equal(redial.state, ADIT_CLAIM_PENDING);
  run(0);
  assert_int_equal(redial.state, ADIT_CLAIM_INSTALLED);
  expect_nothing_left(again, "172.20.0.0/16");
}

static void a_removal_that_fails_is_tried_again(void **state) {
  OWNER(ann, "ann");
  OWNER(bob, "bob");
  AditClaim *a = claim_route("172.20.0.0/16", 5, &ann);
  run(0);
  kernel.keep = ENOMEM;
  adit_claims_release(a);
  run(120000);
  assert_in_range(kernel.started[ADIT_CHANGE_REMOVE], 3, 12); /* now and then */
  AditClaim *b = claim_route("172.20.0.0/16", 6, &bob);
  run(0);
  assert_int_equal(route_at("172.20.0.0/16"), 5);
  assert_int_equal(bob.state, ADIT_CLAIM_REFUSED);
  kernel.keep = 0;
  run(60000);
  assert_int_equal(route_at("172.20.0.0/16"), 6);
  assert_int_equal(bob.state, ADIT_CLAIM_INSTALLED);
  expect_nothing_left(b, "172.20.0.0/16");
}

/* A request socket that overran, or a kernel that was busy for too long: nobody knows what it has done. */
static void an_answer_that_is_lost_leaves_nothing(void **state) {
  for (Answer lost = ANSWER_LOST_BEFORE; lost <= ANSWER_LOST_AFTER; lost++)
    for (guint k = 0; k < 4; k++) {
      OWNER(ann, "ann");
      OWNER(bob, "bob");
      OWNER(carl, "carl");
      AditClaim *a = claim_route("172.20.0.0/16", 5, &ann), *b = claim_route("172.20.0.0/16", 6, &bob), *c = NULL;
      kernel.answer = k == 0 ? lost : ANSWER_COMES; /* the first one's */
      run(0);
      kernel.answer = k == 1 ? lost : ANSWER_COMES; /* that of a hand-over */
      adit_claims_release(a);
      run(0);
      if (k == 2) { /* of a hand-over that is undone at once */
        kernel.answer = lost;
        c = claim_route("172.20.0.0/16", 5, &carl);
        adit_claims_release(b);
        run(0);
        b = claim_route("172.20.0.0/16", 6, &bob);
        kernel.answer = ANSWER_COMES;
        adit_claims_release(c);
      }
      kernel.answer = ANSWER_COMES;
      run(3000);
      assert_int_equal(bob.state, ADIT_CLAIM_INSTALLED);
      assert_int_equal(route_at("172.20.0.0/16"), 6);
      assert_int_equal(g_hash_table_size(kernel.behind), 0);
      kernel.answer = k == 3 ? lost : ANSWER_COMES; /* of a removal */
      adit_claims_release(b);
      run(0);
      kernel.answer = ANSWER_COMES;
      run(60000);
      assert_int_equal(route_at("172.20.0.0/16"), 0);
      assert_int_equal(adit_claims_count(kernel.claims), 0);
    }
}

static void down_and_up_brings_everything_back(void **state) {
  OWNER(ann, "ann");
  AditClaim *l = claim_link(5, &ann), *a = claim_address("10.0.0.1/32", "10.0.0.9", 5, &ann), *r = claim_route("172.20.0.0/16", 5, &ann);
  run(0);
  g_hash_table_remove_all(kernel.have);
  event((AditKernelEvent){.kind = ADIT_KERNEL_LINK, .ifindex = 5, .up = FALSE, .mtu = 1400});
  run(1000);
  assert_int_equal(g_hash_table_size(kernel.have), 3); /* the interface is set up again, and so is the rest */
  assert_int_equal(route_at("172.20.0.0/16"), 5);
  assert_true(adit_claims_quiet(kernel.claims));
  adit_claims_release(r);
  adit_claims_release(a);
  adit_claims_release(l);
}

/* Two MTUs in a row: the kernel reports the first one when the second is on its way. Nothing else is looked at again for that. */
static void an_mtu_that_we_set_disturbs_nothing(void **state) {
  OWNER(ann, "ann");
  AditClaim *l = claim_link(5, &ann), *r = claim_route("172.20.0.0/16", 5, &ann);
  AditKernelEvent first = {.kind = ADIT_KERNEL_LINK, .ifindex = 5, .up = TRUE, .mtu = 1600}, second = first;
  second.mtu = 1596;
  run(0);
  g_hash_table_remove_all(kernel.have); /* so that a look is seen */
  adit_claims_set_mtu(l, first.mtu);
  adit_claims_set_mtu(l, second.mtu);
  event(first);
  run(0);
  event(second);
  run(1000);
  assert_int_equal(route_at("172.20.0.0/16"), 0);
  event(first); /* another program's */
  run(1000);
  assert_int_equal(route_at("172.20.0.0/16"), 5);
  adit_claims_release(r);
  adit_claims_release(l);
}

/* The kernel also reports addresses that we removed; one session of tens of thousands must not make all be examined again. */
static void an_address_that_we_remove_disturbs_nothing(void **state) {
  OWNER(ann, "ann");
  AditClaim *l = claim_link(5, &ann), *a = claim_address("fe80::1/128", NULL, 5, &ann), *b = claim_address("fe80::2/128", NULL, 5, &ann);
  AditNetAddress first = {.ifindex = 5, .local = prefix("fe80::1/128")}, second = {.ifindex = 5, .local = prefix("fe80::2/128")};
  run(0);
  guint changes = kernel.started[ADIT_CHANGE_ENSURE];
  adit_claims_release(a);
  event((AditKernelEvent){.kind = ADIT_KERNEL_ADDRESS_GONE, .ifindex = 5, .key = adit_object_key_address(&first)}); /* before its answer */
  run(1000);
  event((AditKernelEvent){.kind = ADIT_KERNEL_ADDRESS_GONE, .ifindex = 5, .key = adit_object_key_address(&first)}); /* and behind it */
  run(1000);
  assert_int_equal(kernel.started[ADIT_CHANGE_ENSURE], changes);
  g_hash_table_remove_all(kernel.have);
  event((AditKernelEvent){.kind = ADIT_KERNEL_ADDRESS_GONE, .ifindex = 5, .key = adit_object_key_address(&second)});
  run(1000);
  assert_int_equal(g_hash_table_size(kernel.have), 1);
  adit_claims_release(b);
  adit_claims_release(l);
}

static void who_fights_us_is_answered_ever_less_often(void **state) {
  OWNER(ann, "ann");
  AditClaim *l = claim_link(5, &ann), *r = claim_route("172.20.0.0/16", 5, &ann);
  run(0);
  guint before = kernel.started[ADIT_CHANGE_ENSURE];
  for (guint i = 0; i < 6000; i++) { /* ten minutes */
    if (route_at("172.20.0.0/16")) {
      AditObjectKey key = route_key("172.20.0.0/16");
      g_hash_table_remove(kernel.have, &key);
      route_event(ADIT_KERNEL_ROUTE_GONE, "172.20.0.0/16", 5, ADIT_NET_PROTOCOL);
    }
    run(100);
  }
  guint fights = kernel.started[ADIT_CHANGE_ENSURE] - before;
  print_message("a route that is deleted whenever it is there: restored %u times in 10 minutes\n", fights);
  assert_in_range(fights, 8, 120); /* and not 6000 times */
  run(60000);
  assert_int_equal(route_at("172.20.0.0/16"), 5);
  adit_claims_release(r);
  adit_claims_release(l);
}

static void a_flush_of_fifty_thousand_is_bounded_work(void **state) {
  enum { N = 50000 };
  OWNER(many, NULL);
  g_autofree AditClaim **claims = g_new(AditClaim *, N);
  AditClaim *l = claim_link(5, &many);
  for (guint i = 0; i < N; i++) {
    g_autofree char *to = g_strdup_printf("10.%u.%u.%u/32", i >> 16, i >> 8 & 255, i & 255);
    claims[i] = claim_route(to, 5, &many);
  }
  run(0);
  assert_int_equal(g_hash_table_size(kernel.have), N);
  g_hash_table_remove_all(kernel.have);
  kernel.most = 0;
  for (guint i = 0; i < N; i++) {
    g_autofree char *to = g_strdup_printf("10.%u.%u.%u/32", i >> 16, i >> 8 & 255, i & 255);
    route_event(ADIT_KERNEL_ROUTE_GONE, to, 5, ADIT_NET_PROTOCOL);
  }
  guint passes = 0, most = 0;
  while (g_hash_table_size(kernel.have) < N && passes < 10000) {
    guint before = kernel.started[ADIT_CHANGE_ENSURE];
    kernel.now += 100;
    adit_claims_run(kernel.claims);
    most = MAX(most, kernel.started[ADIT_CHANGE_ENSURE] - before);
    for (Job *job; (job = g_queue_pop_head(&kernel.jobs)); g_free(job))
      carry_out(job);
    passes++;
  }
  print_message("%u flushed routes: %u passes, at most %u changes in one and %u under way\n", N, passes, most, kernel.most);
  assert_int_equal(g_hash_table_size(kernel.have), N);
  assert_in_range(most, 1, ADIT_CLAIMS_BUDGET);
  assert_in_range(kernel.most, 1, ADIT_CLAIMS_FLIGHT);
  for (guint i = 0; i < N; i++)
    adit_claims_release(claims[i]);
  adit_claims_release(l);
}

static void an_interface_that_is_gone_is_lost(void **state) {
  OWNER(ann, "ann");
  OWNER(bob, "bob");
  AditClaim *l = claim_link(5, &ann), *r = claim_route("172.20.0.0/16", 5, &bob);
  run(0);
  event((AditKernelEvent){.kind = ADIT_KERNEL_LINK_GONE, .ifindex = 5, .moved = TRUE});
  run(0);
  assert_int_equal(ann.state, ADIT_CLAIM_LOST);
  assert_non_null(strstr(ann.why, "another network namespace"));
  guint changes = kernel.started[ADIT_CHANGE_REMOVE];
  adit_claims_release(r);
  adit_claims_release(l);
  run(0);
  assert_int_equal(kernel.started[ADIT_CHANGE_REMOVE], changes); /* nothing is left to be removed */
}

static void after_an_overrun_everything_is_looked_at(void **state) {
  OWNER(ann, "ann");
  AditClaim *l = claim_link(5, &ann), *r = claim_route("172.20.0.0/16", 5, &ann), *a = claim_address("10.0.0.1/32", NULL, 5, &ann);
  run(0);
  g_hash_table_remove_all(kernel.have);
  event((AditKernelEvent){.kind = ADIT_KERNEL_OVERRUN});
  run(1000);
  assert_int_equal(g_hash_table_size(kernel.have), 2);
  adit_claims_release(r);
  adit_claims_release(a);
  adit_claims_release(l);
}

/* ---- seeds ---- */

enum { STEPS = 2000, SLOTS = 36, PREFIXES = 6 };

static void expect_kernel(const AditObjectKey *key, const AditObjectValue *value, gpointer n) {
  if (key->kind == ADIT_OBJECT_LINK)
    return; /* its owner's to make */
  const AditObjectValue *have = g_hash_table_lookup(kernel.have, key);
  char text[ADIT_OBJECT_TEXT];
  ++*(guint *)n;
  if (!have || have->ifindex != value->ifindex || have->master != value->master)
    fail_msg("%s is not in the kernel", adit_object_format(key, value, text));
}

static const char *neighbour_text(guint i) {
  static const char *const addresses[] = {"10.0.0.9/32", "2001:db8::9/128", "10.0.0.10/32"};
  return addresses[i % 3];
}

/* A route, a master or a proxy neighbour, by its number. */
static AditClaim *claim_something(guint i, Owner *owner) {
  g_autofree char *to = g_strdup_printf("172.%u.0.0/16", 16 + i % PREFIXES);
  if (i % 4 == 2)
    return claim_master(5 + i % 3, 20 + i % 2, owner);
  if (i % 4 == 3)
    return claim_neighbour(neighbour_text(i), 2 + i % 4, owner);
  return claim_route(to, 5 + i % 3, owner);
}

static void disturb(GRand *rand, const char *to, guint i) {
  AditObjectKey key = route_key(to);
  switch (g_rand_int_range(rand, 0, 10)) {
  case 0:
    if (g_hash_table_remove(kernel.have, &key))
      route_event(ADIT_KERNEL_ROUTE_GONE, to, 5, ADIT_NET_PROTOCOL);
    break;
  case 1:
    g_hash_table_remove(kernel.have, &key);
    g_hash_table_insert(kernel.foreign, g_memdup2(&key, sizeof key), g_new0(AditObjectValue, 1));
    route_event(ADIT_KERNEL_ROUTE_NEW, to, 2, 4);
    break;
  case 2:
    if (g_hash_table_remove(kernel.foreign, &key))
      route_event(ADIT_KERNEL_ROUTE_GONE, to, 2, 4);
    break;
  case 3:
    g_hash_table_remove_all(kernel.have);
    g_hash_table_remove_all(kernel.behind);
    event((AditKernelEvent){.kind = ADIT_KERNEL_OVERRUN});
    break;
  case 4:
    event((AditKernelEvent){.kind = ADIT_KERNEL_OVERRUN}); /* for nothing */
    break;
  case 5:
    kernel.refuse = kernel.refuse ? 0 : g_rand_boolean(rand) ? ENETDOWN : ENETUNREACH;
    break;
  case 6:
    kernel.keep = kernel.keep ? 0 : ENOMEM;
    break;
  case 7: /* without a word */
    key = neighbour_key(neighbour_text(i), 2 + i % 4);
    g_hash_table_remove(kernel.have, &key);
    break;
  case 8:
    key = adit_object_key_master(5 + i % 3);
    g_hash_table_remove(kernel.have, &key);
    event((AditKernelEvent){.kind = ADIT_KERNEL_LINK, .ifindex = 5 + i % 3, .up = TRUE, .mtu = 1400});
    break;
  case 9:
    kernel.answer = kernel.answer ? ANSWER_COMES : (Answer)g_rand_int_range(rand, ANSWER_LOST_BEFORE, ANSWER_LOST_AFTER + 1);
    break;
  }
}

static void the_table_equals_the_claims_after_any_story(void **state) {
  static const char *const parties[5] = {"a", "b", "c", "d", NULL};
  OWNER(link, NULL);
  for (guint32 seed = 1; seed <= 20; seed++) {
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
    AditClaim *slot[SLOTS] = {NULL}, *links[3] = {claim_link(5, &link), claim_link(6, &link), claim_link(7, &link)};
    static Owner owner[SLOTS];
    for (guint step = 0; step < STEPS; step++) {
      guint i = (guint)g_rand_int_range(rand, 0, SLOTS);
      g_autofree char *to = g_strdup_printf("172.%u.0.0/16", 16 + i % PREFIXES);
      if (g_rand_int_range(rand, 0, 8) == 0) {
        disturb(rand, to, i);
      } else if (slot[i]) {
        adit_claims_release(g_steal_pointer(&slot[i]));
      } else {
        owner[i] = (Owner){
            .head = {.size = sizeof owner[i].head, .who = "somebody", .party = parties[i % 5], .changed = on_changed, .user = &owner[i]}};
        slot[i] = claim_something(i, &owner[i]);
      }
      if (g_rand_int_range(rand, 0, 3) == 0)
        run((guint64)g_rand_int_range(rand, 0, 50));
      if (step % 200 == 199) {
        guint n = 0;
        kernel.refuse = kernel.keep = 0;
        kernel.answer = ANSWER_COMES;
        run(120000);
        if (!adit_claims_quiet(kernel.claims))
          fail_msg("seed %u step %u: not quiet", seed, step);
        adit_claims_foreach(kernel.claims, expect_kernel, &n);
        if (n != g_hash_table_size(kernel.have) || g_hash_table_size(kernel.behind))
          fail_msg("seed %u step %u: %u claimed, %u there and %u behind", seed, step, n, g_hash_table_size(kernel.have),
                   g_hash_table_size(kernel.behind));
      }
    }
    for (guint i = 0; i < SLOTS; i++)
      adit_claims_release(slot[i]);
    for (guint i = 0; i < 3; i++)
      adit_claims_release(links[i]);
    run(120000);
    assert_int_equal(adit_claims_count(kernel.claims), 0);
    g_hash_table_remove_all(kernel.foreign);
  }
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
  const struct CMUnitTest tests[] = {
      T(a_route_is_handed_over_by_one_change),
      T(a_claim_gives_back_only_its_own),
      T(a_redial_takes_the_route_of_its_ghost),
      T(an_address_is_everybodys_who_claims_it),
      T(an_administrators_route_is_waited_for),
      T(what_the_kernel_refuses_is_tried_again),
      T(down_and_up_brings_everything_back),
      T(an_mtu_that_we_set_disturbs_nothing),
      T(an_address_that_we_remove_disturbs_nothing),
      T(who_fights_us_is_answered_ever_less_often),
      T(a_flush_of_fifty_thousand_is_bounded_work),
      T(what_was_in_doubt_goes_though_its_successor_fails),
      T(what_cannot_be_ensured_again_is_not_left),
      T(a_successor_without_an_interface_keeps_nothing),
      T(a_successor_is_not_installed_before_it_is),
      T(a_removal_that_fails_is_tried_again),
      T(an_answer_that_is_lost_leaves_nothing),
      T(an_interface_that_is_gone_is_lost),
      T(after_an_overrun_everything_is_looked_at),
      T(the_table_equals_the_claims_after_any_story),
  };
  return cmocka_run_group_tests_name("claims", tests, NULL, NULL);
}
