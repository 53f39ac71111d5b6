/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "pair.h"

/* What other methods are called by. */
static gboolean started;

static void start(gpointer state, const AditAuthEnv *env, const AditAuthStart *how) {
  started = TRUE;
}
static void input(gpointer state, const AditAuthEnv *env, const guint8 *payload, gsize length) {}
static void timeout(gpointer state, const AditAuthEnv *env, guint slot) {}
static void verdict(gpointer state, const AditAuthEnv *env, const AditAuthReply *reply) {}
static void save(gconstpointer state, AditBuilder *out) {}
static gboolean restore(gpointer state, const AditAuthEnv *env, const AditAuthStart *how, AditCursor *in) {
  return TRUE;
}
#define METHOD                                                                                                                             \
  .size = sizeof(AditAuthMethod), .state_size = 1, .start = start, .input = input, .timeout = timeout, .verdict = verdict, .save = save,   \
  .restore = restore
static const AditAuthMethod pap = {METHOD, .name = "pap", .kind = ADIT_AUTH_PAP, .protocol = ADIT_PPP_PAP, .strength = 1};
static const AditAuthMethod chap = {
    METHOD, .name = "chap", .kind = ADIT_AUTH_CHAP_MD5, .protocol = ADIT_PPP_CHAP, .option = {5}, .option_length = 1, .strength = 2};
static const AditAuthMethod mschap1 = {
    METHOD, .name = "mschap1", .kind = ADIT_AUTH_MSCHAPV1, .protocol = ADIT_PPP_CHAP, .option = {0x80}, .option_length = 1, .strength = 3};
static const AditAuthMethod *const all[] = {&pap, &chap, &mschap1};

typedef struct {
  Pair *pair;
  Node *a;
  AditProxy proxy;
} Fixture;

static GBytes *octets(const char *hex) {
  g_autoptr(GByteArray) a = from_hex(hex);
  return g_bytes_new(a->data, a->len);
}

/** A LAC that agreed to `sent` towards the peer and `received` from it. */
static Fixture prepare(const char *sent, const char *received) {
  Fixture f = {.pair = pair_new(1)};
  f.a = &f.pair->a;
  f.pair->cut = TRUE;
  f.a->hold = TRUE;
  f.a->params.demand = all;
  f.a->params.n_demand = 3;
  f.proxy.size = sizeof f.proxy;
  if (sent)
    f.proxy.last_sent = octets(sent);
  if (received)
    f.proxy.last_received = octets(received);
  started = FALSE;
  return f;
}

static void with_auth(Fixture *f, guint16 type, guint8 id, const char *name, const char *challenge, const char *response) {
  f->proxy.auth_type = type;
  f->proxy.auth_id = id;
  f->proxy.auth_name = g_bytes_new(name, strlen(name));
  if (challenge)
    f->proxy.auth_challenge = octets(challenge);
  f->proxy.auth_response = octets(response);
}

static void go(Fixture *f) {
  f->a->params.proxy = &f->proxy;
  node_make(f->a);
  /* the link has its own references */
  g_clear_pointer(&f->proxy.last_sent, g_bytes_unref);
  g_clear_pointer(&f->proxy.last_received, g_bytes_unref);
  g_clear_pointer(&f->proxy.auth_name, g_bytes_unref);
  g_clear_pointer(&f->proxy.auth_challenge, g_bytes_unref);
  g_clear_pointer(&f->proxy.auth_response, g_bytes_unref);
  f->a->params.proxy = NULL;
  adit_ppp_link_open(f->a->link);
}

static void verdict_is(Fixture *f, AditAuthOutcome outcome) {
  const AditAuthReply reply = {
      .size = sizeof reply, .outcome = outcome, .message = outcome == ADIT_AUTH_ACCEPT ? "Welcome" : NULL, .why = "wrong password"};
  adit_ppp_link_verdict(f->a->link, &reply);
}

#define MAGIC_AND_CHAP "0104 05dc 0305 c22305 0506 01020304"
#define PEER           "0104 0578 0506 0a0b0c0d 0702 0802"

