/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* A configuration of several files: how they join, what they may not say twice, and who may read them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <unistd.h>

#include "core/config/config.h"
#include "files.h"

/* `text` without the temporary folder's name. */
static char *without_folder(const Files *files, char *text) {
  g_autofree char *own = text;
  g_autofree char *prefix = g_strconcat(files->folder, "/", NULL);
  g_auto(GStrv) parts = g_strsplit(own, prefix, -1);
  return g_strjoinv("", parts);
}

static void files_join(void **state) {
  g_autoptr(AditSchema) schema = schema_new();
  g_autoptr(AditConfigErrors) errors = adit_config_errors_new();
  Files files;
  files_open(&files);
  files_write(&files, "adit.yaml", "log-level: debug\nprofiles:\nsecrets: [{name: a}]\nl2tp: {limits: {max-half-open: 5}}\n", 0600);
  files_write(&files, "conf.d/20.yaml", "secrets: [{name: c}]\nprofiles: [{name: p}]\n", 0600);
  files_write(&files, "conf.d/10.yaml", "secrets: [{name: b}]\nl2tp: {servers: [{name: s}]}\n", 0600);
  files_write(&files, "conf.d/10.yaml.bak", "no: such: thing", 0600);
  files_write(&files, "conf.d/.hidden.yaml", "no: such: thing", 0600);

  g_autoptr(AditValue) tree = adit_config_load(schema, files.main, errors);
  assert_int_equal(adit_config_errors_count(errors) + adit_config_warnings_count(errors), 0);
  const AditValue *secrets = adit_value_get(tree, "secrets");
  assert_int_equal(adit_value_length(secrets), 3);
  for (guint i = 0; i < 3; i++)
    assert_int_equal(adit_value_get_string(adit_value_at(secrets, i), "name", "")[0], 'a' + i);
  assert_int_equal(adit_value_length(adit_value_get(tree, "profiles")), 1);
  assert_int_equal(adit_value_get_int(adit_value_get(adit_value_get(tree, "l2tp"), "limits"), "max-half-open", 0), 5);
  assert_int_equal(adit_value_length(adit_value_get(adit_value_get(tree, "l2tp"), "servers")), 1);
  files_close(&files);
}

static void a_list_can_be_read_before_the_schema(void **state) {
  Files files;
  files_open(&files);
  files_write(&files, "adit.yaml", "plugins: [a, b]\nnonsense: 5\n", 0600);
  files_write(&files, "conf.d/10.yaml", "plugins: [c]\n", 0600);
  g_auto(GStrv) plugins = adit_config_peek(files.main, "plugins");
  g_autofree char *joined = g_strjoinv(" ", plugins);
  assert_string_equal(joined, "a b c");
  assert_null(adit_config_peek(files.main, "others"));
  files_write(&files, "conf.d/20.yaml", "plugins: [\n", 0600);
  assert_null(adit_config_peek(files.main, "plugins"));
  files_close(&files);
}

static void files_conflict(void **state) {
  g_autoptr(AditSchema) schema = schema_new();
  g_autoptr(AditConfigErrors) errors = adit_config_errors_new();
  Files files;
  files_open(&files);
  files_write(&files, "adit.yaml", "log-level: debug\nl2tp: {limits: {max-half-open: 5}}\nsecrets: [{name: a}]\n", 0600);
  files_write(&files, "conf.d/a.yaml", "l2tp: {limits: {max-half-open: 6}}\nlog-level: info\nsecrets: {name: b}\n", 0600);
  files_write(&files, "conf.d/b.yaml", "secrets: [{name: a}]\n", 0600);

  assert_null(adit_config_load(schema, files.main, errors));
  g_autofree char *told = without_folder(&files, adit_config_errors_text(errors));
  assert_true(g_str_has_prefix(told, "conf.d/a.yaml:1:17: l2tp.limits.max-half-open: set twice: first at "));
  g_autofree char *expected = g_strdup("conf.d/a.yaml:1:17: l2tp.limits.max-half-open: set twice: first at adit.yaml:2:17\n"
                                       "conf.d/a.yaml:2:1: log-level: set twice: first at adit.yaml:1:1\n"
                                       "conf.d/a.yaml:3:1: secrets: set twice: first at adit.yaml:3:1\n"
                                       "conf.d/b.yaml:1:12: secrets[1].name: a is taken by secrets[0] at adit.yaml:3:12\n");
  assert_string_equal(told, expected);
  files_close(&files);
}

