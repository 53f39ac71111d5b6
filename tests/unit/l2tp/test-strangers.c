/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Peers that restart, and strangers who pretend to be one: what they reach in the plugin. */
#include "stranger.h"

/* ---- a peer that restarts with the tunnel id it had ---- */

static void a_restarted_peer_with_its_old_id_is_answered_once_the_old_tunnel_is_dead(void **state) {
  for (guint keep = 0; keep < 2; keep++) {
    stranger_begin(keep ? ", stale-tunnel: keep" : "");
    guint16 first = stranger_come(4444, "lac", 1, NULL);
    memset(&heard, 0, sizeof heard);
    stranger_knock(4444, "lac", 1); /* and repeats it no more, if it is acknowledged */
    assert_int_equal(heard.zlbs, 0);
    assert_int_equal(heard.sent[L2TP_HELLO], 1);
    assert_int_equal(server.downs, 0); /* an SCCRQ alone ends nothing */
    world_run(4500);
    assert_int_equal(server.downs, 1);
    assert_int_equal(server.l2tp->stats.replaced, 1);
    assert_int_equal(heard.sent[L2TP_SCCRP], 1);
    assert_int_not_equal(heard.id, first);
    assert_null(stranger_tunnel(first));
    world_end();
  }
}

/* Its old tunnel was not connected yet: it may have acknowledged our SCCRP, which is not sent again then. */
static void a_restart_in_the_middle_of_setting_up_is_answered(void **state) {
  stranger_begin("");
  stranger_knock(4444, "lac", 1);
  guint16 first = heard.id;
  guint8 zlb[L2TP_CONTROL_HEADER];
  AditBuilder b = adit_builder(zlb, sizeof zlb);
  l2tp_header_put(&b, first, 0, 1, 1);
  world_send(STRANGER, 4444, "192.0.2.1", zlb, sizeof zlb);
  world_run(3);
  assert_false(stranger_tunnel(first)->tunnel.channel.unconfirmed);
  memset(&heard, 0, sizeof heard);
  stranger_knock(4444, "lac", 1);
  assert_int_equal(heard.datagrams, 0);
  world_run(5000);
  assert_true(heard.sent[L2TP_SCCRP] >= 1);
  assert_int_not_equal(heard.id, first);
  world_end();
}

static void hello_answered(guint16 tunnel, guint16 port) {
  guint8 zlb[L2TP_CONTROL_HEADER];
  AditBuilder b = adit_builder(zlb, sizeof zlb);
  l2tp_header_put(&b, tunnel, 0, 2, 2);
  world_send(STRANGER, port, "192.0.2.1", zlb, sizeof zlb);
  world_run(3);
}

static void a_forged_request_with_a_live_id_changes_nothing(void **state) {
  stranger_begin("");
  guint16 first = stranger_come(4444, "lac", 1, NULL);
  memset(&heard, 0, sizeof heard);
  for (guint i = 0; i < 50; i++)
    stranger_knock(4444, "lac", 1);
  assert_int_equal(heard.datagrams, 1); /* one Hello */
  assert_non_null(stranger_tunnel(first)->kept);
  hello_answered(first, 4444);
  world_run(5000);
  assert_int_equal(server.downs, 0);
  assert_null(stranger_tunnel(first)->kept);
  assert_int_equal(server.l2tp->stats.new_tunnels, 1);
  world_end();
}

static void what_is_kept_goes_with_the_tunnel_and_is_bounded(void **state) {
  L2tpWriter w;
  static const guint8 filler[1000];
  stranger_begin("");
  guint16 first = stranger_come(4444, "lac", 1, NULL);
  stranger_sccrq(&w, "lac", 1);
  l2tp_write_bytes(&w, L2TP_AVP_VENDOR_NAME, filler, sizeof filler);
  stranger_send(&w, 4444, 0, 0);
  assert_null(stranger_tunnel(first)->kept); /* too long: it is repeated, as it was not acknowledged */
  world_run(5000);
  assert_int_equal(server.downs, 1);
  first = stranger_come(4444, "lac", 1, NULL);
  stranger_knock(4444, "lac", 1);
  assert_non_null(stranger_tunnel(first)->kept);
  world_end(); /* leaks are looked for */
}

/* ---- StopCCN without our tunnel id ---- */

