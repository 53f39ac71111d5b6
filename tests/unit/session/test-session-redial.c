/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* When a client dials again: soon after an accident, late after a refusal. */
#include "core/path/path.h"
#include "core/session/client.h"
#include "tests/unit/session/world.h"

typedef struct {
  World *w;
  guint n;
  gboolean broken;
} Dialler;

static AditDial *dial(gpointer state, const AditValue *client, gpointer token, GError **error) {
  Dialler *dialler = state;
  World *w = dialler->w;
  g_autoptr(AditValue) server = world_config_of("office", NULL, NULL);
  guint n = MIN(dialler->n, G_N_ELEMENTS(w->pair) - 1);

  dialler->n++;
  if (dialler->broken) {
    g_set_error_literal(error, ADIT_ERROR, ADIT_ERR_BUSY, "no such host");
    return NULL;
  }
  world_token = token;
  assert_true(world_call_open(w, &w->pair[n].server, FALSE, server, n + 1, &null_datapath_ops, error));
  assert_true(world_call_open(w, &w->pair[n].client, TRUE, client, n + 1, &null_datapath_ops, error));
  return (AditDial *)dialler;
}

static void dial_cancel(AditDial *dialled) {}

static const AditTransportOps ops = {.size = sizeof ops, .name = "l2tp", .dial = dial, .dial_cancel = dial_cancel};

static void configure(const char *password) {
  g_autoptr(AditValue) config = world_config();
  AditValue *l2tp = adit_value_map(), *clients = adit_value_list(), *client = world_config_of("out1", "alice", password);
  gpointer staged = NULL;

  adit_value_set(client, "redial-min", adit_value_int(40));
  adit_value_set(client, "redial-max", adit_value_int(40));
  adit_value_append(clients, client);
  adit_value_set(l2tp, "clients", clients);
  adit_value_set(config, "l2tp", l2tp);
  assert_true(adit_session_prepare(config, &staged, NULL));
  adit_session_commit(staged);
}

static gint64 next_attempt(void) {
  g_autoptr(AditValue) row = adit_client_row("out1");
  return adit_value_get_int(row, "next-attempt", -1);
}

static gboolean has_status(const char *status) {
  g_autoptr(AditValue) row = adit_client_row("out1");
  return strcmp(adit_value_get_string(row, "status", ""), status) == 0;
}

static void a_refused_password_waits_and_a_new_one_does_not(void **state) {
  World *w = *state;
  Dialler dialler = {.w = w};

  assert_true(adit_path_service()->transport_add(&w->plugin, &ops, &dialler, NULL));
  configure("wrong");
  adit_session_start();
  assert_true(TEST_LOOP_UNTIL(dialler.n == 1 && has_status("waiting"), 10000));
  assert_in_range(next_attempt(), 50000, 68000);
  configure("wrong"); /* nothing is new */
  assert_in_range(next_attempt(), 45000, 68000);
  assert_true(adit_client_up("out1", NULL)); /* told to */
  assert_true(TEST_LOOP_UNTIL(dialler.n == 2 && has_status("waiting"), 10000));
  assert_in_range(next_attempt(), 50000, 68000);
  configure("right");
  assert_true(TEST_LOOP_UNTIL(dialler.n == 3 && has_status("connected"), 10000));
  assert_true(adit_client_down("out1", NULL));
}

static void refusals_in_a_row_wait_longer(void **state) {
  World *w = *state;
  Dialler dialler = {.w = w};

  assert_true(adit_path_service()->transport_add(&w->plugin, &ops, &dialler, NULL));
  g_autoptr(AditValue) config = world_config();
  AditValue *l2tp = adit_value_map(), *clients = adit_value_list(), *client = world_config_of("out1", "alice", "wrong");
  gpointer staged = NULL;
  adit_value_set(client, "redial-refused-min", adit_value_int(10));
  adit_value_set(client, "redial-refused-max", adit_value_int(20000));
  adit_value_append(clients, client);
  adit_value_set(l2tp, "clients", clients);
  adit_value_set(config, "l2tp", l2tp);
  assert_true(adit_session_prepare(config, &staged, NULL));
  adit_session_commit(staged);
  adit_session_start();
  assert_true(TEST_LOOP_UNTIL(dialler.n == 3 && has_status("waiting"), 10000));
  assert_in_range(next_attempt(), 0, 46);
  assert_true(adit_client_down("out1", NULL));
}

static void an_accident_is_no_refusal(void **state) {
  World *w = *state;
  Dialler dialler = {.w = w, .broken = TRUE};

  assert_true(adit_path_service()->transport_add(&w->plugin, &ops, &dialler, NULL));
  configure("right");
  adit_session_start();
  assert_true(TEST_LOOP_UNTIL(dialler.n >= 4, 10000));
  dialler.broken = FALSE;
  dialler.n = 0;
  assert_true(TEST_LOOP_UNTIL(has_status("connected"), 10000));
  adit_session_service()->link_close(w->pair[0].client.id, ADIT_CAUSE_LOST_CARRIER, "the tunnel is gone"); /* an accident, too */
  assert_in_range(next_attempt(), 0, 46);
  assert_true(adit_client_down("out1", NULL));
}

#define test(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      test(a_refused_password_waits_and_a_new_one_does_not),
      test(refusals_in_a_row_wait_longer),
      test(an_accident_is_no_refusal),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
