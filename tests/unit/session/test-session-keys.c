/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* MPPE keys of a session, from the method or the source to its NCPs: both roles, and every way to a new set of them. */
#include "core/aaa/aaa.h"
#include "core/base/secret.h"
#include "core/ppp/registry.h"
#include "core/session/life/sess.h"
#include "core/session/link/link.h"
#include "mschap.h"
#include "tests/lib/fake-stages.h"
#include "tests/unit/session/world.h"

/* ---- an NCP that keeps what it is given ---- */

enum { SERVER, CLIENT, ENDS };

typedef struct {
  guint inits, rekeys, wipes;
  gboolean has;
  AditMppeKeys keys;
  const AditMppeKeys *lent; /* where they were */
} End;

static End ends[ENDS];

typedef struct {
  gboolean client;
} Keeper;

static void take_keys(End *end, const AditMppeKeys *keys) {
  end->has = keys != NULL;
  end->lent = keys;
  memset(&end->keys, 0, sizeof end->keys);
  if (keys)
    adit_copy_sized(&end->keys, sizeof end->keys, keys);
}

static void init_keeper(gpointer self, const AditEngineEnv *env, const AditNcpParams *params) {
  Keeper *keeper = self;
  keeper->client = params->client;
  ends[keeper->client].inits++;
  take_keys(&ends[keeper->client], params->mppe);
}

static void rekey_keeper(gpointer self, const AditMppeKeys *keys) {
  const Keeper *keeper = self;
  ends[keeper->client].rekeys++;
  take_keys(&ends[keeper->client], keys);
}

static void wipe_keeper(gpointer self) {
  ends[((Keeper *)self)->client].wipes++;
}

static void no_request(gpointer self, AditBuilder *out) {}
static void no_more(gpointer self) {}
static AditOptionVerdict no_option(gpointer self, const AditPppOption *option, AditBuilder *nak) {
  return ADIT_OPTION_REJECT;
}
static void no_end(gpointer self, AditBuilder *nak) {}
static void no_nak(gpointer self, const AditPppOption *option) {}
static gboolean no_reject(gpointer self, const AditPppOption *option) {
  return TRUE;
}
static void no_save(gconstpointer self, AditBuilder *out) {}
static gboolean no_restore(gpointer self, const AditEngineEnv *env, const AditNcpParams *params, AditCursor *in) {
  return TRUE;
}

static const AditPppOptionOps no_options = {sizeof no_options, no_request, no_more, no_option, no_end, no_more, no_nak, no_reject};
static const AditNcpDesc keeper = {.size = sizeof keeper,
                                   .name = "keeper",
                                   .protocol = ADIT_PPP_CCP,
                                   .data_protocol = ADIT_PPP_COMPRESSED,
                                   .kind = ADIT_NCP_COMPRESSION,
                                   .state_size = sizeof(Keeper),
                                   .options = &no_options,
                                   .init = init_keeper,
                                   .reset = no_more,
                                   .save = no_save,
                                   .restore = no_restore,
                                   .wipe = wipe_keeper,
                                   .rekey = rekey_keeper};

/* ---- calls ---- */

static AditValue *config_with(gboolean client, const char *method) {
  AditValue *config = client ? world_config_of("out1", "alice", "right") : world_config_of("office", NULL, NULL), *list = adit_value_list();
  adit_value_append(list, adit_value_string(method));
  adit_value_set(config, client ? "allow" : "authentication", list);
  return config;
}

static void dial(World *w, Pair *pair, const char *method) {
  g_autoptr(AditValue) server = config_with(FALSE, method), client = config_with(TRUE, method);
  guint number = ++w->next_call;

  assert_true(world_call_open(w, &pair->server, FALSE, server, number, &null_datapath_ops, NULL));
  assert_true(world_call_open(w, &pair->client, TRUE, client, number, &null_datapath_ops, NULL));
}

static void dial_first(World *w, const char *method) {
  memset(ends, 0, sizeof ends);
  assert_true(adit_aaa_service()->method_add(&w->plugin, &mschap1_method, NULL));
  assert_true(adit_aaa_service()->method_add(&w->plugin, &mschap2_method, NULL));
  assert_true(adit_ppp_service()->ncp_add(&w->plugin, &keeper, NULL));
  dial(w, &w->pair[0], method);
  assert_true(TEST_LOOP_UNTIL(w->up == 2, 5000));
  assert_int_equal(ends[SERVER].inits, 1);
  assert_int_equal(ends[CLIENT].inits, 1);
}

static AditSessLink *link_of(const Call *call) {
  AditSessLink *link = adit_link_find(call->id);
  assert_non_null(link);
  return link;
}

