/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Every row of the state table, taken by sessions that live: a spy stands between each session and its life. */
#include "core/ppp/registry.h"
#include "core/session/life/sess.h"
#include "core/session/life/sessions.h"
#include "ipv6cp.h"
#include "tests/unit/session/world.h"

/* ---- the spy ---- */

static guint taken[ADIT_LIFE_STATES][ADIT_LIFE_EVENTS], refused;
static const AditSessOps *real;

static void on_event(AditSess *session, AditLifeEvent event) {
  taken[session->state][event]++;
  refused += !adit_life_row(session->state, event);
  real->event(session, event);
}

static void on_free(AditSess *session) {
  real->free(session);
}

static const AditSessOps spy = {on_event, on_free};

/* The first that is asked about a session that is registered. */
static AditValue *install_spy(const AditEvent *event, gpointer data) {
  AditSess *session = adit_sess_find(((const AditSessionEvent *)event)->session);
  if (session && session->ops != &spy) {
    real = session->ops;
    session->ops = &spy;
  }
  return NULL;
}

/* ---- a data path that loses what it is told to, and opens interfaces late ---- */

static AditDatapathOps datapath; /* used until the links end, in teardown */
static guint16 lost[2];
static gboolean late;
static struct {
  AditPortSpec spec;
  AditPortOpened done;
  gpointer dp, user;
} held;

static void losing_send(AditDpLink *link, const guint8 *frame, gsize length) {
  guint16 protocol = length < 2 ? 0 : (guint16)(frame[0] << 8 | frame[1]);
  if (protocol != lost[0] && protocol != lost[1])
    null_datapath_ops.link_send(link, frame, length);
}

static void late_open(gpointer dp, const AditPortSpec *spec, AditPortOpened done, gpointer user) {
  if (!late) {
    null_datapath_ops.port_open(dp, spec, done, user);
    return;
  }
  held.spec = *spec;
  held.dp = dp;
  held.done = done;
  held.user = user;
}

static void open_held(void) {
  null_datapath_ops.port_open(held.dp, &held.spec, held.done, held.user);
}

/* ---- stories ---- */

static AditSess *dial(World *w, guint n) {
  world_dial(w, &w->pair[n], "alice", "right", &datapath);
  assert_true(TEST_LOOP_UNTIL(({
                                AditSessLink *link = adit_link_find(w->pair[n].server.id);
                                link && link->session;
                              }),
                              5000));
  return adit_link_find(w->pair[n].server.id)->session;
}

static void reject(World *w, guint call, guint16 protocol) {
  guint8 frame[] = {0, 2, 0, 1, 0, (guint8)call, 0xc0, 0x21, 8, 1, 0, 10, (guint8)(protocol >> 8), (guint8)protocol, 1, 1, 0, 4};
  AditPath path = {.local = w->client.at, .remote = w->server.at};
  assert_true(null_net_deliver(w->net, &path, frame, sizeof frame));
}

static void hang_up(World *w, guint n) {
  adit_session_service()->link_close(w->pair[n].server.id, ADIT_CAUSE_LOST_SERVICE, "gone");
  adit_session_service()->link_close(w->pair[n].client.id, ADIT_CAUSE_LOST_SERVICE, "gone");
  test_loop_drain();
}

/* Somebody removes the IPv4 address, and the kernel does not take it back. */
static void lose_ipv4(World *w, AditSess *session) {
  AditNetAddress address = {.ifindex = session->port.open->ifindex,
                            .local = {session->family[ADIT_SESS_IPV4].local, 32},
                            .peer = session->family[ADIT_SESS_IPV4].remote};
  AditKernelEvent gone = {.kind = ADIT_KERNEL_ADDRESS_GONE, .ifindex = address.ifindex, .key = adit_object_key_address(&address)};

  world_kernel.answer = EACCES;
  adit_claims_event(world_claims(), &gone);
  assert_true(TEST_LOOP_UNTIL(!session->family[ADIT_SESS_IPV4].applied, 10000));
  world_kernel.answer = 0;
}

