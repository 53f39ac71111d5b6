/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* When a session has to end by itself, and when it must not. */
#include "core/aaa/aaa.h"
#include "core/ppp/registry.h"
#include "core/session/describe.h"
#include "core/session/life/sessions.h"
#include "ipv6cp.h"
#include "tests/unit/defaults.h"
#include "tests/unit/session/world.h"

#include <adit/auth.h>
#include <errno.h>

/* A frame as the pair's client would send it to its server. */
static void say_to_server(World *w, guint call, const guint8 *frame, gsize length) {
  AditPath path = {.local = w->client.at, .remote = w->server.at};
  guint8 datagram[128] = {0, 2, 0, 1, (guint8)(call >> 8), (guint8)call};
  assert_true(length + 6 <= sizeof datagram);
  memcpy(datagram + 6, frame, length);
  assert_true(null_net_deliver(w->net, &path, datagram, length + 6));
}

static void reject_protocol(World *w, guint call, guint16 protocol) {
  const guint8 frame[] = {0xc0, 0x21, 8, 1, 0, 10, (guint8)(protocol >> 8), (guint8)protocol, 1, 1, 0, 4};
  say_to_server(w, call, frame, sizeof frame);
}

/* RFC 1661 3.5: nothing can pass, and nothing will. */
static void without_any_network_protocol_it_ends(void **state) {
  World *w = *state;
  Pair *pair = &w->pair[0];

  world_dial(w, pair, "no4", "right", NULL);
  assert_true(TEST_LOOP_UNTIL(pair->server.closed && pair->client.closed, 10000));
  assert_int_equal(pair->server.cause, ADIT_CAUSE_SERVICE_UNAVAILABLE);
  assert_string_equal(pair->server.reason, "no network protocol is enabled");
  assert_int_equal(w->up, 0);
}

static void a_required_protocol_that_cannot_be_offered_ends_it(void **state) {
  World *w = *state;
  g_autoptr(AditValue) server = world_config_of("lns", NULL, NULL), client = world_config_of("out1", "need4", "right");
  g_autoptr(GError) error = NULL;

  assert_true(adit_ppp_service()->ncp_add(&w->plugin, &ipv6cp_desc, &error));
  adit_value_set(server, "default-profile", adit_value_string("default")); /* has no addresses */
  assert_true(world_call_open(w, &w->pair[0].server, FALSE, server, 1, &null_datapath_ops, &error));
  assert_true(world_call_open(w, &w->pair[0].client, TRUE, client, 1, &null_datapath_ops, &error));
  assert_true(TEST_LOOP_UNTIL(w->pair[0].server.closed, 10000));
  assert_int_equal(w->pair[0].server.cause, ADIT_CAUSE_SERVICE_UNAVAILABLE);
  assert_string_equal(w->pair[0].server.reason, "ipcp is required and cannot be offered");
}

static void when_the_last_network_protocol_closes_it_ends(void **state) {
  World *w = *state;
  Pair *pair = &w->pair[0];

  world_dial(w, pair, "alice", "right", NULL);
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
  reject_protocol(w, 1, ADIT_PPP_IPCP);
  assert_true(TEST_LOOP_UNTIL(pair->server.closed && pair->client.closed && w->down == 2, 10000));
  assert_int_equal(pair->server.cause, ADIT_CAUSE_USER_REQUEST);
  assert_string_equal(pair->server.reason, "no network protocol is left: ipcp: the peer rejected it");
}

/* A list of sessions is a list of ids: those that end before their row is made are left out. */
static void sessions_end_while_they_are_listed(void **state) {
  World *w = *state;
  const AditSessionService *service = adit_session_service();

  world_dial(w, &w->pair[0], "alice", "right", NULL);
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
  assert_int_equal(service->session_count(NULL, NULL), 2);
  g_autoptr(GArray) ids = adit_session_ids();
  assert_int_equal(ids->len, 2);
  for (guint i = 0; i < ids->len; i++) {
    g_autoptr(AditValue) row = adit_session_row(g_array_index(ids, guint64, i));
    g_autofree char *text = g_strdup_printf("%" G_GINT64_MODIFIER "x", g_array_index(ids, guint64, i));
    assert_string_equal(adit_value_get_string(row, "id", ""), text);
    g_autoptr(AditValue) whole = adit_session_describe(text);
    assert_string_equal(adit_value_get_string(whole, "id", ""), text);
    g_autofree char *odd = g_strconcat("0", text, NULL);
    assert_null(adit_session_describe(odd)); /* an id has one form */
  }
  assert_true(adit_session_disconnect("alice", ADIT_CAUSE_ADMIN_RESET, "told to") > 0);
  assert_true(TEST_LOOP_UNTIL(w->down == 2, 5000));
  assert_int_equal(service->session_count(NULL, NULL), 0);
  for (guint i = 0; i < ids->len; i++)
    assert_null(adit_session_row(g_array_index(ids, guint64, i)));
  g_autoptr(GArray) none = adit_session_ids();
  assert_int_equal(none->len, 0);
}

