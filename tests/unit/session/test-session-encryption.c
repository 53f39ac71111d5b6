/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Sessions whose data is encrypted by MPPE, with the real CCP at both ends: who wants it, who gets it, and what is on the wire meanwhile.
 */
#include "ccp.h"
#include "core/aaa/aaa.h"
#include "core/ppp/registry.h"
#include "core/session/describe.h"
#include "core/session/life/sess.h"
#include "core/session/link/link.h"
#include "mschap.h"
#include "tests/unit/session/world.h"

/* ---- a data path that tells what is sent, and delays what it is told to ---- */

enum { SERVER, CLIENT, ENDS };

typedef struct {
  AditDpLink *link;
  GBytes *frame;
} Held;

static AditDatapathOps datapath;
static guint sent[0x10000 >> 8][256]; /* frames that the main loop sent, by protocol */
static GQueue held = G_QUEUE_INIT;    /* of Held */
static guint hold_from, hold_n;       /* which CCP frames wait, counted from 0 */
static guint ccp_frames;
static gboolean lose_ccp;

static guint *sent_of(guint16 protocol) {
  return &sent[protocol >> 8][protocol & 255];
}

static void observed_send(AditDpLink *link, const guint8 *frame, gsize length) {
  guint16 protocol = (guint16)(frame[0] << 8 | frame[1]);

  (*sent_of(protocol))++;
  if (protocol != ADIT_PPP_CCP) {
    null_datapath_ops.link_send(link, frame, length);
    return;
  }
  guint n = ccp_frames++;
  if (lose_ccp)
    return;
  if (n < hold_from || n >= hold_from + hold_n) {
    null_datapath_ops.link_send(link, frame, length);
    return;
  }
  Held *h = g_new0(Held, 1);
  *h = (Held){link, g_bytes_new(frame, length)};
  g_queue_push_tail(&held, h);
}

static void release_held(gboolean deliver) {
  Held *h;
  hold_n = 0;
  while ((h = g_queue_pop_head(&held))) {
    if (deliver)
      null_datapath_ops.link_send(h->link, g_bytes_get_data(h->frame, NULL), g_bytes_get_size(h->frame));
    g_bytes_unref(h->frame);
    g_free(h);
  }
}

/* ---- calls ---- */

static AditValue *config_with(gboolean client, const char *method, const char *use) {
  AditValue *config = client ? world_config_of("out1", "alice", "right") : world_config_of("office", NULL, NULL), *list = adit_value_list();
  adit_value_append(list, adit_value_string(method));
  adit_value_set(config, client ? "allow" : "authentication", list);
  if (client) /* profiles of the world's that say yes or required */
    adit_value_set(config, "profile", adit_value_string(use));
  return config;
}

static void dial(World *w, const char *method, const char *server_use, const char *client_profile) {
  g_autoptr(AditValue) server = config_with(FALSE, method, NULL), client = config_with(TRUE, method, client_profile);
  Pair *pair = &w->pair[0];

  memset(sent, 0, sizeof sent);
  ccp_frames = 0;
  datapath = null_datapath_ops;
  datapath.link_send = observed_send;
  assert_true(adit_aaa_service()->method_add(&w->plugin, &mschap1_method, NULL));
  assert_true(adit_aaa_service()->method_add(&w->plugin, &mschap2_method, NULL));
  assert_true(adit_ppp_service()->ncp_add(&w->plugin, &ccp_desc, NULL));
  world_extra = adit_value_map();
  if (server_use)
    adit_value_set(world_extra, "use-encryption", adit_value_string(server_use));
  assert_true(world_call_open(w, &pair->server, FALSE, server, 1, &datapath, NULL));
  assert_true(world_call_open(w, &pair->client, TRUE, client, 1, &datapath, NULL));
}

static AditSess *session_of(const Call *call) {
  const AditSessLink *link = adit_link_find(call->id);
  return link ? link->session : NULL;
}

static gboolean is_encrypted(const World *w, guint end) {
  const AditSess *session = session_of(end == SERVER ? &w->pair[0].server : &w->pair[0].client);
  return session && adit_sess_stages_encoding(session);
}

static gboolean both_encrypted(const World *w) {
  return is_encrypted(w, SERVER) && is_encrypted(w, CLIENT);
}

/* ---- data ---- */

static const guint8 to_server[20] = {0x45, 0, 0, 20, 0, 0, 0, 0, 64, 17, 0x66, 0xcf, 10, 0, 0, 10, 10, 0, 0, 1};
static const guint8 to_client[20] = {0x45, 0, 0, 20, 0, 0, 0, 0, 64, 17, 0x66, 0xcf, 10, 0, 0, 1, 10, 0, 0, 10};

