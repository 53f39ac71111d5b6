/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "pair.h"

#include "core/ppp/frame.h"
#include "core/ppp/registry.h"

static const AditAuthMethod *const both[] = {&pair_method_weak, &pair_method_strong};
static const AditAuthMethod *const weak[] = {&pair_method_weak};
static const AditAuthMethod *const strong[] = {&pair_method_strong};

/* ---- an NCP of no options, for links ---- */

static guint resets;

static void nothing_request(gpointer self, AditBuilder *out) {}
static void nothing(gpointer self) {}
static AditOptionVerdict nothing_option(gpointer self, const AditPppOption *option, AditBuilder *nak) {
  return ADIT_OPTION_REJECT;
}
static void nothing_end(gpointer self, AditBuilder *nak) {}
static void nothing_naked(gpointer self, const AditPppOption *option) {}
static gboolean nothing_rejected(gpointer self, const AditPppOption *option) {
  return TRUE;
}
static void nothing_init(gpointer self, const AditEngineEnv *env, const AditNcpParams *params) {}
static void count_reset(gpointer self) {
  resets++;
}
static gboolean own_code(gpointer self, guint8 code, guint8 id, const guint8 *data, gsize length) {
  return code == 14;
}
static void nothing_save(gconstpointer self, AditBuilder *out) {
  adit_put_u8(out, 1);
}
static gboolean nothing_restore(gpointer self, const AditEngineEnv *env, const AditNcpParams *params, AditCursor *in) {
  return adit_get_u8(in) == 1;
}
static const AditNcpDesc plain = {
    .size = sizeof plain,
    .name = "plain",
    .protocol = 0x8033,
    .data_protocol = 0x0033,
    .kind = ADIT_NCP_NETWORK,
    .state_size = 1,
    .options = {sizeof(AditPppOptionOps), nothing_request, nothing, nothing_option, nothing_end, nothing, nothing_naked, nothing_rejected},
    .init = nothing_init,
    .reset = count_reset,
    .code = own_code,
    .save = nothing_save,
    .restore = nothing_restore,
};

/* ---- helpers ---- */

/** b demands what a can answer. */
static void server_and_client(Pair *pair) {
  const AditNcpParams params = {0};
  pair->b.params.demand = both;
  pair->b.params.n_demand = 2;
  pair->b.params.name = "server";
  pair->a.params.answer = both;
  pair->a.params.n_answer = 2;
  pair->a.params.user = "alice";
  pair->a.params.password = "secret";
  node_add_ncp(&pair->a, &plain, &params);
  node_add_ncp(&pair->b, &plain, &params);
}

static Pair *opened(void) {
  Pair *pair = pair_new(1);
  server_and_client(pair);
  pair_open(pair);
  pair_run(pair, 1000);
  assert_true(pair->a.network && pair->b.network);
  assert_int_equal(pair->a.ncps[0].opens, 1);
  assert_int_equal(pair->b.ncps[0].opens, 1);
  return pair;
}

/** The options of the `nth` LCP Configure-Request. */
static char *request_options(Node *node, guint nth) {
  g_autofree char *packet = node_sent(node, ADIT_PPP_LCP, 1, nth);
  assert_non_null(packet);
  return g_strdup(packet + 8);
}

/** A lone link that has sent its first request; the other end is the test. */
static Pair *lone(void) {
  Pair *pair = pair_new(7);
  pair->cut = TRUE;
  return pair;
}

static void lone_open(Pair *pair) {
  node_make(&pair->a);
  adit_ppp_link_open(pair->a.link);
}

/** Acknowledges the newest request of ours and sends one without options: LCP opens. */
static void lone_agree(Pair *pair, guint nth) {
  g_autofree char *packet = node_sent(&pair->a, ADIT_PPP_LCP, 1, nth);
  packet[1] = '2';
  g_autofree char *frame = g_strconcat("c021", packet, NULL);
  node_inject_text(&pair->a, frame);
  node_inject_text(&pair->a, "c021 01 05 0004");
}

static AditPppLinkInfo info_of(Node *node) {
  AditPppLinkInfo info;
  adit_ppp_link_info(node->link, &info);
  return info;
}

/* ---- establishment ---- */

