/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Pools: what is handed out, what is refused, what stays over a reload. */
#include "core/pool/pool-set.h"
#include "core/pool/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const AditPoolService *pools;

static int setup(void **state) {
  pools = adit_pool_service();
  return 0;
}

static int teardown(void **state) {
  adit_pools_fini();
  return 0;
}

/* ---- configurations ---- */

/* One pool as `name RANGE,RANGE [length=N] [next=NAME]`; line numbers count from 1 in the order of the call. */
static AditValue *config(const char *first, ...) {
  AditValue *root = adit_value_map(), *list = adit_value_list();
  va_list args;
  guint line = 1;
  va_start(args, first);
  for (const char *text = first; text; text = va_arg(args, const char *), line++) {
    AditValue *item = adit_value_map(), *ranges = adit_value_list();
    g_auto(GStrv) word = g_strsplit(text, " ", -1);
    g_auto(GStrv) range = g_strsplit(word[1], ",", -1);
    for (guint i = 0; range[i]; i++) {
      AditValue *value = adit_value_string(range[i]);
      value->where = (AditWhere){"adit.yaml", line, 10 + i};
      adit_value_append(ranges, value);
    }
    adit_value_set(item, "name", adit_value_string(word[0]));
    adit_value_set(item, "ranges", ranges);
    for (guint i = 2; word[i]; i++) {
      if (g_str_has_prefix(word[i], "length="))
        adit_value_set(item, "prefix-length", adit_value_int(atoi(word[i] + 7)));
      if (g_str_has_prefix(word[i], "next="))
        adit_value_set(item, "next-pool", adit_value_string(word[i] + 5));
    }
    adit_value_append(list, item);
  }
  va_end(args);
  adit_value_set(root, "pools", list);
  return root;
}

static void commit(AditValue *root) {
  g_autoptr(GError) error = NULL;
  AditPoolSet *set = adit_pools_prepare(root, &error);
  if (!set)
    fail_msg("%s", error->message);
  adit_pools_commit(set);
  adit_value_unref(root);
}

static void refuse(AditValue *root, const char *message) {
  g_autoptr(GError) error = NULL;
  assert_null(adit_pools_prepare(root, &error));
  assert_non_null(error);
  assert_string_equal(error->message, message);
  adit_value_unref(root);
}

/* ---- takes ---- */

static AditPrefix prefix(const char *text) {
  AditPrefix p;
  assert_true(adit_prefix_parse(text, &p));
  return p;
}

/* What is taken, as text; "" when the pool is used up. Static: good until the next call but three. */
static const char *take(const char *pool, const char *owner) {
  static char text[4][ADIT_PREFIX_TEXT];
  static guint turn;
  g_autoptr(GError) error = NULL;
  AditPrefix p;
  if (!pools->take(pool, owner, &p, &error)) {
    assert_true(g_error_matches(error, ADIT_ERROR, ADIT_ERR_BUSY));
    return "";
  }
  return adit_prefix_format(&p, text[turn++ % 4]);
}

static void give(const char *text) {
  AditPrefix p = prefix(text);
  pools->give_back(&p);
}

static gboolean reserve(const char *text) {
  AditPrefix p = prefix(text);
  return pools->reserve(&p);
}

static gint64 shown(const char *pool, const char *key) {
  g_autoptr(AditValue) list = adit_pools_describe();
  for (guint i = 0; i < adit_value_length(list); i++)
    if (g_str_equal(adit_value_get_string(adit_value_at(list, i), "name", ""), pool))
      return adit_value_get_int(adit_value_at(list, i), key, -1);
  return -1;
}

static void set_aside(const char *text) {
  g_auto(GStrv) words = g_strsplit(text, " ", -1);
  AditPrefix list[4];
  guint n = 0;
  for (; words[n] && *words[n]; n++)
    list[n] = prefix(words[n]);
  adit_pools_set_aside(list, n);
}

/* ---- tests ---- */

