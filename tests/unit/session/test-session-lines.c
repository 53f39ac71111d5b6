/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* What a user who comes and goes can write into the log. */
#include "core/session/life/sessions.h"
#include "core/session/lines.h"
#include "tests/unit/session/world.h"

#include <errno.h>

enum { ROUNDS = 200 };

static struct { guint refused, ended, up, down, closed, login, summaries, all; } lines;

static void count(guint *n, const char *text, const char *word) {
  *n += strstr(text, word) != NULL;
}

static GLogWriterOutput count_line(GLogLevelFlags level, const GLogField *fields, gsize n, gpointer data) {
  for (gsize i = 0; i < n; i++) {
    const char *text = fields[i].value;
    if (level == G_LOG_LEVEL_DEBUG || !g_str_equal(fields[i].key, "MESSAGE"))
      continue;
    if (level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL))
      print_error("%s\n", text);
    lines.all++;
    count(&lines.refused, text, "session refused: ");
    count(&lines.ended, text, "session ended before it was up: ");
    count(&lines.up, text, "session up on ");
    count(&lines.down, text, "session down on ");
    count(&lines.closed, text, "link closed: ");
    count(&lines.login, text, "refused: wrong password");
    count(&lines.summaries, text, "more like this were suppressed");
  }
  return G_LOG_WRITER_HANDLED;
}

static int setup(void **state) {
  int failed = world_setup(state);
  memset(&lines, 0, sizeof lines);
  return failed;
}

static void login(World *w, guint round, const char *user, const char *password) {
  Pair *pair = &w->pair[round % G_N_ELEMENTS(w->pair)];

  g_free(pair->server.reason);
  g_free(pair->client.reason);
  *pair = (Pair){0};
  world_dial(w, pair, user, password, NULL);
}

typedef enum { UP, REFUSED } Stay;

/** Comes, stays so long, and goes. */
static void come_and_go(World *w, const char *user, Stay stay) {
  for (guint round = 0; round < ROUNDS; round++) {
    guint ups = w->up;
    Pair *pair = &w->pair[round % G_N_ELEMENTS(w->pair)];
    login(w, round, user, "right");
    if (stay == REFUSED) {
      assert_true(TEST_LOOP_UNTIL(pair->server.closed, 10000));
      if (!pair->client.closed)
        adit_session_service()->link_close(pair->client.id, ADIT_CAUSE_USER_REQUEST, "bye");
    } else {
      assert_true(TEST_LOOP_UNTIL(w->up == ups + 2, 10000));
      adit_session_service()->link_close(pair->client.id, ADIT_CAUSE_USER_REQUEST, "bye");
      adit_session_service()->link_close(pair->server.id, ADIT_CAUSE_USER_REQUEST, "bye");
    }
    assert_true(TEST_LOOP_UNTIL(adit_sess_count(NULL, NULL) == 0, 10000));
  }
}

/** So many lines may one user, the quotas and the time that the test takes make. */
static void assert_bounded(guint64 begin, guint n) {
  guint64 ms = adit_loop_service()->now() - begin;
  assert_in_range(n, ADIT_LINES_BURST, 2 * (ADIT_LINES_BURST + ms / ADIT_LINES_INTERVAL_MS) + 2 * (50 + ms / 200) + 20);
}

static void a_user_who_comes_and_goes_fills_no_log(void **state) {
  World *w = *state;
  guint64 begin = adit_loop_service()->now();

  come_and_go(w, "alice", UP);
  print_message("%u logins: %u lines, of them %u up, %u down\n", ROUNDS, lines.all, lines.up, lines.down);
  assert_bounded(begin, lines.all);
  guint before = lines.up;
  login(w, 0, "carol", "right"); /* somebody else is still told of */
  assert_true(TEST_LOOP_UNTIL(lines.up > before, 10000));
}

static void a_user_whose_session_never_comes_up_fills_no_log(void **state) {
  World *w = *state;
  guint64 begin = adit_loop_service()->now();

  world_kernel.answer = EPERM;
  come_and_go(w, "alice", REFUSED);
  print_message("%u logins: %u lines, of them %u ended before up\n", ROUNDS, lines.all, lines.ended);
  assert_true(lines.ended > 0);
  assert_bounded(begin, lines.all);
}

static const char *veto(const AditEvent *event, gpointer data) {
  return "not today";
}

static void a_user_who_is_refused_each_time_fills_no_log(void **state) {
  World *w = *state;
  guint64 begin = adit_loop_service()->now();

  assert_true(adit_bus_service()->veto_add(&w->plugin, ADIT_VETO_SESSION, 0, veto, NULL));
  come_and_go(w, "alice", REFUSED);
  print_message("%u logins: %u lines, of them %u refused\n", ROUNDS, lines.all, lines.refused);
  assert_true(lines.refused > 0);
  assert_bounded(begin, lines.all);
}

static void names_that_strangers_claim_have_no_share(void **state) {
  guint allowed = 0;

  for (guint n = 0; n < 1000; n++)
    allowed += adit_lines_allow(ADIT_LINES_LINK_CLOSED, NULL);
  assert_in_range(allowed, 50, 60);
  for (guint n = 0; n < ADIT_LINES_BURST; n++) /* a user is not shut out by them */
    assert_true(adit_lines_allow(ADIT_LINES_LINK_CLOSED, "ann"));
  allowed = 0;
  for (guint n = 0; n < 1000; n++)
    allowed += adit_lines_allow(ADIT_LINES_SESSION, "ann"); /* one share for all kinds, and the quota */
  assert_in_range(allowed, 50, 60);
  assert_true(adit_lines_allow(ADIT_LINES_SESSION, "bob"));
  adit_lines_fini();
  assert_int_equal(lines.summaries, 2);
}

int main(void) {
#define test(f) cmocka_unit_test_setup_teardown(f, setup, world_teardown)
  const struct CMUnitTest tests[] = {
      test(a_user_who_comes_and_goes_fills_no_log),
      test(a_user_whose_session_never_comes_up_fills_no_log),
      test(a_user_who_is_refused_each_time_fills_no_log),
      test(names_that_strangers_claim_have_no_share),
  };
  g_log_set_writer_func(count_line, NULL, NULL);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
