/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "links.h"

static void wrong_credentials_end_both_sides(void **state) {
  Pair *pair = pair_new(1);
  link_server_and_client(pair);
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

/* An empty password proves nothing of us; with MS-CHAPv2 anybody could prove himself with it. */
static void a_link_without_a_password_answers_no_login(void **state) {
  static const char *const passwords[] = {NULL, ""};

  for (gsize i = 0; i < G_N_ELEMENTS(passwords); i++) {
    Pair *pair = pair_new(1);
    link_server_and_client(pair);
    pair->a.params.password = passwords[i];
    pair_open(pair);
    pair_run(pair, 10000);
    assert_int_equal(pair->a.closes, 1);
    assert_int_equal(pair->a.cause, ADIT_CAUSE_USER_ERROR);
    assert_string_equal(pair->a.reason, "the peer asks for a login, and the configuration has no password for it");
    assert_int_equal(pair->b.asks, 0);
    assert_int_equal(pair->b.networks + pair->a.networks, 0);
    pair_free(pair);
  }
}

static void rfc1661_6_2_nak_falls_back_through_what_is_allowed(void **state) {
  Pair *pair = pair_new(1);
  link_server_and_client(pair);
  pair->a.params.answer = link_methods_weak;
  pair->a.params.n_answer = 1;
  pair_open(pair);
  pair_run(pair, 1000);
  g_autofree char *first = link_request_options(&pair->b, 1), *second = link_request_options(&pair->b, 2);
  g_autofree char *nak = node_sent(&pair->a, ADIT_PPP_LCP, 3, 1);
  assert_true(g_str_has_prefix(first, "0305c22381"));
  assert_string_equal(nak + 8, "0304c023");
  assert_true(g_str_has_prefix(second, "0304c023"));
  assert_string_equal(link_info_of(&pair->b).demanded, "weak");
  assert_true(pair->a.network && pair->b.network);
  pair_free(pair);
}

/* A peer that suggests what we don't allow (EAP, as Apple's do first) gets our next one. */
static void rfc1661_6_2_a_suggestion_that_is_not_allowed_leads_to_the_next(void **state) {
  Pair *pair = link_lone();
  pair->a.params.demand = link_methods_both;
  pair->a.params.n_demand = 2;
  link_lone_open(pair);
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
  link_server_and_client(pair);
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
  link_server_and_client(pair);
  pair->b.params.demand = link_methods_strong;
  pair->b.params.n_demand = 1;
  pair->a.params.answer = link_methods_weak;
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
  link_server_and_client(pair);
  pair->a.params.demand = link_methods_weak;
  pair->a.params.n_demand = 1;
  pair->b.params.answer = link_methods_weak;
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
  link_server_and_client(pair);
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
  link_server_and_client(pair);
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
  Pair *pair = link_opened();
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

/* RFC 2759 6: with R=1 the peer may try again on the same link; who listens hears of each try, and of the last one once. */
static void each_try_that_is_refused_is_told(void **state) {
  const AditAuthReply again = {.size = sizeof again, .outcome = ADIT_AUTH_REJECT, .retry = TRUE, .why = "not this time"};
  const AditAuthReply no = {.size = sizeof no, .outcome = ADIT_AUTH_REJECT, .why = "never"};
  Pair *pair = pair_new(1);
  link_server_and_client(pair);
  pair->b.hold = TRUE;
  pair_open(pair);
  pair_run(pair, 1000);
  adit_ppp_link_verdict(pair->b.link, &again);
  assert_int_equal(pair->b.auth_fails, 1);
  assert_int_equal(pair->b.closes, 0);
  node_inject_text(&pair->b, "c223 01 08 000e 616c6963653a6e6f2121");
  adit_ppp_link_verdict(pair->b.link, &again);
  assert_int_equal(pair->b.auth_fails, 2);
  node_inject_text(&pair->b, "c223 01 09 000e 616c6963653a6e6f2121");
  adit_ppp_link_verdict(pair->b.link, &no);
  pair_run(pair, 10000);
  assert_int_equal(pair->b.auth_fails, 3);
  assert_int_equal(pair->b.auth_oks, 0);
  assert_int_equal(pair->b.closes, 1);
  assert_string_equal(pair->b.reason, "never");
  pair_free(pair);
}

/* A peer that authenticates again under another name does not keep its session. */
static void rechallenge_as_another_user_ends_the_link(void **state) {
  Pair *pair = link_opened();
  assert_true(adit_ppp_link_rechallenge(pair->b.link));
  node_inject_text(&pair->b, "c223 01 07 000e 626f623a736563726574"); /* bob:secret */
  assert_int_equal(pair->b.asks, 1);
  assert_string_equal(link_info_of(&pair->b).user ? link_info_of(&pair->b).user : "alice", "alice");
  pair_run(pair, 10000);
  assert_int_equal(pair->b.closes, 1);
  assert_string_equal(pair->b.reason, "the peer answers as another user than before");
  assert_int_equal(pair->b.cause, ADIT_CAUSE_USER_ERROR);
  pair_free(pair);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(wrong_credentials_end_both_sides),
      cmocka_unit_test(a_link_without_a_password_answers_no_login),
      cmocka_unit_test(rfc1661_6_2_nak_falls_back_through_what_is_allowed),
      cmocka_unit_test(rfc1661_6_2_a_suggestion_that_is_not_allowed_leads_to_the_next),
      cmocka_unit_test(a_peer_that_rejects_authentication_is_left),
      cmocka_unit_test(methods_without_anything_in_common_do_not_loop),
      cmocka_unit_test(both_sides_may_demand_at_once),
      cmocka_unit_test(authentication_has_a_deadline),
      cmocka_unit_test(a_verdict_for_nobody_is_dropped),
      cmocka_unit_test(each_try_that_is_refused_is_told),
      cmocka_unit_test(rechallenge_failing_ends_the_link),
      cmocka_unit_test(rechallenge_as_another_user_ends_the_link),
  };
  return cmocka_run_group_tests_name("link-auth", tests, NULL, NULL);
}
