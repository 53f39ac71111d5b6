/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* A stranger without sight of the path works on a client's dial: it knows addresses and ports, and tries tunnel ids. */
#include "world.h"

enum { TRUE_SERVER = 0xc0000201 };

typedef enum { CAPTURE, END, SWALLOW, KINDS } Kind;

static guint16 dial_port; /* of the client's last SCCRQ */
static guint sccrqs;

static void tap(const AditPath *path, const guint8 *datagram, gsize length) {
  AditAddress remote = adit_endpoint_address(&path->remote);
  L2tpParse how = {0};
  L2tpMessage m;
  L2tpHeader h;

  if (adit_address_to_ipv4(&remote) != TRUE_SERVER || !l2tp_header_parse(&h, datagram, length) || !h.control || !h.length)
    return;
  l2tp_message_parse(&m, &how, datagram + h.offset, h.length);
  if (m.type != L2TP_SCCRQ)
    return;
  sccrqs++;
  dial_port = adit_endpoint_port(&path->local);
}

/** The id of the client's only tunnel. */
static guint16 dialled_id(void) {
  GHashTableIter iter;
  gpointer id = NULL;

  g_hash_table_iter_init(&iter, client.l2tp->tunnels);
  g_hash_table_iter_next(&iter, &id, NULL);
  return (guint16)GPOINTER_TO_UINT(id);
}

static void forge(guint16 id, Kind kind, guint16 port) {
  static const guint16 types[KINDS] = {L2TP_SCCRP, L2TP_STOPCCN, L2TP_HELLO};
  L2tpWriter w;

  l2tp_write_begin(&w, types[kind], id, 0, NULL, NULL);
  if (kind == CAPTURE) {
    l2tp_write_u16(&w, L2TP_AVP_PROTOCOL_VERSION, 0x0100);
    l2tp_write_text(&w, L2TP_AVP_HOST_NAME, "forger");
    l2tp_write_u32(&w, L2TP_AVP_FRAMING_CAPABILITIES, 3);
  }
  if (kind != SWALLOW)
    l2tp_write_u16(&w, L2TP_AVP_ASSIGNED_TUNNEL_ID, 0x4242);
  if (kind == END)
    l2tp_write_result(&w, L2TP_STOP_SHUTDOWN, 0, "forged");
  gsize length = l2tp_write_end(&w);
  l2tp_header_set_sequence(w.buffer, kind == SWALLOW, 1);
  world_send("192.0.2.1", port, "192.0.2.2", w.buffer, length);
}

static void begin(const char *client_more, guint32 seed) {
  world_both("", client_more);
  world_seed(seed);
  world_tap = tap;
  sccrqs = dial_port = 0;
}

static void expect_connected(guint dials) {
  assert_int_equal(client.dials_failed, 0);
  assert_int_equal(world_open_links(&client), dials);
  assert_int_equal(world_open_links(&server), dials);
}

/* All 65,535 ids within one round trip, before the server has answered and after: the dial ends in a link at the server. */
static void a_dial_outlives_all_guesses(void **state) {
  for (guint32 seed = 1; seed <= 12; seed++) {
    Kind kind = (Kind)(seed % KINDS);
    guint before = seed / KINDS % 4; /* ms: 0 and 1 come before the SCCRP */
    begin("", seed);
    assert_non_null(world_dial(0, &client));
    world_run(before);
    guint start = world_random(65536);
    for (guint i = 0; i < 65536; i++)
      forge((guint16)(start + i * 40503u), kind, seed % 5 ? 1701 : 4321);
    world_run(60000);
    expect_connected(1);
    assert_string_equal(world_last_link(&server)->service, "lns");
    world_end();
  }
}

