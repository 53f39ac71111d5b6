/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "world.h"

#define SERVER_ITEM "name: lns, addresses: [192.0.2.1], data-path: 'null', access-concentrator: adit-lns"
#define CLIENT_ITEM                                                                                                                        \
  "name: dial, connect-to: 192.0.2.1, src-address: 192.0.2.2, data-path: 'null', user: anna, password: x, access-concentrator: adit-lac"

static void both(const char *server_more, const char *client_more) {
  g_autofree char *s = g_strdup_printf("l2tp: { servers: [ { %s%s } ] }", SERVER_ITEM, server_more);
  g_autofree char *c = g_strdup_printf("l2tp: { clients: [ { %s%s } ] }", CLIENT_ITEM, client_more);
  world_begin();
  assert_true(world_configure(&server, s));
  assert_true(world_configure(&client, c));
}

static void dial_up(void) {
  assert_non_null(world_dial(0, &client));
  world_run(200);
  assert_int_equal(world_open_links(&server), 1);
  assert_int_equal(world_open_links(&client), 1);
}

static void a_dial_becomes_a_link_on_both_sides(void **state) {
  both("", "");
  dial_up();
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
  assert_int_equal(server.l2tp->half_open.length, 0);
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

static void what_the_core_ends_is_hung_up(void **state) {
  both("", "");
  for (guint who = 0; who < 2; who++) {
    dial_up();
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
  assert_int_equal(*((L2tpService *)server.l2tp->setup->servers->pdata[0])->sessions, 0);
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
  both("", "");
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
  both("", "");
  world_refuse = TRUE; /* on both sides: the client's link is refused first */
  assert_non_null(world_dial(0, &client));
  world_run(200);
  assert_int_equal(world_open_links(&server) + world_open_links(&client), 0);
  assert_int_equal(client.dials_failed, 1);
  assert_string_equal(client.dial_error, "vetoed by the test");
  world_run(40000);
  assert_int_equal(g_hash_table_size(server.l2tp->tunnels), 0);
  world_end();
}

static void sequencing_is_steered(void **state) {
  both("", ", data-sequencing: require, reorder-timeout: 50ms");
  dial_up();
  assert_int_equal(world_last_link(&client)->encap.sequence, ADIT_SEQUENCE_SEND | ADIT_SEQUENCE_REQUIRE);
  assert_int_equal(world_last_link(&client)->encap.reorder_ms, 50);
  assert_int_equal(world_last_link(&server)->encap.sequence, ADIT_SEQUENCE_SEND | ADIT_SEQUENCE_REQUIRE);
  world_end();
}

static void caller_id_by_number(void **state) {
  both(", caller-id-type: number", ", calling-number: '0049', called-number: '0050'");
  dial_up();
  assert_string_equal(world_last_link(&server)->caller_id, "0049");
  assert_string_equal(world_last_link(&server)->called_id, "0050");
  world_end();
}

static void session_limits(void **state) {
  static const char *const limits[] = {", max-sessions: 1", ", one-session-per-host: yes"};
  for (guint i = 0; i < 2; i++) {
    both(limits[i], ", random-source-port: yes");
    dial_up();
    assert_non_null(world_dial(0, &client));
    world_run(200);
    assert_int_equal(world_open_links(&server), 1);
    assert_int_equal(client.dials_failed, 1);
    assert_int_equal(server.l2tp->stats.calls_refused, 1);
    world_end();
  }
}

/* ---- secrets ---- */

static void secrets_are_chosen_by_peer(void **state) {
  world_begin();
  assert_true(world_configure(&server, "l2tp: { servers: [ { " SERVER_ITEM ", tunnel-authentication: yes, hide-avps: yes } ], secrets: [ "
                                       "{ address: 192.0.2.0/24, secret: by-net }, { address: 192.0.2.2/32, secret: by-address }, "
                                       "{ address: 192.0.2.2/32, host-name: 'adit-*', secret: by-name }, { secret: by-default } ] }"));
  assert_true(world_configure(&client, "l2tp: { clients: [ { " CLIENT_ITEM
                                       ", hide-avps: yes, tunnel-authentication: yes, tunnel-secret: by-name } ] }"));
  dial_up();
  AditAddress a;
  const L2tpSetup *setup = server.l2tp->setup;
  adit_address_parse("192.0.2.9", &a);
  assert_string_equal(l2tp_setup_secret(setup, &a, "adit-lac"), "by-net");
  adit_address_parse("192.0.2.2", &a);
  assert_string_equal(l2tp_setup_secret(setup, &a, "other"), "by-address");
  adit_address_parse("2001:db8::1", &a);
  assert_string_equal(l2tp_setup_secret(setup, &a, NULL), "by-default");
  world_end();
}

static void a_wrong_tunnel_secret_fails_the_dial(void **state) {
  world_begin();
  assert_true(
      world_configure(&server, "l2tp: { servers: [ { " SERVER_ITEM ", tunnel-authentication: yes } ], secrets: [ { secret: right } ] }"));
  assert_true(world_configure(&client, "l2tp: { clients: [ { " CLIENT_ITEM " } ], secrets: [ { secret: wrong } ] }"));
  assert_non_null(world_dial(0, &client));
  world_run(1000);
  assert_int_equal(client.dials_failed, 1);
  assert_non_null(strstr(client.dial_error, "not authorized"));
  assert_int_equal(world_links->len, 0);
  world_end();
}

static void no_secret_where_one_is_demanded(void **state) {
  both(", tunnel-authentication: yes", "");
  assert_non_null(world_dial(0, &client));
  world_run(1000);
  assert_int_equal(client.dials_failed, 1);
  assert_int_equal(server.l2tp->stats.refused, 1);
  assert_int_equal(server.l2tp->stats.new_tunnels, 0); /* refused without keeping anything */
  assert_true(world_configure(&client, "l2tp: { clients: [ { " CLIENT_ITEM ", tunnel-authentication: yes } ] }"));
  assert_null(world_dial(0, &client));
  assert_non_null(strstr(client.dial_error, "needs a secret"));
  world_end();
}

/* ---- which server ---- */

static void servers_are_chosen_by_address_then_peers(void **state) {
  world_begin();
  assert_true(world_configure(&server, "l2tp: { servers: ["
                                       "{ name: all, addresses: [192.0.2.1], data-path: 'null' },"
                                       "{ name: net, addresses: [192.0.2.1], data-path: 'null', peers: [ { address: 198.51.100.0/24 } ] },"
                                       "{ name: host, addresses: [192.0.2.1], data-path: 'null', peers: [ { address: 198.51.100.7/32 } ] },"
                                       "{ name: named, addresses: [192.0.2.1], data-path: 'null', peers: [ { host-name: 'lac-*' } ] },"
                                       "{ name: exact, addresses: [192.0.2.1], data-path: 'null', peers: [ { host-name: 'lac-1' } ] },"
                                       "{ name: off, addresses: [192.0.2.9], data-path: 'null', enabled: no },"
                                       "{ name: elsewhere, addresses: [192.0.2.2], data-path: 'null' } ] }"));
  static const struct {
    const char *local, *remote, *host, *server;
  } rows[] = {
      {"192.0.2.1", "203.0.113.1", "x", "all"},        {"192.0.2.1", "198.51.100.1", "x", "net"},
      {"192.0.2.1", "198.51.100.7", "x", "host"},      {"192.0.2.1", "203.0.113.1", "lac-7", "named"},
      {"192.0.2.1", "203.0.113.1", "lac-1", "exact"},  {"192.0.2.1", "198.51.100.1", "lac-1", "net"},
      {"192.0.2.2", "198.51.100.7", "x", "elsewhere"}, {"192.0.2.9", "198.51.100.7", "x", NULL},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    AditAddress local, remote;
    assert_true(adit_address_parse(rows[i].local, &local) && adit_address_parse(rows[i].remote, &remote));
    AditEndpoint at = adit_endpoint(&local, 1701);
    L2tpService *found = l2tp_setup_choose(server.l2tp->setup, &at, &remote, rows[i].host);
    if (g_strcmp0(found ? found->name : NULL, rows[i].server))
      fail_msg("row %u: %s", i, found ? found->name : "none");
  }
  world_end();
}

static void a_tie_is_a_configuration_error_with_its_places(void **state) {
  static const struct {
    const char *yaml, *says;
  } rows[] = {
      {"l2tp:\n  servers:\n  - { name: a, data-path: 'null' }\n  - { name: b, data-path: 'null' }\n",
       "adit.yaml:4:5: servers `a' (adit.yaml:3:5) and `b' listen on the same address, and neither says for which `peers'"},
      {"l2tp:\n  servers:\n  - { name: a, data-path: 'null', peers: [ { address: 10.0.0.0/8 } ] }\n"
       "  - { name: b, data-path: 'null', peers: [ { address: 10.1.2.3/8 } ] }\n",
       "servers `a' (adit.yaml:3:"},
      {"l2tp:\n  secrets:\n  - { secret: a }\n  - { secret: b }\n",
       "adit.yaml:4:5: this secret is for the same peers as the one at adit.yaml:3:5"},
      {"l2tp: { servers: [ { name: a, data-path: nope } ] }", "there is no data path `nope'"},
  };
  world_begin();
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    assert_false(world_configure(&server, rows[i].yaml));
    if (!strstr(server.prepare_error, rows[i].says))
      fail_msg("%s", server.prepare_error);
  }
  assert_int_equal(server.l2tp->listeners->len, 0); /* nothing is left behind */
  world_end();
}

/* ---- strangers ---- */

static guint16 answered_id;
static guint answers;

/** Notes what the server says to a stranger: tunnel id of an SCCRP, and how many answers there were. */
static void tap(const AditPath *path, const guint8 *datagram, gsize length) {
  L2tpHeader h;
  L2tpMessage m;
  L2tpParse how = {0};
  AditAddress local = adit_endpoint_address(&path->local);

  if (!l2tp_header_parse(&h, datagram, length) || !h.control || adit_address_to_ipv4(&local) != 0xc0000201)
    return;
  answers++;
  if (!h.length)
    return;
  l2tp_message_parse(&m, &how, datagram + h.offset, h.length);
  if (m.type == L2TP_SCCRP)
    answered_id = (guint16)l2tp_message_number(&m, L2TP_AVP_ASSIGNED_TUNNEL_ID);
}

static gsize sccrq(L2tpWriter *w, const char *host, guint16 id, const guint8 *tie) {
  l2tp_write_begin(w, L2TP_SCCRQ, 0, 0, NULL, NULL);
  l2tp_write_u16(w, L2TP_AVP_PROTOCOL_VERSION, 0x0100);
  l2tp_write_text(w, L2TP_AVP_HOST_NAME, host);
  l2tp_write_u32(w, L2TP_AVP_FRAMING_CAPABILITIES, 3);
  l2tp_write_u16(w, L2TP_AVP_ASSIGNED_TUNNEL_ID, id);
  if (tie)
    l2tp_write_bytes(w, L2TP_AVP_TIE_BREAKER, tie, 8);
  return l2tp_write_end(w);
}

static void knock(const char *from, guint16 port, const char *host, guint16 id) {
  L2tpWriter w;
  gsize length = sccrq(&w, host, id, NULL);
  world_send(from, port, "192.0.2.1", w.buffer, length);
  world_run(3);
}

/** Completes the tunnel that knock() began. */
static void confirm(const char *from, guint16 port, guint16 id) {
  L2tpWriter w;
  l2tp_write_begin(&w, L2TP_SCCCN, id, 0, NULL, NULL);
  gsize length = l2tp_write_end(&w);
  l2tp_header_set_sequence(w.buffer, 1, 1);
  world_send(from, port, "192.0.2.1", w.buffer, length);
  world_run(3);
}

static void a_repeated_sccrq_is_the_same_tunnel(void **state) {
  both("", "");
  world_tap = tap;
  answers = 0;
  knock("198.51.100.1", 4444, "lac", 9);
  knock("198.51.100.1", 4444, "lac", 9);
  assert_int_equal(g_hash_table_size(server.l2tp->tunnels), 1);
  assert_int_equal(server.l2tp->stats.repeated, 1);
  assert_true(answers >= 2); /* SCCRP, and SCCRP again */
  confirm("198.51.100.1", 4444, answered_id);
  assert_int_equal(server.ups, 1);
  answers = 0;
  knock("198.51.100.1", 4444, "lac", 9); /* late: acknowledged, no more */
  assert_int_equal(answers, 1);
  assert_int_equal(g_hash_table_size(server.l2tp->tunnels), 1);
  world_end();
}

static void a_restarted_peer_replaces_its_stale_tunnel(void **state) {
  for (guint keep = 0; keep < 2; keep++) {
    both(keep ? ", stale-tunnel: keep" : "", "");
    world_tap = tap;
    knock("198.51.100.1", 4444, "lac", 9);
    confirm("198.51.100.1", 4444, answered_id);
    guint16 first = answered_id;
    knock("198.51.100.1", 4444, "lac", 10);
    /* Anybody can forge an SCCRQ: it alone must not end what stands. */
    L2tpPeer *peer = g_hash_table_lookup(server.l2tp->tunnels, GUINT_TO_POINTER(first));
    assert_int_equal(peer->tunnel.state, L2TP_TUNNEL_ESTABLISHED);
    confirm("198.51.100.1", 4444, answered_id);
    assert_int_equal(server.ups, 2);
    assert_int_equal(server.downs, 0);
    world_run(5000); /* it is asked, and does not answer */
    assert_int_equal(server.downs, !keep);
    assert_int_equal(server.l2tp->stats.replaced, !keep);
    assert_int_equal(g_hash_table_contains(server.l2tp->tunnels, GUINT_TO_POINTER(first)), keep);
    /* another host behind the same address is not stale */
    knock("198.51.100.1", 5555, "lac", 11);
    confirm("198.51.100.1", 5555, answered_id);
    assert_int_equal(server.downs, !keep);
    world_end();
  }
}

static void two_clients_of_one_host_are_not_stale(void **state) {
  both("", "");
  dial_up();
  assert_non_null(world_dial(0, &client)); /* same address, port and name */
  world_run(20000);
  assert_int_equal(world_open_links(&server), 2);
  assert_int_equal(server.l2tp->stats.replaced, 0);
  world_end();
}

static void junk_allocates_nothing(void **state) {
  both("", "");
  world_tap = tap;
  answers = 0;
  L2tpWriter w;
  gsize length;
  for (guint type = 0; type <= L2TP_MESSAGE_MAX + 1; type++) {
    if (type == L2TP_SCCRQ)
      continue;
    l2tp_write_begin(&w, (guint16)type, 0, 0, NULL, NULL);
    length = l2tp_write_end(&w);
    world_send("198.51.100.1", 1, "192.0.2.1", w.buffer, length);
    l2tp_write_begin(&w, (guint16)type, 4711, 0, NULL, NULL);
    length = l2tp_write_end(&w);
    world_send("198.51.100.1", 1, "192.0.2.1", w.buffer, length);
  }
  length = sccrq(&w, "lac", 9, NULL);
  l2tp_header_set_sequence(w.buffer, 1, 0); /* not the first message */
  world_send("198.51.100.1", 1, "192.0.2.1", w.buffer, length);
  l2tp_header_set_sequence(w.buffer, 0, 1);
  world_send("198.51.100.1", 1, "192.0.2.1", w.buffer, length);
  for (gsize cut = 0; cut < length; cut++)
    world_send("198.51.100.1", 1, "192.0.2.1", w.buffer, cut);
  world_run(10);
  assert_int_equal(answers, 0);
  assert_int_equal(g_hash_table_size(server.l2tp->tunnels), 0);
  assert_int_equal(server.l2tp->stats.new_tunnels, 0);
  assert_true(server.l2tp->stats.malformed > 10);
  assert_true(server.l2tp->stats.unknown_tunnel > 10);
  world_end();
}

static void an_sccrq_with_an_error_is_refused_statelessly(void **state) {
  static const guint8 unknown[] = {0x80, 8, 0, 0, 0, 99, 1, 2};
  both("", "");
  world_tap = tap;
  answers = 0;
  L2tpWriter w;
  sccrq(&w, "lac", 9, NULL);
  adit_put_bytes(&w.b, unknown, sizeof unknown);
  gsize length = l2tp_write_end(&w);
  world_send("198.51.100.1", 1, "192.0.2.1", w.buffer, length);
  world_run(10);
  assert_int_equal(answers, 1);
  assert_int_equal(server.l2tp->stats.refused, 1);
  assert_int_equal(g_hash_table_size(server.l2tp->tunnels), 0);
  world_end();
}

static void half_open_tunnels_are_bounded_and_the_oldest_goes(void **state) {
  world_begin();
  assert_true(world_configure(&server, "l2tp: { max-half-open: 10, servers: [ { " SERVER_ITEM " } ] }"));
  assert_true(world_configure(&client, "l2tp: { clients: [ { " CLIENT_ITEM " } ] }"));
  dial_up(); /* what stands is not touched */
  for (guint i = 0; i < 500; i++) {
    g_autofree char *from = g_strdup_printf("10.%u.%u.1", i / 200, i % 200);
    knock(from, 1701, "flood", (guint16)(i + 1));
  }
  assert_int_equal(server.l2tp->half_open.length, 10);
  assert_int_equal(g_hash_table_size(server.l2tp->tunnels), 11);
  assert_int_equal(server.l2tp->stats.evicted, 490);
  assert_int_equal(world_open_links(&server), 1);
  world_run(70000); /* and they are forgotten */
  assert_int_equal(g_hash_table_size(server.l2tp->tunnels), 1);
  world_end();
}

/* What is refused only after it was begun is kept to repeat its StopCCN: that, too, is bounded. */
static void refused_tunnels_are_bounded(void **state) {
  static const guint8 challenge[16] = {1};
  world_begin();
  assert_true(world_configure(&server, "l2tp: { max-half-open: 10, servers: [ { " SERVER_ITEM " } ] }"));
  for (guint i = 0; i < 300; i++) {
    L2tpWriter w;
    sccrq(&w, "flood", (guint16)(i + 1), NULL);
    l2tp_write_bytes(&w, L2TP_AVP_CHALLENGE, challenge, sizeof challenge); /* we know no secret */
    gsize length = l2tp_write_end(&w);
    world_send("198.51.100.1", (guint16)(2000 + i), "192.0.2.1", w.buffer, length);
    world_run(2);
  }
  assert_int_equal(server.l2tp->stats.new_tunnels, 300);
  assert_int_equal(g_hash_table_size(server.l2tp->tunnels), 10);
  world_run(40000);
  assert_int_equal(g_hash_table_size(server.l2tp->tunnels), 0);
  world_end();
}

static void one_prefix_is_limited_and_the_honest_get_it_back(void **state) {
  world_begin();
  assert_true(world_configure(&server, "l2tp: { new-tunnel-rate: 1, new-tunnel-burst: 5, servers: [ { " SERVER_ITEM " } ] }"));
  world_tap = tap;
  for (guint i = 0; i < 20; i++)
    knock("198.51.100.1", (guint16)(2000 + i), "flood", (guint16)(i + 1));
  assert_int_equal(server.l2tp->stats.new_tunnels, 5);
  assert_int_equal(server.l2tp->stats.limited, 15);
  for (guint i = 0; i < 20; i++) { /* another prefix; each is confirmed */
    knock("203.0.113.1", (guint16)(2000 + i), "lac", (guint16)(i + 1));
    confirm("203.0.113.1", (guint16)(2000 + i), answered_id);
  }
  assert_int_equal(server.ups, 20);
  world_run(3000); /* three more tokens */
  for (guint i = 0; i < 20; i++)
    knock("198.51.100.1", (guint16)(3000 + i), "flood", (guint16)(100 + i));
  assert_int_equal(server.l2tp->stats.new_tunnels, 28);
  world_end();
}

static void a_storm_waits_its_turn(void **state) {
  world_begin();
  assert_true(world_configure(&server, "l2tp: { max-starting: 1, servers: [ { " SERVER_ITEM " } ] }"));
  assert_true(world_configure(&client, "l2tp: { clients: [ { " CLIENT_ITEM ", random-source-port: yes } ] }"));
  dial_up();
  assert_non_null(world_dial(0, &client));
  world_run(1500);
  assert_int_equal(world_open_links(&server), 1);
  assert_true(server.l2tp->stats.starting_limited > 0);
  l2tp_link_started(server.l2tp, world_last_link(&server)->id);
  world_run(8000); /* it asks again by itself */
  assert_int_equal(world_open_links(&server), 2);
  assert_int_equal(client.dials_failed, 0);
  world_end();
}

static void messages_from_elsewhere_are_dropped(void **state) {
  both("", "");
  dial_up();
  L2tpWriter w;
  l2tp_write_begin(&w, L2TP_STOPCCN, (guint16)world_last_link(&server)->encap.local_tunnel, 0, NULL, NULL);
  l2tp_write_result(&w, 1, 0, NULL);
  gsize length = l2tp_write_end(&w);
  L2tpPeer *peer = g_hash_table_lookup(server.l2tp->tunnels, GUINT_TO_POINTER(world_last_link(&server)->encap.local_tunnel));
  l2tp_header_set_sequence(w.buffer, peer->tunnel.channel.nr, peer->tunnel.channel.ns);
  world_send("192.0.2.3", 1701, "192.0.2.1", w.buffer, length);
  world_send("192.0.2.2", 1702, "192.0.2.1", w.buffer, length);
  world_run(10);
  assert_int_equal(server.l2tp->stats.wrong_path, 2);
  assert_int_equal(world_open_links(&server), 1);
  world_send("192.0.2.2", 1701, "192.0.2.1", w.buffer, length);
  world_run(10);
  assert_int_equal(world_open_links(&server), 0);
  world_end();
}

static void rfc2661_8_1_the_responder_may_answer_from_another_port(void **state) {
  both(", use-ephemeral-ports: yes", "");
  dial_up();
  Link *s = world_last_link(&server), *c = world_last_link(&client);
  assert_int_not_equal(adit_endpoint_port(&s->path.local), 1701);
  assert_true(adit_endpoint_equal(&c->path.remote, &s->path.local));
  assert_int_equal(server.l2tp->listeners->len, 2);
  c->open = FALSE;
  c->ops->closed(c->user, c->id, ADIT_CAUSE_ADMIN_RESET, "down");
  world_run(40000);
  assert_int_equal(server.l2tp->listeners->len, 1); /* the port goes with its tunnel */
  world_end();
}

static void zero_tunnel_ids_in_data_are_a_switch(void **state) {
  both(", allow-zero-tunnel-id: yes", "");
  dial_up();
  assert_int_equal(world_last_link(&server)->encap.local_tunnel, 0);
  assert_int_not_equal(world_last_link(&client)->encap.peer_tunnel, 0);
  world_end();
}

static void a_tie_is_broken(void **state) {
  for (guint wins = 0; wins < 2; wins++) {
    both("", ", tie-breaker: yes");
    assert_true(world_configure(&client,
                                "l2tp: { servers: [ { name: back, addresses: [192.0.2.2], data-path: 'null' } ], clients: [ { " CLIENT_ITEM
                                ", tie-breaker: yes } ] }"));
    world_loss = 100; /* nobody hears our SCCRQ */
    assert_non_null(world_dial(0, &client));
    world_run(2);
    world_loss = 0;
    L2tpWriter w;
    guint8 tie[8];
    memset(tie, wins ? 0xff : 0, sizeof tie);
    gsize length = sccrq(&w, "lns", 77, tie);
    world_send("192.0.2.1", 1701, "192.0.2.2", w.buffer, length);
    world_run(5);
    assert_int_equal(client.l2tp->stats.ties, 1);
    assert_int_equal(client.dials_failed, !wins);
    assert_int_equal(client.l2tp->stats.new_tunnels, !wins);
    world_end();
  }
}

static void a_tunnel_without_calls_is_closed(void **state) {
  both(", no-session-timeout: 10s", "");
  world_tap = tap;
  knock("198.51.100.1", 4444, "lac", 9);
  confirm("198.51.100.1", 4444, answered_id);
  assert_int_equal(server.ups, 1);
  world_run(9000);
  assert_int_equal(server.downs, 0);
  world_run(2000);
  assert_int_equal(server.downs, 1);
  world_end();
}

/* ---- reload and stop ---- */

static void reload_keeps_what_it_can(void **state) {
  both("", "");
  dial_up();
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

static void stopping_tells_everybody_and_waits_with_a_limit(void **state) {
  extern const AditPluginInfo adit_plugin_info;
  for (guint deaf = 0; deaf < 2; deaf++) {
    both("", "");
    dial_up();
    world_loss = deaf ? 100 : 0;
    adit_plugin_info.stop(server.state, on_stopped, (AditPlugin *)&server.plugin);
    assert_int_equal(world_last_link(&server)->open, FALSE);
    assert_int_equal(world_last_link(&server)->cause, ADIT_CAUSE_ADMIN_REBOOT);
    world_run(100);
    assert_int_equal(server.stopped, !deaf);
    assert_int_equal(world_open_links(&client), deaf);
    world_run(5000);
    assert_int_equal(server.stopped, 1);
    world_end();
  }
}

static void a_bad_network_ends_in_links_all_the_same(void **state) {
  both("", ", random-source-port: yes");
  world_loss = 20;
  for (guint i = 0; i < 50; i++)
    world_dial(0, &client);
  world_run(60000);
  assert_true(world_open_links(&client) >= 48);
  assert_int_equal(world_open_links(&client) + client.dials_failed, 50);
  world_end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_dial_becomes_a_link_on_both_sides),
      cmocka_unit_test(what_the_core_ends_is_hung_up),
      cmocka_unit_test(a_dial_that_finds_nobody_fails_once),
      cmocka_unit_test(a_dial_given_up_is_quiet),
      cmocka_unit_test(names_are_looked_up),
      cmocka_unit_test(src_address_and_server_must_be_of_one_family),
      cmocka_unit_test(a_veto_reaches_the_peer),
      cmocka_unit_test(sequencing_is_steered),
      cmocka_unit_test(caller_id_by_number),
      cmocka_unit_test(session_limits),
      cmocka_unit_test(secrets_are_chosen_by_peer),
      cmocka_unit_test(a_wrong_tunnel_secret_fails_the_dial),
      cmocka_unit_test(no_secret_where_one_is_demanded),
      cmocka_unit_test(servers_are_chosen_by_address_then_peers),
      cmocka_unit_test(a_tie_is_a_configuration_error_with_its_places),
      cmocka_unit_test(a_repeated_sccrq_is_the_same_tunnel),
      cmocka_unit_test(a_restarted_peer_replaces_its_stale_tunnel),
      cmocka_unit_test(two_clients_of_one_host_are_not_stale),
      cmocka_unit_test(junk_allocates_nothing),
      cmocka_unit_test(an_sccrq_with_an_error_is_refused_statelessly),
      cmocka_unit_test(half_open_tunnels_are_bounded_and_the_oldest_goes),
      cmocka_unit_test(refused_tunnels_are_bounded),
      cmocka_unit_test(one_prefix_is_limited_and_the_honest_get_it_back),
      cmocka_unit_test(a_storm_waits_its_turn),
      cmocka_unit_test(messages_from_elsewhere_are_dropped),
      cmocka_unit_test(rfc2661_8_1_the_responder_may_answer_from_another_port),
      cmocka_unit_test(zero_tunnel_ids_in_data_are_a_switch),
      cmocka_unit_test(a_tie_is_broken),
      cmocka_unit_test(a_tunnel_without_calls_is_closed),
      cmocka_unit_test(reload_keeps_what_it_can),
      cmocka_unit_test(stopping_tells_everybody_and_waits_with_a_limit),
      cmocka_unit_test(a_bad_network_ends_in_links_all_the_same),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
