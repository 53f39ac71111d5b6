/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "plugins/bcp/bcp.h"
#include "tests/unit/ppp/lone-ncp.h"

#define OUR_MAC  "020000000001"
#define DEFAULTS "030301 040301 0608020000000001 080301 0902 0a02"

static AditNcpParams params_with(gboolean client, const char *mac) {
  AditNcpParams p = {.size = sizeof p, .client = client, .bridge = "br0"};
  g_autoptr(GByteArray) octets = from_hex(mac);
  if (octets->len == 6)
    memcpy(p.local_mac, octets->data, 6);
  return p;
}

static Pair *lone_server(void) {
  const AditNcpParams s = params_with(FALSE, OUR_MAC);
  return ncp_lone(&bcp_desc, &s);
}

/** A Configure-Request of the peer's. */
static void peer_asks(Pair *pair, guint id, const char *options) {
  g_autoptr(GByteArray) octets = from_hex(options);
  g_autofree char *frame = g_strdup_printf("8031 01 %02x %04x %s", id, octets->len + 4, options);
  node_inject_text(&pair->a, frame);
}

/** Our `nth` request, less its header. */
static void expect_request(Pair *pair, guint nth, const char *options) {
  g_autoptr(GByteArray) want = from_hex(options);
  g_autofree char *packet = ncp_sent(pair, 1, nth);
  assert_non_null(packet);
  g_autoptr(GByteArray) got = from_hex(packet + 8);
  assert_int_equal(got->len, want->len);
  assert_memory_equal(got->data, want->data, want->len);
}

/** Agrees on our request and on `options` of the peer's; what the frames are like then. */
static BcpForm open_with(Pair *pair, const char *options) {
  BcpForm form;
  ncp_answer(pair, 1, 2, NULL);
  peer_asks(pair, 1, options);
  assert_int_equal(pair->a.ncps[0].opens, 1);
  memcpy(&form, pair->a.ncps[0].result.ether_params, sizeof form);
  return form;
}

static void all_is_offered_that_we_can_receive(void **state) {
  Pair *pair = lone_server();
  expect_request(pair, 1, DEFAULTS);
  pair_free(pair);
}

static void both_ends_open_and_learn_of_each_other(void **state) {
  const AditNcpParams c = params_with(TRUE, "020000000002"), s = params_with(FALSE, OUR_MAC);
  for (guint seed = 0; seed < 20; seed++) {
    Pair *pair = pair_new(seed);
    BcpForm form;
    node_add_ncp(&pair->a, &bcp_desc, &c);
    node_add_ncp(&pair->b, &bcp_desc, &s);
    pair_open(pair);
    pair_run(pair, 2000);
    const AditNcpResult *x = &pair->a.ncps[0].result, *y = &pair->b.ncps[0].result;
    assert_int_equal(pair->a.ncps[0].opens, 1);
    assert_int_equal(pair->b.ncps[0].opens, 1);
    assert_memory_equal(x->remote_mac, s.local_mac, 6);
    assert_memory_equal(y->remote_mac, c.local_mac, 6);
    assert_string_equal(x->bridge, "br0");
    memcpy(&form, x->ether_params, sizeof form);
    assert_true(form.tinygram && form.tagged && form.management && form.indicator && form.bpdu);
    assert_memory_equal(form.bpdu_source, s.local_mac, 6);
    pair_free(pair);
  }
}

static void nothing_is_sent_that_the_peer_did_not_offer_to_take(void **state) {
  Pair *pair = lone_server();
  BcpForm form = open_with(pair, "");
  assert_false(form.tinygram || form.tagged || form.management || form.indicator);
  assert_true(form.bpdu);                       /* 802.1D is the default */
  assert_int_equal(form.bpdu_source[0] & 3, 2); /* it has no address: one is made up for its BPDUs */
  pair_free(pair);
}

static void each_offer_of_the_peer_counts(void **state) {
  Pair *pair = lone_server();
  BcpForm form = open_with(pair, "030301 040301 0608020000000009 080301 0902 0a02");
  assert_true(form.tinygram && form.tagged && form.management && form.indicator && form.bpdu);
  assert_int_equal(form.bpdu_source[5], 9);
  ncp_expect_sent(pair, 2, 1,
                  "0201001903030104030106080200000000090803010902"
                  "0a02");
  pair_free(pair);
}

