/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Links that a plugin puts together: a fake bundler, and a data path that takes several links. Both ends of the world bundle. */
#include "core/session/describe.h"
#include "core/session/life/sess.h"
#include "core/session/life/sessions.h"
#include "tests/lib/fake-stages.h"
#include "tests/unit/session/world.h"

/* ---- the plugin ---- */

/* One end's bundle. */
typedef struct {
  AditBundleVerdict first, next; /* what it says of the first link, and of others */
  const char *multi_id, *reason;
  AditSessionId session; /* 0 = there is none */
  AditSessionId wrong;   /* if set: it names this one instead */
  guint asked, opened, joined, left;
  guint remaining;  /* after the last one that left */
  gboolean fails;   /* opened() */
  gboolean cuts;    /* opened() puts a stage in place */
  guint indices;    /* a bit for each link index that was told */
  guint downs, ups; /* of LCP on a link */
  char *told;       /* of the last link that it was asked about */
} FakeBundle;

static FakeBundle ends[2]; /* server, client */
static FakeNotes notes;

static AditBundleVerdict decide(gpointer state, const AditLinkInfo *link, AditBundleDecision *out) {
  FakeBundle *self = &ends[link->client];
  self->asked++;
  g_free(self->told);
  self->told = g_strdup_printf("%s by %s at %s from %s, %s", link->user, link->transport, link->server, link->caller_id,
                               adit_value_get_string(link->attributes, "profile", "no profile"));
  assert_int_equal(link->session, 0);
  assert_true(link->id && link->mru && link->peer_mru && link->record_id);
  out->multi_id = self->multi_id;
  out->reason = self->reason;
  out->session = self->wrong ? self->wrong : self->session;
  return self->session || self->wrong ? self->next : self->first;
}

/* Which end's it is; of one that is about to be known, `client` of its link tells. */
static FakeBundle *bundle_of(AditSessionId session) {
  AditSessionInfo info = {.size = sizeof info};
  assert_true(adit_session_service()->session_info(session, &info));
  return &ends[info.client];
}

static gboolean opened(gpointer state, AditSessionId session, GError **error) {
  FakeBundle *self = bundle_of(session);
  self->opened++;
  if (self->fails)
    g_set_error_literal(error, ADIT_ERROR, ADIT_ERR_UNSUPPORTED, "no stage for it");
  if (self->cuts)
    return adit_session_service()->stage_add(session, FAKE_CUTTER(&(FakeCut){100}, &notes), error);
  return !self->fails;
}

static void attached(gpointer state, AditSessionId session, AditLinkId link, guint index) {
  bundle_of(session)->indices |= 1u << index;
}

static void changed(gpointer state, AditSessionId session, AditLinkId link, gboolean up) {
  FakeBundle *self = bundle_of(session);
  self->ups += up;
  self->downs += !up;
}

static void joined(gpointer state, AditSessionId session, AditLinkId link) {
  AditLinkInfo info = {.size = sizeof info};
  assert_true(adit_session_service()->link_info(link, &info));
  assert_int_equal(info.session, session);
  ends[info.client].session = session;
  ends[info.client].joined++;
}

static void left(gpointer state, AditSessionId session, AditLinkId link, guint remaining) {
  FakeBundle *self = bundle_of(session);
  assert_int_equal(session, self->session);
  self->left++;
  self->remaining = remaining;
  if (!remaining)
    self->session = 0;
}

static const AditBundlerOps bundler_ops = {sizeof bundler_ops, "fake", decide, opened, joined, left, attached, changed};

/* ---- a data path that takes several links: data uses the first ---- */

static AditDatapathOps datapath; /* used until the links end, in teardown */
static GHashTable *planes;       /* AditDpSession -> GPtrArray of AditDpLink */
static gboolean narrow;          /* it takes no second one */

static GPtrArray *links_on(AditDpSession *session) {
  GPtrArray *links = g_hash_table_lookup(planes, session);
  if (!links)
    g_hash_table_insert(planes, session, links = g_ptr_array_new());
  return links;
}

