/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Network control protocols by their kind: what a fake one of each means to a session. */
#include "core/ppp/registry.h"
#include "core/session/life/sess.h"
#include "core/session/link/link.h"
#include "core/session/network/plane.h"
#include "ipv6cp.h"
#include "tests/unit/session/world.h"

/* ---- an NCP without options ---- */

static void no_request(gpointer self, AditBuilder *out) {}
static void no_begin(gpointer self) {}
static AditOptionVerdict no_option(gpointer self, const AditPppOption *option, AditBuilder *nak) {
  return ADIT_OPTION_REJECT;
}
static void no_end(gpointer self, AditBuilder *nak) {}
static void no_nak(gpointer self, const AditPppOption *option) {}
static gboolean no_reject(gpointer self, const AditPppOption *option) {
  return TRUE;
}
static void no_init(gpointer self, const AditEngineEnv *env, const AditNcpParams *params) {}
static void no_save(gconstpointer self, AditBuilder *out) {}
static gboolean no_restore(gpointer self, const AditEngineEnv *env, const AditNcpParams *params, AditCursor *in) {
  return TRUE;
}

static const AditPppOptionOps no_options = {sizeof no_options, no_request, no_begin, no_option, no_end, no_begin, no_nak, no_reject};

#define SWITCH "use-ipv6" /* an option that is there, and whose NCP is not */

#define FAKE(id, data, sort)                                                                                                               \
  {                                                                                                                                        \
    .size = sizeof(AditNcpDesc), .name = "fake", .protocol = id, .data_protocol = data, .kind = sort, .enable = SWITCH, .state_size = 1,   \
    .options = &no_options, .init = no_init, .reset = no_begin, .save = no_save, .restore = no_restore,                                    \
  }

static const AditNcpDesc ipx = FAKE(0x802b, 0x002b, ADIT_NCP_NETWORK), bridge = FAKE(ADIT_PPP_BCP, ADIT_PPP_BRIDGE, ADIT_NCP_BRIDGE),
                         compression = FAKE(ADIT_PPP_CCP, ADIT_PPP_COMPRESSED, ADIT_NCP_COMPRESSION);

/* ---- the tests ---- */

static AditDatapathOps datapath; /* used until the links end, in teardown */
static guint16 lost[2];          /* protocols that the server's data path loses */
static guint n_passing;          /* protocols of data that the server's data path lets pass */

static void losing_send(AditDpLink *link, const guint8 *frame, gsize length) {
  guint16 protocol = length < 2 ? 0 : (guint16)(frame[0] << 8 | frame[1]);
  if (protocol != lost[0] && protocol != lost[1])
    null_datapath_ops.link_send(link, frame, length);
}

static void count_passing(AditDpSession *session, const AditDpSessionParams *params) {
  n_passing = params->n_protocols;
  null_datapath_ops.session_set(session, params);
}

/* Dials with the NCP at both ends; `use` is what the user's record says of it, NULL = nothing. */
static void dial(World *w, const AditNcpDesc *desc, const char *use) {
  assert_true(adit_ppp_service()->ncp_add(&w->plugin, desc, NULL));
  datapath = null_datapath_ops;
  datapath.link_send = losing_send;
  datapath.session_set = count_passing;
  n_passing = 0;
  world_extra = adit_value_map();
  if (use)
    adit_value_set(world_extra, SWITCH, adit_value_string(use));
  world_dial(w, &w->pair[0], "alice", "right", &datapath);
}

static AditSess *server_session(const World *w) {
  AditSessLink *link = adit_link_find(w->pair[0].server.id);
  assert_true(link && link->session);
  return link->session;
}

static void reject(World *w, guint16 protocol) {
  guint8 frame[] = {0, 2, 0, 1, 0, 1, 0xc0, 0x21, 8, 1, 0, 10, (guint8)(protocol >> 8), (guint8)protocol, 1, 1, 0, 4};
  AditPath path = {.local = w->client.at, .remote = w->server.at};
  assert_true(null_net_deliver(w->net, &path, frame, sizeof frame));
}

