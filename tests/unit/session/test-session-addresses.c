/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Which addresses a session gets, keeps and refuses. */
#include "core/net/protected.h"
#include "core/session/life/sess.h"
#include "tests/unit/session/world.h"

/* Sends an IPCP packet of the test's own from the client's end of the link. */
static void send_ipcp(const Call *from, const char *hex) {
  AditSessLink *link = adit_link_find(from->id);
  guint8 packet[64];
  gsize length = strlen(hex) / 2;

  assert_non_null(link);
  for (gsize i = 0; i < length; i++)
    packet[i] = (guint8)(g_ascii_xdigit_value(hex[2 * i]) << 4 | g_ascii_xdigit_value(hex[2 * i + 1]));
  adit_ppp_link_send(link->ppp, ADIT_PPP_IPCP, packet, length);
}

static AditSess *server_session(const Pair *pair) {
  AditSessLink *link = adit_link_find(pair->server.id);
  return link ? link->session : NULL;
}

/* ---- renegotiation ---- */

static guint held_back; /* how often the data plane was told to pass no IPv4 */

static void spy_set(AditDpSession *session, const AditDpSessionParams *params) {
  held_back += !params->n_protocols || params->protocols[0] != ADIT_PPP_IPV4;
  null_datapath_ops.session_set(session, params);
}

/* A session that is up, and whose data plane is watched. */
static AditSess *watched_session(World *w, Pair *pair) {
  static AditDatapathOps spy;
  spy = null_datapath_ops;
  spy.session_set = spy_set;
  world_dial(w, pair, "chooser", "right", &spy);
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
  held_back = 0;
  return server_session(pair);
}

static void a_peer_that_renegotiates_another_address_keeps_the_old_one(void **state) {
  World *w = *state;
  Pair *pair = &w->pair[0];

  AditSess *session = watched_session(w, pair);

  send_ipcp(&pair->client, "0177000a03060a000063"); /* 10.0.0.99 */
  assert_true(TEST_LOOP_UNTIL(held_back, 5000));
  assert_true(TEST_LOOP_UNTIL(session->family[ADIT_SESS_IPV4].open, 5000));
  assert_int_equal(session->state, ADIT_LIFE_UP);
  assert_int_equal(adit_address_to_ipv4(&session->family[ADIT_SESS_IPV4].remote), 0x0a00000a);
  assert_int_equal(w->down, 0);
  assert_int_equal(world_told("address 10.0.0.1/32 peer 10.0.0.10"), 1); /* the kernel is not told again */
}

static void a_peer_that_terminates_its_only_protocol_may_begin_it_anew(void **state) {
  World *w = *state;
  Pair *pair = &w->pair[0];

  AditSess *session = watched_session(w, pair);

  send_ipcp(&pair->client, "05770004");
  assert_true(TEST_LOOP_UNTIL(held_back, 5000));
  /* The client's own IPCP takes the Terminate-Ack as a reason to begin anew. */
  assert_true(TEST_LOOP_UNTIL(session->family[ADIT_SESS_IPV4].open, 2500));
  assert_int_equal(session->state, ADIT_LIFE_UP);
  assert_false(TEST_LOOP_UNTIL(w->down, 4000)); /* the time after which it would have ended */
  assert_true(session->family[ADIT_SESS_IPV4].open);
}

/* ---- what must not be given away ---- */

static AditAddress address(const char *text) {
  AditAddress a;
  assert_true(adit_address_parse(text, &a));
  return a;
}

static void protect(const char *text) {
  AditAddress a = address(text);
  adit_protected_add(ADIT_PROTECT_ENDPOINT, &a, "the outer address of a tunnel");
}

static gboolean may_choose(const AditSess *session, const char *text) {
  AditAddress a = address(text);
  return session->addresses.params.choose(session->addresses.params.choose_user, &a);
}