static gboolean join_plane(AditDpSession *session, AditDpLink *link, guint *index, GError **error) {
  GPtrArray *links = links_on(session);
  if (narrow && links->len) {
    g_set_error_literal(error, ADIT_ERROR, ADIT_ERR_UNSUPPORTED, "a second link needs a stage that bundles");
    return FALSE;
  }
  if (!links->len && !null_datapath_ops.session_join(session, link, NULL, error))
    return FALSE;
  if (index)
    *index = links->len;
  g_ptr_array_add(links, link);
  return TRUE;
}

static void leave_plane(AditDpSession *session, AditDpLink *link) {
  GPtrArray *links = links_on(session);
  gboolean first = links->pdata[0] == link;
  assert_true(g_ptr_array_remove(links, link));
  if (!first)
    return;
  null_datapath_ops.session_leave(session, link);
  if (links->len)
    assert_true(null_datapath_ops.session_join(session, links->pdata[0], NULL, NULL));
}

static void close_plane(AditDpSession *session, AditDpStats *final) {
  g_hash_table_remove(planes, session);
  null_datapath_ops.session_close(session, final);
}

/* ---- the world ---- */

static int setup(void **state) {
  int result = world_setup(state);
  World *w = *state;

  for (guint i = 0; i < G_N_ELEMENTS(ends); i++)
    ends[i] = (FakeBundle){.first = ADIT_BUNDLE_FOUND, .next = ADIT_BUNDLE_JOIN};
  planes = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_ptr_array_unref);
  narrow = FALSE;
  notes = (FakeNotes){0};
  datapath = null_datapath_ops;
  datapath.session_join = join_plane;
  datapath.session_leave = leave_plane;
  datapath.session_close = close_plane;
  assert_true(adit_session_service()->bundler_add(&w->plugin, &bundler_ops, NULL, NULL));
  return result;
}

static int teardown(void **state) {
  int result = world_teardown(state);

  assert_int_equal(g_hash_table_size(planes), 0);
  g_hash_table_unref(planes);
  for (guint i = 0; i < G_N_ELEMENTS(ends); i++) {
    assert_int_equal(ends[i].joined, ends[i].left); /* each link that joined has left */
    g_free(ends[i].told);
  }
  return result;
}

static void dial(World *w, guint n, const char *user) {
  g_autoptr(AditValue) server = world_config_of("office", NULL, NULL), client = world_config_of("out1", user, "right");

  assert_true(world_call_open(w, &w->pair[n].server, FALSE, server, n + 1, &datapath, NULL));
  assert_true(world_call_open(w, &w->pair[n].client, TRUE, client, n + 1, &datapath, NULL));
}

static AditSess *session_of(gboolean client) {
  AditSess *session = adit_sess_find(ends[client].session);
  assert_non_null(session);
  return session;
}

/* Two links of one user, at both ends. */
static void two_links(World *w, const char *user) {
  dial(w, 0, user);
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
  dial(w, 1, user);
  assert_true(TEST_LOOP_UNTIL(ends[0].joined == 2 && ends[1].joined == 2, 5000));
}

/* The calls of a pair are gone, as when their tunnel is. */
static void lose(World *w, guint n) {
  adit_session_service()->link_close(w->pair[n].server.id, ADIT_CAUSE_LOST_SERVICE, "its tunnel died");
  adit_session_service()->link_close(w->pair[n].client.id, ADIT_CAUSE_LOST_SERVICE, "its tunnel died");
}

static gboolean carries(World *w) {
  static const guint8 packet[20] = {0x45, 0, 0, 20, [8] = 64, 17, [12] = 10, 0, 0, 10, 10, 0, 0, 1};
  AditSessionInfo info = {.size = sizeof info};

  assert_true(adit_session_service()->session_info(ends[0].session, &info));
  guint64 before = info.counters.rx_packets;
  if (!null_port_inject(null_dp_port(w->client.dp, "out1"), packet, sizeof packet))
    return FALSE;
  test_loop_drain();
  assert_true(adit_session_service()->session_info(ends[0].session, &info));
  return info.counters.rx_packets == before + 1;
}