static void send_stop(guint16 port, guint16 header, guint16 assigned, guint16 ns) {
  L2tpWriter w;
  l2tp_write_begin(&w, L2TP_STOPCCN, header, 0, NULL, NULL);
  l2tp_write_u16(&w, L2TP_AVP_ASSIGNED_TUNNEL_ID, assigned);
  l2tp_write_result(&w, L2TP_STOP_CLEAR, 0, "changed my mind");
  stranger_send(&w, port, ns, 0);
}

static void rfc2661_4_4_3_stopccn_with_tunnel_id_0_ends_a_half_open_tunnel(void **state) {
  stranger_begin("");
  stranger_knock(4444, "lac", 9);
  send_stop(4444, 0, 8, 1);
  send_stop(4445, 0, 9, 1);
  assert_int_equal(stranger_tunnel(heard.id)->tunnel.state, L2TP_TUNNEL_WAIT_CONNECT);
  assert_int_equal(heard.zlbs, 0);
  memset(&heard, 0, sizeof heard);
  for (guint i = 1; i <= 3; i++) { /* repeats are acknowledged for a full cycle */
    send_stop(4444, 0, 9, 1);
    assert_int_equal(heard.zlbs, i);
  }
  world_run(30000);
  assert_int_equal(heard.sent[L2TP_SCCRP], 0);
  world_run(2000);
  assert_int_equal(g_hash_table_size(server.l2tp->tunnels), 0);
  assert_int_equal(server.ups, 0);
  world_end();
}

/* The peer's id is no secret: a forged one must not keep a peer out that goes on. */
static void a_forged_stopccn_with_tunnel_id_0_is_overtaken_by_the_peer(void **state) {
  for (guint repeats = 0; repeats < 2; repeats++) {
    stranger_begin("");
    stranger_knock(4444, "lac", 9);
    send_stop(4444, 0, 9, 1);
    L2tpWriter w;
    if (repeats) {
      memset(&heard, 0, sizeof heard);
      stranger_knock(4444, "lac", 9); /* our SCCRP was lost */
      assert_int_equal(heard.sent[L2TP_SCCRP], 1);
    }
    l2tp_write_begin(&w, L2TP_SCCCN, heard.id, 0, NULL, NULL);
    stranger_send(&w, 4444, 1, 1);
    assert_int_equal(server.ups, 1);
    world_run(20000);
    assert_int_equal(server.downs, 0);
    world_end();
  }
}

static void stopccn_with_tunnel_id_0_ends_nothing_that_stands(void **state) {
  stranger_begin("");
  guint16 id = stranger_come(4444, "lac", 9, NULL);
  for (guint16 ns = 0; ns < 5; ns++)
    send_stop(4444, 0, 9, ns);
  assert_int_equal(stranger_tunnel(id)->tunnel.state, L2TP_TUNNEL_ESTABLISHED);
  world_end();
}

/* ---- requests that are refused are told so ---- */

static void rfc2661_6_1_an_sccrq_without_host_name_is_refused(void **state) {
  L2tpWriter w;
  stranger_begin("");
  l2tp_write_begin(&w, L2TP_SCCRQ, 0, 0, NULL, NULL);
  l2tp_write_u16(&w, L2TP_AVP_PROTOCOL_VERSION, 0x0100);
  l2tp_write_u32(&w, L2TP_AVP_FRAMING_CAPABILITIES, 3);
  l2tp_write_u16(&w, L2TP_AVP_ASSIGNED_TUNNEL_ID, 9);
  stranger_send(&w, 4444, 0, 0);
  assert_int_equal(heard.sent[L2TP_STOPCCN], 1);
  assert_int_equal(heard.tunnel, 9);
  assert_int_equal(heard.result.result, L2TP_STOP_ERROR);
  assert_non_null(strstr(heard.result.text, "Host Name"));
  assert_int_equal(g_hash_table_size(server.l2tp->tunnels), 0);
  world_end();
}

/* What the core says while the link is opened (lcp-renegotiation: never, and a misfit) is the peer's to know. */
static void the_reason_of_a_link_that_ends_at_once_reaches_the_peer(void **state) {
  world_both("", "");
  world_misfit = "the LAC did not agree to authentication";
  assert_non_null(world_dial(0, &client));
  world_run(200);
  assert_int_equal(world_open_links(&server), 0);
  assert_int_equal(world_last_link(&client)->open, FALSE);
  assert_non_null(strstr(world_last_link(&client)->closed_why, "administrative reasons"));
  assert_non_null(strstr(world_last_link(&client)->closed_why, world_misfit));
  world_end();
}