static void disabled_is_said_as_well(void **state) {
  Pair *pair = lone_server();
  BcpForm form = open_with(pair, "040302 080302");
  assert_false(form.tinygram || form.tagged);
  pair_free(pair);
}

/* ---- MAC-Address ---- */

static void a_zero_address_is_naked_with_one(void **state) {
  Pair *pair = lone_server();
  peer_asks(pair, 1, "0608000000000000");
  g_autofree char *nak = ncp_sent(pair, 3, 1);
  assert_true(g_str_has_prefix(nak, "0301000c0608"));
  g_autoptr(GByteArray) mac = from_hex(nak + 12);
  assert_int_equal(mac->data[0] & 3, 2); /* a station's, locally administered */
  peer_asks(pair, 2, "0608000000000000");
  g_autofree char *again = ncp_sent(pair, 3, 2);
  assert_string_equal(again + 8, nak + 8); /* the same, so that it can agree */
  g_autofree char *agreed = g_strdup_printf("0608%s", nak + 12);
  peer_asks(pair, 3, agreed);
  ncp_answer(pair, 1, 2, NULL);
  assert_int_equal(pair->a.ncps[0].opens, 1);
  assert_memory_equal(pair->a.ncps[0].result.remote_mac, mac->data, 6);
  pair_free(pair);
}

static void the_address_that_was_given_is_given_again(void **state) {
  Pair *pair = lone_server();
  peer_asks(pair, 1, "0608000000000000");
  g_autofree char *first = ncp_sent(pair, 3, 1);
  ncp_answer(pair, 1, 2, NULL);
  g_autofree char *agreed = g_strdup_printf("0608%s", first + 12);
  peer_asks(pair, 2, agreed);
  assert_int_equal(pair->a.ncps[0].opens, 1);
  pair->now += 60000;
  peer_asks(pair, 3, "0608000000000000");
  g_autofree char *second = ncp_sent(pair, 3, 2);
  assert_string_equal(second + 8, first + 8);
  pair_free(pair);
}

static void an_announced_address_that_no_station_has_is_rejected(void **state) {
  static const char *const bad[] = {"0608010000000001", "0608ffffffffffff", "0608" OUR_MAC};
  for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
    Pair *pair = lone_server();
    g_autofree char *reject = g_strdup_printf("0401000c%s", bad[i]);
    peer_asks(pair, 1, bad[i]);
    ncp_expect_sent(pair, 4, 1, reject);
    pair_free(pair);
  }
}

static void a_client_without_address_asks_for_one(void **state) {
  const AditNcpParams c = params_with(TRUE, "");
  Pair *pair = ncp_lone(&bcp_desc, &c);
  expect_request(pair, 1, "030301 040301 0608000000000000 080301 0902 0a02");
  ncp_answer(pair, 1, 3, "0608010000000001"); /* a group's: not taken */
  expect_request(pair, 2, "030301 040301 0608000000000000 080301 0902 0a02");
  ncp_answer(pair, 2, 3, "0608020000000077");
  expect_request(pair, 3, "030301 040301 0608020000000077 080301 0902 0a02");
  ncp_answer(pair, 3, 2, NULL);
  peer_asks(pair, 1, "");
  assert_int_equal(pair->a.ncps[0].result.local_mac[5], 0x77);
  pair_free(pair);
}

static void a_server_without_address_does_not_ask_for_one(void **state) {
  const AditNcpParams s = params_with(FALSE, "");
  Pair *pair = ncp_lone(&bcp_desc, &s);
  expect_request(pair, 1, "030301 040301 080301 0902 0a02");
  pair_free(pair);
}

static void a_nak_of_our_address_is_ignored_and_not_for_ever(void **state) {
  Pair *pair = lone_server();
  ncp_answer(pair, 1, 3, "0608020000000055");
  expect_request(pair, 2, DEFAULTS);
  ncp_answer(pair, 2, 3, "0608020000000055");
  expect_request(pair, 3, DEFAULTS);
  ncp_answer(pair, 3, 3, "0608020000000055");
  expect_request(pair, 4, "030301 040301 080301 0902 0a02");
  pair_free(pair);
}

