/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* What refuses a login before a source is asked, or in spite of it: the guard (guard.h), and empty passwords. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include "tests/unit/aaa/world.h"

static const char *const two[] = {"first", "second", NULL};

static int setup(void **state) {
  world_init(two);
  return 0;
}

static int teardown(void **state) {
  world_fini();
  return 0;
}

/* ---- empty passwords ---- */

static void an_empty_password_is_refused_before_any_source_is_asked(void **unused) {
  WorldVerdict verdict = {0}, none = {0};

  world_ask("bob", "", &verdict);
  world_ask("bob", NULL, &none);
  assert_int_equal(verdict.calls, 0); /* never inside the call */
  world_run(0);
  assert_int_equal(verdict.outcome, ADIT_AUTH_REJECT);
  assert_string_equal(verdict.why, "the peer gave an empty password, which proves nothing");
  assert_int_equal(none.outcome, ADIT_AUTH_REJECT);
  assert_int_equal(world_source("first")->asked + world_source("second")->asked, 0);
  assert_int_equal(adit_aaa_requests_count(), 0);
}

/* A source of somebody else's that knows no better. */
static void an_empty_secret_of_a_source_opens_nothing(void **unused) {
  static const guint8 of_nothing[16] = {0x31, 0xd6, 0xcf, 0xe0, 0xd1, 0x6a, 0xe9, 0x31, 0xb7, 0x3c, 0x59, 0xd7, 0xe0, 0xc0, 0x89, 0xc0};
  const AditAuthReply secrets[] = {
      {.size = sizeof secrets[0], .outcome = ADIT_AUTH_SECRET, .password = ""},
      {.size = sizeof secrets[0], .outcome = ADIT_AUTH_SECRET, .nt_hash = of_nothing},
      {.size = sizeof secrets[0], .outcome = ADIT_AUTH_SECRET, .password = "", .nt_hash = of_nothing},
  };
  static const char *const guesses[] = {"secret", "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"};

  for (gsize i = 0; i < G_N_ELEMENTS(secrets); i++)
    for (gsize k = 0; k < G_N_ELEMENTS(guesses); k++) {
      WorldVerdict verdict = {0}, wrong = {0};
      world_ask("bob", guesses[k], &verdict);
      world_reply(world_source("first"), &secrets[i]);
      world_run(0);
      assert_int_equal(verdict.outcome, ADIT_AUTH_REJECT);
      assert_string_equal(verdict.why, "the source has no password for this user");
      assert_false(verdict.keys);
      assert_string_equal(world_last_warning(), "user bob: source first has no password: logins are refused until it has one");
      world_ask("bob", "wrong", &wrong); /* the peer is told the same as of a wrong password */
      world_answer(world_source("first"), ADIT_AUTH_SECRET);
      world_run(0);
      if (!k)
        assert_string_equal(verdict.message, wrong.message);
      assert_int_equal(verdict.retry, wrong.retry);
    }
  assert_int_equal(world_source("second")->asked, 0);
}

/* ---- the guard (guard.h), as requests meet it ---- */

enum { CALLS = 60 };

static guint count_calls(const WorldVerdict *verdicts, AditAuthOutcome outcome) {
  guint n = 0;
  for (guint i = 0; i < CALLS; i++)
    n += verdicts[i].calls && (!outcome || verdicts[i].outcome == outcome);
  return n;
}

static void answer_all(WorldSource *source) {
  while (!g_queue_is_empty(&source->handles))
    world_answer(source, ADIT_AUTH_SECRET);
}

static void of_many_guesses_at_once_few_reach_a_source(void **unused) {
  WorldVerdict verdicts[CALLS] = {0}, good = {0};
  WorldSource *source = world_source("first");

  for (guint i = 0; i < CALLS; i++)
    world_ask_from("203.0.113.9", "bob", "guess", &verdicts[i]);
  assert_int_equal(source->asked, 3);
  world_ask_from("198.51.100.2", "bob", "secret", &good); /* from elsewhere */
  assert_int_equal(source->asked, 4);
  answer_all(source);
  world_run(0);
  assert_int_equal(good.outcome, ADIT_AUTH_ACCEPT);
  for (guint ms = 0; ms < 12000; ms += 100) {
    world_run(100);
    answer_all(source);
  }
  world_run(0);
  assert_int_equal(count_calls(verdicts, (AditAuthOutcome)0), CALLS); /* each got its answer, once */
  for (guint i = 0; i < CALLS; i++)
    assert_int_equal(verdicts[i].calls, 1);
  assert_int_equal(count_calls(verdicts, ADIT_AUTH_REJECT), CALLS);
  assert_in_range(source->asked, 5, 9);
  assert_string_equal(verdicts[CALLS - 1].why, "too many logins of this user from 203.0.113.9 at once, after failed ones");
  assert_string_equal(verdicts[CALLS - 1].message, "too many failed logins: try again later");
  assert_string_equal(verdicts[CALLS - 1].source, "");
  assert_int_equal(adit_aaa_requests_count(), 0);
}

