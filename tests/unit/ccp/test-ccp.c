/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* CCP's side of MPPE: what is asked for and accepted, resets, keys, and what the stage is told. */
#include "core/config/schema.h"
#include "core/session/config/options.h"
#include "one.h"
#include "plugins/ccp/options.h"
#include "plugins/ccp/policy.h"

/* ---- two ends ---- */

typedef struct {
  AditValue *a, *b;
  Pair *pair;
} Two;

static void two_free(Two *two) {
  pair_free(two->pair);
  adit_value_unref(two->a);
  adit_value_unref(two->b);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Two, two_free)

/* Both ends with their wishes and keys; negotiated as far as it goes. */
static Two two_of_keys(Wish a, Wish b, const AditMppeKeys *keys_a, const AditMppeKeys *keys_b) {
  Two two = {attributes_of(&a), attributes_of(&b), pair_new(1)};
  AditNcpParams params_a = {.size = sizeof params_a, .attributes = two.a, .mppe = keys_a},
                params_b = {.size = sizeof params_b, .attributes = two.b, .mppe = keys_b};
  pair_open(two.pair);
  pair_run(two.pair, 100);
  node_add_ncp(&two.pair->a, &ccp_desc, &params_a);
  node_add_ncp(&two.pair->b, &ccp_desc, &params_b);
  adit_ncp_up(two.pair->a.ncps[0].ncp);
  adit_ncp_up(two.pair->b.ncps[0].ncp);
  pair_run(two.pair, 100);
  return two;
}

static Two two_of(Wish a, Wish b) {
  AditMppeKeys keys_a = keys_of(FALSE), keys_b = keys_of(TRUE);
  return two_of_keys(a, b, &keys_a, &keys_b);
}

static void expect_mirrored(const Two *two) {
  const MppeParams *a = stage_of(&two->pair->a), *b = stage_of(&two->pair->b);
  assert_memory_equal(&a->send, &b->receive, sizeof a->send);
  assert_memory_equal(&a->receive, &b->send, sizeof a->send);
}

static void expect_encoding(const Two *two, const char *encoding) {
  assert_true(adit_ncp_is_open(two->pair->a.ncps[0].ncp) && adit_ncp_is_open(two->pair->b.ncps[0].ncp));
  assert_string_equal(two->pair->a.ncps[0].stage.encoding(two->pair->a.ncps[0].stage.user), encoding);
  assert_string_equal(two->pair->b.ncps[0].stage.encoding(two->pair->b.ncps[0].stage.user), encoding);
  expect_mirrored(two);
}

static void expect_closed(const Two *two) {
  assert_int_equal(two->pair->a.ncps[0].opens + two->pair->b.ncps[0].opens, 0);
  assert_int_equal(two->pair->a.ncps[0].stage.adds + two->pair->b.ncps[0].stage.adds, 0);
  assert_true(adit_ncp_is_over(two->pair->a.ncps[0].ncp));
  assert_true(adit_ncp_is_over(two->pair->b.ncps[0].ncp));
  assert_true(two->pair->a.network); /* the link goes on */
}

/* ---- what is agreed on ---- */

static void the_longest_key_and_stateless_are_taken(void **unused) {
  g_auto(Two) two = two_of((Wish){0}, (Wish){0});
  expect_encoding(&two, "MPPE128 stateless");
  assert_int_equal(stage_of(&two.pair->a)->send.start[15], 0x11);
  assert_int_equal(stage_of(&two.pair->a)->receive.start[15], 0x22);
  /* RFC 3078 2.1: first all that is allowed, then the one that the peer Naks it with. */
  static const char *const options[] = {"1206010000e0", "120601000040"};
  assert_int_equal(node_count(&two.pair->a, ADIT_PPP_CCP, 1), G_N_ELEMENTS(options));
  for (guint i = 0; i < G_N_ELEMENTS(options); i++) {
    g_autofree char *request = node_sent(&two.pair->a, ADIT_PPP_CCP, 1, i + 1);
    assert_string_equal(request + 8, options[i]);
  }
}