/* ---- spanning tree ---- */

static void management_inline_refused_means_the_old_form(void **state) {
  Pair *pair = lone_server();
  ncp_answer(pair, 1, 4, "0902");
  expect_request(pair, 2, "030301 040301 0608" OUR_MAC " 070301 080301 0a02");
  ncp_answer(pair, 2, 2, NULL);
  peer_asks(pair, 1, "070301");
  assert_int_equal(pair->a.ncps[0].opens, 1);
  BcpForm form;
  memcpy(&form, pair->a.ncps[0].result.ether_params, sizeof form);
  assert_false(form.management);
  assert_true(form.bpdu);
  pair_free(pair);
}

/* MPPE encrypts BPDUs in frames alone (RFC 3078 4): without encryption of all that passes, the peer's word counts. */
static void required_encryption_has_bpdus_in_frames(void **state) {
  static const struct {
    const char *key, *word, *peer;
    gboolean management;
  } cases[] = {{"use-encryption", "yes", "070301", FALSE},        {"mppe-policy", "allowed", "070301", FALSE},
               {"use-encryption", "required", "070301", TRUE},    {"mppe-policy", "required", "070301", TRUE},
               {"use-encryption", "required", "", TRUE},          {"use-encryption", "required", "070300", FALSE},
               {"use-encryption", "required", "0902 0a02", TRUE}, {"use-encryption", "yes", "0902 0a02", TRUE}};

  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(AditValue) attributes = adit_value_map();
    AditNcpParams s = params_with(FALSE, OUR_MAC);
    adit_value_set(attributes, cases[i].key, adit_value_string(cases[i].word));
    s.attributes = attributes;
    Pair *pair = ncp_lone(&bcp_desc, &s);
    BcpForm form = open_with(pair, cases[i].peer);
    assert_int_equal(form.management, cases[i].management);
    pair_free(pair);
  }
}

static void a_higher_protocol_is_naked_with_ieee_802_1d(void **state) {
  static const char *const higher[] = {"070302", "070303", "070304", "07040103", "0702"};
  for (guint i = 0; i < G_N_ELEMENTS(higher); i++) {
    Pair *pair = lone_server();
    peer_asks(pair, 1, higher[i]);
    ncp_expect_sent(pair, 3, 1, "03010007070301");
    pair_free(pair);
  }
}

static void a_peer_without_spanning_tree_gets_no_bpdus(void **state) {
  Pair *pair = lone_server();
  BcpForm form = open_with(pair, "070300");
  assert_false(form.bpdu);
  pair_free(pair);
}

/* RFC 3518 4.1.4 (b): it runs without spanning tree. */
static void a_peer_that_rejects_both_forms_gets_no_bpdus(void **state) {
  Pair *pair = lone_server();
  ncp_answer(pair, 1, 4, "0902");
  ncp_answer(pair, 2, 4, "070301");
  expect_request(pair, 3, "030301 040301 0608" OUR_MAC " 080301 0a02");
  ncp_answer(pair, 3, 2, NULL);
  peer_asks(pair, 1, "");
  BcpForm form;
  memcpy(&form, pair->a.ncps[0].result.ether_params, sizeof form);
  assert_int_equal(pair->a.ncps[0].opens, 1);
  assert_false(form.management || form.bpdu);
  pair_free(pair);
}

static void a_nak_with_another_protocol_leaves_none(void **state) {
  Pair *pair = lone_server();
  ncp_answer(pair, 1, 4, "0902");
  ncp_answer(pair, 2, 3, "070304");
  expect_request(pair, 3, "030301 040301 0608" OUR_MAC " 070300 080301 0a02");
  ncp_answer(pair, 3, 2, NULL);
  peer_asks(pair, 1, "");
  BcpForm form;
  memcpy(&form, pair->a.ncps[0].result.ether_params, sizeof form);
  assert_int_equal(pair->a.ncps[0].opens, 1);
  assert_false(form.bpdu);
  pair_free(pair);
}

/* ---- the others ---- */

static void all_mac_types_are_acknowledged(void **state) {
  Pair *pair = lone_server();
  open_with(pair, "030302 030303 03030b 030301");
  ncp_expect_sent(pair, 2, 1, "0201001003030203030303030b030301");
  pair_free(pair);
}

