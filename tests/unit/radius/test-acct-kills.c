/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Accounting: what outlives a kill, and a stop. */
#include "acct-world.h"
#include "core/base/logging.h"

static void a_session_that_dies_with_the_daemon_gets_its_stop(void **state) {
  world_start();
  world_session("s1", ADIT_ACCT_INTERIM);
  world_run(1000);
  gint64 last_known = world_wall() / 1000 - 1;
  world_kill();
  world.now += 86400000;
  world_start();
  assert_true(world_run_until(world_is_idle, 60000));
  const Arrival *stop = world_last(STOP, "s1");
  assert_int_equal(world_count(STOP, "s1"), 1);
  assert_int_equal(world_count(START, "s1"), 1);
  assert_int_equal(stop->cause, ADIT_CAUSE_NAS_REBOOT);
  assert_int_equal(stop->in_octets, 1000);
  assert_int_equal(stop->out_octets, 2000);
  assert_int_equal(stop->time, 60);
  assert_int_equal(stop->stamp, last_known);
  assert_int_equal(stop->delay, 86401);
  assert_int_equal(stop->class_count, 2);
  assert_int_equal(world_shown("recovered"), 1);
  assert_int_equal(world_rows(RADIUS_TABLE_SESSIONS), 0);
}

static void killed_between_receipt_and_the_note_of_the_answer_it_repeats(void **state) {
  world_start();
  world_session("s1", ADIT_ACCT_START);
  world_run(5); /* the server has it, its answer is on the way */
  assert_int_equal(world_count(START, "s1"), 1);
  world_kill();
  world.now += 10000;
  world_start();
  assert_true(world_run_until(world_is_idle, 60000));
  assert_int_equal(world_count(START, "s1"), 2);
  assert_true(g_bytes_equal(world_arrival(0)->rest, world_arrival(1)->rest));
  assert_int_equal(world_arrival(0)->stamp, world_arrival(1)->stamp);
  assert_int_equal(world_arrival(1)->delay, 10);
  assert_int_equal(world_count(STOP, "s1"), 1);
  assert_int_equal(world_shown("repeats"), 1);
}

/* After each single write of a whole session: never a lost Stop, never two. */
static void a_kill_after_any_write_leaves_one_start_and_one_stop(void **state) {
  for (guint writes = 0; writes < 12; writes++) {
    g_ptr_array_set_size(world.arrivals, 0);
    world_start();
    world_run(1);
    world.open_gate = FALSE;
    world_session("s1", ADIT_ACCT_STOP);
    for (guint i = 0; i < writes; i++) {
      world_pass(1);
      world_run(50);
    }
    guint on_disk = world_rows(RADIUS_TABLE_RECORDS) + world_rows(RADIUS_TABLE_SESSIONS), sent = world.arrivals->len;
    world_kill();
    world.open_gate = TRUE;
    world_start();
    assert_true(world_run_until(world_is_idle, 60000));
    g_autoptr(GHashTable) stops = g_hash_table_new(g_bytes_hash, g_bytes_equal);
    for (guint i = 0; i < world.arrivals->len; i++)
      if (world_arrival(i)->status == STOP)
        g_hash_table_add(stops, world_arrival(i)->rest);
    assert_int_equal(g_hash_table_size(stops), on_disk || sent ? 1 : 0);
    assert_int_equal(world_count(START, "s1") > 0, on_disk || sent);
    assert_int_equal(world_rows(RADIUS_TABLE_RECORDS), 0);
    assert_int_equal(world_rows(RADIUS_TABLE_SESSIONS), 0);
    world_kill();
  }
}