/* ---- joining ---- */

static void a_second_link_needs_no_second_address_and_no_second_start(void **state) {
  World *w = *state;
  const Record *last = NULL;
  AditSessionInfo info = {.size = sizeof info};

  world_extra = adit_value_map();
  adit_value_set(world_extra, "interim-update", adit_value_int(3600000));
  ends[0].multi_id = "bundle-7";
  two_links(w, "only"); /* which has only-one */
  assert_string_equal(ends[0].told, "only by l2tp at office from 192.0.2.2, only");
  assert_int_equal(ends[0].asked, 2);
  assert_int_equal(ends[0].opened, 1);
  test_loop_drain();
  assert_int_equal(w->up, 2);
  assert_int_equal(adit_session_service()->session_count(NULL, NULL), 2);
  assert_int_equal(world_told("address 10.0.0.1/32 peer 10.0.0.10"), 1);
  assert_int_equal(g_hash_table_size(planes), 2);
  assert_int_equal(links_on(session_of(FALSE)->plane)->len, 2);
  assert_true(carries(w));

  assert_int_equal(world_recorded(ADIT_ACCT_START, FALSE, &last), 1);
  assert_string_equal(last->multi_id, "bundle-7");
  assert_int_equal(last->link_count, 1);
  assert_int_equal(world_recorded(ADIT_ACCT_INTERIM, FALSE, &last), 1);
  assert_string_equal(last->multi_id, "bundle-7");
  assert_int_equal(last->link_count, 2);

  assert_true(adit_session_service()->session_info(ends[0].session, &info));
  assert_int_equal(info.links, 2);
  assert_string_equal(info.multi_id, "bundle-7");
  g_autoptr(AditValue) one = adit_session_describe("l2tp-only");
  assert_int_equal(adit_value_length(adit_value_get(one, "links")), 2);
  assert_string_equal(adit_value_get_string(one, "multi-session-id", ""), "bundle-7");
}

/* The bundle may be found before its first link has anything. */
static void a_link_joins_a_session_that_is_not_up(void **state) {
  World *w = *state;

  dial(w, 0, "alice");
  dial(w, 1, "alice");
  assert_true(TEST_LOOP_UNTIL(ends[0].joined == 2 && ends[1].joined == 2 && w->up == 2, 5000));
  assert_int_equal(links_on(session_of(FALSE)->plane)->len, 2);
  assert_true(carries(w));
}

static void without_another_word_each_link_is_a_session(void **state) {
  World *w = *state;
  const Record *last = NULL;

  ends[0].first = ends[1].first = ADIT_BUNDLE_NONE;
  dial(w, 0, "alice");
  dial(w, 1, "alice");
  assert_true(TEST_LOOP_UNTIL(w->up == 4, 5000));
  assert_int_equal(ends[0].joined, 0);
  assert_int_equal(world_recorded(ADIT_ACCT_START, FALSE, &last), 2);
  assert_null(last->multi_id);
  assert_int_equal(last->link_count, 1);
}

/* ---- being refused ---- */

static void expect_refusal(World *w, guint n, const char *reason) {
  assert_true(TEST_LOOP_UNTIL(w->pair[n].server.closed, 10000));
  assert_int_equal(w->pair[n].server.cause, ADIT_CAUSE_NAS_REQUEST);
  assert_string_equal(w->pair[n].server.reason, reason);
}

static void a_bundler_refuses_with_a_reason(void **state) {
  World *w = *state;

  ends[0].next = ADIT_BUNDLE_REFUSE;
  ends[0].reason = "too many links";
  dial(w, 0, "alice");
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
  dial(w, 1, "alice");
  expect_refusal(w, 1, "fake: too many links");
  assert_int_equal(w->down, 0);
  assert_true(carries(w));
}