static guint64 received(const World *w, guint end) {
  AditSessionInfo info = {.size = sizeof info};
  assert_true(adit_session_service()->session_info(session_of(end == SERVER ? &w->pair[0].server : &w->pair[0].client)->id, &info));
  return info.counters.rx_packets;
}

static gboolean send_data(World *w) {
  gboolean sent_both = null_port_inject(null_dp_port(w->client.dp, "out1"), to_server, sizeof to_server);
  sent_both &= null_port_inject(null_dp_port(w->server.dp, "l2tp-alice"), to_client, sizeof to_client);
  test_loop_drain();
  return sent_both;
}

static void expect_data(World *w) {
  guint64 server = received(w, SERVER), client = received(w, CLIENT);
  assert_true(send_data(w));
  assert_int_equal(received(w, SERVER), server + 1);
  assert_int_equal(received(w, CLIENT), client + 1);
}

static void deliver_clear(World *w, gboolean from_client) {
  guint8 frame[8 + 20] = {0, 2, 0, 1, 0, 1, 0, 0x21};
  AditPath path = {.local = from_client ? w->client.at : w->server.at, .remote = from_client ? w->server.at : w->client.at};
  memcpy(frame + 8, from_client ? to_server : to_client, 20);
  assert_true(null_net_deliver(w->net, &path, frame, sizeof frame));
  test_loop_drain();
}

static void expect_end(World *w, AditCause cause, const char *reason) {
  assert_true(TEST_LOOP_UNTIL(w->pair[0].server.closed, 60000));
  assert_int_equal(w->pair[0].server.cause, cause);
  assert_string_equal(w->pair[0].server.reason, reason);
}

static void expect_encoding(const char *encoding) {
  g_autoptr(AditValue) server = adit_session_describe("l2tp-alice"), client = adit_session_describe("out1");
  assert_string_equal(adit_value_get_string(server, "encoding", ""), encoding);
  assert_string_equal(adit_value_get_string(client, "encoding", ""), encoding);
}

/* ---- who gets it ---- */

static void both_ends_want_it(void **state) {
  World *w = *state;

  dial(w, "mschap2", "yes", "crypt");
  assert_true(TEST_LOOP_UNTIL(w->up == 2 && both_encrypted(w), 5000));
  expect_encoding("MPPE128 stateless");
  expect_data(w);
  assert_int_equal(session_of(&w->pair[0].server)->mtu, session_of(&w->pair[0].client)->mtu);
  guint64 before = received(w, SERVER);
  deliver_clear(w, TRUE); /* it was agreed to encrypt */
  assert_int_equal(received(w, SERVER), before);
}

static void mschap1_has_keys_too(void **state) {
  World *w = *state;

  dial(w, "mschap1", "required", "mustcrypt");
  assert_true(TEST_LOOP_UNTIL(w->up == 2 && both_encrypted(w), 5000));
  expect_data(w);
}

static void stages_make_packets_smaller(void **state) {
  World *w = *state;

  dial(w, "mschap2", "required", "mustcrypt");
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
  const AditSess *session = session_of(&w->pair[0].server);
  AditPppLinkInfo info;
  adit_ppp_link_info(((AditSessLink *)session->links->pdata[0])->ppp, &info);
  assert_int_equal(session->mtu, info.mtu - 4);
}

/* The peer's CCP gets a Protocol-Reject, and IPCP does not hear of it. */
static void one_end_does_not_want_it(void **state) {
  World *w = *state;

  dial(w, "mschap2", "no", "crypt");
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
  test_loop_drain();
  assert_true(*sent_of(ADIT_PPP_CCP) > 0);
  expect_encoding("");
  expect_data(w);
  assert_int_equal(w->down, 0);
}

static void nobody_wants_it_by_default(void **state) {
  World *w = *state;

  dial(w, "mschap2", NULL, "default");
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
  assert_int_equal(*sent_of(ADIT_PPP_CCP), 0);
  expect_data(w);
}

static void the_profile_default_encryption_wants_it(void **state) {
  World *w = *state;

  dial(w, "mschap2", "yes", "default-encryption");
  assert_true(TEST_LOOP_UNTIL(w->up == 2 && both_encrypted(w), 5000));
}

static void without_keys_it_is_left_out(void **state) {
  World *w = *state;

  dial(w, "pap", "yes", "crypt");
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
  assert_int_equal(*sent_of(ADIT_PPP_CCP), 0);
  expect_data(w);
}

