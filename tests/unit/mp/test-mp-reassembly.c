/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Fragments to packets: RFC 1990's forms and rules. */
#include "bundle.h"

#define B  TRUE, FALSE
#define E  FALSE, TRUE
#define BE TRUE, TRUE
#define M  FALSE, FALSE /* in the middle */

/* ---- forms (RFC 1990 2, 3) ---- */

static void long_headers_3(void **state) {
  Bundle *b = *state;
  bundle_take_hex(b, 0, "c0 000000 0021 4500 0001");
  bundle_take_hex(b, 0, "80 000001 0021 4500");
  bundle_take_hex(b, 0, "00 000002 0002");
  bundle_take_hex(b, 0, "40 000003 03");
  assert_int_equal(b->packets->len, 2);
  piece_expect(bundle_packet(b, 0), 0, ADIT_PPP_IPV4, "4500 0001");
  piece_expect(bundle_packet(b, 1), 0, ADIT_PPP_IPV4, "4500 0002 03");
}

static void short_headers_3(void **state) {
  Bundle *b = *state;
  b->params.receive_short = TRUE;
  bundle_take_hex(b, 0, "c123 0057 60");
  bundle_take_hex(b, 0, "8124 0021 45");
  bundle_take_hex(b, 0, "4125 00");
  assert_int_equal(b->packets->len, 2);
  piece_expect(bundle_packet(b, 0), 0, ADIT_PPP_IPV6, "60");
  piece_expect(bundle_packet(b, 1), 0, ADIT_PPP_IPV4, "4500");
}

static void reserved_bits_are_not_looked_at_3(void **state) {
  Bundle *b = *state;
  bundle_take_hex(b, 0, "ff 000000 0021 45");
  piece_expect(bundle_packet(b, 0), 0, ADIT_PPP_IPV4, "45");
}

static void protocol_inside_is_compressed_or_not_and_may_have_address_and_control_2(void **state) {
  Bundle *b = *state;
  bundle_take_hex(b, 0, "c0 000000 21 45");
  bundle_take_hex(b, 0, "c0 000001 ff03 0021 46");
  bundle_take_hex(b, 0, "c0 000002 ff03 21 47");
  bundle_take_hex(b, 0, "80 000003 ff");
  bundle_take_hex(b, 0, "00 000004 0300");
  bundle_take_hex(b, 0, "40 000005 2148");
  bundle_take_hex(b, 0, "c0 000006 00fd 1234");
  assert_int_equal(b->packets->len, 5);
  for (guint i = 0; i < 4; i++)
    assert_int_equal(bundle_packet(b, i)->data->data[0], 0x45 + i);
  piece_expect(bundle_packet(b, 4), 0, ADIT_PPP_COMPRESSED, "1234"); /* which another stage undoes */
}

static void what_is_no_packet_is_counted(void **state) {
  static const char *const bad[] = {"c0 0000",     "c0 000000 ff03", "c0 000001 00", "c0 000002 0020 45", "c0 000003 003d c0000000 0021",
                                    "c0 000004 3d"};
  Bundle *b = *state;
  for (guint i = 0; i < G_N_ELEMENTS(bad); i++)
    bundle_take_hex(b, 0, bad[i]);
  bundle_take_hex(b, 20, "c0 000005 0021 45"); /* no link has this index */
  assert_int_equal(b->packets->len, 0);
  assert_int_equal(bundle_counters(b).malformed, G_N_ELEMENTS(bad) + 1);
}

static void nothing_is_taken_without_an_mrru_of_ours(void **state) {
  Bundle *b = *state;
  b->params.own_mrru = 0;
  bundle_take_hex(b, 0, "c0 000000 0021 45");
  assert_int_equal(b->packets->len, 0);
}

static void empty_fragments_have_a_number_only_4_2(void **state) {
  Bundle *b = *state;
  bundle_take_hex(b, 0, "c0 000000");
  bundle_take_fragment(b, 0, B, 1, 10, 0);
  bundle_take_fragment(b, 0, M, 2, 0, 0);
  bundle_take_fragment(b, 0, M, 3, 5, 10);
  bundle_take_fragment(b, 0, E, 4, 0, 0);
  assert_int_equal(b->packets->len, 1);
  piece_expect_count(bundle_packet(b, 0), 15, 0);
  assert_int_equal(bundle_counters(b).malformed + bundle_counters(b).broken + bundle_counters(b).lost, 0);
}

