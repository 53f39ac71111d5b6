/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* What a stranger must guess before a message ends anything: two ids of 16 bits. And whom a refusal reaches. */
#include "pair.h"

enum { HOLD_MS = 2000 }; /* how long a refusal waits for an answer that is acceptable */

static const guint8 unknown_avp[] = {0x80, 8, 0, 0, 0, 99, 1, 2}; /* type 99, mandatory */

/** Writes a message to `to`, with the right header id and the numbers that its peer would send next: all that is tried out is in the body.
 */
static void begin(Node *to, L2tpWriter *w, guint16 type, guint16 session) {
  l2tp_write_begin(w, type, to->tunnel.local, session, NULL, NULL);
}

static void finish(Node *to, L2tpWriter *w) {
  gsize length = l2tp_write_end(w);
  l2tp_header_set_sequence(w->buffer, to->tunnel.channel.nr, to->tunnel.channel.ns);
  pair_inject(to, w->buffer, length);
}

static void stop(Node *to, guint16 id) {
  L2tpWriter w;
  begin(to, &w, L2TP_STOPCCN, 0);
  l2tp_write_u16(&w, L2TP_AVP_ASSIGNED_TUNNEL_ID, id);
  l2tp_write_result(&w, L2TP_STOP_CLEAR, 0, NULL);
  finish(to, &w);
}

/** Tunnel and call stand on both sides. */
static Pair *with_call(void) {
  Pair *pair = pair_new(1);
  L2tpCallInfo info = {0};
  pair_up(pair);
  l2tp_tunnel_call_open(&pair->a.tunnel, &pair->a.env, L2TP_CALL_INCOMING_LAC, &info);
  pair_run(pair, 100);
  assert_int_equal(pair->a.calls_up, 1);
  assert_int_equal(pair->b.calls_up, 1);
  return pair;
}

static void assert_untouched(Node *node, guint16 nr) {
  assert_int_equal(node->tunnel.state, L2TP_TUNNEL_ESTABLISHED);
  assert_int_equal(node->calls_down, 0);
  assert_int_equal(node->tunnel.channel.nr, nr); /* or the peer's next message would count as a repeat */
}

/** The peer's next message gets through. */
static void assert_in_step(Pair *pair) {
  pair->cut = FALSE;
  l2tp_tunnel_probe(&pair->a.tunnel, &pair->a.env);
  l2tp_tunnel_probe(&pair->b.tunnel, &pair->b.env);
  pair_run(pair, 100);
  assert_true(l2tp_channel_idle(&pair->a.tunnel.channel) && l2tp_channel_idle(&pair->b.tunnel.channel));
}

static void rfc2661_4_4_3_stopccn_names_the_peers_tunnel_id(void **state) {
  for (guint side = 0; side < 2; side++) {
    Pair *pair = with_call();
    Node *node = side ? &pair->a : &pair->b;
    guint16 right = node->tunnel.peer, nr = node->tunnel.channel.nr;
    L2tpWriter w;
    pair->cut = TRUE;
    for (guint id = 0; id <= G_MAXUINT16; id++)
      if (id != right)
        stop(node, (guint16)id);
    assert_untouched(node, nr);
    assert_int_equal(node->tunnel.forged, G_MAXUINT16);
    begin(node, &w, L2TP_STOPCCN, 0); /* without any */
    finish(node, &w);
    assert_untouched(node, nr);
    assert_in_step(pair);
    stop(node, right);
    assert_int_equal(node->tunnel.state, L2TP_TUNNEL_LINGERING);
    pair_free(pair);
  }
}

/* An error in a message that only the tunnel id leads to is not acknowledged while there are calls: the peer, if it was the peer, gives up.
 */
static void an_error_ends_no_tunnel_with_calls(void **state) {
  static const guint16 types[] = {L2TP_HELLO, L2TP_SCCRQ, L2TP_SCCRP, L2TP_SCCCN, 77};
  for (guint with = 0; with < 2; with++)
    for (guint i = 0; i < G_N_ELEMENTS(types); i++) {
      Pair *pair = pair_new(1);
      if (with) {
        pair_free(pair);
        pair = with_call();
      } else {
        pair_up(pair);
      }
      Node *node = &pair->b;
      guint16 nr = node->tunnel.channel.nr;
      L2tpWriter w;
      pair->cut = TRUE;
      begin(node, &w, types[i], 0);
      if (types[i] == L2TP_HELLO)
        adit_put_bytes(&w.b, unknown_avp, sizeof unknown_avp);
      finish(node, &w);
      if (with) {
        assert_untouched(node, nr);
        assert_int_equal(node->tunnel.forged, 1);
        assert_in_step(pair);
      } else {
        assert_int_equal(node->tunnel.state, L2TP_TUNNEL_CLOSING); /* RFC 2661 4.1 */
      }
      pair_free(pair);
    }
}

