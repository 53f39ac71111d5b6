/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "links.h"

/* ---- LCP options ---- */

static void rfc1661_6_1_mru(void **state) {
  Pair *pair = pair_new(1);
  pair->a.params.mru = 1450;
  pair->a.params.mtu = 1400;
  pair->b.params.mru = 1300;
  pair_open(pair);
  pair_run(pair, 100);
  g_autofree char *options = link_request_options(&pair->a, 1);
  assert_true(g_str_has_prefix(options, "010405aa0506"));
  assert_int_equal(pair->a.mtu, 1300); /* the peer's MRU */
  assert_int_equal(pair->b.mtu, 1450);
  assert_int_equal(link_info_of(&pair->b).peer_mru, 1450);
  pair_free(pair);
}

static void rfc1661_6_1_a_tiny_mru_is_naked_and_a_1500_octet_packet_always_taken(void **state) {
  Pair *pair = link_lone();
  pair->a.params.mru = 1300;
  link_lone_open(pair);
  node_inject_text(&pair->a, "c021 01 01 0008 0104 0010");
  g_autofree char *nak = node_sent(&pair->a, ADIT_PPP_LCP, 3, 1);
  assert_string_equal(nak, "0301000801040080");

  link_lone_agree(pair, 1);
  guint8 frame[1502] = {0xc0, 0x21, 9, 1, 1500 >> 8, 1500 & 255};
  node_inject(&pair->a, frame, sizeof frame);
  g_autofree char *reply = node_sent(&pair->a, ADIT_PPP_LCP, 10, 1);
  assert_int_equal(strlen(reply), 3000);
  pair_free(pair);
}

static void rfc1570_2_3_callback_and_what_else_is_unknown_is_rejected(void **state) {
  /* as Windows asks: MRU 1400, magic, PFC, ACFC, callback, MRRU, endpoint discriminator */
  Pair *pair = link_lone();
  link_lone_open(pair);
  node_inject_text(&pair->a, "c021 01 00 0026 0104 0578 0506 1a2b3c4d 0702 0802 0d03 06 1104 064e 1309 03 00155d010203 0404 c025");
  g_autofree char *reject = node_sent(&pair->a, ADIT_PPP_LCP, 4, 1);
  assert_string_equal(reject, "040000180d03061104064e13090300155d0102030404c025");
  node_inject_text(&pair->a, "c021 01 01 0012 0104 0578 0506 1a2b3c4d 0702 0802");
  g_autofree char *ack = node_sent(&pair->a, ADIT_PPP_LCP, 2, 1);
  assert_string_equal(ack, "020100120104057805061a2b3c4d07020802");
  pair_free(pair);
}

static void rfc1661_6_options_of_a_wrong_length_are_rejected(void **state) {
  Pair *pair = link_lone();
  link_lone_open(pair);
  node_inject_text(&pair->a, "c021 01 00 0012 0103 05 0505 112233 0703 00 0803 00");
  g_autofree char *reject = node_sent(&pair->a, ADIT_PPP_LCP, 4, 1);
  assert_string_equal(reject, "04000012010305050511223307030008"
                              "0300");
  pair_free(pair);
}

static void rejected_options_are_not_asked_again(void **state) {
  /* macOS 15 and its kind reject all they can */
  Pair *pair = link_lone();
  pair->a.params.mru = 1400;
  link_lone_open(pair);
  g_autofree char *request = node_sent(&pair->a, ADIT_PPP_LCP, 1, 1);
  request[1] = '4';
  g_autofree char *reject = g_strconcat("c021", request, NULL);
  node_inject_text(&pair->a, reject);
  g_autofree char *second = link_request_options(&pair->a, 2);
  assert_string_equal(second, "");
  link_lone_agree(pair, 2);
  assert_true(pair->a.network);
  assert_int_equal(link_info_of(&pair->a).mru, 1500);
  pair_free(pair);
}

static void naked_options_follow_the_peer(void **state) {
  Pair *pair = link_lone();
  link_lone_open(pair);
  g_autofree char *request = node_sent(&pair->a, ADIT_PPP_LCP, 1, 1);
  /* MRU 1200, ACCM 000a0000, no PFC */
  g_autofree char *nak = g_strdup_printf("c021 03 %.2s 0010 0104 04b0 0206 000a0000 0702", request + 2);
  node_inject_text(&pair->a, nak);
  g_autofree char *second = link_request_options(&pair->a, 2);
  assert_true(g_str_has_prefix(second, "010404b00206000a00000506"));
  assert_true(g_str_has_suffix(second, "0802"));
  assert_null(strstr(second, "0702"));
  pair_free(pair);
}

/* ---- magic numbers ---- */

