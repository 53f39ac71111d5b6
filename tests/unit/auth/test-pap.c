/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "plugins-auth/pap/pap.h"
#include "tests/unit/auth/cases.h"

/* Authenticate-Request 7: "bob", "secret" */
static const guint8 request_bob[] = {1, 7, 0, 15, 3, 'b', 'o', 'b', 6, 's', 'e', 'c', 'r', 'e', 't'};

static void rfc1334_2_2_exchange(void **unused) {
  g_autoptr(Pair) pair = pair_log_in(&pap_method, 1, "secret", "bob", "secret");
  gsize length;

  pair_run(pair, 100);
  pair_assert_ok(pair);
  assert_int_equal(pair->end[SERVER].dones, 1);
  assert_int_equal(pair->end[CLIENT].dones, 1);
  assert_int_equal(pair->asks, 1);

  const guint8 *request = pair_sent(pair, CLIENT, 0, &length);
  assert_int_equal(length, sizeof request_bob);
  assert_int_equal(request[0], 1);
  assert_memory_equal(request + 2, request_bob + 2, length - 2);
  const guint8 *ack = pair_sent(pair, SERVER, 0, &length);
  assert_int_equal(length, 5);
  assert_int_equal(ack[0], 2);
  assert_int_equal(ack[1], request[1]);
  pair_run(pair, 100000);
  assert_int_equal(pair_sent_count(pair, CLIENT), 1); /* nothing more is said */
  assert_int_equal(pair_sent_count(pair, SERVER), 1);
}

static void rfc1334_2_2_2_nak_on_wrong_password(void **unused) {
  g_autoptr(Pair) pair = pair_log_in(&pap_method, 1, "secret", "bob", "Secret");

  pair_run(pair, 100);
  assert_false(pair->end[SERVER].ok || pair->end[CLIENT].ok);
  assert_string_equal(pair->end[SERVER].why, "wrong password");
  assert_string_equal(pair->end[CLIENT].why, "authentication failed");
  assert_int_equal(pair_sent(pair, SERVER, 0, NULL)[0], 3);
}

static void rfc1334_2_2_1_repeats_have_new_identifiers(void **unused) {
  g_autoptr(Pair) pair = pair_new(&pap_method, 1);

  pair_start(pair, CLIENT, "bob", "secret");
  pair_run(pair, 29999);
  assert_int_equal(pair_sent_count(pair, CLIENT), 10);
  for (int i = 1; i < 10; i++)
    assert_int_equal(pair_sent(pair, CLIENT, i, NULL)[1], (guint8)(pair_sent(pair, CLIENT, i - 1, NULL)[1] + 1));
  assert_int_equal(pair->end[CLIENT].dones, 0);
  pair_run(pair, 1);
  assert_int_equal(pair->end[CLIENT].dones, 1);
  assert_false(pair->end[CLIENT].ok);
  assert_string_equal(pair->end[CLIENT].why, "the peer does not answer");
}

static void rfc1334_2_2_1_repeated_request_is_acked_again(void **unused) {
  g_autoptr(Pair) pair = pair_serve(&pap_method, 1, "secret");
  guint8 repeat[sizeof request_bob];

  pair_inject(pair, SERVER, request_bob, sizeof request_bob);
  memcpy(repeat, request_bob, sizeof repeat);
  repeat[1] = 99;
  repeat[14] = 'X'; /* the code of the first answer stands, whatever is in it */
  pair_inject(pair, SERVER, repeat, sizeof repeat);
  assert_int_equal(pair_sent_count(pair, SERVER), 2);
  assert_int_equal(pair_sent(pair, SERVER, 1, NULL)[0], 2);
  assert_int_equal(pair_sent(pair, SERVER, 1, NULL)[1], 99);
  assert_int_equal(pair->asks, 1);
  assert_int_equal(pair->end[SERVER].dones, 1);
}

