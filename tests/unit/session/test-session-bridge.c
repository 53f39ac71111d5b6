/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Sessions that bridge: an L2 port beside the L3 one or alone, with a fake NCP that brings the codec. */
#include "core/ppp/registry.h"
#include "core/session/life/sess.h"
#include "core/session/link/link.h"
#include "core/session/network/plane.h"
#include "core/session/describe.h"
#include "plugins/null/null-session.h"
#include "tests/lib/fake-ether.h"
#include "tests/unit/session/world.h"

enum { MARK = 0x77 };
#define BRIDGE "lo" /* an interface that is there: the kernel is played */

/* ---- an NCP that agrees on the session's bridge ---- */

typedef struct {
  char bridge[16];
  guint8 mac[6];
} Fake;

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
static void fake_init(gpointer self, const AditEngineEnv *env, const AditNcpParams *params) {
  Fake *fake = self;
  g_strlcpy(fake->bridge, params->bridge ? params->bridge : "", sizeof fake->bridge);
  memcpy(fake->mac, params->local_mac, sizeof fake->mac);
}
static gboolean fake_result(gpointer self, AditNcpResult *out, const char **why) {
  const Fake *fake = self;
  memcpy(out->bridge, fake->bridge, sizeof out->bridge);
  memcpy(out->local_mac, fake->mac, sizeof out->local_mac);
  fake_ether_params(MARK, out->ether_params);
  return TRUE;
}
static void no_save(gconstpointer self, AditBuilder *out) {}
static gboolean no_restore(gpointer self, const AditEngineEnv *env, const AditNcpParams *params, AditCursor *in) {
  return TRUE;
}

static const AditPppOptionOps no_options = {sizeof no_options, no_request, no_begin, no_option, no_end, no_begin, no_nak, no_reject};
static const AditNcpDesc fake_ncp = {.size = sizeof fake_ncp,
                                     .name = "fake",
                                     .protocol = ADIT_PPP_BCP,
                                     .data_protocol = ADIT_PPP_BRIDGE,
                                     .kind = ADIT_NCP_BRIDGE,
                                     .state_size = sizeof(Fake),
                                     .options = &no_options,
                                     .init = fake_init,
                                     .result = fake_result,
                                     .reset = no_begin,
                                     .save = no_save,
                                     .restore = no_restore,
                                     .ether = &fake_ether};

/* ---- both ends ---- */

static GByteArray *seen;
static char seen_on[16];

static void take_packet(gpointer user, AditPort *port, const guint8 *packet, gsize length) {
  g_byte_array_set_size(seen, 0);
  g_byte_array_append(seen, packet, (guint)length);
  g_strlcpy(seen_on, port->name, sizeof seen_on);
}

/* The client's profile names a bridge, too. */
static void configure(void) {
  g_autoptr(AditValue) config = world_config();
  AditValue *profile = adit_value_map();
  gpointer staged = NULL;

  adit_value_set(profile, "name", adit_value_string("default"));
  adit_value_set(profile, "bridge", adit_value_string(BRIDGE));
  adit_value_append((AditValue *)adit_value_get(config, "profiles"), profile);
  assert_true(adit_session_prepare(config, &staged, NULL));
  adit_session_commit(staged);
}

static int setup(void **state) {
  world_setup(state);
  World *w = *state;
  assert_true(adit_ppp_service()->ncp_add(&w->plugin, &fake_ncp, NULL));
  configure();
  seen = g_byte_array_new();
  null_dp_sink(w->client.dp, take_packet, w);
  world_extra = adit_value_map();
  adit_value_set(world_extra, "bridge", adit_value_string(BRIDGE));
  return 0;
}

static int teardown(void **state) {
  g_byte_array_unref(seen);
  return world_teardown(state);
}

static AditSess *session_of(const Call *call) {
  AditSessLink *link = adit_link_find(call->id);
  return link ? link->session : NULL;
}

static AditSess *server_session(const World *w) {
  AditSess *session = session_of(&w->pair[0].server);
  assert_non_null(session);
  return session;
}

static void dial(World *w, const AditDatapathOps *ops) {
  world_dial(w, &w->pair[0], "alice", "right", ops);
}