static void each_length_and_mode(void **unused) {
  static const struct {
    Wish a, b;
    const char *encoding; /* NULL = they do not come together */
  } cases[] = {{{"40-bit", NULL}, {NULL, NULL}, "MPPE40 stateless"},
               {{NULL, NULL}, {"56-bit 40-bit", NULL}, "MPPE56 stateless"},
               {{"56-bit", NULL}, {"40-bit 56-bit 128-bit", "any"}, "MPPE56 stateless"},
               {{"40-bit 128-bit", NULL}, {"40-bit 56-bit", NULL}, "MPPE40 stateless"},
               {{NULL, "stateful"}, {NULL, NULL}, "MPPE128 stateful"},
               {{NULL, "any"}, {"40-bit", "stateful"}, "MPPE40 stateful"},
               {{NULL, "stateful"}, {NULL, "stateful"}, "MPPE128 stateful"},
               {{NULL, "stateless"}, {NULL, "any"}, "MPPE128 stateless"},
               {{"40-bit", NULL}, {"128-bit", NULL}, NULL},
               {{NULL, "stateless"}, {NULL, "stateful"}, NULL}};

  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
    for (guint turned = 0; turned < 2; turned++) {
      g_auto(Two) two = turned ? two_of(cases[i].b, cases[i].a) : two_of(cases[i].a, cases[i].b);
      pair_run(two.pair, 60000);
      if (cases[i].encoding)
        expect_encoding(&two, cases[i].encoding);
      else
        expect_closed(&two);
    }
}

static void rfc3079_2_short_keys_of_mschap1(void **unused) {
  AditMppeKeys a = keys_of(FALSE), b = keys_of(TRUE);

  a.shorter = b.shorter = ADIT_MPPE_SHORT_OWN;
  g_auto(Two) own = two_of_keys((Wish){"40-bit", NULL}, (Wish){0}, &a, &b);
  expect_encoding(&own, "MPPE40 stateless");
  assert_int_equal(stage_of(&own.pair->a)->send.start[7], 0x33);
  assert_int_equal(stage_of(&own.pair->a)->receive.start[7], 0x33);
  g_auto(Two) full = two_of_keys((Wish){0}, (Wish){0}, &a, &b);
  assert_int_equal(stage_of(&full.pair->a)->send.start[7], 0x11);
  a.shorter = ADIT_MPPE_SHORT_NONE; /* 40 bits are not for that end */
  g_auto(Two) none = two_of_keys((Wish){0}, (Wish){"40-bit 128-bit", NULL}, &a, &b);
  expect_encoding(&none, "MPPE128 stateless");
  g_auto(Two) never = two_of_keys((Wish){0}, (Wish){"40-bit", NULL}, &a, &b);
  pair_run(never.pair, 60000);
  expect_closed(&never);
}

/* ---- a peer that is the test ---- */

static void linux_naks_with_two_strengths_and_takes_one(void **unused) {
  g_auto(One) one = one_of((Wish){0});
  ncp_answer(one.pair, 1, 3, "120601000060");
  g_autofree char *second = ncp_sent(one.pair, 1, 2);
  assert_string_equal(second + 4, "000a120601000040");
  ncp_answer(one.pair, 2, 3, "120600000020");
  g_autofree char *third = ncp_sent(one.pair, 1, 3);
  assert_string_equal(third + 4, "000a120600000020");
}

static void what_a_peer_asks_for(void **unused) {
  static const struct {
    const char *asked;
    guint8 code;
    const char *answer;
  } cases[] = {{"120601000040", 2, "120601000040"},
               {"120600000040", 2, "120600000040"},
               {"120601000020", 2, "120601000020"},
               {"120601000080", 2, "120601000080"},
               {"1206010000e0", 3, "120601000040"},
               {"1206010000e1", 3, "120601000040"},
               {"120601000060", 3, "120601000040"},
               {"120601000041", 3, "120601000040"},
               {"120601000050", 3, "120601000040"},
               {"120600000000", 3, "1206010000e0"},
               {"120680000040", 3, "120600000040"},
               {"", 3, "120601000040"},
               {"1203e0", 4, "1203e0"},
               {"15032f", 4, "15032f"},
               {"1a047800", 4, "1a047800"},
               {"1a047800120601000040", 4, "1a047800"}};

  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_auto(One) one = one_of((Wish){0});
    ask(&one, cases[i].asked);
    g_autofree char *sent = ncp_sent(one.pair, cases[i].code, 1);
    assert_non_null(sent);
    assert_string_equal(sent + 8, cases[i].answer);
  }
}

static void a_peer_that_acknowledges_several_lengths_uses_the_longest(void **unused) {
  g_auto(One) one = one_of((Wish){0});
  open_with(&one, "120601000040");
  assert_int_equal(stage_of(&one.pair->a)->receive.strength, MPPE_128);
}

static void a_peer_that_rejects_it(void **unused) {
  g_auto(One) one = one_of((Wish){0});
  ncp_answer(one.pair, 1, 4, NULL);
  pair_run(one.pair, 30000);
  assert_string_equal(one.pair->a.ncps[0].why, "the peer rejects MPPE");
}

