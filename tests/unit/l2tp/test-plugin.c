/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/net/protected.h"
#include "world.h"

static void a_dial_becomes_a_link_on_both_sides(void **state) {
  world_both("", "");
  world_dial_up();
  Link *s = world_last_link(&server), *c = world_last_link(&client);
  assert_true(c->client);
  assert_ptr_equal(c->token, &client);
  assert_null(s->token);
  assert_string_equal(s->service, "lns");
  assert_string_equal(s->caller_id, "192.0.2.2");
  assert_string_equal(s->called_id, "192.0.2.1");
  assert_int_equal(s->encap.kind, ADIT_ENCAP_L2TPV2_UDP);
  assert_int_equal(s->encap.local_tunnel, c->encap.peer_tunnel);
  assert_int_equal(s->encap.peer_session, c->encap.local_session);
  assert_int_equal(s->encap.local_session, c->encap.peer_session);
  assert_int_equal(s->encap.sequence, ADIT_SEQUENCE_FOLLOW);
  assert_int_equal(server.ups, 1);
  assert_int_equal(client.ups, 1);
  assert_int_equal(server.l2tp->half_open.count, 0);
  assert_int_equal(server.l2tp->starting, 1); /* until its session is up */
  l2tp_link_started(server.l2tp, s->id);
  assert_int_equal(server.l2tp->starting, 0);

  assert_int_equal(adit_value_length(adit_value_get(world_call(&server, "ListTunnels", NULL), "tunnels")), 1);
  const AditValue *lns = adit_value_at(adit_value_get(world_call(&server, "ListServers", NULL), "servers"), 0);
  assert_string_equal(adit_value_get_string(lns, "listens", ""), "192.0.2.1:1701");
  assert_int_equal(adit_value_get_int(lns, "sessions", 0), 1);
  AditValue *which = adit_value_map();
  g_autofree char *id = g_strdup_printf("%u", s->encap.local_tunnel);
  adit_value_set(which, "id", adit_value_string(id));
  const AditValue *tunnel = adit_value_get(world_call(&server, "GetTunnel", which), "tunnel");
  assert_string_equal(adit_value_get_string(tunnel, "peer-name", ""), "adit-lac");
  assert_int_equal(adit_value_length(adit_value_get(tunnel, "call-list")), 1);
  assert_int_equal(adit_value_get_int(adit_value_get(world_call(&server, "GetStats", NULL), "stats"), "tunnels-up", 0), 1);
  world_end();
}

static guint protected_for(const char *text) {
  AditAddress address;
  AditProtected found = {0};
  assert_true(adit_address_parse(text, &address));
  return adit_protected_by(&address, ADIT_PROTECT_ANY, &found) ? found.kind : 0;
}

/* A stranger's SCCRQ protects nothing, as its address may be another's. */
static void outer_addresses_are_protected_while_a_tunnel_is_up(void **state) {
  world_both("", "");
  world_dial(0, &client);
  assert_int_equal(protected_for("192.0.2.1"), 0); /* the one that we dial may be inside of a tunnel to come */
  for (guint ms = 0; ms < 100 && !server.l2tp->half_open.count; ms++)
    world_run(1);
  assert_int_equal(server.l2tp->half_open.count, 1);
  assert_int_equal(protected_for("192.0.2.2"), 0);
  world_run(1000);
  assert_int_equal(server.ups, 1);
  assert_int_equal(protected_for("192.0.2.1"), ADIT_PROTECT_ENDPOINT);
  assert_int_equal(protected_for("192.0.2.2"), ADIT_PROTECT_ENDPOINT);
  world_core_ends(&client, 100);
  world_run(60000);
  assert_int_equal(g_hash_table_size(server.l2tp->tunnels), 0);
  assert_int_equal(adit_protected_count(), 0);
  world_dial(0, &client);
  world_run(1000);
  world_end();
  assert_int_equal(adit_protected_count(), 0);
}

static void what_the_core_ends_is_hung_up(void **state) {
  world_both("", "");
  for (guint who = 0; who < 2; who++) {
    world_dial_up();
    Link *mine = world_last_link(who ? &client : &server), *other = world_last_link(who ? &server : &client);
    mine->open = FALSE;
    mine->ops->closed(mine->user, mine->id, ADIT_CAUSE_USER_ERROR, "wrong password");
    world_run(200);
    assert_false(other->open);
    assert_int_equal(other->cause, ADIT_CAUSE_USER_REQUEST);
    assert_non_null(strstr(other->closed_why, "wrong password"));
    world_run(40000); /* the client's tunnel goes with its only call */
    assert_int_equal(g_hash_table_size(client.l2tp->tunnels), 0);
    assert_int_equal(g_hash_table_size(server.l2tp->tunnels), 0);
  }
  assert_int_equal(((L2tpService *)server.l2tp->setup->servers->pdata[0])->load->links, 0);
  assert_int_equal(client.dials_failed, 0); /* the link was there: the core heard of it otherwise */
  world_end();
}

