/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* What a session may have, judged by facts that the test invents. */
#include "config.h"

#include "core/net/net.h"
#include "core/net/protected.h"
#include "core/net/special.h"
#include "core/session/network/reach.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static AditAddress address(const char *text) {
  AditAddress a;
  assert_true(adit_address_parse(text, &a));
  return a;
}

static void protect(AditProtectKind kind, const char *text, const char *what) {
  AditAddress a = address(text);
  adit_protected_add(kind, &a, what);
}

/* The machine of the cases: a gateway, a RADIUS server, another client's tunnel; the session's own tunnel leads to 198.51.100.2. */
static int facts(void **state) {
  AditAddress own = address("192.0.2.1"), gateway = address("192.0.2.254"), own6 = address("2001:db8::1");

  adit_protected_kernel(ADIT_PROTECT_LOCAL, 2, &own, TRUE);
  adit_protected_kernel(ADIT_PROTECT_LOCAL, 2, &own6, TRUE);
  adit_protected_kernel(ADIT_PROTECT_NEXT_HOP, 2, &gateway, TRUE);
  protect(ADIT_PROTECT_SERVER, "192.0.2.53", "a RADIUS server");
  protect(ADIT_PROTECT_ENDPOINT, "198.51.100.3", "the outer address of a tunnel");
  protect(ADIT_PROTECT_ENDPOINT, "2001:db8:ff::3", "the outer address of a tunnel");
  return 0;
}

static int no_facts(void **state) {
  adit_protected_fini();
  return 0;
}

static char *judge(AditReachEnd end, const char *text) {
  AditAddress a = address(text), outer = address("198.51.100.2");
  GError *error = NULL;
  if (adit_reach_address(adit_net_service(), end, "remote-address", &a, &outer, &error))
    return g_strdup("fine");
  char *message = g_strdup(error->message);
  g_error_free(error);
  return message;
}

static void a_peer_gets_no_address_that_somebody_needs(void **state) {
  static const struct {
    const char *address, *peer, *ours;
  } cases[] = {
      {"192.0.2.254", "remote-address 192.0.2.254 is a next hop of this machine's routes", NULL},
      {"192.0.2.1", "remote-address 192.0.2.1 is an address of this machine", "fine"}, /* an unnumbered link */
      {"192.0.2.53", "remote-address 192.0.2.53 is a RADIUS server", NULL},
      {"198.51.100.3", "remote-address 198.51.100.3 is the outer address of a tunnel", NULL},
      {"198.51.100.2", "remote-address 198.51.100.2 is the outer address of the session's own tunnel", NULL},
      {"8.8.8.8", "fine", NULL},
      {"169.254.10.1", "fine", NULL},
      {"10.255.255.255", "fine", NULL},
      {"127.0.0.53", "remote-address 127.0.0.53 is a loopback address", NULL},
      {"0.0.0.0", "remote-address 0.0.0.0 is an address of \"this network\"", NULL},
      {"0.1.2.3", "remote-address 0.1.2.3 is an address of \"this network\"", NULL},
      {"224.0.0.5", "remote-address 224.0.0.5 is a multicast address", NULL},
      {"239.255.255.255", "remote-address 239.255.255.255 is a multicast address", NULL},
      {"240.0.0.1", "remote-address 240.0.0.1 is a reserved address (class E)", NULL},
      {"255.255.255.255", "remote-address 255.255.255.255 is the broadcast address", NULL},
      {"2001:db8::7", "fine", NULL},
      {"2001:db8::1", "remote-address 2001:db8::1 is an address of this machine", "fine"},
      {"fe80::1", "fine", NULL},
      {"::", "remote-address :: is the unspecified address", NULL},
      {"::1", "remote-address ::1 is a loopback address", NULL},
      {"::ffff:10.0.0.1", "remote-address ::ffff:10.0.0.1 is an IPv4-mapped address", NULL},
      {"::10.0.0.1", "remote-address ::10.0.0.1 is an IPv4-compatible address", NULL},
      {"ff02::1", "remote-address ff02::1 is a multicast address", NULL},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *peer = judge(ADIT_REACH_PEER, cases[i].address), *ours = judge(ADIT_REACH_OURS, cases[i].address);
    assert_string_equal(peer, cases[i].peer);
    assert_string_equal(ours, cases[i].ours ? cases[i].ours : cases[i].peer);
  }
}

