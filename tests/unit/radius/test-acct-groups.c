/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* RFC 2866 5.1: On and Off end all sessions before them, so each group of servers that records go to has to hear them. */
#include "acct-world.h"
#include "core/base/logging.h"
#include "plugins-auth/radius/wire/vocabulary.h"

enum { SOON = 3000, LONG = 600000 };

static int setup(void **state) {
  world_begin(1);
  world.servers = 2;
  world.realm[0] = "a.example";
  world.realm[1] = "b.example";
  return 0;
}

static guint heard(guint server, guint status) {
  guint n = 0;
  for (guint i = 0; i < world.arrivals->len; i++)
    n += world_arrival(i)->server == server && world_arrival(i)->status == status;
  return n;
}

static void session(const char *user, const char *id, AditAcctKind last) {
  world.user = user;
  world_record(ADIT_ACCT_START, id, 0, 0, 0, NULL);
  if (last == ADIT_ACCT_STOP)
    world_record(ADIT_ACCT_STOP, id, 5000, 7000, 90000, NULL);
}

static void on(const char *id) {
  world_record(ADIT_ACCT_ON, id, 0, 0, 0, NULL);
}

static void each_group_hears_on_and_off_once(void **state) {
  int kept;
  world_start();
  world_record(ADIT_ACCT_ON, "run", 0, 0, 0, &kept);
  world_run(SOON);
  assert_int_equal(kept, 1);
  assert_int_equal(world.arrivals->len, 2);
  assert_int_equal(heard(0, ON), 1);
  assert_int_equal(heard(1, ON), 1);
  assert_string_not_equal(world_arrival(0)->id, world_arrival(1)->id);
  world_record(ADIT_ACCT_OFF, "run", 0, 0, 0, &kept);
  world_run(SOON);
  assert_int_equal(kept, 1);
  assert_int_equal(heard(0, OFF), 1);
  assert_int_equal(heard(1, OFF), 1);
  assert_true(world_is_idle());
}

static void servers_of_one_realm_are_one_group(void **state) {
  world.realm[1] = "A.example";
  world_start();
  on("run");
  world_run(SOON);
  assert_int_equal(world.arrivals->len, 1);
  assert_string_equal(world_arrival(0)->id, "run");
}

static void the_next_of_a_group_stands_in(void **state) {
  world.realm[0] = world.realm[1] = "a.example";
  world.up[0] = FALSE;
  world_start();
  on("run");
  assert_true(world_run_until(world_is_idle, LONG));
  assert_int_equal(heard(1, ON), 1);
}

static void those_without_a_realm_are_a_group(void **state) {
  RadiusAttribute attribute;
  world.realm[0] = NULL;
  world_start();
  on("run");
  world_run(SOON);
  assert_int_equal(heard(0, ON), 1);
  assert_int_equal(heard(1, ON), 1);
  for (guint i = 0; i < 2; i++) { /* by which it was chosen is not said */
    assert_false(arrival_find(world_arrival(i), 0, USER_NAME, &attribute));
    assert_false(arrival_find(world_arrival(i), 0, CALLED_STATION_ID, &attribute));
  }
}

static void a_called_id_is_a_group(void **state) {
  RadiusAttribute attribute;
  world.realm[0] = world.realm[1] = NULL;
  world.called_id[0] = "192.0.2.1";
  world.called_id[1] = "192.0.2.2";
  world_start();
  on("run");
  world_run(SOON);
  assert_int_equal(heard(0, ON), 1);
  assert_int_equal(heard(1, ON), 1);
  assert_false(arrival_find(world_arrival(0), 0, CALLED_STATION_ID, &attribute));
}

/* One ISP's outage is none of the others' business, and its On is not given up for that. */
static void a_silent_group_holds_up_nobody_else(void **state) {
  world.up[0] = FALSE;
  world_start();
  on("run");
  for (guint i = 0; i < 40; i++) {
    g_autofree char *a = g_strdup_printf("a%u", i), *b = g_strdup_printf("b%u", i);
    session("x@a.example", a, ADIT_ACCT_START);
    session("x@b.example", b, ADIT_ACCT_STOP);
    world_run(60000);
    assert_int_equal(world_count(STOP, b), 1);
  }
  assert_int_equal(heard(1, ON), 1);
  assert_int_equal(world_shown("records"), 41);
  assert_int_equal(world_shown("lost"), 0);
  guint n = world.arrivals->len;
  world.up[0] = TRUE;
  assert_true(world_run_until(world_is_idle, LONG));
  assert_int_equal(heard(0, ON), 1);
  guint spies = world_arrival(n)->status != ON; /* one may find out that the server is back: it comes again */
  assert_int_equal(world_arrival(n + spies)->status, ON);
  assert_int_equal(heard(0, START), 40 + spies);
}