static void loop_from_the_start(Pair *pair) {
  guint given = 0;
  link_lone_open(pair);
  for (guint i = 0; i < 40 && !pair->a.closes; i++) {
    while (given < pair->a.sent->len) {
      g_autoptr(GBytes) frame = g_bytes_ref(pair->a.sent->pdata[given++]);
      gsize length;
      const guint8 *data = g_bytes_get_data(frame, &length);
      node_inject(&pair->a, data, length);
    }
    pair_run(pair, 3000);
  }
  assert_int_equal(pair->a.closes, 1);
  assert_string_equal(pair->a.reason, "the link is looped back to us");
  assert_int_equal(pair->a.cause, ADIT_CAUSE_NAS_ERROR);
  assert_int_equal(pair->a.networks, 0);
  pair_free(pair);
}

static void rfc1661_6_4_a_looped_link_is_found(void **state) {
  loop_from_the_start(link_lone());
}

/* Who demands authentication and does not offer it rejects its own demand, and who offers other methods refuses them. */
static void rfc1661_6_4_a_looped_link_is_no_refused_authentication(void **state) {
  for (guint offers = 0; offers < 2; offers++) {
    Pair *pair = link_lone();
    pair->a.params.demand = link_methods_strong;
    pair->a.params.n_demand = 1;
    pair->a.params.answer = link_methods_weak;
    pair->a.params.n_answer = offers;
    loop_from_the_start(pair);
  }
}

/* A line that is looped while the link is open brings our own echoes back, which are no sign of life. */
static void rfc1661_6_4_a_link_that_is_looped_later_is_found(void **state) {
  Pair *pair = link_lone();
  link_lone_open(pair);
  link_lone_agree(pair, 1);
  g_autofree char *options = link_request_options(&pair->a, 1);
  g_autofree char *looped = g_strdup_printf("c021 09 2a 0008 %.8s", options + 4);
  for (guint i = 0; i < 4; i++)
    node_inject_text(&pair->a, looped);
  assert_int_equal(node_count(&pair->a, ADIT_PPP_LCP, 10), 0);
  assert_int_equal(node_count(&pair->a, ADIT_PPP_LCP, 5), 0);
  node_inject_text(&pair->a, "c021 09 2b 0008 0a0b0c0d"); /* the peer is there after all */
  assert_int_equal(node_count(&pair->a, ADIT_PPP_LCP, 10), 1);
  for (guint i = 0; i < 5; i++)
    node_inject_text(&pair->a, looped);
  pair_run(pair, 10000);
  assert_int_equal(pair->a.closes, 1);
  assert_string_equal(pair->a.reason, "the link is looped back to us");
  pair_free(pair);
}

static void rfc1661_6_4_a_zero_magic_is_naked(void **state) {
  Pair *pair = link_lone();
  link_lone_open(pair);
  node_inject_text(&pair->a, "c021 01 00 000a 0506 00000000");
  g_autofree char *nak = node_sent(&pair->a, ADIT_PPP_LCP, 3, 1);
  assert_true(g_str_has_prefix(nak, "0300000a0506"));
  assert_string_not_equal(nak + 12, "00000000");
  pair_free(pair);
}

/* ---- echo and the rest of LCP ---- */

static void rfc1661_5_8_echo_only_when_open_and_with_our_magic(void **state) {
  Pair *pair = link_lone();
  link_lone_open(pair);
  node_inject_text(&pair->a, "c021 09 2a 000a 00000000 cafe");
  assert_int_equal(node_count(&pair->a, ADIT_PPP_LCP, 10), 0);
  link_lone_agree(pair, 1);
  node_inject_text(&pair->a, "c021 09 2a 000a 00000000 cafe"); /* a magic of 0 is fine */
  g_autofree char *reply = node_sent(&pair->a, ADIT_PPP_LCP, 10, 1), *options = link_request_options(&pair->a, 1);
  g_autofree char *expected = g_strdup_printf("0a2a000a%.8scafe", options + 4);
  assert_string_equal(reply, expected);
  node_inject_text(&pair->a, "c021 09 2a 0006 cafe"); /* too short for a magic */
  assert_int_equal(node_count(&pair->a, ADIT_PPP_LCP, 10), 1);
  pair_free(pair);
}