static void a_dial_that_finds_nobody_fails_once(void **state) {
  world_begin();
  assert_true(world_configure(&client, "l2tp: { clients: [ { " CLIENT_ITEM " } ] }"));
  assert_non_null(world_dial(0, &client));
  assert_int_equal(client.dials_failed, 0);
  world_run(60000);
  assert_int_equal(client.dials_failed, 1);
  assert_string_equal(client.dial_error, "the peer does not answer");
  assert_int_equal(g_hash_table_size(client.l2tp->tunnels), 0);
  world_end();
}

static void a_dial_given_up_is_quiet(void **state) {
  world_both("", "");
  AditDial *dial = world_dial(0, &client);
  world_run(2);
  client.transport->dial_cancel(dial);
  world_run(100000);
  assert_int_equal(client.dials_failed, 0);
  assert_int_equal(g_hash_table_size(client.l2tp->tunnels), 0);
  assert_int_equal(g_hash_table_size(server.l2tp->tunnels), 0);
  world_end();
}

static void names_are_looked_up(void **state) {
  world_begin();
  assert_true(world_configure(&server, "l2tp: { servers: [ { name: lns, addresses: [127.0.0.1], data-path: 'null' } ] }"));
  assert_true(world_configure(&client, "l2tp: { clients: [ { name: dial, connect-to: localhost, src-address: 127.0.0.2, data-path: 'null', "
                                       "user: a, password: b } ] }"));
  assert_non_null(world_dial(0, &client));
  world_run(200);
  assert_int_equal(world_open_links(&client), 1);
  AditDial *dial = world_dial(0, &client);
  client.transport->dial_cancel(dial); /* while the name is being looked up */
  world_run(200);
  assert_int_equal(world_open_links(&client), 1);
  assert_int_equal(client.dials_failed, 0);
  world_end();
}

static void src_address_and_server_must_be_of_one_family(void **state) {
  world_begin();
  assert_true(world_configure(&client,
                              "l2tp: { clients: [ { name: dial, connect-to: '2001:db8::1', src-address: 192.0.2.2, data-path: 'null', "
                              "user: a, password: b } ] }"));
  assert_null(world_dial(0, &client));
  assert_non_null(strstr(client.dial_error, "one family"));
  world_end();
}

static void a_veto_reaches_the_peer(void **state) {
  world_both("", "");
  world_refuse = TRUE; /* on both sides: the client's link is refused first */
  assert_non_null(world_dial(0, &client));
  world_run(200);
  assert_int_equal(world_open_links(&server) + world_open_links(&client), 0);
  assert_int_equal(client.dials_failed, 1);
  assert_string_equal(client.dial_error, "vetoed by the test");
  assert_int_equal(client.l2tp->stats.calls_refused, 1);
  assert_int_equal(client.l2tp->stats.calls_down, 0); /* it was never up */
  world_run(40000);
  assert_int_equal(g_hash_table_size(server.l2tp->tunnels), 0);
  world_end();
}

static void sequencing_is_steered(void **state) {
  world_both("", ", data-sequencing: require, reorder-timeout: 50ms");
  world_dial_up();
  assert_int_equal(world_last_link(&client)->encap.sequence, ADIT_SEQUENCE_SEND | ADIT_SEQUENCE_REQUIRE);
  assert_int_equal(world_last_link(&client)->encap.reorder_ms, 50);
  assert_int_equal(world_last_link(&server)->encap.sequence, ADIT_SEQUENCE_SEND | ADIT_SEQUENCE_REQUIRE);
  world_end();
}

static void caller_id_by_number(void **state) {
  world_both(", caller-id-type: number", ", calling-number: '0049', called-number: '0050'");
  world_dial_up();
  assert_string_equal(world_last_link(&server)->caller_id, "0049");
  assert_string_equal(world_last_link(&server)->called_id, "0050");
  world_end();
}