static void a_peer_that_bridges_no_ethernet_does_not_open(void **state) {
  Pair *pair = lone_server();
  ncp_answer(pair, 1, 2, NULL);
  peer_asks(pair, 1, "030303");
  assert_int_equal(pair->a.ncps[0].opens, 0);
  pair_run(pair, 20000);
  assert_string_equal(pair->a.ncps[0].why, "the peer bridges no Ethernet");
  pair_free(pair);
}

/* A value that is no value, a length that is no length, an option that is gone (5) or never was. */
static void what_makes_no_sense_is_rejected(void **state) {
  static const char *const bad[] = {"040303", "040300",         "080303", "08040101", "0402",   "0903aa",  "0a03aa",
                                    "0302",   "06070200000000", "050301", "0b02",     "ff03aa", "00020000"};
  for (guint i = 0; i < G_N_ELEMENTS(bad) - 1; i++) {
    Pair *pair = lone_server();
    g_autofree char *reject = g_strdup_printf("0401%04x%s", (guint)strlen(bad[i]) / 2 + 4, bad[i]);
    peer_asks(pair, 1, bad[i]);
    ncp_expect_sent(pair, 4, 1, reject);
    pair_free(pair);
  }
}

static void each_refused_option_is_left_out(void **state) {
  static const char *const options[] = {"030301", "040301", "0608" OUR_MAC, "080301", "0a02"};
  for (guint i = 0; i < G_N_ELEMENTS(options); i++) {
    Pair *pair = lone_server();
    ncp_answer(pair, 1, 4, options[i]);
    g_autofree char *second = ncp_sent(pair, 1, 2);
    g_autofree char *first = ncp_sent(pair, 1, 1);
    assert_non_null(strstr(first, options[i]));
    assert_null(strstr(second, options[i]));
    assert_int_equal(strlen(first) - strlen(second), strlen(options[i]));
    pair_free(pair);
  }
}

static void naks_that_disable_are_followed(void **state) {
  Pair *pair = lone_server();
  ncp_answer(pair, 1, 3, "040302080302");
  expect_request(pair, 2, "030301 040302 0608" OUR_MAC " 080302 0902 0a02");
  pair_free(pair);
}

static void naks_of_what_has_no_other_value_are_taken_as_rejects(void **state) {
  Pair *pair = lone_server();
  ncp_answer(pair, 1, 3, "03030109020a02");
  expect_request(pair, 2, "040301 0608" OUR_MAC " 070301 080301");
  ncp_answer(pair, 2, 2, NULL);
  peer_asks(pair, 1, "");
  assert_int_equal(pair->a.ncps[0].opens, 1);
  pair_free(pair);
}

/* ---- source routing ---- */

static AditValue *numbers(const char *name, guint16 value) {
  AditValue *map = adit_value_map();
  const guint8 octets[2] = {(guint8)(value >> 8), (guint8)value};
  adit_value_set(map, name, adit_value_octets(octets, 2));
  return map;
}

static void numbers_of_source_routing_are_rejected_where_none_are_configured(void **state) {
  Pair *pair = lone_server();
  peer_asks(pair, 1, "01040a11 02040a11");
  ncp_expect_sent(pair, 4, 1, "0401000c01040a1102040a11");
  pair_free(pair);
}

static void the_higher_number_wins(void **state) {
  static const struct {
    const char *name, *lower, *higher, *nak_to_higher, *result;
    guint16 own;
  } cases[] = {
      {"bridge-identification", "01040bb1", "01040bb3", "01040bb2", "01040a13", 0x0a12},
      {"line-identification", "02040095", "02040bb1", "02040a15", "02040bb2", 0x0a12},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    AditNcpParams s = params_with(FALSE, OUR_MAC);
    g_autoptr(AditValue) attributes = numbers(cases[i].name, cases[i].own);
    g_autofree char *nak = g_strdup_printf("03010008%s", cases[i].nak_to_higher),
                    *second = g_strdup_printf("%s " DEFAULTS, cases[i].result);
    s.attributes = attributes;
    Pair *pair = ncp_lone(&bcp_desc, &s);
    peer_asks(pair, 1, cases[i].lower);
    ncp_expect_sent(pair, 3, 1, nak);
    ncp_answer(pair, 1, 3, cases[i].higher);
    expect_request(pair, 2, second);
    ncp_answer(pair, 2, 2, NULL);
    peer_asks(pair, 2, cases[i].higher);
    assert_int_equal(pair->a.ncps[0].opens, 1);
    pair_free(pair);
  }
}