static void keepalive_is_one_echo_a_second_five_times(void **state) {
  Pair *pair = pair_new(1);
  pair->a.params.keepalive_ms = 30000;
  pair_open(pair);
  pair_run(pair, 100);
  assert_true(pair->a.network);
  pair->cut = TRUE;
  guint64 cut = pair->now;
  pair_run(pair, 29000);
  assert_int_equal(node_count(&pair->a, ADIT_PPP_LCP, 9), 0);
  pair_run(pair, 5000); /* the last packet came a little before the cut */
  assert_int_equal(node_count(&pair->a, ADIT_PPP_LCP, 9), 5);
  assert_int_equal(pair->a.closes, 0);
  pair_run(pair, 1000);
  assert_int_equal(pair->a.closes, 1);
  assert_int_equal(pair->a.cause, ADIT_CAUSE_LOST_CARRIER);
  assert_int_equal(pair->a.network_downs, 1);
  assert_in_range(pair->a.closed_ms - cut, 34000, 35000);
  pair_free(pair);
}

static void any_packet_received_is_life(void **state) {
  Pair *pair = pair_new(1);
  pair->a.params.keepalive_ms = 30000;
  pair_open(pair);
  pair_run(pair, 100);
  pair->cut = TRUE;
  for (guint i = 0; i < 10; i++) {
    pair_run(pair, 20000);
    pair->a.last_rx = pair->now; /* data, which only the data path sees */
  }
  assert_int_equal(node_count(&pair->a, ADIT_PPP_LCP, 9), 0);
  pair_run(pair, 32000);
  assert_in_range(node_count(&pair->a, ADIT_PPP_LCP, 9), 2, 3);
  pair->a.last_rx = pair->now; /* it comes back in the middle of the echoes */
  pair_run(pair, 29000);
  assert_in_range(node_count(&pair->a, ADIT_PPP_LCP, 9), 2, 3);
  assert_int_equal(pair->a.closes, 0);
  pair_free(pair);
}

static void rfc1661_5_8_echoes_are_answered_and_keep_the_link(void **state) {
  Pair *pair = pair_new(1);
  pair->a.params.keepalive_ms = 10000;
  pair_open(pair);
  pair_run(pair, 600000);
  assert_int_equal(pair->a.closes, 0);
  assert_in_range(node_count(&pair->a, ADIT_PPP_LCP, 9), 55, 60);
  assert_int_equal(node_count(&pair->b, ADIT_PPP_LCP, 10), node_count(&pair->a, ADIT_PPP_LCP, 9));
  pair_free(pair);
}

/* Somebody who has lost something asks now, and the keepalive neither hurries nor waits for that. */
static void rfc1661_5_8_an_echo_is_sent_when_somebody_asks(void **state) {
  Pair *pair = pair_new(1);
  AditPppLinkInfo info;
  pair->a.params.keepalive_ms = 30000;
  pair_open(pair);
  assert_false(adit_ppp_link_probe(pair->a.link)); /* LCP is not open */
  pair_run(pair, 1000);
  adit_ppp_link_info(pair->a.link, &info);
  assert_int_equal(info.answered_ms, 0);
  assert_true(adit_ppp_link_probe(pair->a.link));
  assert_false(adit_ppp_link_probe(pair->a.link)); /* so often and no more */
  pair_run(pair, 50);
  assert_int_equal(node_count(&pair->a, ADIT_PPP_LCP, 9), 1);
  adit_ppp_link_info(pair->a.link, &info);
  assert_in_range(info.answered_ms, pair->now - 50, pair->now);
  guint64 answered = info.answered_ms;
  node_inject_text(&pair->a, "c021 0a 77 0008 00000000"); /* an answer that nobody asked for */
  pair_run(pair, 500);
  adit_ppp_link_info(pair->a.link, &info);
  assert_int_equal(info.answered_ms, answered);
  pair->delay_ms = 300;
  guint64 asked = pair->now;
  assert_true(adit_ppp_link_probe(pair->a.link));
  pair_run(pair, 1000);
  adit_ppp_link_info(pair->a.link, &info);
  assert_int_equal(info.round_trip_ms, info.answered_ms - asked);
  answered = info.answered_ms;
  pair->cut = TRUE;
  guint64 cut = pair->now;
  for (guint i = 0; i < 1000; i++) {
    adit_ppp_link_probe(pair->a.link);
    pair_run(pair, 10);
  }
  assert_in_range(node_count(&pair->a, ADIT_PPP_LCP, 9), 90, 2 + 101);
  adit_ppp_link_info(pair->a.link, &info);
  assert_int_equal(info.answered_ms, answered);
  assert_int_equal(pair->a.closes, 0);
  pair_run(pair, 30000);
  assert_int_equal(pair->a.closes, 1);
  assert_in_range(pair->a.closed_ms - cut, 34000, 35000); /* as without them */
  assert_false(adit_ppp_link_probe(pair->a.link));
  pair_free(pair);
}