static void a_lockout_is_logged_and_shown_and_forgiven(void **unused) {
  WorldSource *source = world_source("first");
  AditPrefix host;

  world_warnings();
  for (guint i = 0; i < 100; i++) {
    WorldVerdict verdict = {0};
    world_ask_from("2001:db8::5", "bob", "guess", &verdict);
    answer_all(source);
    world_run(9000);
    answer_all(source);
    world_run(0);
    assert_int_equal(verdict.calls, 1);
    if (g_str_has_prefix(verdict.why, "too many failed logins of this user from 2001:db8::/64: locked out for "))
      break;
  }
  assert_in_range(source->asked, 10, 14);
  assert_int_equal(world_warnings(), 1);
  assert_string_equal(world_last_warning(), "source 2001:db8::/64: 10 failed logins of user bob: it is locked out there for 60 s");
  g_autoptr(AditValue) rows = adit_aaa_sources_failing(), counters = adit_aaa_login_counters();
  const AditValue *row = adit_value_at(rows, 0);
  assert_in_range(adit_value_length(rows), 2, 3); /* the network's count is short-lived */
  assert_string_equal(adit_value_get_string(row, "source", ""), "2001:db8::/64");
  assert_string_equal(adit_value_get_string(row, "user", ""), "bob");
  assert_string_equal(adit_value_get_string(row, "state", ""), "locked");
  assert_in_range(adit_value_get_int(row, "locked", 0), 40000, 60000);
  assert_string_equal(adit_value_get_string(adit_value_at(rows, 1), "source", ""), "2001:db8::/64");
  assert_null(adit_value_get(adit_value_at(rows, 1), "user"));
  assert_int_equal(adit_value_get_int(counters, "lockouts", 0), 1);
  assert_int_equal(adit_value_get_int(counters, "refused", 0), 1);

  WorldVerdict locked = {0}, good = {0};
  world_ask_from("2001:db8::6", "bob", "secret", &locked);
  world_run(0);
  assert_int_equal(locked.outcome, ADIT_AUTH_REJECT);
  assert_true(adit_prefix_parse("2001:db8::6", &host));
  assert_true(adit_aaa_forgive(&host) > 0);
  world_ask_from("2001:db8::6", "bob", "secret", &good);
  answer_all(source);
  world_run(0);
  assert_int_equal(good.outcome, ADIT_AUTH_ACCEPT);
}

static void an_error_of_a_source_is_no_failed_login(void **unused) {
  WorldSource *source = world_source("first");

  for (guint i = 0; i < 100; i++) {
    WorldVerdict verdict = {0};
    world_ask_from("203.0.113.9", "bob", "secret", &verdict);
    assert_int_equal(source->asked, i + 1);
    world_answer(source, ADIT_AUTH_ERROR);
    world_run(0);
    assert_int_equal(verdict.outcome, ADIT_AUTH_ERROR);
  }
}

static void who_hangs_up_while_waiting_is_never_asked_about(void **unused) {
  WorldVerdict verdicts[CALLS] = {0};
  guint64 ids[CALLS];

  for (guint i = 0; i < CALLS; i++)
    ids[i] = world_ask_from("203.0.113.9", "bob", "guess", &verdicts[i]);
  for (guint i = 3; i < CALLS; i++)
    adit_aaa_request_cancel(ids[i]);
  world_run(20000);
  assert_int_equal(world_source("first")->asked, 3);
  assert_int_equal(count_calls(verdicts + 0, (AditAuthOutcome)0), 0);
  assert_int_equal(world_source("first")->cancelled, 0);
  /* three wait for the source, and teardown ends them, and others that wait for those */
  world_ask_from("203.0.113.9", "bob", "guess", &verdicts[3]);
}

static void who_is_exempt_or_already_in_is_not_held_up(void **unused) {
  WorldVerdict verdicts[CALLS] = {0};
  WorldSource *source = world_source("first");
  AditValue *aaa = adit_value_map(), *exempt = adit_value_list();
  AditPrefix lac;

  assert_true(adit_prefix_parse("192.0.2.0/28", &lac));
  adit_value_append(exempt, adit_value_prefix(&lac));
  adit_value_set(aaa, "login-guard-exempt", exempt);
  world_configure(aaa);
  for (guint i = 0; i < CALLS; i++)
    world_ask_from("192.0.2.7", "bob", "guess", &verdicts[i]);
  assert_int_equal(source->asked, CALLS);
  answer_all(source);
  world_run(0);
  for (guint i = 0; i < CALLS; i++) { /* a re-challenge of who is in */
    AditAddress address;
    AditAuthRequest *request = adit_auth_request_new(ADIT_AUTH_PAP);
    assert_true(adit_address_parse("203.0.113.9", &address));
    request->peer = adit_endpoint(&address, 1701);
    request->user = g_strdup("bob");
    request->password = g_strdup("secret");
    request->again = TRUE;
    adit_aaa_request_begin(request, world_done, &verdicts[i]);
  }
  assert_int_equal(source->asked, 2 * CALLS);
  answer_all(source);
  world_run(0);
  aaa = adit_value_map();
  adit_value_set(aaa, "login-guard", adit_value_bool(FALSE)); /* and off means off */
  world_configure(aaa);
  for (guint i = 0; i < CALLS; i++)
    world_ask_from("203.0.113.9", "bob", "guess", &verdicts[i]);
  assert_int_equal(source->asked, 3 * CALLS);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      CASE(an_empty_password_is_refused_before_any_source_is_asked),
      CASE(an_empty_secret_of_a_source_opens_nothing),
      CASE(of_many_guesses_at_once_few_reach_a_source),
      CASE(a_lockout_is_logged_and_shown_and_forgiven),
      CASE(an_error_of_a_source_is_no_failed_login),
      CASE(who_hangs_up_while_waiting_is_never_asked_about),
      CASE(who_is_exempt_or_already_in_is_not_held_up),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