static void repeats_while_the_source_thinks_ask_once_and_the_newest_is_answered(void **unused) {
  g_autoptr(Pair) pair = pair_new(&pap_method, 1);
  guint8 repeat[sizeof request_bob];

  pair->password = "secret";
  pair->hold = TRUE;
  pair_start(pair, SERVER, "gate", NULL);
  pair_inject(pair, SERVER, request_bob, sizeof request_bob);
  memcpy(repeat, request_bob, sizeof repeat);
  repeat[1] = 8;
  pair_inject(pair, SERVER, repeat, sizeof repeat);
  repeat[1] = 9;
  repeat[14] = 'X'; /* not the request that is being judged */
  pair_inject(pair, SERVER, repeat, sizeof repeat);
  assert_int_equal(pair->asks, 1);
  pair_judge(pair);
  assert_int_equal(pair_sent_count(pair, SERVER), 1);
  assert_int_equal(pair_sent(pair, SERVER, 0, NULL)[1], 8);
}

static void slow_answers_to_earlier_requests_count(void **unused) {
  g_autoptr(Pair) pair = pair_new(&pap_method, 1);

  pair->password = "secret";
  pair->round_trip = 8000; /* longer than the client waits before it repeats */
  pair_start(pair, SERVER, "gate", NULL);
  pair_start(pair, CLIENT, "bob", "secret");
  pair_run(pair, 20000);
  assert_true(pair->end[CLIENT].ok);
  assert_int_equal(pair->end[CLIENT].dones, 1);
}

static void the_end_of_a_c_string_or_line_is_no_part_of_the_message(void **unused) {
  static const guint8 messages[][3] = {{'n', 'o', 0}, {'n', 'o', '\n'}, {'n', '\r', '\n'}, {0, 0, 0}};
  static const char *const expected[] = {"no", "no", "n", ""};

  for (gsize i = 0; i < G_N_ELEMENTS(messages); i++) {
    g_autoptr(Pair) pair = pair_new(&pap_method, 1);
    pair_start(pair, CLIENT, "bob", "secret");
    guint8 nak[] = {3, pair_sent(pair, CLIENT, 0, NULL)[1], 0, 8, 3, messages[i][0], messages[i][1], messages[i][2]};
    pair_inject(pair, CLIENT, nak, sizeof nak);
    assert_string_equal(pair->end[CLIENT].why, expected[i]);
  }
}

static void answers_to_what_was_not_asked_are_dropped(void **unused) {
  g_autoptr(Pair) pair = pair_new(&pap_method, 1);

  pair_start(pair, CLIENT, "bob", "secret");
  guint8 id = pair_sent(pair, CLIENT, 0, NULL)[1];
  const guint8 ahead[] = {2, (guint8)(id + 1), 0, 5, 0}, behind[] = {3, (guint8)(id - 1), 0, 5, 0};
  pair_inject(pair, CLIENT, ahead, sizeof ahead);
  pair_inject(pair, CLIENT, behind, sizeof behind);
  assert_int_equal(pair->end[CLIENT].dones, 0);
  const guint8 right[] = {2, id, 0, 4}; /* some peers leave the message out */
  pair_inject(pair, CLIENT, right, sizeof right);
  assert_true(pair->end[CLIENT].ok);
}

static void rfc1334_2_2_1_both_lengths_are_bounded(void **unused) {
  static const char *const malformed[] = {
      "",
      "01",
      "0107",
      "010700",
      "0107 0003 00 00",
      "0107 0004",
      "0107 000f 03 626f62 06 7365637265",
      "0107 000e 03 626f62 06 7365637265",
      "0107 0008 04 626f62",
      "0107 0005 ff",
      "0107 0006 00 01",
      "0107 ffff 03 626f62 00",
      "0907 000f 03 626f62 06 736563726574",
  };

  for (gsize i = 0; i < G_N_ELEMENTS(malformed); i++) {
    g_autoptr(Pair) pair = pair_new(&pap_method, 1);
    g_autoptr(GBytes) packet = pair_hex(malformed[i]);
    gsize length;
    const guint8 *data = (const guint8 *)g_bytes_get_data(packet, &length);
    pair_start(pair, SERVER, "gate", NULL);
    pair_inject(pair, SERVER, data, length);
    assert_int_equal(pair->asks, 0);
    assert_int_equal(pair_sent_count(pair, SERVER), 0);
  }
}

