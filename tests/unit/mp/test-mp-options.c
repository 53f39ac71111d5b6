/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Multilink's options of LCP (RFC 1990 5.1), by two real links on a virtual clock, or one whose other end is the test. */
#include "plugins/mp/mp-options.h"
#include "tests/unit/ppp/links.h"

/* ---- ends ---- */

static const AditLcpDesc *const with_mp[] = {&mp_lcp_desc};
static AditValue *configs[2];
static AditLcpFacts facts[2];

/* What the configuration of one end has; mrru 0 = disabled. */
static void use_mp(Node *node, guint at, gint64 mrru, gboolean short_sequence) {
  AditValue *config = configs[at] = adit_value_map();
  adit_value_set(config, "name", adit_value_string(at ? "out1" : "office"));
  adit_value_set(config, "mrru", adit_value_int(mrru));
  adit_value_set(config, "short-sequence", adit_value_bool(short_sequence));
  facts[at] = (AditLcpFacts){.size = sizeof facts[at], .client = at == 1, .config = config, .mru = 1450};
  node->params.options = with_mp;
  node->params.n_options = 1;
  node->params.facts = &facts[at];
}

static int teardown(void **state) {
  for (guint i = 0; i < 2; i++)
    g_clear_pointer(&configs[i], adit_value_unref);
  mp_identity_fini();
  return 0;
}

/* A client and a server, with these MRRUs. */
static Pair *mp_pair(gint64 client, gint64 server) {
  Pair *pair = pair_new(5);
  link_server_and_client(pair);
  use_mp(&pair->a, 1, client, FALSE);
  use_mp(&pair->b, 0, server, FALSE);
  return pair;
}

static Pair *lone(gint64 mrru, gboolean short_sequence) {
  Pair *pair = link_lone();
  use_mp(&pair->a, 0, mrru, short_sequence);
  link_lone_open(pair);
  return pair;
}

static gboolean agreed(const Node *node, guint8 type, gboolean peer, AditPppOption *out) {
  return adit_ppp_link_option(node->link, type, peer, out);
}

static void expect_mrru(const Node *node, gboolean peer, guint mrru) {
  AditPppOption option;
  gboolean there = agreed(node, MP_LCP_MRRU, peer, &option);
  assert_int_equal(there ? mp_option_number(&option) : 0, mrru);
}

static void expect_none(const Node *node) {
  AditPppOption option;
  for (guint8 type = MP_LCP_MRRU; type <= MP_LCP_DISCRIMINATOR; type++)
    for (guint peer = 0; peer < 2; peer++)
      assert_false(agreed(node, type, peer, &option));
}

/* The peer asks for these options: the answer's code and options, in hex. */
static void expect_answer(gint64 mrru, const char *options, guint8 code, const char *answer) {
  Pair *pair = lone(mrru, FALSE);
  g_autoptr(GByteArray) octets = from_hex(options);
  g_autofree char *frame = g_strdup_printf("c021 01 07 %04x %s", octets->len + 4, options);
  g_autofree char *want = g_strdup_printf("%02x07%04x%s", code, (guint)(strlen(answer) / 2 + 4), answer);
  node_inject_text(&pair->a, frame);
  g_autofree char *got = node_sent(&pair->a, ADIT_PPP_LCP, code, 1);
  assert_non_null(got);
  assert_string_equal(got, want);
  pair_free(pair);
  teardown(NULL);
}

/* Answers the lone link's `nth` request. */
static void answer(Pair *pair, guint nth, guint8 code, const char *options) {
  g_autofree char *request = node_sent(&pair->a, ADIT_PPP_LCP, 1, nth);
  g_autoptr(GByteArray) octets = from_hex(options);
  assert_non_null(request);
  g_autofree char *frame = g_strdup_printf("c021 %02x %.2s %04x %s", code, request + 2, octets->len + 4, options);
  node_inject_text(&pair->a, frame);
}

/* The part of the `nth` request that is Multilink's, in hex: "" = none. */
static char *asked_for(Pair *pair, guint nth) {
  g_autofree char *options = link_request_options(&pair->a, nth);
  g_autoptr(GByteArray) octets = from_hex(options);
  g_autoptr(GString) found = g_string_new(NULL);
  AditCursor in = adit_cursor(octets->data, octets->len);
  AditPppOption option;
  while (adit_ppp_next_option(&in, &option))
    if (option.type >= MP_LCP_MRRU && option.type <= MP_LCP_DISCRIMINATOR)
      g_string_append_printf(found, option.type == MP_LCP_MRRU ? "%s%u=%u" : "%s%u", found->len ? " " : "", option.type,
                             option.type == MP_LCP_MRRU ? mp_option_number(&option) : 0);
  return g_string_free(g_steal_pointer(&found), FALSE);
}

