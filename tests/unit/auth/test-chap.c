/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "plugins-auth/chap/chap.h"
#include "tests/unit/auth/cases.h"

/** A Response with the MD5 of id, password and the challenge of packet `challenge`. */
static GBytes *respond(const guint8 *challenge, const char *password, const char *name) {
  g_autoptr(GChecksum) md5 = g_checksum_new(G_CHECKSUM_MD5);
  guint8 packet[5 + 16 + 255] = {2, challenge[1], 0, (guint8)(21 + strlen(name)), 16};
  gsize length = 16;

  g_checksum_update(md5, challenge + 1, 1);
  g_checksum_update(md5, (const guchar *)password, (gssize)strlen(password));
  g_checksum_update(md5, challenge + 5, challenge[4]);
  g_checksum_get_digest(md5, packet + 5, &length);
  memcpy(packet + 21, name, strlen(name));
  return g_bytes_new(packet, packet[3]);
}

static void rfc1994_4_exchange(void **unused) {
  g_autoptr(Pair) pair = pair_log_in(&chap_method, 7, "secret", "bob", "secret");
  gsize length;

  pair_run(pair, 100);
  pair_assert_ok(pair);
  assert_int_equal(pair->end[SERVER].dones, 1);
  assert_int_equal(pair->end[CLIENT].dones, 1);

  const guint8 *challenge = pair_sent(pair, SERVER, 0, &length);
  assert_int_equal(challenge[0], 1);
  assert_int_equal(length, 5 + 16 + 4);
  assert_int_equal(challenge[2] << 8 | challenge[3], length);
  assert_memory_equal(challenge + 21, "gate", 4);
  g_autoptr(GBytes) expected = respond(challenge, "secret", "bob");
  const guint8 *response = pair_sent(pair, CLIENT, 0, &length);
  assert_int_equal(length, g_bytes_get_size(expected));
  assert_memory_equal(response, g_bytes_get_data(expected, NULL), length);
  assert_int_equal(pair_sent(pair, SERVER, 1, NULL)[0], 3);
  assert_int_equal(pair_sent(pair, SERVER, 1, NULL)[1], challenge[1]);
  pair_run(pair, 100000);
  assert_int_equal(pair_sent_count(pair, SERVER), 2);
}

static void rfc1994_4_2_failure_on_wrong_password(void **unused) {
  g_autoptr(Pair) pair = pair_log_in(&chap_method, 7, "secret", "bob", "Secret");

  pair_run(pair, 100);
  assert_int_equal(pair->end[SERVER].dones, 1);
  assert_int_equal(pair->end[CLIENT].dones, 1);
  assert_false(pair->end[SERVER].ok || pair->end[CLIENT].ok);
  assert_string_equal(pair->end[SERVER].why, "wrong password");
  assert_int_equal(pair_sent(pair, SERVER, 1, NULL)[0], 4);
}

static void rfc1994_4_1_each_challenge_is_new(void **unused) {
  g_autoptr(Pair) pair = pair_serve(&chap_method, 7, "secret");

  pair_run(pair, 29999);
  assert_int_equal(pair_sent_count(pair, SERVER), 10);
  for (int i = 0; i < 10; i++)
    for (int k = 0; k < i; k++) {
      const guint8 *a = pair_sent(pair, SERVER, i, NULL), *b = pair_sent(pair, SERVER, k, NULL);
      assert_int_not_equal(a[1], b[1]);
      assert_memory_not_equal(a + 5, b + 5, 16);
    }
  pair_run(pair, 1);
  assert_int_equal(pair->end[SERVER].dones, 1);
  assert_string_equal(pair->end[SERVER].why, "the peer does not answer our challenges");
}

static void rfc1994_4_1_wrong_identifier_is_dropped(void **unused) {
  g_autoptr(Pair) pair = pair_serve(&chap_method, 7, "secret");
  g_autoptr(GBytes) right = respond(pair_sent(pair, SERVER, 0, NULL), "secret", "bob");
  gsize length;
  g_autofree guint8 *wrong = (guint8 *)g_memdup2(g_bytes_get_data(right, &length), g_bytes_get_size(right));

  length = g_bytes_get_size(right);
  wrong[1]++;
  pair_inject(pair, SERVER, wrong, length);
  assert_int_equal(pair->asks, 0);
  assert_int_equal(pair_sent_count(pair, SERVER), 1);
  pair_inject_bytes(pair, SERVER, right);
  assert_true(pair->end[SERVER].ok);
}