static void a_link_joins_no_session_that_it_must_not(void **state) {
  World *w = *state;

  dial(w, 0, "alice");
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
  ends[1].next = ADIT_BUNDLE_NONE;
  dial(w, 1, "bob");
  expect_refusal(w, 1, "the session is another user's");
  ends[0].wrong = 4711;
  dial(w, 2, "alice");
  expect_refusal(w, 2, "there is no such session");
  ends[0].wrong = ends[1].session; /* the other end's */
  dial(w, 3, "alice");
  expect_refusal(w, 3, "the session is another user's");
  assert_int_equal(session_of(FALSE)->links->len, 1);
  assert_int_equal(ends[0].joined, 1);
}

static void a_session_that_was_not_founded_takes_no_other_link(void **state) {
  World *w = *state;
  const Record *start = NULL;

  ends[0].first = ends[1].first = ADIT_BUNDLE_NONE;
  dial(w, 0, "alice");
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
  assert_int_equal(world_recorded(ADIT_ACCT_START, FALSE, &start), 1);
  ends[0].wrong = adit_session_service()->session_find(start->record_id);
  dial(w, 1, "alice");
  expect_refusal(w, 1, "the session takes no other link");
}

static void a_data_path_that_takes_no_second_link_costs_that_link(void **state) {
  World *w = *state;

  narrow = TRUE;
  dial(w, 0, "alice");
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
  dial(w, 1, "alice");
  expect_refusal(w, 1, "a second link needs a stage that bundles");
  assert_int_equal(w->down, 0);
  assert_true(carries(w));
}

static void a_bundler_that_cannot_work_ends_the_session(void **state) {
  World *w = *state;

  ends[0].fails = TRUE;
  dial(w, 0, "alice");
  assert_true(TEST_LOOP_UNTIL(w->pair[0].server.closed, 10000));
  assert_int_equal(w->pair[0].server.cause, ADIT_CAUSE_PORT_ERROR);
  assert_string_equal(w->pair[0].server.reason, "no stage for it");
}

static void there_is_one_bundler(void **state) {
  static const AditBundlerOps lame = {sizeof lame, "lame", NULL, NULL, NULL, NULL, NULL};
  const AditSessionService *service = adit_session_service();
  AditPlugin other = {.name = "other"};
  g_autoptr(GError) error = NULL;

  assert_false(service->bundler_add(&other, &bundler_ops, NULL, &error));
  assert_true(g_error_matches(error, ADIT_ERROR, ADIT_ERR_EXISTS));
  assert_string_equal(error->message, "there is a bundler already: fake, of plugin test");
  g_clear_error(&error);
  assert_false(service->bundler_add(&other, &lame, NULL, &error));
  assert_true(g_error_matches(error, ADIT_ERROR, ADIT_ERR_INVALID));
}

/* ---- leaving ---- */

static void a_link_leaves_and_the_last_one_ends_the_session(void **state) {
  World *w = *state;
  const Record *stop = NULL;

  two_links(w, "alice");
  lose(w, 1);
  test_loop_drain();
  assert_int_equal(ends[0].left, 1);
  assert_int_equal(ends[0].remaining, 1);
  assert_int_equal(w->down, 0);
  assert_true(carries(w));
  lose(w, 0);
  assert_true(TEST_LOOP_UNTIL(w->down == 2, 5000));
  assert_int_equal(w->last_down.cause, ADIT_CAUSE_LOST_SERVICE);
  assert_int_equal(ends[0].remaining, 0);
  assert_int_equal(world_recorded(ADIT_ACCT_STOP, FALSE, &stop), 1);
  assert_int_equal(stop->link_count, 2); /* RFC 2866 5.11: all that it has had */
}

