/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Which links Multilink puts together (RFC 1990 5.1.3), and what it tells its stage. */
#include "bundler-world.h"
#include "plugins/mp/data/mp-pool.h"

/* ---- which bundle ---- */

static void rfc1990_5_1_3_same_user_and_discriminator_join(void **state) {
  link_of(1, "ann", "one");
  link_of(2, "ann", "one");
  link_of(3, "bob", "one"); /* another user with the same */
  link_of(4, "ann", "two"); /* another machine of the same user */
  link_of(5, "bob", "one");
  assert_int_equal(place(1, 1), '1');
  assert_int_equal(place(2, 9), '1');
  assert_int_equal(place(3, 2), '2');
  assert_int_equal(place(4, 3), '3');
  assert_int_equal(place(5, 9), '2');
}

static void names_and_discriminators_are_no_one_text(void **state) {
  link_of(1, "b c", "a");
  link_of(2, "c", "a b");
  link_of(3, "61 b c", NULL);
  assert_int_equal(place(1, 1), '1');
  assert_int_equal(place(2, 2), '2');
  assert_int_equal(place(3, 3), '3');
}

static void rfc1990_5_1_3_without_a_discriminator_the_user_decides(void **state) {
  link_of(1, "ann", NULL);
  link_of(2, "ann", NULL);
  link_of(3, "bob", NULL);
  link_of(4, "ann", "one");
  g_byte_array_append((link_of(5, "ann", "")->peer), (const guint8 *)"", 0);
  links[4].peer->data[0] = 0; /* the null class is none */
  assert_int_equal(place(1, 1), '1');
  assert_int_equal(place(2, 9), '1');
  assert_int_equal(place(3, 2), '2');
  assert_int_equal(place(4, 3), '3');
  assert_int_equal(place(5, 9), '1');
}

static void a_bundle_that_is_ending_takes_no_link(void **state) {
  link_of(1, "ann", NULL);
  link_of(2, "ann", NULL);
  link_of(3, "ann", NULL);
  assert_int_equal(place(1, 1), '1');
  mp_bundler_ops.changed(bundler, 1, 1, FALSE); /* its only link says goodbye */
  assert_int_equal(place(2, 2), '2');
  leave(1, 0);
  assert_int_equal(place(3, 9), '2'); /* the newer one has its place */
}

static void a_client_and_a_server_are_no_pair(void **state) {
  link_of(1, "ann", "one");
  link_of(2, "ann", "one")->info.client = TRUE;
  link_of(3, "ann", "one")->info.client = TRUE;
  links[2].info.server = "out2";
  link_of(4, "ann", "one")->info.client = TRUE;
  assert_int_equal(place(1, 1), '1');
  assert_int_equal(place(2, 2), '2');
  assert_int_equal(place(3, 3), '3'); /* another client's */
  assert_int_equal(place(4, 9), '2');
}

static void links_of_other_formats_are_refused(void **state) {
  link_of(1, "ann", "one");
  link_of(2, "ann", "one")->is_short[1] = TRUE;
  link_of(3, "ann", "one")->is_short[0] = TRUE;
  assert_int_equal(place(1, 1), '1');
  assert_int_equal(place(2, 9), 'r');
  assert_string_equal(links[1].why, "its sequence numbers have another length than the bundle's");
  assert_int_equal(place(3, 9), 'r');
}

static void a_link_without_multilink_is_a_session(void **state) {
  FakeLink *refused = link_of(1, "ann", "one"), *one_way = link_of(2, "ann", "one");
  link_of(3, "ann", "one");
  refused->mrru[0] = 0; /* the peer rejected ours, and has one itself */
  one_way->mrru[1] = 0; /* the peer may send so */
  assert_int_equal(place(1, 1), 'n');
  assert_int_equal(place(2, 2), '2');
  assert_int_equal(stage.params.own_mrru, 1600);
  assert_int_equal(stage.params.peer_mrru, 0); /* and gets nothing so */
  assert_int_equal(stage.mtu, 0);
  assert_int_equal(place(3, 3), '3'); /* nobody joins it */
}

/* ---- limits ---- */

static AditValue *limits(gint64 max_links, gint64 port_limit) {
  AditValue *map = adit_value_map();
  if (max_links)
    adit_value_set(map, "max-links", adit_value_int(max_links));
  if (port_limit)
    adit_value_set(map, "port-limit", adit_value_int(port_limit));
  return map;
}