static void files_that_cannot_be_read(void **state) {
  g_autoptr(AditSchema) schema = schema_new();
  g_autoptr(AditConfigErrors) errors = adit_config_errors_new();
  Files files;
  files_open(&files);
  files_write(&files, "conf.d/a.yaml", "log-level: [\n", 0600);
  files_write(&files, "conf.d/b.yaml", "\tx: 1\n", 0600);
  assert_null(adit_config_load(schema, files.main, errors));
  g_autofree char *told = without_folder(&files, adit_config_errors_text(errors));
  assert_string_equal(told, "adit.yaml: No such file or directory\n"
                            "conf.d/a.yaml:2:1: a value is missing: is a [ or { not closed?\n"
                            "conf.d/b.yaml:1:1: a tab may not indent: use spaces\n");
  files_close(&files);
}

static void files_with_secrets_are_for_their_owner(void **state) {
  g_autoptr(AditSchema) schema = schema_new();
  g_autoptr(AditConfigErrors) errors = adit_config_errors_new();
  Files files;
  files_open(&files);
  files_write(&files, "adit.yaml", "log-level: debug\n", 0644);
  files_write(&files, "conf.d/a.yaml", "secrets: [{name: a, password: x}]\n", 0644);
  files_write(&files, "conf.d/b.yaml", "secrets: [{name: b, password: x}]\n", 0600);
  files_write(&files, "conf.d/c.yaml", "secrets: [{name: c, password: ''}]\n", 0666);
  g_autoptr(AditValue) tree = adit_config_load(schema, files.main, errors);
  assert_non_null(tree);
  g_autofree char *told = without_folder(&files, adit_config_warnings_text(errors));
  assert_string_equal(told, "conf.d/a.yaml: holds secrets and is accessible for others than its owner (mode 0644): chmod 600 "
                            "conf.d/a.yaml, or 640 and the daemon's group\n");
  files_close(&files);
}

/* Under its unit the daemon is never root, and reads by its group. That of another group is told, and that more than reading is granted. */
static void the_daemons_own_group_may_read_secrets(void **state) {
  gid_t group = geteuid() == 0 ? 65534 : getegid(); /* root's own counts as none */
  for (gboolean own = FALSE; own <= TRUE; own++) {
    g_autoptr(AditSchema) schema = schema_new();
    g_autoptr(AditConfigErrors) errors = adit_config_errors_new();
    Files files;
    files_open(&files);
    files_write(&files, "adit.yaml", "log-level: debug\n", 0644);
    files_write(&files, "conf.d/d.yaml", "secrets: [{name: d, password: x}]\n", 0660);
    files_write(&files, "conf.d/e.yaml", "secrets: [{name: e, password: x}]\n", 0640);
    for (guint i = 0; i < 2; i++) {
      g_autofree char *path = g_build_filename(files.folder, "conf.d", i ? "d.yaml" : "e.yaml", NULL);
      assert_int_equal(chown(path, (uid_t)-1, group), 0);
    }
    adit_config_set_reader(own ? group : group + 1);
    g_autoptr(AditValue) tree = adit_config_load(schema, files.main, errors);
    assert_non_null(tree);
    g_autofree char *told = without_folder(&files, adit_config_warnings_text(errors));
    assert_non_null(strstr(told, "conf.d/d.yaml: holds secrets"));
    assert_int_equal(strstr(told, "conf.d/e.yaml: holds secrets") == NULL, own);
    files_close(&files);
  }
  adit_config_set_reader(0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(files_join),
      cmocka_unit_test(a_list_can_be_read_before_the_schema),
      cmocka_unit_test(files_conflict),
      cmocka_unit_test(files_that_cannot_be_read),
      cmocka_unit_test(files_with_secrets_are_for_their_owner),
      cmocka_unit_test(the_daemons_own_group_may_read_secrets),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
