/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "plugins/ipcp/ipcp.h"
#include "tests/unit/ppp/lone-ncp.h"

static AditAddress ip(const char *text) {
  AditAddress a;
  assert_true(adit_address_parse(text, &a));
  return a;
}

static AditNcpParams server_params(void) {
  return (AditNcpParams){.size = sizeof(AditNcpParams),
                         .local4 = ip("192.0.2.1"),
                         .remote4 = ip("192.0.2.77"),
                         .dns = {ip("192.0.2.53"), ip("198.51.100.53")}};
}

static AditNcpParams client_params(void) {
  return (AditNcpParams){.size = sizeof(AditNcpParams), .client = TRUE, .want_dns = TRUE};
}

/** Both ends of a link without authentication, a the client. */
static Pair *both(const AditNcpParams *client, const AditNcpParams *server) {
  Pair *pair = pair_new(1);
  node_add_ncp(&pair->a, &ipcp_desc, client);
  node_add_ncp(&pair->b, &ipcp_desc, server);
  pair_open(pair);
  pair_run(pair, 2000);
  return pair;
}

static void assert_address(const AditAddress *address, const char *text) {
  char buffer[ADIT_ADDRESS_TEXT];
  assert_string_equal(adit_address_format(address, buffer), text);
}

static void a_client_gets_its_address_and_name_servers(void **state) {
  const AditNcpParams c = client_params(), s = server_params();
  Pair *pair = both(&c, &s);
  const AditNcpResult *client = &pair->a.ncps[0].result, *server = &pair->b.ncps[0].result;
  assert_int_equal(pair->a.ncps[0].opens, 1);
  assert_int_equal(pair->b.ncps[0].opens, 1);
  assert_address(&client->local4, "192.0.2.77");
  assert_address(&client->remote4, "192.0.2.1");
  assert_address(&client->dns[0], "192.0.2.53");
  assert_address(&client->dns[1], "198.51.100.53");
  assert_address(&server->local4, "192.0.2.1");
  assert_address(&server->remote4, "192.0.2.77");
  pair_free(pair);
}

static void a_client_that_wants_no_name_servers_asks_for_none(void **state) {
  const AditNcpParams s = server_params();
  AditNcpParams c = client_params();
  c.want_dns = FALSE;
  Pair *pair = both(&c, &s);
  assert_int_equal(pair->a.ncps[0].opens, 1);
  assert_false(adit_address_is_set(&pair->a.ncps[0].result.dns[0]));
  g_autofree char *request = ncp_sent(pair, 1, 1);
  assert_string_equal(request + 8, "030600000000");
  pair_free(pair);
}

static void rfc1332_3_3_zero_is_naked_with_the_address(void **state) {
  const AditNcpParams s = server_params();
  Pair *pair = ncp_lone(&ipcp_desc, &s);
  node_inject_text(&pair->a, "8021 01 01 000a 0306 00000000");
  ncp_expect_sent(pair, 3, 1, "0301000a0306c000024d");
  node_inject_text(&pair->a, "8021 01 02 000a 0306 c000024d");
  ncp_expect_sent(pair, 2, 1, "0202000a0306c000024d");
  ncp_answer(pair, 1, 2, NULL);
  assert_int_equal(pair->a.ncps[0].opens, 1);
  pair_free(pair);
}

static void rfc1332_3_3_a_self_chosen_address_is_refused_unless_allowed(void **state) {
  AditNcpParams s = server_params();
  Pair *pair = ncp_lone(&ipcp_desc, &s);
  node_inject_text(&pair->a, "8021 01 01 000a 0306 cb007105");
  ncp_expect_sent(pair, 3, 1, "0301000a0306c000024d");
  pair_free(pair);

  s.accept_remote4 = TRUE;
  pair = ncp_lone(&ipcp_desc, &s);
  node_inject_text(&pair->a, "8021 01 01 000a 0306 cb007105");
  ncp_expect_sent(pair, 2, 1, "0201000a0306cb007105");
  ncp_answer(pair, 1, 2, NULL);
  assert_address(&pair->a.ncps[0].result.remote4, "203.0.113.5");
  pair_free(pair);
}