static void empty_names_padding_and_longest_texts_are_fine(void **unused) {
  guint8 longest[4 + 2 * 256] = {1, 1, 2, 4, 255};
  g_autoptr(Pair) pair = pair_new(&pap_method, 1);

  pair->hold = TRUE;
  memset(longest + 5, 'n', 255);
  longest[260] = 255;
  memset(longest + 261, 'p', 255);
  pair_start(pair, SERVER, "gate", NULL);
  pair_inject(pair, SERVER, longest, sizeof longest);
  assert_int_equal(strlen(pair->asked->user), 255);
  assert_int_equal(strlen(pair->asked->password), 255);

  g_autoptr(Pair) other = pair_new(&pap_method, 1);
  const guint8 empty[] = {1, 1, 0, 6, 0, 0, 0xff, 0xff}; /* with padding */
  other->hold = TRUE;
  pair_start(other, SERVER, "gate", NULL);
  pair_inject(other, SERVER, empty, sizeof empty);
  assert_string_equal(other->asked->user, "");
  assert_string_equal(other->asked->password, "");
}

static void a_nul_in_a_name_is_refused_unasked(void **unused) {
  const guint8 nul[] = {1, 1, 0, 12, 3, 'b', 0, 'b', 3, 's', 's', 's'};
  g_autoptr(Pair) pair = pair_new(&pap_method, 1);

  pair_start(pair, SERVER, "gate", NULL);
  pair_inject(pair, SERVER, nul, sizeof nul);
  assert_int_equal(pair->asks, 0);
  assert_int_equal(pair_sent(pair, SERVER, 0, NULL)[0], 3);
  assert_int_equal(pair->end[SERVER].dones, 1);
  assert_false(pair->end[SERVER].ok);
}

static void a_silent_peer_is_given_up(void **unused) {
  g_autoptr(Pair) pair = pair_new(&pap_method, 1);

  pair_start(pair, SERVER, "gate", NULL);
  pair_run(pair, 29999);
  assert_int_equal(pair->end[SERVER].dones, 0);
  pair_run(pair, 1);
  assert_int_equal(pair->end[SERVER].dones, 1);
  assert_string_equal(pair->end[SERVER].why, "the peer sends no name and password");
}

static void an_nt_hash_will_do(void **unused) {
  g_autoptr(GBytes) hash = pair_hex("44EBBA8D5312B8D611474411F56989AE"); /* of clientPass */
  g_autoptr(Pair) pair = pair_new(&pap_method, 1);
  g_autoptr(Pair) wrong = pair_new(&pap_method, 1);

  pair->nt_hash = wrong->nt_hash = (const guint8 *)g_bytes_get_data(hash, NULL);
  pair_start(pair, SERVER, "gate", NULL);
  pair_start(pair, CLIENT, "User", "clientPass");
  pair_run(pair, 100);
  assert_true(pair->end[CLIENT].ok);
  pair_start(wrong, SERVER, "gate", NULL);
  pair_start(wrong, CLIENT, "User", "\xff\xfe");
  pair_run(wrong, 100);
  assert_int_equal(wrong->end[CLIENT].dones, 1);
  assert_false(wrong->end[CLIENT].ok);
}

static void verify_compares_whole_passwords(void **unused) {
  static const struct {
    const char *given, *known;
    gboolean same;
  } cases[] = {{"", "", TRUE},     {"a", "", FALSE},      {"", "a", FALSE},   {"ab", "a", FALSE},
               {"a", "ab", FALSE}, {"abab", "ab", FALSE}, {"ab", "ab", TRUE}, {"aB", "ab", FALSE}};

  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(AditAuthRequest) request = adit_auth_request_new(ADIT_AUTH_PAP);
    AditAuthReply secret = {.size = sizeof secret, .outcome = ADIT_AUTH_SECRET, .password = cases[i].known}, out = {.size = sizeof out};
    char text[128];
    request->user = g_strdup("bob");
    request->password = g_strdup(cases[i].given);
    pap_method.verify(request, &secret, &out, text);
    assert_int_equal(out.outcome, cases[i].same ? ADIT_AUTH_ACCEPT : ADIT_AUTH_REJECT);
  }
}

