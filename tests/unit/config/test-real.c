/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The options that core and plugins really have: wrong files with their exact messages, the sample of etc/, the manual page. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "core/config/reference.h"
#include "core/plugin/modules.h"
#include "core/plugin/plugins.h"

typedef struct {
  const char *name, *yaml, *errors;
} Bad;

/* The beginning of a file with one server; the next value is at line 4, column 5. */
#define SERVER  "l2tp:\n  servers:\n  - name: a\n    "
#define CLIENT  "l2tp:\n  clients:\n  - {name: a, connect-to: 192.0.2.1, user: u}\n  - name: b\n    connect-to: 192.0.2.1\n    user: u\n    "
#define PROFILE "profiles:\n- name: p\n  "
#define SECRET  "secrets:\n- name: ann\n  "
#define POOLS   "pools:\n- {name: home, ranges: 10.0.0.0/24}\n"

static const Bad bad[] = {
#include "bad-real.inc"
};

static AditSchema *schema;
static const char *const plugin_dirs[] = {BUILDDIR "/plugins", BUILDDIR "/plugins-auth", NULL};

static int setup(void **state) {
  static const AditDaemonOptions options = {.config = "/nonexistent/adit.yaml", .plugin_dirs = plugin_dirs};
  g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
  adit_modules_init();
  if (!adit_modules_load_plugins(&options, problems)) {
    for (guint i = 0; i < problems->len; i++)
      fprintf(stderr, "%s\n", (const char *)problems->pdata[i]);
    return -1;
  }
  schema = adit_modules_schema(&options);
  return 0;
}

static int teardown(void **state) {
  g_clear_pointer(&schema, adit_schema_free);
  adit_modules_fini();
  return 0;
}

static void need_l2tp(void) {
  if (!adit_schema_find(schema, "l2tp", "servers")) {
    print_message("skipped: this build has no plugin l2tp\n");
    skip();
  }
}

static void wrong_file(void **state) {
  const Bad *b = *state;
  if (strstr(b->yaml, "l2tp:"))
    need_l2tp();
  g_autoptr(AditConfigErrors) errors = adit_config_errors_new();
  g_autoptr(AditValue) tree = adit_config_load_text(schema, "adit.yaml", b->yaml, -1, errors);
  g_autofree char *told = adit_config_errors_text(errors);
  assert_string_equal(told, b->errors);
  assert_null(tree);
}

static void a_wide_range_to_choose_from_is_warned_of(void **state) {
  g_autoptr(AditConfigErrors) errors = adit_config_errors_new();
  g_autoptr(AditValue) tree =
      adit_config_load_text(schema, "adit.yaml", PROFILE "accept-remote-address: [10.0.0.0/8, 0.0.0.0/0]\n", -1, errors);
  g_autofree char *told = adit_config_warnings_text(errors);
  assert_non_null(tree);
  assert_string_equal(told,
                      "adit.yaml:3:39: profiles[0].accept-remote-address[1]: 0.0.0.0/0 lets a peer take over addresses of others: set your "
                      "own ranges\n");
}

static void declarations_are_sound(void **state) {
  assert_null(adit_schema_error(schema));
}

static AditValue *sample(const char *path) {
  g_autoptr(AditConfigErrors) errors = adit_config_errors_new();
  AditValue *tree = adit_config_load(schema, path, errors);
  g_autofree char *told = adit_config_errors_text(errors);
  assert_string_equal(told, "");
  return tree;
}

static void the_samples_of_etc_are_valid(void **state) {
  need_l2tp();
  g_autoptr(AditValue) server = sample(SRCDIR "/etc/adit.yaml");
  g_autoptr(AditValue) client = sample(SRCDIR "/etc/client.yaml");
  assert_int_equal(adit_value_length(adit_value_get(server, "secrets")), 2);
  assert_int_equal(adit_value_length(adit_value_get(adit_value_get(server, "l2tp"), "servers")), 1);
  assert_int_equal(adit_value_length(adit_value_get(adit_value_get(client, "l2tp"), "clients")), 1);
}

