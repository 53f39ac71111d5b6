/* SPDX-License-Identifier: MIT */
/* Runs example-sink.so, example-hook.so (C++) and example-command.so on the fake core: no root, no network, no daemon. */
#include <adit/test.h>
#include <glib/gstdio.h>
#include <unistd.h>

static AditTest *load(const char *file) {
  g_autoptr(GError) error = NULL;
  AditTest *test = adit_test_new();

  if (!adit_test_load(test, file, &error))
    g_error("%s", error->message);
  return test;
}

static void configure(AditTest *test, AditValue *config) {
  g_autoptr(GError) error = NULL;

  if (!adit_test_configure(test, config, &error) || !adit_test_start(test, &error))
    g_error("%s", error->message);
}

/* ---- the sink ---- */

static void a_record_is_a_line(void) {
  AditTest *test = load("./example-sink.so");
  g_autofree char *folder = g_dir_make_tmp("example-XXXXXX", NULL), *file = g_build_filename(folder, "records", NULL), *text = NULL;
  const AditAcctRecord record = {
      .size = sizeof record, .kind = ADIT_ACCT_STOP, .record_id = "7", .user = "ann", .counters = {.rx_octets = 5, .tx_octets = 6}};
  gint kept = 0;

  configure(test, adit_test_config(test, "example-sink", "file", file, NULL));
  g_assert_true(adit_test_account(test, "example-sink", &record, &kept));
  g_assert_true(ADIT_TEST_UNTIL(test, g_atomic_int_get(&kept), 5000));
  g_assert_cmpint(kept, ==, 1);
  g_assert_true(g_file_get_contents(file, &text, NULL, NULL));
  g_assert_cmpstr(text, ==, "{\"kind\":\"stop\",\"id\":\"7\",\"user\":\"ann\",\"rx\":5,\"tx\":6}\n");
  adit_test_free(test);
  g_unlink(file);
  g_rmdir(folder);
}

static void what_cannot_be_written_is_not_kept(void) {
  AditTest *test = load("./example-sink.so");
  const AditAcctRecord record = {.size = sizeof record, .kind = ADIT_ACCT_ON, .record_id = "1"};
  gint kept = 0;

  configure(test, adit_test_config(test, "example-sink", "file", "/nowhere/at/all", NULL));
  g_assert_true(adit_test_account(test, "example-sink", &record, &kept));
  g_assert_true(ADIT_TEST_UNTIL(test, g_atomic_int_get(&kept), 5000));
  g_assert_cmpint(kept, ==, -1);
  adit_test_free(test);
}

static void a_path_must_be_absolute(void) {
  g_autoptr(GError) error = NULL;
  AditTest *test = load("./example-sink.so");

  g_assert_false(adit_test_configure(test, adit_test_config(test, "example-sink", "file", "records", NULL), &error));
  g_assert_nonnull(strstr(error->message, "file: `records` is not an absolute path"));
  adit_test_free(test);
}

/* ---- the hook ---- */

static void who_is_on_the_list_gets_no_session(void) {
  AditTest *test = load("./example-hook.so");
  AditSessionEvent ann = {.user = "ann"}, bert = {.user = "bert"};

  configure(test, adit_test_config(test, "example-hook", "deny", "ann, eve", "prefix", "p-", NULL));
  g_autofree char *reason = adit_test_veto(test, ADIT_VETO_SESSION, &ann.event, sizeof ann);
  g_assert_cmpstr(reason, ==, "this user is on the list of example-hook");
  g_assert_null(adit_test_veto(test, ADIT_VETO_SESSION, &bert.event, sizeof bert));
  g_autoptr(AditValue) name = adit_test_value(test, ADIT_VALUE_INTERFACE_NAME, &bert.event, sizeof bert);
  g_assert_cmpstr(name->as.string, ==, "p-bert");
  adit_test_free(test);
}

/* ---- the command ---- */

static void come(AditTest *test, const char *user) {
  AditSessionEvent event = {.session = 1, .user = user};
  adit_test_publish(test, ADIT_EVENT_SESSION_UP, &event.event, sizeof event);
}

static void users_are_counted_and_forgotten(void) {
  g_autoptr(GError) error = NULL;
  AditTest *test = load("./example-command.so");
  AditValue *parameters = adit_value_map();

  come(test, "ann");
  come(test, "ann");
  g_autoptr(AditValue) before = adit_test_call(test, "io.adit.example.List", NULL, &error);
  g_assert_no_error(error);
  const AditValue *row = adit_value_at(adit_value_get(before, "users"), 0);
  g_assert_cmpstr(adit_value_get_string(row, "user", ""), ==, "ann");
  g_assert_cmpint(adit_value_get_int(row, "visits", 0), ==, 2);
  adit_value_set(parameters, "user", adit_value_string("ann"));
  g_autoptr(AditValue) forgotten = adit_test_call(test, "io.adit.example.Forget", adit_value_ref(parameters), &error);
  g_assert_no_error(error);
  g_assert_null(adit_test_call(test, "io.adit.example.Forget", parameters, &error));
  g_assert_nonnull(strstr(error->message, "io.adit.example.NoSuchUser"));
  adit_test_free(test);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/sink/line", a_record_is_a_line);
  g_test_add_func("/sink/not-kept", what_cannot_be_written_is_not_kept);
  g_test_add_func("/sink/path", a_path_must_be_absolute);
  g_test_add_func("/hook/veto", who_is_on_the_list_gets_no_session);
  g_test_add_func("/command/users", users_are_counted_and_forgotten);
  return g_test_run();
}