static void an_address_that_no_host_may_have_is_never_taken(void **state) {
  static const char *const bad[] = {"c0000201" /* ours */, "7f000001", "e0000001", "ffffffff", "00000001"};
  AditNcpParams s = server_params();
  s.accept_remote4 = TRUE;
  for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
    Pair *pair = ncp_lone(&ipcp_desc, &s);
    g_autofree char *frame = g_strdup_printf("8021 01 01 000a 0306 %s", bad[i]);
    node_inject_text(&pair->a, frame);
    ncp_expect_sent(pair, 3, 1, "0301000a0306c000024d");
    pair_free(pair);
  }
}

static void rfc1332_3_1_old_ip_addresses_option_is_rejected(void **state) {
  const AditNcpParams s = server_params();
  Pair *pair = ncp_lone(&ipcp_desc, &s);
  node_inject_text(&pair->a, "8021 01 01 000e 010a c000024d c0000201");
  ncp_expect_sent(pair, 4, 1, "0401000e010ac000024dc0000201");
  pair_free(pair);
}

static void rfc1332_3_2_vj_compression_is_rejected(void **state) {
  const AditNcpParams s = server_params();
  Pair *pair = ncp_lone(&ipcp_desc, &s);
  node_inject_text(&pair->a, "8021 01 01 0010 0206 002d 0f01 0306 c000024d");
  ncp_expect_sent(pair, 4, 1, "0401000a0206002d0f01");
  pair_free(pair);
}

static void a_missing_address_is_asked_for(void **state) {
  const AditNcpParams s = server_params();
  Pair *pair = ncp_lone(&ipcp_desc, &s);
  node_inject_text(&pair->a, "8021 01 01 0004");
  ncp_expect_sent(pair, 3, 1, "0301000a0306c000024d");
  for (guint i = 2; i < 6; i++)
    node_inject_text(&pair->a, "8021 01 01 0004");
  assert_null(ncp_sent(pair, 2, 1));
  node_inject_text(&pair->a, "8021 01 01 0004"); /* it will not: so be it (RFC 1661 4.6) */
  ncp_expect_sent(pair, 2, 1, "02010004");
  ncp_answer(pair, 1, 2, NULL);
  assert_address(&pair->a.ncps[0].result.remote4, "192.0.2.77");
  pair_free(pair);
}

static void rfc1877_1_name_servers_are_naked_or_rejected(void **state) {
  AditNcpParams s = server_params();
  s.dns[1] = (AditAddress){0};
  s.wins[0] = ip("192.0.2.42");
  Pair *pair = ncp_lone(&ipcp_desc, &s);
  node_inject_text(&pair->a, "8021 01 01 0022 0306 c000024d 8106 00000000 8206 00000000 8306 00000000 8406 00000000");
  ncp_expect_sent(pair, 4, 1,
                  "0401001083060000000084060000"
                  "0000");
  node_inject_text(&pair->a, "8021 01 02 0016 0306 c000024d 8106 00000000 8206 00000000");
  ncp_expect_sent(pair, 3, 1,
                  "030200108106c000023582"
                  "06c000022a");
  node_inject_text(&pair->a, "8021 01 03 0016 0306 c000024d 8106 c0000235 8206 c000022a");
  ncp_expect_sent(pair, 2, 1, "020300160306c000024d8106c00002358206c000022a");
  pair_free(pair);
}

static void rfc1877_in_peer_mode_nobody_gets_name_servers_of_us(void **state) {
  const AditNcpParams c = client_params();
  Pair *pair = ncp_lone(&ipcp_desc, &c);
  node_inject_text(&pair->a, "8021 01 01 0010 0306 c0000201 8106 00000000");
  ncp_expect_sent(pair, 4, 1, "0401000a810600000000");
  pair_free(pair);
}

static void a_client_lives_without_name_servers(void **state) {
  const AditNcpParams c = client_params();
  Pair *pair = ncp_lone(&ipcp_desc, &c);
  g_autofree char *first = ncp_sent(pair, 1, 1);
  assert_string_equal(first + 8, "030600000000810600000000830600000000");
  ncp_answer(pair, 1, 4, "810600000000830600000000");
  ncp_answer(pair, 2, 3, "0306c000024d");
  g_autofree char *third = ncp_sent(pair, 1, 3);
  assert_string_equal(third + 8, "0306c000024d");
  ncp_answer(pair, 3, 2, NULL);
  node_inject_text(&pair->a, "8021 01 01 000a 0306 c0000201");
  assert_int_equal(pair->a.ncps[0].opens, 1);
  assert_address(&pair->a.ncps[0].result.local4, "192.0.2.77");
  assert_false(adit_address_is_set(&pair->a.ncps[0].result.dns[0]));
  pair_free(pair);
}