static void expect_agreed_keys(void) {
  static const guint8 zeros[16] = {0};

  assert_true(ends[SERVER].has && ends[CLIENT].has);
  assert_memory_equal(ends[SERVER].keys.send, ends[CLIENT].keys.receive, 16);
  assert_memory_equal(ends[SERVER].keys.receive, ends[CLIENT].keys.send, 16);
  assert_memory_not_equal(ends[SERVER].keys.send, zeros, 16);
  assert_memory_not_equal(ends[SERVER].keys.receive, zeros, 16);
  assert_int_equal(ends[SERVER].keys.shorter, ends[CLIENT].keys.shorter);
  assert_memory_equal(ends[SERVER].keys.short_key, ends[CLIENT].keys.short_key, 8);
}

/* The core has no copy any more, and no octet is left where it was. */
static void expect_wiped(const World *w) {
  static const guint8 zeros[sizeof(AditMppeKeys)] = {0};

  assert_null(link_of(&w->pair[0].server)->mppe);
  assert_null(link_of(&w->pair[0].client)->mppe);
  for (guint i = 0; i < ENDS; i++)
    if (ends[i].lent)
      assert_memory_equal(ends[i].lent, zeros, sizeof zeros);
}

/* ---- tests ---- */

static void rfc3079_3_keys_of_mschap2_reach_both_ends(void **state) {
  World *w = *state;

  dial_first(w, "mschap2");
  expect_agreed_keys();
  assert_memory_not_equal(ends[SERVER].keys.send, ends[SERVER].keys.receive, 16);
  assert_int_equal(ends[SERVER].keys.shorter, ADIT_MPPE_SHORT_SAME);
  expect_wiped(w);
}

static void rfc3079_2_keys_of_mschap1_reach_both_ends(void **state) {
  World *w = *state;

  dial_first(w, "mschap1");
  expect_agreed_keys();
  assert_memory_equal(ends[SERVER].keys.send, ends[SERVER].keys.receive, 16);
  assert_int_equal(ends[SERVER].keys.shorter, ADIT_MPPE_SHORT_OWN);
  expect_wiped(w);
}

static void a_method_without_keys_makes_none(void **state) {
  World *w = *state;

  dial_first(w, "pap");
  assert_false(ends[SERVER].has);
  assert_false(ends[CLIENT].has);
}

static void answer_with_keys(gpointer source, AditAuthRequest *request, AditAuthHandle *handle) {
  AditAuthReply reply = {.size = sizeof reply, .outcome = ADIT_AUTH_ACCEPT, .has_mppe_keys = TRUE};
  memset(reply.mppe_send_key, 0x51, 16);
  memset(reply.mppe_receive_key, 0x52, 16);
  memset(reply.mppe_short_key, 0x53, 8);
  reply.mppe_short = ADIT_MPPE_SHORT_OWN;
  adit_aaa_service()->answer(handle, &reply);
}

/* As RADIUS does: it has verified the response, and hands out keys. */
static void keys_of_a_source_reach_the_server(void **state) {
  World *w = *state;
  guint8 want[16];

  world_source.ask = answer_with_keys;
  dial_first(w, "pap");
  assert_true(ends[SERVER].has);
  assert_memory_equal(ends[SERVER].keys.send, memset(want, 0x51, 16), 16);
  assert_memory_equal(ends[SERVER].keys.receive, memset(want, 0x52, 16), 16);
  assert_memory_equal(ends[SERVER].keys.short_key, memset(want, 0x53, 16), 8);
  assert_int_equal(ends[SERVER].keys.shorter, ADIT_MPPE_SHORT_OWN);
  assert_false(ends[CLIENT].has);
  expect_wiped(w);
}

/* A source that was built before there were short keys says nothing of them. */
static void answer_as_before(gpointer source, AditAuthRequest *request, AditAuthHandle *handle) {
  AditAuthReply reply = {.size = G_STRUCT_OFFSET(AditAuthReply, mppe_short), .outcome = ADIT_AUTH_ACCEPT, .has_mppe_keys = TRUE};
  memset(reply.mppe_short_key, 0x53, 8);
  reply.mppe_short = ADIT_MPPE_SHORT_OWN;
  adit_aaa_service()->answer(handle, &reply);
}

static void keys_of_an_older_source_are_read_by_size(void **state) {
  World *w = *state;

  world_source.ask = answer_as_before;
  dial_first(w, "pap");
  assert_true(ends[SERVER].has);
  assert_int_equal(ends[SERVER].keys.shorter, ADIT_MPPE_SHORT_SAME);
}