static void expect_asked(Pair *pair, guint nth, const char *want) {
  g_autofree char *got = asked_for(pair, nth);
  assert_string_equal(got, want);
}

/* ---- both ends ---- */

static void rfc1990_5_1_1_both_ends_agree(void **state) {
  AditPppOption ours, theirs;
  Pair *pair = mp_pair(1600, 8000);
  pair_open(pair);
  pair_run(pair, 1000);
  assert_true(pair->a.network && pair->b.network);
  expect_mrru(&pair->a, FALSE, 1600);
  expect_mrru(&pair->a, TRUE, 8000);
  expect_mrru(&pair->b, FALSE, 8000);
  expect_mrru(&pair->b, TRUE, 1600);
  assert_true(agreed(&pair->a, MP_LCP_DISCRIMINATOR, FALSE, &ours) && agreed(&pair->b, MP_LCP_DISCRIMINATOR, TRUE, &theirs));
  assert_int_equal(ours.length, MP_DISCRIMINATOR_MAX);
  assert_int_equal(ours.data[0], 1);
  assert_memory_equal(ours.data, theirs.data, ours.length);
  assert_true(agreed(&pair->b, MP_LCP_DISCRIMINATOR, FALSE, &ours) && agreed(&pair->a, MP_LCP_DISCRIMINATOR, TRUE, &theirs));
  assert_memory_equal(ours.data, theirs.data, ours.length);
  assert_false(agreed(&pair->a, MP_LCP_SHORT, FALSE, &ours));
  pair_free(pair);
}

static void a_link_works_without_a_peer_that_takes_multilink(void **state) {
  for (guint i = 0; i < 3; i++) {
    Pair *pair = mp_pair(i == 0 ? 0 : 1600, i == 1 ? 0 : 1600);
    if (i == 2)
      pair->b.params.n_options = 0; /* without the plugin */
    pair_open(pair);
    pair_run(pair, 1000);
    assert_true(pair->a.network && pair->b.network);
    expect_none(&pair->a);
    expect_none(&pair->b);
    pair_free(pair);
    teardown(NULL);
  }
}

static void disabled_asks_for_nothing(void **state) {
  Pair *pair = lone(0, TRUE);
  expect_asked(pair, 1, "");
  pair_free(pair);
}

static void rfc1990_5_1_2_short_sequence_numbers_are_of_each_direction(void **state) {
  AditPppOption option;
  Pair *pair = mp_pair(1600, 1600);
  adit_value_set(configs[1], "short-sequence", adit_value_bool(TRUE));
  pair_open(pair);
  pair_run(pair, 1000);
  assert_true(agreed(&pair->a, MP_LCP_SHORT, FALSE, &option));
  assert_false(agreed(&pair->a, MP_LCP_SHORT, TRUE, &option));
  assert_true(agreed(&pair->b, MP_LCP_SHORT, TRUE, &option));
  pair_free(pair);
}

static void links_are_saved_with_them(void **state) {
  Pair *pair = mp_pair(1600, 1614);
  pair_open(pair);
  pair_run(pair, 1000);
  node_reincarnate(&pair->a);
  node_reincarnate(&pair->b);
  expect_mrru(&pair->a, FALSE, 1600);
  expect_mrru(&pair->a, TRUE, 1614);
  expect_mrru(&pair->b, TRUE, 1600);
  pair_free(pair);
}

/* ---- what a peer asks for ---- */

static void rfc1990_5_1_1_too_small_an_mrru_is_naked_with_1500(void **state) {
  static const char *const small[] = {"11 04 0000", "11 04 0001", "11 04 0040", "11 04 01ff"};
  for (guint i = 0; i < G_N_ELEMENTS(small); i++)
    expect_answer(1600, small[i], 3, "110405dc");
  expect_answer(1600, "11 04 0200", 2, "11040200"); /* RouterOS's smallest */
  expect_answer(1600, "11 04 05dc", 2, "110405dc");
  expect_answer(1600, "11 04 064e", 2, "1104064e"); /* Windows: 1614 */
  expect_answer(1600, "11 04 ffff", 2, "1104ffff");
}

/* RFC 1661 5.3: after a number of Naks it is a Reject, so the peer goes on without. */
static void a_peer_that_insists_gets_no_multilink(void **state) {
  Pair *pair = lone(1600, FALSE);
  for (guint i = 0; i < 8; i++) {
    g_autofree char *frame = g_strdup_printf("c021 01 %02x 0008 11 04 0040", 0x10 + i);
    node_inject_text(&pair->a, frame);
  }
  assert_int_equal(node_count(&pair->a, ADIT_PPP_LCP, 2), 0);
  assert_true(node_count(&pair->a, ADIT_PPP_LCP, 4) > 0);
  link_lone_agree(pair, 1);
  assert_true(pair->a.network);
  expect_mrru(&pair->a, TRUE, 0);
  pair_free(pair);
}

