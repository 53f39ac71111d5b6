/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include <unistd.h>

#include "plugins/ipv6cp/ipv6cp.h"
#include "tests/unit/ppp/lone-ncp.h"

static const guint8 zero[8];

static AditNcpParams params_with(gboolean client, const char *local, const char *remote) {
  AditNcpParams p = {.size = sizeof p, .client = client};
  g_autoptr(GByteArray) l = from_hex(local), r = from_hex(remote);
  if (l->len == 8)
    memcpy(p.local_ifid, l->data, 8);
  if (r->len == 8)
    memcpy(p.remote_ifid, r->data, 8);
  return p;
}

/** Chance that always says the same. */
static void same_octets(gpointer host, gpointer buffer, gsize length) {
  memset(buffer, 0x11, length);
}

static guint64 no_time(gpointer host) {
  return 1;
}

static void no_wake(gpointer host, guint slot, guint64 deadline) {}

/* An identifier is chosen in one go, whatever chance says, and though what it must differ from is where it goes. */
static void rfc5072_4_1_another_identifier_is_found_without_luck(void **state) {
  static const AditEngineOps ops = {sizeof ops, no_time, no_wake, same_octets};
  const AditEngineEnv env = {&ops, NULL};
  const AditNcpParams c = params_with(TRUE, "", "");
  const AditPppOption nothing_better = {.type = 1, .length = 8, .data = zero};
  g_autofree guint8 *self = g_malloc0(ipv6cp_desc.state_size);
  guint8 first[16], second[16];
  AditBuilder before = adit_builder(first, sizeof first), after = adit_builder(second, sizeof second);

  alarm(20); /* what is wrong here never ends */
  ipv6cp_desc.init(self, &env, &c);
  ipv6cp_desc.options->request(self, &before);
  ipv6cp_desc.options->naked(self, &nothing_better);
  ipv6cp_desc.options->request(self, &after);
  alarm(0);
  assert_int_equal(adit_built(&before), 10);
  assert_int_equal(adit_built(&after), 10);
  assert_memory_not_equal(first + 2, second + 2, 8);
  assert_memory_not_equal(second + 2, zero, 8);
}

static void both_ends_get_different_identifiers(void **state) {
  const AditNcpParams c = params_with(TRUE, "", ""), s = params_with(FALSE, "", "");
  for (guint seed = 0; seed < 20; seed++) {
    Pair *pair = pair_new(seed);
    node_add_ncp(&pair->a, &ipv6cp_desc, &c);
    node_add_ncp(&pair->b, &ipv6cp_desc, &s);
    pair_open(pair);
    pair_run(pair, 2000);
    const AditNcpResult *x = &pair->a.ncps[0].result, *y = &pair->b.ncps[0].result;
    assert_int_equal(pair->a.ncps[0].opens, 1);
    assert_memory_equal(x->local_ifid, y->remote_ifid, 8);
    assert_memory_equal(x->remote_ifid, y->local_ifid, 8);
    assert_memory_not_equal(x->local_ifid, x->remote_ifid, 8);
    assert_memory_not_equal(x->local_ifid, zero, 8);
    assert_int_equal(x->local_ifid[0] & 2, 0); /* not universal */
    pair_free(pair);
  }
}

static void rfc5072_4_1_a_zero_identifier_is_naked_with_a_good_one(void **state) {
  const AditNcpParams s = params_with(FALSE, "0000000000000001", "00000000000000aa");
  Pair *pair = ncp_lone(&ipv6cp_desc, &s);
  node_inject_text(&pair->a, "8057 01 01 000e 010a 0000000000000000");
  ncp_expect_sent(pair, 3, 1, "0301000e010a00000000000000aa");
  node_inject_text(&pair->a, "8057 01 02 000e 010a 00000000000000aa");
  ncp_expect_sent(pair, 2, 1, "0202000e010a00000000000000aa");
  pair_free(pair);
}

static void rfc5072_4_1_an_equal_identifier_is_naked_with_another(void **state) {
  const AditNcpParams s = params_with(FALSE, "0000000000000001", "");
  Pair *pair = ncp_lone(&ipv6cp_desc, &s);
  node_inject_text(&pair->a, "8057 01 01 000e 010a 0000000000000001");
  g_autofree char *nak = ncp_sent(pair, 3, 1);
  assert_true(g_str_has_prefix(nak, "0301000e010a"));
  assert_string_not_equal(nak + 12, "0000000000000001");
  assert_string_not_equal(nak + 12, "0000000000000000");
  node_inject_text(&pair->a, "8057 01 02 000e 010a 0000000000000001"); /* the same suggestion again */
  g_autofree char *again = ncp_sent(pair, 3, 2);
  assert_string_equal(again + 12, nak + 12);
  pair_free(pair);
}