static void rfc2865_5_42_a_user_has_so_many_links(void **state) {
  static const struct {
    gint64 max_links, port_limit;
    guint expected;
  } cases[] = {{0, 0, 16}, {3, 0, 3}, {0, 2, 2}, {3, 2, 2}, {1, 4, 1}, {0, 4000000000, 16}};
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(AditValue) map = limits(cases[i].max_links, cases[i].port_limit);
    assert_int_equal(mp_bundle_limit(map, NULL), cases[i].expected);
    assert_int_equal(mp_bundle_limit(NULL, map), cases[i].expected);
  }
  attributes[0] = limits(0, 2);
  for (AditLinkId id = 1; id <= 3; id++)
    link_of(id, "ann", "one");
  assert_int_equal(place(1, 1), '1');
  assert_int_equal(place(2, 9), '1');
  assert_int_equal(place(3, 9), 'r');
  assert_string_equal(links[2].why, "the user may have 2 links (max-links, Port-Limit)");
}

static void a_link_may_bring_a_smaller_limit(void **state) {
  link_of(1, "ann", "one");
  link_of(2, "ann", "one")->info.attributes = limits(0, 1);
  assert_int_equal(place(1, 1), '1');
  assert_int_equal(place(2, 9), 'r');
}

static void a_limit_that_was_lowered_ends_the_newest(void **state) {
  for (AditLinkId id = 1; id <= 3; id++) {
    link_of(id, "ann", "one");
    place(id, 1);
  }
  mp_bundler_enforce(bundler, 1);
  attributes[0] = limits(0, 1);
  mp_bundler_enforce(bundler, 1);
  assert_false(links[0].ended);
  assert_true(links[1].ended && links[2].ended);
}

static void a_bundle_has_sixteen_links(void **state) {
  for (AditLinkId id = 1; id <= 16; id++) {
    link_of(id, "ann", "one");
    assert_int_equal(place(id, 1), '1');
  }
  link_of(17, "ann", "one");
  assert_int_equal(place(17, 9), 'r');
}

/* ---- the stage ---- */

static void the_stage_is_told_what_was_agreed(void **state) {
  link_of(1, "ann", "one")->is_short[1] = TRUE;
  place(1, 1);
  assert_true(stage.placed);
  assert_int_equal(stage.params.own_mrru, 1600);
  assert_int_equal(stage.params.peer_mrru, 1614);
  assert_int_equal(stage.params.link[0].mtu, 1400);
  assert_true(stage.params.send_short);
  assert_false(stage.params.receive_short);
  assert_int_equal(stage.mtu, 1614);
  g_autoptr(AditValue) shown = stage.spec.describe(stage.spec.user);
  assert_int_equal(adit_value_get_int(shown, "peer-mrru", 0), 1614);
  assert_string_equal(adit_value_get_string(shown, "header-to-peer", ""), "short");
  assert_string_equal(adit_value_get_string(shown, "peer-discriminator", ""), "local 6f6e65");
  assert_int_equal(adit_value_length(adit_value_get(shown, "links")), 1);
}

static void links_come_and_go(void **state) {
  link_of(1, "ann", "one");
  link_of(2, "ann", "one")->mrru[1] = 1500; /* RFC 1990 5.1.1 wants the same */
  links[1].info.mtu = 900;
  place(1, 1);
  place(2, 9);
  assert_int_equal(stage.params.link[1].mtu, 900);
  assert_int_equal(stage.params.peer_mrru, 1500);
  assert_int_equal(stage.mtu, 1500);
  leave(2, 1);
  assert_int_equal(stage.params.peer_mrru, 1614);
  assert_int_equal(stage.params.link[1].mtu, 0);
  assert_int_equal(stage.mtu, 1614);
}

static void a_small_mrru_limits_no_single_link(void **state) {
  link_of(1, "ann", "one")->mrru[1] = 600;
  link_of(2, "ann", "one")->mrru[1] = 600;
  place(1, 1);
  assert_int_equal(stage.mtu, 1400);
  place(2, 9);
  assert_int_equal(stage.mtu, 600);
}

static void a_data_path_without_stages_ends_the_session(void **state) {
  g_autoptr(GError) error = NULL;
  AditBundleDecision decision = {.size = sizeof decision};
  FakeLink *link = link_of(1, "ann", "one");
  stage.refuses = TRUE;
  assert_int_equal(mp_bundler_ops.decide(bundler, &link->info, &decision), ADIT_BUNDLE_FOUND);
  mp_bundler_ops.joined(bundler, 1, 1);
  assert_false(mp_bundler_ops.opened(bundler, 1, &error));
  assert_string_equal(error->message, "data path kernel runs no stages");
  link->info.session = 1;
  leave(1, 0);
}

