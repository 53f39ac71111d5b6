/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "pair.h"

/** Writes a message to `to` as its peer would send it next, with all mandatory AVPs. */
static void forge_begin(Node *to, L2tpWriter *w, guint16 type, guint16 session) {
  static const guint8 ones[32] = {0, 1, 0, 1};
  l2tp_write_begin(w, type, to->tunnel.local, session, NULL, NULL);
  for (guint16 avp = 1; avp <= L2TP_AVP_MAX; avp++)
    if (l2tp_avps[avp].required & L2TP_IN(type))
      l2tp_write_bytes(w, avp, ones, l2tp_avps[avp].min);
}

static void forge_send(Node *to, L2tpWriter *w) {
  gsize length = l2tp_write_end(w);
  l2tp_header_set_sequence(w->buffer, to->tunnel.channel.nr, to->tunnel.channel.ns);
  pair_inject(to, w->buffer, length);
}

static void forge(Node *to, guint16 type, guint16 session) {
  L2tpWriter w;
  forge_begin(to, &w, type, session);
  forge_send(to, &w);
}

static guint16 open_call(Node *node, L2tpCallRole role, const L2tpCallInfo *info) {
  L2tpCallInfo empty = {0};
  guint16 id = l2tp_tunnel_call_open(&node->tunnel, &node->env, role, info ? info : &empty);
  assert_int_not_equal(id, 0);
  return id;
}

static void rfc2661_5_2_1_incoming_call(void **state) {
  Pair *pair = pair_new(1);
  L2tpCallInfo info = {
      .calling = (char *)"0123", .called = (char *)"456", .tx_speed = 100000, .rx_speed = 50000, .sequencing_required = TRUE};
  open_call(&pair->a, L2TP_CALL_INCOMING_LAC, &info); /* before the tunnel: it waits for it */
  pair_up(pair);
  pair_run(pair, 100);
  assert_int_equal(pair->a.calls_up, 1);
  assert_int_equal(pair->b.calls_up, 1);
  assert_int_equal(pair->a.session, pair->b.peer_session);
  assert_int_equal(pair->b.session, pair->a.peer_session);
  assert_string_equal(pair->b.info.calling, "0123");
  assert_string_equal(pair->b.info.called, "456");
  assert_int_equal(pair->b.info.tx_speed, 100000);
  assert_int_equal(pair->b.info.rx_speed, 50000);
  assert_int_equal(pair->b.info.serial, 1);
  assert_true(pair->b.info.sequencing_required);
  assert_null(l2tp_calls_find(&pair->b.tunnel.calls, pair->b.session)->info); /* nothing is kept that nobody needs */

  assert_true(l2tp_tunnel_call_close(&pair->a.tunnel, &pair->a.env, pair->a.session, L2TP_CDN_ADMIN, 0, "enough"));
  pair_run(pair, 100);
  assert_int_equal(pair->a.calls_down, 0); /* who ends it knows */
  assert_int_equal(pair->b.calls_down, 1);
  assert_int_equal(pair->b.call_reason.result, L2TP_CDN_ADMIN);
  assert_non_null(strstr(pair->b.call_reason.text, "enough"));
  assert_int_equal(pair->b.tunnel.state, L2TP_TUNNEL_ESTABLISHED);
  pair_free(pair);
}

static void rfc2661_4_4_5_proxy_reaches_the_lns(void **state) {
  Pair *pair = pair_new(1);
  L2tpCallInfo info = {.initial_received = g_bytes_new_static("ab", 2),
                       .last_sent = g_bytes_new_static("cde", 3),
                       .last_received = g_bytes_new_static("", 0),
                       .auth_type = 2,
                       .auth_id = 9,
                       .auth_name = g_bytes_new_static("user", 4),
                       .auth_challenge = g_bytes_new_static("0123456789abcdef", 16),
                       .auth_response = g_bytes_new_static("fedcba9876543210", 16),
                       .private_group = g_bytes_new_static("red", 3)};
  pair_up(pair);
  open_call(&pair->a, L2TP_CALL_INCOMING_LAC, &info);
  pair_reincarnate(&pair->a); /* what waits to be told survives */
  pair_run(pair, 100);
  assert_int_equal(pair->b.calls_up, 1);
  assert_true(g_bytes_equal(pair->b.info.initial_received, info.initial_received));
  assert_true(g_bytes_equal(pair->b.info.last_sent, info.last_sent));
  assert_true(g_bytes_equal(pair->b.info.auth_name, info.auth_name));
  assert_true(g_bytes_equal(pair->b.info.auth_challenge, info.auth_challenge));
  assert_true(g_bytes_equal(pair->b.info.auth_response, info.auth_response));
  assert_true(g_bytes_equal(pair->b.info.private_group, info.private_group));
  assert_int_equal(pair->b.info.auth_type, 2);
  assert_int_equal(pair->b.info.auth_id, 9);
  assert_non_null(pair->b.info.private_group);
  l2tp_call_info_clear(&info);
  pair_free(pair);
}