static void rfc3437_lcp_that_fits_is_adopted(void **state) {
  AditPppLinkInfo info;
  Fixture f = prepare(MAGIC_AND_CHAP, PEER);
  go(&f);
  adit_ppp_link_info(f.a->link, &info);
  assert_true(info.proxied && info.lcp_open);
  assert_int_equal(node_count(f.a, ADIT_PPP_LCP, 1), 0);
  assert_int_equal(f.a->lcp_ups, 1);
  assert_int_equal(info.peer_mru, 1400);
  assert_true(f.a->pfc && f.a->acfc);
  assert_string_equal(info.demanded, "chap");
  assert_true(started); /* the LAC told nothing of authentication */
  node_inject_text(f.a, "c021 09 01 0008 0a0b0c0d");
  g_autofree char *reply = node_sent(f.a, ADIT_PPP_LCP, 10, 1);
  assert_string_equal(reply, "0a01000801020304"); /* the LAC's magic number is ours now */
  pair_free(f.pair);
}

/* The peer renegotiates with us, and our first request is lost. */
static void rfc1661_4_6_after_adoption_requests_are_repeated(void **state) {
  Fixture f = prepare(MAGIC_AND_CHAP, PEER);
  go(&f);
  node_inject_text(f.a, "c021 01 01 0004");
  assert_int_equal(node_count(f.a, ADIT_PPP_LCP, 1), 1);
  pair_run(f.pair, 3500);
  assert_int_equal(f.a->closes, 0);
  assert_int_equal(node_count(f.a, ADIT_PPP_LCP, 1), 2);
  pair_run(f.pair, 60000);
  assert_int_equal(f.a->closes, 1);
  assert_int_equal(node_count(f.a, ADIT_PPP_LCP, 1), 10);
  pair_free(f.pair);
}

static void rfc2661_4_4_5_proxied_chap_is_asked_and_answered(void **state) {
  Fixture f = prepare(MAGIC_AND_CHAP, PEER);
  with_auth(&f, 2, 0x2c, "alice", "00112233445566778899aabbccddeeff", "ffeeddccbbaa99887766554433221100");
  go(&f);
  assert_false(started);
  assert_int_equal(f.a->asks, 1);
  const AditAuthRequest *r = f.a->asked;
  assert_int_equal(r->kind, ADIT_AUTH_CHAP_MD5);
  assert_string_equal(r->user, "alice");
  assert_int_equal(r->id, 0x2c);
  assert_int_equal(r->challenge_length, 16);
  assert_int_equal(r->challenge[1], 0x11);
  assert_int_equal(r->response_length, 16);
  assert_int_equal(r->response[0], 0xff);
  verdict_is(&f, ADIT_AUTH_ACCEPT);
  assert_true(f.a->network);
  assert_string_equal(f.a->user, "alice");
  g_autofree char *success = node_sent(f.a, ADIT_PPP_CHAP, 3, 1);
  assert_string_equal(success, "032c000b57656c636f6d65");

  /* the Success was lost: the peer repeats its Response (RFC 1994 4.1) */
  node_inject_text(f.a, "c223 02 2c 0006 1000");
  assert_int_equal(node_count(f.a, ADIT_PPP_CHAP, 3), 2);
  node_inject_text(f.a, "c223 02 2d 0006 1000"); /* another id */
  assert_int_equal(node_count(f.a, ADIT_PPP_CHAP, 3), 2);
  pair_free(f.pair);
}

static void rfc2661_4_4_5_proxied_pap(void **state) {
  Fixture f = prepare("0304 c023", "");
  with_auth(&f, 3, 5, "bob", NULL, "736563726574");
  go(&f);
  assert_int_equal(f.a->asked->kind, ADIT_AUTH_PAP);
  assert_string_equal(f.a->asked->password, "secret");
  verdict_is(&f, ADIT_AUTH_ACCEPT);
  g_autofree char *ack = node_sent(f.a, ADIT_PPP_PAP, 2, 1);
  assert_string_equal(ack, "0205000c0757656c636f6d65");
  node_inject_text(f.a, "c023 01 09 0006 0000"); /* repeated with an id of its own */
  g_autofree char *again = node_sent(f.a, ADIT_PPP_PAP, 2, 2);
  assert_string_equal(again, "0209000c0757656c636f6d65");
  pair_free(f.pair);
}