static void a_client_without_an_address_does_not_open(void **state) {
  const AditNcpParams c = client_params();
  Pair *pair = ncp_lone(&ipcp_desc, &c);
  ncp_answer(pair, 1, 2, NULL); /* acknowledges 0.0.0.0 */
  node_inject_text(&pair->a, "8021 01 01 000a 0306 c0000201");
  assert_int_equal(pair->a.ncps[0].opens, 0);
  node_inject_text(&pair->a, "8021 06 01 0004");
  pair_run(pair, 10000);
  assert_int_equal(pair->a.ncps[0].closes, 1);
  assert_string_equal(pair->a.ncps[0].why, "the server assigned no address");
  assert_int_equal(pair->a.ncps[0].downs, 0);
  pair_free(pair);
}

static void a_client_can_not_live_with_its_address_rejected(void **state) {
  const AditNcpParams c = client_params();
  Pair *pair = ncp_lone(&ipcp_desc, &c);
  ncp_answer(pair, 1, 4, "030600000000");
  pair_run(pair, 10000);
  assert_int_equal(pair->a.ncps[0].closes, 1);
  assert_true(pair->a.network); /* the link goes on */
  pair_free(pair);
}

static void a_server_keeps_its_own_address(void **state) {
  const AditNcpParams s = server_params();
  Pair *pair = ncp_lone(&ipcp_desc, &s);
  ncp_answer(pair, 1, 3, "03060a000001");
  g_autofree char *second = ncp_sent(pair, 1, 2);
  assert_string_equal(second + 8, "0306c0000201");
  ncp_answer(pair, 2, 4, "0306c0000201"); /* rejected: it need not know */
  g_autofree char *third = ncp_sent(pair, 1, 3);
  assert_string_equal(third + 8, "");
  pair_free(pair);
}

static void options_of_a_wrong_length_are_rejected(void **state) {
  const AditNcpParams s = server_params();
  Pair *pair = ncp_lone(&ipcp_desc, &s);
  node_inject_text(&pair->a, "8021 01 01 000b 0302 8105 010203");
  ncp_expect_sent(pair, 4, 1, "0401000b03028105010203");
  const AditNcpParams c = client_params();
  Pair *other = ncp_lone(&ipcp_desc, &c);
  ncp_answer(other, 1, 3, "0303000302"); /* a Nak with nonsense */
  g_autofree char *second = ncp_sent(other, 1, 2);
  assert_string_equal(second + 8, "030600000000810600000000830600000000");
  pair_free(pair);
  pair_free(other);
}

static void renegotiation_begins_at_the_start(void **state) {
  const AditNcpParams c = client_params(), s = server_params();
  Pair *pair = both(&c, &s);
  pair->now += 60000;
  node_inject_text(&pair->b, "8021 01 77 000a 0306 00000000");
  assert_int_equal(pair->b.ncps[0].downs, 1);
  pair_run(pair, 10000);
  assert_true(adit_ncp_is_open(pair->a.ncps[0].ncp) && adit_ncp_is_open(pair->b.ncps[0].ncp));
  assert_address(&pair->a.ncps[0].result.local4, "192.0.2.77");
  pair_free(pair);
}

typedef struct {
  guint32 good;
  guint asked;
} Choice;

static gboolean choose(gpointer user, const AditAddress *address) {
  Choice *choice = user;
  choice->asked++;
  return adit_address_to_ipv4(address) == choice->good;
}

static void a_choice_that_the_session_refuses_is_naked_with_the_offer(void **state) {
  Choice choice = {.good = 0xcb007106};
  AditNcpParams s = server_params();
  s.accept_remote4 = TRUE;
  s.choose = choose;
  s.choose_user = &choice;
  Pair *pair = ncp_lone(&ipcp_desc, &s);
  node_inject_text(&pair->a, "8021 01 01 000a 0306 cb007105");
  ncp_expect_sent(pair, 3, 1, "0301000a0306c000024d");
  node_inject_text(&pair->a, "8021 01 02 000a 0306 c000024d"); /* the offer is nobody's choice */
  ncp_expect_sent(pair, 2, 1, "0202000a0306c000024d");
  assert_int_equal(choice.asked, 1);
  node_inject_text(&pair->a, "8021 01 03 000a 0306 cb007106");
  ncp_expect_sent(pair, 2, 2, "0203000a0306cb007106");
  pair_free(pair);

  s.remote4 = (AditAddress){0}; /* nothing to offer */
  pair = ncp_lone(&ipcp_desc, &s);
  node_inject_text(&pair->a, "8021 01 01 000a 0306 cb007105");
  ncp_expect_sent(pair, 4, 1, "0401000a0306cb007105");
  node_inject_text(&pair->a, "8021 01 02 000a 0306 7f000035"); /* the session is not even asked */
  assert_int_equal(choice.asked, 3);
  ncp_expect_sent(pair, 4, 2, "0402000a03067f000035");
  pair_free(pair);
}

