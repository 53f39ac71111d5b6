/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The state table of sessions: every cell, every row reached, and what must hold on every way through it. */
#include "core/session/life/states.h"
#include "tests/unit/session/world.h"

/* What is expected of each event in each state: the state that follows and the action; "." = it must not come there. */
static const char *const expected[ADIT_LIFE_STATES][ADIT_LIFE_EVENTS] = {
    /* port-opened, network-opened, ncp-settled, patience-over, kernel-answered, applied, nothing-applied, settled, end, port-closed */
    [ADIT_LIFE_OPENING] = {"negotiating plane", "opening -", "opening -", ".", ".", ".", ".", ".", "ending close", "."},
    [ADIT_LIFE_NEGOTIATING] = {".", "applying claim", "negotiating -", "negotiating -", ".", ".", ".", ".", "ending close", "."},
    [ADIT_LIFE_APPLYING] = {".", "applying claim", "applying -", "applying -", "applying judge", "settling await", "negotiating -", ".",
                            "ending close", "."},
    [ADIT_LIFE_SETTLING] = {".", "applying claim", "settling await", "settling await", "settling judge", "settling await", "negotiating -",
                            "up begin", "ending close", "."},
    [ADIT_LIFE_UP] = {".", "up claim", "up -", ".", "up judge", "up tell", "up -", ".", "ending close", "."},
    [ADIT_LIFE_ENDING] = {".", ".", "ending -", ".", ".", ".", ".", ".", "ending -", "gone finish"},
    [ADIT_LIFE_GONE] = {".", ".", ".", ".", ".", ".", ".", ".", "gone -", "."},
};

static const char *action_word(AditLifeAction action) {
  static const char *const words[ADIT_LIFE_ACTIONS] = {"-", "plane", "claim", "judge", "await", "begin", "tell", "close", "finish"};
  return words[action];
}

static void each_event_in_each_state_is_a_row_or_refused(void **state) {
  guint n, rows = 0;
  adit_life_rows(&n);

  for (guint from = 0; from < ADIT_LIFE_STATES; from++)
    for (guint event = 0; event < ADIT_LIFE_EVENTS; event++) {
      const AditLifeRow *row = adit_life_row(from, event);
      g_autofree char *text = row ? g_strdup_printf("%s %s", adit_life_state_word(row->to), action_word(row->action)) : g_strdup(".");
      if (strcmp(text, expected[from][event]) != 0)
        print_error("%s in state %s: %s\n", adit_life_event_word(event), adit_life_state_word(from), text);
      assert_string_equal(text, expected[from][event]);
      rows += row != NULL;
    }
  assert_int_equal(rows, n); /* none is listed twice */
}

/* Takes each row that a walk from the first state meets. */
static void walk(AditLifeState from, gboolean reached[ADIT_LIFE_STATES], guint *taken) {
  if (reached[from])
    return;
  reached[from] = TRUE;
  for (guint event = 0; event < ADIT_LIFE_EVENTS; event++) {
    const AditLifeRow *row = adit_life_row(from, event);
    if (!row)
      continue;
    ++*taken;
    walk(row->to, reached, taken);
  }
}

static void each_row_is_reached(void **state) {
  gboolean reached[ADIT_LIFE_STATES] = {FALSE};
  guint taken = 0, n;

  adit_life_rows(&n);
  walk(ADIT_LIFE_OPENING, reached, &taken);
  assert_int_equal(taken, n);
  for (guint i = 0; i < ADIT_LIFE_STATES; i++)
    assert_true(reached[i]);
}

/* One Start and one Stop, and an end from everywhere: whatever comes in whatever order. */
static void a_session_begins_once_and_ends_once(void **state) {
  guint n, begins = 0, closes = 0, finishes = 0;
  const AditLifeRow *rows = adit_life_rows(&n);

  for (guint i = 0; i < n; i++) {
    begins += rows[i].action == ADIT_LIFE_BEGIN;
    finishes += rows[i].action == ADIT_LIFE_FINISH;
    closes += rows[i].action == ADIT_LIFE_CLOSE;
    if (rows[i].from == ADIT_LIFE_UP) /* never back to where it would begin again */
      assert_true(rows[i].to == ADIT_LIFE_UP || rows[i].to == ADIT_LIFE_ENDING);
    if (adit_life_is_over(rows[i].from))
      assert_true(adit_life_is_over(rows[i].to));
    if (rows[i].event == ADIT_LIFE_END)
      assert_int_equal(rows[i].action, adit_life_is_over(rows[i].from) ? ADIT_LIFE_IGNORE : ADIT_LIFE_CLOSE);
  }
  assert_int_equal(begins, 1);
  assert_int_equal(finishes, 1);
  assert_int_equal(closes, ADIT_LIFE_ENDING);
  for (guint from = 0; from < ADIT_LIFE_STATES; from++)
    assert_non_null(adit_life_row(from, ADIT_LIFE_END));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_event_in_each_state_is_a_row_or_refused),
      cmocka_unit_test(each_row_is_reached),
      cmocka_unit_test(a_session_begins_once_and_ends_once),
  };
  return cmocka_run_group_tests_name("session states", tests, NULL, NULL);
}