static void session_limits(void **state) {
  static const char *const limits[] = {", max-sessions: 1", ", one-session-per-host: yes"};
  for (guint i = 0; i < 2; i++) {
    world_both(limits[i], ", random-source-port: yes");
    world_dial_up();
    assert_non_null(world_dial(0, &client));
    world_run(200);
    assert_int_equal(world_open_links(&server), 1);
    assert_int_equal(client.dials_failed, 1);
    assert_int_equal(server.l2tp->stats.calls_refused, 1);
    world_end();
  }
}

static void session_limits_hold_for_calls_that_come_at_once(void **state) {
  static const char *const limits[] = {", max-sessions: 1", ", one-session-per-host: yes"};
  for (guint i = 0; i < 2; i++) {
    world_both(limits[i], ", random-source-port: yes");
    for (guint n = 0; n < 3; n++)
      assert_non_null(world_dial(0, &client));
    world_run(2000);
    assert_int_equal(world_open_links(&server), 1);
    assert_int_equal(world_open_links(&client), 1);
    assert_int_equal(server.l2tp->stats.calls_refused, 2);
    world_end();
  }
}

static L2tpResult refused;
static guint refusals;

/** Notes what the CDNs on the wire say. */
static void tap_cdn(const AditPath *path, const guint8 *datagram, gsize length) {
  L2tpHeader h;
  L2tpMessage m;
  L2tpParse how = {0};

  if (!l2tp_header_parse(&h, datagram, length) || !h.control || !h.length)
    return;
  l2tp_message_parse(&m, &how, datagram + h.offset, h.length);
  if (m.type == L2TP_CDN && l2tp_message_result(&m, TRUE, &refused))
    refusals++;
}

/* Nobody here dials out for a peer, and a client takes no calls: it is told so, and what stands goes on. */
static void rfc2661_4_4_2_calls_that_nobody_takes_are_refused(void **state) {
  static const struct {
    Side *from;
    L2tpCallRole role;
    const char *text;
  } rows[] = {
      {&client, L2TP_CALL_OUTGOING_LNS, "no calls are placed here"},
      {&server, L2TP_CALL_OUTGOING_LNS, "no calls are placed here"},
      {&server, L2TP_CALL_INCOMING_LAC, "a client takes no calls"},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    L2tpCallInfo info = {.called = (char *)"110"};
    world_both("", "");
    world_dial_up();
    world_tap = tap_cdn;
    refusals = 0;
    GHashTableIter iter;
    gpointer peer;
    g_hash_table_iter_init(&iter, rows[i].from->l2tp->tunnels);
    assert_true(g_hash_table_iter_next(&iter, NULL, &peer));
    L2tpTunnelEnv env = l2tp_peer_env(peer);
    assert_int_not_equal(l2tp_tunnel_call_open(&((L2tpPeer *)peer)->tunnel, &env, rows[i].role, &info), 0);
    world_run(100);
    assert_int_equal(refusals, 1);
    assert_int_equal(refused.result, L2TP_CDN_NO_FACILITIES);
    assert_string_equal(refused.text, rows[i].text);
    world_tap = NULL;
    if (rows[i].from == &server)
      assert_int_equal(world_open_links(&client), 1);
    world_end();
  }
}

/* ---- start, reload and stop ---- */

/* A check of the configuration prepares and aborts: it must not need what another process has, nor keep that from it. */
static void before_the_start_nothing_is_opened(void **state) {
  extern const AditPluginInfo adit_plugin_info;
  g_autoptr(GError) error = NULL;

  world_begin();
  assert_true(world_configure(&client, "l2tp: { servers: [ { " SERVER_ITEM " } ] }")); /* the address is taken */
  server.l2tp->running = FALSE;
  assert_true(world_configure(&server, "l2tp: { servers: [ { " SERVER_ITEM " } ] }"));
  assert_int_equal(server.l2tp->listeners->len, 0);
  assert_false(adit_plugin_info.start(server.state, &error));
  assert_non_null(strstr(error->message, "server `lns' can't listen on 192.0.2.1:1701"));
  assert_int_equal(server.l2tp->listeners->len, 0);

  assert_true(world_configure(&client, "l2tp: { servers: [] }"));
  assert_true(adit_plugin_info.start(server.state, NULL)); /* and now it is free */
  assert_int_equal(server.l2tp->listeners->len, 1);
  world_end();
}

