/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The guard on virtual time: attackers who guess, people who don't, and what of both reaches the sources. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include "core/aaa/guard-table.h"
#include <adit/siphash.h>

static const AaaGuardRules rules = {.on = TRUE, .failures = 10, .lockout_ms = 60000, .lockout_max_ms = 1800000};
static const guint8 secret_key[16] = "a key for tests";

/* ---- a source of users that takes its time ---- */

typedef struct {
  AaaAttempt attempt;
  gboolean good;
  guint index;       /* in World.logins */
  guint64 answer_ms; /* 0 = the source has not been asked */
} Login;

typedef struct {
  AaaGuard *guard;
  guint64 now;
  guint latency_ms;
  GPtrArray *logins;                               /* of Login: under way */
  guint reached, reached_bad, in, failed, refused; /* logins: that reached the source, ... */
  guint64 slowest_ms;                              /* of those that are in */
  guint lockouts;
  AaaGuardView last;
  char last_user[64], last_why[160];
} World;

static void on_locked(const AaaGuardView *view, gpointer data) {
  World *w = (World *)data;
  w->lockouts++;
  w->last = *view;
  g_strlcpy(w->last_user, view->user ? view->user : "", sizeof w->last_user);
}

static int setup(void **state) {
  World *w = g_new0(World, 1);
  w->guard = aaa_guard_new(&rules, secret_key, on_locked, w);
  w->now = 1000000;
  w->latency_ms = 1;
  w->logins = g_ptr_array_new();
  *state = w;
  return 0;
}

static int teardown(void **state) {
  World *w = (World *)*state;
  while (w->logins->len) {
    Login *login = (Login *)w->logins->pdata[0];
    aaa_guard_end(w->guard, &login->attempt, AAA_LOGIN_CANCELLED, w->now);
    g_ptr_array_remove_index_fast(w->logins, 0);
    g_free(login);
  }
  assert_int_equal(aaa_guard_stats(w->guard)->running, 0);
  assert_int_equal(aaa_guard_stats(w->guard)->waiting, 0);
  g_ptr_array_unref(w->logins);
  aaa_guard_free(w->guard);
  g_free(w);
  return 0;
}

static void reach_source(World *w, Login *login) {
  w->reached++;
  w->reached_bad += !login->good;
  login->answer_ms = w->now + w->latency_ms;
}

static void end_login(World *w, Login *login) {
  guint index = login->index;

  g_ptr_array_remove_index_fast(w->logins, index);
  if (index < w->logins->len)
    ((Login *)w->logins->pdata[index])->index = index;
  g_free(login);
}

static void take_ready(World *w) {
  AaaAttempt *attempt;
  while ((attempt = aaa_guard_next(w->guard))) {
    Login *login = (Login *)attempt;
    if (attempt->state == AAA_ATTEMPT_RUNNING) {
      reach_source(w, login);
      continue;
    }
    assert_int_equal(attempt->state, AAA_ATTEMPT_REFUSED);
    w->refused++;
    g_strlcpy(w->last_why, attempt->why, sizeof w->last_why);
    aaa_guard_end(w->guard, attempt, AAA_LOGIN_BAD, w->now);
    end_login(w, login);
  }
}

static AaaGuardAnswer try_login(World *w, const char *from, const char *user, gboolean good) {
  Login *login = g_new0(Login, 1);
  AditAddress source;

  assert_true(adit_address_parse(from, &source));
  login->good = good;
  login->index = w->logins->len;
  g_ptr_array_add(w->logins, login);
  AaaGuardAnswer answer = aaa_guard_begin(w->guard, &login->attempt, &source, user, w->now);
  if (answer == AAA_GUARD_GO) {
    reach_source(w, login);
  } else if (answer == AAA_GUARD_REFUSE) {
    w->refused++;
    g_strlcpy(w->last_why, login->attempt.why, sizeof w->last_why);
    aaa_guard_end(w->guard, &login->attempt, AAA_LOGIN_BAD, w->now);
    end_login(w, login);
  }
  return answer;
}