static void cdn(Node *to, guint16 session, guint16 id) {
  L2tpWriter w;
  begin(to, &w, L2TP_CDN, session);
  l2tp_write_result(&w, L2TP_CDN_ADMIN, 0, NULL);
  l2tp_write_u16(&w, L2TP_AVP_ASSIGNED_SESSION_ID, id);
  finish(to, &w);
}

static void cdn_ends_a_live_call_by_our_session_id_alone(void **state) {
  for (guint side = 0; side < 2; side++) {
    Pair *pair = with_call();
    Node *node = side ? &pair->a : &pair->b;
    guint16 ours = node->session, theirs = node->peer_session;
    pair->cut = TRUE;
    cdn(node, 0, theirs); /* the peer's id is often small and known */
    cdn(node, (guint16)(ours + 1), theirs);
    assert_int_equal(node->calls_down, 0);
    guint16 nr = node->tunnel.channel.nr;
    cdn(node, ours, (guint16)(theirs ^ ours ^ 0x0101)); /* acknowledged, or a careless peer would give the tunnel up */
    assert_int_equal(node->tunnel.channel.nr, nr + 1);
    assert_int_equal(node->calls_down, 0);
    assert_int_equal(node->tunnel.forged, 1);
    cdn(node, ours, theirs);
    assert_int_equal(node->calls_down, 1);
    pair_free(pair);
  }
}

/* Before its ICRP has arrived the peer knows no id of ours. */
static void cdn_with_session_id_0_ends_a_call_that_begins(void **state) {
  Pair *pair = pair_new(1);
  L2tpWriter w;
  pair_up(pair);
  pair->cut = TRUE;
  begin(&pair->b, &w, L2TP_ICRQ, 0);
  l2tp_write_u16(&w, L2TP_AVP_ASSIGNED_SESSION_ID, 7);
  l2tp_write_u32(&w, L2TP_AVP_CALL_SERIAL_NUMBER, 1);
  finish(&pair->b, &w);
  assert_int_equal(pair->b.tunnel.calls.count, 1);
  cdn(&pair->b, 0, 8);
  assert_int_equal(pair->b.calls_failed, 0);
  cdn(&pair->b, 0, 7);
  assert_int_equal(pair->b.calls_failed, 1);
  pair_free(pair);
}

/* ---- ids that are used twice ---- */

static void rfc2661_7_4_2_a_live_session_id_is_not_assigned_again(void **state) {
  for (guint outgoing = 0; outgoing < 2; outgoing++) {
    Pair *pair = with_call();
    Node *node = &pair->b;
    L2tpWriter w;
    guint requests = node->requests;
    begin(node, &w, outgoing ? L2TP_OCRQ : L2TP_ICRQ, 0);
    l2tp_write_u16(&w, L2TP_AVP_ASSIGNED_SESSION_ID, node->peer_session);
    l2tp_write_u32(&w, L2TP_AVP_CALL_SERIAL_NUMBER, 2);
    if (outgoing) {
      l2tp_write_u32(&w, L2TP_AVP_MINIMUM_BPS, 1);
      l2tp_write_u32(&w, L2TP_AVP_MAXIMUM_BPS, 1);
      l2tp_write_u32(&w, L2TP_AVP_BEARER_TYPE, 1);
      l2tp_write_u32(&w, L2TP_AVP_FRAMING_TYPE, 1);
      l2tp_write_text(&w, L2TP_AVP_CALLED_NUMBER, "1");
    }
    pair->cut = TRUE;
    finish(node, &w);
    assert_int_equal(node->sent[L2TP_CDN], 1);
    assert_int_equal(node->requests, requests);
    assert_int_equal(node->tunnel.calls.count, 1);
    assert_int_equal(node->calls_down, 0);
    pair_free(pair);
  }
}