/* RFC 1661 3.7: closing an NCP is no reason to close the link while another lives. */
static void another_network_protocol_keeps_it_alive(void **state) {
  World *w = *state;
  Pair *pair = &w->pair[0];
  g_autoptr(GError) error = NULL;

  assert_true(adit_ppp_service()->ncp_add(&w->plugin, &ipv6cp_desc, &error));
  world_dial(w, pair, "alice", "right", NULL);
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
  reject_protocol(w, 1, ADIT_PPP_IPCP);
  g_autoptr(AditValue) one = NULL;
  assert_true(TEST_LOOP_UNTIL(({
                                g_clear_pointer(&one, adit_value_unref);
                                (one = adit_session_describe("l2tp-alice")) && adit_value_get(one, "remote-ipv6-address");
                              }),
                              5000));
  assert_false(pair->server.closed);
  reject_protocol(w, 1, ADIT_PPP_IPV6CP);
  assert_true(TEST_LOOP_UNTIL(pair->server.closed, 10000));
  assert_non_null(strstr(pair->server.reason, "ipcp: "));
  assert_non_null(strstr(pair->server.reason, "ipv6cp: the peer rejected it"));
}

static void the_local_address_goes_to_no_peer(void **state) {
  World *w = *state;

  world_dial(w, &w->pair[0], "inside", "right", NULL);
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
  assert_int_equal(world_told("address 10.0.0.1/32 peer 10.0.0.2"), 1);

  world_dial(w, &w->pair[1], "alice", "right", NULL); /* has the same local address */
  assert_true(TEST_LOOP_UNTIL(w->up == 4, 5000));
  adit_session_service()->link_close(w->pair[0].server.id, ADIT_CAUSE_LOST_SERVICE, "gone");
  assert_true(TEST_LOOP_UNTIL(w->down == 1, 5000));
  world_dial(w, &w->pair[2], "inside", "right", NULL);
  assert_true(TEST_LOOP_UNTIL(world_told("address 10.0.0.1/32 peer 10.0.0.2") == 2, 5000));

  world_dial(w, &w->pair[3], "self", "right", NULL);
  assert_true(TEST_LOOP_UNTIL(w->pair[3].server.closed, 10000));
  assert_string_equal(w->pair[3].server.reason, "remote-address 10.0.0.1 is in use");
}

/* A client that asks for an address of its own, at a server that lets it. */
static void dial_wanting(World *w, Pair *pair, guint number, const char *profile) {
  g_autoptr(AditValue) server = world_config_of("lns", NULL, NULL), client = world_config_of("out1", "chooser", "right");
  adit_value_set(client, "profile", adit_value_string(profile));
  assert_true(world_call_open(w, &pair->server, FALSE, server, number, &null_datapath_ops, NULL));
  assert_true(world_call_open(w, &pair->client, TRUE, client, number, &null_datapath_ops, NULL));
}

static void a_peer_may_choose_no_address_that_is_taken(void **state) {
  World *w = *state;

  world_dial(w, &w->pair[0], "fixed", "right", NULL); /* 10.0.0.99 */
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
  dial_wanting(w, &w->pair[1], 11, "wants99"); /* and is told the offer instead */
  assert_true(TEST_LOOP_UNTIL(world_told("address 10.0.0.1/32 peer 10.0.0.10") == 1, 5000));
  assert_int_equal(world_told("address 10.0.0.1/32 peer 10.0.0.99"), 1);
  assert_false(w->pair[1].server.closed);
  dial_wanting(w, &w->pair[2], 12, "wants77");
  assert_true(TEST_LOOP_UNTIL(world_told("address 10.0.0.1/32 peer 10.0.0.77") == 1, 5000));
}

/* Workers stamp packets by their own clock, which runs ahead of a loop pass that has begun. */
static void just_now(AditDpSession *session, AditDpStats *out) {
  null_datapath_ops.session_stats(session, out);
  out->last_data_ms = adit_loop_service()->now() + 5;
}