static void a_link_comes_up_and_carries(void **state) {
  Pair *pair = opened();
  assert_string_equal(pair->b.user, "alice");
  assert_string_equal(info_of(&pair->b).demanded, "strong");
  assert_string_equal(info_of(&pair->a).answered, "strong");
  assert_string_equal(info_of(&pair->b).user, "alice");
  assert_true(pair->a.acfc && pair->a.pfc);
  node_send_data(&pair->a, 0x0033);
  node_send_data(&pair->b, 0x0033);
  pair_run(pair, 10);
  assert_int_equal(pair->a.data, 1);
  assert_int_equal(pair->b.data, 1);
  pair_free(pair);
}

static void closing_terminates_politely(void **state) {
  Pair *pair = opened();
  adit_ppp_link_close(pair->b.link, ADIT_CAUSE_ADMIN_RESET, "disconnected by the administrator");
  assert_int_equal(pair->b.network_downs, 1);
  pair_run(pair, 10000);
  assert_int_equal(pair->b.closes, 1);
  assert_int_equal(pair->b.cause, ADIT_CAUSE_ADMIN_RESET);
  assert_string_equal(pair->b.reason, "disconnected by the administrator");
  assert_int_equal(pair->a.closes, 1);
  assert_int_equal(pair->a.cause, ADIT_CAUSE_USER_REQUEST);
  assert_int_equal(pair->a.network_downs, 1);
  assert_int_equal(node_count(&pair->b, ADIT_PPP_LCP, 5), 1);
  pair_free(pair);
}

static void a_lost_transport_ends_quietly(void **state) {
  Pair *pair = opened();
  guint frames = pair->frames;
  adit_ppp_link_lost(pair->a.link);
  assert_int_equal(pair->a.network_downs, 1);
  assert_int_equal(pair->a.closes, 0);
  assert_int_equal(pair->frames, frames);
  node_inject_text(&pair->a, "c021 09 01 0008 00000000");
  assert_int_equal(pair->frames, frames);
  pair_free(pair);
}

static void rfc1661_4_6_a_silent_peer_ends_the_link(void **state) {
  Pair *pair = lone();
  lone_open(pair);
  pair_run(pair, 29000);
  assert_int_equal(pair->a.closes, 0);
  pair_run(pair, 2000);
  assert_int_equal(pair->a.closes, 1);
  assert_int_equal(pair->a.cause, ADIT_CAUSE_LOST_CARRIER);
  assert_int_equal(node_count(&pair->a, ADIT_PPP_LCP, 1), 10);
  pair_free(pair);
}

/* Between LAC and LNS our first requests are lost (xebd/accel-ppp 190): they must be sent again. */
static gboolean drop_first_two_requests(Node *from, const guint8 *frame, gsize length, guint nth) {
  return from == &from->pair->b && node_count(from, ADIT_PPP_LCP, 1) <= 2 && frame[0] == 0xc0 && frame[2] == 1;
}

static void rfc1661_4_6_configure_request_is_sent_again_behind_a_lac(void **state) {
  Pair *pair = pair_new(3);
  server_and_client(pair);
  pair->drop = drop_first_two_requests;
  pair_open(pair);
  pair_run(pair, 8000);
  assert_true(pair->a.network && pair->b.network);
  assert_int_equal(node_count(&pair->b, ADIT_PPP_LCP, 1), 3);
  pair_free(pair);
}

/* ---- framing ---- */

static void rfc1661_6_5_and_6_6_all_framings_are_taken(void **state) {
  static const char *const echoes[] = {"c021 09 21 0008 00000000", "ff03 c021 09 21 0008 00000000"};
  Pair *pair = opened();
  for (guint i = 0; i < 2; i++) {
    node_inject_text(&pair->a, echoes[i]);
    assert_int_equal(node_count(&pair->a, ADIT_PPP_LCP, 10), i + 1);
  }
  node_inject_text(&pair->a, "33 00"); /* protocol in one octet */
  node_inject_text(&pair->a, "ff03 33 00");
  node_inject_text(&pair->a, "0033 00");
  node_inject_text(&pair->a, "ff03 0033 00");
  assert_int_equal(pair->a.data, 4);
  pair_free(pair);
}

static void rfc1661_2_impossible_frames_are_counted(void **state) {
  static const char *const frames[] = {"", "c0", "ff03", "ff03c0", "0000", "c020 01 01 0004"};
  guint16 protocol;
  AditCursor payload;
  Pair *pair = opened();
  guint64 before = info_of(&pair->a).discarded;
  for (guint i = 0; i < G_N_ELEMENTS(frames); i++) {
    g_autoptr(GByteArray) frame = from_hex(frames[i]);
    assert_false(adit_ppp_frame_parse(frame->data, frame->len, &protocol, &payload));
    node_inject_text(&pair->a, frames[i]);
  }
  assert_int_equal(info_of(&pair->a).discarded, before + G_N_ELEMENTS(frames));
  pair_free(pair);
}

