/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The listener of dynamic authorization, over loopback: who is believed, and what is answered. */
#include "dae-wire.h"

/* ---- answers ---- */

/** The listener, which has told alice's session to end because `peer` asked. */
static Ask *begin_disconnect(Peer **peer) {
  Ask *ask = disconnect_of("8100000a", 9, SECRET);

  start((Settings){0});
  *peer = peer_new("127.0.0.1");
  send_ask(*peer, ask);
  assert_true(ADIT_TEST_UNTIL(test, adit_test_saw(test, "session.disconnect 1 cause 6"), 5000));
  return ask;
}

static void rfc5176_2_1_the_ack_comes_when_the_session_is_gone(void **state) {
  guint32 cause;
  Peer *peer;

  g_autofree Ask *ask = begin_disconnect(&peer);
  send_ask(peer, ask); /* the server is impatient */
  assert_true(ADIT_TEST_UNTIL(test, radius_dae_stats(dae)->duplicates == 1, 5000));
  assert_false(receive(peer));
  adit_test_end_session(test, ALICE, ADIT_CAUSE_ADMIN_RESET);
  assert_int_equal(answered(peer, ask, SECRET, &cause), RADIUS_DISCONNECT_ACK);
  assert_int_equal(cause, 0);
  assert_false(receive(peer));
  assert_int_equal(occurrences("session.disconnect"), 1);
  assert_int_equal(radius_dae_stats(dae)->requests, 1);
  assert_int_equal(radius_dae_stats(dae)->acks, 1);
  peer_free(peer);
}

static void rfc5176_3_5_a_session_that_does_not_go_is_not_removable(void **state) {
  guint32 cause;
  Peer *peer;

  g_autofree Ask *ask = begin_disconnect(&peer);
  adit_test_advance(test, 4900);
  assert_false(receive(peer));
  adit_test_advance(test, 400);
  assert_int_equal(answered(peer, ask, SECRET, &cause), RADIUS_DISCONNECT_NAK);
  assert_int_equal(cause, RADIUS_DAE_NOT_REMOVABLE);
  assert_int_equal(radius_dae_stats(dae)->naks, 1);
  adit_test_end_session(test, ALICE, ADIT_CAUSE_ADMIN_RESET); /* too late, and nobody is told again */
  assert_false(receive(peer));
  peer_free(peer);
}

static gboolean is_gone;

static gboolean info_until_gone(AditSessionId id, AditSessionInfo *out) {
  const AditSessionService *real = adit_test_service(test, ADIT_SESSION_SERVICE);
  return !is_gone && real->session_info(id, out);
}

static void a_session_that_ends_before_it_was_up_is_noticed(void **state) {
  guint32 cause;
  Peer *peer;

  is_gone = FALSE;
  session.session_info = info_until_gone;
  g_autofree Ask *ask = begin_disconnect(&peer);
  adit_test_advance(test, 300);
  assert_false(receive(peer));
  is_gone = TRUE;
  adit_test_advance(test, 300);
  assert_int_equal(answered(peer, ask, SECRET, &cause), RADIUS_DISCONNECT_ACK);
  peer_free(peer);
}

/** bob's session may last a minute, from now on. */
static Ask *change_of_bob(gboolean with_time) {
  Ask *ask = ask_new(RADIUS_COA_REQUEST, TRUE);

  radius_put_string(&ask->b, 0, USER_NAME, "bob");
  radius_put_int(&ask->b, 0, SESSION_TIMEOUT, 60);
  if (with_time)
    radius_put_int(&ask->b, 0, EVENT_TIMESTAMP, (guint32)(g_get_real_time() / G_USEC_PER_SEC));
  ask_finish(ask, 200, SECRET);
  return ask;
}