static void answer_due(World *w) {
  for (guint i = w->logins->len; i-- > 0;) {
    Login *login = (Login *)w->logins->pdata[i];
    if (!login->answer_ms || login->answer_ms > w->now)
      continue;
    w->in += login->good;
    w->failed += !login->good;
    if (login->good)
      w->slowest_ms = MAX(w->slowest_ms, w->now - login->attempt.since_ms);
    aaa_guard_end(w->guard, &login->attempt, login->good ? AAA_LOGIN_GOOD : AAA_LOGIN_BAD, w->now);
    end_login(w, login);
    take_ready(w);
    i = MIN(i, w->logins->len);
  }
}

static void run(World *w, guint64 ms) {
  for (guint64 end = w->now + ms; w->now < end;) {
    if (!w->logins->len) { /* nothing can happen */
      w->now = end;
      return;
    }
    w->now++;
    answer_due(w);
    if (aaa_guard_due(w->guard) && w->now % 100 == 0) {
      aaa_guard_tick(w->guard, w->now);
      take_ready(w);
    }
  }
}

/** Keeps `calls` logins under way for so long: those that end are followed by others each `pause` ms. `user` may hold one %u. */
static void guess_slowly(World *w, const char *from, const char *user, guint calls, guint64 ms, guint pause) {
  static guint serial;
  for (guint64 end = w->now + ms; w->now < end;) {
    for (guint tries = 0; w->logins->len < calls && tries < calls; tries++) {
      g_autofree char *name =
          strchr(user, '%') ? g_strdup_printf("%.*s%u", (int)(strchr(user, '%') - user), user, ++serial) : g_strdup(user);
      try_login(w, from, name, FALSE);
    }
    run(w, pause);
  }
}

static void guess(World *w, const char *from, const char *user, guint calls, guint64 ms) {
  guess_slowly(w, from, user, calls, ms, 1);
}

static gboolean is_in_at_once(World *w, const char *from, const char *user) {
  guint in = w->in;
  gboolean go = try_login(w, from, user, TRUE) == AAA_GUARD_GO;
  run(w, w->latency_ms);
  return go && w->in == in + 1;
}

/* ---- hashing ---- */

static void siphash_has_the_value_of_its_authors(void **state) {
  guint8 key[16], data[15];
  for (guint8 i = 0; i < 16; i++)
    key[i] = i;
  for (guint8 i = 0; i < 15; i++)
    data[i] = i;
  assert_true(adit_siphash(key, data, sizeof data) == 0xa129ca6149be45e5u);
  assert_true(adit_siphash(key, data, 0) == 0x726fdb47dd0e0e31u);
}

/* ---- who guesses ---- */

static void sixty_calls_at_once_guess_at_one_user(void **state) {
  World *w = (World *)*state;

  guess(w, "203.0.113.9", "alice", 60, 10000);
  print_message("one user: %u guesses reached the source in 10 s, %u were refused\n", w->reached_bad, w->refused);
  assert_in_range(w->reached_bad, 3, 8);
  assert_true(is_in_at_once(w, "198.51.100.2", "alice")); /* the same user, from elsewhere */
  assert_true(is_in_at_once(w, "203.0.113.10", "bob"));   /* somebody else, next door */
}

static void sixty_calls_at_once_guess_at_many_users(void **state) {
  World *w = (World *)*state;

  guess(w, "203.0.113.9", "user%u", 60, 10000);
  print_message("many users: %u guesses reached the source in 10 s, %u were refused\n", w->reached_bad, w->refused);
  assert_in_range(w->reached_bad, 20, 31);
  assert_true(is_in_at_once(w, "198.51.100.2", "alice"));
}