/* The client's outer address is 192.0.2.2. */
static void a_peer_chooses_within_its_range_and_nothing_protected(void **state) {
  static const char *const never[] = {"192.0.2.254", "192.0.2.1", "192.0.2.53", "198.51.100.3", "192.0.2.2", "127.0.0.53", "10.0.0.1"};
  AditAddress gateway = address("192.0.2.254"), own = address("192.0.2.1"), server = address("192.0.2.53");
  World *w = *state;

  adit_protected_kernel(ADIT_PROTECT_NEXT_HOP, 2, &gateway, TRUE);
  adit_protected_kernel(ADIT_PROTECT_LOCAL, 2, &own, TRUE);
  adit_protected_add(ADIT_PROTECT_SERVER, &server, "a RADIUS server");
  protect("198.51.100.3");
  world_dial(w, &w->pair[0], "bounded", "right", NULL);
  world_dial(w, &w->pair[1], "chooser", "right", NULL); /* from everything */
  assert_true(TEST_LOOP_UNTIL(w->up == 4, 5000));
  AditSess *bounded = server_session(&w->pair[0]), *chooser = server_session(&w->pair[1]);
  for (gsize i = 0; i < G_N_ELEMENTS(never); i++) {
    assert_false(may_choose(bounded, never[i]));
    assert_false(may_choose(chooser, never[i]));
  }
  assert_false(may_choose(bounded, "8.8.8.8"));
  assert_true(may_choose(chooser, "8.8.8.8"));
  assert_true(may_choose(bounded, "10.9.0.7"));
  assert_true(may_choose(bounded, "10.9.0.7"));
}

static void a_choice_is_reserved_until_another_takes_its_place(void **state) {
  World *w = *state;

  world_dial(w, &w->pair[0], "bounded", "right", NULL);
  world_dial(w, &w->pair[1], "chooser", "right", NULL);
  assert_true(TEST_LOOP_UNTIL(w->up == 4, 5000));
  AditSess *one = server_session(&w->pair[0]), *other = server_session(&w->pair[1]);
  guint leases = one->addresses.n;
  assert_true(may_choose(one, "10.9.0.7"));
  assert_false(may_choose(other, "10.9.0.7"));
  for (guint i = 8; i < 200; i++) { /* however often it chooses, it has one */
    g_autofree char *text = g_strdup_printf("10.9.0.%u", i);
    assert_true(may_choose(one, text));
  }
  assert_int_equal(one->addresses.n, leases + 1);
  assert_true(may_choose(other, "10.9.0.7"));
  adit_session_service()->link_close(w->pair[0].server.id, ADIT_CAUSE_LOST_SERVICE, "gone");
  assert_true(TEST_LOOP_UNTIL(w->down == 1, 5000));
  assert_true(may_choose(other, "10.9.0.199"));
}

/* Whatever a source says. */
static void a_protected_address_refuses_the_session_and_says_why(void **state) {
  static const struct {
    const char *key, *value, *reason;
  } cases[] = {
      {"remote-address", "198.51.100.3", "remote-address 198.51.100.3 is the outer address of a tunnel"},
      {"remote-address", "192.0.2.2", "remote-address 192.0.2.2 is the outer address of the session's own tunnel"},
      {"local-address", "198.51.100.3", "local-address 198.51.100.3 is the outer address of a tunnel"},
      {"local-address", "0.0.0.0", "local-address 0.0.0.0 is an address of \"this network\""},
  };
  World *w = *state;

  protect("198.51.100.3");
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    AditAddress a = address(cases[i].value);
    g_clear_pointer(&world_extra, adit_value_unref);
    world_extra = adit_value_map();
    adit_value_set(world_extra, cases[i].key, adit_value_address(&a));
    g_clear_pointer(&w->pair[i].server.reason, g_free);
    world_dial(w, &w->pair[i], "alice", "right", NULL);
    assert_true(TEST_LOOP_UNTIL(w->pair[i].server.closed, 10000));
    assert_string_equal(w->pair[i].server.reason, cases[i].reason);
  }
  assert_int_equal(w->up, 0);
}