static gboolean bridges(const Call *call) {
  const AditSess *session = session_of(call);
  return session && session->state == ADIT_LIFE_UP && session->ether.open && session->bridge.installed;
}

static void dial_up(World *w) {
  dial(w, NULL);
  assert_true(TEST_LOOP_UNTIL(bridges(&w->pair[0].server) && bridges(&w->pair[0].client), 10000));
}

static void reject(World *w, guint16 protocol) {
  guint8 frame[] = {0, 2, 0, 1, 0, 1, 0xc0, 0x21, 8, 1, 0, 10, (guint8)(protocol >> 8), (guint8)protocol, 1, 1, 0, 4};
  AditPath path = {.local = w->client.at, .remote = w->server.at};
  assert_true(null_net_deliver(w->net, &path, frame, sizeof frame));
}

/* Which is padded to 60 octets by the codec. */
static gboolean inject_frame(World *w, const char *port) {
  guint8 frame[FAKE_ETHER_LEAST] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5, 42};
  AditPort *at = null_dp_port(w->server.dp, port);
  g_byte_array_set_size(seen, 0);
  *seen_on = 0;
  gboolean passed = at && null_port_inject(at, frame, sizeof frame);
  test_loop_drain();
  return passed;
}

/* ---- the tests ---- */

static void a_session_has_both_ports(void **state) {
  World *w = *state;
  guint8 packet[28] = {0x45, [3] = 28, [8] = 64, [9] = 17, 10, 0, [16] = 10, [19] = 10};

  dial_up(w);
  AditSess *session = server_session(w);
  assert_string_equal(adit_sess_interface(session), "l2tp-alice");
  assert_string_equal(session->ether.port.name, "eth-alice");
  assert_string_equal(session_of(&w->pair[0].client)->ether.port.name, "eth-out1");
  assert_int_equal(session->ether.port.open->kind, ADIT_PORT_L2);
  assert_int_equal(session->port.open->kind, ADIT_PORT_L3);
  AditCounters before = adit_sess_counters(session);

  assert_true(inject_frame(w, "eth-alice"));
  assert_string_equal(seen_on, "eth-out1");
  assert_int_equal(seen->len, FAKE_ETHER_LEAST);
  assert_int_equal(seen->data[14], 42);
  assert_true(null_port_inject(null_dp_port(w->server.dp, "l2tp-alice"), packet, sizeof packet));
  test_loop_drain();
  assert_string_equal(seen_on, "out1");
  assert_int_equal(seen->len, sizeof packet);

  AditCounters after = adit_sess_counters(session); /* of both */
  assert_int_equal(after.tx_packets - before.tx_packets, 2);
  assert_int_equal(after.tx_octets - before.tx_octets, FAKE_ETHER_LEAST + sizeof packet);
}

/* A frame with a VLAN tag fits into what the link carries. */
static void the_mtu_leaves_room_for_header_and_tag(void **state) {
  World *w = *state;

  dial_up(w);
  AditSess *session = server_session(w);
  assert_int_equal(session->ether.port.mtu, session->mtu - 1 - 14 - 4);
  session->mtu = 9000; /* as if larger frames had been agreed on: Ethernet has no larger ones */
  adit_sess_ports_mtu(session);
  test_loop_drain();
  assert_int_equal(session->ether.port.mtu, 1500);
  assert_int_equal(world_told("mtu 1500"), 1);
}

static void refused_frames_are_shown_by_their_reason(void **state) {
  World *w = *state;
  static const guint8 wrong[64] = {0xff}; /* another mark */

  dial_up(w);
  AditSess *session = server_session(w);
  null_session_input(session->plane, FAKE_ETHER_DATA, wrong, sizeof wrong);
  g_autoptr(AditValue) shown = adit_session_describe("eth-alice");
  const AditValue *drops = adit_value_get(shown, "bridge-drops");
  assert_non_null(drops);
  assert_int_equal(adit_value_length(drops), 2);
  assert_int_equal(adit_value_get_int(drops, "mark", -1), 1);
  assert_int_equal(adit_value_get_int(drops, "other", -1), 0);
  assert_int_equal(adit_value_get_int(shown, "drops", -1), 1);
}

