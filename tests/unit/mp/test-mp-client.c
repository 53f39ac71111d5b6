/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* A client with several links: when each is dialled, and again. Both ends in one process, with the real Multilink. */
#include "core/path/path.h"
#include "core/ppp/registry.h"
#include "core/session/client.h"
#include "core/session/life/sess.h"
#include "core/session/life/sessions.h"
#include "plugins/mp/mp-bundler.h"
#include "plugins/mp/mp-options.h"
#include "tests/unit/session/world.h"

enum { DIALS = 16 };

static MpBundler *bundler;
static Pair pairs[DIALS]; /* outlive the test: links end in teardown */
static guint dials, nths; /* how many there were; a bit for each `nth` */
static gint64 server_mrru;
static gboolean broken;
static World *world;

static AditDial *dial_nth(gpointer state, const AditValue *client, guint nth, gpointer token, GError **error) {
  g_autoptr(AditValue) server = world_config_of("office", NULL, NULL);
  guint n = dials++;

  assert_true(n < DIALS);
  nths |= 1u << nth;
  if (broken) {
    g_set_error_literal(error, ADIT_ERROR, ADIT_ERR_BUSY, "no such host");
    return NULL;
  }
  adit_value_set(server, "mrru", adit_value_int(server_mrru));
  world_token = token;
  assert_true(world_call_open(world, &pairs[n].server, FALSE, server, n + 1, &null_datapath_ops, error));
  assert_true(world_call_open(world, &pairs[n].client, TRUE, client, n + 1, &null_datapath_ops, error));
  return (AditDial *)&dials;
}

static AditDial *dial(gpointer state, const AditValue *client, gpointer token, GError **error) {
  return dial_nth(state, client, 0, token, error);
}

static void dial_cancel(AditDial *dialled) {}

static const AditTransportOps transport = {sizeof transport, "l2tp", dial, dial_cancel, dial_nth};

static void configure(guint links) {
  g_autoptr(AditValue) config = world_config();
  AditValue *l2tp = adit_value_map(), *clients = adit_value_list(), *client = world_config_of("out1", "alice", "right");
  gpointer staged = NULL;

  adit_value_set(client, "redial-min", adit_value_int(20));
  adit_value_set(client, "redial-max", adit_value_int(20));
  adit_value_set(client, "mrru", adit_value_int(1600));
  adit_value_set(client, "links", adit_value_int(links));
  if (links)
    adit_value_append(clients, g_steal_pointer(&client));
  adit_value_unref(client);
  adit_value_set(l2tp, "clients", clients);
  adit_value_set(config, "l2tp", l2tp);
  assert_true(adit_session_prepare(config, &staged, NULL));
  adit_session_commit(staged);
}

static int setup(void **state) {
  static const guint8 seed[MP_IDENTITY_SEED] = {7};
  int result = world_setup(state);

  world = *state;
  dials = nths = 0;
  broken = FALSE;
  server_mrru = 1600;
  bundler = mp_bundler_new(adit_session_service(), adit_loop_service());
  mp_identity_init(seed);
  assert_true(adit_ppp_service()->lcp_add(&world->plugin, &mp_lcp_desc, NULL));
  assert_true(adit_session_service()->bundler_add(&world->plugin, &mp_bundler_ops, bundler, NULL));
  assert_true(adit_path_service()->transport_add(&world->plugin, &transport, NULL, NULL));
  return result;
}

static int teardown(void **state) {
  int result = world_teardown(state);
  for (guint i = 0; i < DIALS; i++) {
    g_free(pairs[i].server.reason);
    g_free(pairs[i].client.reason);
  }
  memset(pairs, 0, sizeof pairs);
  mp_bundler_free(bundler);
  mp_identity_fini();
  return result;
}

static gboolean has_row(const char *status, const char *links) {
  g_autoptr(AditValue) row = adit_client_row("out1");
  return strcmp(adit_value_get_string(row, "status", ""), status) == 0 && strcmp(adit_value_get_string(row, "links", ""), links) == 0;
}

static void begin(guint links) {
  g_autofree char *all = g_strdup_printf("%u/%u", links, links);
  configure(links);
  adit_session_start();
  assert_true(TEST_LOOP_UNTIL(has_row("connected", all), 10000));
}

static void lose(guint n) {
  adit_session_service()->link_close(pairs[n].server.id, ADIT_CAUSE_LOST_SERVICE, "its tunnel died");
  adit_session_service()->link_close(pairs[n].client.id, ADIT_CAUSE_LOST_SERVICE, "its tunnel died");
}