static void a_day_of_guessing_gets_little(void **state) {
  World *w = (World *)*state;

  guess_slowly(w, "203.0.113.9", "alice", 5, 3600000, 100);
  guint user = w->reached_bad;
  guess_slowly(w, "198.51.100.9", "user%u", 30, 3600000, 100);
  print_message("an hour: %u guesses at one user, %u at many\n", user, w->reached_bad - user);
  assert_in_range(user, 10, 60);
  assert_in_range(w->reached_bad - user, 60, 400);
  assert_int_equal(aaa_guard_stats(w->guard)->lockouts, w->lockouts);
}

static void case_makes_no_other_user(void **state) {
  World *w = (World *)*state;
  static const char *const spellings[] = {"alice", "Alice", "ALICE", "aLICE"};

  for (guint i = 0; i < 40; i++) {
    try_login(w, "203.0.113.9", spellings[i % 4], FALSE);
    run(w, 5);
  }
  assert_int_equal(w->reached_bad, 3);
}

static void ipv6_hosts_are_64s_and_networks_48s(void **state) {
  World *w = (World *)*state;

  for (guint i = 0; i < 200; i++) { /* one host with as many addresses as it likes */
    g_autofree char *from = g_strdup_printf("2001:db8:1:1::%x", i + 1), *user = g_strdup_printf("u%u", i);
    try_login(w, from, user, FALSE);
    run(w, 5);
  }
  guint host = w->reached_bad;
  for (guint i = 0; i < 3000; i++) { /* one network with as many hosts as it likes */
    g_autofree char *from = g_strdup_printf("2001:db8:2:%x::1", i + 1), *user = g_strdup_printf("v%u", i);
    try_login(w, from, user, FALSE);
    run(w, 1);
  }
  print_message("IPv6: %u of a /64, %u of a /48\n", host, w->reached_bad - host);
  assert_in_range(host, 20, 23);
  assert_in_range(w->reached_bad - host, 60, 75);
  assert_true(is_in_at_once(w, "2001:db8:3:1::1", "alice"));
}

static void hanging_up_saves_nothing(void **state) {
  World *w = (World *)*state;

  w->latency_ms = 60000;
  for (guint i = 0; i < 1000; i++) {
    g_autofree char *user = g_strdup_printf("u%u", i);
    if (try_login(w, "203.0.113.9", user, FALSE) == AAA_GUARD_REFUSE)
      continue;
    Login *login = (Login *)w->logins->pdata[w->logins->len - 1];
    aaa_guard_end(w->guard, &login->attempt, AAA_LOGIN_CANCELLED, w->now);
    end_login(w, login);
    take_ready(w);
    run(w, 1);
  }
  assert_in_range(w->reached, 20, 22);
}

/* ---- lockouts ---- */

static void lockouts_grow_and_lapse(void **state) {
  World *w = (World *)*state;
  static const guint64 expected[] = {60000, 120000, 240000, 480000, 960000, 1800000, 1800000};

  for (guint i = 0; i < G_N_ELEMENTS(expected); i++) {
    while (w->lockouts == i) {
      try_login(w, "203.0.113.9", "alice", FALSE);
      run(w, 8000);
    }
    assert_int_equal(w->last.kind, AAA_GUARD_USER);
    assert_string_equal(w->last_user, "alice");
    assert_true(w->last.locked_ms == expected[i]);
    assert_int_equal(try_login(w, "203.0.113.9", "alice", TRUE), AAA_GUARD_REFUSE); /* right or wrong: nobody looks */
    assert_non_null(strstr(w->last_why, "too many failed logins of this user from 203.0.113.9: locked out for "));
    assert_true(is_in_at_once(w, "203.0.113.9", "bob"));
    run(w, expected[i]);
  }
  run(w, 2 * rules.lockout_max_ms); /* a long pause */
  assert_true(is_in_at_once(w, "203.0.113.9", "alice"));
  guint before = w->lockouts;
  while (w->lockouts == before) {
    try_login(w, "203.0.113.9", "alice", FALSE);
    run(w, 8000);
  }
  assert_true(w->last.locked_ms == expected[0]);
}