/* LCP always goes out with both octets of its protocol, whatever was agreed; the data path adds FF 03. */
static void rfc1661_6_5_lcp_is_never_compressed(void **state) {
  Pair *pair = opened();
  assert_true(pair->a.pfc);
  node_inject_text(&pair->a, "c021 09 21 0008 00000000");
  g_autofree char *reply = node_sent(&pair->a, ADIT_PPP_LCP, 10, 1);
  assert_non_null(reply);
  pair_free(pair);
}

/* ---- LCP options ---- */

static void rfc1661_6_1_mru(void **state) {
  Pair *pair = pair_new(1);
  pair->a.params.mru = 1450;
  pair->a.params.mtu = 1400;
  pair->b.params.mru = 1300;
  pair_open(pair);
  pair_run(pair, 100);
  g_autofree char *options = request_options(&pair->a, 1);
  assert_true(g_str_has_prefix(options, "010405aa0506"));
  assert_int_equal(pair->a.mtu, 1300); /* the peer's MRU */
  assert_int_equal(pair->b.mtu, 1450);
  assert_int_equal(info_of(&pair->b).peer_mru, 1450);
  pair_free(pair);
}

static void rfc1661_6_1_a_tiny_mru_is_naked_and_a_1500_octet_packet_always_taken(void **state) {
  Pair *pair = lone();
  pair->a.params.mru = 1300;
  lone_open(pair);
  node_inject_text(&pair->a, "c021 01 01 0008 0104 0010");
  g_autofree char *nak = node_sent(&pair->a, ADIT_PPP_LCP, 3, 1);
  assert_string_equal(nak, "0301000801040080");

  lone_agree(pair, 1);
  guint8 frame[1502] = {0xc0, 0x21, 9, 1, 1500 >> 8, 1500 & 255};
  node_inject(&pair->a, frame, sizeof frame);
  g_autofree char *reply = node_sent(&pair->a, ADIT_PPP_LCP, 10, 1);
  assert_int_equal(strlen(reply), 3000);
  pair_free(pair);
}

static void rfc1570_2_3_callback_and_what_else_is_unknown_is_rejected(void **state) {
  /* as Windows asks: MRU 1400, magic, PFC, ACFC, callback, MRRU, endpoint discriminator */
  Pair *pair = lone();
  lone_open(pair);
  node_inject_text(&pair->a, "c021 01 00 0026 0104 0578 0506 1a2b3c4d 0702 0802 0d03 06 1104 064e 1309 03 00155d010203 0404 c025");
  g_autofree char *reject = node_sent(&pair->a, ADIT_PPP_LCP, 4, 1);
  assert_string_equal(reject, "040000180d03061104064e13090300155d0102030404c025");
  node_inject_text(&pair->a, "c021 01 01 0012 0104 0578 0506 1a2b3c4d 0702 0802");
  g_autofree char *ack = node_sent(&pair->a, ADIT_PPP_LCP, 2, 1);
  assert_string_equal(ack, "020100120104057805061a2b3c4d07020802");
  pair_free(pair);
}

static void rfc1661_6_options_of_a_wrong_length_are_rejected(void **state) {
  Pair *pair = lone();
  lone_open(pair);
  node_inject_text(&pair->a, "c021 01 00 0012 0103 05 0505 112233 0703 00 0803 00");
  g_autofree char *reject = node_sent(&pair->a, ADIT_PPP_LCP, 4, 1);
  assert_string_equal(reject, "04000012010305050511223307030008"
                              "0300");
  pair_free(pair);
}

static void rejected_options_are_not_asked_again(void **state) {
  /* macOS 15 and its kind reject all they can */
  Pair *pair = lone();
  pair->a.params.mru = 1400;
  lone_open(pair);
  g_autofree char *request = node_sent(&pair->a, ADIT_PPP_LCP, 1, 1);
  request[1] = '4';
  g_autofree char *reject = g_strconcat("c021", request, NULL);
  node_inject_text(&pair->a, reject);
  g_autofree char *second = request_options(&pair->a, 2);
  assert_string_equal(second, "");
  lone_agree(pair, 2);
  assert_true(pair->a.network);
  assert_int_equal(info_of(&pair->a).mru, 1500);
  pair_free(pair);
}

