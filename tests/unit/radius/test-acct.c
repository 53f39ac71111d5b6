/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Accounting: what the packets say, who goes when, and the bound. */
#include "acct-world.h"
#include "core/base/logging.h"
#include "plugins-auth/radius/wire/vocabulary.h"

/* ---- what the packets say ---- */

static void assert_attribute(const Arrival *arrival, guint8 type, const void *want, gsize length) {
  RadiusAttribute attribute;
  if (!arrival_find(arrival, 0, type, &attribute))
    fail_msg("no attribute %u", type);
  assert_int_equal(attribute.length, length);
  assert_memory_equal(attribute.value, want, length);
}

static void assert_number(const Arrival *arrival, guint8 type, guint32 want) {
  guint32 octets = g_htonl(want);
  assert_attribute(arrival, type, &octets, 4);
}

static void assert_none(const Arrival *arrival, guint8 type) {
  RadiusAttribute attribute;
  assert_false(arrival_find(arrival, 0, type, &attribute));
}

static void a_start_says_who_and_where(void **state) {
  world_start();
  world_record(ADIT_ACCT_START, "s1", 0, 0, 0, NULL);
  world_run(100);
  const Arrival *start = world_last(START, "s1");
  assert_attribute(start, USER_NAME, "alice", 5);
  assert_attribute(start, NAS_IDENTIFIER, "adit", 4);
  assert_attribute(start, NAS_IP_ADDRESS, "\xc0\0\2\1", 4);
  assert_attribute(start, FRAMED_IP_ADDRESS, "\x0a\0\0\5", 4);
  assert_attribute(start, FRAMED_INTERFACE_ID, "\2\0\0\0\0\0\0\5", 8);
  assert_attribute(start, FRAMED_IPV6_PREFIX, "\0\x40\x20\x01\x0d\xb8\0\5\0\1", 10); /* RFC 3162 2.3 */
  assert_attribute(start, DELEGATED_IPV6_PREFIX, "\0\x29\x20\x01\x0d\xb8\xff\x80", 8);
  assert_attribute(start, ACCT_TUNNEL_CONNECTION, "99", 2); /* RFC 2867 4.1 */
  assert_attribute(start, TUNNEL_CLIENT_ENDPOINT, "\000198.51.100.7", 13);
  assert_attribute(start, CLASS, "\0one", 4); /* RFC 2865 5.25: all, unchanged, in order */
  assert_int_equal(start->class_count, 2);
  assert_number(start, ACCT_AUTHENTIC, 1);
  assert_number(start, ACCT_DELAY_TIME, 0);
  assert_number(start, EVENT_TIMESTAMP, 1700000001);
  assert_none(start, ACCT_INPUT_OCTETS);
  assert_none(start, ACCT_TERMINATE_CAUSE);
  assert_none(start, ACCT_MULTI_SESSION_ID);
  assert_none(start, MESSAGE_AUTHENTICATOR);
}

static void rfc2866_5_3_input_is_from_the_user_and_rfc2869_5_1_gigawords(void **state) {
  world_start();
  world_session("s1", ADIT_ACCT_START);
  world_record(ADIT_ACCT_STOP, "s1", (G_GUINT64_CONSTANT(5) << 32) + 17, G_GUINT64_CONSTANT(1) << 32, 3600000, NULL);
  world_run(200);
  const Arrival *stop = world_last(STOP, "s1");
  assert_number(stop, ACCT_INPUT_OCTETS, 17);
  assert_number(stop, ACCT_INPUT_GIGAWORDS, 5);
  assert_number(stop, ACCT_OUTPUT_OCTETS, 0);
  assert_number(stop, ACCT_OUTPUT_GIGAWORDS, 1);
  assert_number(stop, ACCT_INPUT_PACKETS, 21474836);
  assert_number(stop, ACCT_SESSION_TIME, 3600);
  assert_number(stop, ACCT_TERMINATE_CAUSE, ADIT_CAUSE_USER_REQUEST);
}

