/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Who knocks, and what it costs. */
#include "datagram.h"
#include "outsider.h"

static void a_repeated_sccrq_is_the_same_tunnel(void **state) {
  listen_to("");
  knock("198.51.100.1", 4444, "lac", 9);
  knock("198.51.100.1", 4444, "lac", 9);
  assert_int_equal(g_hash_table_size(server.l2tp->tunnels), 1);
  assert_int_equal(server.l2tp->stats.repeated, 1);
  assert_true(answers >= 2); /* SCCRP, and SCCRP again */
  confirm("198.51.100.1", 4444, answered_id);
  assert_int_equal(server.ups, 1);
  answers = 0;
  knock("198.51.100.1", 4444, "lac", 9); /* late: not acknowledged again, but asked once whether it is still there */
  assert_int_equal(answers, 1);
  knock("198.51.100.1", 4444, "lac", 9);
  assert_int_equal(answers, 1);
  assert_int_equal(g_hash_table_size(server.l2tp->tunnels), 1);
  world_end();
}

static void a_restarted_peer_replaces_its_stale_tunnel(void **state) {
  for (guint keep = 0; keep < 2; keep++) {
    listen_to(keep ? ", stale-tunnel: keep" : "");
    guint16 first = come(4444, 9);
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
    come(5555, 11);
    assert_int_equal(server.downs, !keep);
    world_end();
  }
}

/* Some peers number their tunnels from one after each start: the same id is no proof that it is the same tunnel. */
static void a_restarted_peer_may_use_its_old_id(void **state) {
  listen_to("");
  come(4444, 1);
  knock("198.51.100.1", 4444, "lac", 1);
  world_run(1000);
  assert_int_equal(server.downs, 0); /* an SCCRQ alone ends nothing */
  knock("198.51.100.1", 4444, "lac", 1);
  world_run(4000);
  assert_int_equal(server.l2tp->stats.replaced, 1);
  come(4444, 1); /* its next try */
  assert_int_equal(server.ups, 2);
  assert_int_equal(server.downs, 1);
  world_end();
}

static void a_peer_that_said_goodbye_may_use_its_old_id(void **state) {
  listen_to("");
  come(4444, 1);
  L2tpWriter w;
  l2tp_write_begin(&w, L2TP_STOPCCN, answered_id, 0, NULL, NULL);
  l2tp_write_u16(&w, L2TP_AVP_ASSIGNED_TUNNEL_ID, 1);
  gsize length = l2tp_write_end(&w);
  l2tp_header_set_sequence(w.buffer, 2, 1);
  world_send("198.51.100.1", 4444, "192.0.2.1", w.buffer, length);
  world_run(5);
  assert_int_equal(server.downs, 1);
  come(4444, 1);
  assert_int_equal(server.ups, 2);
  world_end();
}

static void two_clients_of_one_host_are_not_stale(void **state) {
  world_both("", "");
  world_dial_up();
  assert_non_null(world_dial(0, &client)); /* same address, port and name */
  world_run(20000);
  assert_int_equal(world_open_links(&server), 2);
  assert_int_equal(server.l2tp->stats.replaced, 0);
  world_end();
}

static void junk_allocates_nothing(void **state) {
  listen_to("");
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
  listen_to("");
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
  world_dial_up(); /* what stands is not touched */
  for (guint i = 0; i < 500; i++) {
    g_autofree char *from = g_strdup_printf("10.%u.%u.1", i / 200, i % 200);
    knock(from, 1701, "flood", (guint16)(i + 1));
  }
  assert_int_equal(server.l2tp->half_open.count, 10);
  assert_int_equal(g_hash_table_size(server.l2tp->tunnels), 11);
  /* Between equals a tunnel has 300 ms to be confirmed: the flood takes 1.5 s. */
  assert_true(server.l2tp->stats.evicted >= 40);
  assert_int_equal(server.l2tp->stats.evicted + server.l2tp->stats.half_open_limited, 490);
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
  assert_int_equal(server.l2tp->stats.new_tunnels + server.l2tp->stats.half_open_limited, 300);
  assert_int_equal(g_hash_table_size(server.l2tp->tunnels), 10);
  world_run(40000);
  assert_int_equal(g_hash_table_size(server.l2tp->tunnels), 0);
  world_end();
}