/* At the first guess there is nothing to see; the server's own answer tells. */
static void a_captured_dial_is_dialled_again(void **state) {
  for (guint other_port = 0; other_port < 2; other_port++)
    for (guint late = 0; late < 2; late++) {
      begin("", 1);
      assert_non_null(world_dial(0, &client));
      if (late)
        world_run(2); /* the server has answered, and the forger says it again */
      forge(dialled_id(), CAPTURE, other_port ? 4321 : 1701);
      world_run(200);
      expect_connected(1);
      assert_int_not_equal(dial_port, 1701);
      assert_int_equal(client.l2tp->stats.evaded, 1);
      world_run(60000);
      assert_int_equal(g_hash_table_size(client.l2tp->tunnels), 1);
      expect_connected(1);
      world_end();
    }
}

/* Without a stranger nothing changes: port 1701, one SCCRQ. A restarted client hears of a few tunnels that it has no more. */
static void old_tunnels_of_the_server_make_no_stranger(void **state) {
  begin("", 1);
  for (guint n = 0; n < 40; n++)
    forge((guint16)(n % L2TP_GUESSES_MAX + 1), SWALLOW, 1701);
  assert_non_null(world_dial(0, &client));
  world_run(200);
  expect_connected(1);
  assert_int_equal(dial_port, 1701);
  assert_int_equal(sccrqs, 1);
  assert_int_equal(client.l2tp->stats.evaded, 0);
  world_end();
}

/* What a stranger does to one server's address does not concern a dial to another, nor one whose server has proven the secret. */
static void only_the_dial_that_is_aimed_at_moves(void **state) {
  world_begin();
  world_tap = tap;
  assert_true(
      world_configure(&server, "l2tp: { secrets: [ { secret: s } ], servers: [ { " SERVER_ITEM ", tunnel-authentication: yes } ] }"));
  assert_true(
      world_configure(&client, "l2tp: { secrets: [ { secret: s } ], clients: [ { " CLIENT_ITEM ", tunnel-authentication: yes } ] }"));
  for (guint n = 0; n < 100; n++) {
    L2tpWriter w;
    l2tp_write_begin(&w, L2TP_HELLO, (guint16)(n + 1), 0, NULL, NULL);
    gsize length = l2tp_write_end(&w);
    world_send("198.51.100.7", 1701, "192.0.2.2", w.buffer, length);
  }
  world_run(2);
  assert_non_null(world_dial(0, &client));
  forge(dialled_id(), CAPTURE, 1701); /* proves nothing */
  world_run(200);
  expect_connected(1);
  assert_int_equal(dial_port, 1701);
  assert_int_equal(client.l2tp->stats.evaded, 0);
  world_end();
}

/* A forger that answers from another port moves no SCCRQ there: the server must hear its repeat. */
static void a_refusal_from_another_port_moves_nothing(void **state) {
  begin(", tunnel-authentication: yes, tunnel-secret: s", 1);
  assert_true(world_configure(&server, "l2tp: { secrets: [ { secret: s } ], servers: [ { " SERVER_ITEM " } ] }"));
  world_loss = 100;
  assert_non_null(world_dial(0, &client));
  world_loss = 0;
  forge(dialled_id(), CAPTURE, 4321);
  world_run(1900);
  expect_connected(1);
  world_end();
}

/* Nobody is there: the evasion is not the end of failing. */
static void a_dial_that_evades_fails_once(void **state) {
  world_begin();
  world_tap = tap;
  assert_true(world_configure(&client, "l2tp: { clients: [ { " CLIENT_ITEM " } ] }"));
  assert_non_null(world_dial(0, &client));
  for (guint n = 0; n < 100; n++)
    forge((guint16)(dialled_id() + n + 1), END, 1701);
  forge(dialled_id(), END, 1701);
  world_run(2);
  assert_int_equal(client.l2tp->stats.evaded, 1);
  assert_int_equal(client.dials_failed, 0);
  world_run(60000);
  assert_int_equal(client.dials_failed, 1);
  assert_int_equal(g_hash_table_size(client.l2tp->tunnels), 0);
  AditDial *dial = world_dial(0, &client); /* and one that is given up meanwhile */
  for (guint n = 0; n < 100; n++)
    forge((guint16)(dialled_id() + n + 1), END, 1701);
  forge(dialled_id(), END, 1701);
  world_run(2);
  assert_int_equal(client.l2tp->stats.evaded, 2);
  client.transport->dial_cancel(dial);
  world_run(60000);
  assert_int_equal(client.dials_failed, 1);
  world_end();
}