static void rfc1994_4_1_wrong_identifier_of_a_verdict_is_dropped(void **unused) {
  g_autoptr(Pair) pair = pair_new(&chap_method, 7);
  const guint8 challenge[] = {1, 5, 0, 9, 4, 1, 2, 3, 4}, success[] = {3, 6, 0, 4}, failure[] = {4, 4, 0, 4}, right[] = {3, 5, 0, 4};

  pair_start(pair, CLIENT, "bob", "secret");
  pair_inject(pair, CLIENT, right, sizeof right); /* not even challenged */
  pair_inject(pair, CLIENT, challenge, sizeof challenge);
  pair_inject(pair, CLIENT, success, sizeof success);
  pair_inject(pair, CLIENT, failure, sizeof failure);
  assert_int_equal(pair->end[CLIENT].dones, 0);
  pair_inject(pair, CLIENT, right, sizeof right);
  assert_true(pair->end[CLIENT].ok);
}

static void rfc1994_4_2_late_duplicate_gets_the_same_verdict(void **unused) {
  for (int wrong = 0; wrong < 2; wrong++) {
    g_autoptr(Pair) pair = pair_serve(&chap_method, 7, "secret");
    const guint8 *challenge = pair_sent(pair, SERVER, 0, NULL);
    g_autoptr(GBytes) first = respond(challenge, wrong ? "guess" : "secret", "bob"),
                      other = respond(challenge, wrong ? "secret" : "guess", "eve");
    gsize length, again;

    pair_inject_bytes(pair, SERVER, first);
    pair_run(pair, 5000);
    pair_inject_bytes(pair, SERVER, first);
    pair_inject_bytes(pair, SERVER, other); /* RFC 1994 4.2: nobody may try other secrets afterwards */
    assert_int_equal(pair->asks, 1);
    assert_int_equal(pair->end[SERVER].dones, 1);
    assert_int_equal(pair_sent_count(pair, SERVER), 4);
    const guint8 *verdict = pair_sent(pair, SERVER, 1, &length);
    assert_int_equal(verdict[0], wrong ? 4 : 3);
    for (int i = 2; i < 4; i++) {
      const guint8 *repeat = pair_sent(pair, SERVER, i, &again);
      assert_int_equal(again, length);
      assert_memory_equal(repeat, verdict, length);
    }
  }
}

static void repeats_while_the_source_thinks_ask_once(void **unused) {
  g_autoptr(Pair) pair = pair_serve(&chap_method, 7, "secret");
  g_autoptr(GBytes) response = respond(pair_sent(pair, SERVER, 0, NULL), "secret", "bob");

  pair->hold = TRUE;
  pair_inject_bytes(pair, SERVER, response);
  pair_inject_bytes(pair, SERVER, response);
  pair_run(pair, 20000); /* and no new challenge goes out meanwhile */
  assert_int_equal(pair->asks, 1);
  assert_int_equal(pair_sent_count(pair, SERVER), 1);
  pair_judge(pair);
  assert_true(pair->end[SERVER].ok);
}

static void a_slow_response_to_an_earlier_challenge_counts(void **unused) {
  g_autoptr(Pair) pair = pair_serve(&chap_method, 7, "secret");
  pair->round_trip = 8000;
  pair_start(pair, CLIENT, "bob", "secret");
  pair_run(pair, 60000);
  pair_assert_ok(pair);
  assert_int_equal(pair->end[CLIENT].dones, 1);
}