/* The relative of it: the answer to our request names an id that another call of ours has. */
static void an_answer_with_a_live_session_id_ends_its_own_call(void **state) {
  Pair *pair = with_call();
  L2tpCallInfo info = {0};
  L2tpWriter w;
  pair->cut = TRUE;
  guint16 second = l2tp_tunnel_call_open(&pair->a.tunnel, &pair->a.env, L2TP_CALL_INCOMING_LAC, &info);
  begin(&pair->a, &w, L2TP_ICRP, second);
  l2tp_write_u16(&w, L2TP_AVP_ASSIGNED_SESSION_ID, pair->a.peer_session);
  finish(&pair->a, &w);
  assert_int_equal(pair->a.calls_failed, 1);
  assert_int_equal(pair->a.calls_down, 0);
  assert_int_equal(pair->a.tunnel.calls.count, 1);
  assert_int_equal(pair->a.sent[L2TP_CDN], 1);
  pair_free(pair);
}

/* ---- answers that we can't accept are refused aloud ---- */

/** An SCCRP with `avp` as Assigned Tunnel ID (0 = none) and octets of the test after it. */
static Pair *answer(guint16 id, gboolean version, gconstpointer extra, gsize n_extra) {
  Pair *pair = pair_new(1);
  L2tpCallInfo info = {0};
  L2tpWriter w;
  l2tp_tunnel_call_open(&pair->a.tunnel, &pair->a.env, L2TP_CALL_INCOMING_LAC, &info); /* as a client does */
  l2tp_tunnel_open(&pair->a.tunnel, &pair->a.env);
  pair->cut = TRUE;
  begin(&pair->a, &w, L2TP_SCCRP, 0);
  if (version)
    l2tp_write_u16(&w, L2TP_AVP_PROTOCOL_VERSION, 0x0100);
  adit_put_bytes(&w.b, extra, n_extra);
  l2tp_write_u32(&w, L2TP_AVP_FRAMING_CAPABILITIES, 3);
  l2tp_write_text(&w, L2TP_AVP_HOST_NAME, "server");
  if (id)
    l2tp_write_u16(&w, L2TP_AVP_ASSIGNED_TUNNEL_ID, id);
  finish(&pair->a, &w);
  return pair;
}

static void rfc2661_7_2_1_an_sccrp_that_is_not_acceptable_gets_stopccn(void **state) {
  static const guint8 short_avp[] = {0x80, 7, 0, 0, 0, 10, 1}; /* Receive Window Size of one octet */
  const struct {
    guint16 id;
    gboolean version;
    const guint8 *extra;
    gsize n_extra;
  } rows[] = {
      {7, TRUE, unknown_avp, sizeof unknown_avp},
      {7, TRUE, short_avp, sizeof short_avp},
      {7, FALSE, NULL, 0}, /* no Protocol Version */
      {0, TRUE, NULL, 0},  /* no id at all: tunnel id 0, and ours in the StopCCN tells */
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    Pair *pair = answer(rows[i].id, rows[i].version, rows[i].extra, rows[i].n_extra);
    assert_int_equal(pair->a.sent[L2TP_STOPCCN], 0); /* it may be forged */
    pair_run(pair, HOLD_MS + 10);
    assert_int_equal(pair->a.sent[L2TP_STOPCCN], 1);
    assert_int_equal(pair->a.tunnel.peer, rows[i].id);
    assert_int_equal(pair->a.downs, 1);
    assert_int_equal(pair->a.calls_failed, 1);
    assert_int_equal(pair->a.reason.result, L2TP_STOP_ERROR);
    assert_string_equal(pair->a.trace->pdata[pair->a.sent[L2TP_SCCRQ]], "StopCCN 1 1");
    pair_free(pair);
  }
}

static void rfc2661_7_2_1_an_scccn_that_is_not_acceptable_gets_stopccn(void **state) {
  Pair *pair = pair_new(1);
  L2tpWriter w;
  l2tp_tunnel_open(&pair->a.tunnel, &pair->a.env);
  pair_run(pair, 2);
  assert_int_equal(pair->b.tunnel.state, L2TP_TUNNEL_WAIT_CONNECT);
  pair->cut = TRUE;
  begin(&pair->b, &w, L2TP_SCCCN, 0);
  adit_put_bytes(&w.b, unknown_avp, sizeof unknown_avp);
  finish(&pair->b, &w);
  assert_int_equal(pair->b.sent[L2TP_STOPCCN], 1);
  assert_int_equal(pair->b.ups, 0);
  assert_int_equal(pair->b.reason.error, L2TP_ERROR_MANDATORY_AVP);
  pair_free(pair);
}