static void one_prefix_is_limited_and_the_honest_get_it_back(void **state) {
  world_begin();
  assert_true(world_configure(&server, "l2tp: { new-tunnel-rate: 1, new-tunnel-burst: 5, servers: [ { " SERVER_ITEM " } ] }"));
  world_tap = outsider_tap;
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
  world_dial_up();
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
  world_both("", "");
  world_dial_up();
  L2tpWriter w;
  l2tp_write_begin(&w, L2TP_STOPCCN, (guint16)world_last_link(&server)->encap.local_tunnel, 0, NULL, NULL);
  l2tp_write_result(&w, 1, 0, NULL);
  l2tp_write_u16(&w, L2TP_AVP_ASSIGNED_TUNNEL_ID, (guint16)world_last_link(&server)->encap.peer_tunnel);
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
  world_both(", use-ephemeral-ports: yes", "");
  world_dial_up();
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
  world_both(", allow-zero-tunnel-id: yes", "");
  world_dial_up();
  assert_int_equal(world_last_link(&server)->encap.local_tunnel, 0);
  assert_int_not_equal(world_last_link(&client)->encap.peer_tunnel, 0);
  world_end();
}

/* A call is a session from its ICCN on: requests alone must neither count nor keep others out. */
static void calls_that_are_not_connected_are_no_sessions(void **state) {
  world_both(", max-sessions: 1", "");
  world_tap = outsider_tap;
  come(4444, 9);
  for (guint16 i = 0; i < 3; i++)
    request_call("198.51.100.1", 4444, i);
  L2tpPeer *peer = g_hash_table_lookup(server.l2tp->tunnels, GUINT_TO_POINTER(answered_id));
  assert_int_equal(peer->tunnel.calls.count, 3);
  assert_int_equal(server.l2tp->stats.calls_up, 0);
  world_dial_up();
  assert_int_equal(server.l2tp->stats.calls_up, 1);
  world_end();
}

/* One that has got its tunnel must not fill the memory with calls that it never connects. */
static void calls_that_begin_are_bounded(void **state) {
  world_begin();
  assert_true(world_configure(&server, "l2tp: { max-starting: 3, servers: [ { " SERVER_ITEM " } ] }"));
  world_tap = outsider_tap;
  come(4444, 9);
  for (guint16 i = 0; i < 5; i++)
    request_call("198.51.100.1", 4444, i);
  L2tpPeer *peer = g_hash_table_lookup(server.l2tp->tunnels, GUINT_TO_POINTER(answered_id));
  assert_int_equal(peer->tunnel.calls.count, 3);
  assert_int_equal(server.l2tp->stats.calls_refused, 2);
  assert_int_equal(server.l2tp->stats.starting_limited, 2);
  world_end();
}

static void a_tunnel_without_calls_is_closed(void **state) {
  world_both(", no-session-timeout: 10s", "");
  world_tap = outsider_tap;
  come(4444, 9);
  assert_int_equal(server.ups, 1);
  world_run(9000);
  assert_int_equal(server.downs, 0);
  world_run(2000);
  assert_int_equal(server.downs, 1);
  world_end();
}

/* All tunnels of one address and port, and all closed ones of one id, must not lie in one list: each key has its own ring. */
static void tunnels_of_one_address_and_port_are_found_in_constant_time(void **state) {
  enum { N = 300 };
  listen_to(", no-session-timeout: none");
  for (guint16 i = 0; i < N; i++)
    come(4444, i + 1);
  assert_int_equal(server.ups, N);
  assert_int_equal(g_hash_table_size(server.l2tp->repeats), N);
  assert_int_equal(g_hash_table_size(server.l2tp->unconfirmed), 0);
  assert_int_equal(g_hash_table_size(server.l2tp->namesakes), 1);
  for (guint16 i = 0; i < 20; i++) { /* half-open, by name */
    g_autofree char *name = g_strdup_printf("lac%u", i);
    knock("198.51.100.1", 4444, name, 5000);
  }
  assert_int_equal(g_hash_table_size(server.l2tp->repeats), N + 20);
  world_end();
}