static void naked_options_follow_the_peer(void **state) {
  Pair *pair = lone();
  lone_open(pair);
  g_autofree char *request = node_sent(&pair->a, ADIT_PPP_LCP, 1, 1);
  /* MRU 1200, ACCM 000a0000, no PFC */
  g_autofree char *nak = g_strdup_printf("c021 03 %.2s 0010 0104 04b0 0206 000a0000 0702", request + 2);
  node_inject_text(&pair->a, nak);
  g_autofree char *second = request_options(&pair->a, 2);
  assert_true(g_str_has_prefix(second, "010404b00206000a00000506"));
  assert_true(g_str_has_suffix(second, "0802"));
  assert_null(strstr(second, "0702"));
  pair_free(pair);
}

/* ---- magic numbers ---- */

static void rfc1661_6_4_a_looped_link_is_found(void **state) {
  Pair *pair = lone();
  guint given = 0;
  lone_open(pair);
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
  assert_int_equal(pair->a.networks, 0);
  pair_free(pair);
}

static void rfc1661_6_4_a_zero_magic_is_naked(void **state) {
  Pair *pair = lone();
  lone_open(pair);
  node_inject_text(&pair->a, "c021 01 00 000a 0506 00000000");
  g_autofree char *nak = node_sent(&pair->a, ADIT_PPP_LCP, 3, 1);
  assert_true(g_str_has_prefix(nak, "0300000a0506"));
  assert_string_not_equal(nak + 12, "00000000");
  pair_free(pair);
}

/* ---- echo and the rest of LCP ---- */

static void rfc1661_5_8_echo_only_when_open_and_with_our_magic(void **state) {
  Pair *pair = lone();
  lone_open(pair);
  node_inject_text(&pair->a, "c021 09 2a 000a 00000000 cafe");
  assert_int_equal(node_count(&pair->a, ADIT_PPP_LCP, 10), 0);
  lone_agree(pair, 1);
  node_inject_text(&pair->a, "c021 09 2a 000a 00000000 cafe"); /* a magic of 0 is fine */
  g_autofree char *reply = node_sent(&pair->a, ADIT_PPP_LCP, 10, 1), *options = request_options(&pair->a, 1);
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
  Pair *pair = opened();
  node_inject_text(&pair->a, "c021 0e 33 0006 abcd");
  g_autofree char *reject = node_sent(&pair->a, ADIT_PPP_LCP, 7, 1);
  assert_string_equal(reject + 8, "0e330006abcd");
  pair_free(pair);
}

static void rfc1661_5_7_unknown_protocols_are_rejected_only_when_open(void **state) {
  Pair *pair = lone();
  lone_open(pair);
  node_inject_text(&pair->a, "80fd 01 01 0004");
  assert_int_equal(node_count(&pair->a, ADIT_PPP_LCP, 8), 0);
  lone_agree(pair, 1);
  node_inject_text(&pair->a, "80fd 01 01 0004");
  g_autofree char *reject = node_sent(&pair->a, ADIT_PPP_LCP, 8, 1);
  assert_string_equal(reject + 8, "80fd01010004");
  assert_string_equal(reject + 4, "000a80fd01010004");
  pair_free(pair);
}

static void rfc1661_5_7_a_protocol_reject_stops_that_ncp_only(void **state) {
  Pair *pair = opened();
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
  Pair *pair = opened();
  node_inject_text(&pair->a, "c021 08 01 0006 c021");
  pair_run(pair, 10000);
  assert_int_equal(pair->a.closes, 1);
  assert_string_equal(pair->a.reason, "the peer rejected LCP");
  pair_free(pair);
}

/* ---- NCPs on a link ---- */

static void rfc1661_3_4_ncp_packets_before_the_network_phase_are_dropped(void **state) {
  Pair *pair = pair_new(1);
  server_and_client(pair);
  pair->b.hold = TRUE;
  pair_open(pair);
  pair_run(pair, 1000);
  assert_int_equal(pair->b.lcp_ups, 1);
  node_inject_text(&pair->b, "8033 01 01 0004");
  assert_int_equal(node_count(&pair->b, 0x8033, 2), 0);
  assert_int_equal(node_count(&pair->b, ADIT_PPP_LCP, 8), 0);
  assert_int_equal(info_of(&pair->b).discarded, 1);
  pair_free(pair);
}

static void rfc1661_an_ncp_that_ends_leaves_the_link(void **state) {
  Pair *pair = opened();
  adit_ncp_close(pair->a.ncps[0].ncp, "switched off");
  pair_run(pair, 10000);
  assert_int_equal(pair->a.ncps[0].downs, 1);
  assert_int_equal(pair->a.ncps[0].closes, 1);
  assert_string_equal(pair->a.ncps[0].why, "switched off");
  assert_string_equal(pair->b.ncps[0].why, "the peer terminated it");
  assert_true(pair->a.network && pair->b.network);
  pair_free(pair);
}