static void rfc5176_2_2_a_change_is_made_once_and_answered_as_often_as_asked(void **state) {
  guint32 cause;
  guint8 first[RADIUS_MAX];

  start((Settings){0});
  Peer *peer = peer_new("127.0.0.1");
  g_autofree Ask *ask = change_of_bob(FALSE);
  for (guint i = 0; i < 3; i++) {
    send_ask(peer, ask);
    assert_int_equal(answered(peer, ask, SECRET, &cause), RADIUS_COA_ACK);
    if (i)
      assert_memory_equal(first, peer->answer, (gsize)peer->length);
    memcpy(first, peer->answer, sizeof first);
  }
  assert_int_equal(occurrences("session.session_update 2"), 1);
  assert_int_equal(radius_dae_stats(dae)->requests, 1);
  assert_int_equal(radius_dae_stats(dae)->duplicates, 2);
  adit_test_advance(test, 30001); /* without Event-Timestamp it may be meant again */
  send_ask(peer, ask);
  assert_int_equal(answered(peer, ask, SECRET, &cause), RADIUS_COA_ACK);
  assert_int_equal(occurrences("session.session_update 2"), 2);
  peer_free(peer);
}

/* What can't be remembered is not carried out: its repeat would be carried out again. */
static void a_request_without_a_place_for_its_answer_changes_nothing(void **state) {
  guint32 cause;
  Peer *peer;

  g_autofree Ask *end = begin_disconnect(&peer), *change = change_of_bob(FALSE);
  radius_dae_cache_set_max(radius_dae_cache_of(dae), 1);
  send_ask(peer, change);
  assert_true(ADIT_TEST_UNTIL(test, radius_dae_stats(dae)->bad_requests == 1, 5000));
  assert_false(receive(peer));
  assert_int_equal(occurrences("session.session_update"), 0);
  adit_test_end_session(test, ALICE, ADIT_CAUSE_ADMIN_RESET);
  assert_int_equal(answered(peer, end, SECRET, &cause), RADIUS_DISCONNECT_ACK);
  send_ask(peer, change); /* an answer frees a place */
  assert_int_equal(answered(peer, change, SECRET, &cause), RADIUS_COA_ACK);
  assert_int_equal(occurrences("session.session_update"), 1);
  peer_free(peer);
}

/* One who plays old requests back pushes none out of the memory that keeps newer ones from being played back. */
static void a_request_that_is_dropped_takes_no_place(void **state) {
  start((Settings){.needs_time = TRUE});
  Peer *peer = peer_new("127.0.0.1");
  g_autofree Ask *untimed = change_of_bob(FALSE);

  for (guint i = 1; i <= 20; i++) {
    send_ask(peer, untimed);
    assert_true(ADIT_TEST_UNTIL(test, radius_dae_stats(dae)->bad_requests == i, 5000));
    assert_int_equal(radius_dae_cache_count(radius_dae_cache_of(dae)), 0);
  }
  peer_free(peer);
}

static void rfc5176_6_3_what_has_a_time_is_not_played_back_while_it_is_believed(void **state) {
  guint32 cause;

  start((Settings){.needs_time = TRUE});
  Peer *peer = peer_new("127.0.0.1");
  g_autofree Ask *ask = change_of_bob(TRUE);
  send_ask(peer, ask);
  assert_int_equal(answered(peer, ask, SECRET, &cause), RADIUS_COA_ACK);
  adit_test_advance(test, 599000);
  send_ask(peer, ask);
  assert_int_equal(answered(peer, ask, SECRET, &cause), RADIUS_COA_ACK);
  assert_int_equal(occurrences("session.session_update"), 1);
  assert_false(is_believed(peer, "127.0.0.1", port, 1, SECRET)); /* it has none */
  peer_free(peer);
}

/* ---- who is believed ---- */