static void a_peer_that_wants_too_short_a_key(void **unused) {
  g_auto(One) one = one_of((Wish){"128-bit", NULL});
  ncp_answer(one.pair, 1, 3, "120601000020");
  pair_run(one.pair, 30000);
  assert_string_equal(one.pair->a.ncps[0].why, "the peer allows no key length of MPPE that is allowed here");
}

/* It would send in clear what we were to send encrypted. */
static void a_peer_that_asks_for_nothing_at_all(void **unused) {
  g_auto(One) one = one_of((Wish){0});
  ncp_answer(one.pair, 1, 2, NULL);
  for (guint i = 0; i < 6; i++)
    ask(&one, "");
  pair_run(one.pair, 30000);
  assert_int_equal(one.pair->a.ncps[0].opens, 0);
  assert_string_equal(one.pair->a.ncps[0].why, "the peer does not encrypt in both directions");
}

/* RFC 3078 4 leaves BPDUs of the old form in clear; a session that requires encryption takes and sends nothing in clear. */
static void what_passes_beside_it(void **unused) {
  static const char *const words[] = {"yes", "required"}, *const keys[] = {"use-encryption", "mppe-policy"};

  for (gsize k = 0; k < G_N_ELEMENTS(keys); k++)
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
      AditMppeKeys mppe = keys_of(FALSE);
      One one = {.attributes = adit_value_map()};
      AditNcpParams params = {.size = sizeof params, .attributes = one.attributes, .mppe = &mppe};
      adit_value_set(one.attributes, keys[k], adit_value_string(k && !i ? "allowed" : words[i]));
      one.pair = ncp_lone(&ccp_desc, &params);
      open_with(&one, "120601000040");
      assert_int_equal(stage_of(&one.pair->a)->strict, i == 1);
      assert_int_equal(one.pair->a.ncps[0].stage.first, i ? 0 : 0x0021);
      assert_int_equal(one.pair->a.ncps[0].stage.last, i ? 0 : 0x00fa);
      one_free(&one);
    }
}

/* ---- resets ---- */

static void rfc1962_2_2_a_reset_is_acknowledged_and_flushes(void **unused) {
  g_auto(One) one = one_of((Wish){0});
  node_inject_text(&one.pair->a, "80fd 0e 31 0004"); /* before it is open */
  assert_int_equal(node_count(&one.pair->a, ADIT_PPP_CCP, CCP_RESET_ACK), 0);
  open_with(&one, "120600000040");
  node_inject_text(&one.pair->a, "80fd 0e 31 0004");
  ncp_expect_sent(one.pair, CCP_RESET_ACK, 1, "0f310004");
  assert_int_equal(stage_of(&one.pair->a)->flush, 1);
  for (guint i = 0; i < 100; i++) { /* all of them are answered, and few flush */
    node_inject_text(&one.pair->a, "80fd 0e 32 0004");
    pair_run(one.pair, 1);
  }
  assert_int_equal(node_count(&one.pair->a, ADIT_PPP_CCP, CCP_RESET_ACK), 101);
  assert_in_range(stage_of(&one.pair->a)->flush, 2, 3);
  guint sets = one.pair->a.ncps[0].stage.sets;
  pair_run(one.pair, 1000);
  assert_in_range(one.pair->a.ncps[0].stage.sets, sets, sets + 1);
  node_inject_text(&one.pair->a, "80fd 0f 77 0004"); /* an Ack that answers nothing */
  assert_true(adit_ncp_is_open(one.pair->a.ncps[0].ncp));
}

static void a_reset_of_stateless_frames_flushes_nothing(void **unused) {
  g_auto(One) one = one_of((Wish){0});
  open_with(&one, "120601000040");
  node_inject_text(&one.pair->a, "80fd 0e 31 0004");
  ncp_expect_sent(one.pair, CCP_RESET_ACK, 1, "0f310004");
  pair_run(one.pair, 1000);
  assert_int_equal(one.pair->a.ncps[0].stage.sets, 0);
}

static void resets_are_asked_for_at_a_bounded_rate(void **unused) {
  g_auto(One) one = one_of((Wish){0});
  open_with(&one, "120600000040");
  for (guint i = 0; i < 250; i++) {
    note(&one, MPPE_NOTE_RESET, 1, TRUE);
    pair_run(one.pair, 1);
  }
  assert_int_equal(node_count(&one.pair->a, ADIT_PPP_CCP, CCP_RESET_REQUEST), 3);
}