static void disabled_rejects_all_three(void **state) {
  expect_answer(0, "11 04 0640", 4, "11040640");
  expect_answer(0, "12 02", 4, "1202");
  expect_answer(0, "13 09 03 020000000001", 4, "130903020000000001");
  expect_answer(0, "11 04 0640 12 02 13 03 00", 4, "110406401202130300");
}

static void rfc1990_5_1_3_discriminators_of_all_classes(void **state) {
  static const char *const good[] = {
      "13 03 00",                                          /* null */
      "13 04 01 41",                                       /* locally assigned */
      "13 17 01 000102030405060708090a0b0c0d0e0f10111213", /* the longest */
      "13 07 02 c0000201",                                 /* IPv4 */
      "13 09 03 020000000001",                             /* MAC */
      "13 07 04 11223344",                                 /* one magic number */
      "13 17 04 1122334455667788112233445566778811223344", /* five */
      "13 10 05 2b343933303132333435363738",               /* a telephone number */
      "13 06 09 010203",                                   /* a class of later times */
  };
  for (guint i = 0; i < G_N_ELEMENTS(good); i++) {
    g_autofree char *plain = g_strdup(good[i]);
    char *to = plain;
    for (const char *from = good[i]; *from; from++)
      if (*from != ' ')
        *to++ = *from;
    *to = 0;
    expect_answer(1600, good[i], 2, plain);
  }
  expect_answer(1600, "13 04 00 01", 4, "13040001");
  expect_answer(1600, "13 03 01", 4, "130301");
  expect_answer(1600, "13 06 02 c00002", 4, "130602c00002");
  expect_answer(1600, "13 08 03 0200000000", 4, "1308030200000000");
  expect_answer(1600, "13 08 04 1122334455", 4, "1308041122334455");
  expect_answer(1600, "13 13 05 30313233343536373839303132333435", 4, "13130530313233343536373839303132333435");
}

/* ---- what a peer answers ---- */

static void a_rejected_mrru_takes_the_others_with_it(void **state) {
  Pair *pair = lone(1600, TRUE);
  expect_asked(pair, 1, "17=1600 18 19");
  answer(pair, 1, 4, "11 04 0640");
  expect_asked(pair, 2, "");
  link_lone_agree(pair, 2);
  assert_true(pair->a.network);
  expect_none(&pair->a);
  pair_free(pair);
}

static void the_others_may_be_rejected_alone(void **state) {
  Pair *pair = lone(1600, TRUE);
  answer(pair, 1, 4, "12 02");
  expect_asked(pair, 2, "17=1600 19");
  g_autofree char *options = link_request_options(&pair->a, 2);
  answer(pair, 2, 4, strstr(options, "1317"));
  expect_asked(pair, 3, "17=1600");
  link_lone_agree(pair, 3);
  expect_mrru(&pair->a, FALSE, 1600);
  pair_free(pair);
}

static void a_smaller_mrru_is_taken_from_a_nak(void **state) {
  Pair *pair = lone(8000, FALSE);
  answer(pair, 1, 3, "11 04 05dc");
  expect_asked(pair, 2, "17=1500 19");
  link_lone_agree(pair, 2);
  expect_mrru(&pair->a, FALSE, 1500);
  pair_free(pair);
}

static void a_nak_that_nobody_can_use_ends_multilink_and_not_the_link(void **state) {
  static const char *const useless[] = {"11 04 0000", "11 04 0040", "11 04 ffff"};
  for (guint i = 0; i < G_N_ELEMENTS(useless); i++) {
    Pair *pair = lone(1600, FALSE);
    guint nth = 1;
    for (; nth <= 3; nth++) {
      expect_asked(pair, nth, "17=1600 19");
      answer(pair, nth, 3, useless[i]);
    }
    expect_asked(pair, nth, "");
    link_lone_agree(pair, nth);
    assert_true(pair->a.network);
    pair_free(pair);
    teardown(NULL);
  }
}

static void naks_of_the_others_are_followed(void **state) {
  Pair *pair = lone(1600, FALSE);
  answer(pair, 1, 3, "12 02"); /* the peer wants to send short ones */
  expect_asked(pair, 2, "17=1600 18 19");
  answer(pair, 2, 3, "12 02"); /* or not */
  expect_asked(pair, 3, "17=1600 19");
  answer(pair, 3, 3, "13 09 03 020000000001");
  expect_asked(pair, 4, "17=1600");
  pair_free(pair);
}