static void a_bridge_has_what_the_session_brings(void **state) {
  World *w = *state;

  dial_up(w);
  assert_int_equal(world_told("master 1"), 2); /* of either end */
  assert_true(adit_session_service()->disconnect(server_session(w)->id, ADIT_CAUSE_ADMIN_RESET, "enough"));
  assert_true(TEST_LOOP_UNTIL(w->down == 2, 10000));
  test_loop_drain();
  assert_int_equal(world_told("-master 1"), 2);
  assert_null(null_dp_port(w->server.dp, "eth-alice"));
  assert_null(null_dp_port(w->server.dp, "l2tp-alice"));
  assert_null(null_dp_port(w->client.dp, "eth-out1"));
}

static void a_port_has_what_the_profile_says_of_it(void **state) {
  World *w = *state;

  adit_value_set(world_extra, "bridge-learning", adit_value_string("no"));
  adit_value_set(world_extra, "bridge-horizon", adit_value_int(0));
  adit_value_set(world_extra, "bridge-path-cost", adit_value_int(100000));
  adit_value_set(world_extra, "bridge-port-priority", adit_value_int(128));
  adit_value_set(world_extra, "bridge-port-vid", adit_value_int(20));
  dial_up(w);
  assert_int_equal(world_told("master 1 deaf isolated cost 65535 priority 32 pvid 20"), 1);
  assert_int_equal(world_told("master 1"), 1); /* the client's, which says nothing */
}

/* By another program: the claim restores it. */
static void a_port_that_was_changed_is_put_right(void **state) {
  World *w = *state;

  adit_value_set(world_extra, "bridge-horizon", adit_value_int(1));
  dial_up(w);
  AditSess *session = server_session(w);
  guint32 ifindex = session->ether.port.open->ifindex;
  AditKernelEvent event = {.kind = ADIT_KERNEL_LINK, .ifindex = ifindex, .up = TRUE, .mtu = session->ether.port.mtu, .master = 1};
  event.port = (AditBridgePort){.set = ADIT_BRIDGE_PORT_LEARNING | ADIT_BRIDGE_PORT_ISOLATED, .learning = TRUE, .isolated = TRUE};
  adit_claims_event(world_claims(), &event); /* all is right */
  assert_true(adit_claims_quiet(world_claims()));
  event.port.isolated = FALSE;
  adit_claims_event(world_claims(), &event);
  assert_true(TEST_LOOP_UNTIL(world_told("master 1 isolated") == 2, 10000));
  event.port.isolated = TRUE;
  event.master = 0; /* it was taken out, or the bridge deleted */
  adit_claims_event(world_claims(), &event);
  assert_true(TEST_LOOP_UNTIL(world_told("master 1 isolated") == 3, 10000));
  assert_int_equal(session->state, ADIT_LIFE_UP);
}

static void the_same_user_gets_the_same_address_again(void **state) {
  World *w = *state;
  guint8 mac[6], other[6];

  dial_up(w);
  memcpy(mac, server_session(w)->ether.port.mac, 6);
  memcpy(other, session_of(&w->pair[0].client)->ether.port.mac, 6);
  assert_memory_not_equal(mac, other, 6);
  assert_int_equal(mac[0] & 3, 2); /* locally administered, of one station */
  assert_true(adit_session_service()->disconnect(server_session(w)->id, ADIT_CAUSE_ADMIN_RESET, "again"));
  assert_true(TEST_LOOP_UNTIL(w->down == 2 && w->pair[0].server.closed && w->pair[0].client.closed, 10000));
  w->pair[0].server.closed = w->pair[0].client.closed = FALSE;
  dial_up(w);
  assert_memory_equal(server_session(w)->ether.port.mac, mac, 6);
}

static void without_ip_the_l2_port_is_the_session(void **state) {
  World *w = *state;

  adit_value_set(world_extra, "use-ipv4", adit_value_string("no"));
  dial_up(w);
  AditSess *session = server_session(w);
  assert_string_equal(adit_sess_interface(session), "eth-alice");
  assert_null(session->port.open);
  assert_null(null_dp_port(w->server.dp, "l2tp-alice"));
  assert_true(inject_frame(w, "eth-alice"));
  assert_string_equal(seen_on, "eth-out1");
  assert_true(adit_session_service()->disconnect(session->id, ADIT_CAUSE_ADMIN_RESET, "enough"));
  assert_true(TEST_LOOP_UNTIL(w->down == 2, 10000));
  assert_null(null_dp_port(w->server.dp, "eth-alice"));
}