static void rfc2661_4_4_5_proxied_mschapv1_refused(void **state) {
  Fixture f = prepare("0305 c22380", PEER);
  with_auth(&f, 5, 1, "carol", "0011223344556677",
            "000000000000000000000000000000000000000000000000"
            "4e9d3c8f9cfd385d5bf4d3246791956ca4c351ab409a3d6101");
  go(&f);
  assert_int_equal(f.a->asked->kind, ADIT_AUTH_MSCHAPV1);
  assert_int_equal(f.a->asked->response_length, 49);
  verdict_is(&f, ADIT_AUTH_REJECT);
  g_autofree char *failure = node_sent(f.a, ADIT_PPP_CHAP, 4, 1);
  assert_string_equal(failure, "0401000d453d36393120523d30"); /* E=691 R=0 */
  pair_run(f.pair, 10000);
  assert_int_equal(f.a->closes, 1);
  assert_int_equal(f.a->cause, ADIT_CAUSE_USER_ERROR);
  assert_string_equal(f.a->reason, "wrong password");
  pair_free(f.pair);
}

static void proxied_answers_that_make_no_sense_are_asked_for_again(void **state) {
  static const struct {
    guint16 type;
    const char *challenge, *response;
  } bad[] = {
      {2, NULL, "ffeeddccbbaa99887766554433221100"},       /* no challenge */
      {2, "00112233", "ffee"},                             /* a short response */
      {5, "00112233", "ffeeddccbbaa99887766554433221100"}, /* not MS-CHAPv1's lengths */
      {3, NULL, "736563726574"},                           /* PAP, but LCP says CHAP */
      {9, "00112233", "ffeeddccbbaa99887766554433221100"}, /* unknown */
  };
  for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
    Fixture f = prepare(MAGIC_AND_CHAP, PEER);
    with_auth(&f, bad[i].type, 1, "alice", bad[i].challenge, bad[i].response);
    go(&f);
    assert_int_equal(f.a->asks, 0);
    assert_true(started);
    pair_free(f.pair);
  }
}

static const struct {
  const char *sent, *received;
  AditRenegotiate how;
  gboolean adopted, dead;
} policies[] = {
    {MAGIC_AND_CHAP, PEER, ADIT_RENEGOTIATE_ALWAYS, FALSE, FALSE},
    {MAGIC_AND_CHAP, PEER, ADIT_RENEGOTIATE_NEVER, TRUE, FALSE},
    {NULL, PEER, ADIT_RENEGOTIATE_NEVER, FALSE, FALSE}, /* nothing to adopt */
    {MAGIC_AND_CHAP, NULL, ADIT_RENEGOTIATE_ON_MISMATCH, FALSE, FALSE},
    {"0104 0700 0305 c22305", PEER, ADIT_RENEGOTIATE_ON_MISMATCH, FALSE, FALSE}, /* an MRU over ours */
    {"0104 0700 0305 c22305", PEER, ADIT_RENEGOTIATE_NEVER, TRUE, FALSE},        /* which we can bear */
    {"0104 05dc", PEER, ADIT_RENEGOTIATE_ON_MISMATCH, FALSE, FALSE},             /* no authentication */
    {"0104 05dc", PEER, ADIT_RENEGOTIATE_NEVER, FALSE, TRUE},
    {"0305 c22381", PEER, ADIT_RENEGOTIATE_ON_MISMATCH, FALSE, FALSE}, /* a method that is not allowed */
    {"0305 c22381", PEER, ADIT_RENEGOTIATE_NEVER, FALSE, TRUE},
    {MAGIC_AND_CHAP "1104 0640", PEER, ADIT_RENEGOTIATE_NEVER, FALSE, TRUE},      /* multilink */
    {MAGIC_AND_CHAP, PEER "0d03 06", ADIT_RENEGOTIATE_ON_MISMATCH, FALSE, FALSE}, /* callback */
    {MAGIC_AND_CHAP, PEER "0305 c22305", ADIT_RENEGOTIATE_NEVER, FALSE, TRUE},    /* we are to prove ourselves */
    {MAGIC_AND_CHAP "07", PEER, ADIT_RENEGOTIATE_NEVER, FALSE, TRUE},             /* malformed */
    {MAGIC_AND_CHAP, PEER "0800", ADIT_RENEGOTIATE_NEVER, FALSE, TRUE},
};