static void an_ncp_of_a_peer_that_has_none_ends_alone(void **state) {
  const AditNcpParams params = {0};
  Pair *pair = pair_new(1);
  node_add_ncp(&pair->a, &plain, &params);
  pair_open(pair);
  pair_run(pair, 20000);
  assert_int_equal(pair->a.ncps[0].opens, 0);
  assert_int_equal(pair->a.ncps[0].closes, 1);
  assert_int_equal(pair->b.unknown, 1);
  assert_true(pair->a.network && pair->b.network);
  pair_free(pair);
}

static void an_ncp_knows_its_own_codes(void **state) {
  Pair *pair = opened();
  node_inject_text(&pair->a, "8033 0e 01 0004");
  assert_int_equal(node_count(&pair->a, 0x8033, 7), 0);
  node_inject_text(&pair->a, "8033 0f 01 0004");
  assert_int_equal(node_count(&pair->a, 0x8033, 7), 1);
  pair_free(pair);
}

/* ---- authentication ---- */

static void wrong_credentials_end_both_sides(void **state) {
  Pair *pair = pair_new(1);
  server_and_client(pair);
  pair->a.params.password = "guess";
  pair_open(pair);
  pair_run(pair, 10000);
  assert_int_equal(pair->a.closes, 1);
  assert_int_equal(pair->b.closes, 1);
  assert_int_equal(pair->b.cause, ADIT_CAUSE_USER_ERROR);
  assert_string_equal(pair->b.reason, "wrong password");
  assert_int_equal(pair->b.networks + pair->a.networks, 0);
  assert_int_equal(pair->b.auth_fails, 1);
  pair_free(pair);
}

static void rfc1661_6_2_nak_falls_back_through_what_is_allowed(void **state) {
  Pair *pair = pair_new(1);
  server_and_client(pair);
  pair->a.params.answer = weak;
  pair->a.params.n_answer = 1;
  pair_open(pair);
  pair_run(pair, 1000);
  g_autofree char *first = request_options(&pair->b, 1), *second = request_options(&pair->b, 2);
  g_autofree char *nak = node_sent(&pair->a, ADIT_PPP_LCP, 3, 1);
  assert_true(g_str_has_prefix(first, "0305c22381"));
  assert_string_equal(nak + 8, "0304c023");
  assert_true(g_str_has_prefix(second, "0304c023"));
  assert_string_equal(info_of(&pair->b).demanded, "weak");
  assert_true(pair->a.network && pair->b.network);
  pair_free(pair);
}

/* A peer that suggests what we don't allow (EAP, as Apple's do first) gets our next one. */
static void rfc1661_6_2_a_suggestion_that_is_not_allowed_leads_to_the_next(void **state) {
  Pair *pair = lone();
  pair->a.params.demand = both;
  pair->a.params.n_demand = 2;
  lone_open(pair);
  g_autofree char *first = node_sent(&pair->a, ADIT_PPP_LCP, 1, 1);
  g_autofree char *nak = g_strdup_printf("c021 03 %.2s 0008 0304 c227", first + 2);
  node_inject_text(&pair->a, nak);
  g_autofree char *second = node_sent(&pair->a, ADIT_PPP_LCP, 1, 2);
  assert_true(g_str_has_prefix(second + 8, "0304c023"));
  g_autofree char *again = g_strdup_printf("c021 03 %.2s 0008 0304 c227", second + 2);
  node_inject_text(&pair->a, again); /* nothing is left */
  pair_run(pair, 10000);
  assert_int_equal(pair->a.closes, 1);
  assert_string_equal(pair->a.reason, "the peer refuses every authentication method that is allowed");
  pair_free(pair);
}

static void a_peer_that_rejects_authentication_is_left(void **state) {
  Pair *pair = pair_new(1);
  server_and_client(pair);
  pair->a.params.n_answer = 0;
  pair_open(pair);
  pair_run(pair, 10000);
  assert_int_equal(pair->b.closes, 1);
  assert_int_equal(pair->b.cause, ADIT_CAUSE_USER_ERROR);
  assert_int_equal(pair->b.networks, 0);
  pair_free(pair);
}