static void a_prefix_that_holds_a_tunnels_end_refuses_the_session(void **state) {
  World *w = *state;
  AditValue *list = adit_value_list();
  AditPrefix prefix;

  protect("2001:db8:ff::3");
  assert_true(adit_prefix_parse("2001:db8:ff::/48", &prefix));
  adit_value_append(list, adit_value_prefix(&prefix));
  world_extra = adit_value_map();
  adit_value_set(world_extra, "delegated-ipv6-prefix", list);
  world_dial(w, &w->pair[0], "alice", "right", NULL);
  assert_true(TEST_LOOP_UNTIL(w->pair[0].server.closed, 10000));
  assert_string_equal(w->pair[0].server.reason,
                      "delegated-ipv6-prefix 2001:db8:ff::/48 holds 2001:db8:ff::3, which is the outer address of a tunnel");
}

static void a_pool_passes_over_protected_addresses(void **state) {
  World *w = *state;

  protect("10.0.0.10");
  world_dial(w, &w->pair[0], "alice", "right", NULL);
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
  assert_int_equal(world_told("address 10.0.0.1/32 peer 10.0.0.11"), 1);
  world_dial(w, &w->pair[1], "alice", "right", NULL); /* none is left but the protected one */
  assert_true(TEST_LOOP_UNTIL(w->pair[1].server.closed, 10000));
  assert_string_equal(w->pair[1].server.reason, "remote-address: pool pool is exhausted");
  adit_protected_fini(); /* the tunnel is gone: the address was not used up */
  world_dial(w, &w->pair[2], "alice", "right", NULL);
  assert_true(TEST_LOOP_UNTIL(world_told("address 10.0.0.1/32 peer 10.0.0.10") == 1, 5000));
}

static gint64 used_of_pool(void) {
  g_autoptr(AditValue) pools = adit_pools_describe();
  return adit_value_get_int(adit_value_at(pools, 0), "used", -1);
}

static void what_a_pool_passed_over_is_given_back(void **state) {
  World *w = *state;

  protect("10.0.0.10");
  protect("10.0.0.11");
  world_dial(w, &w->pair[0], "alice", "right", NULL); /* all of the pool is protected */
  assert_true(TEST_LOOP_UNTIL(w->pair[0].server.closed, 10000));
  assert_string_equal(w->pair[0].server.reason,
                      "remote-address: pool pool has no address that may be given: remote-address 10.0.0.11 is the "
                      "outer address of a tunnel");
  assert_int_equal(used_of_pool(), 2);
  adit_protected_fini();
  world_dial(w, &w->pair[1], "fixed", "right", NULL); /* a session of another address comes and goes */
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
  adit_session_service()->link_close(w->pair[1].server.id, ADIT_CAUSE_LOST_SERVICE, "gone");
  assert_true(TEST_LOOP_UNTIL(w->down == 1, 5000));
  assert_int_equal(used_of_pool(), 0);
}

static void a_bad_route_is_left_out_and_the_session_works(void **state) {
  World *w = *state;
  AditValue *routes = adit_value_list();

  protect("198.51.100.3");
  adit_value_append(routes, adit_value_string("198.51.100.3/32"));
  adit_value_append(routes, adit_value_string("224.0.0.0/4"));
  adit_value_append(routes, adit_value_string("198.51.0.0/16"));
  world_extra = adit_value_map();
  adit_value_set(world_extra, "routes", routes);
  world_dial(w, &w->pair[0], "alice", "right", NULL);
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
  assert_int_equal(world_told("route 198.51.0.0/16 metric 0"), 1);
  assert_int_equal(world_told("route 198.51.100.3/32 metric 0"), 0);
  assert_int_equal(world_told("route 224.0.0.0/4 metric 0"), 0);
}

static guint not_handed_out;