static void rfc3437_2_lcp_renegotiation_policies(void **state) {
  for (guint i = 0; i < G_N_ELEMENTS(policies); i++) {
    AditPppLinkInfo info;
    Fixture f = prepare(policies[i].sent, policies[i].received);
    f.a->params.renegotiate = policies[i].how;
    go(&f);
    adit_ppp_link_info(f.a->link, &info);
    assert_int_equal(info.lcp_open, policies[i].adopted);
    assert_int_equal(f.a->closes, policies[i].dead);
    assert_int_equal(node_count(f.a, ADIT_PPP_LCP, 1), !policies[i].adopted && !policies[i].dead);
    pair_free(f.pair);
  }
}

static void an_adopted_link_renegotiates_when_the_peer_begins(void **state) {
  Fixture f = prepare(MAGIC_AND_CHAP, PEER);
  with_auth(&f, 2, 0x2c, "alice", "00112233445566778899aabbccddeeff", "ffeeddccbbaa99887766554433221100");
  go(&f);
  verdict_is(&f, ADIT_AUTH_ACCEPT);
  node_inject_text(f.a, "c021 01 01 000a 0506 0a0b0c0d");
  assert_int_equal(f.a->network_downs, 1);
  assert_int_equal(node_count(f.a, ADIT_PPP_LCP, 1), 1);
  assert_int_equal(node_count(f.a, ADIT_PPP_LCP, 2), 1);
  g_autofree char *request = node_sent(f.a, ADIT_PPP_LCP, 1, 1);
  assert_non_null(strstr(request, "0305c22380")); /* what we want ourselves, the strongest first */
  request[1] = '2';
  g_autofree char *ack = g_strconcat("c021", request, NULL);
  node_inject_text(f.a, ack);
  assert_true(started); /* what the LAC knew is no proof any more */
  pair_free(f.pair);
}

static void an_adopted_link_survives_death(void **state) {
  Fixture f = prepare(MAGIC_AND_CHAP, PEER);
  with_auth(&f, 2, 0x2c, "alice", "00112233445566778899aabbccddeeff", "ffeeddccbbaa99887766554433221100");
  go(&f);
  verdict_is(&f, ADIT_AUTH_ACCEPT);
  node_reincarnate(f.a);
  node_inject_text(f.a, "c223 02 2c 0006 1000");
  assert_int_equal(node_count(f.a, ADIT_PPP_CHAP, 3), 2);

  Fixture g = prepare(MAGIC_AND_CHAP, PEER);
  with_auth(&g, 2, 0x2c, "alice", "00112233445566778899aabbccddeeff", "ffeeddccbbaa99887766554433221100");
  go(&g);
  node_reincarnate(g.a); /* with the question open: the method asks the peer itself */
  assert_false(started);
  pair_run(g.pair, 10);
  assert_true(started);
  pair_free(f.pair);
  pair_free(g.pair);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rfc3437_lcp_that_fits_is_adopted),
      cmocka_unit_test(rfc1661_4_6_after_adoption_requests_are_repeated),
      cmocka_unit_test(rfc2661_4_4_5_proxied_chap_is_asked_and_answered),
      cmocka_unit_test(rfc2661_4_4_5_proxied_pap),
      cmocka_unit_test(rfc2661_4_4_5_proxied_mschapv1_refused),
      cmocka_unit_test(proxied_answers_that_make_no_sense_are_asked_for_again),
      cmocka_unit_test(rfc3437_2_lcp_renegotiation_policies),
      cmocka_unit_test(an_adopted_link_renegotiates_when_the_peer_begins),
      cmocka_unit_test(an_adopted_link_survives_death),
  };
  return cmocka_run_group_tests_name("proxy", tests, NULL, NULL);
}