static void fragments_may_have_any_size(void **state) {
  Bundle *b = *state;
  static const guint32 size[] = {1, 700, 2, 0, 700, 97};
  guint32 at = 0;
  for (guint i = 0; i < G_N_ELEMENTS(size); at += size[i++])
    bundle_take_fragment(b, 0, i == 0, i + 1 == G_N_ELEMENTS(size), i, size[i], (guint8)at);
  assert_int_equal(b->packets->len, 1);
  piece_expect_count(bundle_packet(b, 0), 1500, 0);
  assert_int_equal(bundle_counters(b).rx_reassembled, 1);
}

/* ---- LCP and NCPs inside (RFC 1990 2) ---- */

static void lcp_inside_may_not_change_the_link_2(void **state) {
  Bundle *b = *state;
  for (guint8 code = 0; code <= 12; code++) {
    guint8 frame[] = {0xc0, 0, 0, code, 0xc0, 0x21, code, 1, 0, 4};
    bundle_take(b, 1, frame, sizeof frame);
  }
  assert_int_equal(bundle_counters(b).forbidden, 6); /* Configure-Request to Terminate-Ack */
  assert_int_equal(b->packets->len, 7);
  piece_expect(bundle_packet(b, 1), 1, ADIT_PPP_LCP, "07 01 0004"); /* Code-Reject */
  piece_expect(bundle_packet(b, 3), 1, ADIT_PPP_LCP, "09 01 0004"); /* Echo-Request, of the link that it came by */
  bundle_take_hex(b, 0, "80 00000d c0");
  bundle_take_hex(b, 0, "40 00000e 2101 01 0004"); /* cut in two */
  bundle_take_hex(b, 0, "c0 00000f c021");         /* without a code */
  assert_int_equal(bundle_counters(b).forbidden, 8);
}

static void ncps_pass_inside_and_all_passes_outside_2(void **state) {
  static const guint16 protocol[] = {0x8021, ADIT_PPP_IPV4, ADIT_PPP_LCP};
  Bundle *b = *state;
  guint8 text[] = {0x45, 0};
  bundle_take_hex(b, 0, "c0 000000 8021 01 01 0004");
  piece_expect(bundle_packet(b, 0), 0, 0x8021, "01 01 0004");
  for (guint i = 0; i < G_N_ELEMENTS(protocol); i++) {
    AditStageFrame frame = {.protocol = protocol[i], .link = 3, .n = 1, .length = 2};
    frame.slice[0] = (AditStageSlice){text, 2};
    bundle_take_frame(b, &frame);
    piece_expect(bundle_packet(b, i + 1), 3, protocol[i], "4500");
  }
}

/* ---- order and losses (RFC 1990 4.1) ---- */

static void two_links_deliver_in_order(void **state) {
  Bundle *b = *state;
  b->links = 3;
  bundle_take_fragment(b, 1, E, 1, 5, 5);
  bundle_take_fragment(b, 1, BE, 3, 9, 0);
  assert_int_equal(b->packets->len, 0);
  assert_true(b->deadline_ms);
  bundle_take_fragment(b, 0, B, 0, 5, 0);
  assert_int_equal(b->packets->len, 1);
  piece_expect_count(bundle_packet(b, 0), 10, 0);
  bundle_take_fragment(b, 0, BE, 2, 3, 0);
  assert_int_equal(b->packets->len, 3);
  piece_expect_count(bundle_packet(b, 1), 3, 0);
  piece_expect_count(bundle_packet(b, 2), 9, 0);
  assert_int_equal(b->deadline_ms, 0);
  assert_int_equal(bundle_counters(b).lost, 0);
}

static void a_fragment_is_lost_when_each_link_has_brought_a_later_one_4_1(void **state) {
  Bundle *b = *state;
  b->links = 7;
  for (guint8 i = 0; i < 3; i++)
    bundle_take_fragment(b, i, BE, i, 1, 0);
  bundle_forget(b);
  bundle_take_fragment(b, 0, BE, 4, 1, 4); /* 3 is missing */
  bundle_take_fragment(b, 1, BE, 5, 1, 5);
  bundle_take_fragment(b, 0, BE, 7, 1, 7);
  assert_int_equal(b->packets->len, 0);
  bundle_take_fragment(b, 2, BE, 6, 1, 6); /* the last link */
  assert_int_equal(b->packets->len, 4);
  for (guint8 i = 0; i < 4; i++)
    piece_expect_count(bundle_packet(b, i), 1, i + 4);
  assert_int_equal(bundle_counters(b).lost, 1);
  assert_int_equal(bundle_counters(b).expired, 0);
  assert_int_equal(b->lost_notes, 1);
  assert_int_equal(b->lost_noted, 1);
  bundle_take_fragment(b, 2, BE, 3, 1, 3); /* too late, whatever sent it */
  assert_int_equal(b->packets->len, 4);
  assert_int_equal(bundle_counters(b).link[2].late, 1);
}