static AditDial *dial_link(guint nth) {
  const AditValue *clients = adit_value_get(adit_value_get(client.config, "l2tp"), "clients");
  return client.transport->dial_nth(client.state, adit_value_at(clients, 0), nth, &client, NULL);
}

/* Servers that find a tunnel by addresses and ports must not see one path twice. A link that ended leaves its port to the next dial. */
static void links_to_one_address_have_ports_of_their_own(void **state) {
  guint16 second;

  begin("", 1);
  assert_non_null(dial_link(0));
  assert_int_equal(dial_port, 1701);
  assert_non_null(dial_link(1)); /* while the first awaits its answer */
  second = dial_port;
  assert_int_not_equal(second, 1701);
  world_run(200);
  expect_connected(2);
  assert_non_null(dial_link(2));
  assert_int_not_equal(dial_port, 1701);
  assert_int_not_equal(dial_port, second);
  world_run(200);
  expect_connected(3);
  world_core_ends(&client, 100);
  world_run(1000);
  assert_int_equal(world_open_links(&client), 0);
  assert_non_null(dial_link(1));
  assert_int_equal(dial_port, 1701);
  world_run(200);
  expect_connected(1);
  world_end();
}

/* Two clients of one server are two users: both dial from the port that firewalls expect. */
static void another_client_shares_the_port(void **state) {
  world_begin();
  world_tap = tap;
  assert_true(world_configure(&server, "l2tp: {servers: [{" SERVER_ITEM "}]}"));
  assert_true(world_configure(&client, "l2tp: {clients: [{" CLIENT_ITEM "}, {name: other, connect-to: 192.0.2.1, src-address: 192.0.2.2, "
                                       "data-path: 'null', user: bert, password: x}]}"));
  for (guint i = 0; i < 2; i++) {
    assert_non_null(world_dial(i, &client));
    assert_int_equal(dial_port, 1701);
  }
  world_run(200);
  expect_connected(2);
  world_end();
}

static void guesses_are_counted_and_forgotten(void **state) {
  L2tpGuesses guesses = {0};

  for (guint16 id = 1; id <= L2TP_GUESSES_MAX; id++)
    for (guint n = 0; n < 3; n++)
      l2tp_guesses_add(&guesses, 7, id, 1000);
  assert_false(l2tp_guesses_suspect(&guesses, 7, 1000));
  l2tp_guesses_add(&guesses, 7, 999, 1000);
  assert_true(l2tp_guesses_suspect(&guesses, 7, 1000));
  assert_false(l2tp_guesses_suspect(&guesses, 8, 1000));
  assert_true(l2tp_guesses_suspect(&guesses, 7, 1000 + L2TP_GUESSES_MS - 1));
  assert_false(l2tp_guesses_suspect(&guesses, 7, 1000 + L2TP_GUESSES_MS));
  l2tp_guesses_add(&guesses, 7, 1000, 1000 + L2TP_GUESSES_MS);
  assert_false(l2tp_guesses_suspect(&guesses, 7, 1000 + L2TP_GUESSES_MS));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_dial_outlives_all_guesses),
      cmocka_unit_test(a_captured_dial_is_dialled_again),
      cmocka_unit_test(old_tunnels_of_the_server_make_no_stranger),
      cmocka_unit_test(only_the_dial_that_is_aimed_at_moves),
      cmocka_unit_test(a_refusal_from_another_port_moves_nothing),
      cmocka_unit_test(a_dial_that_evades_fails_once),
      cmocka_unit_test(links_to_one_address_have_ports_of_their_own),
      cmocka_unit_test(another_client_shares_the_port),
      cmocka_unit_test(guesses_are_counted_and_forgotten),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