static void methods_without_anything_in_common_do_not_loop(void **state) {
  Pair *pair = pair_new(1);
  server_and_client(pair);
  pair->b.params.demand = strong;
  pair->b.params.n_demand = 1;
  pair->a.params.answer = weak;
  pair->a.params.n_answer = 1;
  pair_open(pair);
  pair_run(pair, 60000);
  assert_int_equal(pair->a.closes, 1);
  assert_int_equal(pair->b.closes, 1);
  assert_in_range(pair->frames, 4, 30);
  pair_free(pair);
}

static void both_sides_may_demand_at_once(void **state) {
  Pair *pair = pair_new(1);
  server_and_client(pair);
  pair->a.params.demand = weak;
  pair->a.params.n_demand = 1;
  pair->b.params.answer = weak;
  pair->b.params.n_answer = 1;
  pair->b.params.user = "bob";
  pair->b.params.password = "secret";
  pair_open(pair);
  pair_run(pair, 1000);
  assert_string_equal(pair->b.user, "alice");
  assert_string_equal(pair->a.user, "bob");
  assert_true(pair->a.network && pair->b.network);
  pair_free(pair);
}

static void authentication_has_a_deadline(void **state) {
  Pair *pair = pair_new(1);
  server_and_client(pair);
  pair->b.hold = TRUE;
  pair->b.params.auth_timeout_ms = 20000;
  pair_open(pair);
  pair_run(pair, 19000);
  assert_int_equal(pair->b.closes, 0);
  assert_int_equal(pair->b.cancels, pair->b.asks - 1);
  pair_run(pair, 8000);
  assert_int_equal(pair->b.closes, 1);
  assert_string_equal(pair->b.reason, "the peer did not authenticate in time");
  assert_int_equal(pair->b.cancels, pair->b.asks);
  pair_free(pair);
}

static void a_verdict_for_nobody_is_dropped(void **state) {
  const AditAuthReply yes = {.size = sizeof yes, .outcome = ADIT_AUTH_ACCEPT};
  Pair *pair = pair_new(1);
  server_and_client(pair);
  pair->b.hold = TRUE;
  pair_open(pair);
  adit_ppp_link_verdict(pair->b.link, &yes);
  pair_run(pair, 1000);
  assert_int_equal(pair->b.networks, 0);
  adit_ppp_link_verdict(pair->b.link, &yes); /* this one is asked for */
  assert_int_equal(pair->b.networks, 1);
  adit_ppp_link_verdict(pair->b.link, &yes);
  assert_int_equal(pair->b.networks, 1);
  pair_free(pair);
}

static void rechallenge_failing_ends_the_link(void **state) {
  Pair *pair = opened();
  assert_true(adit_ppp_link_rechallenge(pair->b.link));
  assert_true(pair->b.network); /* nothing goes down meanwhile */
  node_inject_text(&pair->b, "c223 01 07 0010 616c6963653a736563726574");
  assert_true(pair->b.network);
  assert_int_equal(pair->b.auth_oks, 2);
  assert_true(pair->b.asked->again);
  assert_true(adit_ppp_link_rechallenge(pair->b.link));
  node_inject_text(&pair->b, "c223 01 07 000e 616c6963653a6e6f2121");
  pair_run(pair, 10000);
  assert_int_equal(pair->b.closes, 1);
  assert_string_equal(pair->b.reason, "wrong password");
  pair_free(pair);
}

/* ---- renegotiation ---- */

static void rfc1661_3_lcp_up_again_while_open_starts_all_anew(void **state) {
  Pair *pair = opened();
  resets = 0;
  pair->now += 60000;
  node_inject_text(&pair->b, "c021 01 77 000a 0506 11223344");
  assert_int_equal(pair->b.network_downs, 1);
  assert_int_equal(pair->b.ncps[0].downs, 1);
  assert_true(resets > 0);
  pair_run(pair, 10000);
  assert_true(pair->a.network && pair->b.network);
  assert_int_equal(pair->b.networks, 2);
  assert_int_equal(pair->b.asks, 2);
  assert_int_equal(pair->b.ncps[0].opens, 2);
  assert_int_equal(pair->a.ncps[0].opens, 2);
  pair_free(pair);
}

/* ---- being called back ---- */

