/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Links of a bundle that do not answer, and those whose LCP negotiates again. */
#include "bundler-world.h"

/* ---- links that die without a word ---- */

static void a_link_that_does_not_answer_gets_no_data(void **state) {
  for (AditLinkId id = 1; id <= 3; id++) {
    link_of(id, "ann", "one");
    place(id, 1);
  }
  pass(5000);
  assert_int_equal(stage.params.resting, 0);
  links[1].dead = TRUE;
  pass(1000);
  assert_int_equal(stage.params.resting, 1 << 1);
  assert_int_equal(stage.params.silent, 1 << 1);
  assert_false(links[1].ended); /* its LCP does that */
  g_autoptr(AditValue) shown = stage.spec.describe(stage.spec.user);
  for (guint i = 0; i < 3; i++)
    assert_int_equal(adit_value_get_bool(adit_value_at(adit_value_get(shown, "links"), i), "running", FALSE), i != 1);
  guint published = stage.published;
  pass(10000);
  assert_int_equal(stage.published, published);
  links[1].dead = FALSE;
  pass(1100);
  assert_int_equal(stage.params.resting | stage.params.silent, 0);
}

static void a_bundle_of_one_link_is_not_watched(void **state) {
  for (AditLinkId id = 1; id <= 2; id++) {
    link_of(id, "ann", "one");
    place(id, 1);
    assert_true((due != NULL) == (id == 2));
  }
  links[0].dead = TRUE;
  pass(3000);
  assert_int_equal(stage.params.resting, 1);
  leave(2, 1); /* a link that does not answer is better than none */
  pass(1000);
  assert_int_equal(stage.params.resting, 0);
  assert_null(due);
}

static void lost_fragments_have_all_links_asked(void **state) {
  for (AditLinkId id = 1; id <= 2; id++) {
    link_of(id, "ann", "one");
    place(id, 1);
  }
  pass(2300);
  for (guint i = 0; i < 300; i++) {
    links[0].heard_ms = links[1].heard_ms = now_ms;
    links[0].probes = links[1].probes = 0;
    pass(1);
  }
  stage.spec.note(stage.spec.user, MP_NOTE_LOST, &(MpNoteLost){7, 0}, sizeof(MpNoteLost));
  pass(2);
  assert_int_equal(links[0].probes + links[1].probes, 0); /* lost, but not for want of an answer */
  stage.spec.note(stage.spec.user, MP_NOTE_LOST, &(MpNoteLost){7, 3}, sizeof(MpNoteLost));
  pass(2);
  assert_int_equal(links[0].probes, 1);
  assert_int_equal(links[1].probes, 1);
  for (guint i = 0; i < 200; i++) { /* however often */
    links[0].heard_ms = links[1].heard_ms = now_ms;
    stage.spec.note(stage.spec.user, MP_NOTE_LOST, &(MpNoteLost){7, 3}, sizeof(MpNoteLost));
    pass(5);
  }
  assert_in_range(links[0].probes, 2, 6);
}

static void a_member_that_renegotiates_is_not_asked(void **state) {
  for (AditLinkId id = 1; id <= 3; id++) {
    link_of(id, "ann", "one");
    place(id, 1);
  }
  links[2].dead = TRUE;
  pass(3000);
  assert_int_equal(stage.params.resting, 1 << 2);
  mp_bundler_ops.changed(bundler, 1, 3, FALSE);
  guint probes = links[2].probes;
  pass(3000);
  assert_int_equal(links[2].probes, probes);
  assert_int_equal(stage.params.resting, 0);
  mp_bundler_ops.changed(bundler, 1, 3, TRUE);
  pass(3000);
  assert_int_equal(stage.params.resting, 1 << 2);
}

/* ---- LCP that negotiates again ---- */

static void a_member_with_other_options_is_ended(void **state) {
  for (AditLinkId id = 1; id <= 4; id++) {
    link_of(id, "ann", "one");
    place(id, 1);
  }
  renegotiate(1); /* as before */
  assert_false(links[0].ended);
  links[1].mrru[0] = 0;
  renegotiate(2);
  assert_string_equal(links[1].why, "the link has no Multilink any more");
  links[2].is_short[0] = TRUE;
  renegotiate(3);
  assert_true(links[2].ended);
  links[3].peer->data[1] = 'x';
  renegotiate(4);
  assert_string_equal(links[3].why, "the peer has another discriminator");
}

static void the_only_link_takes_its_bundle_along(void **state) {
  link_of(1, "ann", "one");
  place(1, 1);
  links[0].peer->data[1] = 'x';
  links[0].mrru[1] = 8000;
  renegotiate(1);
  assert_int_equal(stage.params.peer_mrru, 8000);
  assert_int_equal(stage.mtu, 8000);
  link_of(2, "ann", "one");
  link_of(3, "ann", "xne");
  assert_int_equal(place(2, 2), '2');
  assert_int_equal(place(3, 9), '1');
  leave(3, 1);
  links[0].mrru[0] = links[0].mrru[1] = 0; /* without Multilink */
  renegotiate(1);
  assert_int_equal(stage.params.peer_mrru, 0);
  assert_int_equal(stage.mtu, 0);
  link_of(4, "ann", "xne");
  assert_int_equal(place(4, 3), '3');
}

static void a_client_has_another_discriminator_for_each_session(void **state) {
  MpDiscriminator before, same, after;
  mp_identity_init((const guint8[MP_IDENTITY_SEED]){1});
  link_of(1, "ann", "one")->info.client = TRUE;
  link_of(2, "ann", "one")->info.client = TRUE;
  mp_identity_get(TRUE, "office", &before);
  place(1, 1);
  place(2, 9);
  leave(1, 1);
  mp_identity_get(TRUE, "office", &same);
  assert_true(mp_discriminator_equal(&before, &same));
  leave(2, 0);
  mp_identity_get(TRUE, "office", &after);
  assert_false(mp_discriminator_equal(&before, &after));
}

int main(void) {
#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      test(a_link_that_does_not_answer_gets_no_data),
      test(a_bundle_of_one_link_is_not_watched),
      test(lost_fragments_have_all_links_asked),
      test(a_member_that_renegotiates_is_not_asked),
      test(a_member_with_other_options_is_ended),
      test(the_only_link_takes_its_bundle_along),
      test(a_client_has_another_discriminator_for_each_session),
  };
  return cmocka_run_group_tests_name("mp members", tests, NULL, NULL);
}