/* It was ignored, for every protocol that no plugin has. */
static void required_without_the_plugin_is_refused(void **state) {
  g_autoptr(AditValue) server = config_with(FALSE, "mschap2", NULL), client = config_with(TRUE, "mschap2", "default");
  World *w = *state;

  assert_true(adit_aaa_service()->method_add(&w->plugin, &mschap2_method, NULL));
  world_extra = adit_value_map();
  adit_value_set(world_extra, "use-encryption", adit_value_string("required"));
  assert_true(world_call_open(w, &w->pair[0].server, FALSE, server, 1, &null_datapath_ops, NULL));
  assert_true(world_call_open(w, &w->pair[0].client, TRUE, client, 1, &null_datapath_ops, NULL));
  expect_end(w, ADIT_CAUSE_SERVICE_UNAVAILABLE, "use-encryption is required and cannot be offered: no plugin that is loaded does that");
}

static void required_without_keys_is_refused(void **state) {
  World *w = *state;

  dial(w, "pap", "required", "crypt");
  expect_end(w, ADIT_CAUSE_SERVICE_UNAVAILABLE, "ccp is required and cannot be offered: authentication made no keys, as mschap2 does");
}

static void required_and_rejected_ends_it(void **state) {
  World *w = *state;

  dial(w, "mschap2", "required", "default");
  expect_end(w, ADIT_CAUSE_USER_ERROR, "ccp is required: the peer rejected it");
}

static void a_policy_of_the_source_demands_it(void **state) {
  World *w = *state;

  dial(w, "mschap2", NULL, "default");
  adit_value_set(world_extra, "mppe-policy", adit_value_string("required"));
  expect_end(w, ADIT_CAUSE_USER_ERROR, "ccp is required: the peer rejected it");
}

/* ---- data before it is on ---- */

static void required_lets_no_data_pass_before(void **state) {
  World *w = *state;

  lose_ccp = TRUE;
  dial(w, "mschap2", "required", "mustcrypt");
  assert_true(TEST_LOOP_UNTIL(null_dp_port(w->client.dp, "out1") && null_dp_port(w->server.dp, "l2tp-alice"), 5000));
  test_loop_drain();
  for (guint i = 0; i < 3; i++) {
    send_data(w);
    deliver_clear(w, TRUE);
    deliver_clear(w, FALSE);
  }
  assert_int_equal(w->up, 0);
  assert_int_equal(received(w, SERVER), 0);
  assert_int_equal(received(w, CLIENT), 0);
  lose_ccp = FALSE;
  assert_true(TEST_LOOP_UNTIL(w->up == 2 && both_encrypted(w), 10000));
  guint64 server = received(w, SERVER), client = received(w, CLIENT);
  assert_true(server <= 3 && client <= 3); /* what waited was encrypted, and nothing clear was taken */
  expect_data(w);
}

static void a_peer_that_is_silent_about_it_holds_nothing_up(void **state) {
  World *w = *state;

  lose_ccp = TRUE;
  dial(w, "mschap2", "yes", "crypt");
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
  expect_data(w);
  expect_encoding("");
  lose_ccp = FALSE;
  assert_true(TEST_LOOP_UNTIL(both_encrypted(w), 10000)); /* later is fine, too */
  expect_data(w);
  assert_int_equal(w->down, 0);
}

/* ---- while it is on ---- */

static void inject_ccp(World *w, gboolean from_client, const char *hex) {
  guint8 frame[64] = {0, 2, 0, 1, 0, 1, 0x80, 0xfd};
  AditPath path = {.local = from_client ? w->client.at : w->server.at, .remote = from_client ? w->server.at : w->client.at};
  gsize n = 8;
  for (; *hex; hex += 2)
    frame[n++] = (guint8)(g_ascii_xdigit_value(hex[0]) << 4 | g_ascii_xdigit_value(hex[1]));
  assert_true(null_net_deliver(w->net, &path, frame, n));
}

static void a_new_request_renegotiates(void **state) {
  World *w = *state;

  dial(w, "mschap2", "required", "mustcrypt");
  assert_true(TEST_LOOP_UNTIL(w->up == 2 && both_encrypted(w), 5000));
  expect_data(w);
  guint before = ccp_frames;
  inject_ccp(w, TRUE, "0177000a120601000040");
  assert_true(TEST_LOOP_UNTIL(ccp_frames >= before + 4 && both_encrypted(w), 10000));
  test_loop_drain();
  expect_data(w);
  assert_int_equal(w->down, 0);
}