static void rfc1994_2_rechallenge_while_open(void **unused) {
  g_autoptr(Pair) pair = pair_new(&chap_method, 7);

  pair->password = "secret";
  pair->end[SERVER].start.rechallenge_ms = 60000;
  pair_start(pair, SERVER, "gate", NULL);
  pair_start(pair, CLIENT, "bob", "secret");
  pair_run(pair, 1000);
  assert_int_equal(pair->end[SERVER].dones, 1);
  guint8 old_id = pair_sent(pair, SERVER, 0, NULL)[1];
  pair->hold = TRUE;
  pair_run(pair, 60000);
  assert_non_null(pair->asked);
  assert_true(pair->asked->again);
  assert_int_not_equal(pair->asked->id, old_id);
  pair->hold = FALSE;
  pair_judge(pair);
  pair_run(pair, 100);
  assert_int_equal(pair->end[SERVER].dones, 2);
  assert_int_equal(pair->end[CLIENT].dones, 2);
  pair_assert_ok(pair);

  pair->password = "changed meanwhile";
  pair_run(pair, 70000);
  assert_int_equal(pair->end[SERVER].dones, 3);
  assert_false(pair->end[SERVER].ok || pair->end[CLIENT].ok);
}

static void a_verdict_on_an_old_challenge_settles_no_new_one(void **unused) {
  g_autoptr(Pair) pair = pair_new(&chap_method, 7);
  const guint8 challenge[] = {1, 5, 0, 9, 4, 1, 2, 3, 4}, success[] = {3, 5, 0, 4}, again[] = {1, 6, 0, 9, 4, 4, 3, 2, 1};

  pair_start(pair, CLIENT, "bob", "secret");
  pair_inject(pair, CLIENT, challenge, sizeof challenge);
  pair_inject(pair, CLIENT, success, sizeof success);
  pair_inject(pair, CLIENT, again, sizeof again);
  pair_inject(pair, CLIENT, success, sizeof success);
  assert_int_equal(pair->end[CLIENT].dones, 1);
}

static void a_challenge_that_comes_late_ends_no_link(void **unused) {
  g_autoptr(Pair) pair = pair_new(&chap_method, 7);
  const guint8 challenge[] = {1, 5, 0, 9, 4, 1, 2, 3, 4}, success[] = {3, 5, 0, 4}, late[] = {1, 4, 0, 9, 4, 4, 3, 2, 1},
               failure[] = {4, 4, 0, 4};

  pair_start(pair, CLIENT, "bob", "secret");
  pair_inject(pair, CLIENT, challenge, sizeof challenge);
  pair_inject(pair, CLIENT, success, sizeof success);
  pair_inject(pair, CLIENT, late, sizeof late); /* the server has what it wanted, and ignores our response */
  pair_run(pair, 100000);
  assert_int_equal(pair->end[CLIENT].dones, 1);
  assert_true(pair->end[CLIENT].ok);
  pair_inject(pair, CLIENT, failure, sizeof failure);
  assert_int_equal(pair->end[CLIENT].dones, 1);
}

static void the_response_is_repeated_until_there_is_a_verdict(void **unused) {
  g_autoptr(Pair) pair = pair_new(&chap_method, 7);
  const guint8 challenge[] = {1, 5, 0, 9, 4, 1, 2, 3, 4};

  pair_start(pair, CLIENT, "bob", "secret");
  pair_inject(pair, CLIENT, challenge, sizeof challenge);
  pair_run(pair, 29999);
  assert_int_equal(pair_sent_count(pair, CLIENT), 10);
  pair_run(pair, 1);
  assert_int_equal(pair->end[CLIENT].dones, 1);
  assert_false(pair->end[CLIENT].ok);
}

static void a_server_that_never_challenges_is_given_up(void **unused) {
  g_autoptr(Pair) pair = pair_new(&chap_method, 7);
  pair_start(pair, CLIENT, "bob", "secret");
  pair_run(pair, 30000);
  assert_string_equal(pair->end[CLIENT].why, "the peer sends no challenge");
}

static void rfc1994_4_1_names_may_be_anything(void **unused) {
  static const char *const names[] = {"", "a b\tc", "\xff\xfe\x80", "DOMAIN\\user", "user@example.com"};

  for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
    g_autoptr(Pair) pair = pair_serve(&chap_method, 7, "secret");
    g_autoptr(GBytes) response = respond(pair_sent(pair, SERVER, 0, NULL), "secret", names[i]);
    pair->hold = TRUE;
    pair_inject_bytes(pair, SERVER, response);
    assert_string_equal(pair->asked->user, names[i]);
  }

  g_autoptr(Pair) pair = pair_serve(&chap_method, 7, "secret");
  guint8 nul[5 + 16 + 3] = {2, pair_sent(pair, SERVER, 0, NULL)[1], 0, 24, 16};
  memcpy(nul + 21, "a\0b", 3);
  pair_inject(pair, SERVER, nul, sizeof nul);
  assert_int_equal(pair->asks, 0);
  assert_int_equal(pair_sent(pair, SERVER, 1, NULL)[0], 4);
}

