/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The table of protected addresses, with facts that the test invents. */
#include "config.h"

#include "core/net/net.h"
#include "core/net/protected.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static AditAddress address(const char *text) {
  AditAddress a;
  assert_true(adit_address_parse(text, &a));
  return a;
}

static AditPrefix prefix(const char *text) {
  AditPrefix p;
  assert_true(adit_prefix_parse(text, &p));
  return p;
}

static const char *why(const char *text, guint kinds) {
  AditAddress a = address(text);
  AditProtected found;
  return adit_protected_by(&a, kinds, &found) ? found.what : NULL;
}

static const char *within(const char *text, guint kinds) {
  static char found_text[ADIT_ADDRESS_TEXT];
  AditPrefix p = prefix(text);
  AditProtected found;
  return adit_protected_within(&p, kinds, &found) ? adit_address_format(&found.address, found_text) : NULL;
}

static void each_protection_is_undone_once(void **state) {
  AditAddress a = address("203.0.113.9");

  assert_null(why("203.0.113.9", ADIT_PROTECT_ANY));
  adit_protected_add(ADIT_PROTECT_ENDPOINT, &a, "a tunnel's end");
  adit_protected_add(ADIT_PROTECT_ENDPOINT, &a, "a tunnel's end");
  adit_protected_add(ADIT_PROTECT_SERVER, &a, "a server");
  assert_string_equal(why("203.0.113.9", ADIT_PROTECT_ENDPOINT), "a tunnel's end");
  assert_string_equal(why("203.0.113.9", ADIT_PROTECT_SERVER), "a server");
  assert_null(why("203.0.113.9", ADIT_PROTECT_LOCAL | ADIT_PROTECT_NEXT_HOP));
  adit_protected_remove(ADIT_PROTECT_ENDPOINT, &a, "a tunnel's end");
  assert_string_equal(why("203.0.113.9", ADIT_PROTECT_ENDPOINT), "a tunnel's end");
  adit_protected_remove(ADIT_PROTECT_ENDPOINT, &a, "a tunnel's end");
  assert_null(why("203.0.113.9", ADIT_PROTECT_ENDPOINT));
  assert_string_equal(why("203.0.113.9", ADIT_PROTECT_ANY), "a server");

  /* One that was never made, or is gone, undoes nothing of another's. */
  adit_protected_remove(ADIT_PROTECT_ENDPOINT, &a, "a tunnel's end");
  adit_protected_remove(ADIT_PROTECT_SERVER, &a, "another server");
  assert_int_equal(adit_protected_count(), 1);
  adit_protected_remove(ADIT_PROTECT_SERVER, &a, "a server");
  assert_int_equal(adit_protected_count(), 0);
}

static void unset_addresses_are_ignored(void **state) {
  const AditAddress none = {0}, any4 = address("0.0.0.0"), any6 = address("::");

  adit_protected_add(ADIT_PROTECT_ENDPOINT, &none, "x");
  adit_protected_add(ADIT_PROTECT_ENDPOINT, &any4, "x");
  adit_protected_add(ADIT_PROTECT_ENDPOINT, &any6, "x");
  assert_int_equal(adit_protected_count(), 0);
  adit_protected_remove(ADIT_PROTECT_ENDPOINT, &none, "x");
}

static void the_kernel_may_tell_a_fact_twice(void **state) {
  AditAddress a = address("192.0.2.1"), gateway = address("192.0.2.254");

  adit_protected_kernel(ADIT_PROTECT_LOCAL, 2, &a, TRUE);
  adit_protected_kernel(ADIT_PROTECT_LOCAL, 2, &a, TRUE);
  adit_protected_kernel(ADIT_PROTECT_LOCAL, 3, &a, TRUE); /* on another interface, too */
  adit_protected_kernel(ADIT_PROTECT_NEXT_HOP, 2, &gateway, TRUE);
  adit_protected_kernel(ADIT_PROTECT_LOCAL, 2, &a, FALSE);
  adit_protected_kernel(ADIT_PROTECT_LOCAL, 2, &a, FALSE);
  assert_non_null(why("192.0.2.1", ADIT_PROTECT_LOCAL));
  adit_protected_kernel(ADIT_PROTECT_LOCAL, 3, &a, FALSE);
  assert_null(why("192.0.2.1", ADIT_PROTECT_ANY));
  assert_non_null(why("192.0.2.254", ADIT_PROTECT_NEXT_HOP));
}

static void facts_are_told_anew_and_plugins_keep_theirs(void **state) {
  AditAddress a = address("192.0.2.1"), b = address("2001:db8::1");

  adit_protected_kernel(ADIT_PROTECT_LOCAL, 2, &a, TRUE);
  adit_protected_kernel(ADIT_PROTECT_NEXT_HOP, 2, &b, TRUE);
  adit_protected_add(ADIT_PROTECT_ENDPOINT, &a, "a tunnel's end");
  adit_protected_kernel_forget();
  assert_null(why("192.0.2.1", ADIT_PROTECT_LOCAL));
  assert_null(why("2001:db8::1", ADIT_PROTECT_ANY));
  assert_non_null(why("192.0.2.1", ADIT_PROTECT_ENDPOINT));
  adit_protected_kernel(ADIT_PROTECT_LOCAL, 2, &a, TRUE);
  assert_non_null(why("192.0.2.1", ADIT_PROTECT_LOCAL));
}