static void the_peer_ends_it(void **state) {
  World *w = *state;

  dial(w, "mschap2", "yes", "crypt");
  assert_true(TEST_LOOP_UNTIL(w->up == 2 && both_encrypted(w), 5000));
  lose_ccp = TRUE; /* the client would want it back */
  inject_ccp(w, TRUE, "05770004");
  test_loop_drain();
  assert_false(is_encrypted(w, SERVER));
  assert_int_equal(w->down, 0);
}

static void the_peer_ends_what_is_required(void **state) {
  World *w = *state;

  dial(w, "mschap2", "required", "crypt");
  assert_true(TEST_LOOP_UNTIL(w->up == 2 && both_encrypted(w), 5000));
  lose_ccp = TRUE; /* the client would want it back */
  inject_ccp(w, TRUE, "05770004");
  expect_end(w, ADIT_CAUSE_USER_ERROR, "ccp is required: the peer terminated it");
}

static void a_rechallenge_changes_nothing_until_it_renegotiates(void **state) {
  World *w = *state;

  dial(w, "mschap2", "required", "mustcrypt");
  assert_true(TEST_LOOP_UNTIL(w->up == 2 && both_encrypted(w), 5000));
  AditSessLink *link = adit_link_find(w->pair[0].server.id);
  assert_true(adit_ppp_link_rechallenge(link->ppp));
  test_loop_drain();
  expect_data(w);
  inject_ccp(w, TRUE, "0177000a120601000040");
  guint before = ccp_frames;
  assert_true(TEST_LOOP_UNTIL(ccp_frames >= before + 3 && both_encrypted(w), 10000));
  test_loop_drain();
  expect_data(w); /* with the new keys, at both ends */
  assert_int_equal(w->down, 0);
}

static void an_lcp_that_begins_anew_encrypts_again(void **state) {
  static const guint8 request[] = {0, 2, 0, 1, 0, 1, 0xc0, 0x21, 1, 0x77, 0, 4};
  World *w = *state;
  AditPath path = {.local = w->client.at, .remote = w->server.at};

  dial(w, "mschap2", "required", "mustcrypt");
  assert_true(TEST_LOOP_UNTIL(w->up == 2 && both_encrypted(w), 5000));
  assert_true(null_net_deliver(w->net, &path, request, sizeof request));
  test_loop_drain();
  assert_true(TEST_LOOP_UNTIL(both_encrypted(w), 10000));
  test_loop_drain();
  expect_data(w);
}

/* ---- CCP in flight while IPCP finishes (accel-ppp#353), in every order ---- */

static void ccp_in_flight_kills_nothing(void **state) {
  World *w = *state;

  for (guint round = 0; round < 30; round++) {
    static const char *const uses[] = {"yes", "no", NULL};
    if (round) {
      world_teardown(state);
      world_setup(state);
      w = *state;
    }
    hold_from = round % 5;
    hold_n = 1 + round / 5;
    dial(w, "mschap2", uses[round % 3], round & 1 ? "crypt" : "default-encryption");
    assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
    release_held(round % 4 != 3); /* late, or never */
    if (round % 3 == 0)
      assert_true(TEST_LOOP_UNTIL(both_encrypted(w), 10000));
    test_loop_drain();
    expect_data(w);
    assert_int_equal(w->down, 0);
    assert_false(w->pair[0].server.closed || w->pair[0].client.closed);
  }
}

static int teardown(void **state) {
  release_held(FALSE);
  lose_ccp = FALSE;
  return world_teardown(state);
}

int main(void) {
#define test(name) cmocka_unit_test_setup_teardown(name, world_setup, teardown)
  const struct CMUnitTest tests[] = {
      test(both_ends_want_it),
      test(mschap1_has_keys_too),
      test(stages_make_packets_smaller),
      test(one_end_does_not_want_it),
      test(nobody_wants_it_by_default),
      test(the_profile_default_encryption_wants_it),
      test(without_keys_it_is_left_out),
      test(required_without_the_plugin_is_refused),
      test(required_without_keys_is_refused),
      test(required_and_rejected_ends_it),
      test(a_policy_of_the_source_demands_it),
      test(required_lets_no_data_pass_before),
      test(a_peer_that_is_silent_about_it_holds_nothing_up),
      test(a_new_request_renegotiates),
      test(the_peer_ends_it),
      test(the_peer_ends_what_is_required),
      test(a_rechallenge_changes_nothing_until_it_renegotiates),
      test(an_lcp_that_begins_anew_encrypts_again),
      test(ccp_in_flight_kills_nothing),
  };
  return cmocka_run_group_tests_name("session encryption", tests, NULL, NULL);
}