static void without_lockouts_there_are_delays_alone(void **state) {
  World *w = (World *)*state;
  AaaGuardRules delays = rules;

  delays.lockout_ms = 0;
  aaa_guard_set_rules(w->guard, &delays);
  guess_slowly(w, "203.0.113.9", "alice", 5, 600000, 100);
  assert_int_equal(w->lockouts, 0);
  assert_in_range(w->reached_bad, 60, 100); /* one in 8 s in the end */
}

static void switched_off_it_holds_nobody(void **state) {
  World *w = (World *)*state;
  const AaaGuardRules off = {0};

  aaa_guard_set_rules(w->guard, &off);
  for (guint i = 0; i < 500; i++)
    assert_int_equal(try_login(w, "203.0.113.9", "alice", FALSE), AAA_GUARD_GO);
  run(w, 10);
  assert_int_equal(w->failed, 500);
}

static void forgiving_ends_a_lockout(void **state) {
  World *w = (World *)*state;
  AditPrefix who;

  guess_slowly(w, "203.0.113.9", "user%u", 60, 60000, 100);
  assert_int_equal(w->last.kind, AAA_GUARD_HOST);
  assert_int_equal(try_login(w, "203.0.113.9", "carol", TRUE), AAA_GUARD_REFUSE);
  assert_non_null(strstr(w->last_why, "too many failed logins from 203.0.113.9: locked out for "));
  assert_true(adit_prefix_parse("198.51.100.0/24", &who));
  assert_int_equal(aaa_guard_forgive(w->guard, &who, w->now), 0);
  assert_true(adit_prefix_parse("203.0.113.9", &who));
  assert_true(aaa_guard_forgive(w->guard, &who, w->now) > 0);
  run(w, 200);
  assert_true(is_in_at_once(w, "203.0.113.9", "carol"));
}

/* ---- people who share a source ---- */

static void one_bad_user_locks_out_no_house_of_good_ones(void **state) {
  World *w = (World *)*state;

  for (guint i = 0; i < 3600; i++) { /* an hour: a router with a stale password dials each second, others come and go */
    g_autofree char *user = g_strdup_printf("tenant%u", i);
    try_login(w, "203.0.113.9", "stale", FALSE);
    if (i % 10 == 0)
      assert_true(is_in_at_once(w, "203.0.113.9", user));
    run(w, 1000);
  }
  assert_int_equal(w->last.kind, AAA_GUARD_USER);
  assert_in_range(w->reached_bad, 10, 60);
}

static void four_thousand_subscribers_of_a_lac_come_back_at_once(void **state) {
  World *w = (World *)*state;

  w->latency_ms = 50; /* RADIUS, somewhere */
  for (guint i = 0; i < 4000; i++) {
    g_autofree char *user = g_strdup_printf("dsl%u", i);
    try_login(w, "192.0.2.100", user, i % 50 != 0); /* some have a wrong password */
  }
  run(w, 12000);
  print_message("4000 at once: %u in, %u failed, %u refused; the slowest took %u ms\n", w->in, w->failed, w->refused, (guint)w->slowest_ms);
  assert_int_equal(w->in, 3920);
  assert_int_equal(w->refused, 0);
  assert_int_equal(w->lockouts, 0);
  assert_in_range(w->slowest_ms, 1, 3000);
}

static void two_thousand_calls_of_one_account_come_at_once(void **state) {
  World *w = (World *)*state;

  for (guint i = 0; i < 2000; i++)
    try_login(w, "192.0.2.100", "site", TRUE);
  run(w, 1000);
  assert_int_equal(w->in, 2000);
  assert_in_range(w->slowest_ms, 1, 100);
}