/* A peer without Multilink does not know what it is told by that. */
static void a_nak_with_what_is_disabled_changes_nothing(void **state) {
  Pair *pair = lone(0, FALSE);
  answer(pair, 1, 3, "11 04 05dc 12 02 13 03 00");
  expect_asked(pair, 2, "");
  pair_free(pair);
}

static void a_renegotiation_asks_for_everything_again(void **state) {
  Pair *pair = lone(1600, TRUE);
  answer(pair, 1, 4, "11 04 0640");
  link_lone_agree(pair, 2);
  assert_true(pair->a.network);
  node_inject_text(&pair->a, "c021 01 63 0004");
  expect_asked(pair, 3, "17=1600 18 19");
  pair_free(pair);
}

/* ---- discriminators ---- */

static AditPppOption option_of(GByteArray *octets) {
  return (AditPppOption){MP_LCP_DISCRIMINATOR, (guint8)octets->len, octets->data};
}

static void discriminators_are_compared_and_shown(void **state) {
  static const struct {
    const char *octets, *text;
  } shown[] = {
      {"00", "none"},
      {"01 4142", "local 4142"},
      {"02 c0000201", "ip 192.0.2.1"},
      {"03 02aa00000001", "mac 02:aa:00:00:00:01"},
      {"04 1122334455667788", "magic 1122334455667788"},
      {"05 2b3439 07 31", "number +49?1"},
      {"09 ff", "class-9 ff"},
      {"01 000102030405060708090a0b0c0d0e0f10111213", "local 000102030405060708090a0b0c0d0e0f10111213"},
  };
  MpDiscriminator all[G_N_ELEMENTS(shown)];
  for (guint i = 0; i < G_N_ELEMENTS(shown); i++) {
    g_autoptr(GByteArray) octets = from_hex(shown[i].octets);
    const AditPppOption option = option_of(octets);
    char text[MP_DISCRIMINATOR_TEXT];
    mp_discriminator_read(&option, &all[i]);
    assert_string_equal(mp_discriminator_format(&all[i], text), shown[i].text);
    for (guint k = 0; k <= i; k++)
      assert_int_equal(mp_discriminator_equal(&all[i], &all[k]), i == k);
  }
}

static void ours_differ_by_role_client_session_and_run(void **state) {
  static const guint8 first[MP_IDENTITY_SEED] = {1}, second[MP_IDENTITY_SEED] = {2};
  MpDiscriminator server, again, one, two, renewed, next;
  mp_identity_init(first);
  mp_identity_get(FALSE, "office", &server);
  mp_identity_get(FALSE, "office6", &again); /* links come through any server */
  assert_true(mp_discriminator_equal(&server, &again));
  mp_identity_get(TRUE, "one", &one);
  mp_identity_get(TRUE, "two", &two);
  mp_identity_get(TRUE, "one", &again);
  assert_true(mp_discriminator_equal(&one, &again));
  assert_false(mp_discriminator_equal(&one, &two));
  assert_false(mp_discriminator_equal(&one, &server));
  mp_identity_renew("one");
  mp_identity_get(TRUE, "one", &renewed);
  assert_false(mp_discriminator_equal(&one, &renewed));
  mp_identity_get(TRUE, "two", &again);
  assert_true(mp_discriminator_equal(&two, &again));
  mp_identity_init(second);
  mp_identity_get(FALSE, "office", &next);
  assert_false(mp_discriminator_equal(&server, &next));
}

int main(void) {
#define test(name) cmocka_unit_test_teardown(name, teardown)
  const struct CMUnitTest tests[] = {
      test(rfc1990_5_1_1_both_ends_agree),
      test(a_link_works_without_a_peer_that_takes_multilink),
      test(disabled_asks_for_nothing),
      test(rfc1990_5_1_2_short_sequence_numbers_are_of_each_direction),
      test(links_are_saved_with_them),
      test(rfc1990_5_1_1_too_small_an_mrru_is_naked_with_1500),
      test(a_peer_that_insists_gets_no_multilink),
      test(disabled_rejects_all_three),
      test(rfc1990_5_1_3_discriminators_of_all_classes),
      test(a_rejected_mrru_takes_the_others_with_it),
      test(the_others_may_be_rejected_alone),
      test(a_smaller_mrru_is_taken_from_a_nak),
      test(a_nak_that_nobody_can_use_ends_multilink_and_not_the_link),
      test(naks_of_the_others_are_followed),
      test(a_nak_with_what_is_disabled_changes_nothing),
      test(a_renegotiation_asks_for_everything_again),
      test(discriminators_are_compared_and_shown),
      test(ours_differ_by_role_client_session_and_run),
  };
  return cmocka_run_group_tests_name("mp options", tests, NULL, NULL);
}