static void ranges_prefixes_and_single_addresses(void **state) {
  commit(config("p 10.0.0.5-10.0.0.6,10.1.0.0/30,10.2.0.9,10.3.0.0/31", NULL));
  assert_int_equal(shown("p", "total"), 2 + 2 + 1 + 2); /* a subnet's first and last address are left out */
  assert_string_equal(take("p", NULL), "10.0.0.5/32");
  assert_string_equal(take("p", NULL), "10.0.0.6/32");
  assert_string_equal(take("p", NULL), "10.1.0.1/32");
  assert_string_equal(take("p", NULL), "10.1.0.2/32");
  assert_string_equal(take("p", NULL), "10.2.0.9/32");
  assert_string_equal(take("p", NULL), "10.3.0.0/32");
  assert_string_equal(take("p", NULL), "10.3.0.1/32");
  assert_string_equal(take("p", NULL), "");
  assert_int_equal(shown("p", "used"), 7);
  give("10.1.0.2/32");
  assert_int_equal(shown("p", "used"), 6);
  assert_string_equal(take("p", NULL), "10.1.0.2/32");
}

static void ipv6_prefixes(void **state) {
  commit(config("d 2001:db8::/62", "pd 2001:db8:100::/40 length=56", "one 2001:db8:ffff::5-2001:db8:ffff::6 length=128", NULL));
  assert_string_equal(take("d", NULL), "2001:db8::/64");
  assert_string_equal(take("d", NULL), "2001:db8:0:1::/64");
  assert_string_equal(take("pd", NULL), "2001:db8:100::/56");
  assert_string_equal(take("pd", NULL), "2001:db8:100:100::/56");
  assert_string_equal(take("one", NULL), "2001:db8:ffff::5/128");
  assert_int_equal(shown("d", "total"), 4);
  assert_int_equal(shown("pd", "total"), 65536);
}

static void an_unknown_pool_is_not_found(void **state) {
  g_autoptr(GError) error = NULL;
  AditPrefix p;
  assert_false(pools->take("p", NULL, &p, &error));
  assert_true(g_error_matches(error, ADIT_ERROR, ADIT_ERR_NOT_FOUND));
  assert_false(adit_pool_exists("p"));
  commit(config("p 10.0.0.1", NULL));
  assert_true(adit_pool_exists("p"));
}

static void next_pool_takes_over_when_one_is_used_up(void **state) {
  commit(config("a 10.0.0.1 next=b", "b 10.0.1.1 next=c", "c 10.0.2.1 next=none", NULL));
  assert_string_equal(take("a", "x"), "10.0.0.1/32");
  assert_string_equal(take("a", "y"), "10.0.1.1/32");
  assert_string_equal(take("a", "z"), "10.0.2.1/32");
  assert_string_equal(take("a", "x"), "");
  give("10.0.0.1/32");
  give("10.0.1.1/32");
  /* The address of the last session takes precedence over a nearer one. */
  assert_string_equal(take("a", "y"), "10.0.1.1/32");
}

static void an_owner_gets_what_it_had(void **state) {
  commit(config("p 10.0.0.0/24", NULL));
  g_autofree char *alice = g_strdup(take("p", "alice")), *bob = g_strdup(take("p", "bob"));
  give(alice);
  give(bob);
  for (guint i = 0; i < 50; i++) {
    const char *other = take("p", "carol");
    assert_string_not_equal(other, alice);
    assert_string_not_equal(other, bob);
  }
  assert_string_equal(take("p", "bob"), bob);
  assert_string_equal(take("p", "alice"), alice);
  assert_string_not_equal(take("p", "alice"), alice); /* a second session of hers */
}

static void remembered_entries_are_the_last_to_go_to_others(void **state) {
  commit(config("p 10.0.0.1-10.0.0.3", NULL));
  take("p", "a");
  take("p", "b");
  take("p", NULL);
  give("10.0.0.2/32"); /* b's, remembered longest */
  give("10.0.0.1/32");
  give("10.0.0.3/32");
  assert_string_equal(take("p", "c"), "10.0.0.3/32");
  assert_string_equal(take("p", "d"), "10.0.0.2/32");
  assert_string_equal(take("p", "a"), "10.0.0.1/32");
  assert_string_equal(take("p", "b"), "");
}

static void an_entry_rests_before_it_is_given_to_another(void **state) {
  commit(config("p 10.0.0.0/16", NULL));
  assert_string_equal(take("p", NULL), "10.0.0.1/32");
  give("10.0.0.1/32");
  assert_string_equal(take("p", NULL), "10.0.0.2/32");
}