/* ---- proxy authentication: a login that was recorded somewhere ---- */

#define LNS  "{ " SERVER_ITEM ", lcp-renegotiation: on-mismatch%s }"
#define YAML "l2tp: { secrets: [ %s ], servers: [ " LNS " ] }"

/** A tunnel of `host`, and in it a call whose ICCN carries what a LAC would have learned. TRUE if the core was given it. */
static gboolean proxied(const char *secrets, const char *options, const char *host, const char *secret) {
  g_autofree char *yaml = g_strdup_printf(YAML, secrets, options);
  static const guint8 response[16] = {1};
  L2tpWriter w;

  stranger_begin_with(yaml);
  guint16 tunnel = stranger_come(4444, host, 9, secret);
  l2tp_write_begin(&w, L2TP_ICRQ, tunnel, 0, NULL, NULL);
  l2tp_write_u16(&w, L2TP_AVP_ASSIGNED_SESSION_ID, 5);
  l2tp_write_u32(&w, L2TP_AVP_CALL_SERIAL_NUMBER, 1);
  stranger_send(&w, 4444, 2, 1);
  l2tp_write_begin(&w, L2TP_ICCN, tunnel, heard.session, NULL, NULL);
  l2tp_write_u32(&w, L2TP_AVP_TX_CONNECT_SPEED, 1000);
  l2tp_write_u32(&w, L2TP_AVP_FRAMING_TYPE, 1);
  l2tp_write_bytes(&w, L2TP_AVP_LAST_SENT_CONFREQ, "\x03\x05\xc2\x23\x05", 5);
  l2tp_write_bytes(&w, L2TP_AVP_LAST_RECEIVED_CONFREQ, "", 0);
  l2tp_write_u16(&w, L2TP_AVP_PROXY_AUTHEN_TYPE, 2);
  l2tp_write_bytes(&w, L2TP_AVP_PROXY_AUTHEN_NAME, "alice", 5);
  l2tp_write_bytes(&w, L2TP_AVP_PROXY_AUTHEN_CHALLENGE, response, sizeof response);
  l2tp_write_u16(&w, L2TP_AVP_PROXY_AUTHEN_ID, 1);
  l2tp_write_bytes(&w, L2TP_AVP_PROXY_AUTHEN_RESPONSE, response, sizeof response);
  stranger_send(&w, 4444, 3, 2);
  assert_int_equal(world_open_links(&server), 1);
  gboolean believed = world_last_link(&server)->proxied;
  assert_int_equal(server.l2tp->stats.proxy_ignored, !believed);
  world_end();
  return believed;
}

#define OURS  "{ address: 198.51.100.0/24, secret: ours }"
#define NAMED "{ host-name: lac1, secret: ours }"
#define ALL   "{ secret: everybody }"