static void expect_end(World *w, AditCause cause, const char *reason) {
  assert_true(TEST_LOOP_UNTIL(w->pair[0].server.closed, 10000));
  assert_int_equal(w->pair[0].server.cause, cause);
  assert_string_equal(w->pair[0].server.reason, reason);
}

/* Whatever is not IPv6 is no IPv4 by that. */
static void another_network_protocol_is_neither_ipv4_nor_ipv6(void **state) {
  World *w = *state;

  dial(w, &ipx, NULL);
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
  assert_int_equal(server_session(w)->ncps.n, 1);
  assert_true(server_session(w)->family[ADIT_SESS_IPV4].open);
  assert_int_equal(world_told("address 10.0.0.1/32 peer 10.0.0.10"), 1);
  reject(w, ADIT_PPP_IPCP);
  expect_end(w, ADIT_CAUSE_USER_REQUEST, "no network protocol is left: ipcp: the peer rejected it");
}

static void what_has_no_interface_cannot_be_required(void **state) {
  static const AditNcpDesc *const descs[] = {&ipx, &bridge};
  World *w = *state;

  for (guint i = 0; i < G_N_ELEMENTS(descs); i++) {
    dial(w, descs[i], "required");
    expect_end(w, ADIT_CAUSE_SERVICE_UNAVAILABLE, "fake is required and cannot be offered");
    adit_ppp_drop_plugin(&w->plugin); /* IPCP, too, which nobody needs any more */
    w->pair[0].server.closed = FALSE;
    g_clear_pointer(&w->pair[0].server.reason, g_free);
    g_clear_pointer(&world_extra, adit_value_unref);
  }
}

static void a_bridge_without_an_interface_for_it_is_left_out(void **state) {
  World *w = *state;

  dial(w, &bridge, "yes");
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
  assert_int_equal(server_session(w)->ncps.n, 1);
}

static void compression_opens_beside_the_others(void **state) {
  World *w = *state;

  dial(w, &compression, NULL);
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
  AditSess *session = server_session(w);
  assert_int_equal(session->ncps.n, 2);
  assert_true(TEST_LOOP_UNTIL(adit_ncp_is_open(session->ncps.item[0].ncp) && adit_ncp_is_open(session->ncps.item[1].ncp), 5000));
}

/* Nor do they wait for it: no timer is armed, as it is for a network protocol. */
static void compression_holds_nobody_back(void **state) {
  World *w = *state;

  lost[0] = ADIT_PPP_CCP;
  dial(w, &compression, NULL);
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
  assert_null(server_session(w)->patience.func);
  lost[0] = 0;
}

static void compression_that_is_rejected_costs_nothing(void **state) {
  World *w = *state;

  dial(w, &compression, NULL);
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
  reject(w, ADIT_PPP_CCP);
  test_loop_drain();
  assert_int_equal(server_session(w)->state, ADIT_LIFE_UP);
}

static void compression_alone_is_no_session(void **state) {
  World *w = *state;

  dial(w, &compression, NULL);
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
  reject(w, ADIT_PPP_IPCP);
  expect_end(w, ADIT_CAUSE_USER_REQUEST, "no network protocol is left: ipcp: the peer rejected it");
}

static void compression_that_is_required_and_rejected_ends_it(void **state) {
  World *w = *state;

  dial(w, &compression, "required");
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
  reject(w, ADIT_PPP_CCP);
  expect_end(w, ADIT_CAUSE_USER_ERROR, "fake is required: the peer rejected it");
}

static void compression_that_is_switched_off_is_not_asked_for(void **state) {
  World *w = *state;

  dial(w, &compression, "no");
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
  assert_int_equal(server_session(w)->ncps.n, 1);
}

/* ---- required ones hold back session-up ---- */

static AditNcpDesc ipv6cp_plain; /* without the option that requires the fake one */

static guint count_starts(void) {
  return world_recorded(ADIT_ACCT_START, FALSE, NULL);
}