static GLogWriterOutput count_lines(GLogLevelFlags level, const GLogField *fields, gsize n, gpointer data) {
  for (gsize i = 0; i < n; i++)
    if (g_str_equal(fields[i].key, "MESSAGE"))
      not_handed_out += strstr(fields[i].value, "is ignored: IPCP carries two IPv4 addresses") != NULL;
  return G_LOG_WRITER_HANDLED;
}

static void name_servers_that_ipcp_cannot_hand_out_are_told(void **state) {
  static const char *const servers[] = {"2001:db8::53", "10.0.0.53", "10.0.0.54", "10.0.0.55"};
  World *w = *state;
  AditValue *list = adit_value_list();

  for (gsize i = 0; i < G_N_ELEMENTS(servers); i++) {
    AditAddress a = address(servers[i]);
    adit_value_append(list, adit_value_address(&a));
  }
  world_extra = adit_value_map();
  adit_value_set(world_extra, "dns-server", list);
  g_log_set_writer_func(count_lines, NULL, NULL);
  world_dial(w, &w->pair[0], "alice", "right", NULL);
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
  assert_int_equal(not_handed_out, 2);
  const AditSess *session = server_session(&w->pair[0]);
  assert_int_equal(adit_address_to_ipv4(&session->dns[0]), 0x0a000035);
  assert_int_equal(adit_address_to_ipv4(&session->dns[1]), 0x0a000036);
}

/* ---- a client ---- */

static const char *protected_late;

/* Server and client are one process here: what the client must not have is protected when the server has given it already. */
static AditDpSession *late_open(gpointer dp, AditSessionId id, AditPort *port, GError **error) {
  protect(protected_late);
  return null_datapath_ops.session_open(dp, id, port, error);
}

static void dial_late(World *w, const char *text) {
  static AditDatapathOps late;
  late = null_datapath_ops;
  late.session_open = late_open;
  protected_late = text;
  world_dial(w, &w->pair[0], "alice", "right", &late);
}

static void a_client_takes_no_address_that_this_machine_needs(void **state) {
  World *w = *state;

  dial_late(w, "10.0.0.10");
  assert_true(TEST_LOOP_UNTIL(w->pair[0].client.closed, 10000));
  assert_string_equal(w->pair[0].client.reason,
                      "the server gives us an address that can't be used: 10.0.0.10 is the outer address of a tunnel");
  assert_int_equal(world_told("address 10.0.0.10/32 peer 10.0.0.1"), 0);
}

static void a_servers_inner_address_that_is_a_tunnels_end_gets_no_route(void **state) {
  World *w = *state;

  dial_late(w, "10.0.0.1");
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 10000));
  assert_int_equal(world_told("address 10.0.0.10/32 peer -"), 1);
  assert_int_equal(world_told("address 10.0.0.10/32 peer 10.0.0.1"), 0);
  send_ipcp(&w->pair[0].client, "0177000a03060a000063"); /* over a renegotiation, too */
  assert_false(TEST_LOOP_UNTIL(w->down, 200));
}

int main(void) {
#define test(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
  const struct CMUnitTest tests[] = {
      test(a_peer_that_renegotiates_another_address_keeps_the_old_one),
      test(a_peer_that_terminates_its_only_protocol_may_begin_it_anew),
      test(a_peer_chooses_within_its_range_and_nothing_protected),
      test(a_choice_is_reserved_until_another_takes_its_place),
      test(a_protected_address_refuses_the_session_and_says_why),
      test(a_prefix_that_holds_a_tunnels_end_refuses_the_session),
      test(a_pool_passes_over_protected_addresses),
      test(what_a_pool_passed_over_is_given_back),
      test(a_bad_route_is_left_out_and_the_session_works),
      test(a_client_takes_no_address_that_this_machine_needs),
      test(a_servers_inner_address_that_is_a_tunnels_end_gets_no_route),
      test(name_servers_that_ipcp_cannot_hand_out_are_told), /* last: a log writer stays */
  };
  return cmocka_run_group_tests_name("session addresses", tests, NULL, NULL);
}