static void routeros_counts_the_other_way(void **state) {
  world_start();
  world.radius.config->swap_octets = TRUE;
  world_session("s1", ADIT_ACCT_STOP);
  world_run(200);
  assert_int_equal(world_last(STOP, "s1")->in_octets, 7000);
  assert_int_equal(world_last(STOP, "s1")->out_octets, 5000);
}

static void rfc2866_5_2_a_resend_says_how_late_it_is(void **state) {
  world_start();
  world.lose_percent = 100;
  world_session("s1", ADIT_ACCT_START);
  world_run(2500);
  assert_int_equal(world_count(START, "s1"), 3);
  for (guint i = 0; i < 3; i++) {
    assert_int_equal(world_arrival(i)->delay, i);
    assert_int_equal(world_arrival(i)->stamp, 1700000001); /* RFC 2869 5.3: of the event */
    assert_true(g_bytes_equal(world_arrival(i)->rest, world_arrival(0)->rest));
  }
}

static void a_clock_that_is_set_does_not_change_how_late_it_is(void **state) {
  static const gint64 jumps[] = {1000000000000, -1000000000000, 0};
  char id[16];
  for (guint i = 0; i < G_N_ELEMENTS(jumps); i++) {
    g_snprintf(id, sizeof id, "s%u", i);
    world.up[0] = FALSE;
    world_start();
    world_session(id, ADIT_ACCT_START);
    world_run(60000);
    world.wall_ms += jumps[i];
    world_run(60000);
    world.up[0] = TRUE;
    assert_true(world_run_until(world_is_idle, 60000));
    assert_in_range(world_last(START, id)->delay, 120, 170);
    world_stop(1000);
  }
}

static void client_sessions_are_not_for_radius(void **state) {
  int kept;
  world_start();
  world.client = TRUE;
  world_record(ADIT_ACCT_START, "c1", 0, 0, 0, &kept);
  assert_int_equal(kept, 1);
  world_run(1000);
  assert_int_equal(world.arrivals->len, 0);
}

/* ---- before it counts as taken ---- */

static void nothing_is_sent_or_acknowledged_before_it_is_on_disk(void **state) {
  int kept;
  world_start();
  world_run(1);
  world.open_gate = FALSE;
  world_record(ADIT_ACCT_START, "s1", 0, 0, 0, &kept);
  world_run(5000);
  assert_int_equal(kept, 0);
  assert_int_equal(world.arrivals->len, 0);
  world_pass(1);
  assert_int_equal(kept, 1);
  assert_int_equal(world_count(START, "s1"), 1);
  assert_int_equal(world_rows(RADIUS_TABLE_RECORDS), 1);
}

static void records_that_come_before_the_spool_was_read_wait(void **state) {
  int kept;
  world_start();
  world.open_gate = FALSE;
  world_record(ADIT_ACCT_START, "s1", 0, 0, 0, &kept);
  world_run(100);
  assert_int_equal(kept, 0);
  world.open_gate = TRUE;
  world_run(100);
  assert_int_equal(kept, 1);
  assert_int_equal(world_count(START, "s1"), 1);
}

static void what_can_not_be_read_is_read_again(void **state) {
  world_start();
  world_run(1);
  world.up[0] = FALSE;
  world_session("s1", ADIT_ACCT_STOP);
  world_run(100);
  world_kill();
  world.reading_fails = TRUE;
  world_start();
  world_run(20000);
  assert_int_equal(world.arrivals->len, 0);
  world.reading_fails = FALSE;
  world.up[0] = TRUE;
  assert_true(world_run_until(world_is_idle, 60000));
  assert_int_equal(world_count(START, "s1"), 1);
  assert_int_equal(world_count(STOP, "s1"), 1);
}