static void memory_of_owners_is_bounded_and_nothing_is_lost(void **state) {
  enum { N = ADIT_POOL_OWNERS + 1000 };
  commit(config("p 10.0.0.0-10.1.255.255", NULL));
  g_autofree AditPrefix *had = g_new0(AditPrefix, N);
  for (guint i = 0; i < N; i++) {
    char owner[16];
    g_snprintf(owner, sizeof owner, "u%u", i);
    assert_true(pools->take("p", owner, &had[i], NULL));
  }
  for (guint i = 0; i < N; i++)
    pools->give_back(&had[i]);
  assert_int_equal(shown("p", "used"), 0);

  AditPrefix p;
  char owner[16];
  g_snprintf(owner, sizeof owner, "u%u", N - 1);
  assert_true(pools->take("p", owner, &p, NULL));
  assert_memory_equal(&p, &had[N - 1], sizeof p);
  /* Every entry can still be had, once. */
  guint n = 1;
  while (pools->take("p", NULL, &p, NULL))
    n++;
  assert_int_equal(n, 131072);
  assert_int_equal(shown("p", "used"), 131072);
}

static void giant_pools_cost_nothing(void **state) {
  commit(config("v4 10.0.0.0/8", "v6 2001:db8::/32", "all fd00::/8 length=128", NULL));
  assert_int_equal(shown("v4", "total"), (1 << 24) - 2);
  assert_int_equal(shown("v6", "total"), 1LL << 32);
  assert_int_equal(shown("all", "total"), 1LL << 48); /* as many as are tracked */
  assert_string_equal(take("v6", NULL), "2001:db8::/64");
  assert_string_equal(take("all", NULL), "fd00::/128");
  assert_true(reserve("10.255.255.254/32"));
  assert_false(reserve("10.255.255.254/32"));
}

static void a_reserved_address_is_passed_over(void **state) {
  commit(config("p 10.0.0.1-10.0.0.3", NULL));
  assert_true(reserve("10.0.0.1/32"));
  assert_false(reserve("10.0.0.1/32"));
  assert_string_equal(take("p", NULL), "10.0.0.2/32");
  assert_false(reserve("10.0.0.2/32"));
  give("10.0.0.1/32");
  assert_true(reserve("10.0.0.1/32"));
  assert_true(reserve("192.0.2.1/32")); /* in no pool: anybody's */
  assert_true(reserve("192.0.2.1/32"));
}

static void what_is_held_is_handed_out_to_nobody(void **state) {
  AditPrefix ours = prefix("10.0.0.1/32");
  commit(config("p 10.0.0.1-10.0.0.2", NULL));
  assert_string_equal(take("p", "a"), "10.0.0.1/32"); /* before it became ours */
  pools->hold(&ours);
  pools->hold(&ours);
  give("10.0.0.1/32"); /* the peer's */
  assert_false(reserve("10.0.0.1/32"));
  assert_string_equal(take("p", "a"), "10.0.0.2/32");
  assert_string_equal(take("p", "b"), "");

  commit(config("p 10.0.0.0-10.0.0.2", NULL));
  give("10.0.0.1/32");
  assert_string_equal(take("p", "b"), "10.0.0.0/32");
  assert_string_equal(take("p", "c"), "");
  give("10.0.0.1/32");
  assert_string_equal(take("p", "c"), "10.0.0.1/32");
}

static void a_fixed_address_is_handed_out_to_nobody_else(void **state) {
  commit(config("p 10.0.0.1-10.0.0.4", NULL));
  set_aside("10.0.0.1/32 10.0.0.3/32 192.0.2.7/32"); /* one is of no pool */
  assert_int_equal(shown("p", "reserved"), 2);
  assert_string_equal(take("p", "ann"), "10.0.0.2/32");
  assert_string_equal(take("p", NULL), "10.0.0.4/32");
  assert_string_equal(take("p", NULL), "");
  assert_true(reserve("10.0.0.3/32")); /* its user, whenever it comes */
  assert_false(reserve("10.0.0.3/32"));
  give("10.0.0.3/32");
  assert_string_equal(take("p", NULL), "");

  commit(config("p 10.0.0.1-10.0.0.5", NULL)); /* over a reload that changes the pool */
  assert_string_equal(take("p", NULL), "10.0.0.5/32");
  assert_string_equal(take("p", NULL), "");
  set_aside("10.0.0.1/32"); /* and the other is for everybody again */
  assert_int_equal(shown("p", "reserved"), 1);
  assert_string_equal(take("p", NULL), "10.0.0.3/32");
  assert_string_equal(take("p", NULL), "");
}