static void rfc2661_4_4_5_proxy_authentication_takes_a_named_peer_and_its_proof(void **state) {
  static const struct {
    const char *secrets, *options, *host, *secret;
    gboolean believed;
  } rows[] = {
      /* nobody is named: not even a peer that knows the secret */
      {"", "", "lac1", NULL, FALSE},
      {OURS, ", tunnel-authentication: yes", "lac1", "ours", FALSE},
      /* by address */
      {OURS, ", tunnel-authentication: yes, proxy-peers: [ { address: 198.51.100.1/32 } ]", "any", "ours", TRUE},
      {OURS ", { address: 203.0.113.0/24, secret: x }", ", tunnel-authentication: yes, proxy-peers: [ { address: 203.0.113.9/32 } ]", "any",
       "ours", FALSE},
      /* by name: with the secret that is of that name alone */
      {NAMED, ", tunnel-authentication: yes, proxy-peers: [ { host-name: lac1 } ]", "lac1", "ours", TRUE},
      {NAMED ", " ALL, ", tunnel-authentication: yes, proxy-peers: [ { host-name: lac1 } ]", "lac2", "everybody", FALSE},
      {NAMED ", { address: 198.51.100.0/24, secret: everybody }", ", tunnel-authentication: yes, proxy-peers: [ { host-name: lac1 } ]",
       "lac1", "everybody", FALSE}, /* the prefix precedes the name: the proved name is not the one in Host Name */
      /* both must match */
      {OURS, ", tunnel-authentication: yes, proxy-peers: [ { address: 198.51.100.0/24, host-name: lac1 } ]", "lac2", "ours", FALSE},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
    if (proxied(rows[i].secrets, rows[i].options, rows[i].host, rows[i].secret) != rows[i].believed)
      fail_msg("row %u", i);
}

static void proxy_peers_without_proof_are_a_configuration_error(void **state) {
  static const struct {
    const char *secrets, *options, *wrong;
  } rows[] = {
      {OURS, ", proxy-peers: [ { address: 198.51.100.1/32 } ]", "proxy-peers needs tunnel-authentication: set it"},
      {"", ", tunnel-authentication: yes, proxy-peers: [ { address: 198.51.100.1/32 } ]", "no secret that this entry"},
      {ALL, ", tunnel-authentication: yes, proxy-peers: [ { host-name: lac1 } ]", "add one for the same `host-name'"},
      {"{ address: 203.0.113.0/24, secret: x }", ", tunnel-authentication: yes, proxy-peers: [ { address: 198.51.100.1/32 } ]",
       "`address'"},
      {OURS, ", tunnel-authentication: yes, proxy-peers: [ {} ]", "matches nothing"},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autofree char *yaml = g_strdup_printf(YAML, rows[i].secrets, rows[i].options);
    world_begin();
    assert_false(world_configure(&server, yaml));
    assert_true(g_str_has_prefix(server.prepare_error, "adit.yaml:1:"));
    assert_non_null(strstr(server.prepare_error, rows[i].wrong));
    world_end();
  }
}

/* ---- a dial of ours, and an SCCRQ from the address we dial ---- */

static const char *const both_roles =
    "l2tp: { servers: [ { name: back, addresses: [192.0.2.2], data-path: 'null' } ], clients: [ { " CLIENT_ITEM "%s } ] }";

/** A dial to 192.0.2.1 that nobody answers, and an SCCRQ with a tie breaker from there, completed or not. */
static void tie(const char *client_options, const guint8 *tie_breaker, const guint8 *extra, gsize n_extra) {
  g_autofree char *yaml = g_strdup_printf(both_roles, client_options);
  L2tpWriter w;
  world_begin();
  assert_true(world_configure(&client, yaml));
  assert_non_null(world_dial(0, &client));
  world_run(2);
  stranger_sccrq(&w, "lns", 77);
  if (tie_breaker)
    l2tp_write_bytes(&w, L2TP_AVP_TIE_BREAKER, tie_breaker, 8);
  adit_put_bytes(&w.b, extra, n_extra);
  gsize length = l2tp_write_end(&w);
  world_send("192.0.2.1", 1701, "192.0.2.2", w.buffer, length);
  world_run(3);
}

static L2tpPeer *accepted(void) {
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init(&iter, client.l2tp->tunnels);
  while (g_hash_table_iter_next(&iter, NULL, &value))
    if (!((L2tpPeer *)value)->tunnel.originator)
      return value;
  return NULL;
}

static void complete(L2tpPeer *peer) {
  L2tpWriter w;
  l2tp_write_begin(&w, L2TP_SCCCN, peer->tunnel.local, 0, NULL, NULL);
  gsize length = l2tp_write_end(&w);
  l2tp_header_set_sequence(w.buffer, 1, 1);
  world_send("192.0.2.1", 1701, "192.0.2.2", w.buffer, length);
  world_run(3);
}

static const guint8 low[8] = {0}, high[8] = {255, 255, 255, 255, 255, 255, 255, 255};

static void rfc2661_4_4_3_a_tie_is_lost_to_a_tunnel_that_stands(void **state) {
  tie(", tie-breaker: yes", low, NULL, 0);
  assert_int_equal(client.dials_failed, 0); /* the SCCRQ may be anybody's */
  assert_int_equal(client.l2tp->stats.ties, 0);
  assert_non_null(accepted());
  complete(accepted());
  assert_int_equal(client.dials_failed, 1);
  assert_int_equal(client.l2tp->stats.ties, 1);
  assert_string_equal(client.dial_error, "the peer's own tunnel won the tie");
  world_end();
}

static void rfc2661_4_4_3_a_tie_that_is_won_drops_the_request(void **state) {
  tie(", tie-breaker: yes", high, NULL, 0);
  assert_int_equal(client.l2tp->stats.ties, 1);
  assert_null(accepted());
  assert_int_equal(client.dials_failed, 0);
  world_end();
}

static void a_tie_takes_two_tie_breakers(void **state) {
  for (guint i = 0; i < 2; i++) {
    tie(i ? ", tie-breaker: yes" : "", i ? NULL : low, NULL, 0);
    assert_non_null(accepted());
    complete(accepted());
    assert_int_equal(client.l2tp->stats.ties, 0);
    assert_int_equal(client.dials_failed, 0);
    world_end();
  }
}

static void a_malformed_request_wins_no_tie(void **state) {
  static const guint8 unknown[] = {0x80, 8, 0, 0, 0, 99, 1, 2};
  for (guint i = 0; i < 2; i++) {
    tie(", tie-breaker: yes", i ? low : high, unknown, sizeof unknown);
    assert_int_equal(client.l2tp->stats.ties, 0);
    assert_int_equal(client.l2tp->stats.refused, 1);
    assert_int_equal(client.dials_failed, 0);
    world_end();
  }
}

/* A tie is lost to a tunnel that stands, and one that must prove a secret does not stand before. */
static void a_tie_is_not_lost_to_a_peer_that_proves_nothing(void **state) {
  L2tpWriter w;
  world_begin();
  assert_true(world_configure(&client,
                              "l2tp: { secrets: [ { secret: ours } ], servers: [ { name: back, addresses: [192.0.2.2], data-path: 'null', "
                              "tunnel-authentication: yes } ], clients: [ { " CLIENT_ITEM ", tie-breaker: yes } ] }"));
  assert_non_null(world_dial(0, &client));
  world_run(2);
  stranger_sccrq(&w, "lns", 77);
  l2tp_write_bytes(&w, L2TP_AVP_TIE_BREAKER, low, sizeof low);
  gsize length = l2tp_write_end(&w);
  world_send("192.0.2.1", 1701, "192.0.2.2", w.buffer, length);
  world_run(3);
  assert_non_null(accepted());
  complete(accepted());
  assert_int_equal(accepted()->tunnel.state, L2TP_TUNNEL_CLOSING);
  assert_int_equal(client.dials_failed, 0);
  assert_int_equal(client.l2tp->stats.ties, 0);
  world_end();
}

static guint8 our_challenge[L2TP_CHALLENGE];
static guint answered[L2TP_MESSAGE_MAX + 1];

/** Notes the challenge of the client's SCCRQ, and what its machine says to 192.0.2.9. */
static void reflect_tap(const AditPath *path, const guint8 *datagram, gsize length) {
  L2tpHeader h;
  L2tpMessage m;
  L2tpParse how = {0};
  AditAddress remote = adit_endpoint_address(&path->remote);

  if (!l2tp_header_parse(&h, datagram, length) || !h.control || !h.length)
    return;
  l2tp_message_parse(&m, &how, datagram + h.offset, h.length);
  if (m.type == L2TP_SCCRQ && m.avp[L2TP_AVP_CHALLENGE].length == sizeof our_challenge)
    memcpy(our_challenge, m.avp[L2TP_AVP_CHALLENGE].data, sizeof our_challenge);
  if (adit_address_to_ipv4(&remote) == 0xc0000209)
    answered[m.type]++;
}

/* The whole client: its call waits for the tunnel, which is refused aloud. */
static void rfc2661_7_2_1_a_client_refuses_an_sccrp_that_it_cannot_accept(void **state) {
  static const guint8 unknown[] = {0x80, 8, 0, 0, 0, 99, 1, 2};
  GHashTableIter iter;
  gpointer id;
  L2tpWriter w;
  world_begin();
  world_tap = reflect_tap;
  memset(answered, 0, sizeof answered);
  assert_true(world_configure(&client,
                              "l2tp: { clients: [ { name: dial, connect-to: 192.0.2.9, src-address: 192.0.2.2, data-path: 'null', user: a, "
                              "password: b } ] }"));
  assert_non_null(world_dial(0, &client));
  world_run(2);
  g_hash_table_iter_init(&iter, client.l2tp->tunnels);
  assert_true(g_hash_table_iter_next(&iter, &id, NULL));
  l2tp_write_begin(&w, L2TP_SCCRP, (guint16)GPOINTER_TO_UINT(id), 0, NULL, NULL);
  l2tp_write_u16(&w, L2TP_AVP_PROTOCOL_VERSION, 0x0100);
  adit_put_bytes(&w.b, unknown, sizeof unknown);
  l2tp_write_text(&w, L2TP_AVP_HOST_NAME, "odd");
  l2tp_write_u32(&w, L2TP_AVP_FRAMING_CAPABILITIES, 3);
  l2tp_write_u16(&w, L2TP_AVP_ASSIGNED_TUNNEL_ID, 7);
  gsize length = l2tp_write_end(&w);
  l2tp_header_set_sequence(w.buffer, 0, 1);
  world_send("192.0.2.9", 1701, "192.0.2.2", w.buffer, length);
  world_run(3);
  assert_int_equal(client.dials_failed, 0); /* it may be forged */
  world_run(2000);
  assert_int_equal(answered[L2TP_STOPCCN], 1);
  assert_int_equal(client.dials_failed, 1);
  assert_non_null(strstr(client.dial_error, "unknown mandatory AVP"));
  world_end();
}

/* ---- a machine with both roles does not prove itself to itself ---- */

static void our_own_challenge_is_not_answered(void **state) {
  L2tpWriter w;
  world_begin();
  assert_true(world_configure(&client,
                              "l2tp: { secrets: [ { secret: ours } ], servers: [ { name: back, addresses: [192.0.2.2], data-path: 'null' } "
                              "], clients: [ { " CLIENT_ITEM ", tunnel-authentication: yes } ] }"));
  world_tap = reflect_tap;
  memset(our_challenge, 0, sizeof our_challenge);
  assert_non_null(world_dial(0, &client));
  world_run(2);
  for (guint other = 0; other < 2; other++) {
    memset(answered, 0, sizeof answered);
    our_challenge[0] ^= (guint8)other;
    stranger_sccrq(&w, "mirror", (guint16)(77 + other));
    l2tp_write_bytes(&w, L2TP_AVP_CHALLENGE, our_challenge, sizeof our_challenge);
    gsize length = l2tp_write_end(&w);
    world_send("192.0.2.9", 1701, "192.0.2.2", w.buffer, length);
    world_run(3);
    assert_int_equal(answered[L2TP_SCCRP], other);
    assert_int_equal(answered[L2TP_STOPCCN], !other);
  }
  world_end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_restarted_peer_with_its_old_id_is_answered_once_the_old_tunnel_is_dead),
      cmocka_unit_test(a_restart_in_the_middle_of_setting_up_is_answered),
      cmocka_unit_test(a_forged_request_with_a_live_id_changes_nothing),
      cmocka_unit_test(what_is_kept_goes_with_the_tunnel_and_is_bounded),
      cmocka_unit_test(rfc2661_4_4_3_stopccn_with_tunnel_id_0_ends_a_half_open_tunnel),
      cmocka_unit_test(a_forged_stopccn_with_tunnel_id_0_is_overtaken_by_the_peer),
      cmocka_unit_test(stopccn_with_tunnel_id_0_ends_nothing_that_stands),
      cmocka_unit_test(rfc2661_6_1_an_sccrq_without_host_name_is_refused),
      cmocka_unit_test(the_reason_of_a_link_that_ends_at_once_reaches_the_peer),
      cmocka_unit_test(rfc2661_4_4_5_proxy_authentication_takes_a_named_peer_and_its_proof),
      cmocka_unit_test(proxy_peers_without_proof_are_a_configuration_error),
      cmocka_unit_test(rfc2661_4_4_3_a_tie_is_lost_to_a_tunnel_that_stands),
      cmocka_unit_test(rfc2661_4_4_3_a_tie_that_is_won_drops_the_request),
      cmocka_unit_test(a_tie_takes_two_tie_breakers),
      cmocka_unit_test(a_malformed_request_wins_no_tie),
      cmocka_unit_test(a_tie_is_not_lost_to_a_peer_that_proves_nothing),
      cmocka_unit_test(rfc2661_7_2_1_a_client_refuses_an_sccrp_that_it_cannot_accept),
      cmocka_unit_test(our_own_challenge_is_not_answered),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