static void who_is_known_passes_the_locks_of_a_neighbour(void **state) {
  World *w = (World *)*state;

  assert_true(is_in_at_once(w, "203.0.113.9", "anna"));
  guess_slowly(w, "203.0.113.9", "user%u", 60, 90000, 100);
  assert_true(w->lockouts > 0);
  assert_int_equal(try_login(w, "203.0.113.9", "newcomer", TRUE), AAA_GUARD_REFUSE);
  assert_true(is_in_at_once(w, "203.0.113.9", "anna"));
  assert_true(is_in_at_once(w, "203.0.113.77", "anna")); /* the same network */
  guess(w, "203.0.113.9", "anna", 60, 10000);            /* to guess at a known user has the user's own limit */
  assert_non_null(strstr(w->last_why, "of this user"));
}

/* An attacker with an account, who logs in between guesses. */
static void an_account_of_ones_own_opens_no_other(void **state) {
  World *w = (World *)*state;

  for (guint i = 0; i < 60000; i++) {
    g_autofree char *user = g_strdup_printf("victim%u", i);
    try_login(w, "203.0.113.9", "mallory", TRUE);
    try_login(w, "203.0.113.9", user, FALSE);
    run(w, 10);
  }
  print_message("with an account: %u guesses in 10 minutes\n", w->reached_bad);
  assert_in_range(w->reached_bad, 60, 200);
}

/* ---- memory ---- */

static void count_view(const AaaGuardView *view, gpointer data) {
  ++*(guint *)data;
}

static void a_flood_of_names_and_hosts_is_bounded_and_forgets_nobody_who_fails(void **state) {
  World *w = (World *)*state;
  guint records = 0;

  for (guint i = 0; i < 12; i++) {
    try_login(w, "203.0.113.9", "alice", FALSE);
    run(w, 8000);
  }
  assert_int_equal(w->lockouts, 1);
  for (guint i = 0; i < 200000; i++) { /* a botnet: each host of a network of its own, one guess each */
    g_autofree char *from = g_strdup_printf("%u.%u.%u.7", 1 + i % 100, i / 100 % 256, i / 25600), *user = g_strdup_printf("n%u", i);
    try_login(w, from, user, FALSE);
    if (i % 64 == 0)
      run(w, 2);
  }
  run(w, 10);
  aaa_guard_foreach(w->guard, w->now, count_view, &records);
  print_message("200000 guesses of a botnet: %u records\n", records);
  assert_in_range(records, 1000, 16384 + 8192 + 4096);
  assert_int_equal(try_login(w, "203.0.113.9", "alice", TRUE), AAA_GUARD_REFUSE);
  assert_true(is_in_at_once(w, "192.0.2.55", "alice"));
}

static void try_from_everywhere(World *w, guint n, gboolean good) {
  for (guint i = 0; i < n; i++) {
    g_autofree char *from = g_strdup_printf("%u.%u.%u.7", 1 + i % 100, i / 100 % 256, i / 25600), *user = g_strdup_printf("n%u", i);
    try_login(w, from, user, good);
  }
}

/* All places of a set taken by logins under way: a whole country comes back after an outage, and RADIUS is slow. */
static void who_finds_no_place_is_served_all_the_same(void **state) {
  World *w = (World *)*state;

  w->latency_ms = 5000;
  try_from_everywhere(w, 30000, TRUE);
  w->now += 4999;
  run(w, 2);
  print_message("30000 hosts under way at once: %u in, %u refused\n", w->in, w->refused);
  assert_int_equal(w->in, 30000);
}

static void who_finds_no_place_can_not_guess_without_limit(void **state) {
  World *w = (World *)*state;

  w->latency_ms = 1000;
  try_from_everywhere(w, 30000, FALSE);
  w->now += 999;
  run(w, 2);
  guint first = w->reached_bad;
  w->latency_ms = 50000; /* keeps all places */
  try_from_everywhere(w, 60000, FALSE);
  print_message("a botnet that takes all places: %u guesses, then %u of 60000 at once\n", first, w->reached_bad - first);
  assert_in_range(w->reached_bad - first, 1, 30000);
}

