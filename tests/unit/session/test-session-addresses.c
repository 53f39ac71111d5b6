/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Which addresses a session gets, keeps and refuses. */
#include "core/session/internal.h"
#include "tests/unit/session/world.h"

/* Sends an IPCP packet of the test's own from the client's end of the link. */
static void send_ipcp(const Call *from, const char *hex) {
  AditSessLink *link = adit_link_find(from->id);
  guint8 packet[64];
  gsize length = strlen(hex) / 2;

  assert_non_null(link);
  for (gsize i = 0; i < length; i++)
    packet[i] = (guint8)(g_ascii_xdigit_value(hex[2 * i]) << 4 | g_ascii_xdigit_value(hex[2 * i + 1]));
  adit_ppp_link_send(link->ppp, ADIT_PPP_IPCP, packet, length);
}

static AditSess *server_session(const Pair *pair) {
  AditSessLink *link = adit_link_find(pair->server.id);
  return link ? link->session : NULL;
}

/* ---- renegotiation ---- */

static guint held_back; /* how often the data plane was told to pass no IPv4 */

static void spy_set(AditDpSession *session, const AditDpSessionParams *params) {
  held_back += !params->ipv4;
  null_datapath_ops.session_set(session, params);
}

/* A session that is up, and whose data plane is watched. */
static AditSess *watched_session(World *w, Pair *pair) {
  static AditDatapathOps spy;
  spy = null_datapath_ops;
  spy.session_set = spy_set;
  world_dial(w, pair, "chooser", "right", &spy);
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
  held_back = 0;
  return server_session(pair);
}

static void a_peer_that_renegotiates_another_address_keeps_the_old_one(void **state) {
  World *w = *state;
  Pair *pair = &w->pair[0];

  AditSess *session = watched_session(w, pair);

  send_ipcp(&pair->client, "0177000a03060a000063"); /* 10.0.0.99 */
  assert_true(TEST_LOOP_UNTIL(held_back, 5000));
  assert_true(TEST_LOOP_UNTIL(session->ipv4, 5000));
  assert_int_equal(session->state, ADIT_SESS_UP);
  assert_int_equal(adit_address_to_ipv4(&session->result.remote4), 0x0a00000a);
  assert_int_equal(w->down, 0);
  assert_int_equal(world_told("address 10.0.0.1/32 peer 10.0.0.10"), 1); /* the kernel is not told again */
}

static void a_peer_that_terminates_its_only_protocol_may_begin_it_anew(void **state) {
  World *w = *state;
  Pair *pair = &w->pair[0];

  AditSess *session = watched_session(w, pair);

  send_ipcp(&pair->client, "05770004");
  assert_true(TEST_LOOP_UNTIL(held_back, 5000));
  /* The client's own IPCP takes the Terminate-Ack as a reason to begin anew. */
  assert_true(TEST_LOOP_UNTIL(session->ipv4, 2500));
  assert_int_equal(session->state, ADIT_SESS_UP);
  assert_false(TEST_LOOP_UNTIL(w->down, 4000)); /* the time after which it would have ended */
  assert_true(session->ipv4);
}

int main(void) {
#define test(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
  const struct CMUnitTest tests[] = {
      test(a_peer_that_renegotiates_another_address_keeps_the_old_one),
      test(a_peer_that_terminates_its_only_protocol_may_begin_it_anew),
  };
  return cmocka_run_group_tests_name("session addresses", tests, NULL, NULL);
}