static void the_founder_may_leave_first(void **state) {
  World *w = *state;

  two_links(w, "alice");
  lose(w, 0);
  test_loop_drain();
  assert_int_equal(w->down, 0);
  assert_true(carries(w));
  assert_int_equal(session_of(FALSE)->state, ADIT_LIFE_UP);
  dial(w, 2, "alice");
  assert_true(TEST_LOOP_UNTIL(ends[0].joined == 3 && ends[1].joined == 3, 5000));
  assert_int_equal(session_of(FALSE)->links->len, 2);
}

static void one_link_is_told_goodbye_alone(void **state) {
  World *w = *state;

  two_links(w, "alice");
  assert_true(adit_session_service()->link_end(w->pair[1].server.id, ADIT_CAUSE_NAS_REQUEST, "not needed"));
  assert_true(TEST_LOOP_UNTIL(w->pair[1].server.closed && w->pair[1].client.closed, 10000));
  assert_string_equal(w->pair[1].server.reason, "not needed");
  assert_false(w->pair[0].server.closed);
  assert_int_equal(w->down, 0);
  assert_true(carries(w));
}

static void the_end_of_the_session_is_that_of_all_its_links(void **state) {
  World *w = *state;

  two_links(w, "alice");
  assert_true(adit_session_service()->disconnect(ends[0].session, ADIT_CAUSE_ADMIN_RESET, "asked to"));
  for (guint i = 0; i < 2; i++) {
    assert_true(TEST_LOOP_UNTIL(w->pair[i].server.closed && w->pair[i].client.closed, 10000));
    assert_int_equal(w->pair[i].server.cause, ADIT_CAUSE_ADMIN_RESET);
  }
  assert_int_equal(ends[0].left, 2);
}

/* Its NCPs have another way to the peer. */
static void a_link_that_negotiates_anew_holds_up_nothing(void **state) {
  static const guint8 request[] = {0, 2, 0, 1, 0, 2, 0xc0, 0x21, 1, 99, 0, 4}; /* an LCP Configure-Request of the second call */
  World *w = *state;
  AditPath path = {.local = w->client.at, .remote = w->server.at};

  two_links(w, "alice");
  AditSess *session = session_of(FALSE);
  AditSessLink *second = session->links->pdata[1];
  assert_true(null_net_deliver(w->net, &path, request, sizeof request));
  assert_false(second->up);
  assert_int_equal(ends[0].downs, 1);
  assert_int_equal(ends[0].ups, 0);
  assert_int_equal(links_on(session->plane)->len, 1); /* nothing is sent where it would be discarded */
  assert_true(session->family[ADIT_SESS_IPV4].open);
  assert_true(carries(w));
  assert_true(TEST_LOOP_UNTIL(second->up, 10000));
  assert_int_equal(ends[0].ups, 1);
  assert_int_equal(links_on(session->plane)->len, 2);
  assert_true(session->family[ADIT_SESS_IPV4].open);
  assert_int_equal(session->links->len, 2);
}

/* Then there is no other way for its packets. */
static void the_last_link_stays_in_the_data_plane(void **state) {
  static const guint8 request[] = {0, 2, 0, 1, 0, 1, 0xc0, 0x21, 1, 99, 0, 4};
  World *w = *state;
  AditPath path = {.local = w->client.at, .remote = w->server.at};

  two_links(w, "alice");
  lose(w, 1);
  test_loop_drain();
  AditSess *session = session_of(FALSE);
  AditSessLink *only = session->links->pdata[0];
  guint downs = ends[0].downs;
  assert_true(null_net_deliver(w->net, &path, request, sizeof request));
  assert_false(only->up);
  assert_int_equal(ends[0].downs, downs + 1);
  assert_int_equal(links_on(session->plane)->len, 1);
  assert_true(TEST_LOOP_UNTIL(only->up && session->family[ADIT_SESS_IPV4].open, 20000));
  assert_true(carries(w));
}

/* ---- with a stage ---- */