static void rfc2661_5_2_2_outgoing_call(void **state) {
  Pair *pair = pair_new(1);
  L2tpCallInfo info = {.called = (char *)"99", .minimum_bps = 1, .maximum_bps = 2}, answer = {.tx_speed = 56000, .framing_type = 2};
  pair_up(pair);
  open_call(&pair->b, L2TP_CALL_OUTGOING_LNS, &info); /* the LNS asks the LAC */
  pair_run(pair, 100);
  assert_int_equal(pair->a.places, 1);
  assert_int_equal(pair->b.calls_up, 0);
  assert_true(l2tp_tunnel_call_answered(&pair->a.tunnel, &pair->a.env, pair->a.session, &answer));
  pair_run(pair, 100);
  assert_int_equal(pair->a.calls_up, 1);
  assert_int_equal(pair->b.calls_up, 1);
  assert_int_equal(pair->b.info.tx_speed, 56000);
  assert_int_equal(pair->b.info.framing_type, 2);
  assert_false(l2tp_tunnel_call_answered(&pair->a.tunnel, &pair->a.env, pair->a.session, &answer));
  pair_free(pair);
}

static void a_call_may_be_answered_while_it_is_placed(void **state) {
  Pair *pair = pair_new(1);
  L2tpCallInfo info = {.called = (char *)"99", .sub_address = (char *)"7"};
  pair_up(pair);
  pair->a.answer_at_once = TRUE;
  open_call(&pair->b, L2TP_CALL_OUTGOING_LNS, &info);
  pair_run(pair, 100);
  assert_int_equal(pair->a.calls_up, 1);
  assert_int_equal(pair->b.calls_up, 1);
  assert_string_equal(pair->a.info.called, "99");
  pair_free(pair);
}

static void a_refused_call_gets_a_cdn(void **state) {
  Pair *pair = pair_new(1);
  pair_up(pair);
  pair->b.refuse = L2TP_CDN_BUSY;
  open_call(&pair->a, L2TP_CALL_INCOMING_LAC, NULL);
  pair_run(pair, 100);
  assert_int_equal(pair->a.calls_failed, 1);
  assert_int_equal(pair->a.call_reason.result, L2TP_CDN_BUSY);
  assert_true(pair->a.call_reason.by_peer);
  assert_int_equal(pair->b.tunnel.calls.count, 0);
  assert_int_equal(pair->b.calls_failed, 0); /* it was never there */
  pair_free(pair);
}

static void the_limit_of_calls_holds(void **state) {
  Pair *pair = pair_new(1);
  pair->b.config.max_calls = 3;
  pair_up(pair);
  for (guint i = 0; i < 5; i++)
    open_call(&pair->a, L2TP_CALL_INCOMING_LAC, NULL);
  pair_run(pair, 1000);
  assert_int_equal(pair->a.calls_up, 3);
  assert_int_equal(pair->a.calls_failed, 2);
  assert_int_equal(pair->b.tunnel.calls.count, 3);
  pair->a.config.max_calls = 3;
  L2tpCallInfo info = {0};
  assert_int_equal(l2tp_tunnel_call_open(&pair->a.tunnel, &pair->a.env, L2TP_CALL_INCOMING_LAC, &info), 0);
  pair_free(pair);
}

static gboolean lose_icrp(Node *from, guint type, guint nth) {
  return type == L2TP_ICRP || (type == 0 && from == &from->pair->b);
}