/* The session whose IPv4 is open for longer than an optional NCP delays it, while the server's CCP is lost. */
static AditSess *dial_past_the_delay(World *w) {
  lost[0] = ADIT_PPP_CCP;
  dial(w, &compression, "required");
  assert_true(TEST_LOOP_UNTIL(({
                                AditSessLink *link = adit_link_find(w->pair[0].server.id);
                                link && link->session && link->session->impatient;
                              }),
                              10000));
  test_loop_drain();
  AditSess *session = server_session(w);
  assert_true(session->family[ADIT_SESS_IPV4].applied);
  assert_int_equal(session->state, ADIT_LIFE_SETTLING);
  assert_int_equal(count_starts(), 0);
  return session;
}

static void session_up_waits_for_what_is_required(void **state) {
  AditSess *session = dial_past_the_delay(*state);

  lost[0] = 0; /* the next retransmission gets through */
  assert_true(TEST_LOOP_UNTIL(session->state == ADIT_LIFE_UP, 10000));
  assert_true(adit_ncp_is_open(session->ncps.item[1].ncp));
  assert_int_equal(count_starts(), 1);
}

/* Before a Start there is no record that would count it. */
static void no_data_passes_before_what_is_required_is_open(void **state) {
  AditSess *session = dial_past_the_delay(*state);

  assert_int_equal(n_passing, 0);
  lost[0] = 0;
  assert_true(TEST_LOOP_UNTIL(session->state == ADIT_LIFE_UP, 10000));
  assert_int_equal(n_passing, 1);
}

/* A required one that renegotiates later does not stop the others. */
static void data_passes_while_what_is_required_is_renegotiated(void **state) {
  AditSess *session = dial_past_the_delay(*state);

  lost[0] = 0;
  assert_true(TEST_LOOP_UNTIL(session->state == ADIT_LIFE_UP, 10000));
  adit_ncp_down(session->ncps.item[1].ncp);
  adit_sess_set_plane(session);
  assert_int_equal(n_passing, 1);
  adit_ncp_up(session->ncps.item[1].ncp);
}

/* Of two that are not answered, the session waits for the required one alone. */
static void an_optional_one_beside_it_delays_no_longer(void **state) {
  World *w = *state;

  ipv6cp_plain = ipv6cp_desc;
  ipv6cp_plain.enable = NULL;
  assert_true(adit_ppp_service()->ncp_add(&w->plugin, &ipv6cp_plain, NULL));
  lost[1] = ADIT_PPP_IPV6CP;
  AditSess *session = dial_past_the_delay(w);
  lost[0] = 0;
  assert_true(TEST_LOOP_UNTIL(session->state == ADIT_LIFE_UP, 10000));
  assert_false(session->family[ADIT_SESS_IPV6].open);
  lost[1] = 0;
}

static void what_is_required_and_rejected_late_leaves_no_record(void **state) {
  World *w = *state;

  dial_past_the_delay(w);
  reject(w, ADIT_PPP_CCP);
  expect_end(w, ADIT_CAUSE_USER_ERROR, "fake is required: the peer rejected it");
  assert_int_equal(count_starts(), 0);
  assert_int_equal(world_recorded(ADIT_ACCT_STOP, FALSE, NULL), 0);
  lost[0] = 0;
}

int main(void) {
#define test(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
  const struct CMUnitTest tests[] = {
      test(another_network_protocol_is_neither_ipv4_nor_ipv6),
      test(what_has_no_interface_cannot_be_required),
      test(a_bridge_without_an_interface_for_it_is_left_out),
      test(compression_opens_beside_the_others),
      test(compression_holds_nobody_back),
      test(compression_that_is_rejected_costs_nothing),
      test(compression_alone_is_no_session),
      test(compression_that_is_required_and_rejected_ends_it),
      test(compression_that_is_switched_off_is_not_asked_for),
      test(session_up_waits_for_what_is_required),
      test(no_data_passes_before_what_is_required_is_open),
      test(data_passes_while_what_is_required_is_renegotiated),
      test(an_optional_one_beside_it_delays_no_longer),
      test(what_is_required_and_rejected_late_leaves_no_record),
  };
  return cmocka_run_group_tests_name("session ncps", tests, NULL, NULL);
}