/* The pair may be used once more. */
static void forget(World *w, guint n) {
  g_free(w->pair[n].server.reason);
  g_free(w->pair[n].client.reason);
  w->pair[n] = (Pair){.server = {0}};
}

static gboolean is_in(const AditSess *session, AditLifeState state) {
  return session->state == state;
}

/* Both protocols open before the interface does. */
static void tell_of_a_late_interface(World *w) {
  late = TRUE;
  AditSess *session = dial(w, 0);
  assert_true(TEST_LOOP_UNTIL(session->family[ADIT_SESS_IPV4].open && session->family[ADIT_SESS_IPV6].open, 5000));
  reject(w, 1, ADIT_PPP_IPV6CP);
  assert_true(TEST_LOOP_UNTIL(taken[ADIT_LIFE_OPENING][ADIT_LIFE_NCP_SETTLED], 5000));
  assert_int_equal(session->state, ADIT_LIFE_OPENING);
  late = FALSE;
  open_held();
  assert_true(TEST_LOOP_UNTIL(is_in(session, ADIT_LIFE_UP), 5000));
  reject(w, 1, ADIT_PPP_IPCP); /* its last one, which ends it */
  assert_true(TEST_LOOP_UNTIL(w->pair[0].server.closed, 10000));
  assert_true(TEST_LOOP_UNTIL(w->pair[0].client.closed, 10000));
  forget(w, 0);
}

static void tell_of_an_end_before_the_interface(World *w) {
  late = TRUE;
  AditSess *session = dial(w, 1);
  assert_int_equal(session->state, ADIT_LIFE_OPENING);
  adit_sess_ref(session);
  hang_up(w, 1);
  assert_int_equal(session->state, ADIT_LIFE_ENDING);
  adit_sess_end(session, ADIT_CAUSE_ADMIN_RESET, "again");
  late = FALSE;
  open_held();
  assert_true(TEST_LOOP_UNTIL(is_in(session, ADIT_LIFE_GONE), 5000));
  adit_sess_end(session, ADIT_CAUSE_ADMIN_RESET, "again");
  assert_int_equal(session->cause, ADIT_CAUSE_LOST_SERVICE);
  adit_sess_unref(session);
}

/* IPv6CP is not answered; the kernel takes IPv4 away while it is waited for, and later while the session is up. */
static void tell_of_patience(World *w) {
  lost[0] = ADIT_PPP_IPV6CP;
  AditSess *session = dial(w, 2);
  assert_true(TEST_LOOP_UNTIL(is_in(session, ADIT_LIFE_SETTLING), 5000));
  adit_timer_cancel(&session->patience);              /* until this is told */
  adit_sess_event(session, ADIT_LIFE_NETWORK_OPENED); /* as if the other one were open: the kernel has nothing to answer */
  assert_int_equal(session->state, ADIT_LIFE_SETTLING);
  adit_sess_event(session, ADIT_LIFE_KERNEL_ANSWERED); /* as of a route that somebody took away and that is back */
  assert_int_equal(session->state, ADIT_LIFE_SETTLING);
  lose_ipv4(w, session);
  assert_int_equal(session->state, ADIT_LIFE_NEGOTIATING);
  adit_timer_arm(&session->patience, 1);
  assert_true(TEST_LOOP_UNTIL(taken[ADIT_LIFE_NEGOTIATING][ADIT_LIFE_PATIENCE_OVER], 5000));
  hang_up(w, 2);
  lost[0] = 0;
}

static void tell_of_a_session_up(World *w) {
  lost[0] = ADIT_PPP_IPV6CP;
  AditSess *session = dial(w, 3);
  assert_true(TEST_LOOP_UNTIL(is_in(session, ADIT_LIFE_UP), 5000));
  assert_true(taken[ADIT_LIFE_SETTLING][ADIT_LIFE_PATIENCE_OVER]);
  lose_ipv4(w, session);
  assert_int_equal(session->state, ADIT_LIFE_UP);
  lost[0] = 0; /* the next retransmission gets through */
  assert_true(TEST_LOOP_UNTIL(session->family[ADIT_SESS_IPV6].applied && !session->claims.pending, 10000));
  reject(w, 4, ADIT_PPP_IPCP);
  test_loop_drain();
  assert_int_equal(session->state, ADIT_LIFE_UP);
  hang_up(w, 3);
}