/* A day's records for one ISP that is away: another's come rarely, and go at once. */
static void a_silent_groups_backlog_is_in_nobodys_way(void **state) {
  world_start();
  world_run(1);
  world.up[0] = FALSE;
  for (guint i = 0; i < 1000; i++) {
    g_autofree char *a = g_strdup_printf("a%u", i);
    session("x@a.example", a, ADIT_ACCT_STOP);
  }
  world_run(LONG);
  for (guint i = 0; i < 10; i++) {
    g_autofree char *b = g_strdup_printf("b%u", i);
    world_run(LONG);
    session("x@b.example", b, ADIT_ACCT_STOP);
    world_run(SOON);
    assert_int_equal(world_count(STOP, b), 1);
  }
  guint before = world.sends;
  world_run(3600000);
  assert_true(world.sends - before < 400); /* one probe at a time */
  world.up[0] = TRUE;
  assert_true(world_run_until(world_is_idle, LONG));
  assert_int_equal(heard(0, STOP), 1000);
}

static void a_group_that_comes_back_is_found_behind_one_that_does_not(void **state) {
  world.up[0] = world.up[1] = FALSE;
  world_start();
  on("run");
  world_run(LONG);
  world.up[1] = TRUE;
  world_run(120000);
  assert_int_equal(heard(1, ON), 1);
}

static void a_group_that_does_not_know_on_waits_for_nobody(void **state) {
  world_start();
  world.ignores_on = TRUE;
  on("run");
  for (guint i = 0; i < 100; i++) { /* the other group's servers answer all the time */
    g_autofree char *b = g_strdup_printf("b%u", i);
    if (i == 1)
      session("x@a.example", "a", ADIT_ACCT_STOP);
    session("x@b.example", b, ADIT_ACCT_STOP);
    world_run(5000);
  }
  assert_int_equal(world_count(STOP, "a"), 1);
  assert_true(world_is_idle());
  assert_int_equal(world_shown("lost"), 2); /* both Ons */
}

static void each_groups_on_outlives_a_kill(void **state) {
  world.up[0] = world.up[1] = FALSE;
  world_start();
  on("run");
  world_run(SOON);
  world_kill();
  world.up[0] = world.up[1] = TRUE;
  world_start();
  on("next");
  session("x@b.example", "b", ADIT_ACCT_START);
  assert_true(world_run_until(world_is_idle, LONG));
  assert_int_equal(heard(0, ON), 2);
  assert_int_equal(heard(1, ON), 2);
  assert_int_equal(heard(1, START), 1);
  assert_int_equal(world_arrival(world.arrivals->len - 1)->status, START);
}

static void without_a_disk_it_is_kept_once(void **state) {
  int kept;
  world.disk_fails = TRUE;
  world_start();
  world_record(ADIT_ACCT_ON, "run", 0, 0, 0, &kept);
  assert_int_equal(kept, 0);
  world_run(SOON);
  assert_int_equal(kept, 1); /* servers have it */
  assert_int_equal(heard(0, ON) + heard(1, ON), 2);
  world.disk_fails = FALSE;
  assert_true(world_run_until(world_is_idle, LONG));
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, world_teardown)
  const struct CMUnitTest tests[] = {
      T(each_group_hears_on_and_off_once),
      T(servers_of_one_realm_are_one_group),
      T(the_next_of_a_group_stands_in),
      T(those_without_a_realm_are_a_group),
      T(a_called_id_is_a_group),
      T(a_silent_group_holds_up_nobody_else),
      T(a_silent_groups_backlog_is_in_nobodys_way),
      T(a_group_that_comes_back_is_found_behind_one_that_does_not),
      T(a_group_that_does_not_know_on_waits_for_nobody),
      T(each_groups_on_outlives_a_kill),
      T(without_a_disk_it_is_kept_once),
  };
  adit_logging_init(ADIT_LOG_ERROR);
  return cmocka_run_group_tests_name("accounting: On and Off, for each group of servers", tests, NULL, NULL);
}