static void a_rechallenge_makes_new_keys(void **state) {
  World *w = *state;

  dial_first(w, "mschap2");
  End before = ends[SERVER];
  assert_true(adit_ppp_link_rechallenge(link_of(&w->pair[0].server)->ppp));
  assert_true(TEST_LOOP_UNTIL(ends[SERVER].rekeys && ends[CLIENT].rekeys, 5000));
  assert_int_equal(ends[SERVER].rekeys, 1);
  assert_int_equal(ends[CLIENT].rekeys, 1);
  expect_agreed_keys();
  assert_memory_not_equal(ends[SERVER].keys.send, before.keys.send, 16);
  expect_wiped(w);
  assert_int_equal(w->down, 0);
}

static void an_lcp_that_begins_anew_makes_new_keys(void **state) {
  static const guint8 request[] = {0, 2, 0, 1, 0, 1, 0xc0, 0x21, 1, 0x77, 0, 4};
  World *w = *state;
  AditPath path = {.local = w->client.at, .remote = w->server.at};

  dial_first(w, "mschap2");
  End before = ends[SERVER];
  assert_true(null_net_deliver(w->net, &path, request, sizeof request));
  assert_true(TEST_LOOP_UNTIL(ends[SERVER].rekeys && ends[CLIENT].rekeys, 10000));
  expect_agreed_keys();
  assert_memory_not_equal(ends[SERVER].keys.send, before.keys.send, 16);
  expect_wiped(w);
  assert_int_equal(w->down, 0);
}

/* ---- a bundle ---- */

static AditBundleVerdict decide_by_first(gpointer data, const AditLinkInfo *link, AditBundleDecision *out) {
  const World *w = data;
  const AditSessLink *first = adit_link_find(link->client ? w->pair[0].client.id : w->pair[0].server.id);

  if (!first || !first->session)
    return ADIT_BUNDLE_FOUND;
  out->session = first->session->id;
  return ADIT_BUNDLE_JOIN;
}

static FakeNotes notes;

/* Two links take a stage that spreads packets over them. */
static gboolean add_cutter(gpointer data, AditSessionId session, GError **error) {
  return adit_session_service()->stage_add(session, FAKE_CUTTER(&(FakeCut){1000}, &notes), error);
}

static const AditBundlerOps bundler = {.size = sizeof bundler, .name = "first", .decide = decide_by_first, .opened = add_cutter};

/* The session's keys are those of the link that it began with. */
static void keys_of_a_link_that_joins_do_not_count(void **state) {
  World *w = *state;

  assert_true(adit_session_service()->bundler_add(&w->plugin, &bundler, w, NULL));
  dial_first(w, "mschap2");
  dial(w, &w->pair[1], "mschap2");
  assert_true(TEST_LOOP_UNTIL(link_of(&w->pair[1].server)->session && link_of(&w->pair[1].client)->session, 5000));
  assert_ptr_equal(link_of(&w->pair[1].server)->session, link_of(&w->pair[0].server)->session);
  assert_null(link_of(&w->pair[1].server)->mppe);
  assert_null(link_of(&w->pair[1].client)->mppe);
  assert_true(adit_ppp_link_rechallenge(link_of(&w->pair[1].server)->ppp));
  test_loop_drain();
  assert_null(link_of(&w->pair[1].server)->mppe);
  assert_int_equal(ends[SERVER].rekeys + ends[CLIENT].rekeys, 0);
}

static void a_plugin_wipes_its_copy(void **state) {
  World *w = *state;
  gsize before, after, locked;

  adit_secret_sizes(&before, &locked);
  dial_first(w, "mschap2");
  adit_session_service()->link_close(w->pair[0].server.id, ADIT_CAUSE_LOST_SERVICE, "tunnel died");
  adit_session_service()->link_close(w->pair[0].client.id, ADIT_CAUSE_LOST_SERVICE, "tunnel died");
  assert_true(TEST_LOOP_UNTIL(w->down == 2, 5000));
  test_loop_drain();
  assert_int_equal(ends[SERVER].wipes, 1);
  assert_int_equal(ends[CLIENT].wipes, 1);
  adit_secret_sizes(&after, &locked);
  assert_int_equal(after, before); /* the states of both were there, too */
}

int main(void) {
#define test(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
  const struct CMUnitTest tests[] = {
      test(rfc3079_3_keys_of_mschap2_reach_both_ends),
      test(rfc3079_2_keys_of_mschap1_reach_both_ends),
      test(a_method_without_keys_makes_none),
      test(keys_of_a_source_reach_the_server),
      test(keys_of_an_older_source_are_read_by_size),
      test(a_rechallenge_makes_new_keys),
      test(an_lcp_that_begins_anew_makes_new_keys),
      test(keys_of_a_link_that_joins_do_not_count),
      test(a_plugin_wipes_its_copy),
  };
  return cmocka_run_group_tests_name("session keys", tests, NULL, NULL);
}