static void rfc5176_6_1_strangers_and_forgers_get_no_answer(void **state) {
  start((Settings){0});
  Peer *peer = peer_new("127.0.0.1"), *stranger = peer_new("127.0.0.2");
  g_autofree Ask *good = disconnect_of("8100000a", 1, SECRET), *forged = disconnect_of("8100000a", 2, "another secret");
  g_autofree Ask *unsigned_one = ask_new(RADIUS_DISCONNECT_REQUEST, FALSE), *login = ask_new(RADIUS_ACCESS_REQUEST, TRUE);
  const guint64 *bad = &radius_dae_stats(dae)->bad_requests;
  static const guint8 random16[16] = {1, 2, 3};

  radius_put_string(&unsigned_one->b, 0, ACCT_SESSION_ID, "8100000a");
  ask_finish(unsigned_one, 3, SECRET);
  radius_finish_request(&login->b, 4, random16, SECRET);
  send_octets(stranger, "127.0.0.1", port, good->b.data, good->b.length);
  send_ask(peer, forged);
  send_ask(peer, unsigned_one);
  send_ask(peer, login);
  send_octets(peer, "127.0.0.1", port, good->b.data, 19);                 /* shorter than a header */
  send_octets(peer, "127.0.0.1", port, good->b.data, good->b.length - 1); /* shorter than it says */
  assert_true(ADIT_TEST_UNTIL(test, *bad == 6, 5000));
  for (gsize i = 0; i < good->b.length; i++) { /* each octet, with one bit of it turned */
    g_autofree guint8 *turned = g_memdup2(good->b.data, good->b.length);
    turned[i] ^= 1u << i % 8;
    send_octets(peer, "127.0.0.1", port, turned, good->b.length);
    assert_true(ADIT_TEST_UNTIL(test, *bad == 7 + i, 5000));
  }
  assert_false(receive(peer));
  assert_false(receive(stranger));
  assert_false(adit_test_saw(test, "session.disconnect"));
  assert_int_equal(radius_dae_stats(dae)->requests, 0);
  assert_true(is_believed(peer, "127.0.0.1", port, 5, SECRET));
  peer_free(peer);
  peer_free(stranger);
}

static void an_unsigned_request_is_believed_where_that_is_allowed(void **state) {
  guint32 cause;

  start((Settings){.may_be_unsigned = TRUE});
  Peer *peer = peer_new("127.0.0.1");
  g_autofree Ask *ask = ask_new(RADIUS_DISCONNECT_REQUEST, FALSE), *forged = disconnect_of("8100000a", 7, SECRET);
  radius_put_string(&ask->b, 0, USER_NAME, "nobody");
  ask_finish(ask, 3, SECRET);
  send_ask(peer, ask);
  assert_int_equal(answered(peer, ask, SECRET, &cause), RADIUS_DISCONNECT_NAK);
  /* RFC 5176 3.4: a signature that is there must be right all the same; the authenticator is right */
  forged->b.data[RADIUS_HEADER + 2] ^= 1;
  memset(forged->b.data + 4, 0, 16);
  forged->b.message_authenticator = 0;
  radius_finish_request(&forged->b, 7, NULL, SECRET);
  send_ask(peer, forged);
  assert_true(ADIT_TEST_UNTIL(test, radius_dae_stats(dae)->bad_requests == 1, 5000));
  assert_false(adit_test_saw(test, "session.disconnect"));
  peer_free(peer);
}

static void the_list_of_who_is_allowed_replaces_the_servers(void **state) {
  start((Settings){.allowed = "127.0.0.2/31", .secret = "the listener's own"});
  Peer *server = peer_new("127.0.0.1"), *portal = peer_new("127.0.0.3");
  assert_false(is_believed(server, "127.0.0.1", port, 1, "the listener's own"));
  assert_true(is_believed(portal, "127.0.0.1", port, 1, "the listener's own"));
  assert_false(is_believed(portal, "127.0.0.1", port, 2, SECRET));
  peer_free(server);
  peer_free(portal);
}

static void who_is_allowed_and_has_no_secret_is_not_believed(void **state) {
  start((Settings){.allowed = "127.0.0.0/8"});
  Peer *portal = peer_new("127.0.0.2"), *server = peer_new("127.0.0.1");
  assert_false(is_believed(portal, "127.0.0.1", port, 1, SECRET));
  assert_false(is_believed(portal, "127.0.0.1", port, 2, ""));
  assert_true(is_believed(server, "127.0.0.1", port, 1, SECRET));
  peer_free(portal);
  peer_free(server);
}

static void two_servers_at_one_address_have_each_their_secret(void **state) {
  start((Settings){.second_secret = "second"});
  Peer *peer = peer_new("127.0.0.1");
  assert_true(is_believed(peer, "127.0.0.1", port, 1, SECRET));
  assert_true(is_believed(peer, "127.0.0.1", port, 2, "second"));
  assert_false(is_believed(peer, "127.0.0.1", port, 3, "third"));
  peer_free(peer);
}

static void rfc6614_the_secret_that_everybody_knows_opens_nothing(void **state) {
  start((Settings){.radsec = TRUE});
  Peer *peer = peer_new("127.0.0.1");
  assert_false(is_believed(peer, "127.0.0.1", port, 1, "radsec"));
  peer_free(peer);
}

