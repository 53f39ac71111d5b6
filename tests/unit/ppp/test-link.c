/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "links.h"

#include "core/ppp/frame.h"

/* ---- establishment ---- */

static void a_link_comes_up_and_carries(void **state) {
  Pair *pair = link_opened();
  assert_string_equal(pair->b.user, "alice");
  assert_string_equal(link_info_of(&pair->b).demanded, "strong");
  assert_string_equal(link_info_of(&pair->a).answered, "strong");
  assert_string_equal(link_info_of(&pair->b).user, "alice");
  assert_true(pair->a.acfc && pair->a.pfc);
  node_send_data(&pair->a, 0x0033);
  node_send_data(&pair->b, 0x0033);
  pair_run(pair, 10);
  assert_int_equal(pair->a.data, 1);
  assert_int_equal(pair->b.data, 1);
  pair_free(pair);
}

static void closing_terminates_politely(void **state) {
  Pair *pair = link_opened();
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
  Pair *pair = link_opened();
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
  Pair *pair = link_lone();
  link_lone_open(pair);
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
  link_server_and_client(pair);
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
  Pair *pair = link_opened();
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
  Pair *pair = link_opened();
  guint64 before = link_info_of(&pair->a).discarded;
  for (guint i = 0; i < G_N_ELEMENTS(frames); i++) {
    g_autoptr(GByteArray) frame = from_hex(frames[i]);
    assert_false(adit_ppp_frame_parse(frame->data, frame->len, &protocol, &payload));
    node_inject_text(&pair->a, frames[i]);
  }
  assert_int_equal(link_info_of(&pair->a).discarded, before + G_N_ELEMENTS(frames));
  pair_free(pair);
}

/* LCP always goes out with both octets of its protocol, whatever was agreed; the data path adds FF 03. */
static void rfc1661_6_5_lcp_is_never_compressed(void **state) {
  Pair *pair = link_opened();
  assert_true(pair->a.pfc);
  node_inject_text(&pair->a, "c021 09 21 0008 00000000");
  g_autofree char *reply = node_sent(&pair->a, ADIT_PPP_LCP, 10, 1);
  assert_non_null(reply);
  pair_free(pair);
}

/* ---- NCPs on a link ---- */

static void rfc1661_3_4_ncp_packets_before_the_network_phase_are_dropped(void **state) {
  Pair *pair = pair_new(1);
  link_server_and_client(pair);
  pair->b.hold = TRUE;
  pair_open(pair);
  pair_run(pair, 1000);
  assert_int_equal(pair->b.lcp_ups, 1);
  node_inject_text(&pair->b, "8033 01 01 0004");
  assert_int_equal(node_count(&pair->b, 0x8033, 2), 0);
  assert_int_equal(node_count(&pair->b, ADIT_PPP_LCP, 8), 0);
  assert_int_equal(link_info_of(&pair->b).discarded, 1);
  pair_free(pair);
}

static void rfc1661_an_ncp_that_ends_leaves_the_link(void **state) {
  Pair *pair = link_opened();
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
  node_add_ncp(&pair->a, &simple_ncp, &params);
  pair_open(pair);
  pair_run(pair, 20000);
  assert_int_equal(pair->a.ncps[0].opens, 0);
  assert_int_equal(pair->a.ncps[0].closes, 1);
  assert_int_equal(pair->b.unknown, 1);
  assert_true(pair->a.network && pair->b.network);
  pair_free(pair);
}

static void an_ncp_knows_its_own_codes(void **state) {
  Pair *pair = link_opened();
  node_inject_text(&pair->a, "8033 0e 01 0004");
  assert_int_equal(node_count(&pair->a, 0x8033, 7), 0);
  node_inject_text(&pair->a, "8033 0f 01 0004");
  assert_int_equal(node_count(&pair->a, 0x8033, 7), 1);
  pair_free(pair);
}

/* ---- renegotiation ---- */

static void rfc1661_3_lcp_up_again_while_open_starts_all_anew(void **state) {
  Pair *pair = link_opened();
  simple_resets = 0;
  pair->now += 60000;
  node_inject_text(&pair->b, "c021 01 77 000a 0506 11223344");
  assert_int_equal(pair->b.network_downs, 1);
  assert_int_equal(pair->b.ncps[0].downs, 1);
  assert_true(simple_resets > 0);
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
  Pair *pair = link_lone();
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
    link_server_and_client(pair);
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
  link_server_and_client(pair);
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
  Pair *pair = link_opened();
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
      cmocka_unit_test(rfc1661_3_4_ncp_packets_before_the_network_phase_are_dropped),
      cmocka_unit_test(rfc1661_an_ncp_that_ends_leaves_the_link),
      cmocka_unit_test(an_ncp_of_a_peer_that_has_none_ends_alone),
      cmocka_unit_test(an_ncp_knows_its_own_codes),
      cmocka_unit_test(rfc1661_3_lcp_up_again_while_open_starts_all_anew),
      cmocka_unit_test(a_link_may_be_closed_and_freed_inside_its_callbacks),
      cmocka_unit_test(links_survive_death_at_any_step),
      cmocka_unit_test(a_question_open_at_death_is_asked_again),
      cmocka_unit_test(a_broken_image_is_refused),
  };
  return cmocka_run_group_tests_name("link", tests, NULL, NULL);
}