static void rfc1570_2_1_identification_is_sent_and_heard(void **state) {
  Pair *pair = pair_new(1);
  pair->a.params.identification = "adit \n test";
  pair_open(pair);
  pair_run(pair, 100);
  assert_string_equal(pair->b.told, "identification: adit ? test");
  node_inject_text(&pair->b, "c021 0d 01 000c 00000000 0000003c");
  assert_string_equal(pair->b.told, "time-remaining: 60 s");
  guint frames = pair->frames;
  node_inject_text(&pair->b, "c021 0d 01 0008 00000000"); /* short */
  node_inject_text(&pair->b, "c021 0b 01 0008 00000000"); /* Discard-Request */
  assert_int_equal(pair->frames, frames);
  pair_free(pair);
}

static void rfc1661_5_6_an_unknown_code_is_code_rejected(void **state) {
  Pair *pair = link_opened();
  node_inject_text(&pair->a, "c021 0e 33 0006 abcd");
  g_autofree char *reject = node_sent(&pair->a, ADIT_PPP_LCP, 7, 1);
  assert_string_equal(reject + 8, "0e330006abcd");
  pair_free(pair);
}

static void rfc1661_5_7_unknown_protocols_are_rejected_only_when_open(void **state) {
  Pair *pair = link_lone();
  link_lone_open(pair);
  node_inject_text(&pair->a, "80fd 01 01 0004");
  assert_int_equal(node_count(&pair->a, ADIT_PPP_LCP, 8), 0);
  link_lone_agree(pair, 1);
  node_inject_text(&pair->a, "80fd 01 01 0004");
  g_autofree char *reject = node_sent(&pair->a, ADIT_PPP_LCP, 8, 1);
  assert_string_equal(reject + 8, "80fd01010004");
  assert_string_equal(reject + 4, "000a80fd01010004");
  pair_free(pair);
}

static void rfc1661_5_7_a_protocol_reject_stops_that_ncp_only(void **state) {
  Pair *pair = link_opened();
  node_inject_text(&pair->a, "c021 08 01 0008 8033 0101");
  assert_int_equal(pair->a.rejected, 0x8033);
  assert_int_equal(pair->a.ncps[0].downs, 1);
  pair_run(pair, 20000);
  assert_int_equal(pair->a.ncps[0].closes, 1);
  assert_string_equal(pair->a.ncps[0].why, "the peer rejected it");
  assert_true(pair->a.network && pair->b.network);
  assert_int_equal(pair->a.closes + pair->b.closes, 0);
  pair_free(pair);
}

static void rfc1661_5_7_a_protocol_reject_of_lcp_is_the_end(void **state) {
  Pair *pair = link_opened();
  node_inject_text(&pair->a, "c021 08 01 0006 c021");
  pair_run(pair, 10000);
  assert_int_equal(pair->a.closes, 1);
  assert_string_equal(pair->a.reason, "the peer rejected LCP");
  pair_free(pair);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rfc1661_6_1_mru),
      cmocka_unit_test(rfc1661_6_1_a_tiny_mru_is_naked_and_a_1500_octet_packet_always_taken),
      cmocka_unit_test(rfc1570_2_3_callback_and_what_else_is_unknown_is_rejected),
      cmocka_unit_test(rfc1661_6_options_of_a_wrong_length_are_rejected),
      cmocka_unit_test(rejected_options_are_not_asked_again),
      cmocka_unit_test(naked_options_follow_the_peer),
      cmocka_unit_test(rfc1661_6_4_a_looped_link_is_found),
      cmocka_unit_test(rfc1661_6_4_a_looped_link_is_no_refused_authentication),
      cmocka_unit_test(rfc1661_6_4_a_link_that_is_looped_later_is_found),
      cmocka_unit_test(rfc1661_6_4_a_zero_magic_is_naked),
      cmocka_unit_test(rfc1661_5_8_echo_only_when_open_and_with_our_magic),
      cmocka_unit_test(keepalive_is_one_echo_a_second_five_times),
      cmocka_unit_test(any_packet_received_is_life),
      cmocka_unit_test(rfc1661_5_8_echoes_are_answered_and_keep_the_link),
      cmocka_unit_test(rfc1661_5_8_an_echo_is_sent_when_somebody_asks),
      cmocka_unit_test(rfc1570_2_1_identification_is_sent_and_heard),
      cmocka_unit_test(rfc1661_5_6_an_unknown_code_is_code_rejected),
      cmocka_unit_test(rfc1661_5_7_unknown_protocols_are_rejected_only_when_open),
      cmocka_unit_test(rfc1661_5_7_a_protocol_reject_stops_that_ncp_only),
      cmocka_unit_test(rfc1661_5_7_a_protocol_reject_of_lcp_is_the_end),
  };
  return cmocka_run_group_tests_name("lcp", tests, NULL, NULL);
}
