/* SPDX-License-Identifier: MIT */
/* Runs example.so on the fake core: no root, no network, no daemon. */
#include <adit/test.h>

static AditTest *begin(const char *file) {
  g_autoptr(GError) error = NULL;
  AditTest *test = adit_test_new();

  if (!adit_test_load(test, "./example.so", &error) ||
      !adit_test_configure(test, adit_test_config(test, "example", "file", file, NULL), &error) || !adit_test_start(test, &error))
    g_error("%s", error->message);
  return test;
}

static void somebody_we_know(void) {
  AditTest *test = begin("users");
  AditTestAnswer *answer = adit_test_ask(test, "example", adit_test_pap("anna", "does not matter: the method verifies"));

  g_assert_true(ADIT_TEST_UNTIL(test, answer->count, 5000));
  g_assert_cmpint(answer->outcome, ==, ADIT_AUTH_SECRET);
  g_assert_cmpstr(answer->password, ==, "secret");
  g_assert_cmpstr(adit_value_get_string(answer->attributes, "profile", NULL), ==, "office");
  adit_test_free(test);
}

static void somebody_else(void) {
  AditTest *test = begin("users");
  AditTestAnswer *answer = adit_test_ask(test, "example", adit_test_pap("nobody", ""));

  g_assert_true(ADIT_TEST_UNTIL(test, answer->count, 5000));
  g_assert_cmpint(answer->outcome, ==, ADIT_AUTH_NOT_MINE);
  adit_test_free(test);
}

static void many_at_once_are_each_answered_once(void) {
  AditTest *test = begin("users");
  AditTestAnswer *answers[100];

  for (guint i = 0; i < G_N_ELEMENTS(answers); i++)
    answers[i] = adit_test_ask(test, "example", adit_test_pap(i % 2 ? "anna" : "bert", ""));
  for (guint i = 0; i < G_N_ELEMENTS(answers); i++)
    g_assert_true(ADIT_TEST_UNTIL(test, answers[i]->count, 5000));
  adit_test_iterate(test, 50);
  for (guint i = 0; i < G_N_ELEMENTS(answers); i++)
    g_assert_cmpint(answers[i]->count, ==, 1);
  adit_test_free(test);
}

/* The test ends while questions are on their way: nothing may be touched afterwards. Run it under ASan, too. */
static void the_end_comes_early(void) {
  AditTest *test = begin("users");
  for (guint i = 0; i < 20; i++)
    adit_test_cancel(test, adit_test_ask(test, "example", adit_test_pap("anna", "")));
  adit_test_free(test);
}

static void a_file_that_is_not_there_changes_nothing(void) {
  g_autoptr(GError) error = NULL;
  AditTest *test = begin("users");

  g_assert_false(adit_test_configure(test, adit_test_config(test, "example", "file", "/nowhere", NULL), &error));
  g_assert_nonnull(error);
  AditTestAnswer *answer = adit_test_ask(test, "example", adit_test_pap("anna", ""));
  g_assert_true(ADIT_TEST_UNTIL(test, answer->count, 5000));
  g_assert_cmpint(answer->outcome, ==, ADIT_AUTH_SECRET);
  adit_test_free(test);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/example/somebody-we-know", somebody_we_know);
  g_test_add_func("/example/somebody-else", somebody_else);
  g_test_add_func("/example/many-at-once", many_at_once_are_each_answered_once);
  g_test_add_func("/example/early-end", the_end_comes_early);
  g_test_add_func("/example/missing-file", a_file_that_is_not_there_changes_nothing);
  return g_test_run();
}