static void an_identifier_that_the_record_fixes_is_insisted_on(void **state) {
  const AditNcpParams s = params_with(FALSE, "0000000000000001", "00000000000000aa");
  Pair *pair = ncp_lone(&ipv6cp_desc, &s);
  node_inject_text(&pair->a, "8057 01 01 000e 010a 0000000000000bad");
  ncp_expect_sent(pair, 3, 1, "0301000e010a00000000000000aa");
  pair_free(pair);
}

static void a_missing_identifier_is_asked_for(void **state) {
  const AditNcpParams s = params_with(FALSE, "", "00000000000000aa");
  Pair *pair = ncp_lone(&ipv6cp_desc, &s);
  node_inject_text(&pair->a, "8057 01 01 0004");
  ncp_expect_sent(pair, 3, 1, "0301000e010a00000000000000aa");
  pair_free(pair);
}

static void compression_is_rejected(void **state) {
  const AditNcpParams s = params_with(FALSE, "", "");
  Pair *pair = ncp_lone(&ipv6cp_desc, &s);
  node_inject_text(&pair->a, "8057 01 01 0012 0204 0003 010a 0000000000000005");
  ncp_expect_sent(pair, 4, 1, "0401000802040003");
  pair_free(pair);
}

static void rfc5072_4_1_a_nak_is_followed(void **state) {
  const AditNcpParams c = params_with(TRUE, "", "");
  Pair *pair = ncp_lone(&ipv6cp_desc, &c);
  ncp_answer(pair, 1, 3, "010a00000000000000bb");
  g_autofree char *second = ncp_sent(pair, 1, 2);
  assert_string_equal(second + 8, "010a00000000000000bb");
  ncp_answer(pair, 2, 3, "010a0000000000000000"); /* no better: another of our own */
  g_autofree char *third = ncp_sent(pair, 1, 3);
  assert_string_not_equal(third + 8, "010a00000000000000bb");
  assert_string_not_equal(third + 8, "010a0000000000000000");
  pair_free(pair);
}

static void a_peer_that_never_says_its_identifier_does_not_open(void **state) {
  const AditNcpParams s = params_with(FALSE, "", "");
  Pair *pair = ncp_lone(&ipv6cp_desc, &s);
  ncp_answer(pair, 1, 2, NULL);
  for (guint i = 0; i < 6; i++)
    node_inject_text(&pair->a, "8057 01 01 0004");
  pair_run(pair, 20000);
  assert_int_equal(pair->a.ncps[0].opens, 0);
  assert_string_equal(pair->a.ncps[0].why, "the peer has no usable interface identifier");
  assert_true(pair->a.network);
  pair_free(pair);
}

static void a_rejected_identifier_is_kept_to_ourselves(void **state) {
  const AditNcpParams s = params_with(FALSE, "0000000000000001", "");
  Pair *pair = ncp_lone(&ipv6cp_desc, &s);
  ncp_answer(pair, 1, 4, "010a0000000000000001");
  g_autofree char *second = ncp_sent(pair, 1, 2);
  assert_string_equal(second + 8, "");
  ncp_answer(pair, 2, 2, NULL);
  node_inject_text(&pair->a, "8057 01 01 000e 010a 0000000000000005");
  assert_int_equal(pair->a.ncps[0].opens, 1);
  assert_int_equal(pair->a.ncps[0].result.local_ifid[7], 1);
  pair_free(pair);
}

/** What a peer that asks with `asked` is told instead; it is then agreed to, both ways. */
static char *settle(Pair *pair, guint round, const char *asked) {
  g_autofree char *zeroes = g_strdup_printf("8057 01 %02x 000e 010a %s", 2 * round, asked);
  node_inject_text(&pair->a, zeroes);
  g_autofree char *nak = ncp_sent(pair, 3, round);
  assert_non_null(nak);
  g_autofree char *good = g_strdup_printf("8057 01 %02x 000e %s", 2 * round + 1, nak + 8);
  node_inject_text(&pair->a, good);
  ncp_answer(pair, round, 2, NULL);
  assert_int_equal(pair->a.ncps[0].opens, round);
  return g_strdup(nak + 12);
}