static guint live_links(void) {
  guint n = 0;
  for (guint i = 0; i < dials; i++)
    n += adit_link_find(pairs[i].client.id) != NULL;
  return n;
}

static void it_dials_the_others_once_its_session_is_up(void **state) {
  begin(3);
  assert_int_equal(dials, 3);
  assert_int_equal(nths, 7);
  assert_int_equal(world->up, 2);
  assert_true(adit_client_down("out1", NULL));
  assert_true(TEST_LOOP_UNTIL(has_row("down", "0/3") && !live_links(), 10000));
  assert_int_equal(dials, 3);
  assert_true(adit_client_up("out1", NULL));
  assert_true(TEST_LOOP_UNTIL(has_row("connected", "3/3"), 10000));
  assert_int_equal(dials, 6);
}

static void each_link_is_redialled_by_itself(void **state) {
  begin(2);
  for (guint i = 0; i < 2; i++) { /* the second, and the one that founded the session */
    lose(1 - i);
    assert_true(has_row("connected", "1/2"));
    assert_true(TEST_LOOP_UNTIL(has_row("connected", "2/2"), 10000));
    assert_int_equal(dials, 3 + i);
  }
  assert_int_equal(world->up, 2);
  assert_int_equal(world->down, 0);
}

static void without_any_link_it_begins_with_one(void **state) {
  begin(2);
  broken = TRUE;
  lose(0);
  lose(1);
  assert_true(TEST_LOOP_UNTIL(world->down == 2 && dials >= 4, 10000));
  assert_true(has_row("waiting", "0/2"));
  nths = 0;
  guint before = dials;
  assert_true(TEST_LOOP_UNTIL(dials >= before + 2, 10000));
  assert_int_equal(nths, 1); /* the first alone */
  broken = FALSE;
  assert_true(TEST_LOOP_UNTIL(has_row("connected", "2/2"), 10000));
}

/* The first link's address is gone, and what the second one carries ends, too. */
static void the_first_is_dialled_soon_when_the_session_ends(void **state) {
  begin(2);
  broken = TRUE;
  lose(0);
  assert_true(TEST_LOOP_UNTIL(dials >= 4, 10000));
  assert_true(has_row("connected", "1/2"));
  broken = FALSE;
  lose(1);
  assert_true(TEST_LOOP_UNTIL(has_row("connected", "2/2"), 10000));
}

static void a_server_without_multilink_gets_one_link(void **state) {
  server_mrru = 0;
  configure(2);
  adit_session_start();
  assert_true(TEST_LOOP_UNTIL(has_row("connected", "1/2"), 10000));
  lose(0);
  assert_true(TEST_LOOP_UNTIL(dials == 2 && has_row("connected", "1/2"), 10000));
  assert_int_equal(nths, 1);
}

/* A name that leads to two servers which have nothing to do with each other. */
static void a_link_to_another_server_is_refused_here(void **state) {
  begin(2);
  server_mrru = 0;
  lose(1);
  assert_true(TEST_LOOP_UNTIL(pairs[2].client.closed, 10000));
  assert_string_equal(pairs[2].client.reason, "it does not belong to the bundle of the client's other links");
  assert_true(has_row("connected", "1/2"));
  assert_int_equal(world->down, 0);
}

static void a_reload_changes_how_many_there_are(void **state) {
  begin(1);
  configure(3);
  assert_true(TEST_LOOP_UNTIL(has_row("connected", "3/3"), 10000));
  configure(2);
  assert_true(TEST_LOOP_UNTIL(has_row("connected", "2/2") && live_links() == 2, 10000));
  assert_int_equal(world->down, 0);
  configure(0); /* it is not there any more */
  assert_true(TEST_LOOP_UNTIL(live_links() == 0, 10000));
  assert_null(adit_client_row("out1"));
}

int main(void) {
#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      test(it_dials_the_others_once_its_session_is_up), test(each_link_is_redialled_by_itself),
      test(without_any_link_it_begins_with_one),        test(the_first_is_dialled_soon_when_the_session_ends),
      test(a_server_without_multilink_gets_one_link),   test(a_link_to_another_server_is_refused_here),
      test(a_reload_changes_how_many_there_are),
  };
  return cmocka_run_group_tests_name("mp client", tests, NULL, NULL);
}