static void keys_that_differ_are_told_once(void **unused) {
  g_auto(One) one = one_of((Wish){0});
  open_with(&one, "120601000040");
  for (guint i = 0; i < 5; i++)
    note(&one, MPPE_NOTE_NOISE, i + 1, FALSE);
  assert_int_equal(one.pair->a.ncps[0].warns, 1);
  assert_true(adit_ncp_is_open(one.pair->a.ncps[0].ncp));
}

static void noise_on_keys_that_are_right_is_not_told(void **unused) {
  g_auto(One) one = one_of((Wish){0});
  open_with(&one, "120601000040");
  note(&one, MPPE_NOTE_NOISE, 1, TRUE);
  assert_int_equal(one.pair->a.ncps[0].warns, 0);
}

/* ---- again ---- */

static void a_new_request_begins_a_new_epoch(void **unused) {
  g_auto(Two) two = two_of((Wish){0}, (Wish){0});
  guint32 epoch = stage_of(&two.pair->a)->epoch;
  pair_run(two.pair, 60000);
  node_inject_text(&two.pair->a, "80fd 01 99 000a 120601000020"); /* b's, as it were */
  assert_int_equal(two.pair->a.ncps[0].downs, 1);
  assert_int_equal(two.pair->a.ncps[0].stage.removes, 1);
  pair_run(two.pair, 60000);
  assert_true(adit_ncp_is_open(two.pair->a.ncps[0].ncp) && adit_ncp_is_open(two.pair->b.ncps[0].ncp));
  assert_true(stage_of(&two.pair->a)->epoch > epoch);
  expect_mirrored(&two);
}

static void new_keys_count_from_the_next_negotiation_on(void **unused) {
  AditMppeKeys a = keys_of(FALSE), b = keys_of(TRUE);
  g_auto(Two) two = two_of((Wish){0}, (Wish){0});

  memset(a.send, 0x55, 16);
  memset(b.receive, 0x55, 16);
  adit_ncp_rekey(two.pair->a.ncps[0].ncp, &a);
  adit_ncp_rekey(two.pair->b.ncps[0].ncp, &b);
  assert_int_equal(stage_of(&two.pair->a)->send.start[0], 0x11);
  assert_int_equal(two.pair->a.ncps[0].stage.sets, 0);
  pair_run(two.pair, 60000);
  node_inject_text(&two.pair->a, "80fd 01 99 000a 120601000040");
  pair_run(two.pair, 60000);
  assert_int_equal(stage_of(&two.pair->a)->send.start[0], 0x55);
  expect_mirrored(&two);
  adit_ncp_rekey(two.pair->a.ncps[0].ncp, NULL);
  assert_false(adit_ncp_is_open(two.pair->a.ncps[0].ncp));
  pair_run(two.pair, 60000);
  assert_string_equal(two.pair->a.ncps[0].why, "authentication made no keys this time");
}

/* Where the key stream was is lost with the process. */
static void a_restored_end_negotiates_again(void **unused) {
  g_auto(Two) two = two_of((Wish){0}, (Wish){0});
  node_reincarnate(&two.pair->a);
  pair_run(two.pair, 60000);
  assert_true(adit_ncp_is_open(two.pair->a.ncps[0].ncp) && adit_ncp_is_open(two.pair->b.ncps[0].ncp));
  assert_int_equal(two.pair->b.ncps[0].stage.adds, 2);
  expect_mirrored(&two);
}

static void a_data_path_without_stages_closes_it(void **unused) {
  g_auto(One) one = one_of((Wish){0});
  one.pair->a.ncps[0].stage.refuse = TRUE;
  ncp_answer(one.pair, 1, 2, NULL);
  ask(&one, "120601000040");
  pair_run(one.pair, 30000);
  assert_int_equal(one.pair->a.ncps[0].opens, 0);
  assert_string_equal(one.pair->a.ncps[0].why, "it runs no stages");
}

/* ---- who needs it ---- */