static void a_full_disk_costs_durability_alone(void **state) {
  int kept;
  world_start();
  world_run(1);
  world.disk_fails = TRUE;
  world.up[0] = FALSE;
  world_record(ADIT_ACCT_START, "s1", 0, 0, 0, &kept);
  world_run(20000);
  assert_int_equal(kept, 0);
  world.disk_fails = FALSE;
  world_run(6000);
  assert_int_equal(kept, 1);
  assert_int_equal(world_rows(RADIUS_TABLE_RECORDS), 1);
  assert_int_equal(world_rows(RADIUS_TABLE_SESSIONS), 1);
  world.disk_fails = TRUE;
  world.up[0] = TRUE;
  world_record(ADIT_ACCT_STOP, "s1", 1, 2, 3000, &kept);
  world_run(60000);
  assert_int_equal(kept, 1); /* a server has it */
  assert_int_equal(world_count(STOP, "s1"), 1);
  world.disk_fails = FALSE;
  world_run(6000);
  assert_int_equal(world_rows(RADIUS_TABLE_RECORDS), 0);
  assert_int_equal(world_rows(RADIUS_TABLE_SESSIONS), 0);
}

/* ---- who goes when ---- */

static void order_within_a_session_and_many_at_once(void **state) {
  char id[16];
  world_start();
  world_sessions(500, ADIT_ACCT_STOP);
  assert_true(world_run_until(world_is_idle, 60000));
  assert_int_equal(world.arrivals->len, 1500);
  assert_true(world.most_in_flight > 8 && world.most_in_flight <= 256);
  for (guint i = 0; i < 500; i++) {
    guint8 seen[3], n = 0;
    g_snprintf(id, sizeof id, "s%u", i);
    for (guint k = 0; k < world.arrivals->len; k++)
      if (g_str_equal(world_arrival(k)->id, id))
        seen[n++ % 3] = (guint8)world_arrival(k)->status;
    assert_int_equal(n, 3);
    assert_memory_equal(seen, "\1\3\2", 3);
  }
  assert_int_equal(world_rows(RADIUS_TABLE_RECORDS), 0);
  assert_int_equal(world_rows(RADIUS_TABLE_SESSIONS), 0);
}

static void the_next_server_is_asked_when_one_is_dead(void **state) {
  world.servers = 2;
  world_start();
  world.up[0] = FALSE;
  world_session("s1", ADIT_ACCT_STOP);
  assert_true(world_run_until(world_is_idle, 60000));
  assert_int_equal(world.arrivals->len, 3);
  assert_int_equal(world_arrival(0)->server, 1);
}

static void a_long_outage_costs_one_probe_at_a_time_and_no_storm_follows(void **state) {
  world_start();
  world.up[0] = FALSE;
  world_sessions(300, ADIT_ACCT_STOP);
  world_run(600000);
  guint before = world.sends;
  world.most_in_flight = 0;
  world_run(3600000);
  assert_int_equal(world.most_in_flight, 1);
  assert_in_range(world.sends - before, 3 * 3600 / 41, 3 * 3600 / 32); /* 30 s and up to a quarter, three tries of 1 s */
  world.up[0] = TRUE;
  world.most_in_flight = 0;
  world_run(40000);
  assert_true(world_is_idle());
  assert_int_equal(world.arrivals->len, 900);
  assert_true(world.most_in_flight > 8 && world.most_in_flight <= 256);
  assert_true(world_last(START, "s1")->delay >= 4200);
}

static void rfc2866_4_1_on_goes_after_what_is_older_and_before_what_is_younger(void **state) {
  world_start();
  world_session("old", ADIT_ACCT_INTERIM);
  world_run(200);
  world.up[0] = FALSE;
  world_kill();
  world_start();
  world_record(ADIT_ACCT_ON, "run", 0, 0, 0, NULL);
  world_session("new", ADIT_ACCT_START);
  world_run(3000);
  guint n = world.arrivals->len;
  world.up[0] = TRUE;
  assert_true(world_run_until(world_is_idle, 60000));
  assert_int_equal(world.arrivals->len, n + 3);
  assert_string_equal(world_arrival(n)->id, "old");
  assert_int_equal(world_arrival(n)->cause, ADIT_CAUSE_NAS_REBOOT);
  assert_int_equal(world_arrival(n + 1)->status, ON);
  assert_string_equal(world_arrival(n + 2)->id, "new");
  assert_none(world_arrival(n + 1), USER_NAME);
  assert_attribute(world_arrival(n + 1), NAS_IDENTIFIER, "adit", 4);
}