static void reload_keeps_what_it_can(void **state) {
  world_both("", "");
  world_dial_up();
  assert_true(world_configure(&server, "l2tp: { servers: [ { " SERVER_ITEM ", max-sessions: 1 } ] }"));
  world_run(100);
  assert_int_equal(world_open_links(&server), 1);
  assert_int_equal(server.l2tp->listeners->len, 1);
  assert_non_null(world_dial(0, &client)); /* the one that stands counts for the new limit */
  world_run(200);
  assert_int_equal(world_open_links(&server), 1);

  assert_false(
      world_configure(&server, "l2tp: { servers: [ { " SERVER_ITEM " }, { name: other, addresses: [192.0.2.3], data-path: nope } ] }"));
  assert_int_equal(server.l2tp->listeners->len, 1);
  assert_int_equal(world_open_links(&server), 1);

  assert_true(world_configure(&server, "l2tp: { servers: [ { " SERVER_ITEM ", enabled: no } ] }"));
  world_run(100);
  assert_int_equal(world_open_links(&server), 0);
  assert_int_equal(world_open_links(&client), 0);
  world_run(40000);
  assert_int_equal(server.l2tp->listeners->len, 0);
  world_end();
}

static void on_stopped(AditPlugin *plugin) {
  server.stopped++;
}

static void on_client_stopped(AditPlugin *plugin) {
  client.stopped++;
}

static void a_name_that_is_found_while_stopping_is_not_dialled(void **state) {
  extern const AditPluginInfo adit_plugin_info;

  world_begin();
  assert_true(world_configure(&client, "l2tp: { clients: [ { name: dial, connect-to: localhost, src-address: 127.0.0.2, data-path: 'null', "
                                       "user: a, password: b } ] }"));
  assert_non_null(world_dial(0, &client));
  adit_plugin_info.stop(client.state, on_client_stopped, (AditPlugin *)&client.plugin);
  world_run(100);
  assert_int_equal(client.dials_failed, 1);
  assert_string_equal(client.dial_error, "stopping");
  assert_int_equal(world_sent, 0);
  world_end();
}

static void stopping_tells_everybody_and_waits_with_a_limit(void **state) {
  extern const AditPluginInfo adit_plugin_info;
  for (guint deaf = 0; deaf < 2; deaf++) {
    world_both("", "");
    world_dial_up();
    world_loss = deaf ? 100 : 0;
    adit_plugin_info.stop(server.state, on_stopped, (AditPlugin *)&server.plugin);
    assert_int_equal(world_last_link(&server)->open, FALSE);
    assert_int_equal(world_last_link(&server)->cause, ADIT_CAUSE_ADMIN_REBOOT);
    world_run(100);
    assert_int_equal(server.stopped, !deaf);
    assert_int_equal(world_open_links(&client), deaf);
    world_run(4500); /* the daemon gives 5 s to all plugins */
    assert_int_equal(server.stopped, 1);
    world_end();
  }
}

/* The answers of a thousand tunnels closed at once would find the queues of control full, and their tunnels wait for repeats. */
static void stopping_closes_many_tunnels_bit_by_bit(void **state) {
  extern const AditPluginInfo adit_plugin_info;
  guint before;

  world_both("", "");
  for (guint i = 0; i < 200; i++)
    assert_non_null(world_dial(0, &client));
  world_run(2000);
  assert_int_equal(world_open_links(&server), 200);
  before = world_sent;
  adit_plugin_info.stop(server.state, on_stopped, (AditPlugin *)&server.plugin);
  assert_in_range(world_sent - before, 1, 100);
  assert_int_equal(server.stopped, 0);
  world_run(200);
  assert_int_equal(world_open_links(&server), 0);
  assert_int_equal(server.stopped, 1);
  world_end();
}

/* What the core still has open when the plugin says that it has stopped would call freed memory at a late Terminate-Ack. */
static void stopping_at_its_limit_closes_the_links_of_all_tunnels(void **state) {
  extern const AditPluginInfo adit_plugin_info;

  world_both("", "");
  for (guint i = 0; i < 200; i++)
    assert_non_null(world_dial(0, &client));
  world_run(2000);
  assert_int_equal(world_open_links(&server), 200);
  adit_plugin_info.stop(server.state, on_stopped, (AditPlugin *)&server.plugin);
  assert_true(world_open_links(&server) > 64);
  world_hold_up(5000);
  assert_int_equal(server.stopped, 1);
  assert_int_equal(world_open_links(&server), 0);
  world_core_ends(&server, 100);
  world_end();
}