/* A CDN before the answer is known: it goes with session id 0 and says by its own id which call it means. */
static void rfc2661_4_4_4_cdn_before_the_peers_id_is_known(void **state) {
  Pair *pair = pair_new(1);
  pair_up(pair);
  pair->a.tunnel.channel.cwnd = 4;
  pair->drop = lose_icrp;
  guint16 id = open_call(&pair->a, L2TP_CALL_INCOMING_LAC, NULL);
  pair_run(pair, 10);
  assert_int_equal(pair->b.tunnel.calls.count, 1);
  assert_true(l2tp_tunnel_call_close(&pair->a.tunnel, &pair->a.env, id, L2TP_CDN_ADMIN, 0, NULL));
  pair_run(pair, 10);
  assert_int_equal(pair->b.tunnel.calls.count, 0);
  assert_int_equal(pair->b.calls_failed, 1);
  pair_free(pair);
}

static gboolean lose_icrq(Node *from, guint type, guint nth) {
  return type == L2TP_ICCN;
}

static void a_call_that_is_never_connected_is_given_up(void **state) {
  Pair *pair = pair_new(1);
  pair->b.config.setup_ms = 20000;
  pair_up(pair);
  pair->drop = lose_icrq;
  open_call(&pair->a, L2TP_CALL_INCOMING_LAC, NULL);
  pair_run(pair, 20500);
  assert_int_equal(pair->b.calls_failed, 1);
  assert_true(pair->b.call_reason.timeout);
  assert_int_equal(pair->b.tunnel.calls.count, 0);
  pair_free(pair);
}

static void rfc2661_6_12_6_13_sli_and_wen(void **state) {
  Pair *pair = pair_new(1);
  static const guint32 errors[6] = {1, 2, 3, 4, 5, 6};
  pair_up(pair);
  open_call(&pair->a, L2TP_CALL_INCOMING_LAC, NULL);
  pair_run(pair, 100);
  assert_true(l2tp_tunnel_set_link_info(&pair->b.tunnel, &pair->b.env, pair->b.session, 0xffffffff, 0xa0000));
  assert_true(l2tp_tunnel_wan_errors(&pair->a.tunnel, &pair->a.env, pair->a.session, errors));
  assert_false(l2tp_tunnel_wan_errors(&pair->a.tunnel, &pair->a.env, 1, errors));
  pair_run(pair, 100);
  assert_int_equal(pair->a.infos, 1);
  assert_int_equal(pair->a.accm[0], 0xffffffff);
  assert_int_equal(pair->a.accm[1], 0xa0000);
  assert_int_equal(pair->b.errors, 1);
  assert_memory_equal(pair->b.wan, errors, sizeof errors);
  pair_free(pair);
}

/** Brings a fresh call of that role into that state, on the node that is returned; the wire is cut. */
static Node *call_in_state(Pair *pair, L2tpCallRole role, L2tpCallState call_state, guint16 *session) {
  Node *node = role == L2TP_CALL_INCOMING_LAC || role == L2TP_CALL_OUTGOING_LNS ? &pair->a : &pair->b;
  L2tpCallInfo answer = {.tx_speed = 1};

  pair_up(pair);
  pair->cut = TRUE;
  switch (role) {
  case L2TP_CALL_INCOMING_LAC:
  case L2TP_CALL_OUTGOING_LNS:
    *session = open_call(node, role, NULL);
    if (call_state == L2TP_CALL_WAIT_REPLY)
      break;
    forge(node, role == L2TP_CALL_INCOMING_LAC ? L2TP_ICRP : L2TP_OCRP, *session);
    if (call_state == L2TP_CALL_ESTABLISHED && role == L2TP_CALL_OUTGOING_LNS)
      forge(node, L2TP_OCCN, *session);
    break;
  case L2TP_CALL_INCOMING_LNS:
  case L2TP_CALL_OUTGOING_LAC:
    forge(node, role == L2TP_CALL_INCOMING_LNS ? L2TP_ICRQ : L2TP_OCRQ, 0);
    l2tp_calls_ids(&node->tunnel.calls, session);
    if (call_state == L2TP_CALL_ESTABLISHED && role == L2TP_CALL_INCOMING_LNS)
      forge(node, L2TP_ICCN, *session);
    else if (call_state == L2TP_CALL_ESTABLISHED)
      assert_true(l2tp_tunnel_call_answered(&node->tunnel, &node->env, *session, &answer));
    break;
  }
  assert_int_equal(l2tp_calls_find(&node->tunnel.calls, *session)->state, call_state);
  return node;
}