static guint64 packets_of(const Call *call) {
  AditDpStats stats = {0};
  assert_true(adit_session_service()->link_stats(call->id, &stats));
  return stats.counters.rx_packets;
}

/* The fake cuts packets into pieces of 100 octets, which take turns on the links. */
static void a_stage_spreads_packets_over_the_links_of_a_bundle(void **state) {
  static guint8 packet[950] = {0x45, 0, 950 >> 8, 950 & 255, [8] = 64, 17, [12] = 10, 0, 0, 10, 10, 0, 0, 1};
  World *w = *state;
  AditSessionInfo info = {.size = sizeof info};

  datapath = null_datapath_ops;
  ends[0].cuts = ends[1].cuts = TRUE;
  two_links(w, "alice");
  assert_int_equal(ends[0].indices, 3);
  assert_int_equal(session_of(FALSE)->mtu, 1450 - 6); /* less the stage's headroom */
  guint64 first = packets_of(&w->pair[0].server), second = packets_of(&w->pair[1].server);
  assert_true(null_port_inject(null_dp_port(w->client.dp, "out1"), packet, sizeof packet));
  test_loop_drain();
  world_run_net(w);
  assert_true(adit_session_service()->session_info(ends[0].session, &info));
  assert_int_equal(info.counters.rx_packets, 1);
  assert_int_equal(info.counters.rx_octets, 950);
  assert_int_equal(packets_of(&w->pair[0].server) - first, 5);
  assert_int_equal(packets_of(&w->pair[1].server) - second, 5);

  lose(w, 0); /* all of it takes the other one */
  test_loop_drain();
  second = packets_of(&w->pair[1].server);
  assert_true(null_port_inject(null_dp_port(w->client.dp, "out1"), packet, sizeof packet));
  test_loop_drain();
  world_run_net(w);
  assert_int_equal(packets_of(&w->pair[1].server) - second, 10);
  assert_true(adit_session_service()->session_info(ends[0].session, &info));
  assert_int_equal(info.counters.rx_packets, 2);
}

static AditValue *describe_cut(gpointer user) {
  AditValue *map = adit_value_map();
  adit_value_set(map, "pieces", adit_value_int(*(const gint64 *)user));
  return map;
}

static const char *encoding_of_cut(gpointer user) {
  return "cut";
}

/* What it reassembles may be larger than what the links carry. */
static void a_stage_says_how_large_packets_are_and_what_it_does(void **state) {
  static gint64 pieces = 7;
  const AditSessionService *service = adit_session_service();
  World *w = *state;
  AditStageSpec spec = *FAKE_CUTTER(&(FakeCut){100}, &notes);

  datapath = null_datapath_ops;
  world_extra = adit_value_map();
  adit_value_set(world_extra, "mtu", adit_value_int(4000));
  dial(w, 0, "alice");
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
  AditSess *session = session_of(FALSE);
  spec.user = &pieces;
  spec.note = NULL;
  spec.describe = describe_cut;
  spec.encoding = encoding_of_cut;
  assert_true(service->stage_set_mtu(session->id, ADIT_STAGE_BUNDLE, 1600));
  assert_int_equal(session->mtu, 1450); /* there is no stage yet */
  assert_true(service->stage_add(session->id, &spec, NULL));
  assert_int_equal(session->mtu, 1600);
  test_loop_drain();
  assert_int_equal(world_told("mtu 1600"), 1);
  assert_true(service->stage_set_mtu(session->id, ADIT_STAGE_BUNDLE, 8000));
  assert_int_equal(session->mtu, 4000); /* Framed-MTU is of packets */
  assert_true(service->stage_add(session->id, FAKE_SCRAMBLER(&(FakeKey){7}, &notes), NULL));
  assert_true(service->stage_set_mtu(session->id, ADIT_STAGE_BUNDLE, 1600));
  assert_int_equal(session->mtu, 1600 - fake_scrambler.headroom);
  g_autoptr(AditValue) row = adit_session_row(session->id), one = adit_session_describe("l2tp-alice");
  assert_string_equal(adit_value_get_string(row, "encoding", ""), "cut");
  assert_int_equal(adit_value_get_int(adit_value_get(one, spec.ops->name), "pieces", 0), 7);
  service->stage_remove(session->id, ADIT_STAGE_BUNDLE);
  service->stage_remove(session->id, ADIT_STAGE_COMPRESSION);
  assert_int_equal(session->mtu, 1450);
  assert_false(service->stage_set_mtu(4711, ADIT_STAGE_BUNDLE, 1600));
}