static void numbers_that_differ_do_not_open(void **state) {
  AditNcpParams s = params_with(FALSE, OUR_MAC);
  g_autoptr(AditValue) attributes = numbers("bridge-identification", 0x0a12);
  s.attributes = attributes;
  Pair *pair = ncp_lone(&bcp_desc, &s);
  ncp_answer(pair, 1, 2, NULL);
  peer_asks(pair, 1, "01040a13"); /* acknowledged, as it is higher; but it took ours, too */
  assert_int_equal(pair->a.ncps[0].opens, 0);
  pair_run(pair, 20000);
  assert_string_equal(pair->a.ncps[0].why, "the numbers of source routing differ");
  pair_free(pair);
}

static void a_number_that_is_refused_ends_it(void **state) {
  AditNcpParams s = params_with(FALSE, OUR_MAC);
  g_autoptr(AditValue) attributes = numbers("line-identification", 0x0a12);
  s.attributes = attributes;
  Pair *pair = ncp_lone(&bcp_desc, &s);
  ncp_answer(pair, 1, 4, "02040a12");
  pair_run(pair, 20000);
  assert_int_equal(pair->a.ncps[0].opens, 0);
  assert_string_equal(pair->a.ncps[0].why, "the peer refuses an option that is needed");
  pair_free(pair);
}

/* ---- life ---- */

static void what_was_agreed_is_shown_while_it_is_open(void **state) {
  Pair *pair = lone_server();
  assert_null(adit_ncp_describe(pair->a.ncps[0].ncp));
  open_with(pair, "040301 0608020000000009 070301");
  g_autoptr(AditValue) shown = adit_ncp_describe(pair->a.ncps[0].ncp);
  assert_string_equal(adit_value_get_string(shown, "bridge", ""), "br0");
  assert_string_equal(adit_value_get_string(shown, "local-mac", ""), "02:00:00:00:00:01");
  assert_string_equal(adit_value_get_string(shown, "remote-mac", ""), "02:00:00:00:00:09");
  assert_string_equal(adit_value_get_string(shown, "spanning-tree", ""), "old-form");
  assert_true(adit_value_get_bool(shown, "tinygram-compression", FALSE));
  assert_false(adit_value_get_bool(shown, "tagged-frames", TRUE));
  node_inject_text(&pair->a, "8031 05 07 0004");
  assert_null(adit_ncp_describe(pair->a.ncps[0].ncp));
  pair_free(pair);
}

/* Frames of 0x0201 are BCP's data, too; but it does not live by them: a peer without spanning tree rejects them, and bridging goes on. */
static void bpdus_in_the_old_form_are_its_data_and_may_be_rejected(void **state) {
  Pair *pair = lone_server();
  open_with(pair, "");
  node_inject_text(&pair->a, "0201 00000080");
  node_inject_text(&pair->a, "0031 0001 020000000001020000000002 0800");
  assert_int_equal(pair->a.data, 2);
  assert_int_equal(pair->a.unknown, 0);
  node_inject_text(&pair->a, "c021 08 01 000a 0201 00000080");
  assert_int_equal(pair->a.rejected, 0x0201);
  assert_true(adit_ncp_is_open(pair->a.ncps[0].ncp));
  node_inject_text(&pair->a, "c021 08 02 000a 0031 0001ffff");
  assert_false(adit_ncp_is_open(pair->a.ncps[0].ncp));
  pair_free(pair);
}