static void without_accounting_on_neither_is_sent(void **state) {
  int kept;
  world_start();
  world.radius.config->use_accounting_on = FALSE;
  world_record(ADIT_ACCT_ON, "run", 0, 0, 0, &kept);
  world_run(1000);
  assert_int_equal(kept, 1);
  assert_int_equal(world.arrivals->len, 0);
}

static void a_server_that_does_not_know_on_holds_nobody_up(void **state) {
  world_start();
  world.ignores_on = TRUE;
  world_record(ADIT_ACCT_ON, "run", 0, 0, 0, NULL);
  world_session("s1", ADIT_ACCT_STOP);
  assert_true(world_run_until(world_is_idle, 600000));
  assert_int_equal(world_count(STOP, "s1"), 1);
  assert_true(world_count(ON, "run") >= 3);
  assert_int_equal(world_shown("lost"), 1);
}

static void on_is_not_given_up_in_an_outage(void **state) {
  char id[16];
  for (guint seed = 0; seed < 20; seed++) {
    guint n = world.arrivals->len;
    g_rand_set_seed(world.rand, seed);
    world.up[0] = FALSE;
    world_start();
    world_record(ADIT_ACCT_ON, "run", 0, 0, 0, NULL);
    for (guint i = 0; i < 5; i++) {
      g_snprintf(id, sizeof id, "%u.%u", seed, i);
      world_record(ADIT_ACCT_START, id, 0, 0, 0, NULL);
      world_record(ADIT_ACCT_STOP, id, 0, 0, 0, NULL);
    }
    world_run(3600000 + seed * 7000);
    world.up[0] = TRUE;
    assert_true(world_run_until(world_is_idle, 120000));
    assert_int_equal(world_shown("lost"), 0);
    guint on = n;
    while (world_arrival(on)->status != ON)
      on++;
    assert_true(on <= n + 1); /* one may find out that the server is back: it comes again */
    if (on > n)
      assert_int_equal(world_count(START, world_arrival(n)->id), 2);
    world_kill();
  }
}

static void a_record_that_nobody_serves_holds_nobody_up(void **state) {
  int kept;
  world_start();
  world_run(1);
  world.unserved = "bob";
  world.user = "bob";
  world_record(ADIT_ACCT_START, "b1", 0, 0, 0, &kept); /* for none of our servers: not kept for ever */
  assert_int_equal(kept, 1);
  world.unserved = "alice";
  world_record(ADIT_ACCT_START, "b2", 0, 0, 0, NULL);
  world.unserved = "bob"; /* a reload has taken the server away */
  world.user = "alice";
  world_session("s1", ADIT_ACCT_STOP);
  world_run(1000);
  assert_int_equal(world_count(STOP, "s1"), 1);
  assert_int_equal(world_shown("records"), 1);
  world.unserved = NULL;
  assert_true(world_run_until(world_is_idle, 60000));
  assert_int_equal(world_count(START, "b2"), 1);
}

/* ---- the bound ---- */

static void over_half_full_a_newer_interim_takes_the_place_of_the_last(void **state) {
  world_start();
  world.up[0] = FALSE;
  world_bound(20, FALSE);
  world_session("s1", ADIT_ACCT_START);
  for (guint i = 1; i <= 50; i++) {
    world_record(ADIT_ACCT_INTERIM, "s1", i, i, i * 60000, NULL);
    world_run(1);
  }
  world_run(100);
  assert_int_equal(world_shown("records"), 10);
  assert_int_equal(world_shown("superseded"), 41);
  world_record(ADIT_ACCT_STOP, "s1", 51, 51, 51 * 60000, NULL);
  world.up[0] = TRUE;
  assert_true(world_run_until(world_is_idle, 60000));
  assert_int_equal(world_count(START, "s1"), 1);
  assert_int_equal(world_count(STOP, "s1"), 1);
  assert_int_equal(world_last(INTERIM, "s1")->in_octets, 50);
  assert_int_equal(world_shown("lost"), 0);
  assert_int_equal(world_rows(RADIUS_TABLE_RECORDS), 0);
}