/* The peer dialled again before we missed it: what it sends is of a new bundle. */
static void a_peer_that_begins_a_new_bundle_loses_its_old_links(void **state) {
  for (AditLinkId id = 1; id <= 3; id++) {
    link_of(id, "ann", "one");
    place(id, 1);
  }
  stage.spec.note(stage.spec.user, MP_NOTE_LOST, &(MpNoteLost){7, 3}, sizeof(MpNoteLost));
  assert_false(links[0].ended);
  stage.spec.note(stage.spec.user, MP_NOTE_RESYNC, NULL, 0);
  assert_true(links[0].ended && links[1].ended);
  assert_false(links[2].ended);
}

/* ---- before the stage is there ---- */

static guint unwrap_by(AditLinkId link, const char *octets, gsize length, guint16 *protocol) {
  static guint8 copy[64];
  memcpy(copy, octets, length);
  AditStageFrame frame = {.protocol = ADIT_PPP_MP, .n = 1, .length = (guint32)length};
  frame.slice[0] = (AditStageSlice){copy, (guint32)length};
  assert_true(mp_bundler_ops.unwrap(bundler, 1, link, &frame));
  *protocol = frame.protocol;
  return frame.length;
}

static guint unwrap(const char *octets, gsize length, guint16 *protocol) {
  return unwrap_by(1, octets, length, protocol);
}

static guint unwrap_next(AditLinkId link, guint16 *protocol) {
  AditStageFrame frame = {.protocol = ADIT_PPP_MP};
  assert_true(mp_bundler_ops.unwrap(bundler, 1, link, &frame));
  *protocol = frame.protocol;
  return frame.length;
}

/* Linux divides each packet over the links that it has, those of NCPs, too: both links may be there before the session is open. */
static void control_packets_in_fragments_are_read_before_the_stage_is_there(void **state) {
  guint16 protocol;
  guint64 before, after, most;
  mp_pool_usage(&before, &most);
  stays_closed = TRUE;
  for (AditLinkId id = 1; id <= 2; id++) {
    link_of(id, "ann", "one");
    place(id, 1);
  }
  assert_int_equal(unwrap_by(1, "\x80\0\0\0\x80\x21\1\1", 8, &protocol), 0);
  assert_int_equal(unwrap_by(2, "\x40\0\0\1\0\4", 6, &protocol), 4); /* IPCP over both */
  assert_int_equal(protocol, 0x8021);
  assert_int_equal(unwrap_next(2, &protocol), 0);
  assert_int_equal(unwrap_by(2, "\x40\0\0\3\0\4", 6, &protocol), 0); /* the end first, and a second packet behind it */
  assert_int_equal(unwrap_by(2, "\x40\0\0\5\0\5\0", 7, &protocol), 0);
  assert_int_equal(unwrap_by(1, "\x80\0\0\2\x80\x57\1\1", 8, &protocol), 4);
  assert_int_equal(protocol, 0x8057);
  assert_int_equal(unwrap_by(1, "\x80\0\0\4\x80\xfd\1\1", 8, &protocol), 5);
  assert_int_equal(protocol, 0x80fd);
  assert_int_equal(unwrap_by(1, "\x80\0\0\6\xc0\x21\1\1", 8, &protocol), 0); /* LCP and data are not for NCPs */
  assert_int_equal(unwrap_by(2, "\x40\0\0\7\0\4", 6, &protocol), 0);
  assert_int_equal(unwrap_by(1, "\x80\0\0\x08\x21\x45", 6, &protocol), 0);
  assert_int_equal(unwrap_by(2, "\x40\0\0\x09\0\4", 6, &protocol), 0);
  assert_int_equal(unwrap_by(1, "\x80\0\0\x0a\x80\x21\1\1", 8, &protocol), 0); /* its end is lost */
  assert_int_equal(unwrap_by(1, "\x80\0\0\x0d\x80\x57\1\1", 8, &protocol), 0);
  assert_int_equal(unwrap_by(2, "\x40\0\0\x0e\0\6\0\0", 8, &protocol), 6); /* the next one passes at once */
  assert_int_equal(protocol, 0x8057);
  assert_int_equal(unwrap_by(1, "\x80\0\0\x0f\x80\x21\1\1", 8, &protocol), 0);
  open_session(1); /* the stage is in place: what waits is given back */
  mp_pool_usage(&after, &most);
  assert_int_equal(after, before);
}