static void rfc1661_5_3_a_renegotiated_address_is_naked_with_the_old_one(void **state) {
  AditNcpParams s = server_params();
  s.accept_remote4 = TRUE;
  Pair *pair = ncp_lone(&ipcp_desc, &s);
  node_inject_text(&pair->a, "8021 01 01 000a 0306 cb007105");
  ncp_answer(pair, 1, 2, NULL);
  assert_int_equal(pair->a.ncps[0].opens, 1);

  pair->now += 60000;
  node_inject_text(&pair->a, "8021 01 02 000a 0306 cb007106");
  ncp_expect_sent(pair, 3, 1, "0302000a0306cb007105");
  node_inject_text(&pair->a, "8021 01 03 000a 0306 c000024d"); /* what it was offered once is not in force, either */
  ncp_expect_sent(pair, 3, 2, "0303000a0306cb007105");
  node_inject_text(&pair->a, "8021 01 04 0004"); /* none at all */
  ncp_expect_sent(pair, 3, 3, "0304000a0306cb007105");
  node_inject_text(&pair->a, "8021 01 05 000a 0306 cb007105");
  ncp_answer(pair, 2, 2, NULL);
  assert_int_equal(pair->a.ncps[0].opens, 2);
  assert_address(&pair->a.ncps[0].result.remote4, "203.0.113.5");
  assert_int_equal(pair->a.ncps[0].closes, 0);
  pair_free(pair);
}

static void a_client_keeps_the_address_that_it_has(void **state) {
  const AditNcpParams c = client_params();
  Pair *pair = ncp_lone(&ipcp_desc, &c);
  ncp_answer(pair, 1, 3, "0306c000024d");
  node_inject_text(&pair->a, "8021 01 01 000a 0306 c0000201");
  ncp_answer(pair, 2, 2, NULL);
  assert_int_equal(pair->a.ncps[0].opens, 1);
  assert_address(&pair->a.ncps[0].result.local4, "192.0.2.77");

  pair->now += 60000;
  node_inject_text(&pair->a, "8021 01 02 000a 0306 c0000202"); /* the server's end has another */
  ncp_expect_sent(pair, 3, 1, "0302000a0306c0000201");
  node_inject_text(&pair->a, "8021 01 03 000a 0306 c0000201");
  ncp_answer(pair, 3, 3, "0306c000024e"); /* and wants us to have another, too */
  g_autofree char *again = ncp_sent(pair, 1, 4);
  assert_memory_equal(again + 8, "0306c000024d", 12);
  ncp_answer(pair, 4, 2, NULL);
  assert_int_equal(pair->a.ncps[0].opens, 2);
  assert_address(&pair->a.ncps[0].result.local4, "192.0.2.77");
  pair_free(pair);
}

static void rfc1661_3_7_a_peer_that_terminated_may_begin_anew_at_once(void **state) {
  const AditNcpParams s = server_params();
  Pair *pair = ncp_lone(&ipcp_desc, &s);
  node_inject_text(&pair->a, "8021 01 01 000a 0306 c000024d");
  ncp_answer(pair, 1, 2, NULL);
  assert_int_equal(pair->a.ncps[0].opens, 1);

  pair->now += 1000;
  node_inject_text(&pair->a, "8021 05 02 0004");
  ncp_expect_sent(pair, 6, 1, "06020004");
  assert_int_equal(pair->a.ncps[0].downs, 1);
  pair->now += 2000;
  node_inject_text(&pair->a, "8021 01 03 000a 0306 c000024d");
  ncp_expect_sent(pair, 2, 2, "0203000a0306c000024d");
  ncp_answer(pair, 2, 2, NULL);
  assert_int_equal(pair->a.ncps[0].opens, 2);
  pair_run(pair, 10000);
  assert_int_equal(pair->a.ncps[0].closes, 0);
  assert_true(adit_ncp_is_open(pair->a.ncps[0].ncp));

  /* One that does not come back is over when its Terminate-Request is settled. */
  node_inject_text(&pair->a, "8021 05 04 0004");
  pair_run(pair, 10000);
  assert_int_equal(pair->a.ncps[0].closes, 1);
  pair_free(pair);
}