static void rfc1994_4_1_challenges_of_any_length_are_answered(void **unused) {
  for (guint n = 1; n <= 255; n++) {
    g_autoptr(Pair) pair = pair_new(&chap_method, n);
    guint8 challenge[5 + 255] = {1, (guint8)n, 0, 0, (guint8)n};
    gsize length;
    challenge[2] = (guint8)((5 + n) >> 8);
    challenge[3] = (guint8)(5 + n);
    memset(challenge + 5, 0x5a, n);
    pair_start(pair, CLIENT, "bob", "secret");
    pair_inject(pair, CLIENT, challenge, 5 + n);
    g_autoptr(GBytes) expected = respond(challenge, "secret", "bob");
    const guint8 *said = pair_sent(pair, CLIENT, 0, &length);
    assert_memory_equal(said, g_bytes_get_data(expected, NULL), length);
    if (n > 16) { /* same identifier, another challenge with the same beginning */
      challenge[5 + n - 1] ^= 1;
      pair_inject(pair, CLIENT, challenge, 5 + n);
      assert_memory_not_equal(pair_sent(pair, CLIENT, 1, NULL) + 5, said + 5, 16);
    }
  }
}

static void malformed_packets_are_dropped(void **unused) {
  static const char *const responses[] = {"",
                                          "02",
                                          "02 00 00",
                                          "02 00 0003",
                                          "02 00 0004",
                                          "02 00 0005 10",
                                          "02 00 ffff 10",
                                          "07 00 0004",
                                          "01 00 0006 01 00",
                                          "02 00 0014 10 00000000000000000000000000000000"};
  static const char *const challenges[] = {"01 05 0005 00", "01 05 0008 04 010203", "01 05 0004",
                                           "02 05 0015 10 00000000000000000000000000000000", "01 05 0003 04 01020304"};

  for (gsize i = 0; i < G_N_ELEMENTS(responses); i++) {
    g_autoptr(Pair) pair = pair_serve(&chap_method, 7, "secret");
    g_autoptr(GBytes) packet = pair_hex(responses[i]);
    gsize length;
    guint8 *data = (guint8 *)g_memdup2(g_bytes_get_data(packet, &length), g_bytes_get_size(packet));
    length = g_bytes_get_size(packet);
    if (length > 1)
      data[1] = pair_sent(pair, SERVER, 0, NULL)[1];
    pair_inject(pair, SERVER, data, length);
    g_free(data);
    assert_int_equal(pair->asks, 0);
    assert_int_equal(pair_sent_count(pair, SERVER), 1);
  }
  for (gsize i = 0; i < G_N_ELEMENTS(challenges); i++) {
    g_autoptr(Pair) pair = pair_new(&chap_method, 7);
    g_autoptr(GBytes) packet = pair_hex(challenges[i]);
    pair_start(pair, CLIENT, "bob", "secret");
    pair_inject_bytes(pair, CLIENT, packet);
    assert_int_equal(pair_sent_count(pair, CLIENT), 0);
  }
}

static void an_nt_hash_is_not_enough(void **unused) {
  static const guint8 hash[16];
  g_autoptr(Pair) pair = pair_serve(&chap_method, 7, NULL);

  pair->nt_hash = hash;
  pair_start(pair, CLIENT, "bob", "secret");
  pair_run(pair, 100);
  assert_false(pair->end[CLIENT].ok);
  assert_string_equal(pair->end[SERVER].why, "only an NT hash is known of this user, and CHAP with MD5 needs the password itself");
}