static void a_peer_that_does_not_bridge_keeps_ip(void **state) {
  World *w = *state;

  dial_up(w);
  AditSess *session = server_session(w);
  reject(w, ADIT_PPP_BCP);
  test_loop_drain();
  assert_int_equal(session->state, ADIT_LIFE_UP);
  assert_true(session->family[ADIT_SESS_IPV4].open);
  assert_false(session->ether.open);
  assert_false(inject_frame(w, "eth-alice")); /* no carrier */
}

static void one_that_only_bridges_ends_with_it(void **state) {
  World *w = *state;

  adit_value_set(world_extra, "use-ipv4", adit_value_string("no"));
  dial_up(w);
  reject(w, ADIT_PPP_BCP);
  assert_true(TEST_LOOP_UNTIL(w->pair[0].server.closed, 10000));
  assert_string_equal(w->pair[0].server.reason, "no network protocol is left: fake: the peer rejected it");
}

static void data_of_a_closed_bridge_is_not_rejected(void **state) {
  World *w = *state;
  guint8 frame[] = {0, 2, 0, 1, 0, 1, 0x02, 0x01, MARK, 1, 2, 3};
  AditPath path = {.local = w->client.at, .remote = w->server.at};

  dial_up(w);
  AditSess *session = server_session(w);
  session->ether.open = FALSE;
  adit_sess_set_plane(session);
  assert_true(null_net_deliver(w->net, &path, frame, sizeof frame)); /* a Protocol-Reject would close the client's NCP */
  test_loop_drain();
  assert_true(session_of(&w->pair[0].client)->ether.open);
}

static void a_bridge_that_is_not_there_is_named(void **state) {
  World *w = *state;

  adit_value_set(world_extra, "bridge", adit_value_string("nonesuch"));
  dial(w, NULL);
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 10000)); /* IP goes on */
  AditSess *session = server_session(w);
  assert_true(session->family[ADIT_SESS_IPV4].open);
  assert_false(session->ether.open);
  assert_null(session->bridge.claim);
}

static void a_session_that_only_bridges_ends_without_its_bridge(void **state) {
  World *w = *state;

  adit_value_set(world_extra, "bridge", adit_value_string("nonesuch"));
  adit_value_set(world_extra, "use-ipv4", adit_value_string("no"));
  dial(w, NULL);
  assert_true(TEST_LOOP_UNTIL(w->pair[0].server.closed, 10000));
  assert_string_equal(w->pair[0].server.reason, "bridge nonesuch: there is no such interface: create it, or correct the option bridge");
}

static void what_the_kernel_refuses_costs_the_bridge_alone(void **state) {
  World *w = *state;

  world_kernel.answer_master = EOPNOTSUPP; /* it is no bridge */
  dial(w, NULL);
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 10000));
  AditSess *session = server_session(w);
  assert_true(session->family[ADIT_SESS_IPV4].open);
  assert_false(session->ether.open);
}

static void a_data_path_without_l2_ports_leaves_it_out(void **state) {
  World *w = *state;
  static AditDatapathOps old; /* used until the links end, in teardown */

  old = null_datapath_ops;
  old.size = G_STRUCT_OFFSET(AditDatapathOps, session_attach_ether);
  dial(w, &old);
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 10000));
  AditSess *session = server_session(w);
  assert_null(session->ether.desc);
  assert_null(session->ether.port.open);
  assert_int_equal(session->ncps.n, 1);
}

/* An L2 port whose opening takes its time. */
static struct {
  gpointer dp;
  AditPortOpened done;
  gpointer user;
} late;

static void open_late(gpointer dp, const AditPortSpec *spec, AditPortOpened done, gpointer user) {
  if (spec->kind == ADIT_PORT_L3) {
    null_datapath_ops.port_open(dp, spec, done, user);
    return;
  }
  late.dp = dp;
  late.done = done;
  late.user = user;
}