static void what_we_closed_ourselves_stays_closed(void **state) {
  const AditNcpParams s = server_params();
  Pair *pair = ncp_lone(&ipcp_desc, &s);
  node_inject_text(&pair->a, "8021 01 01 000a 0306 c000024d");
  ncp_answer(pair, 1, 2, NULL);
  node_inject_text(&pair->a, "8021 05 02 0004");
  adit_ncp_close(pair->a.ncps[0].ncp, "the kernel refused");
  node_inject_text(&pair->a, "8021 01 03 000a 0306 c000024d");
  pair_run(pair, 10000);
  assert_int_equal(pair->a.ncps[0].opens, 1);
  assert_int_equal(pair->a.ncps[0].closes, 1);
  pair_free(pair);
}

static void survives_death(void **state) {
  const AditNcpParams c = client_params(), s = server_params();
  AditNcpResult result;
  for (guint step = 0; step < 12; step++) {
    Pair *pair = pair_new(step);
    node_add_ncp(&pair->a, &ipcp_desc, &c);
    node_add_ncp(&pair->b, &ipcp_desc, &s);
    pair_open(pair);
    pair_run(pair, step);
    node_reincarnate(&pair->a);
    node_reincarnate(&pair->b);
    pair_run(pair, 20000);
    assert_true(adit_ncp_result(pair->a.ncps[0].ncp, &result));
    assert_address(&result.local4, "192.0.2.77");
    assert_address(&result.dns[1], "198.51.100.53");
    assert_true(adit_ncp_result(pair->b.ncps[0].ncp, &result));
    assert_address(&result.remote4, "192.0.2.77");
    pair->now += 60000;
    node_inject_text(&pair->a, "8021 01 77 000a 0306 c0000209"); /* what is in force outlives it, too */
    g_autofree char *nak = node_sent(&pair->a, ADIT_PPP_IPCP, 3, 1);
    assert_string_equal(nak, "0377000a0306c0000201");
    pair_free(pair);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_client_gets_its_address_and_name_servers),
      cmocka_unit_test(a_client_that_wants_no_name_servers_asks_for_none),
      cmocka_unit_test(rfc1332_3_3_zero_is_naked_with_the_address),
      cmocka_unit_test(rfc1332_3_3_a_self_chosen_address_is_refused_unless_allowed),
      cmocka_unit_test(an_address_that_no_host_may_have_is_never_taken),
      cmocka_unit_test(rfc1332_3_1_old_ip_addresses_option_is_rejected),
      cmocka_unit_test(rfc1332_3_2_vj_compression_is_rejected),
      cmocka_unit_test(a_missing_address_is_asked_for),
      cmocka_unit_test(rfc1877_1_name_servers_are_naked_or_rejected),
      cmocka_unit_test(rfc1877_in_peer_mode_nobody_gets_name_servers_of_us),
      cmocka_unit_test(a_client_lives_without_name_servers),
      cmocka_unit_test(a_client_without_an_address_does_not_open),
      cmocka_unit_test(a_client_can_not_live_with_its_address_rejected),
      cmocka_unit_test(a_server_keeps_its_own_address),
      cmocka_unit_test(options_of_a_wrong_length_are_rejected),
      cmocka_unit_test(renegotiation_begins_at_the_start),
      cmocka_unit_test(a_choice_that_the_session_refuses_is_naked_with_the_offer),
      cmocka_unit_test(rfc1661_5_3_a_renegotiated_address_is_naked_with_the_old_one),
      cmocka_unit_test(a_client_keeps_the_address_that_it_has),
      cmocka_unit_test(rfc1661_3_7_a_peer_that_terminated_may_begin_anew_at_once),
      cmocka_unit_test(what_we_closed_ourselves_stays_closed),
      cmocka_unit_test(survives_death),
  };
  return cmocka_run_group_tests_name("ipcp", tests, NULL, NULL);
}