/* Every role, state and message: what RFC 2661 7.4 and 7.5 don't name clears the call, and the call alone. */
static void rfc2661_7_4_7_5_every_row(void **state) {
#define GONE ((L2tpCallState)0)
  static const struct {
    L2tpCallRole role;
    L2tpCallState state;
    L2tpCallState after[7]; /* OCRP OCCN ICRP ICCN CDN WEN SLI */
  } rows[] = {
#define REPLY   L2TP_CALL_WAIT_REPLY
#define CONNECT L2TP_CALL_WAIT_CONNECT
#define ANSWER  L2TP_CALL_WAIT_ANSWER
#define UP      L2TP_CALL_ESTABLISHED
      {L2TP_CALL_INCOMING_LAC, REPLY, {GONE, GONE, UP, GONE, GONE, GONE, GONE}},
      {L2TP_CALL_INCOMING_LAC, UP, {GONE, GONE, GONE, GONE, GONE, UP, UP}},
      {L2TP_CALL_INCOMING_LNS, CONNECT, {GONE, GONE, GONE, UP, GONE, CONNECT, CONNECT}},
      {L2TP_CALL_INCOMING_LNS, UP, {GONE, GONE, GONE, GONE, GONE, UP, UP}},
      {L2TP_CALL_OUTGOING_LNS, REPLY, {CONNECT, GONE, GONE, GONE, GONE, GONE, GONE}},
      {L2TP_CALL_OUTGOING_LNS, CONNECT, {GONE, UP, GONE, GONE, GONE, CONNECT, CONNECT}},
      {L2TP_CALL_OUTGOING_LNS, UP, {GONE, GONE, GONE, GONE, GONE, UP, UP}},
      {L2TP_CALL_OUTGOING_LAC, ANSWER, {GONE, GONE, GONE, GONE, GONE, ANSWER, ANSWER}},
      {L2TP_CALL_OUTGOING_LAC, UP, {GONE, GONE, GONE, GONE, GONE, UP, UP}},
  };
  static const guint16 messages[] = {L2TP_OCRP, L2TP_OCCN, L2TP_ICRP, L2TP_ICCN, L2TP_CDN, L2TP_WEN, L2TP_SLI};
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
    for (guint m = 0; m < G_N_ELEMENTS(messages); m++) {
      Pair *pair = pair_new(1);
      guint16 session = 0;
      Node *node = call_in_state(pair, rows[i].role, rows[i].state, &session);
      guint cdns = node->tunnel.channel.ns, gone = node->calls_down + node->calls_failed;
      forge(node, messages[m], session);
      L2tpCall *call = l2tp_calls_find(&node->tunnel.calls, session);
      if ((call ? call->state : GONE) != rows[i].after[m])
        fail_msg("role %u, %s, %s: %u", rows[i].role, l2tp_call_state_name(rows[i].state), l2tp_message_name(messages[m]),
                 call ? call->state : GONE);
      assert_int_equal(node->calls_down + node->calls_failed - gone, call ? 0 : 1);
      if (!call && messages[m] != L2TP_CDN)
        assert_int_equal(node->tunnel.channel.ns, cdns + 1); /* and the peer is told */
      assert_int_equal(node->tunnel.state, L2TP_TUNNEL_ESTABLISHED);
      pair_free(pair);
    }
}

static void rfc2661_4_1_a_bad_avp_clears_its_call_alone(void **state) {
  static const guint8 unknown[] = {0x80, 8, 0, 0, 0, 99, 1, 2};
  Pair *pair = pair_new(1);
  L2tpWriter w;
  pair_up(pair);
  open_call(&pair->a, L2TP_CALL_INCOMING_LAC, NULL);
  open_call(&pair->a, L2TP_CALL_INCOMING_LAC, NULL);
  pair_run(pair, 100);
  assert_int_equal(pair->b.calls_up, 2);
  pair->cut = TRUE;
  forge_begin(&pair->b, &w, L2TP_SLI, pair->b.session);
  adit_put_bytes(&w.b, unknown, sizeof unknown);
  forge_send(&pair->b, &w);
  assert_int_equal(pair->b.calls_down, 1);
  assert_int_equal(pair->b.call_reason.error, L2TP_ERROR_MANDATORY_AVP);
  assert_int_equal(pair->b.tunnel.calls.count, 1);
  assert_int_equal(pair->b.downs, 0);
  forge_begin(&pair->b, &w, L2TP_ICRQ, 0); /* in a request: it is refused */
  adit_put_bytes(&w.b, unknown, sizeof unknown);
  forge_send(&pair->b, &w);
  assert_int_equal(pair->b.requests, 2);
  assert_int_equal(pair->b.tunnel.calls.count, 1);
  assert_int_equal(pair->b.downs, 0);
  pair_free(pair);
}