/* A dial that is given up before it was answered leaves no half-open tunnel at the server. */
static void a_dial_that_is_given_up_says_so(void **state) {
  Pair *pair = pair_new(1);
  l2tp_tunnel_open(&pair->a.tunnel, &pair->a.env);
  pair_run(pair, 2);
  assert_int_equal(pair->b.tunnel.state, L2TP_TUNNEL_WAIT_CONNECT);
  l2tp_tunnel_close(&pair->a.tunnel, &pair->a.env, L2TP_STOP_CLEAR, 0, "given up");
  assert_int_equal(pair->a.sent[L2TP_STOPCCN], 1);
  pair_run(pair, 10);
  assert_true(pair->b.tunnel.stop_said);
  assert_int_equal(pair->a.finished, 1);
  pair_run(pair, 32000);
  assert_true(pair->b.reason.by_peer);
  assert_int_equal(pair->b.finished, 1);
  pair_free(pair);
}

/* ---- a dial that is not answered yet: its end must be believed, and the server's answer takes precedence ---- */

typedef enum { STOP, STOP_WITHOUT_ID, BROKEN_SCCRP, OTHER_VERSION, WANTS_A_SECRET, HELLO, SCCCN, UNKNOWN, IN_THE_DARK, FORGERIES } Forgery;

/** What somebody who has guessed our tunnel id says to a dial. */
static void forge(Node *to, Forgery how) {
  static const guint16 types[FORGERIES] = {L2TP_STOPCCN, L2TP_STOPCCN, L2TP_SCCRP, L2TP_SCCRP, L2TP_SCCRP, L2TP_HELLO, L2TP_SCCCN, 77, 78};
  static const guint8 challenge[16] = {1};
  L2tpWriter w;

  begin(to, &w, types[how], 0);
  if (how == IN_THE_DARK)
    w.buffer[L2TP_CONTROL_HEADER] &= 0x7f; /* a message that may be ignored */
  if (how == STOP) {
    l2tp_write_u16(&w, L2TP_AVP_ASSIGNED_TUNNEL_ID, 999);
    l2tp_write_result(&w, L2TP_STOP_SHUTDOWN, 0, "forged");
  }
  if (types[how] == L2TP_SCCRP) {
    l2tp_write_u16(&w, L2TP_AVP_PROTOCOL_VERSION, how == OTHER_VERSION ? 0x0300 : 0x0100);
    l2tp_write_u32(&w, L2TP_AVP_FRAMING_CAPABILITIES, 3);
    l2tp_write_text(&w, L2TP_AVP_HOST_NAME, "forger");
    l2tp_write_u16(&w, L2TP_AVP_ASSIGNED_TUNNEL_ID, 999);
    if (how == BROKEN_SCCRP)
      adit_put_bytes(&w.b, unknown_avp, sizeof unknown_avp);
    if (how == WANTS_A_SECRET)
      l2tp_write_bytes(&w, L2TP_AVP_CHALLENGE, challenge, sizeof challenge);
  }
  gsize length = l2tp_write_end(&w);
  l2tp_header_set_sequence(w.buffer, 0, 1);
  pair_inject(to, w.buffer, length);
}

static Pair *dialling(guint32 seed) {
  Pair *pair = pair_new(seed);
  L2tpCallInfo info = {0};
  l2tp_tunnel_call_open(&pair->a.tunnel, &pair->a.env, L2TP_CALL_INCOMING_LAC, &info);
  l2tp_tunnel_open(&pair->a.tunnel, &pair->a.env);
  return pair;
}