static void a_lost_fragment_costs_its_packet_alone(void **state) {
  Bundle *b = *state;
  bundle_take_fragment(b, 0, BE, 0, 4, 0);
  bundle_take_fragment(b, 0, B, 1, 4, 0); /* 2 is lost */
  bundle_take_fragment(b, 0, E, 3, 4, 0);
  bundle_take_fragment(b, 0, B, 4, 4, 0);
  bundle_take_fragment(b, 0, E, 5, 4, 4);
  bundle_take_fragment(b, 0, E, 7, 4, 4); /* 6 began it */
  bundle_take_fragment(b, 0, BE, 8, 4, 9);
  assert_int_equal(b->packets->len, 3);
  piece_expect_count(bundle_packet(b, 1), 8, 0);
  piece_expect_count(bundle_packet(b, 2), 4, 9);
  assert_int_equal(bundle_counters(b).lost, 2);
  assert_int_equal(bundle_counters(b).broken, 3);
}

static void begins_and_ends_that_do_not_match_are_dropped(void **state) {
  Bundle *b = *state;
  bundle_take_fragment(b, 0, B, 0, 4, 0);
  bundle_take_fragment(b, 0, BE, 1, 4, 1); /* the first one has no end */
  bundle_take_fragment(b, 0, E, 2, 4, 2);  /* no begin */
  bundle_take_fragment(b, 0, M, 3, 4, 2);
  bundle_take_fragment(b, 0, BE, 4, 4, 3);
  assert_int_equal(b->packets->len, 2);
  piece_expect_count(bundle_packet(b, 0), 4, 1);
  piece_expect_count(bundle_packet(b, 1), 4, 3);
  assert_int_equal(bundle_counters(b).broken, 3);
}

static void an_idle_link_stalls_nothing(void **state) {
  Bundle *b = *state;
  b->links = 3;
  bundle_take_fragment(b, 1, BE, 0, 1, 0);
  bundle_forget(b);
  for (guint32 i = 0; i < 20; i++) { /* each second one went to link 1, which is dead */
    bundle_take_fragment(b, 0, BE, 2 + 2 * i, 1, (guint8)i);
    bundle_wait(b, 50);
  }
  bundle_wait(b, MP_DEADLINE_MS - 50);
  assert_int_equal(b->packets->len, 20);
  for (guint8 i = 0; i < 20; i++)
    piece_expect_count(bundle_packet(b, i), 1, i);
  assert_int_equal(bundle_counters(b).expired, 20);
  assert_int_equal(b->deadline_ms, 0);
}

static void each_packet_waits_for_the_deadline_at_most(void **state) {
  Bundle *b = *state;
  b->links = 3;
  b->params.deadline_ms = 30;
  bundle_take_fragment(b, 0, BE, 1, 1, 0);
  bundle_wait(b, 29);
  assert_int_equal(b->packets->len, 0);
  bundle_take_fragment(b, 0, BE, 3, 1, 0);
  bundle_wait(b, 1);
  assert_int_equal(b->packets->len, 1);
  bundle_wait(b, 28);
  assert_int_equal(b->packets->len, 1);
  bundle_wait(b, 1);
  assert_int_equal(b->packets->len, 2);
}

/* A worker that was kept from running for longer than the deadline reads one link's socket before the other's. */
static void nothing_expires_before_all_links_are_read(void **state) {
  Bundle *b = *state;
  b->links = 3;
  bundle_take_fragment(b, 0, BE, 1, 1, 1);
  b->now_ms += 2 * MP_DEADLINE_MS;
  bundle_take_fragment(b, 0, BE, 2, 1, 2);
  bundle_take_fragment(b, 1, BE, 0, 1, 0);
  bundle_wait(b, 0); /* the end of its pass */
  assert_int_equal(b->packets->len, 3);
  assert_int_equal(bundle_counters(b).expired, 0);
}