static void use_encryption_and_the_policy_of_radius(void **unused) {
  static const struct {
    const char *word, *policy, *types;
    gboolean keys;
    AditNcpNeed need;
  } cases[] = {{NULL, NULL, NULL, TRUE, ADIT_NCP_OFF},
               {"default", NULL, NULL, TRUE, ADIT_NCP_OFF},
               {"no", NULL, NULL, TRUE, ADIT_NCP_OFF},
               {"yes", NULL, NULL, TRUE, ADIT_NCP_OFFER},
               {"required", NULL, NULL, TRUE, ADIT_NCP_REQUIRE},
               {"yes", NULL, NULL, FALSE, ADIT_NCP_OFF},
               {"required", NULL, NULL, FALSE, ADIT_NCP_REFUSE},
               {"no", "allowed", NULL, TRUE, ADIT_NCP_OFF},
               {"default", "allowed", NULL, TRUE, ADIT_NCP_OFFER},
               {"required", "allowed", NULL, TRUE, ADIT_NCP_REQUIRE},
               {"no", "required", NULL, TRUE, ADIT_NCP_REQUIRE},
               {"yes", "required", NULL, FALSE, ADIT_NCP_REFUSE},
               {"yes", "allowed", "128-bit", TRUE, ADIT_NCP_OFFER},
               {"yes", "allowed", "none", TRUE, ADIT_NCP_OFF},
               {"required", NULL, "none", TRUE, ADIT_NCP_REFUSE}};

  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(AditValue) attributes = adit_value_map();
    AditMppeKeys keys = keys_of(FALSE);
    AditNcpParams params = {.size = sizeof params, .attributes = attributes, .mppe = cases[i].keys ? &keys : NULL};
    const char *why = NULL;
    if (cases[i].policy)
      adit_value_set(attributes, "mppe-policy", adit_value_string(cases[i].policy));
    if (cases[i].types) {
      AditValue *list = adit_value_list();
      adit_value_append(list, adit_value_string(cases[i].types));
      adit_value_set(attributes, "mppe-types", list);
    }
    assert_int_equal(ccp_need(&params, cases[i].word, &why), cases[i].need);
    assert_true(cases[i].need != ADIT_NCP_REFUSE || why);
  }
}

static void what_is_allowed(void **unused) {
  Wish wish = {"40-bit 128-bit", "stateful"};
  g_autoptr(AditValue) attributes = attributes_of(&wish), nothing = adit_value_map();
  AditMppeKeys keys = keys_of(FALSE);

  assert_int_equal(ccp_allowed_strengths(nothing, &keys), MPPE_STRENGTHS);
  assert_int_equal(ccp_allowed_strengths(nothing, NULL), 0);
  assert_int_equal(ccp_allowed_strengths(attributes, &keys), MPPE_40 | MPPE_128);
  keys.shorter = ADIT_MPPE_SHORT_NONE;
  assert_int_equal(ccp_allowed_strengths(attributes, &keys), MPPE_128);
  assert_int_equal(ccp_mode(attributes), CCP_MODE_STATEFUL);
  assert_int_equal(ccp_mode(nothing), CCP_MODE_ANY);
}

static void the_options_are_good(void **unused) {
  g_autoptr(AditSchema) schema = adit_schema_new();
  adit_schema_add(schema, "core", adit_session_options, adit_session_n_options);
  adit_schema_add(schema, "ccp", ccp_options, CCP_N_OPTIONS);
  assert_null(adit_schema_error(schema));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_longest_key_and_stateless_are_taken),
      cmocka_unit_test(each_length_and_mode),
      cmocka_unit_test(rfc3079_2_short_keys_of_mschap1),
      cmocka_unit_test(linux_naks_with_two_strengths_and_takes_one),
      cmocka_unit_test(what_a_peer_asks_for),
      cmocka_unit_test(a_peer_that_acknowledges_several_lengths_uses_the_longest),
      cmocka_unit_test(a_peer_that_rejects_it),
      cmocka_unit_test(a_peer_that_wants_too_short_a_key),
      cmocka_unit_test(a_peer_that_asks_for_nothing_at_all),
      cmocka_unit_test(what_passes_beside_it),
      cmocka_unit_test(rfc1962_2_2_a_reset_is_acknowledged_and_flushes),
      cmocka_unit_test(a_reset_of_stateless_frames_flushes_nothing),
      cmocka_unit_test(resets_are_asked_for_at_a_bounded_rate),
      cmocka_unit_test(keys_that_differ_are_told_once),
      cmocka_unit_test(noise_on_keys_that_are_right_is_not_told),
      cmocka_unit_test(a_new_request_begins_a_new_epoch),
      cmocka_unit_test(new_keys_count_from_the_next_negotiation_on),
      cmocka_unit_test(a_restored_end_negotiates_again),
      cmocka_unit_test(a_data_path_without_stages_closes_it),
      cmocka_unit_test(use_encryption_and_the_policy_of_radius),
      cmocka_unit_test(what_is_allowed),
      cmocka_unit_test(the_options_are_good),
  };
  return cmocka_run_group_tests_name("ccp", tests, NULL, NULL);
}