static void messages_for_unknown_calls_are_ignored(void **state) {
  Pair *pair = pair_new(1);
  pair_up(pair);
  forge(&pair->b, L2TP_CDN, 4711);
  forge(&pair->b, L2TP_ICCN, 4711);
  forge(&pair->b, L2TP_CDN, 0);
  assert_int_equal(pair->b.tunnel.ignored, 3);
  assert_int_equal(pair->b.downs, 0);
  pair_free(pair);
}

static void the_table_of_calls(void **state) {
  L2tpCallTable table = {0};
  g_autoptr(GRand) rand = g_rand_new_with_seed(1);
  gboolean there[65536] = {FALSE};
  guint count = 0;
  for (guint i = 0; i < 200000; i++) {
    guint16 id = (guint16)g_rand_int_range(rand, 1, i < 100000 ? 3000 : 65536);
    if (there[id] && g_rand_boolean(rand)) {
      l2tp_calls_remove(&table, id);
      there[id] = FALSE;
      count--;
    } else if (!there[id]) {
      L2tpCall *call = l2tp_calls_add(&table, id);
      l2tp_calls_set_peer(&table, call, id ^ 0x5555);
      there[id] = TRUE;
      count++;
    }
    assert_int_equal(table.count, count);
  }
  for (guint id = 1; id < 65536; id++) {
    L2tpCall *call = l2tp_calls_find(&table, (guint16)id);
    assert_int_equal(call != NULL, there[id]);
    if (call)
      assert_int_equal(call->peer, id ^ 0x5555);
    if (id ^ 0x5555)
      assert_ptr_equal(l2tp_calls_find_peer(&table, (guint16)id ^ 0x5555), call);
  }
  for (guint id = 1; id < 65536; id++)
    l2tp_calls_remove(&table, (guint16)id);
  assert_int_equal(table.count, 0);
  assert_null(table.slots);
}

static void thousands_of_calls_in_one_tunnel(void **state) {
  Pair *pair = pair_new(1);
  pair_up(pair);
  for (guint i = 0; i < 2000; i++) {
    open_call(&pair->a, L2TP_CALL_INCOMING_LAC, NULL);
    if (i % 100 == 0)
      pair_run(pair, 1000);
  }
  pair_run(pair, 5000);
  assert_int_equal(pair->b.calls_up, 2000);
  pair_reincarnate(&pair->a);
  pair_reincarnate(&pair->b);
  l2tp_tunnel_close(&pair->b.tunnel, &pair->b.env, L2TP_STOP_SHUTDOWN, 0, NULL);
  pair_run(pair, 1000);
  assert_int_equal(pair->a.calls_down, 2000);
  assert_int_equal(pair->b.calls_down, 2000);
  pair_free(pair);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rfc2661_5_2_1_incoming_call),
      cmocka_unit_test(rfc2661_4_4_5_proxy_reaches_the_lns),
      cmocka_unit_test(rfc2661_5_2_2_outgoing_call),
      cmocka_unit_test(a_call_may_be_answered_while_it_is_placed),
      cmocka_unit_test(a_refused_call_gets_a_cdn),
      cmocka_unit_test(the_limit_of_calls_holds),
      cmocka_unit_test(rfc2661_4_4_4_cdn_before_the_peers_id_is_known),
      cmocka_unit_test(a_call_that_is_never_connected_is_given_up),
      cmocka_unit_test(rfc2661_6_12_6_13_sli_and_wen),
      cmocka_unit_test(rfc2661_7_4_7_5_every_row),
      cmocka_unit_test(rfc2661_4_1_a_bad_avp_clears_its_call_alone),
      cmocka_unit_test(messages_for_unknown_calls_are_ignored),
      cmocka_unit_test(the_table_of_calls),
      cmocka_unit_test(thousands_of_calls_in_one_tunnel),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
