/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Sessions from login to last counter. */
#include "core/session/describe.h"
#include "tests/unit/session/world.h"

/* ---- tests ---- */

static void login_brings_addresses_interfaces_and_traffic(void **state) {
  World *w = *state;
  Pair *pair = &w->pair[0];
  guint8 packet[20] = {0x45, 0, 0, 20, [8] = 64, 17, [12] = 10, 0, 0, 10, 10, 0, 0, 1};

  world_dial(w, pair, "alice", "right", NULL);
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
  assert_int_equal(world_told("address 10.0.0.1/32 peer 10.0.0.10"), 1);
  assert_int_equal(world_told("address 10.0.0.10/32 peer 10.0.0.1"), 1);

  AditPort *server = null_dp_port(w->server.dp, "l2tp-alice"), *client = null_dp_port(w->client.dp, "out1");
  assert_non_null(server);
  assert_non_null(client);
  assert_true(null_port_inject(client, packet, sizeof packet));
  test_loop_drain();

  g_autoptr(AditValue) one = adit_session_describe("l2tp-alice");
  assert_int_equal(adit_value_get_int(one, "rx-packets", 0), 1);
  assert_int_equal(adit_value_get_int(one, "rx-octets", 0), 20);
  assert_string_equal(adit_value_get_string(one, "source", NULL), "everybody");
  assert_string_equal(adit_value_get_string(one, "state", NULL), "up");
}

static void a_wrong_password_ends_both_links_and_makes_no_session(void **state) {
  World *w = *state;
  Pair *pair = &w->pair[0];

  world_dial(w, pair, "alice", "wrong", NULL);
  assert_true(TEST_LOOP_UNTIL(pair->server.closed && pair->client.closed, 10000));
  assert_int_equal(pair->server.cause, ADIT_CAUSE_USER_ERROR);
  assert_int_equal(w->up, 0);
  assert_int_equal(world_kernel.told->len, 0);
}

static void disconnect_withdraws_and_releases_and_tells_the_transport(void **state) {
  World *w = *state;
  Pair *pair = &w->pair[0], *again = &w->pair[1];

  world_dial(w, pair, "alice", "right", NULL);
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
  assert_int_equal(adit_session_disconnect("alice", ADIT_CAUSE_ADMIN_RESET, "asked to"), 2); /* both ends know that user */
  assert_true(TEST_LOOP_UNTIL(pair->server.closed && pair->client.closed && w->down == 2, 10000));
  assert_int_equal(world_told("-address 10.0.0.1/32 peer 10.0.0.10"), 1);
  assert_int_equal(pair->server.cause, ADIT_CAUSE_ADMIN_RESET);
  assert_null(null_dp_port(w->server.dp, "l2tp-alice"));

  world_dial(w, again, "alice", "right", NULL); /* name and address are free again */
  assert_true(TEST_LOOP_UNTIL(w->up == 4, 5000));
  assert_int_equal(world_told("address 10.0.0.1/32 peer 10.0.0.10"), 2);
}

static void a_lost_call_ends_the_session_with_its_cause(void **state) {
  World *w = *state;
  Pair *pair = &w->pair[0];

  world_dial(w, pair, "alice", "right", NULL);
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
  adit_session_service()->link_close(pair->server.id, ADIT_CAUSE_LOST_SERVICE, "tunnel died");
  assert_true(TEST_LOOP_UNTIL(w->down == 1, 5000));
  assert_int_equal(w->last_down.cause, ADIT_CAUSE_LOST_SERVICE);
  assert_string_equal(w->last_reason, "tunnel died");
  assert_false(pair->server.closed); /* the transport knows already */
}

static void only_one_refuses_a_second_session(void **state) {
  World *w = *state;
  Pair *first = &w->pair[0], *second = &w->pair[1];

  world_dial(w, first, "only", "right", NULL);
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
  world_dial(w, second, "only", "right", NULL);
  assert_true(TEST_LOOP_UNTIL(second->server.closed && second->client.closed, 10000));
  assert_int_equal(second->server.cause, ADIT_CAUSE_NAS_REQUEST);
  assert_non_null(strstr(second->server.reason, "only-one"));
  assert_int_equal(w->down, 0);
}

static void a_second_session_gets_a_numbered_interface_and_a_dry_pool_refuses(void **state) {
  World *w = *state;
  g_autoptr(AditValue) server = world_config_of("office", NULL, NULL);
  g_autoptr(GError) error = NULL;

  world_dial(w, &w->pair[0], "bob", "right", NULL);
  world_dial(w, &w->pair[1], "bob", "right", NULL);
  assert_true(TEST_LOOP_UNTIL(w->up == 4, 5000));
  assert_non_null(null_dp_port(w->server.dp, "l2tp-bob"));
  assert_non_null(null_dp_port(w->server.dp, "l2tp-bob-1"));

  assert_true(adit_session_service()->has_room("l2tp", server));
  world_dial(w, &w->pair[2], "bob", "right", NULL); /* the pool has two addresses */
  assert_false(adit_session_service()->has_room("l2tp", server));
  assert_true(adit_session_service()->has_room("pppoe", server));                             /* a server of that name, too */
  assert_false(world_call_open(w, &w->extra, FALSE, server, 77, &null_datapath_ops, &error)); /* max-sessions: 3 */
  assert_true(g_error_matches(error, ADIT_ERROR, ADIT_ERR_BUSY));
  assert_true(TEST_LOOP_UNTIL(w->pair[2].server.closed, 10000));
  assert_non_null(strstr(w->pair[2].server.reason, "remote-address"));
  assert_true(adit_session_service()->has_room("l2tp", server));
}