static void rfc5176_3_an_address_of_this_machine_is_ours(void **state) {
  static const struct {
    const char *address;
    guint32 cause;
  } nas[] = {{"127.0.0.1", RADIUS_DAE_NO_SESSION}, {"192.0.2.77", RADIUS_DAE_OTHER_NAS}, {"0.0.0.0", RADIUS_DAE_OTHER_NAS}};
  guint32 cause;

  start((Settings){0});
  Peer *peer = peer_new("127.0.0.1");
  for (guint i = 0; i < G_N_ELEMENTS(nas); i++) {
    AditAddress address = address_of(nas[i].address);
    g_autofree Ask *ask = ask_new(RADIUS_DISCONNECT_REQUEST, TRUE);
    radius_put(&ask->b, 0, NAS_IP_ADDRESS, address.octet, 4);
    radius_put_string(&ask->b, 0, USER_NAME, "nobody");
    ask_finish(ask, (guint8)i, SECRET);
    send_ask(peer, ask);
    assert_int_equal(answered(peer, ask, SECRET, &cause), RADIUS_DISCONNECT_NAK);
    assert_int_equal(cause, nas[i].cause);
  }
  peer_free(peer);
}

static void junk_is_taken_in_portions_and_logged_in_few_lines(void **state) {
  static const guint8 junk[100] = {0};

  start((Settings){0});
  const guint64 *bad = &radius_dae_stats(dae)->bad_requests;
  Peer *peer = peer_new("127.0.0.1");
  for (guint i = 0; i < 100; i++)
    send_octets(peer, "127.0.0.1", port, junk, sizeof junk);
  assert_true(adit_test_iterate(test, 1000));
  assert_in_range(*bad, 1, 32);
  assert_true(ADIT_TEST_UNTIL(test, *bad == 100, 5000));
  assert_in_range(lines, 1, 5);
  peer_free(peer);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* As where there are many sessions. */
static void slow_foreach(void (*each)(const AditSessionInfo *info, gpointer data), gpointer data) {
  for (gint64 until = g_get_monotonic_time() + 20000; g_get_monotonic_time() < until;)
    continue;
}

static void many_searches_leave_the_loop_to_others(void **state) {
  enum { MANY = 10 };

  session.session_foreach = slow_foreach;
  start((Settings){0});
  const guint64 *requests = &radius_dae_stats(dae)->requests;
  Peer *peer = peer_new("127.0.0.1");
  for (guint i = 0; i < MANY; i++) {
    g_autofree Ask *ask = ask_new(RADIUS_DISCONNECT_REQUEST, TRUE);
    radius_put_string(&ask->b, 0, USER_NAME, "nobody");
    ask_finish(ask, (guint8)i, SECRET);
    send_ask(peer, ask);
  }
  assert_true(adit_test_iterate(test, 1000));
  assert_int_equal(*requests, 1);
  assert_true(ADIT_TEST_UNTIL(test, *requests == MANY, 5000));
  peer_free(peer);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      T(rfc5176_2_1_the_ack_comes_when_the_session_is_gone),
      T(rfc5176_3_5_a_session_that_does_not_go_is_not_removable),
      T(a_session_that_ends_before_it_was_up_is_noticed),
      T(rfc5176_2_2_a_change_is_made_once_and_answered_as_often_as_asked),
      T(a_request_without_a_place_for_its_answer_changes_nothing),
      T(a_request_that_is_dropped_takes_no_place),
      T(rfc5176_6_3_what_has_a_time_is_not_played_back_while_it_is_believed),
      T(rfc5176_6_1_strangers_and_forgers_get_no_answer),
      T(an_unsigned_request_is_believed_where_that_is_allowed),
      T(the_list_of_who_is_allowed_replaces_the_servers),
      T(who_is_allowed_and_has_no_secret_is_not_believed),
      T(two_servers_at_one_address_have_each_their_secret),
      T(rfc6614_the_secret_that_everybody_knows_opens_nothing),
      T(rfc5176_3_an_address_of_this_machine_is_ours),
      T(junk_is_taken_in_portions_and_logged_in_few_lines),
      T(many_searches_leave_the_loop_to_others),
  };
  g_log_set_writer_func(count_lines, NULL, NULL);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