static void a_prefix_that_is_given_holds_nothing_protected(void **state) {
  static const struct {
    const char *prefix, *result;
  } cases[] = {
      {"2001:db8:1::/48", "fine"},
      {"2001:db8::/64", "p 2001:db8::/64 holds 2001:db8::1, which is an address of this machine"},
      {"2001:db8:ff::/48", "p 2001:db8:ff::/48 holds 2001:db8:ff::3, which is the outer address of a tunnel"},
      {"2001:db8:fe::/48", "p 2001:db8:fe::/48 holds 2001:db8:fe::2, which is the outer address of the session's own tunnel"},
      {"fe80::/64", "p fe80::/64 shares addresses with fe80::/10: each of these is a link-local address"},
      {"ff00::/8", "p ff00::/8 shares addresses with ff00::/8: each of these is a multicast address"},
      {"::/0", "p ::/0 shares addresses with ::/128: each of these is the unspecified address"},
  };
  AditAddress outer = address("2001:db8:fe::2");
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(GError) error = NULL;
    AditPrefix p;
    assert_true(adit_prefix_parse(cases[i].prefix, &p));
    gboolean fine = adit_reach_prefix(adit_net_service(), "p", &p, &outer, &error);
    assert_string_equal(fine ? "fine" : error->message, cases[i].result);
  }
}

static void a_route_leads_to_no_single_protected_address(void **state) {
  static const struct {
    const char *to, *result;
  } cases[] = {
      {"0.0.0.0/0", "fine"},
      {"0.0.0.0/1", "fine"},
      {"128.0.0.0/1", "fine"},
      {"192.0.2.0/24", "fine"}, /* what is in it has longer routes */
      {"::/0", "fine"},
      {"192.0.2.53/32", "route 192.0.2.53 is a RADIUS server"},
      {"198.51.100.2/32", "route 198.51.100.2 is the outer address of the session's own tunnel"},
      {"127.0.0.0/8", "route 127.0.0.0/8 lies in 127.0.0.0/8: each of its addresses is a loopback address"},
      {"224.0.0.0/4", "route 224.0.0.0/4 lies in 224.0.0.0/4: each of its addresses is a multicast address"},
      {"ff05::/16", "route ff05::/16 lies in ff00::/8: each of its addresses is a multicast address"},
      {"fe80::/64", "route fe80::/64 lies in fe80::/10: each of its addresses is a link-local address"},
      {"2001:db8:ff::3/128", "route 2001:db8:ff::3 is the outer address of a tunnel"},
  };
  AditAddress outer = address("198.51.100.2");
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(GError) error = NULL;
    AditPrefix p;
    assert_true(adit_prefix_parse(cases[i].to, &p));
    gboolean fine = adit_reach_route(adit_net_service(), &p, &outer, &error);
    assert_string_equal(fine ? "fine" : error->message, cases[i].result);
  }
}

/* Each special range, one address before it and one behind. */
static void ranges_are_special_by_any_shared_address(void **state) {
  static const struct {
    const char *first, *last;
    gboolean special;
  } cases[] = {
      {"1.0.0.0", "126.255.255.255", FALSE},
      {"126.255.255.255", "127.0.0.0", TRUE},
      {"128.0.0.0", "223.255.255.255", FALSE},
      {"128.0.0.0", "224.0.0.0", TRUE},
      {"0.0.0.0", "255.255.255.255", TRUE},
      {"2001:db8::", "2001:db8::ff", FALSE},
      {"fc00::", "fe7f:ffff::", FALSE},
      {"fc00::", "fe80::", TRUE},
      {"fec0::", "feff::", FALSE},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    AditAddress first = address(cases[i].first), last = address(cases[i].last);
    assert_int_equal(adit_special_find(&first, &last) != NULL, cases[i].special);
  }
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, facts, no_facts)
  const struct CMUnitTest tests[] = {
      T(a_peer_gets_no_address_that_somebody_needs),
      T(a_prefix_that_is_given_holds_nothing_protected),
      T(a_route_leads_to_no_single_protected_address),
      T(ranges_are_special_by_any_shared_address),
  };
  return cmocka_run_group_tests_name("reach", tests, NULL, NULL);
}