static void what_a_server_says_is_made_printable(void **unused) {
  g_autoptr(Pair) pair = pair_new(&chap_method, 7);
  const guint8 challenge[] = {1, 5, 0, 9, 4, 1, 2, 3, 4}, failure[] = {4, 5, 0, 9, 'n', 'o', '\n', 0x1b, '.'};

  pair_start(pair, CLIENT, "bob", "secret");
  pair_inject(pair, CLIENT, challenge, sizeof challenge);
  pair_inject(pair, CLIENT, failure, sizeof failure);
  assert_string_equal(pair->end[CLIENT].why, "no??.");
}

static void bad_network(void **unused) {
  pair_bear_bad_network(&chap_method, 2000);
}

static void restarts_in_each_state(void **unused) {
  g_autoptr(Pair) pair = pair_new(&chap_method, 3);

  pair->password = "secret";
  pair->hold = TRUE;
  pair->end[SERVER].start.rechallenge_ms = 60000;
  pair_start(pair, CLIENT, "bob", "secret");
  assert_true(pair_restart(pair, CLIENT));
  pair_start(pair, SERVER, "gate", NULL);
  assert_true(pair_restart(pair, SERVER));
  pair_run(pair, 10);
  assert_int_equal(pair->asks, 1);
  assert_true(pair_restart(pair, SERVER) && pair_restart(pair, CLIENT)); /* with the question open */
  pair_run(pair, 100);
  assert_int_equal(pair->asks, 2);
  pair->hold = FALSE;
  pair_judge(pair);
  pair_run(pair, 10);
  pair_assert_ok(pair);
  assert_true(pair_restart(pair, SERVER) && pair_restart(pair, CLIENT));
  pair_run(pair, 60100); /* the re-challenge comes nevertheless */
  assert_int_equal(pair->end[SERVER].dones, 2);
  assert_int_equal(pair->end[CLIENT].dones, 2);
  pair_assert_ok(pair);
}

static void restore_refuses_what_is_cut_or_of_the_other_side(void **unused) {
  g_autoptr(Pair) pair = pair_serve(&chap_method, 7, "secret");
  guint8 octets[2048];
  AditBuilder out = adit_builder(octets, sizeof octets);

  chap_method.save(pair->end[SERVER].state, &out);
  for (gsize length = 0; length <= adit_built(&out); length++) {
    AditCursor in = adit_cursor(octets, length);
    g_autofree gpointer state = g_malloc0(chap_method.state_size);
    assert_int_equal(chap_method.restore(state, &pair->end[SERVER].env, &pair->end[SERVER].start, &in), length == adit_built(&out));
  }
  AditCursor in = adit_cursor(octets, adit_built(&out));
  g_autofree gpointer state = g_malloc0(chap_method.state_size);
  assert_false(chap_method.restore(state, &pair->end[CLIENT].env, &pair->end[CLIENT].start, &in));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rfc1994_4_exchange),
      cmocka_unit_test(rfc1994_4_2_failure_on_wrong_password),
      cmocka_unit_test(rfc1994_4_1_each_challenge_is_new),
      cmocka_unit_test(rfc1994_4_1_wrong_identifier_is_dropped),
      cmocka_unit_test(rfc1994_4_1_wrong_identifier_of_a_verdict_is_dropped),
      cmocka_unit_test(rfc1994_4_2_late_duplicate_gets_the_same_verdict),
      cmocka_unit_test(repeats_while_the_source_thinks_ask_once),
      cmocka_unit_test(a_slow_response_to_an_earlier_challenge_counts),
      cmocka_unit_test(rfc1994_2_rechallenge_while_open),
      cmocka_unit_test(a_verdict_on_an_old_challenge_settles_no_new_one),
      cmocka_unit_test(a_challenge_that_comes_late_ends_no_link),
      cmocka_unit_test(the_response_is_repeated_until_there_is_a_verdict),
      cmocka_unit_test(a_server_that_never_challenges_is_given_up),
      cmocka_unit_test(rfc1994_4_1_names_may_be_anything),
      cmocka_unit_test(rfc1994_4_1_challenges_of_any_length_are_answered),
      cmocka_unit_test(malformed_packets_are_dropped),
      cmocka_unit_test(an_nt_hash_is_not_enough),
      cmocka_unit_test(what_a_server_says_is_made_printable),
      cmocka_unit_test(bad_network),
      cmocka_unit_test(restarts_in_each_state),
      cmocka_unit_test(restore_refuses_what_is_cut_or_of_the_other_side),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