static void a_stop_leaves_the_rest_to_the_next_start(void **state) {
  int off;
  world_start();
  world.up[0] = FALSE;
  world_session("s1", ADIT_ACCT_STOP);
  world_run(100);
  world_record(ADIT_ACCT_OFF, "run", 0, 0, 0, &off);
  world_stop(2000);
  assert_int_equal(off, 1);
  world.up[0] = TRUE;
  world_start();
  assert_true(world_run_until(world_is_idle, 60000));
  assert_int_equal(world.arrivals->len, 4);
  assert_int_equal(world_arrival(3)->status, OFF);
  world_record(ADIT_ACCT_ON, "run2", 0, 0, 0, NULL);
  world_record(ADIT_ACCT_OFF, "run2", 0, 0, 0, NULL);
  guint64 before = world.now;
  world_stop(2000); /* all is sent: no need to wait */
  assert_true(world.now - before < 500);
  assert_int_equal(world_count(OFF, "run2"), 1);
}

static void rows_that_make_no_sense_are_removed(void **state) {
  world_start();
  world_run(1);
  world.radius.store->put(RADIUS_TABLE_RECORDS, "00000000000000000007", "\1\1", 2, NULL, NULL);
  world.radius.store->put(RADIUS_TABLE_RECORDS, "junk", "x", 1, NULL, NULL);
  world.radius.store->put(RADIUS_TABLE_SESSIONS, "s9", "x", 1, NULL, NULL);
  world_run(1);
  world_kill();
  world_start();
  world_run(10);
  assert_int_equal(world_rows(RADIUS_TABLE_RECORDS), 0);
  assert_int_equal(world_rows(RADIUS_TABLE_SESSIONS), 0);
  assert_int_equal(world.arrivals->len, 0);
}

static void more_rows_than_one_part_are_all_read(void **state) {
  world_start();
  world.up[0] = FALSE;
  world_sessions(1500, ADIT_ACCT_START);
  world_run(10);
  world_kill();
  world.up[0] = TRUE;
  world_start();
  assert_true(world_run_until(world_is_idle, 600000));
  assert_int_equal(world.arrivals->len, 3000);
  assert_int_equal(world_shown("recovered"), 1500);
}

static void on_stop(gpointer data) {
  *(gboolean *)data = TRUE;
}

/* Two quick restarts: told to stop before all was read that an earlier life left. */
static void what_came_before_the_spool_was_read_is_on_disk_when_it_stops(void **state) {
  for (guint again = 0; again < 2; again++) { /* reading takes long; reading fails and is tried again later */
    int start, stop, off;
    world.open_gate = again;
    world.reading_fails = again;
    world_start();
    world_run(100);
    world_record(ADIT_ACCT_START, again ? "s1" : "s0", 0, 0, 0, &start);
    world_record(ADIT_ACCT_STOP, again ? "s1" : "s0", 5000, 7000, 90000, &stop);
    world_record(ADIT_ACCT_OFF, again ? "run1" : "run0", 0, 0, 0, &off);
    gboolean stopped = FALSE;
    radius_acct_stop(world.acct, 3000, on_stop, &stopped);
    world_run(3000);
    world.open_gate = TRUE;
    world_run(1);
    assert_true(stopped);
    assert_int_equal(start, 1);
    assert_int_equal(stop, 1);
    assert_int_equal(off, 1);
    world_kill();
    world.reading_fails = FALSE;
    world_start();
    assert_true(world_run_until(world_is_idle, 60000));
    assert_int_equal(world_count(STOP, again ? "s1" : "s0"), 1);
    assert_int_equal(world_last(STOP, again ? "s1" : "s0")->cause, ADIT_CAUSE_USER_REQUEST);
    world_kill();
  }
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
  const struct CMUnitTest tests[] = {
      T(a_session_that_dies_with_the_daemon_gets_its_stop),
      T(killed_between_receipt_and_the_note_of_the_answer_it_repeats),
      T(a_kill_after_any_write_leaves_one_start_and_one_stop),
      T(a_stop_leaves_the_rest_to_the_next_start),
      T(rows_that_make_no_sense_are_removed),
      T(what_came_before_the_spool_was_read_is_on_disk_when_it_stops),
      T(more_rows_than_one_part_are_all_read),
  };
  adit_logging_init(ADIT_LOG_ERROR);
  return cmocka_run_group_tests_name("accounting and kills", tests, NULL, NULL);
}