static void a_dial_outlives_all_that_a_stranger_says_to_it(void **state) {
  for (guint32 seed = 1; seed <= 40; seed++)
    for (guint how = 0; how < FORGERIES; how++) {
      Pair *pair = dialling(seed);
      pair->loss = seed % 4 ? 0 : 10;
      pair->delay_ms = seed * 7; /* a long way: the forgery is there first */
      forge(&pair->a, (Forgery)how);
      if (seed % 2)
        pair_reincarnate(&pair->a);
      for (guint n = 0; n < seed % 3; n++)
        forge(&pair->a, (Forgery)((how + n) % FORGERIES));
      pair_run(pair, seed % 4 ? HOLD_MS : 50000);
      assert_int_equal(pair->a.ups, 1);
      assert_int_equal(pair->a.downs, 0);
      assert_int_equal(pair->a.calls_up, 1);
      assert_int_equal(pair->b.calls_up, 1);
      assert_string_not_equal(pair->a.tunnel.peer_name, "forger");
      pair_free(pair);
    }
}

/* The one proof there is: with it an SCCRP that lacks it is no better than a StopCCN. */
static void with_a_secret_a_dial_cannot_be_captured(void **state) {
  for (guint32 seed = 1; seed <= 20; seed++) {
    Pair *pair = pair_new(seed);
    L2tpCallInfo info = {0};
    L2tpWriter w;
    pair->a.config.secret = pair->b.config.secret = "shared";
    pair->a.config.demand_auth = TRUE;
    l2tp_tunnel_call_open(&pair->a.tunnel, &pair->a.env, L2TP_CALL_INCOMING_LAC, &info);
    l2tp_tunnel_open(&pair->a.tunnel, &pair->a.env);
    pair->delay_ms = seed * 10;
    begin(&pair->a, &w, L2TP_SCCRP, 0);
    l2tp_write_u16(&w, L2TP_AVP_PROTOCOL_VERSION, 0x0100);
    l2tp_write_u32(&w, L2TP_AVP_FRAMING_CAPABILITIES, 3);
    l2tp_write_text(&w, L2TP_AVP_HOST_NAME, "forger");
    l2tp_write_u16(&w, L2TP_AVP_ASSIGNED_TUNNEL_ID, 999);
    finish(&pair->a, &w);
    pair_run(pair, HOLD_MS);
    assert_int_equal(pair->a.calls_up, 1);
    assert_true(pair->a.tunnel.proven);
    pair_free(pair);
  }
}

/* Nobody else answers: after the delay the refusal counts, with its words, and is acknowledged. */
static void a_refusal_counts_when_no_answer_comes(void **state) {
  for (guint saved = 0; saved < 2; saved++) {
    Pair *pair = dialling(1);
    pair->cut = TRUE;
    forge(&pair->a, STOP);
    if (saved)
      pair_reincarnate(&pair->a);
    pair_run(pair, HOLD_MS - 10);
    assert_int_equal(pair->a.downs, 0);
    assert_int_equal(pair->a.zlbs, 0);
    pair_run(pair, 20);
    assert_int_equal(pair->a.downs, 1);
    assert_int_equal(pair->a.calls_failed, 1);
    assert_true(pair->a.reason.by_peer);
    assert_int_equal(pair->a.reason.result, L2TP_STOP_SHUTDOWN);
    assert_non_null(strstr(pair->a.reason.text, "forged"));
    assert_int_equal(pair->a.zlbs, 1);
    pair_run(pair, 60000);
    assert_int_equal(pair->a.finished, 1);
    pair_free(pair);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rfc2661_4_4_3_stopccn_names_the_peers_tunnel_id),
      cmocka_unit_test(an_error_ends_no_tunnel_with_calls),
      cmocka_unit_test(cdn_ends_a_live_call_by_our_session_id_alone),
      cmocka_unit_test(cdn_with_session_id_0_ends_a_call_that_begins),
      cmocka_unit_test(rfc2661_7_4_2_a_live_session_id_is_not_assigned_again),
      cmocka_unit_test(an_answer_with_a_live_session_id_ends_its_own_call),
      cmocka_unit_test(rfc2661_7_2_1_an_sccrp_that_is_not_acceptable_gets_stopccn),
      cmocka_unit_test(rfc2661_7_2_1_an_scccn_that_is_not_acceptable_gets_stopccn),
      cmocka_unit_test(a_dial_that_is_given_up_says_so),
      cmocka_unit_test(a_dial_outlives_all_that_a_stranger_says_to_it),
      cmocka_unit_test(with_a_secret_a_dial_cannot_be_captured),
      cmocka_unit_test(a_refusal_counts_when_no_answer_comes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