static void an_address_that_is_lent_may_be_fixed_by_a_reload(void **state) {
  commit(config("p 10.0.0.1-10.0.0.2", NULL));
  assert_string_equal(take("p", "ann"), "10.0.0.1/32");
  set_aside("10.0.0.1/32 10.0.0.2/32");
  assert_string_equal(take("p", NULL), "");
  assert_false(reserve("10.0.0.1/32")); /* it is ann's until she goes */
  give("10.0.0.1/32");
  assert_string_equal(take("p", "ann"), ""); /* nor is she remembered */
  assert_true(reserve("10.0.0.1/32"));
  give("10.0.0.1/32");
  set_aside("");
  assert_int_equal(shown("p", "reserved"), -1);
  assert_string_not_equal(take("p", NULL), "");
}

static void special_ranges_are_in_no_pool(void **state) {
  static const struct {
    const char *range, *message;
  } cases[] = {
      {"224.0.0.0/4", "shares addresses with 224.0.0.0/4: each of these is a multicast address; leave them out"},
      {"0.0.0.0/0", "shares addresses with 0.0.0.0/8: each of these is an address of \"this network\"; leave them out"},
      {"127.0.0.0/8", "shares addresses with 127.0.0.0/8: each of these is a loopback address; leave them out"},
      {"240.0.0.0-240.0.0.9", "shares addresses with 240.0.0.0/4: each of these is a reserved address (class E); leave them out"},
      {"::/0", "shares addresses with ::/128: each of these is the unspecified address; leave them out"},
      {"fe80::/32", "shares addresses with fe80::/10: each of these is a link-local address; leave them out"},
      {"ff00::/16", "shares addresses with ff00::/8: each of these is a multicast address; leave them out"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *pool = g_strdup_printf("p %s", cases[i].range);
    g_autofree char *message = g_strdup_printf("adit.yaml:1:10: pools[0].ranges[0]: %s %s", cases[i].range, cases[i].message);
    refuse(config(pool, NULL), message);
  }
}

static void a_reservation_larger_or_smaller_than_an_entry(void **state) {
  commit(config("p 2001:db8::/56", NULL));
  assert_true(reserve("2001:db8:0:1::5/128"));
  assert_false(reserve("2001:db8:0:1::6/128"));
  assert_true(reserve("2001:db8:0:4::/62"));
  assert_int_equal(shown("p", "used"), 1 + 4);
  assert_false(reserve("2001:db8::/62"));
  assert_string_equal(take("p", NULL), "2001:db8::/64");
  assert_string_equal(take("p", NULL), "2001:db8:0:2::/64");
  assert_false(reserve("2001:db8:0:6::/64"));
  give("2001:db8:0:4::/62");
  assert_true(reserve("2001:db8:0:6::/64"));
}

static void giving_back_twice_takes_nothing_from_another(void **state) {
  commit(config("p 10.0.0.1", NULL));
  take("p", NULL);
  give("10.0.0.1/32");
  give("10.0.0.1/32");
  assert_string_equal(take("p", NULL), "10.0.0.1/32");
  give("10.0.0.0/31"); /* not what was taken */
  assert_string_equal(take("p", NULL), "");
}

/* ---- reload ---- */

static void leases_stay_over_a_reload(void **state) {
  commit(config("p 10.0.0.1-10.0.0.4", "gone 10.9.0.1-10.9.0.2", NULL));
  assert_string_equal(take("p", "a"), "10.0.0.1/32");
  assert_string_equal(take("gone", "g"), "10.9.0.1/32");
  assert_true(reserve("192.0.2.1/32"));
  assert_string_equal(take("p", "b"), "10.0.0.2/32");
  give("10.0.0.2/32");

  commit(config("q 10.0.0.0-10.0.0.255", "new 192.0.2.1-192.0.2.2", NULL));
  assert_int_equal(shown("q", "used"), 1);
  assert_false(reserve("10.0.0.1/32"));
  assert_false(reserve("10.9.0.1/32")); /* in no pool any more, but somebody's */
  assert_string_equal(take("new", NULL), "192.0.2.2/32");
  assert_string_equal(take("q", "b"), "10.0.0.2/32"); /* remembered, too */
  give("10.0.0.1/32");
  assert_true(reserve("10.0.0.1/32"));

  /* The old range is back: the lease that outlived it counts again. */
  commit(config("back 10.9.0.1-10.9.0.2", NULL));
  assert_int_equal(shown("back", "used"), 1);
  assert_string_equal(take("back", NULL), "10.9.0.2/32");
  give("10.9.0.1/32");
  assert_string_equal(take("back", NULL), "10.9.0.1/32");
}

static void an_unchanged_pool_is_taken_over_whole(void **state) {
  commit(config("p 10.0.0.0/24", "q 10.0.1.0/24", NULL));
  assert_string_equal(take("p", "a"), "10.0.0.1/32");
  assert_string_equal(take("p", "b"), "10.0.0.2/32");
  give("10.0.0.2/32");
  commit(config("p 10.0.0.0/24 next=r", "r 10.0.2.0/24", NULL));
  assert_int_equal(shown("p", "used"), 1);
  assert_string_equal(take("p", "c"), "10.0.0.3/32");
  assert_string_equal(take("p", "b"), "10.0.0.2/32");
  give("10.0.0.1/32");
  assert_int_equal(shown("p", "used"), 2);
}

static void another_prefix_length_counts_each_lease_once(void **state) {
  commit(config("p 2001:db8::/48", NULL));
  assert_string_equal(take("p", NULL), "2001:db8::/64");
  assert_string_equal(take("p", NULL), "2001:db8:0:1::/64");
  commit(config("p 2001:db8::/48 length=56", NULL));
  assert_int_equal(shown("p", "used"), 1);
  give("2001:db8::/64");
  assert_int_equal(shown("p", "used"), 1); /* the other /64 is in it, too */
  assert_string_equal(take("p", NULL), "2001:db8:0:100::/56");
  commit(config("p 2001:db8::/48", NULL));
  assert_int_equal(shown("p", "used"), 1 + 256);
  give("2001:db8:0:1::/64");
  give("2001:db8:0:100::/56");
  assert_int_equal(shown("p", "used"), 0);
}

static void an_aborted_set_changes_nothing(void **state) {
  commit(config("p 10.0.0.1", NULL));
  g_autoptr(AditValue) root = config("q 10.0.0.1", NULL);
  AditPoolSet *set = adit_pools_prepare(root, NULL);
  assert_non_null(set);
  adit_pools_abort(set);
  assert_true(adit_pool_exists("p"));
  assert_false(adit_pool_exists("q"));
  assert_string_equal(take("p", NULL), "10.0.0.1/32");
  adit_pools_abort(NULL);
}

static void no_pools_at_all(void **state) {
  AditPoolSet *set = adit_pools_prepare(NULL, NULL);
  assert_non_null(set);
  adit_pools_commit(set);
  assert_true(reserve("10.0.0.1/32"));
  give("10.0.0.1/32");
  g_autoptr(AditValue) list = adit_pools_describe();
  assert_int_equal(adit_value_length(list), 0);
}

/* ---- what is refused ---- */

static void overlaps_name_both(void **state) {
  refuse(config("a 10.0.0.0/24", "b 10.0.1.0/24,10.0.0.200-10.0.0.210", NULL),
         "adit.yaml:2:11: pools[1].ranges[1]: 10.0.0.200-10.0.0.210 of pool b overlaps 10.0.0.0/24 of pool a (adit.yaml:1:10)");
  refuse(config("a 10.0.0.5,10.0.0.1-10.0.0.9", NULL),
         "adit.yaml:1:11: pools[0].ranges[1]: 10.0.0.1-10.0.0.9 of pool a overlaps 10.0.0.5 of pool a (adit.yaml:1:10)");
  /* The network address is not handed out, but belongs to the range as it is written. */
  refuse(config("a 10.0.0.0/24", "b 10.0.0.0", NULL),
         "adit.yaml:2:10: pools[1].ranges[0]: 10.0.0.0 of pool b overlaps 10.0.0.0/24 of pool a (adit.yaml:1:10)");
  /* Two inside one, which don't touch each other. */
  refuse(config("a 10.0.0.0/24", "b 10.0.0.1", "c 10.0.0.100", NULL),
         "adit.yaml:2:10: pools[1].ranges[0]: 10.0.0.1 of pool b overlaps 10.0.0.0/24 of pool a (adit.yaml:1:10)\n"
         "adit.yaml:3:10: pools[2].ranges[0]: 10.0.0.100 of pool c overlaps 10.0.0.0/24 of pool a (adit.yaml:1:10)");
  refuse(config("a 2001:db8::/32", "b 2001:db8:1::/48", NULL),
         "adit.yaml:2:10: pools[1].ranges[0]: 2001:db8:1::/48 of pool b overlaps 2001:db8::/32 of pool a (adit.yaml:1:10)");
  commit(config("a 10.0.0.0/25", "b 10.0.0.128/25", "c 64:ff9b::a00:0/104 length=128", NULL)); /* neighbours, and another family */
}

static void bad_ranges(void **state) {
  refuse(config("a 10.0.0.9-10.0.0.1", NULL), "adit.yaml:1:10: pools[0].ranges[0]: 10.0.0.9-10.0.0.1 ends before it begins");
  refuse(config("a 10.0.0.1-fd00::1", NULL),
         "adit.yaml:1:10: pools[0].ranges[0]: 10.0.0.1-fd00::1 goes from one address family to another");
  refuse(config("a 10.0.0.1-x", NULL), "adit.yaml:1:10: pools[0].ranges[0]: 10.0.0.1-x is not a range of addresses");
  refuse(config("a x,10.0.0.1/24", NULL), "adit.yaml:1:10: pools[0].ranges[0]: x is not an address, a range or a prefix\n"
                                          "adit.yaml:1:11: pools[0].ranges[1]: 10.0.0.1/24 has bits set behind its prefix length");
  refuse(config("a 10.0.0.1,fd00::/64", NULL), "adit.yaml:1:11: pools[0].ranges[1]: fd00::/64: a pool is of one address family");
  refuse(config("a fd00::/72", NULL), "adit.yaml:1:10: pools[0].ranges[0]: fd00::/72 does not consist of whole /64: see prefix-length");
  refuse(config("a 10.0.0.1 length=64", NULL), "pools[0].prefix-length: 64 is over 32, and the pool is of IPv4");
  refuse(config("a 10.0.0.1", "a 10.0.0.2", NULL), "pools[1].name: there are two pools a");
}

static void bad_next_pools(void **state) {
  refuse(config("a 10.0.0.1 next=nowhere", NULL), "pools[0].next-pool: there is no pool nowhere");
  refuse(config("a 10.0.0.1 next=a", NULL), "pools[0].next-pool: forms a loop: a -> a");
  refuse(config("in 10.0.0.9 next=a", "a 10.0.0.1 next=b", "b 10.0.0.2 next=c", "c 10.0.0.3 next=a", NULL),
         "pools[1].next-pool: forms a loop: a -> b -> c -> a");
  refuse(config("a 10.0.0.1 next=b", "b fd00::/64", NULL), "pools[0].next-pool: pool b is of the other address family");
}

static void show_pools(void **state) {
  commit(config("a 10.0.0.1-10.0.0.2,10.0.1.1 next=b", "b 10.0.2.1", NULL));
  take("a", NULL);
  g_autoptr(AditValue) list = adit_pools_describe();
  const AditValue *a = adit_value_at(list, 0), *b = adit_value_at(list, 1);
  assert_string_equal(adit_value_get_string(a, "name", ""), "a");
  assert_int_equal(adit_value_length(adit_value_get(a, "ranges")), 2);
  assert_string_equal(adit_value_at(adit_value_get(a, "ranges"), 0)->as.string, "10.0.0.1-10.0.0.2");
  assert_int_equal(adit_value_get_int(a, "used", -1), 1);
  assert_int_equal(adit_value_get_int(a, "total", -1), 3);
  assert_string_equal(adit_value_get_string(a, "next-pool", ""), "b");
  assert_null(adit_value_get(b, "next-pool"));
}

/* ---- many random steps against a plain model ---- */

static void no_entry_is_ever_given_twice(void **state) {
  enum { SIZE = 500, STEPS = 40000 };
  g_autoptr(GHashTable) held = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  GRand *rand = g_rand_new_with_seed(11);
  commit(config("p 10.0.0.0-10.0.1.243", NULL));
  for (guint step = 0; step < STEPS; step++) {
    char owner[16], text[ADIT_PREFIX_TEXT];
    gpointer some = NULL;
    GHashTableIter iter;
    g_snprintf(owner, sizeof owner, "u%u", g_rand_int_range(rand, 0, 2 * SIZE));
    g_hash_table_iter_init(&iter, held);
    switch (g_rand_int_range(rand, 0, 5)) {
    case 0:
    case 1: {
      AditPrefix p;
      gboolean got = pools->take("p", g_rand_boolean(rand) ? owner : NULL, &p, NULL);
      assert_int_equal(got, g_hash_table_size(held) < SIZE);
      if (got)
        assert_true(g_hash_table_add(held, g_strdup(adit_prefix_format(&p, text))));
      break;
    }
    case 2: {
      AditPrefix p = {adit_address_ipv4(0x0a000000 + g_rand_int_range(rand, 0, SIZE)), 32};
      adit_prefix_format(&p, text);
      gboolean got = pools->reserve(&p);
      assert_int_equal(got, !g_hash_table_contains(held, text));
      if (got)
        g_hash_table_add(held, g_strdup(text));
      break;
    }
    default:
      if (g_hash_table_iter_next(&iter, &some, NULL)) {
        give(some);
        g_hash_table_remove(held, some);
      }
    }
    if (step % 1000 == 999)
      commit(step % 2000 == 999 ? config("p 10.0.0.0-10.0.0.255,10.0.1.0-10.0.1.243", NULL) : config("p 10.0.0.0-10.0.1.243", NULL));
    assert_int_equal(shown("p", "used"), g_hash_table_size(held));
  }
  g_rand_free(rand);
}

/* Against a list, while what is set aside changes and the pool is reloaded. */
static void what_is_set_aside_is_never_taken(void **state) {
  enum { SIZE = 64, STEPS = 20000 };
  gboolean held[SIZE] = {0}, aside[SIZE] = {0};
  g_autoptr(GRand) rand = g_rand_new_with_seed(12);
  commit(config("p 10.0.0.0-10.0.0.63", NULL));
  for (guint step = 0; step < STEPS; step++) {
    guint i = (guint)g_rand_int_range(rand, 0, SIZE), free = 0;
    AditPrefix p = {adit_address_ipv4(0x0a000000 + i), 32};
    for (guint k = 0; k < SIZE; k++)
      free += !held[k] && !aside[k];
    if (step % 100 == 99) {
      guint first = (guint)g_rand_int_range(rand, 0, SIZE) & ~3u; /* a /30 of them */
      for (guint k = 0; k < SIZE; k++)
        aside[k] = k - first < 4;
      if (step % 1000 == 999)
        commit(config(step % 2000 == 999 ? "p 10.0.0.0-10.0.0.9,10.0.0.10-10.0.0.63" : "p 10.0.0.0-10.0.0.63", NULL));
      adit_pools_set_aside(&(AditPrefix){adit_address_ipv4(0x0a000000 + first), 30}, 1);
    } else if (held[i]) {
      pools->give_back(&p);
      held[i] = FALSE;
    } else if (g_rand_boolean(rand)) {
      assert_true(pools->reserve(&p)); /* set aside or not */
      held[i] = TRUE;
    } else if (pools->take("p", g_rand_boolean(rand) ? "ann" : NULL, &p, NULL)) {
      guint got = adit_address_to_ipv4(&p.address) - 0x0a000000;
      assert_true(free && !held[got] && !aside[got]);
      held[got] = TRUE;
    } else {
      assert_int_equal(free, 0);
    }
  }
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
  const struct CMUnitTest tests[] = {
      T(ranges_prefixes_and_single_addresses),
      T(ipv6_prefixes),
      T(an_unknown_pool_is_not_found),
      T(next_pool_takes_over_when_one_is_used_up),
      T(an_owner_gets_what_it_had),
      T(remembered_entries_are_the_last_to_go_to_others),
      T(an_entry_rests_before_it_is_given_to_another),
      T(memory_of_owners_is_bounded_and_nothing_is_lost),
      T(giant_pools_cost_nothing),
      T(a_reserved_address_is_passed_over),
      T(what_is_held_is_handed_out_to_nobody),
      T(a_fixed_address_is_handed_out_to_nobody_else),
      T(an_address_that_is_lent_may_be_fixed_by_a_reload),
      T(special_ranges_are_in_no_pool),
      T(a_reservation_larger_or_smaller_than_an_entry),
      T(giving_back_twice_takes_nothing_from_another),
      T(leases_stay_over_a_reload),
      T(an_unchanged_pool_is_taken_over_whole),
      T(another_prefix_length_counts_each_lease_once),
      T(an_aborted_set_changes_nothing),
      T(no_pools_at_all),
      T(overlaps_name_both),
      T(bad_ranges),
      T(bad_next_pools),
      T(show_pools),
      T(no_entry_is_ever_given_twice),
      T(what_is_set_aside_is_never_taken),
  };
  return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
