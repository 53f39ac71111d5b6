/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The secret and the server that a peer gets. */
#include "world.h"

/* ---- secrets ---- */

static void secrets_are_chosen_by_peer(void **state) {
  world_begin();
  assert_true(world_configure(&server, "l2tp: { servers: [ { " SERVER_ITEM ", tunnel-authentication: yes, hide-avps: yes } ], secrets: [ "
                                       "{ address: 192.0.2.0/24, secret: by-net }, { address: 192.0.2.2/32, secret: by-address }, "
                                       "{ address: 192.0.2.2/32, host-name: 'adit-*', secret: by-name }, { secret: by-default } ] }"));
  assert_true(world_configure(&client, "l2tp: { clients: [ { " CLIENT_ITEM
                                       ", hide-avps: yes, tunnel-authentication: yes, tunnel-secret: by-name } ] }"));
  world_dial_up();
  AditAddress a;
  const L2tpSetup *setup = server.l2tp->setup;
  adit_address_parse("192.0.2.9", &a);
  assert_string_equal(l2tp_setup_secret(setup, &a, "adit-lac")->as.string, "by-net");
  adit_address_parse("192.0.2.2", &a);
  assert_string_equal(l2tp_setup_secret(setup, &a, "other")->as.string, "by-address");
  adit_address_parse("2001:db8::1", &a);
  assert_string_equal(l2tp_setup_secret(setup, &a, NULL)->as.string, "by-default");
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
  world_both(", tunnel-authentication: yes", "");
  assert_non_null(world_dial(0, &client));
  world_run(2500); /* a refusal waits 2 s for a better answer: it may be forged */
  assert_int_equal(client.dials_failed, 1);
  assert_int_equal(server.l2tp->stats.refused, 2);     /* the SCCRQ was repeated meanwhile */
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
       "adit.yaml:4:5: servers `a' (adit.yaml:3:5) and `b' listen on the same address: set `peers' in one of them"},
      {"l2tp:\n  servers:\n  - { name: a, data-path: 'null', peers: [ { address: 10.0.0.0/8 } ] }\n"
       "  - { name: b, data-path: 'null', peers: [ { address: 10.1.2.3/8 } ] }\n",
       "servers `a' (adit.yaml:3:"},
      {"l2tp:\n  servers:\n  - { name: a, data-path: 'null' }\n  - { name: b, data-path: 'null', addresses: [192.0.2.1] }\n",
       "adit.yaml:4:5: server `b' and server `a' (adit.yaml:3:5) can't both listen: one is for 192.0.2.1:1701, the other for all "
       "addresses"},
      {"l2tp:\n  servers:\n  - { name: a, data-path: 'null', addresses: ['2001:db8::1'] }\n"
       "  - { name: b, data-path: 'null', peers: [ { host-name: x } ] }\n",
       "adit.yaml:4:5: server `b' and server `a' (adit.yaml:3:5) can't both listen: one is for [2001:db8::1]:1701, the other for"},
      {"l2tp:\n  secrets:\n  - { secret: a }\n  - { secret: b }\n",
       "adit.yaml:4:5: this secret is for the same peers as the one at adit.yaml:3:5"},
      {"l2tp: { servers: [ { name: a, data-path: nope } ] }", "there is no data path `nope'"},
      {"l2tp:\n  clients:\n  - { name: a, connect-to: x, user: u, password: p, data-path: nope }\n",
       "adit.yaml:3:5: client `a': there is no data path `nope'"},
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

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(secrets_are_chosen_by_peer),
      cmocka_unit_test(a_wrong_tunnel_secret_fails_the_dial),
      cmocka_unit_test(no_secret_where_one_is_demanded),
      cmocka_unit_test(servers_are_chosen_by_address_then_peers),
      cmocka_unit_test(a_tie_is_a_configuration_error_with_its_places),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
