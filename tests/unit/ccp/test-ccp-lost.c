/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Keys that are lost for good: CCP begins again, and is closed in the end. On virtual time. */
#include "one.h"

static const NodeNcp *ncp_of(const One *one) {
  return &one->pair->a.ncps[0];
}

/* The peer answers the newest request, and asks for `option` again. */
static void agree_again(One *one, const char *option) {
  guint requests = node_count(&one->pair->a, ADIT_PPP_CCP, 1);
  ncp_answer(one->pair, requests, 2, NULL);
  ask(one, option);
  assert_true(adit_ncp_is_open(ncp_of(one)->ncp));
}

/* Reset-Requests without an answer, as often as the stage asks for them. */
static void lose(One *one, guint32 what, guint32 from, guint32 to, gboolean proven) {
  for (guint32 run = from; run <= to; run++) {
    note(one, what, run, proven);
    pair_run(one->pair, what == MPPE_NOTE_RESET ? MPPE_RESET_MS : MPPE_NOISE_MS);
  }
}

static void many_resets_without_an_answer_negotiate_again(void **unused) {
  g_auto(One) one = one_of((Wish){0});
  open_with(&one, "120600000040");
  guint requests = node_count(&one.pair->a, ADIT_PPP_CCP, 1);
  guint32 epoch = stage_of(&one.pair->a)->epoch;

  lose(&one, MPPE_NOTE_RESET, 1, CCP_LOST_RESETS - 1, TRUE);
  assert_int_equal(node_count(&one.pair->a, ADIT_PPP_CCP, 1), requests);
  assert_int_equal(node_count(&one.pair->a, ADIT_PPP_CCP, CCP_RESET_REQUEST), CCP_LOST_RESETS - 1);
  lose(&one, MPPE_NOTE_RESET, CCP_LOST_RESETS, CCP_LOST_RESETS, TRUE);
  assert_int_equal(node_count(&one.pair->a, ADIT_PPP_CCP, 1), requests + 1);
  assert_false(adit_ncp_is_open(ncp_of(&one)->ncp));
  assert_int_equal(ncp_of(&one)->stage.removes, 1);
  assert_int_equal(ncp_of(&one)->warns, 1);
  agree_again(&one, "120600000040");
  assert_true(stage_of(&one.pair->a)->epoch > epoch);
}

/* A frame that makes sense begins the count again: loss alone never gets there. */
static void resets_that_help_negotiate_nothing(void **unused) {
  g_auto(One) one = one_of((Wish){0});
  open_with(&one, "120600000040");
  guint requests = node_count(&one.pair->a, ADIT_PPP_CCP, 1);

  for (guint i = 0; i < 20; i++)
    lose(&one, MPPE_NOTE_RESET, 1, CCP_LOST_RESETS - 1, TRUE);
  assert_int_equal(node_count(&one.pair->a, ADIT_PPP_CCP, 1), requests);
  assert_true(adit_ncp_is_open(ncp_of(&one)->ncp));
}

static void stateless_noise_without_end_negotiates_again(void **unused) {
  g_auto(One) one = one_of((Wish){0});
  open_with(&one, "120601000040");
  guint requests = node_count(&one.pair->a, ADIT_PPP_CCP, 1);

  lose(&one, MPPE_NOTE_NOISE, 1, CCP_LOST_NOISES - 1, TRUE);
  assert_int_equal(node_count(&one.pair->a, ADIT_PPP_CCP, 1), requests);
  lose(&one, MPPE_NOTE_NOISE, CCP_LOST_NOISES, CCP_LOST_NOISES, TRUE);
  assert_int_equal(node_count(&one.pair->a, ADIT_PPP_CCP, 1), requests + 1);
}

/* The session ends where encryption is required (core/session): its reason is that of the close. */
static void negotiations_that_do_not_help_close_it(void **unused) {
  g_auto(One) one = one_of((Wish){0});
  open_with(&one, "120600000040");

  for (guint i = 0; i < CCP_RECOVERIES_MAX; i++) {
    lose(&one, MPPE_NOTE_RESET, 1, CCP_LOST_RESETS, FALSE);
    agree_again(&one, "120600000040");
  }
  lose(&one, MPPE_NOTE_RESET, 1, CCP_LOST_RESETS, FALSE);
  pair_run(one.pair, 30000);
  assert_true(adit_ncp_is_over(ncp_of(&one)->ncp));
  assert_string_equal(ncp_of(&one)->why, "frames from the peer can't be decrypted, and new negotiations do not help");
}

/* Keys that were right for a while are lost at times in a long life. */
static void negotiations_that_help_are_not_counted(void **unused) {
  g_auto(One) one = one_of((Wish){0});
  open_with(&one, "120600000040");

  for (guint i = 0; i < 3 * CCP_RECOVERIES_MAX; i++) {
    lose(&one, MPPE_NOTE_RESET, 1, CCP_LOST_RESETS, TRUE);
    agree_again(&one, "120600000040");
  }
  assert_true(adit_ncp_is_open(ncp_of(&one)->ncp));
}

/* Notes of the old stage that still come do not negotiate twice. */
static void late_notes_negotiate_nothing(void **unused) {
  g_auto(One) one = one_of((Wish){0});
  open_with(&one, "120600000040");
  lose(&one, MPPE_NOTE_RESET, 1, CCP_LOST_RESETS, TRUE);
  guint requests = node_count(&one.pair->a, ADIT_PPP_CCP, 1);

  agree_again(&one, "120600000040");
  pair_run(one.pair, 1000);
  assert_int_equal(node_count(&one.pair->a, ADIT_PPP_CCP, 1), requests);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(many_resets_without_an_answer_negotiate_again), cmocka_unit_test(resets_that_help_negotiate_nothing),
      cmocka_unit_test(stateless_noise_without_end_negotiates_again),  cmocka_unit_test(negotiations_that_do_not_help_close_it),
      cmocka_unit_test(negotiations_that_help_are_not_counted),        cmocka_unit_test(late_notes_negotiate_nothing),
  };
  return cmocka_run_group_tests_name("ccp lost", tests, NULL, NULL);
}