static void full_it_refuses_new_sessions_and_keeps_a_place_for_each_stop(void **state) {
  int kept[20], stopped[20];
  char id[16];
  guint refused = 0;
  world_start();
  world.up[0] = FALSE;
  world_bound(20, FALSE);
  world_run(10);
  for (guint i = 0; i < 20; i++) {
    g_snprintf(id, sizeof id, "s%u", i);
    world_record(ADIT_ACCT_START, id, 0, 0, 0, &kept[i]);
  }
  for (guint i = 0; i < 20; i++) {
    g_snprintf(id, sizeof id, "s%u", i);
    world_record(ADIT_ACCT_STOP, id, 1, 1, 1000, &stopped[i]);
  }
  world_run(10);
  for (guint i = 0; i < 20; i++) {
    assert_int_equal(kept[i], stopped[i]);
    refused += kept[i] < 0;
  }
  assert_int_equal(refused, 10);
  assert_int_equal(world_shown("records"), 20);
  assert_int_equal(world_shown("lost"), 20);
  g_autoptr(AditValue) map = radius_acct_describe(world.acct);
  assert_non_null(adit_value_get_string(map, "alarm", NULL));
  world.up[0] = TRUE;
  assert_true(world_run_until(world_is_idle, 60000));
  assert_int_equal(world.arrivals->len, 20);
}

static void full_it_drops_the_oldest_if_told_so(void **state) {
  char id[16];
  world_start();
  world.up[0] = FALSE;
  world_bound(20, TRUE);
  for (guint i = 0; i < 40; i++) {
    g_snprintf(id, sizeof id, "s%u", i);
    world_session(id, ADIT_ACCT_START);
    world_record(ADIT_ACCT_STOP, id, 1, 1, 1000, NULL);
  }
  world_run(10);
  assert_in_range(world_shown("records"), 18, 20);
  world.up[0] = TRUE;
  assert_true(world_run_until(world_is_idle, 60000));
  assert_int_equal(world_count(STOP, "s39"), 1);
  assert_int_equal(world_count(STOP, "s5"), 0);
  assert_int_equal(world_rows(RADIUS_TABLE_RECORDS), 0);
  assert_int_equal(world_rows(RADIUS_TABLE_SESSIONS), 0);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
  const struct CMUnitTest tests[] = {
      T(a_start_says_who_and_where),
      T(rfc2866_5_3_input_is_from_the_user_and_rfc2869_5_1_gigawords),
      T(routeros_counts_the_other_way),
      T(rfc2866_5_2_a_resend_says_how_late_it_is),
      T(a_clock_that_is_set_does_not_change_how_late_it_is),
      T(client_sessions_are_not_for_radius),
      T(nothing_is_sent_or_acknowledged_before_it_is_on_disk),
      T(records_that_come_before_the_spool_was_read_wait),
      T(what_can_not_be_read_is_read_again),
      T(a_full_disk_costs_durability_alone),
      T(order_within_a_session_and_many_at_once),
      T(the_next_server_is_asked_when_one_is_dead),
      T(a_long_outage_costs_one_probe_at_a_time_and_no_storm_follows),
      T(rfc2866_4_1_on_goes_after_what_is_older_and_before_what_is_younger),
      T(without_accounting_on_neither_is_sent),
      T(a_server_that_does_not_know_on_holds_nobody_up),
      T(on_is_not_given_up_in_an_outage),
      T(a_record_that_nobody_serves_holds_nobody_up),
      T(over_half_full_a_newer_interim_takes_the_place_of_the_last),
      T(full_it_refuses_new_sessions_and_keeps_a_place_for_each_stop),
      T(full_it_drops_the_oldest_if_told_so),
  };
  adit_logging_init(ADIT_LOG_ERROR);
  return cmocka_run_group_tests_name("accounting", tests, NULL, NULL);
}