/* Each option helps its reader, in the manual and in the sample. */
static void every_option_has_help(void **state) {
  g_autofree char *man = adit_reference_man(schema);
  g_auto(GStrv) lines = g_strsplit(man, "\n", -1);
  guint options = 0;
  for (char **l = lines; *l; l++) {
    if (strcmp(*l, ".TP") != 0)
      continue;
    options++;
    if (!l[2] || !*l[2])
      fail_msg("no help: %s", l[1]);
  }
  assert_true(options > 40);
}

/* The generated sample, with all its options made active, is a configuration: but for names that are examples. */
static void the_reference_sample_is_valid(void **state) {
  static const char *const owners[] = {"core", "l2tp", "secrets", "ipcp", "ipv6cp", "bcp", "ccp", "tun", "pap", "chap", "mschap"};
  g_autoptr(AditSchema) copy = adit_schema_new(); /* without the checks of names */
  g_autoptr(AditConfigErrors) errors = adit_config_errors_new();
  for (guint i = 0; i < G_N_ELEMENTS(owners); i++) {
    g_autofree char *what = g_strconcat("schema:", owners[i], NULL);
    g_autofree char *text = adit_reference_print(schema, what, NULL);
    if (text)
      assert_true(adit_schema_read(copy, owners[i], text, NULL));
  }
  g_autofree char *sample = adit_reference_sample(copy);
  g_auto(GStrv) lines = g_strsplit(sample, "\n", -1);
  g_autoptr(GString) active = g_string_new(NULL);
  for (char **l = lines; *l; l++)
    if (**l == '#' && (*l)[1] != '#')
      g_string_append_printf(active, "%s\n", *l + 1);
  g_autoptr(AditValue) tree = adit_config_load_text(copy, "sample.yaml", active->str, -1, errors);
  g_autofree char *told = adit_config_errors_text(errors);
  assert_string_equal(told, "");
  assert_non_null(tree);
}

static char *manual(const char *name) {
  g_autofree char *built = g_build_filename(BUILDDIR, "doc", name, NULL), *shipped = g_build_filename(SRCDIR, "doc", name, NULL);
  char *page = NULL;
  if (!g_file_get_contents(built, &page, NULL, NULL))
    assert_true(g_file_get_contents(shipped, &page, NULL, NULL));
  assert_null(strstr(page, "@OPTIONS@"));
  assert_null(strstr(page, "VERSION@"));
  return page;
}

static void the_manual_page_has_the_tables(void **state) {
  g_autofree char *page = manual("adit.yaml.5");
  assert_non_null(strstr(page, ".SS \"profiles[]\"\n"));
  assert_non_null(strstr(page, "\\fBremote\\-address\\fR"));
}

/* A plugin that is not loaded unless the configuration names it has a page of its own, with its options. */
static void the_page_of_a_plugin_has_its_tables(void **state) {
  if (!g_file_test(BUILDDIR "/plugins-auth/radius/radius.la", G_FILE_TEST_EXISTS))
    skip();
  g_autofree char *page = manual("adit-radius.5");
  assert_non_null(strstr(page, ".SS \"radius\"\n"));
  assert_non_null(strstr(page, ".SS \"radius.servers[]\"\n"));
  assert_non_null(strstr(page, "\\fBrequire\\-message\\-auth\\fR"));
  assert_null(strstr(page, ".SS \"profiles[]\"\n"));
}

int main(void) {
  enum { N = G_N_ELEMENTS(bad), MORE = 7 };
  struct CMUnitTest tests[N + MORE] = {
      [N] = cmocka_unit_test(declarations_are_sound),
      [N + 1] = cmocka_unit_test(the_samples_of_etc_are_valid),
      [N + 2] = cmocka_unit_test(every_option_has_help),
      [N + 3] = cmocka_unit_test(the_reference_sample_is_valid),
      [N + 4] = cmocka_unit_test(the_manual_page_has_the_tables),
      [N + 5] = cmocka_unit_test(the_page_of_a_plugin_has_its_tables),
      [N + 6] = cmocka_unit_test(a_wide_range_to_choose_from_is_warned_of),
  };
  for (guint i = 0; i < N; i++)
    tests[i] = (struct CMUnitTest){bad[i].name, wrong_file, NULL, NULL, (gpointer)&bad[i]};
  return cmocka_run_group_tests_name("real options", tests, setup, teardown);
}