/* ---- seeds ---- */

typedef struct {
  guint running, waiting;
} Sum;

static void sum_view(const AaaGuardView *view, gpointer data) {
  Sum *sum = (Sum *)data;
  if (view->kind == AAA_GUARD_USER) {
    sum->running += view->running;
    sum->waiting += view->waiting;
  }
}

/* Anything in any order: counts stay right, and nobody waits for ever. */
static void seeds_keep_its_counts(void **state) {
  for (guint32 seed = 0; seed < 60; seed++) {
    World *w = NULL;
    setup((void **)&w);
    g_autoptr(GRand) random = g_rand_new_with_seed(seed);
    guint begun = 0;
    w->latency_ms = (guint)g_rand_int_range(random, 1, 400);

    for (guint step = 0; step < 2000; step++) {
      g_autofree char *from = g_strdup_printf("10.%u.0.%u", g_rand_int_range(random, 0, 3), g_rand_int_range(random, 1, 4)),
                      *user = g_strdup_printf("u%u", g_rand_int_range(random, 0, 12));
      switch (g_rand_int_range(random, 0, 8)) {
      case 0:
        run(w, (guint64)g_rand_int_range(random, 1, 300));
        break;
      case 1:
        if (w->logins->len) {
          Login *login = (Login *)w->logins->pdata[g_rand_int_range(random, 0, (gint32)w->logins->len)];
          aaa_guard_end(w->guard, &login->attempt, AAA_LOGIN_CANCELLED + (g_rand_boolean(random) ? 0 : -1), w->now);
          end_login(w, login);
          begun--;
          take_ready(w);
        }
        break;
      case 2:
        if (g_rand_int_range(random, 0, 20) == 0) {
          AditPrefix all = {.address = {.family = AF_INET}, .length = 0};
          aaa_guard_forgive(w->guard, &all, w->now);
        }
        break;
      default:
        begun++;
        try_login(w, from, user, g_rand_int_range(random, 0, 3) != 0);
      }
      Sum sum = {0};
      aaa_guard_foreach(w->guard, w->now, sum_view, &sum);
      assert_int_equal(sum.running, aaa_guard_stats(w->guard)->running);
      assert_int_equal(sum.running + aaa_guard_stats(w->guard)->waiting, w->logins->len);
    }
    run(w, 15000);
    assert_int_equal(w->logins->len, 0); /* all had an answer */
    assert_int_equal(w->in + w->failed + w->refused, begun);
    teardown((void **)&w);
  }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(siphash_has_the_value_of_its_authors),
      CASE(sixty_calls_at_once_guess_at_one_user),
      CASE(sixty_calls_at_once_guess_at_many_users),
      CASE(a_day_of_guessing_gets_little),
      CASE(case_makes_no_other_user),
      CASE(ipv6_hosts_are_64s_and_networks_48s),
      CASE(hanging_up_saves_nothing),
      CASE(lockouts_grow_and_lapse),
      CASE(without_lockouts_there_are_delays_alone),
      CASE(switched_off_it_holds_nobody),
      CASE(forgiving_ends_a_lockout),
      CASE(one_bad_user_locks_out_no_house_of_good_ones),
      CASE(four_thousand_subscribers_of_a_lac_come_back_at_once),
      CASE(two_thousand_calls_of_one_account_come_at_once),
      CASE(who_is_known_passes_the_locks_of_a_neighbour),
      CASE(an_account_of_ones_own_opens_no_other),
      CASE(a_flood_of_names_and_hosts_is_bounded_and_forgets_nobody_who_fails),
      CASE(who_finds_no_place_is_served_all_the_same),
      CASE(who_finds_no_place_can_not_guess_without_limit),
      cmocka_unit_test(seeds_keep_its_counts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