static void traffic_of_this_very_moment_is_not_idle(void **state) {
  World *w = *state;
  static AditDatapathOps busy; /* outlives the test: the session ends in teardown */
  guint64 since = adit_loop_service()->now();

  busy = null_datapath_ops;
  busy.session_stats = just_now;
  world_dial(w, &w->pair[0], "idler", "right", &busy);
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
  assert_true(TEST_LOOP_UNTIL(adit_loop_service()->now() > since + 300 || w->pair[0].server.closed, 5000));
  assert_false(w->pair[0].server.closed);
}

/* ---- ports that take their time ---- */

static struct {
  AditPortOpened done;
  gpointer user, dp;
  AditPortSpec spec;
} late;

static void open_late(gpointer dp, const AditPortSpec *spec, AditPortOpened done, gpointer user) {
  late.done = done;
  late.user = user;
  late.dp = dp;
  late.spec = *spec;
  late.spec.name = g_intern_string(spec->name);
}

static void it_may_end_while_its_interface_is_being_opened(void **state) {
  World *w = *state;
  static AditDatapathOps slow;

  slow = null_datapath_ops;
  slow.port_open = open_late;
  late.done = NULL;
  world_dial(w, &w->pair[0], "alice", "right", &slow);
  assert_true(TEST_LOOP_UNTIL(late.done, 5000));
  assert_int_equal(adit_session_disconnect("l2tp-alice", ADIT_CAUSE_ADMIN_RESET, "no more"), 1);
  assert_true(TEST_LOOP_UNTIL(w->pair[0].server.closed, 10000));
  null_datapath_ops.port_open(late.dp, &late.spec, late.done, late.user);
  assert_true(TEST_LOOP_UNTIL(!null_dp_port(w->server.dp, "l2tp-alice") && w->pair[0].client.closed, 5000));
  world_dial(w, &w->pair[1], "alice", "right", NULL); /* name and address are free */
  assert_true(TEST_LOOP_UNTIL(w->up == 3 || w->up == 2, 5000));
  assert_true(TEST_LOOP_UNTIL(world_told("address 10.0.0.1/32 peer 10.0.0.10") == 1, 5000));
}

/* ---- a kernel without IPv6 ---- */

static void no_ipv6_in_the_kernel_costs_only_ipv6(void **state) {
  World *w = *state;
  g_autoptr(GError) error = NULL;

  world_kernel.answer6 = EACCES; /* net.ipv6.conf.all.disable_ipv6=1 */
  assert_true(adit_ppp_service()->ncp_add(&w->plugin, &ipv6cp_desc, &error));
  world_dial(w, &w->pair[0], "alice", "right", NULL);
  assert_true(TEST_LOOP_UNTIL(w->up == 2 || w->pair[0].server.closed, 5000));
  assert_false(w->pair[0].server.closed);
  assert_int_equal(w->up, 2);
  g_autoptr(AditValue) one = NULL;
  assert_true(TEST_LOOP_UNTIL(({
                                g_clear_pointer(&one, adit_value_unref);
                                (one = adit_session_describe("l2tp-alice")) && !adit_value_get(one, "remote-ipv6-address");
                              }),
                              5000));
  assert_string_equal(adit_value_get_string(one, "state", NULL), "up");
  assert_string_equal(adit_value_get_string(one, "remote-address", NULL), "10.0.0.10");
}

/* ---- accounting ---- */

static guint interims;

static void count_interims(gpointer state, const AditAcctRecord *record, AditAcctDone done, gpointer token) {
  interims += record->kind == ADIT_ACCT_INTERIM;
  done(token, TRUE);
}

static const AditAcctSinkOps sink = {.size = sizeof sink, .name = "counter", .record = count_interims};

static void configure_interim(gint64 ms) {
  g_autoptr(AditValue) config = adit_value_map();
  AditValue *aaa = adit_value_map(), *sources = adit_value_list();
  adit_value_append(sources, adit_value_string("everybody"));
  adit_value_set(aaa, "sources", sources);
  adit_value_set(aaa, "interim-update", adit_value_int(ms));
  adit_value_set(config, "aaa", fill_defaults(aaa, adit_aaa_options, adit_aaa_n_options, ADIT_SCOPE_AAA));
  adit_aaa_commit(adit_aaa_prepare(config, NULL));
}

/* A live session keeps the period that it began with. */
static void interim_updates_switched_off_later_do_not_become_a_flood(void **state) {
  World *w = *state;

  interims = 0;
  assert_true(adit_aaa_service()->sink_add(&w->plugin, &sink, NULL, NULL));
  configure_interim(50);
  world_dial(w, &w->pair[0], "alice", "right", NULL);
  assert_true(TEST_LOOP_UNTIL(w->up == 2 && interims >= 2, 5000));
  configure_interim(0);
  guint before = interims;
  guint64 since = adit_loop_service()->now();
  assert_true(TEST_LOOP_UNTIL(adit_loop_service()->now() >= since + 500, 5000));
  assert_in_range(interims - before, 2, 30); /* two ends */
}