static void free_in_closed(gpointer host, AditCause cause, const char *reason) {
  Node *node = host;
  node->closes++;
  g_clear_pointer(&node->link, adit_ppp_link_free);
}
static void ignore_frame(gpointer host, const guint8 *frame, gsize length) {}
static void close_in_phase(gpointer host, const char *user) {
  Node *node = host;
  node->networks++;
  adit_ppp_link_close(node->link, ADIT_CAUSE_NAS_REQUEST, "vetoed");
}
static void phase_down(gpointer host) {
  ((Node *)host)->network_downs++;
}
static gboolean no_frame(gpointer host, guint16 protocol, const guint8 *payload, gsize length) {
  return FALSE;
}
static const AditPppLinkOps rude_ops = {.size = sizeof rude_ops,
                                        .send = ignore_frame,
                                        .network_phase = close_in_phase,
                                        .network_down = phase_down,
                                        .network_frame = no_frame,
                                        .closed = free_in_closed};

static void a_link_may_be_closed_and_freed_inside_its_callbacks(void **state) {
  Pair *pair = lone();
  Node *a = &pair->a;
  a->params.no_magic = a->params.no_pfc = a->params.no_acfc = TRUE;
  a->link = adit_ppp_link_new(&a->params, &rude_ops, a, &a->env);
  adit_ppp_link_open(a->link);
  node_inject_text(a, "c021 01 01 0004");
  for (guint id = 0; id < 256 && a->link && !a->networks; id++) { /* whichever our request has */
    const guint8 ack[] = {0xc0, 0x21, 2, (guint8)id, 0, 4};
    node_inject(a, ack, sizeof ack);
  }
  assert_int_equal(a->networks, 1);
  assert_int_equal(a->network_downs, 1);
  assert_non_null(a->link);
  node_inject_text(a, "c021 06 01 0004");
  assert_null(a->link);
  assert_int_equal(a->closes, 1);
  pair_free(pair);
}

/* ---- save and restore ---- */

static void links_survive_death_at_any_step(void **state) {
  for (guint step = 1; step < 60; step++) {
    Pair *pair = pair_new(step);
    server_and_client(pair);
    pair->a.params.keepalive_ms = pair->b.params.keepalive_ms = 30000;
    pair_open(pair);
    pair_run(pair, step / 4);
    node_reincarnate(step & 1 ? &pair->a : &pair->b);
    pair_run(pair, step * 1000);
    node_reincarnate(step & 2 ? &pair->a : &pair->b);
    pair_run(pair, 60000);
    assert_true(pair->a.network && pair->b.network);
    assert_true(adit_ncp_is_open(pair->a.ncps[0].ncp) && adit_ncp_is_open(pair->b.ncps[0].ncp));
    pair->cut = TRUE;
    pair_run(pair, 60000);
    assert_int_equal(pair->a.closes + pair->b.closes, 2);
    pair_free(pair);
  }
}

static void a_question_open_at_death_is_asked_again(void **state) {
  Pair *pair = pair_new(1);
  server_and_client(pair);
  pair->b.hold = TRUE;
  pair_open(pair);
  pair_run(pair, 500);
  assert_int_equal(pair->b.asks, 1);
  node_reincarnate(&pair->b);
  pair->b.hold = FALSE;
  pair_run(pair, 10000);
  assert_true(pair->a.network && pair->b.network);
  assert_int_equal(pair->b.asks, 2);
  pair_free(pair);
}

static void a_broken_image_is_refused(void **state) {
  guint8 image[4096];
  Pair *pair = opened();
  AditBuilder out = adit_builder(image, sizeof image);
  adit_ppp_link_save(pair->b.link, &out);
  for (gsize n = 0; n < adit_built(&out); n++) {
    g_autofree guint8 *cut = g_memdup2(image, MAX(n, 1));
    AditCursor in = adit_cursor(cut, n);
    assert_null(adit_ppp_link_restore(&pair->b.params, &rude_ops, &pair->a, &pair->a.env, &in));
  }
  pair->a.deadline = 0;
  adit_ppp_link_free(g_steal_pointer(&pair->a.link));
  pair_free(pair);
}

/* ---- the registry ---- */