/* The session has the address from the first time, and would end with another. */
static void a_peer_that_renegotiates_is_told_the_same_identifier(void **state) {
  const AditNcpParams s = params_with(FALSE, "", "");
  Pair *pair = ncp_lone(&ipv6cp_desc, &s);
  g_autofree char *first = settle(pair, 1, "0000000000000000");
  pair->now += 60000;
  g_autofree char *second = settle(pair, 2, "0000000000000000");
  assert_string_equal(first, second);
  pair_free(pair);
}

static void a_peer_that_has_forgotten_its_identifier_is_reminded(void **state) {
  const AditNcpParams s = params_with(FALSE, "0000000000000001", "");
  Pair *pair = ncp_lone(&ipv6cp_desc, &s);
  node_inject_text(&pair->a, "8057 01 01 000e 010a 0000000000000077");
  ncp_answer(pair, 1, 2, NULL);
  assert_int_equal(pair->a.ncps[0].opens, 1);
  pair->now += 60000;
  node_inject_text(&pair->a, "8057 01 02 000e 010a 0000000000000000");
  ncp_expect_sent(pair, 3, 1, "0302000e010a0000000000000077");
  pair_free(pair);
}

static void rfc1661_5_3_a_renegotiated_identifier_is_naked_with_the_old_one(void **state) {
  for (guint client = 0; client < 2; client++) {
    const AditNcpParams p = params_with(client == 1, "0000000000000001", "");
    Pair *pair = ncp_lone(&ipv6cp_desc, &p);
    node_inject_text(&pair->a, "8057 01 01 000e 010a 0000000000000077");
    ncp_answer(pair, 1, 2, NULL);
    assert_int_equal(pair->a.ncps[0].opens, 1);
    pair->now += 60000;
    node_inject_text(&pair->a, "8057 01 02 000e 010a 0000000000000078");
    ncp_expect_sent(pair, 3, 1, "0302000e010a0000000000000077");
    ncp_answer(pair, 2, 3, "010a0000000000000099"); /* it wants us to have another, too */
    node_inject_text(&pair->a, "8057 01 03 000e 010a 0000000000000077");
    g_autofree char *again = ncp_sent(pair, 1, 3);
    assert_string_equal(again + 8, "010a0000000000000001");
    ncp_answer(pair, 3, 2, NULL);
    assert_int_equal(pair->a.ncps[0].opens, 2);
    assert_int_equal(pair->a.ncps[0].closes, 0);
    pair_free(pair);
  }
}

static void survives_death(void **state) {
  const AditNcpParams c = params_with(TRUE, "", ""), s = params_with(FALSE, "0000000000000001", "");
  AditNcpResult x, y;
  for (guint step = 0; step < 12; step++) {
    Pair *pair = pair_new(step);
    node_add_ncp(&pair->a, &ipv6cp_desc, &c);
    node_add_ncp(&pair->b, &ipv6cp_desc, &s);
    pair_open(pair);
    pair_run(pair, step);
    node_reincarnate(&pair->a);
    node_reincarnate(&pair->b);
    pair_run(pair, 20000);
    assert_true(adit_ncp_result(pair->a.ncps[0].ncp, &x) && adit_ncp_result(pair->b.ncps[0].ncp, &y));
    assert_memory_equal(x.local_ifid, y.remote_ifid, 8);
    assert_memory_equal(y.local_ifid, x.remote_ifid, 8);
    pair_free(pair);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rfc5072_4_1_another_identifier_is_found_without_luck),
      cmocka_unit_test(both_ends_get_different_identifiers),
      cmocka_unit_test(rfc5072_4_1_a_zero_identifier_is_naked_with_a_good_one),
      cmocka_unit_test(rfc5072_4_1_an_equal_identifier_is_naked_with_another),
      cmocka_unit_test(an_identifier_that_the_record_fixes_is_insisted_on),
      cmocka_unit_test(a_missing_identifier_is_asked_for),
      cmocka_unit_test(compression_is_rejected),
      cmocka_unit_test(rfc5072_4_1_a_nak_is_followed),
      cmocka_unit_test(a_peer_that_never_says_its_identifier_does_not_open),
      cmocka_unit_test(a_rejected_identifier_is_kept_to_ourselves),
      cmocka_unit_test(a_peer_that_renegotiates_is_told_the_same_identifier),
      cmocka_unit_test(a_peer_that_has_forgotten_its_identifier_is_reminded),
      cmocka_unit_test(rfc1661_5_3_a_renegotiated_identifier_is_naked_with_the_old_one),
      cmocka_unit_test(survives_death),
  };
  return cmocka_run_group_tests_name("ipv6cp", tests, NULL, NULL);
}