static void closed_tunnels_of_one_id_leave_the_index(void **state) {
  listen_to("");
  for (guint i = 0; i < 50; i++) {
    L2tpWriter w;
    come(4444, 1);
    l2tp_write_begin(&w, L2TP_STOPCCN, answered_id, 0, NULL, NULL);
    l2tp_write_u16(&w, L2TP_AVP_ASSIGNED_TUNNEL_ID, 1);
    l2tp_write_result(&w, 1, 0, NULL);
    gsize length = l2tp_write_end(&w);
    l2tp_header_set_sequence(w.buffer, 2, 1);
    world_send("198.51.100.1", 4444, "192.0.2.1", w.buffer, length);
    world_run(5);
  }
  assert_int_equal(server.ups, 50);
  assert_int_equal(server.downs, 50);
  assert_true(g_hash_table_size(server.l2tp->tunnels) > 20); /* they linger */
  assert_int_equal(g_hash_table_size(server.l2tp->repeats), 0);
  world_end();
}

static guint hellos;

static void count_hellos(const AditPath *path, const guint8 *datagram, gsize length) {
  L2tpHeader h;
  L2tpMessage m;
  L2tpParse how = {0};
  if (l2tp_header_parse(&h, datagram, length) && h.control && h.length) {
    l2tp_message_parse(&m, &how, datagram + h.offset, h.length);
    hellos += m.type == L2TP_HELLO;
  }
  outsider_tap(path, datagram, length);
}

/* A newcomer asks the tunnels before it whether they are alive: not thousands at once. */
static void one_newcomer_asks_few_tunnels(void **state) {
  listen_to(", no-session-timeout: none, hello-interval: none");
  world_tap = count_hellos;
  hellos = 0;
  for (guint16 i = 0; i < 100; i++) {
    guint before = hellos;
    come(4444, i + 1);
    assert_true(hellos - before <= 16);
  }
  assert_true(hellos >= 90); /* but the latest, each has had its turn */
  world_end();
}

/* On a fast wire the answer comes within the millisecond of the question. */
static void an_answer_within_the_same_millisecond_is_one(void **state) {
  guint8 zlb[L2TP_CONTROL_HEADER];
  AditBuilder b = adit_builder(zlb, sizeof zlb);
  listen_to("");
  guint16 id = come(4444, 1);
  L2tpPeer *peer = g_hash_table_lookup(server.l2tp->tunnels, GUINT_TO_POINTER(id));
  come(4444, 2); /* asks the first */
  assert_true(peer->probed_ms > 0);
  peer->probed_ms = world_now;
  l2tp_header_put(&b, id, 0, 2, peer->tunnel.channel.ns);
  L2tpTunnelEnv env = l2tp_peer_env(peer);
  input_datagram(&peer->tunnel, &env, zlb, sizeof zlb);
  assert_true(peer->tunnel.last_rx == peer->probed_ms);
  world_run(5000);
  assert_int_equal(server.downs, 0);
  world_end();
}

/* Data with tunnel id 0 is told apart by session id alone. */
static void session_ids_are_unique_where_tunnels_share_them(void **state) {
  listen_to(", allow-zero-tunnel-id: yes");
  for (guint16 t = 0; t < 4; t++) {
    come(4444, t + 1);
    for (guint16 i = 0; i < 8; i++)
      request_call("198.51.100.1", 4444, i);
  }
  L2tpListener *listener = server.l2tp->listeners->pdata[0];
  assert_int_equal(g_hash_table_size(listener->sessions), 32);
  world_run(150000); /* no call is connected: they go, and their ids with them */
  assert_int_equal(g_hash_table_size(listener->sessions), 0);
  world_end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_repeated_sccrq_is_the_same_tunnel),
      cmocka_unit_test(a_restarted_peer_replaces_its_stale_tunnel),
      cmocka_unit_test(a_restarted_peer_may_use_its_old_id),
      cmocka_unit_test(a_peer_that_said_goodbye_may_use_its_old_id),
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
      cmocka_unit_test(calls_that_are_not_connected_are_no_sessions),
      cmocka_unit_test(calls_that_begin_are_bounded),
      cmocka_unit_test(a_tunnel_without_calls_is_closed),
      cmocka_unit_test(tunnels_of_one_address_and_port_are_found_in_constant_time),
      cmocka_unit_test(closed_tunnels_of_one_id_leave_the_index),
      cmocka_unit_test(one_newcomer_asks_few_tunnels),
      cmocka_unit_test(an_answer_within_the_same_millisecond_is_one),
      cmocka_unit_test(session_ids_are_unique_where_tunnels_share_them),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