static void a_begin_without_a_rest_is_kept_longer_and_not_for_ever(void **state) {
  Bundle *b = *state;
  bundle_take_fragment(b, 0, B, 0, 4, 0);
  bundle_wait(b, 9 * MP_DEADLINE_MS); /* a slow link */
  bundle_take_fragment(b, 0, M, 1, 4, 4);
  bundle_wait(b, 9 * MP_DEADLINE_MS);
  bundle_take_fragment(b, 0, E, 2, 4, 8);
  piece_expect_count(bundle_packet(b, 0), 12, 0);
  bundle_take_fragment(b, 0, B, 3, 4, 0);
  bundle_wait(b, 11 * MP_DEADLINE_MS);
  assert_int_equal(bundle_counters(b).held, 0);
  bundle_take_fragment(b, 0, E, 4, 4, 0);
  bundle_take_fragment(b, 0, BE, 5, 4, 0);
  assert_int_equal(b->packets->len, 2);
}

static void a_link_that_goes_is_not_waited_for(void **state) {
  Bundle *b = *state;
  b->links = 3;
  bundle_take_fragment(b, 1, B, 0, 4, 0);
  bundle_take_fragment(b, 0, E, 2, 4, 0); /* 1 was on link 1 */
  b->links = 1;
  bundle_take_fragment(b, 0, BE, 3, 4, 7);
  assert_int_equal(b->packets->len, 1);
  piece_expect_count(bundle_packet(b, 0), 4, 7);
  assert_int_equal(bundle_counters(b).expired, 0);
  assert_int_equal(b->deadline_ms, 0);
}

static void a_link_that_comes_may_have_what_is_missing(void **state) {
  Bundle *b = *state;
  bundle_take_fragment(b, 0, BE, 0, 4, 0);
  b->links = 3;
  bundle_take_fragment(b, 0, BE, 2, 4, 2);
  assert_int_equal(b->packets->len, 1);
  bundle_take_fragment(b, 1, BE, 1, 4, 1);
  assert_int_equal(b->packets->len, 3);
  piece_expect_count(bundle_packet(b, 1), 4, 1);
  bundle_take_fragment(b, 0, BE, 4, 4, 4);
  b->links = 7; /* the peer uses it already: it has 3 */
  bundle_take_fragment(b, 1, BE, 5, 4, 5);
  assert_int_equal(b->packets->len, 3);
  bundle_take_fragment(b, 2, BE, 3, 4, 3);
  assert_int_equal(b->packets->len, 6);
}

static void duplicates_are_dropped(void **state) {
  Bundle *b = *state;
  b->links = 3;
  for (guint round = 0; round < 2; round++)
    bundle_take_fragment(b, 0, BE, 0, 4, 0);
  for (guint round = 0; round < 2; round++)
    bundle_take_fragment(b, 0, B, 1, 4, 0);
  for (guint8 round = 0; round < 2; round++)
    bundle_take_fragment(b, 0, BE, 3, 4, 3 + round);
  bundle_take_fragment(b, 1, E, 2, 4, 4);
  bundle_take_fragment(b, 1, E, 2, 4, 4);
  assert_int_equal(b->packets->len, 3);
  piece_expect_count(bundle_packet(b, 2), 4, 3); /* the first one counts */
  assert_int_equal(bundle_counters(b).link[0].late, 3);
  assert_int_equal(bundle_counters(b).link[1].late, 1);
}

/* ---- numbers ---- */

static void numbers_wrap(Bundle *b, guint bits) {
  guint32 mask = (1u << bits) - 1;
  b->links = 3;
  for (guint32 i = 0; i < 12; i++) { /* pairs come in the wrong order, by two links; each pair is a packet */
    guint32 sequence = (mask - 5 + (i ^ 1)) & mask;
    guint8 frame[] = {i & 1 ? 0x80 : 0x40, (guint8)(sequence >> 16), (guint8)(sequence >> 8), (guint8)sequence, 0x21, 9};
    guint8 small[] = {(guint8)(frame[0] | sequence >> 8), (guint8)sequence, 0x21, 9};
    if (i == 0)
      bundle_take_hex(b, 0, bits == 12 ? "cff9 0021" : "c0 fffff9 0021"); /* the one before: it fixes the begin */
    bundle_take(b, i & 1, bits == 12 ? small : frame, bits == 12 ? sizeof small : sizeof frame);
  }
  assert_int_equal(b->packets->len, 7);
  for (guint i = 1; i < 7; i++)
    piece_expect(bundle_packet(b, i), 1, ADIT_PPP_IPV4, "09 21 09");
  assert_int_equal(bundle_counters(b).lost, 0);
}