static void a_link_that_the_data_path_cannot_carry_is_refused(void **state) {
  World *w = *state;
  g_autoptr(AditValue) server = world_config_of("office", NULL, NULL);
  g_autoptr(GError) error = NULL;

  assert_false(world_call_open(w, &w->extra, FALSE, server, 0x10000, &null_datapath_ops, &error)); /* L2TPv2's ids have 16 bits */
  assert_true(g_error_matches(error, ADIT_ERROR, ADIT_ERR_UNSUPPORTED));
  assert_string_equal(error->message, "the data path null does not carry the links of l2tp");
}

static void a_fixed_address_is_given_once(void **state) {
  World *w = *state;
  Pair *first = &w->pair[0], *second = &w->pair[1];

  world_dial(w, first, "fixed", "right", NULL);
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
  assert_int_equal(world_told("address 10.0.0.1/32 peer 10.0.0.99"), 1);
  world_dial(w, second, "fixed", "right", NULL);
  assert_true(TEST_LOOP_UNTIL(second->server.closed, 10000));
  assert_non_null(strstr(second->server.reason, "in use"));
}

static void many_share_one_interface_with_a_route_each(void **state) {
  World *w = *state;
  Pair *first = &w->pair[0], *second = &w->pair[1];

  world_dial(w, first, "many", "right", NULL);
  world_dial(w, second, "many", "right", NULL);
  assert_true(TEST_LOOP_UNTIL(w->up == 4, 5000));
  assert_non_null(null_dp_port(w->server.dp, "shared"));
  assert_int_equal(world_told("address 10.0.0.1/32 peer -"), 1);
  assert_int_equal(world_told("route 10.0.0.10/32 metric 0 mtu 1450"), 1);
  assert_int_equal(world_told("route 10.0.0.11/32 metric 0 mtu 1450"), 1);
  assert_int_equal(world_told("mtu 1450"), 0);

  adit_session_service()->link_close(first->server.id, ADIT_CAUSE_LOST_SERVICE, "gone");
  assert_true(TEST_LOOP_UNTIL(w->down == 1, 5000));
  assert_int_equal(world_told("-address 10.0.0.1/32 peer -"), 0);
  assert_non_null(null_dp_port(w->server.dp, "shared"));
  adit_session_service()->link_close(second->server.id, ADIT_CAUSE_LOST_SERVICE, "gone");
  assert_true(TEST_LOOP_UNTIL(w->down == 2, 5000));
  test_loop_drain();
  assert_int_equal(world_told("-address 10.0.0.1/32 peer -"), 1);
  assert_null(null_dp_port(w->server.dp, "shared"));
}

/* A shared interface belongs to one data path: what another one calls the same is another interface. */
static void two_data_paths_share_no_interface(void **state) {
  World *w = *state;
  const Side first = w->server;
  Side second = {0};

  world_side_open(w, &second, 0xc0000203);
  world_dial(w, &w->pair[0], "many", "right", NULL);
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
  assert_null(null_dp_port(second.dp, "shared"));
  w->server = second;
  world_dial(w, &w->pair[1], "many", "right", NULL);
  assert_true(TEST_LOOP_UNTIL(w->up == 4, 5000));
  AditPort *here = null_dp_port(first.dp, "shared"), *there = null_dp_port(second.dp, "shared");
  assert_non_null(here);
  assert_non_null(there);
  assert_int_not_equal(here->ifindex, there->ifindex);

  /* The first one's goes with its last session, and the other stays. */
  adit_session_service()->link_close(w->pair[0].server.id, ADIT_CAUSE_LOST_SERVICE, "gone");
  assert_true(TEST_LOOP_UNTIL(w->down == 1, 5000));
  test_loop_drain();
  assert_null(null_dp_port(first.dp, "shared"));
  assert_ptr_equal(null_dp_port(second.dp, "shared"), there);
  adit_session_service()->link_close(w->pair[1].server.id, ADIT_CAUSE_LOST_SERVICE, "gone");
  assert_true(TEST_LOOP_UNTIL(w->down == 2, 5000));
  test_loop_drain();
  assert_null(null_dp_port(second.dp, "shared"));
  w->server = first;
  world_side_close(&second);
}

/* Nor do two kinds of data paths whose instances are told by the same pointer: the second one asks for the name itself, and is refused. */
static void two_kinds_of_data_paths_share_no_interface(void **state) {
  World *w = *state;
  const AditDatapathOps other = null_datapath_ops;

  world_dial(w, &w->pair[0], "many", "right", NULL);
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
  world_dial(w, &w->pair[1], "many", "right", &other);
  assert_true(TEST_LOOP_UNTIL(w->pair[1].server.closed && w->pair[1].client.closed, 10000));
  assert_non_null(strstr(w->pair[1].server.reason, "there is an interface shared already"));
  assert_non_null(null_dp_port(w->server.dp, "shared"));
}

