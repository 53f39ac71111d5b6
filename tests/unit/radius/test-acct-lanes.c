/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Accounting: records that must not get stuck, whatever servers, the bound or a reload do to those beside them. */
#include "acct-world.h"
#include "core/base/logging.h"

static void no_more_are_on_their_way_than_a_server_takes(void **state) {
  world.most_at_once = 4;
  world_start();
  world_run(1);
  world_sessions(50, ADIT_ACCT_STOP);
  for (guint ms = 0; ms < 1000; ms += 10) {
    g_autoptr(AditValue) map = radius_acct_describe(world.acct);
    assert_string_equal(adit_value_get_string(map, "state", NULL), "sending"); /* nobody is silent */
    world_run(10);
  }
  assert_true(world_is_idle());
  assert_int_equal(world.arrivals->len, 150);
  assert_int_equal(world.most_in_flight, 4);
}

static void when_servers_share_their_room_the_rest_waits_a_moment(void **state) {
  world.most_at_once = 4;
  world_start();
  world_run(1);
  radius_servers_get(world.radius.config->servers, 0)->max_in_flight = 10; /* an entry of the same server has taken six */
  world_sessions(50, ADIT_ACCT_START);
  for (guint ms = 0; ms < 200; ms += 10) {
    g_autoptr(AditValue) map = radius_acct_describe(world.acct);
    assert_string_equal(adit_value_get_string(map, "state", NULL), "sending");
    world_run(10);
  }
  assert_true(world_run_until(world_is_idle, 30000));
  assert_int_equal(world.arrivals->len, 50);
}

static void an_on_that_nobody_serves_holds_nobody_up(void **state) {
  world_start();
  world_run(1);
  world_record(ADIT_ACCT_ON, "run", 0, 0, 0, NULL);
  world_session("s1", ADIT_ACCT_START);
  radius_servers_get(world.radius.config->servers, 0)->realm = g_strdup("a.example"); /* a reload: the On is for no group any more */
  world.up[0] = FALSE;
  world_run(10000);
  world.up[0] = TRUE;
  world_record(ADIT_ACCT_ON, "other", 0, 0, 0, NULL);
  assert_true(world_run_until(world_is_idle, 120000));
  assert_int_equal(world_count(START, "s1"), 1);
  assert_int_equal(world_count(ON, "other"), 1);
}

static gboolean nothing_flies(void) {
  return !world.in_flight;
}

static void who_waited_behind_a_dropped_on_goes_on(void **state) {
  char id[16];
  world_start();
  world.up[0] = FALSE;
  world_bound(20, TRUE);
  world_record(ADIT_ACCT_ON, "run", 0, 0, 0, NULL);
  for (guint i = 0; i < 10; i++) { /* after the last one there is no place for On */
    g_snprintf(id, sizeof id, "s%u", i);
    world_session(id, ADIT_ACCT_START);
    if (i == 3) {
      world_run(5000); /* they know that nobody answers, and wait for On */
      assert_true(world_run_until(nothing_flies, 60000));
    }
  }
  world.up[0] = TRUE;
  world_run(240000);
  assert_int_equal(world_count(ON, "run"), 0);
  assert_true(world_is_idle());
}

static void a_pause_outlives_the_record_it_was_for(void **state) {
  world_start();
  world_bound(20, TRUE);
  world.user = "bob";
  world_session("b1", ADIT_ACCT_START);
  world.unserved = "bob";
  world_run(100);
  world.up[0] = FALSE;
  world.user = "alice";
  world_sessions(14, ADIT_ACCT_START);
  world_run(60000);
  world.up[0] = TRUE;
  assert_true(world_run_until(world_is_idle, 120000));
  assert_int_equal(world_count(START, "b1"), 0);
}

static void nothing_is_dropped_where_that_makes_no_room(void **state) {
  char id[16];
  int kept;
  world_start();
  world_bound(20, TRUE);
  for (guint i = 0; i < 19; i++) { /* their places for a Stop are all that there is */
    g_snprintf(id, sizeof id, "s%u", i);
    world_session(id, ADIT_ACCT_START);
    world_run(100);
  }
  world.up[0] = FALSE;
  world_record(ADIT_ACCT_INTERIM, "s1", 1000, 2000, 60000, NULL);
  world_run(60000);
  assert_true(world_run_until(nothing_flies, 60000));
  world_record(ADIT_ACCT_START, "late", 0, 0, 0, &kept);
  assert_int_equal(kept, -1);
  assert_int_equal(world_shown("records"), 1);
  world.up[0] = TRUE;
  assert_true(world_run_until(world_is_idle, 120000));
}

static void a_part_that_can_not_be_read_is_read_again_with_the_rest(void **state) {
  world_start();
  world_sessions(1500, ADIT_ACCT_START);
  assert_true(world_run_until(world_is_idle, 600000));
  world_kill();
  world.open_gate = FALSE;
  world_start();
  world_pass(1);    /* no records */
  world_pass(1);    /* a thousand sessions */
  world_pass(1000); /* their Stops are on disk */
  world.reading_fails = TRUE;
  world_pass(1);
  world.reading_fails = FALSE;
  world.open_gate = TRUE;
  world_run(6000);
  assert_true(world_run_until(world_is_idle, 600000));
  assert_int_equal(world.arrivals->len, 3000);
  assert_int_equal(world_count(STOP, "s1499"), 1);
  assert_int_equal(world_count(STOP, "s1"), 1);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
  const struct CMUnitTest tests[] = {
      T(no_more_are_on_their_way_than_a_server_takes),
      T(when_servers_share_their_room_the_rest_waits_a_moment),
      T(an_on_that_nobody_serves_holds_nobody_up),
      T(who_waited_behind_a_dropped_on_goes_on),
      T(a_pause_outlives_the_record_it_was_for),
      T(nothing_is_dropped_where_that_makes_no_room),
      T(a_part_that_can_not_be_read_is_read_again_with_the_rest),
  };
  adit_logging_init(ADIT_LOG_ERROR);
  return cmocka_run_group_tests_name("accounting: nobody is held up", tests, NULL, NULL);
}