static void open_now(void) {
  AditPortSpec spec = {.size = sizeof spec, .kind = ADIT_PORT_L2, .name = "eth-alice", .mtu = 1400};
  null_datapath_ops.port_open(late.dp, &spec, late.done, late.user);
  late.user = NULL;
}

static void a_session_begins_when_both_ports_are_open(void **state) {
  World *w = *state;
  static AditDatapathOps ops; /* used until the links end, in teardown */

  ops = null_datapath_ops;
  ops.port_open = open_late;
  dial(w, &ops);
  assert_true(TEST_LOOP_UNTIL(late.user && server_session(w)->port.open && server_session(w)->ether.open, 10000));
  assert_int_equal(server_session(w)->state, ADIT_LIFE_OPENING);
  open_now();
  assert_true(TEST_LOOP_UNTIL(bridges(&w->pair[0].server), 10000));
  assert_true(inject_frame(w, "eth-alice"));
}

static void a_session_may_end_while_a_port_is_opened(void **state) {
  World *w = *state;
  static AditDatapathOps ops;

  ops = null_datapath_ops;
  ops.port_open = open_late;
  dial(w, &ops);
  assert_true(TEST_LOOP_UNTIL(late.user && server_session(w)->port.open, 10000));
  AditSess *session = adit_sess_ref(server_session(w));
  adit_sess_end(session, ADIT_CAUSE_ADMIN_RESET, "already");
  assert_true(TEST_LOOP_UNTIL(!null_dp_port(w->server.dp, "l2tp-alice"), 10000));
  assert_int_equal(session->state, ADIT_LIFE_ENDING); /* it owns what is being opened */
  open_now();
  assert_true(TEST_LOOP_UNTIL(session->state == ADIT_LIFE_GONE, 10000));
  assert_null(null_dp_port(w->server.dp, "eth-alice"));
  assert_null(null_dp_port(w->server.dp, "l2tp-alice"));
  adit_sess_unref(session);
}

static void a_reload_leaves_both_ports_alone(void **state) {
  World *w = *state;

  dial_up(w);
  AditSess *session = server_session(w);
  AditPort *l2 = session->ether.port.open, *l3 = session->port.open;
  configure();
  test_loop_drain();
  assert_int_equal(session->state, ADIT_LIFE_UP);
  assert_ptr_equal(session->ether.port.open, l2);
  assert_ptr_equal(session->port.open, l3);
  assert_true(inject_frame(w, "eth-alice"));
}

static void a_codec_must_be_whole(void **state) {
  World *w = *state;
  AditEtherOps codec = fake_ether;
  AditNcpDesc desc = fake_ncp;
  g_autoptr(GError) error = NULL;

  adit_ppp_drop_plugin(&w->plugin);
  desc.ether = &codec;
  codec.decode = NULL;
  assert_false(adit_ppp_service()->ncp_add(&w->plugin, &desc, &error));
  assert_string_equal(error->message, "ncp_add() of fake: its codec of Ethernet frames is not complete");
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      test(a_session_has_both_ports),
      test(the_mtu_leaves_room_for_header_and_tag),
      test(refused_frames_are_shown_by_their_reason),
      test(a_bridge_has_what_the_session_brings),
      test(a_port_has_what_the_profile_says_of_it),
      test(a_port_that_was_changed_is_put_right),
      test(the_same_user_gets_the_same_address_again),
      test(without_ip_the_l2_port_is_the_session),
      test(a_peer_that_does_not_bridge_keeps_ip),
      test(one_that_only_bridges_ends_with_it),
      test(data_of_a_closed_bridge_is_not_rejected),
      test(a_bridge_that_is_not_there_is_named),
      test(a_session_that_only_bridges_ends_without_its_bridge),
      test(what_the_kernel_refuses_costs_the_bridge_alone),
      test(a_data_path_without_l2_ports_leaves_it_out),
      test(a_session_begins_when_both_ports_are_open),
      test(a_session_may_end_while_a_port_is_opened),
      test(a_reload_leaves_both_ports_alone),
      test(a_codec_must_be_whole),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