static void short_numbers_wrap(void **state) {
  Bundle *b = *state;
  b->params.receive_short = TRUE;
  numbers_wrap(b, 12);
}

static void long_numbers_wrap(void **state) {
  numbers_wrap(*state, 24);
}

static void a_long_life_of_short_numbers(void **state) {
  Bundle *b = *state;
  b->params.receive_short = TRUE;
  for (guint32 i = 0; i < 3 * 4096 + 5; i++) {
    guint8 frame[] = {(guint8)(0xc0 | (i >> 8 & 0x0f)), (guint8)i, 0x21, (guint8)i};
    bundle_take(b, 0, frame, sizeof frame);
    assert_int_equal(b->packets->len, 1);
    assert_int_equal(bundle_packet(b, 0)->data->data[0], (guint8)i);
    bundle_forget(b);
  }
  assert_int_equal(bundle_counters(b).lost, 0);
}

/* Nobody waits for what a dead link should have brought; what it does bring is taken. */
static void a_silent_link_is_not_waited_for(void **state) {
  Bundle *b = *state;
  b->links = 3;
  bundle_take_fragment(b, 0, TRUE, TRUE, 0, 10, 1);
  bundle_take_fragment(b, 1, TRUE, TRUE, 1, 10, 1);
  bundle_take_fragment(b, 0, TRUE, TRUE, 3, 10, 1);
  assert_int_equal(b->packets->len, 2); /* 2 may come */
  b->params.silent = 2;
  bundle_take_fragment(b, 0, TRUE, TRUE, 5, 10, 1);
  assert_int_equal(b->packets->len, 4);
  assert_int_equal(b->deadline_ms, 0);
  bundle_take_fragment(b, 1, TRUE, TRUE, 6, 10, 1);
  assert_int_equal(b->packets->len, 5);
  b->params.silent = 3; /* all: as if none were */
  bundle_take_fragment(b, 0, TRUE, TRUE, 8, 10, 1);
  assert_int_equal(b->packets->len, 5);
  bundle_wait(b, MP_DEADLINE_MS);
  assert_int_equal(b->packets->len, 6);
}

/* A peer that lost its links redials before they are missed here: its new link joins the old bundle and begins at 0. */
static void a_new_link_whose_numbers_are_behind_restarts_them(void **state) {
  static const guint32 reached[] = {7, 500, 2047, 2049, 40000}; /* within the window and beyond */
  for (guint k = 0; k < G_N_ELEMENTS(reached); k++) {
    Bundle *b = bundle_new();
    for (guint32 i = 0; i < reached[k]; i++)
      bundle_take_fragment(b, 0, TRUE, TRUE, i, 10, 1);
    bundle_forget(b);
    b->links = 3;
    for (guint32 i = 0; i < 10; i++)
      bundle_take_fragment(b, 1, TRUE, TRUE, i, 10, 1);
    assert_in_range(b->packets->len, 9, 10);
    assert_int_equal(b->resync_notes, 1);
    assert_int_equal(bundle_counters(b).resyncs, 1);
    bundle_free(b);
  }
}

/* A new link may be slow, and what it brings first late: the other one goes on with the same numbers. */
static void a_new_link_that_is_only_slow_restarts_nothing(void **state) {
  Bundle *b = *state;
  for (guint32 i = 0; i < 100; i++)
    bundle_take_fragment(b, 0, TRUE, TRUE, i, 10, 1);
  b->links = 3;
  for (guint32 i = 101; i < 200; i += 2) {
    bundle_take_fragment(b, 0, TRUE, TRUE, i, 10, 1);
    bundle_wait(b, 300);
  }
  for (guint32 i = 100; i < 200; i += 2)
    bundle_take_fragment(b, 1, TRUE, TRUE, i, 10, 1);
  assert_int_equal(b->resync_notes, 0);
  assert_int_equal(bundle_counters(b).link[1].late, 50);
  b->links = 7; /* one late fragment of a third link is no restart either */
  bundle_take_fragment(b, 2, TRUE, TRUE, 199, 10, 1);
  bundle_take_fragment(b, 0, TRUE, TRUE, 200, 10, 1);
  bundle_take_fragment(b, 2, TRUE, TRUE, 198, 10, 1);
  bundle_take_fragment(b, 2, TRUE, TRUE, 199, 10, 1);
  assert_int_equal(b->resync_notes, 0);
}