static void ncps_are_registered_by_number(void **state) {
  g_autoptr(GError) error = NULL;
  AditPlugin *plugin = (AditPlugin *)state; /* only compared */
  AditNcpDesc other = plain, lame = plain;
  guint n;
  other.protocol = 0x8021;
  other.data_protocol = 0x0021;
  lame.restore = NULL;
  adit_ppp_init();
  const AditPppService *service = adit_ppp_service();
  assert_null(adit_ncp_descs(&n));
  assert_true(service->ncp_add(plugin, &plain, NULL));
  assert_true(service->ncp_add(NULL, &other, NULL));
  assert_ptr_equal(adit_ncp_descs(&n)[0], &other);
  assert_int_equal(n, 2);
  assert_ptr_equal(adit_ncp_find(0x0033), &plain);
  assert_ptr_equal(adit_ncp_find(0x8033), &plain);
  assert_null(adit_ncp_find(0x80fd));
  assert_false(service->ncp_add(plugin, &plain, &error));
  assert_int_equal(error->code, ADIT_ERR_EXISTS);
  g_clear_error(&error);
  assert_false(service->ncp_add(plugin, &lame, &error));
  assert_int_equal(error->code, ADIT_ERR_INVALID);
  adit_ppp_drop_plugin(plugin);
  assert_null(adit_ncp_find(0x8033));
  assert_ptr_equal(adit_ncp_find(0x8021), &other);
  adit_ppp_fini();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_link_comes_up_and_carries),
      cmocka_unit_test(closing_terminates_politely),
      cmocka_unit_test(a_lost_transport_ends_quietly),
      cmocka_unit_test(rfc1661_4_6_a_silent_peer_ends_the_link),
      cmocka_unit_test(rfc1661_4_6_configure_request_is_sent_again_behind_a_lac),
      cmocka_unit_test(rfc1661_6_5_and_6_6_all_framings_are_taken),
      cmocka_unit_test(rfc1661_2_impossible_frames_are_counted),
      cmocka_unit_test(rfc1661_6_5_lcp_is_never_compressed),
      cmocka_unit_test(rfc1661_6_1_mru),
      cmocka_unit_test(rfc1661_6_1_a_tiny_mru_is_naked_and_a_1500_octet_packet_always_taken),
      cmocka_unit_test(rfc1570_2_3_callback_and_what_else_is_unknown_is_rejected),
      cmocka_unit_test(rfc1661_6_options_of_a_wrong_length_are_rejected),
      cmocka_unit_test(rejected_options_are_not_asked_again),
      cmocka_unit_test(naked_options_follow_the_peer),
      cmocka_unit_test(rfc1661_6_4_a_looped_link_is_found),
      cmocka_unit_test(rfc1661_6_4_a_zero_magic_is_naked),
      cmocka_unit_test(rfc1661_5_8_echo_only_when_open_and_with_our_magic),
      cmocka_unit_test(keepalive_is_one_echo_a_second_five_times),
      cmocka_unit_test(any_packet_received_is_life),
      cmocka_unit_test(rfc1661_5_8_echoes_are_answered_and_keep_the_link),
      cmocka_unit_test(rfc1570_2_1_identification_is_sent_and_heard),
      cmocka_unit_test(rfc1661_5_6_an_unknown_code_is_code_rejected),
      cmocka_unit_test(rfc1661_5_7_unknown_protocols_are_rejected_only_when_open),
      cmocka_unit_test(rfc1661_5_7_a_protocol_reject_stops_that_ncp_only),
      cmocka_unit_test(rfc1661_5_7_a_protocol_reject_of_lcp_is_the_end),
      cmocka_unit_test(rfc1661_3_4_ncp_packets_before_the_network_phase_are_dropped),
      cmocka_unit_test(rfc1661_an_ncp_that_ends_leaves_the_link),
      cmocka_unit_test(an_ncp_of_a_peer_that_has_none_ends_alone),
      cmocka_unit_test(an_ncp_knows_its_own_codes),
      cmocka_unit_test(wrong_credentials_end_both_sides),
      cmocka_unit_test(rfc1661_6_2_nak_falls_back_through_what_is_allowed),
      cmocka_unit_test(rfc1661_6_2_a_suggestion_that_is_not_allowed_leads_to_the_next),
      cmocka_unit_test(a_peer_that_rejects_authentication_is_left),
      cmocka_unit_test(methods_without_anything_in_common_do_not_loop),
      cmocka_unit_test(both_sides_may_demand_at_once),
      cmocka_unit_test(authentication_has_a_deadline),
      cmocka_unit_test(a_verdict_for_nobody_is_dropped),
      cmocka_unit_test(rechallenge_failing_ends_the_link),
      cmocka_unit_test(rfc1661_3_lcp_up_again_while_open_starts_all_anew),
      cmocka_unit_test(a_link_may_be_closed_and_freed_inside_its_callbacks),
      cmocka_unit_test(links_survive_death_at_any_step),
      cmocka_unit_test(a_question_open_at_death_is_asked_again),
      cmocka_unit_test(a_broken_image_is_refused),
      cmocka_unit_test(ncps_are_registered_by_number),
  };
  return cmocka_run_group_tests_name("link", tests, NULL, NULL);
}
