/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Sessions with Multilink at both ends in one process: LCP, bundler and stage are the real ones, the data path is null's. */
#include "core/ppp/registry.h"
#include "core/session/describe.h"
#include "core/session/life/sess.h"
#include "core/session/life/sessions.h"
#include "plugins/mp/mp-bundler.h"
#include "plugins/mp/mp-options.h"
#include "tests/unit/session/world.h"

static MpBundler *bundler;
static AditSessionId last_up[2]; /* of a server, of a client */
static gint64 max_sessions;      /* of the server */

static void on_up(const AditEvent *event, gpointer data) {
  AditSessionInfo info = {.size = sizeof info};
  AditSessionId id = ((const AditSessionEvent *)event)->session;
  assert_true(adit_session_service()->session_info(id, &info));
  last_up[info.client] = id;
}

static int setup(void **state) {
  static const guint8 seed[MP_IDENTITY_SEED] = {7};
  int result = world_setup(state);
  World *w = *state;

  bundler = mp_bundler_new(adit_session_service(), adit_loop_service());
  mp_identity_init(seed);
  last_up[0] = last_up[1] = 0;
  max_sessions = 3;
  assert_true(adit_ppp_service()->lcp_add(&w->plugin, &mp_lcp_desc, NULL));
  assert_true(adit_session_service()->bundler_add(&w->plugin, &mp_bundler_ops, bundler, NULL));
  assert_true(adit_bus_service()->subscribe(&w->plugin, ADIT_EVENT_SESSION_UP, on_up, NULL) != 0);
  return result;
}

static int teardown(void **state) {
  int result = world_teardown(state);
  mp_bundler_free(bundler);
  mp_identity_fini();
  return result;
}

static void dial(World *w, guint n, const char *name, const char *user, gint64 server_mrru, gint64 client_mrru) {
  g_autoptr(AditValue) server = world_config_of("office", NULL, NULL), client = world_config_of(name, user, "right");

  adit_value_set(server, "mrru", adit_value_int(server_mrru));
  adit_value_set(server, "max-sessions", adit_value_int(max_sessions));
  adit_value_set(client, "mrru", adit_value_int(client_mrru));
  assert_true(world_call_open(w, &w->pair[n].server, FALSE, server, n + 1, &null_datapath_ops, NULL));
  assert_true(world_call_open(w, &w->pair[n].client, TRUE, client, n + 1, &null_datapath_ops, NULL));
}

static AditSess *session_of(gboolean client) {
  AditSess *session = adit_sess_find(last_up[client]);
  assert_non_null(session);
  return session;
}

static gboolean has_links(guint n) {
  AditSess *server = adit_sess_find(last_up[0]), *client = adit_sess_find(last_up[1]);
  return server && client && server->links->len == n && client->links->len == n;
}

static void two_links(World *w) {
  dial(w, 0, "out1", "alice", 1600, 1600);
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
  dial(w, 1, "out1", "alice", 1600, 1600);
  assert_true(TEST_LOOP_UNTIL(has_links(2), 5000));
}

/* The calls of a pair are gone, as when their tunnel is. */
static void lose(World *w, guint n) {
  adit_session_service()->link_close(w->pair[n].server.id, ADIT_CAUSE_LOST_SERVICE, "its tunnel died");
  adit_session_service()->link_close(w->pair[n].client.id, ADIT_CAUSE_LOST_SERVICE, "its tunnel died");
}

/* Does a packet of that size reach the server's side? */
static gboolean carries(World *w, guint16 length) {
  g_autofree guint8 *packet = g_malloc0(length);
  AditSessionInfo info = {.size = sizeof info};
  static const guint8 head[20] = {0x45, 0, 0, 0, [8] = 64, 17, [12] = 10, 0, 0, 10, 10, 0, 0, 1};

  memcpy(packet, head, sizeof head);
  packet[2] = (guint8)(length >> 8);
  packet[3] = (guint8)length;
  assert_true(adit_session_service()->session_info(last_up[0], &info));
  guint64 packets = info.counters.rx_packets, octets = info.counters.rx_octets;
  if (!null_port_inject(null_dp_port(w->client.dp, "out1"), packet, length))
    return FALSE;
  test_loop_drain();
  world_run_net(w);
  assert_true(adit_session_service()->session_info(last_up[0], &info));
  return info.counters.rx_packets == packets + 1 && info.counters.rx_octets == octets + length;
}

static guint64 frames_of(const Call *call) {
  AditDpStats stats = {0};
  assert_true(adit_session_service()->link_stats(call->id, &stats));
  return stats.counters.rx_packets;
}

/* ---- one link ---- */

static void the_mtu_is_the_peers_mrru(void **state) {
  World *w = *state;

  dial(w, 0, "out1", "alice", 8000, 1600);
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
  test_loop_drain();
  assert_int_equal(session_of(FALSE)->mtu, 1600);
  assert_int_equal(session_of(TRUE)->mtu, 8000);
  assert_int_equal(world_told("mtu 1600"), 1);
  assert_int_equal(world_told("mtu 8000"), 1);
  guint64 before = frames_of(&w->pair[0].server);
  assert_true(carries(w, 1400)); /* as it is */
  assert_int_equal(frames_of(&w->pair[0].server) - before, 1);
  assert_true(carries(w, 8000));
  assert_int_equal(frames_of(&w->pair[0].server) - before, 1 + 6);
  g_autoptr(AditValue) row = adit_session_describe("l2tp-alice");
  const AditValue *mp = adit_value_get(row, "multilink");
  assert_int_equal(adit_value_get_int(mp, "rx-reassembled", 0), 1);
  assert_int_equal(adit_value_get_int(mp, "peer-mrru", 0), 1600);
  assert_int_equal(adit_value_get_int(row, "links", -1), -1); /* a list there */
}

