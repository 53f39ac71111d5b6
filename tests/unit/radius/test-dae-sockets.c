/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Where the listener of dynamic authorization listens, and what a reload makes of that. */
#include "dae-wire.h"
#include <unistd.h>

static void it_listens_on_every_port_and_answers_from_where_it_was_asked(void **state) {
  AditAddress asked = address_of("127.0.0.5"), from;

  start((Settings){.address = "0.0.0.0", .second_port = TRUE});
  Peer *peer = peer_new("127.0.0.1");
  assert_true(is_believed(peer, "127.0.0.5", port, 1, SECRET));
  from = adit_endpoint_address(&peer->from);
  assert_true(adit_address_equal(&asked, &from));
  assert_int_equal(adit_endpoint_port(&peer->from), port);
  assert_true(is_believed(peer, "127.0.0.1", other_port, 2, SECRET));
  assert_int_equal(adit_endpoint_port(&peer->from), other_port);
  peer_free(peer);
}

static void it_listens_on_ipv6_too(void **state) {
  int fd = socket(AF_INET6, SOCK_DGRAM, 0);
  if (fd < 0)
    skip();
  close(fd);
  if ((fd = bound("::1", 0)) < 0)
    skip();
  close(fd);
  start((Settings){.address = "0.0.0.0", .server = "::1"});
  Peer *peer = peer_new("::1");
  assert_true(is_believed(peer, "::1", port, 1, SECRET));
  peer_free(peer);
}

static void it_does_not_listen_unless_it_is_told_to(void **state) {
  start((Settings){.closed = TRUE});
  int fd = bound("127.0.0.1", port);
  assert_true(fd >= 0);
  close(fd);
}

static void a_reload_opens_what_is_new_and_closes_what_is_old(void **state) {
  g_autoptr(GError) error = NULL;

  start((Settings){0});
  Peer *peer = peer_new("127.0.0.1");
  assert_true(reload((Settings){.port = other_port}, &error));
  assert_true(is_believed(peer, "127.0.0.1", other_port, 1, SECRET));
  int fd = bound("127.0.0.1", port);
  assert_true(fd >= 0);
  close(fd);
  assert_true(reload((Settings){.closed = TRUE}, &error));
  fd = bound("127.0.0.1", other_port);
  assert_true(fd >= 0);
  close(fd);
  peer_free(peer);
}

static void from_all_addresses_to_one_is_no_conflict_with_oneself(void **state) {
  g_autoptr(GError) error = NULL;

  start((Settings){.address = "0.0.0.0"});
  Peer *peer = peer_new("127.0.0.1");
  assert_true(reload((Settings){0}, &error));
  assert_true(is_believed(peer, "127.0.0.1", port, 1, SECRET));
  assert_true(reload((Settings){.address = "0.0.0.0"}, &error));
  assert_true(is_believed(peer, "127.0.0.1", port, 2, SECRET));
  assert_true(is_believed(peer, "127.0.0.5", port, 3, SECRET));
  peer_free(peer);
}

static void a_port_that_is_taken_stops_the_reload_and_changes_nothing(void **state) {
  g_autoptr(GError) error = NULL;
  g_autofree char *name = g_strdup_printf("127.0.0.1:%u", other_port);

  start((Settings){0});
  Peer *peer = peer_new("127.0.0.1");
  int fd = bound("127.0.0.1", other_port);
  assert_false(reload((Settings){.second_port = TRUE}, &error));
  assert_non_null(strstr(error->message, name));
  assert_true(is_believed(peer, "127.0.0.1", port, 1, SECRET));
  radius_dae_stop(g_steal_pointer(&dae));
  radius_config_unref(radius.config);
  radius.config = config_of((Settings){.second_port = TRUE});
  g_clear_error(&error);
  assert_null(radius_dae_start(&radius, &error));
  assert_non_null(strstr(error->message, name));
  close(fd);
  peer_free(peer);
}

static void an_aborted_reload_leaves_the_port_to_others(void **state) {
  g_autoptr(GError) error = NULL;

  start((Settings){0});
  RadiusConfig *next = config_of((Settings){.second_port = TRUE});
  assert_true(radius_dae_prepare(dae, next, &error));
  radius_dae_abort(dae);
  radius_config_unref(next);
  int fd = bound("127.0.0.1", other_port);
  assert_true(fd >= 0);
  close(fd);
}

static void a_reload_between_request_and_end_costs_only_the_answer(void **state) {
  g_autoptr(GError) error = NULL;

  start((Settings){0});
  Peer *peer = peer_new("127.0.0.1");
  g_autofree Ask *ask = disconnect_of("8100000a", 9, SECRET);
  send_ask(peer, ask);
  assert_true(ADIT_TEST_UNTIL(test, adit_test_saw(test, "session.disconnect"), 5000));
  assert_true(reload((Settings){.port = other_port}, &error));
  adit_test_end_session(test, ALICE, ADIT_CAUSE_ADMIN_RESET);
  assert_int_equal(radius_dae_stats(dae)->acks, 1);
  assert_false(receive(peer));
  peer_free(peer);
}

static void stopping_while_a_session_ends_is_harmless(void **state) {
  start((Settings){0});
  Peer *peer = peer_new("127.0.0.1");
  g_autofree Ask *ask = disconnect_of("8100000a", 9, SECRET);
  send_ask(peer, ask);
  assert_true(ADIT_TEST_UNTIL(test, adit_test_saw(test, "session.disconnect"), 5000));
  radius_dae_stop(g_steal_pointer(&dae));
  adit_test_end_session(test, ALICE, ADIT_CAUSE_ADMIN_RESET);
  adit_test_advance(test, 10000);
  assert_false(receive(peer));
  peer_free(peer);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      T(it_listens_on_every_port_and_answers_from_where_it_was_asked),
      T(it_listens_on_ipv6_too),
      T(it_does_not_listen_unless_it_is_told_to),
      T(a_reload_opens_what_is_new_and_closes_what_is_old),
      T(from_all_addresses_to_one_is_no_conflict_with_oneself),
      T(a_port_that_is_taken_stops_the_reload_and_changes_nothing),
      T(an_aborted_reload_leaves_the_port_to_others),
      T(a_reload_between_request_and_end_costs_only_the_answer),
      T(stopping_while_a_session_ends_is_harmless),
  };
  g_log_set_writer_func(count_lines, NULL, NULL);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