static void a_peer_that_restarts_its_numbers_is_followed_and_noise_is_not(void **state) {
  Bundle *b = *state;
  b->links = 3;
  for (guint32 i = 0; i < 5; i++)
    bundle_take_fragment(b, 0, BE, 0x500000 + i, 1, 0);
  bundle_take_fragment(b, 0, BE, 0x900000, 1, 0); /* noise */
  bundle_take_fragment(b, 0, BE, 0x500005, 1, 0);
  bundle_take_fragment(b, 0, BE, 0x123456, 1, 0);
  bundle_take_fragment(b, 0, BE, 0x700000, 1, 0);
  bundle_take_fragment(b, 0, BE, 0x000007, 1, 0);
  bundle_take_fragment(b, 0, BE, 0x500006, 1, 0);
  assert_int_equal(b->packets->len, 7);
  assert_int_equal(bundle_counters(b).resyncs, 0);
  bundle_forget(b);
  bundle_take_fragment(b, 1, B, 0x500007, 1, 0); /* and what is held goes */
  for (guint8 i = 0; i < 10; i++)
    bundle_take_fragment(b, i & 1, BE, i, 1, i);
  assert_int_equal(b->packets->len, 7);
  piece_expect_count(bundle_packet(b, 0), 1, 3);
  assert_int_equal(bundle_counters(b).resyncs, 1);
  assert_int_equal(b->resync_notes, 1);
}

static void the_first_number_may_be_any(void **state) {
  Bundle *b = *state;
  b->links = 3;
  bundle_take_fragment(b, 0, BE, 0xfffff0, 1, 0);
  bundle_take_fragment(b, 1, BE, 0xfffff1, 1, 0);
  assert_int_equal(b->packets->len, 2);
  assert_int_equal(bundle_counters(b).resyncs + bundle_counters(b).lost, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      BUNDLE_TEST(long_headers_3),
      BUNDLE_TEST(short_headers_3),
      BUNDLE_TEST(reserved_bits_are_not_looked_at_3),
      BUNDLE_TEST(protocol_inside_is_compressed_or_not_and_may_have_address_and_control_2),
      BUNDLE_TEST(what_is_no_packet_is_counted),
      BUNDLE_TEST(nothing_is_taken_without_an_mrru_of_ours),
      BUNDLE_TEST(empty_fragments_have_a_number_only_4_2),
      BUNDLE_TEST(fragments_may_have_any_size),
      BUNDLE_TEST(lcp_inside_may_not_change_the_link_2),
      BUNDLE_TEST(ncps_pass_inside_and_all_passes_outside_2),
      BUNDLE_TEST(two_links_deliver_in_order),
      BUNDLE_TEST(a_fragment_is_lost_when_each_link_has_brought_a_later_one_4_1),
      BUNDLE_TEST(a_lost_fragment_costs_its_packet_alone),
      BUNDLE_TEST(begins_and_ends_that_do_not_match_are_dropped),
      BUNDLE_TEST(an_idle_link_stalls_nothing),
      BUNDLE_TEST(each_packet_waits_for_the_deadline_at_most),
      BUNDLE_TEST(nothing_expires_before_all_links_are_read),
      BUNDLE_TEST(a_begin_without_a_rest_is_kept_longer_and_not_for_ever),
      BUNDLE_TEST(a_link_that_goes_is_not_waited_for),
      BUNDLE_TEST(a_link_that_comes_may_have_what_is_missing),
      BUNDLE_TEST(duplicates_are_dropped),
      BUNDLE_TEST(short_numbers_wrap),
      BUNDLE_TEST(long_numbers_wrap),
      BUNDLE_TEST(a_long_life_of_short_numbers),
      BUNDLE_TEST(a_silent_link_is_not_waited_for),
      BUNDLE_TEST(a_new_link_whose_numbers_are_behind_restarts_them),
      BUNDLE_TEST(a_new_link_that_is_only_slow_restarts_nothing),
      BUNDLE_TEST(a_peer_that_restarts_its_numbers_is_followed_and_noise_is_not),
      BUNDLE_TEST(the_first_number_may_be_any),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