/* What was agreed to be encrypted waits for its stage. */
static void data_waits_for_a_stage_that_is_required(void **state) {
  static const guint8 packet[20] = {0x45, 0, 0, 20, [8] = 64, 17, [12] = 10, 0, 0, 10, 10, 0, 0, 1};
  const AditSessionService *service = adit_session_service();
  World *w = *state;
  AditSessionInfo info = {.size = sizeof info};
  g_autoptr(GError) error = NULL;

  datapath = null_datapath_ops;
  dial(w, 0, "alice");
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
  assert_true(service->stages_require(ends[1].session, 1u << ADIT_STAGE_COMPRESSION));
  null_port_inject(null_dp_port(w->client.dp, "out1"), packet, sizeof packet);
  test_loop_drain();
  assert_true(service->session_info(ends[0].session, &info));
  assert_int_equal(info.counters.rx_packets, 0);
  for (guint i = 0; i < 2; i++)
    assert_true(service->stage_add(ends[i].session, FAKE_SCRAMBLER(&(FakeKey){7}, &notes), &error));
  test_loop_drain();
  assert_true(service->session_info(ends[0].session, &info));
  assert_int_equal(info.counters.rx_packets, 1);

  assert_true(service->stage_set(ends[0].session, ADIT_STAGE_COMPRESSION, &(FakeKey){9}, sizeof(FakeKey)));
  null_port_inject(null_dp_port(w->client.dp, "out1"), packet, sizeof packet);
  test_loop_drain();
  assert_int_equal(notes.resets, 1); /* the other key */
  service->stage_remove(ends[0].session, ADIT_STAGE_COMPRESSION);
  assert_int_equal(session_of(FALSE)->mtu, 1450);
  assert_false(service->stage_set(ends[0].session, ADIT_STAGE_COMPRESSION, &(FakeKey){9}, sizeof(FakeKey)));
  assert_false(service->stage_add(4711, FAKE_SCRAMBLER(&(FakeKey){7}, &notes), &error));
  assert_true(g_error_matches(error, ADIT_ERROR, ADIT_ERR_NOT_FOUND));
}

int main(void) {
#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      test(a_second_link_needs_no_second_address_and_no_second_start),
      test(a_link_joins_a_session_that_is_not_up),
      test(without_another_word_each_link_is_a_session),
      test(a_bundler_refuses_with_a_reason),
      test(a_link_joins_no_session_that_it_must_not),
      test(a_session_that_was_not_founded_takes_no_other_link),
      test(a_data_path_that_takes_no_second_link_costs_that_link),
      test(a_bundler_that_cannot_work_ends_the_session),
      test(there_is_one_bundler),
      test(a_link_leaves_and_the_last_one_ends_the_session),
      test(the_founder_may_leave_first),
      test(one_link_is_told_goodbye_alone),
      test(the_end_of_the_session_is_that_of_all_its_links),
      test(a_link_that_negotiates_anew_holds_up_nothing),
      test(the_last_link_stays_in_the_data_plane),
      test(a_stage_spreads_packets_over_the_links_of_a_bundle),
      test(a_stage_says_how_large_packets_are_and_what_it_does),
      test(data_waits_for_a_stage_that_is_required),
  };
  return cmocka_run_group_tests_name("session bundle", tests, NULL, NULL);
}