/* Neither is answered at first. */
static void tell_of_negotiation(World *w) {
  lost[0] = ADIT_PPP_IPV6CP;
  lost[1] = ADIT_PPP_IPCP;
  AditSess *session = dial(w, 0);
  assert_true(TEST_LOOP_UNTIL(is_in(session, ADIT_LIFE_NEGOTIATING), 5000));
  reject(w, 5, ADIT_PPP_IPV6CP);
  assert_int_equal(session->state, ADIT_LIFE_NEGOTIATING);
  hang_up(w, 0);
  lost[1] = 0;
}

/* While the kernel is at it, which answers when the loop comes round. */
static void tell_of_a_busy_kernel(World *w) {
  lost[0] = ADIT_PPP_IPV6CP;
  AditSess *session = dial(w, 1);
  assert_true(TEST_LOOP_UNTIL(is_in(session, ADIT_LIFE_SETTLING), 5000));
  session->state = ADIT_LIFE_APPLYING; /* it has answered faster than a test can look */
  session->claims.pending++;
  adit_sess_event(session, ADIT_LIFE_NETWORK_OPENED);
  adit_sess_event(session, ADIT_LIFE_NCP_SETTLED);
  adit_sess_event(session, ADIT_LIFE_PATIENCE_OVER);
  assert_int_equal(session->state, ADIT_LIFE_APPLYING);
  session->claims.pending--;
  session->family[ADIT_SESS_IPV4].error = EACCES; /* and it refuses */
  adit_sess_event(session, ADIT_LIFE_KERNEL_ANSWERED);
  assert_int_equal(session->state, ADIT_LIFE_NEGOTIATING);
  session->state = ADIT_LIFE_APPLYING;
  hang_up(w, 1);

  session = dial(w, 2);
  assert_true(TEST_LOOP_UNTIL(is_in(session, ADIT_LIFE_SETTLING), 5000));
  reject(w, 7, ADIT_PPP_IPV6CP);
  assert_true(TEST_LOOP_UNTIL(is_in(session, ADIT_LIFE_UP), 5000));
  hang_up(w, 2);
  session = dial(w, 3);
  assert_true(TEST_LOOP_UNTIL(is_in(session, ADIT_LIFE_SETTLING), 5000));
  hang_up(w, 3);
  lost[0] = 0;
}

static void each_row_is_taken_by_a_session(void **state) {
  World *w = *state;
  guint n, missing = 0;
  const AditLifeRow *rows = adit_life_rows(&n);

  memset(taken, 0, sizeof taken);
  refused = 0;
  datapath = null_datapath_ops;
  datapath.link_send = losing_send;
  datapath.port_open = late_open;
  assert_true(adit_ppp_service()->ncp_add(&w->plugin, &ipv6cp_desc, NULL));
  adit_bus_service()->value_add(NULL, ADIT_VALUE_INTERFACE_NAME, 0, install_spy, NULL);
  tell_of_a_late_interface(w);
  tell_of_an_end_before_the_interface(w);
  tell_of_patience(w);
  tell_of_a_session_up(w);
  tell_of_negotiation(w);
  tell_of_a_busy_kernel(w);
  for (guint i = 0; i < n; i++)
    if (!taken[rows[i].from][rows[i].event]) {
      print_error("not taken: %s, %s\n", adit_life_state_word(rows[i].from), adit_life_event_word(rows[i].event));
      missing++;
    }
  assert_int_equal(missing, 0);
  assert_int_equal(refused, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(each_row_is_taken_by_a_session, world_setup, world_teardown)};
  return cmocka_run_group_tests_name("session rows", tests, NULL, NULL);
}