static void stop_by_seed(guint32 seed) {
  extern const AditPluginInfo adit_plugin_info;
  guint tunnels, passes;

  world_both("", "");
  world_seed(seed);
  tunnels = 1 + world_random(250);
  world_loss = world_random(2) ? 0 : world_random(60);
  for (guint i = 0; i < tunnels; i++)
    assert_non_null(world_dial(0, &client));
  world_run(world_random(3000));
  if (world_random(2))
    world_core_ends(&server, world_random(101)); /* goodbyes of PPP that were acknowledged before the limit of sessions */
  adit_plugin_info.stop(server.state, on_stopped, (AditPlugin *)&server.plugin);
  passes = world_random(2) ? world_random(50) : 0;
  for (guint i = 0; i < passes && !server.stopped; i++) {
    world_core_ends(&server, world_random(20));
    if (world_random(8) == 0)
      world_hold_up(world_random(2500));
    world_run(1 + world_random(100));
  }
  if (world_random(2))
    world_hold_up(5000);
  world_run(5000);
  assert_int_equal(server.stopped, 1);
  assert_int_equal(world_open_links(&server), 0);
  world_core_ends(&server, 100);
  world_end();
}

/* Goodbyes, their acknowledgements, losses and the limit race: whatever comes first, each link is closed once, by one side. */
static void stopping_races_by_seeds(void **state) {
  const char *seeds = g_getenv("ADIT_SEEDS");
  guint n = seeds ? (guint)atoi(seeds) / 100 : 100;

  for (guint seed = 1; seed <= MAX(n, 1); seed++) {
    stop_by_seed(seed);
  }
}

static void a_bad_network_ends_in_links_all_the_same(void **state) {
  world_both("", ", random-source-port: yes");
  world_loss = 20;
  for (guint i = 0; i < 50; i++)
    world_dial(0, &client);
  world_run(60000);
  assert_true(world_open_links(&client) >= 48);
  assert_int_equal(world_open_links(&client) + client.dials_failed, 50);
  world_end();
}

/* The engine's defaults are the options', for those who use it without a configuration. */
static void the_engine_and_the_options_have_the_same_defaults(void **state) {
  L2tpTunnelConfig engine;

  world_begin();
  assert_true(world_configure(&server, "l2tp: { servers: [ { " SERVER_ITEM " } ] }"));
  const L2tpService *service = server.l2tp->setup->servers->pdata[0];
  const L2tpTunnelConfig *t = &service->tunnel;
  l2tp_tunnel_config_init(&engine);
  assert_int_equal(t->hello_ms, engine.hello_ms);
  assert_int_equal(t->setup_ms, engine.setup_ms);
  assert_int_equal(t->channel.receive_window, engine.channel.receive_window);
  assert_int_equal(t->channel.retry_ms, engine.channel.retry_ms);
  assert_int_equal(t->channel.retry_cap_ms, engine.channel.retry_cap_ms);
  assert_int_equal(t->channel.tries, engine.channel.tries);
  assert_true(t->demand_auth == engine.demand_auth && t->hide == engine.hide && t->permissive == engine.permissive);
  world_end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_engine_and_the_options_have_the_same_defaults),
      cmocka_unit_test(a_dial_becomes_a_link_on_both_sides),
      cmocka_unit_test(outer_addresses_are_protected_while_a_tunnel_is_up),
      cmocka_unit_test(what_the_core_ends_is_hung_up),
      cmocka_unit_test(a_dial_that_finds_nobody_fails_once),
      cmocka_unit_test(a_dial_given_up_is_quiet),
      cmocka_unit_test(names_are_looked_up),
      cmocka_unit_test(src_address_and_server_must_be_of_one_family),
      cmocka_unit_test(a_veto_reaches_the_peer),
      cmocka_unit_test(sequencing_is_steered),
      cmocka_unit_test(caller_id_by_number),
      cmocka_unit_test(session_limits),
      cmocka_unit_test(session_limits_hold_for_calls_that_come_at_once),
      cmocka_unit_test(rfc2661_4_4_2_calls_that_nobody_takes_are_refused),
      cmocka_unit_test(before_the_start_nothing_is_opened),
      cmocka_unit_test(reload_keeps_what_it_can),
      cmocka_unit_test(a_name_that_is_found_while_stopping_is_not_dialled),
      cmocka_unit_test(stopping_tells_everybody_and_waits_with_a_limit),
      cmocka_unit_test(stopping_closes_many_tunnels_bit_by_bit),
      cmocka_unit_test(stopping_at_its_limit_closes_the_links_of_all_tunnels),
      cmocka_unit_test(stopping_races_by_seeds),
      cmocka_unit_test(a_bad_network_ends_in_links_all_the_same),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