static void an_mrru_that_one_end_refuses_makes_no_bundle(void **state) {
  World *w = *state;

  for (guint i = 0; i < 2; i++) {
    dial(w, i, "out1", i ? "bob" : "alice", i ? 1600 : 0, i ? 0 : 1600);
    assert_true(TEST_LOOP_UNTIL(w->up == 2 * (i + 1), 5000));
    assert_int_equal(session_of(FALSE)->mtu, 1450);
    assert_int_equal(session_of(TRUE)->mtu, 1450);
    assert_null(session_of(FALSE)->multi_id);
    if (i == 0)
      assert_true(carries(w, 1450));
  }
}

static void framed_mtu_limits_packets(void **state) {
  World *w = *state;

  world_extra = adit_value_map();
  adit_value_set(world_extra, "mtu", adit_value_int(1500));
  dial(w, 0, "out1", "alice", 1600, 1600);
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
  assert_int_equal(session_of(FALSE)->mtu, 1500);
  assert_int_equal(session_of(TRUE)->mtu, 1600);
}

/* ---- several ---- */

static void two_links_are_one_session(void **state) {
  World *w = *state;
  const Record *last = NULL;

  two_links(w);
  assert_int_equal(w->up, 2);
  assert_int_equal(world_recorded(ADIT_ACCT_START, FALSE, &last), 1);
  assert_string_equal(last->multi_id, last->record_id);
  guint64 first = frames_of(&w->pair[0].server), second = frames_of(&w->pair[1].server);
  for (guint i = 0; i < 10; i++)
    assert_true(carries(w, 1600));
  assert_true(frames_of(&w->pair[0].server) > first);
  assert_true(frames_of(&w->pair[1].server) > second);
  for (guint i = 0; i < 2; i++) { /* whichever goes */
    lose(w, i);
    test_loop_drain();
    assert_true(has_links(1));
    assert_int_equal(w->down, 0);
    for (guint k = 0; k < 5; k++)
      assert_true(carries(w, 1600));
    if (i == 0) {
      dial(w, 2, "out1", "alice", 1600, 1600);
      assert_true(TEST_LOOP_UNTIL(has_links(2), 5000));
    }
  }
  lose(w, 2);
  assert_true(TEST_LOOP_UNTIL(w->down == 2, 5000));
  assert_int_equal(world_recorded(ADIT_ACCT_STOP, FALSE, &last), 1);
  assert_int_equal(last->link_count, 3);
}

static void another_user_or_machine_never_joins(void **state) {
  World *w = *state;

  dial(w, 0, "out1", "alice", 1600, 1600);
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
  AditSessionId first = last_up[0];
  dial(w, 1, "out2", "alice", 1600, 1600);
  assert_true(TEST_LOOP_UNTIL(w->up == 4, 5000));
  assert_int_not_equal(last_up[0], first);
  dial(w, 2, "out1", "bob", 1600, 1600); /* with the first one's discriminator; our own client sees no other user */
  assert_true(TEST_LOOP_UNTIL(w->pair[2].client.closed || w->up > 4, 10000));
  assert_int_equal(adit_sess_find(first)->links->len, 1);
}

static void a_limit_of_links_holds(void **state) {
  World *w = *state;

  world_extra = adit_value_map();
  adit_value_set(world_extra, "port-limit", adit_value_int(2));
  two_links(w);
  dial(w, 2, "out1", "alice", 1600, 1600);
  assert_true(TEST_LOOP_UNTIL(w->pair[2].server.closed, 10000));
  assert_string_equal(w->pair[2].server.reason, "mp: the user may have 2 links (max-links, Port-Limit)");
  assert_true(TEST_LOOP_UNTIL(has_links(2), 5000));
  assert_true(carries(w, 1600));
}

static void max_sessions_counts_a_bundle_once(void **state) {
  World *w = *state;

  max_sessions = 2;
  two_links(w);
  dial(w, 2, "out2", "bob", 1600, 1600);
  assert_true(TEST_LOOP_UNTIL(w->up == 4, 5000));
  dial(w, 3, "out3", "carol", 1600, 1600); /* it may be one more link of somebody, and is none */
  assert_true(TEST_LOOP_UNTIL(w->pair[3].server.closed && w->pair[3].client.closed, 10000));
  assert_string_equal(w->pair[3].server.reason, "max-sessions reached");
  assert_int_equal(w->down, 0);
}

static void a_member_that_negotiates_again_loses_nothing(void **state) {
  static const guint8 request[] = {0, 2, 0, 1, 0, 2, 0xc0, 0x21, 1, 99, 0, 4}; /* an LCP Configure-Request of the second call */
  World *w = *state;
  AditPath path = {.local = w->client.at, .remote = w->server.at};

  two_links(w);
  assert_true(null_net_deliver(w->net, &path, request, sizeof request));
  world_run_net(w); /* the other end hears of it, and uses the first one alone */
  assert_true(carries(w, 1600));
  assert_true(TEST_LOOP_UNTIL(w->pair[1].server.closed || has_links(2), 10000));
  assert_int_equal(w->down, 0);
  assert_true(carries(w, 1600));
}

int main(void) {
#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      test(the_mtu_is_the_peers_mrru),         test(an_mrru_that_one_end_refuses_makes_no_bundle), test(framed_mtu_limits_packets),
      test(two_links_are_one_session),         test(another_user_or_machine_never_joins),          test(a_limit_of_links_holds),
      test(max_sessions_counts_a_bundle_once), test(a_member_that_negotiates_again_loses_nothing),
  };
  return cmocka_run_group_tests_name("mp session", tests, NULL, NULL);
}