/* Two that one fragment makes whole come one after the other. */
static void packets_that_are_whole_at_once_come_in_their_order(void **state) {
  guint16 protocol;
  stays_closed = TRUE;
  for (AditLinkId id = 1; id <= 2; id++) {
    link_of(id, "ann", "one");
    place(id, 1);
  }
  assert_int_equal(unwrap_by(2, "\x80\0\0\2\x80\x57\1\1", 8, &protocol), 0);
  assert_int_equal(unwrap_by(2, "\x40\0\0\3\0\5\0", 7, &protocol), 0);
  assert_int_equal(unwrap_by(1, "\x80\0\0\0\x80\x21\1\1", 8, &protocol), 0);
  assert_int_equal(unwrap_by(1, "\x40\0\0\1\0\4", 6, &protocol), 4);
  assert_int_equal(protocol, 0x8021);
  assert_int_equal(unwrap_next(1, &protocol), 5);
  assert_int_equal(protocol, 0x8057);
  assert_int_equal(unwrap_next(1, &protocol), 0);
}

static void control_packets_are_read_before_the_stage_is_there(void **state) {
  AditStageFrame ip = {.protocol = 0x0021};
  guint16 protocol;
  link_of(1, "ann", "one");
  place(1, 1);
  assert_int_equal(unwrap("\xc0\0\0\0\x80\x21\1\1\0\4", 10, &protocol), 4);
  assert_int_equal(protocol, 0x8021);
  assert_int_equal(unwrap("\xc0\0\0\1\x21\x45", 6, &protocol), 0);          /* data */
  assert_int_equal(unwrap("\x80\0\0\2\x80\x21\1\1\0\4", 10, &protocol), 0); /* a piece */
  assert_int_equal(unwrap("\xc0\0\0\3\xc0\x21\1\1\0\4", 10, &protocol), 0); /* RFC 1990 2: LCP */
  assert_int_equal(unwrap("\xc0\0\0\4\x00\x3d\xc0\0\0\4", 10, &protocol), 0);
  assert_int_equal(unwrap("\xc0\0\0\5\x80", 5, &protocol), 0);
  assert_int_equal(unwrap("\xc0", 1, &protocol), 0);
  assert_false(mp_bundler_ops.unwrap(bundler, 1, 1, &ip));
  links[0].is_short[0] = TRUE;
  renegotiate(1);
  assert_int_equal(unwrap("\xc0\0\x80\x21\1\1\0\4", 8, &protocol), 4);
}

static void nobody_unwraps_what_was_not_agreed(void **state) {
  guint8 octets[8] = {0xc0};
  AditStageFrame frame = {.protocol = ADIT_PPP_MP, .n = 1, .length = 8, .slice = {{octets, 8}}};
  assert_false(mp_bundler_ops.unwrap(bundler, 1, 1, &frame)); /* no bundle */
  link_of(1, "ann", "one");
  place(1, 1);
  links[0].mrru[0] = 0;
  renegotiate(1);
  assert_false(mp_bundler_ops.unwrap(bundler, 1, 1, &frame));
}

int main(void) {
#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      test(rfc1990_5_1_3_same_user_and_discriminator_join),
      test(names_and_discriminators_are_no_one_text),
      test(rfc1990_5_1_3_without_a_discriminator_the_user_decides),
      test(a_bundle_that_is_ending_takes_no_link),
      test(a_client_and_a_server_are_no_pair),
      test(links_of_other_formats_are_refused),
      test(a_link_without_multilink_is_a_session),
      test(rfc2865_5_42_a_user_has_so_many_links),
      test(a_link_may_bring_a_smaller_limit),
      test(a_limit_that_was_lowered_ends_the_newest),
      test(a_bundle_has_sixteen_links),
      test(the_stage_is_told_what_was_agreed),
      test(links_come_and_go),
      test(a_small_mrru_limits_no_single_link),
      test(a_data_path_without_stages_ends_the_session),
      test(a_peer_that_begins_a_new_bundle_loses_its_old_links),
      test(control_packets_are_read_before_the_stage_is_there),
      test(control_packets_in_fragments_are_read_before_the_stage_is_there),
      test(packets_that_are_whole_at_once_come_in_their_order),
      test(nobody_unwraps_what_was_not_agreed),
  };
  return cmocka_run_group_tests_name("mp bundler", tests, NULL, NULL);
}