static void bad_network(void **unused) {
  pair_bear_bad_network(&pap_method, 2000);
}

static void restarts_in_each_state(void **unused) {
  g_autoptr(Pair) pair = pair_new(&pap_method, 3);

  pair->password = "secret";
  pair->hold = TRUE;
  pair_start(pair, SERVER, "gate", NULL);
  assert_true(pair_restart(pair, SERVER));
  pair_start(pair, CLIENT, "bob", "secret");
  assert_true(pair_restart(pair, CLIENT));
  pair_run(pair, 10);
  assert_int_equal(pair->asks, 1);
  assert_true(pair_restart(pair, SERVER)); /* with the question open: it is lost, and put again by the peer's repeat */
  pair_run(pair, 5000);
  assert_int_equal(pair->asks, 2);
  pair->hold = FALSE;
  pair_judge(pair);
  pair_run(pair, 10);
  assert_true(pair_restart(pair, SERVER) && pair_restart(pair, CLIENT));
  pair_assert_ok(pair);
  pair_inject(pair, SERVER, request_bob, sizeof request_bob);
  assert_int_equal(pair_sent(pair, SERVER, -1, NULL)[0], 2);
}

static void restore_refuses_nonsense(void **unused) {
  static const char *const nonsense[] = {"",
                                         "01",
                                         "02 01 01 00 00 00000000 0000000000000000 00",
                                         "01 03 01 00 00 00000000 0000000000000000 00",
                                         "01 09 01 00 00 00000000 0000000000000000 00",
                                         "01 01 00 00 00 00000000 0000000000000000 00",
                                         "01 01 01 00 00 00000000 0000000000000000 09"};
  for (gsize i = 0; i < G_N_ELEMENTS(nonsense); i++) {
    g_autoptr(Pair) pair = pair_new(&pap_method, 1);
    g_autoptr(GBytes) octets = pair_hex(nonsense[i]);
    End *end = &pair->end[SERVER];
    AditCursor in = adit_cursor(g_bytes_get_data(octets, NULL), g_bytes_get_size(octets));
    g_autofree gpointer state = g_malloc0(pap_method.state_size);
    assert_false(pap_method.restore(state, &end->env, &end->start, &in));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rfc1334_2_2_exchange),
      cmocka_unit_test(rfc1334_2_2_2_nak_on_wrong_password),
      cmocka_unit_test(rfc1334_2_2_1_repeats_have_new_identifiers),
      cmocka_unit_test(rfc1334_2_2_1_repeated_request_is_acked_again),
      cmocka_unit_test(repeats_while_the_source_thinks_ask_once_and_the_newest_is_answered),
      cmocka_unit_test(slow_answers_to_earlier_requests_count),
      cmocka_unit_test(the_end_of_a_c_string_or_line_is_no_part_of_the_message),
      cmocka_unit_test(answers_to_what_was_not_asked_are_dropped),
      cmocka_unit_test(rfc1334_2_2_1_both_lengths_are_bounded),
      cmocka_unit_test(empty_names_padding_and_longest_texts_are_fine),
      cmocka_unit_test(a_nul_in_a_name_is_refused_unasked),
      cmocka_unit_test(a_silent_peer_is_given_up),
      cmocka_unit_test(an_nt_hash_will_do),
      cmocka_unit_test(verify_compares_whole_passwords),
      cmocka_unit_test(bad_network),
      cmocka_unit_test(restarts_in_each_state),
      cmocka_unit_test(restore_refuses_nonsense),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