/* A small packet size of one is not everybody's, and a large one not that of who has a small one. */
static void who_shares_an_interface_keeps_the_own_mtu(void **state) {
  World *w = *state;

  world_extra = adit_value_map();
  adit_value_set(world_extra, "mtu", adit_value_int(1000));
  world_dial(w, &w->pair[0], "many", "right", NULL);
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
  assert_int_equal(world_told("route 10.0.0.10/32 metric 0 mtu 1000"), 1);
  adit_value_set(world_extra, "mtu", adit_value_int(1300));
  world_dial(w, &w->pair[1], "many", "right", NULL);
  assert_true(TEST_LOOP_UNTIL(w->up == 4, 5000));
  assert_int_equal(world_told("mtu 1300"), 1);
  assert_int_equal(world_told("route 10.0.0.11/32 metric 0 mtu 1300"), 1);
}

static void session_and_idle_timeouts_end_it(void **state) {
  World *w = *state;
  Pair *first = &w->pair[0], *second = &w->pair[1];

  world_dial(w, first, "short", "right", NULL);
  assert_true(TEST_LOOP_UNTIL(first->server.closed, 10000));
  assert_int_equal(first->server.cause, ADIT_CAUSE_SESSION_TIMEOUT);
  world_dial(w, second, "idler", "right", NULL);
  assert_true(TEST_LOOP_UNTIL(second->server.closed, 10000));
  assert_int_equal(second->server.cause, ADIT_CAUSE_IDLE_TIMEOUT);
}

static const char *refuse(const AditEvent *event, gpointer data) {
  return "not today";
}

static void a_veto_refuses_with_its_reason(void **state) {
  World *w = *state;
  Pair *pair = &w->pair[0];

  adit_bus_service()->veto_add(NULL, ADIT_VETO_SESSION, 0, refuse, NULL);
  world_dial(w, pair, "alice", "right", NULL);
  assert_true(TEST_LOOP_UNTIL(pair->server.closed, 10000));
  assert_string_equal(pair->server.reason, "not today");
}

static void no_port(gpointer dp, const AditPortSpec *spec, AditPortOpened done, gpointer user) {
  g_autoptr(GError) error = g_error_new(ADIT_ERROR, ADIT_ERR_SYSTEM, "no more interfaces");
  done(user, NULL, error);
}

static void no_interface_or_no_address_is_a_port_error(void **state) {
  World *w = *state;
  AditDatapathOps broken = null_datapath_ops;
  Pair *first = &w->pair[0], *second = &w->pair[1];

  broken.port_open = no_port;
  world_dial(w, first, "alice", "right", &broken);
  assert_true(TEST_LOOP_UNTIL(first->server.closed, 10000));
  assert_int_equal(first->server.cause, ADIT_CAUSE_PORT_ERROR);
  assert_string_equal(first->server.reason, "no more interfaces");

  world_kernel.answer = ENOBUFS;
  world_dial(w, second, "alice", "right", NULL);
  assert_true(TEST_LOOP_UNTIL(second->server.closed || second->client.closed, 10000));
  assert_int_equal(w->up, 0);
}

/* Clients that are told goodbye dial again at once: they would keep a daemon with many sessions from ever ending. */
static void no_new_link_while_stopping(void **state) {
  World *w = *state;
  g_autoptr(AditValue) server = world_config_of("lns", NULL, NULL);
  g_autoptr(GError) error = NULL;
  gboolean none = FALSE;

  adit_session_stop(world_set_flag, &none);
  assert_true(TEST_LOOP_UNTIL(none, 5000));
  assert_false(world_call_open(w, &w->extra, FALSE, server, 77, &null_datapath_ops, &error));
  assert_true(g_error_matches(error, ADIT_ERROR, ADIT_ERR_BUSY));
}

int main(void) {
#define test(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
  const struct CMUnitTest tests[] = {
      test(login_brings_addresses_interfaces_and_traffic),
      test(a_wrong_password_ends_both_links_and_makes_no_session),
      test(disconnect_withdraws_and_releases_and_tells_the_transport),
      test(a_lost_call_ends_the_session_with_its_cause),
      test(only_one_refuses_a_second_session),
      test(a_second_session_gets_a_numbered_interface_and_a_dry_pool_refuses),
      test(a_link_that_the_data_path_cannot_carry_is_refused),
      test(a_fixed_address_is_given_once),
      test(many_share_one_interface_with_a_route_each),
      test(two_data_paths_share_no_interface),
      test(two_kinds_of_data_paths_share_no_interface),
      test(who_shares_an_interface_keeps_the_own_mtu),
      test(session_and_idle_timeouts_end_it),
      test(a_veto_refuses_with_its_reason),
      test(no_interface_or_no_address_is_a_port_error),
      test(no_new_link_while_stopping),
  };
  return cmocka_run_group_tests_name("session life", tests, NULL, NULL);
}