static void a_prefix_tells_the_lowest_address_in_it(void **state) {
  static const char *const list[] = {"10.0.0.7", "10.0.1.9", "10.0.1.200", "192.0.2.1", "2001:db8::1", "2001:db8:0:1::5"};

  for (gsize i = 0; i < G_N_ELEMENTS(list); i++) {
    AditAddress a = address(list[i]);
    adit_protected_add(i == 1 ? ADIT_PROTECT_SERVER : ADIT_PROTECT_ENDPOINT, &a, "x");
  }
  assert_string_equal(within("10.0.1.0/24", ADIT_PROTECT_ANY), "10.0.1.9");
  assert_string_equal(within("10.0.1.128/24", ADIT_PROTECT_ANY), "10.0.1.9"); /* host bits of an interface's address */
  assert_string_equal(within("10.0.1.0/24", ADIT_PROTECT_ENDPOINT), "10.0.1.200");
  assert_null(within("10.0.1.0/24", ADIT_PROTECT_LOCAL));
  assert_null(within("10.0.2.0/24", ADIT_PROTECT_ANY));
  assert_string_equal(within("0.0.0.0/0", ADIT_PROTECT_ANY), "10.0.0.7");
  assert_string_equal(within("192.0.2.1/32", ADIT_PROTECT_ANY), "192.0.2.1");
  assert_null(within("192.0.2.0/32", ADIT_PROTECT_ANY));
  assert_string_equal(within("2001:db8::/32", ADIT_PROTECT_ANY), "2001:db8::1");
  assert_string_equal(within("2001:db8:0:1::/64", ADIT_PROTECT_ANY), "2001:db8:0:1::5");
  assert_null(within("2001:db8:0:2::/64", ADIT_PROTECT_ANY));
  assert_string_equal(within("::/0", ADIT_PROTECT_ANY), "2001:db8::1"); /* no IPv4 address is in it */
}

/* Against a plain list, over seeds. */
static void random_tables_agree_with_a_list(void **state) {
  for (guint32 seed = 1; seed <= 200; seed++) {
    g_autoptr(GRand) dice = g_rand_new_with_seed(seed);
    guint count[256] = {0};

    for (guint step = 0; step < 500; step++) {
      guint i = (guint)g_rand_int_range(dice, 0, 256);
      AditAddress a = adit_address_ipv4(0x0a000000 | i << 4);
      if (g_rand_boolean(dice)) {
        adit_protected_add(ADIT_PROTECT_ENDPOINT, &a, "x");
        count[i]++;
      } else {
        adit_protected_remove(ADIT_PROTECT_ENDPOINT, &a, "x");
        count[i] -= count[i] > 0;
      }
      guint length = (guint)g_rand_int_range(dice, 20, 33), at = (guint)g_rand_int_range(dice, 0, 4096);
      AditPrefix p = {adit_address_ipv4(0x0a000000 | at), (guint8)length};
      guint expected = 256;
      for (guint k = 0; k < 256 && expected == 256; k++) {
        AditAddress one = adit_address_ipv4(0x0a000000 | k << 4);
        if (count[k] && adit_prefix_contains(&p, &one))
          expected = k;
      }
      AditProtected found;
      if (adit_protected_within(&p, ADIT_PROTECT_ANY, &found) != (expected < 256) ||
          (expected < 256 && adit_address_to_ipv4(&found.address) != (0x0a000000 | expected << 4)))
        fail_msg("seed %u step %u", seed, step);
    }
    adit_protected_fini();
  }
}

static void plugins_reach_it_by_the_service(void **state) {
  const AditNetService *net = adit_net_service();
  AditAddress a = address("198.51.100.2");
  AditPrefix p = prefix("198.51.100.0/24");

  assert_true(ADIT_HAS(net, protected_within));
  net->protect(ADIT_PROTECT_SERVER, &a, "a server");
  assert_true(net->protected_by(&a, ADIT_PROTECT_SERVER, NULL));
  assert_true(net->protected_within(&p, ADIT_PROTECT_ANY, NULL));
  net->unprotect(ADIT_PROTECT_SERVER, &a, "a server");
  assert_false(net->protected_by(&a, ADIT_PROTECT_ANY, NULL));
}

/* adit_address_format() writes IPv4 by itself: each octet in each place, against inet_ntop(). */
static void addresses_are_formatted_as_inet_ntop_does(void **state) {
  for (guint place = 0; place < 4; place++)
    for (guint octet = 0; octet < 256; octet++) {
      AditAddress address = {.family = AF_INET, .octet = {7, 70, 200, 1}};
      char expected[ADIT_ADDRESS_TEXT], text[ADIT_ADDRESS_TEXT];
      address.octet[place] = (guint8)octet;
      assert_non_null(inet_ntop(AF_INET, address.octet, expected, sizeof expected));
      assert_string_equal(adit_address_format(&address, text), expected);
    }
}

static int teardown(void **state) {
  adit_protected_fini();
  return 0;
}

int main(void) {
#define T(f) cmocka_unit_test_teardown(f, teardown)
  const struct CMUnitTest tests[] = {
      T(each_protection_is_undone_once),          T(unset_addresses_are_ignored),
      T(the_kernel_may_tell_a_fact_twice),        T(facts_are_told_anew_and_plugins_keep_theirs),
      T(a_prefix_tells_the_lowest_address_in_it), T(random_tables_agree_with_a_list),
      T(plugins_reach_it_by_the_service),         T(addresses_are_formatted_as_inet_ntop_does),
  };
  return cmocka_run_group_tests_name("protected", tests, NULL, NULL);
}
