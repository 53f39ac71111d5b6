/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Plugins that were built against earlier headers of this ABI work: as a source, a sink, in management, configuration, events and time. */
#include "core/aaa/aaa.h"
#include "core/base/loop.h"
#include "core/config/config.h"
#include "core/control/turns.h"
#include "core/control/varlink.h"
#include "core/plugin/command-line.h"
#include "core/plugin/modules.h"
#include "core/plugin/plugins.h"
#include "tests/lib/loop.h"
#include <glib/gstdio.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static char *folder;

static AditValue *configuration(const char *plugin, const AditDaemonOptions *options) {
  g_autofree char *path = g_build_filename(folder, "adit.yaml", NULL);
  g_autofree char *text = g_strdup_printf("aaa: { sources: [%s] }\n%s: { limit: 7 }\n", plugin, plugin);
  g_autoptr(AditSchema) schema = adit_modules_schema(options);
  g_autoptr(AditConfigErrors) errors = adit_config_errors_new();

  assert_true(g_file_set_contents(path, text, -1, NULL));
  AditValue *config = adit_config_load(schema, path, errors);
  g_autofree char *wrong = adit_config_errors_text(errors);
  if (!config)
    fail_msg("%s", wrong);
  return config;
}

static void on_started(const GError *error, gpointer data) {
  if (error)
    fail_msg("%s", error->message);
  *(gboolean *)data = TRUE;
}

static void on_stopped(gpointer data) {
  *(gboolean *)data = TRUE;
}

static void decided(guint64 id, const AditAuthReply *reply, const char *source, gpointer data) {
  assert_int_equal(reply->outcome, ADIT_AUTH_ACCEPT);
  assert_string_equal(adit_value_get_string(reply->attributes, "comment", ""), "old");
  *(gboolean *)data = TRUE;
}

static void wake(gpointer data) {}

/* The answer to one call, as text. */
static char *call_method(const char *plugin, const char *method) {
  g_autofree char *message = g_strdup_printf("{\"method\":\"io.adit.%s.%s\"}", plugin, method);
  AditConn *conn = adit_conn_new(ADIT_ACCESS_CHANGE, wake, NULL);
  gsize length;

  assert_true(adit_conn_feed(conn, (const guint8 *)message, strlen(message) + 1));
  while (adit_turns_pass())
    ;
  const guint8 *data = adit_conn_output(conn, &length);
  char *text = g_strndup((const char *)data, length);
  adit_conn_free(conn);
  return text;
}

static void expect_answer(const char *plugin, const char *method, const char *part) {
  g_autofree char *text = call_method(plugin, method);
  if (!strstr(text, part))
    fail_msg("%s.%s: no \"%s\" in %s", plugin, method, part, text);
}

/* The method that a source's secret is proven with. */
static void verify(const AditAuthRequest *request, const AditAuthReply *secret, AditAuthReply *out, char text[128]) {
  out->outcome = g_strcmp0(request->password, secret->password) ? ADIT_AUTH_REJECT : ADIT_AUTH_ACCEPT;
}
static void method_start(gpointer state, const AditAuthEnv *env, const AditAuthStart *start) {}
static void method_input(gpointer state, const AditAuthEnv *env, const guint8 *payload, gsize length) {}
static void method_timeout(gpointer state, const AditAuthEnv *env, guint slot) {}
static void method_verdict(gpointer state, const AditAuthEnv *env, const AditAuthReply *reply) {}

static void log_in(void) {
  static const AditAuthMethod pap = {.size = sizeof pap,
                                     .name = "pap",
                                     .kind = ADIT_AUTH_PAP,
                                     .start = method_start,
                                     .input = method_input,
                                     .timeout = method_timeout,
                                     .verdict = method_verdict,
                                     .verify = verify};
  AditAuthRequest *request = adit_auth_request_new(ADIT_AUTH_PAP);
  gboolean done = FALSE;

  adit_aaa_service()->method_add(NULL, &pap, NULL);
  request->user = g_strdup("old");
  request->password = g_strdup("secret");
  adit_aaa_request_begin(request, decided, &done);
  assert_true(TEST_LOOP_UNTIL(done, 5000));
}

static void works(const char *plugin) {
  const char *const names[] = {plugin, NULL};
  g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
  AditDaemonOptions options = {0};
  const AditAcctRecord record = {.size = sizeof record, .kind = ADIT_ACCT_ON, .record_id = "1"};
  gboolean started = FALSE, stopped = FALSE;

  adit_modules_init();
  adit_modules_add_dirs(&options);
  adit_plugins_add_dir(BUILDDIR "/tests/unit/plugin");
  if (!adit_plugins_load(names, problems))
    fail_msg("%s", (const char *)problems->pdata[0]);
  g_autoptr(AditValue) config = configuration(plugin, &options);
  adit_plugins_start(config, on_started, &started);
  assert_true(TEST_LOOP_UNTIL(started, 5000));
  log_in();
  adit_acct_record(&record);
  assert_int_equal(adit_acct_pending(), 0);
  expect_answer(plugin, "Get", "\"limit\":7");
  expect_answer(plugin, "Get", "\"records\":1");
  expect_answer(plugin, "Get", "\"heard\":1");
  expect_answer(plugin, "Get", "\"session\":false");
  expect_answer(plugin, "List", "\"things\":[]");
  assert_true(TEST_LOOP_UNTIL(({
                                g_autofree char *text = call_method(plugin, "Get");
                                strstr(text, "\"ticks\":1") != NULL;
                              }),
                              5000));
  adit_plugins_stop(1000, on_stopped, &stopped);
  assert_true(TEST_LOOP_UNTIL(stopped, 5000));
  adit_modules_fini();
}

static void a_plugin_of_the_first_headers_works(void **state) {
  works("old");
}

static void a_plugin_whose_headers_had_fewer_members_works(void **state) {
  works("older");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_plugin_of_the_first_headers_works),
      cmocka_unit_test(a_plugin_whose_headers_had_fewer_members_works),
  };
  folder = g_dir_make_tmp("adit-abi-XXXXXX", NULL);
  g_autofree char *file = g_build_filename(folder, "adit.yaml", NULL);
  int failed = cmocka_run_group_tests_name("abi", tests, NULL, NULL);
  g_remove(file);
  g_rmdir(folder);
  g_free(folder);
  return failed;
}