static void opens_on_a_bad_network(void **state) {
  const AditNcpParams c = params_with(TRUE, ""), s = params_with(FALSE, OUR_MAC);
  guint opened = 0;
  for (guint seed = 0; seed < 200; seed++) {
    Pair *pair = pair_new(seed);
    node_add_ncp(&pair->a, &bcp_desc, &c);
    node_add_ncp(&pair->b, &bcp_desc, &s);
    pair_open(pair);
    pair->loss = 20;
    pair->twice = 10;
    pair->delay_ms = 400;
    pair_run(pair, 60000);
    pair->loss = pair->twice = 0;
    pair_run(pair, 60000);
    if (pair->a.ncps[0].opens && pair->b.ncps[0].opens && pair->a.network && pair->b.network) {
      opened++;
      assert_memory_equal(pair->a.ncps[0].result.local_mac, pair->b.ncps[0].result.remote_mac, 6);
      assert_memory_equal(pair->b.ncps[0].result.local_mac, pair->a.ncps[0].result.remote_mac, 6);
    }
    pair_free(pair);
  }
  assert_true(opened > 150);
}

static void survives_death(void **state) {
  const AditNcpParams c = params_with(TRUE, ""), s = params_with(FALSE, OUR_MAC);
  for (guint step = 0; step < 12; step++) {
    Pair *pair = pair_new(step);
    AditNcpResult x, y;
    node_add_ncp(&pair->a, &bcp_desc, &c);
    node_add_ncp(&pair->b, &bcp_desc, &s);
    pair_open(pair);
    pair_run(pair, step);
    node_reincarnate(&pair->a);
    node_reincarnate(&pair->b);
    pair_run(pair, 20000);
    node_reincarnate(&pair->a);
    assert_true(adit_ncp_result(pair->a.ncps[0].ncp, &x) && adit_ncp_result(pair->b.ncps[0].ncp, &y));
    assert_memory_equal(x.local_mac, y.remote_mac, 6);
    assert_memory_equal(y.local_mac, x.remote_mac, 6);
    assert_int_equal(x.local_mac[0] & 3, 2);
    BcpForm form;
    memcpy(&form, x.ether_params, sizeof form);
    assert_true(form.tinygram && form.tagged && form.management && form.indicator);
    pair_free(pair);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_is_offered_that_we_can_receive),
      cmocka_unit_test(both_ends_open_and_learn_of_each_other),
      cmocka_unit_test(nothing_is_sent_that_the_peer_did_not_offer_to_take),
      cmocka_unit_test(each_offer_of_the_peer_counts),
      cmocka_unit_test(disabled_is_said_as_well),
      cmocka_unit_test(a_zero_address_is_naked_with_one),
      cmocka_unit_test(the_address_that_was_given_is_given_again),
      cmocka_unit_test(an_announced_address_that_no_station_has_is_rejected),
      cmocka_unit_test(a_client_without_address_asks_for_one),
      cmocka_unit_test(a_server_without_address_does_not_ask_for_one),
      cmocka_unit_test(a_nak_of_our_address_is_ignored_and_not_for_ever),
      cmocka_unit_test(management_inline_refused_means_the_old_form),
      cmocka_unit_test(a_higher_protocol_is_naked_with_ieee_802_1d),
      cmocka_unit_test(a_peer_without_spanning_tree_gets_no_bpdus),
      cmocka_unit_test(required_encryption_has_bpdus_in_frames),
      cmocka_unit_test(a_peer_that_rejects_both_forms_gets_no_bpdus),
      cmocka_unit_test(a_nak_with_another_protocol_leaves_none),
      cmocka_unit_test(all_mac_types_are_acknowledged),
      cmocka_unit_test(a_peer_that_bridges_no_ethernet_does_not_open),
      cmocka_unit_test(what_makes_no_sense_is_rejected),
      cmocka_unit_test(each_refused_option_is_left_out),
      cmocka_unit_test(naks_that_disable_are_followed),
      cmocka_unit_test(naks_of_what_has_no_other_value_are_taken_as_rejects),
      cmocka_unit_test(numbers_of_source_routing_are_rejected_where_none_are_configured),
      cmocka_unit_test(the_higher_number_wins),
      cmocka_unit_test(numbers_that_differ_do_not_open),
      cmocka_unit_test(a_number_that_is_refused_ends_it),
      cmocka_unit_test(what_was_agreed_is_shown_while_it_is_open),
      cmocka_unit_test(bpdus_in_the_old_form_are_its_data_and_may_be_rejected),
      cmocka_unit_test(opens_on_a_bad_network),
      cmocka_unit_test(survives_death),
  };
  return cmocka_run_group_tests_name("bcp", tests, NULL, NULL);
}