static void disconnect_session(const AditSessionInfo *info, gpointer data) {
  adit_session_service()->disconnect(info->id, ADIT_CAUSE_ADMIN_RESET, "for the test");
}

/* A transport that says it has stopped and left links open is not called by them: neither by a late Terminate-Ack nor by a timer. */
static void a_transport_that_stopped_is_not_called(void **state) {
  World *w = *state;
  Pair *pair = &w->pair[0];
  static const guint8 goodbye[] = {0xc0, 0x21, 6, 1, 0, 4};

  for (guint phase = 0; phase < 3; phase++) {
    guint up = w->up, down = w->down;
    pair = &w->pair[phase];
    world_dial(w, pair, "alice", "right", NULL);
    if (phase > 0)
      assert_true(TEST_LOOP_UNTIL(w->up == up + 2, 5000));
    if (phase > 1) /* its goodbye is under way */
      adit_session_service()->session_foreach(disconnect_session, NULL);
    adit_session_plugin_stopped(&w->plugin);
    say_to_server(w, phase + 1, goodbye, sizeof goodbye);
    assert_true(TEST_LOOP_UNTIL(w->down == (phase ? down + 2 : down), 5000));
    test_loop_drain();
    assert_false(pair->server.closed);
    assert_false(pair->client.closed);
    assert_false(adit_session_service()->link_stats(pair->server.id, &(AditDpStats){0}));
  }
}

static AditValue *bad_routes(void) {
  AditValue *list = adit_value_list();
  adit_value_append(list, adit_value_string("172.30.4.0/24 203.0.113.77 1"));
  adit_value_append(list, adit_value_string("nonsense"));
  return list;
}

static const char *route_state(const AditValue *routes, const char *route) {
  for (guint i = 0; i < adit_value_length(routes); i++)
    if (strcmp(adit_value_get_string(adit_value_at(routes, i), "route", ""), route) == 0)
      return adit_value_get_string(adit_value_at(routes, i), "state", "");
  return "none";
}

/* Neither a route that the kernel refuses nor a text that is none costs the user a protocol. */
static void a_route_that_cannot_be_is_left_out(void **state) {
  World *w = *state;
  world_extra = adit_value_map();
  adit_value_set(world_extra, "routes", bad_routes());
  world_kernel.answer_route = ENETUNREACH;
  world_dial(w, &w->pair[0], "alice", "right", NULL);
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 10000));
  g_autoptr(AditValue) session = adit_session_describe("l2tp-alice");
  assert_non_null(session);
  const AditValue *routes = adit_value_get(session, "routes");
  assert_string_equal(route_state(routes, "172.30.4.0/24"), "refused");
  assert_string_equal(route_state(routes, "nonsense"), "malformed");
  assert_int_equal(w->down, 0);
}

static void a_required_route_ends_the_session(void **state) {
  World *w = *state;
  world_extra = adit_value_map();
  adit_value_set(world_extra, "routes", bad_routes());
  adit_value_set(world_extra, "routes-required", adit_value_string("yes"));
  world_dial(w, &w->pair[0], "alice", "right", NULL);
  assert_true(TEST_LOOP_UNTIL(w->pair[0].server.closed, 10000));
  assert_non_null(strstr(w->pair[0].server.reason, "routes-required: "));
}

int main(void) {
#define test(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
  const struct CMUnitTest tests[] = {
      test(a_route_that_cannot_be_is_left_out),
      test(a_required_route_ends_the_session),
      test(without_any_network_protocol_it_ends),
      test(a_required_protocol_that_cannot_be_offered_ends_it),
      test(when_the_last_network_protocol_closes_it_ends),
      test(sessions_end_while_they_are_listed),
      test(another_network_protocol_keeps_it_alive),
      test(the_local_address_goes_to_no_peer),
      test(a_peer_may_choose_no_address_that_is_taken),
      test(it_may_end_while_its_interface_is_being_opened),
      test(no_ipv6_in_the_kernel_costs_only_ipv6),
      test(interim_updates_switched_off_later_do_not_become_a_flood),
      test(traffic_of_this_very_moment_is_not_idle),
      test(a_transport_that_stopped_is_not_called),
  };
  return cmocka_run_group_tests_name("session end", tests, NULL, NULL);
}
