/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* A reload keeps what stayed the same once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/config/config.h"
#include "schema-of-tests.h"

static AditSchema *schema_new(void) {
  AditSchema *schema = adit_schema_new();
  assert_true(adit_schema_add(schema, "core", test_core_options, G_N_ELEMENTS(test_core_options)));
  assert_true(adit_schema_add(schema, "l2tp", test_l2tp_options, G_N_ELEMENTS(test_l2tp_options)));
  return schema;
}

static AditValue *load(const char *text) {
  g_autoptr(AditSchema) schema = schema_new();
  g_autoptr(AditConfigErrors) errors = adit_config_errors_new();
  AditValue *tree = adit_config_load_text(schema, "adit.yaml", text, -1, errors);
  g_autofree char *told = adit_config_errors_text(errors);
  assert_string_equal(told, "");
  assert_non_null(tree);
  return tree;
}

/* What a reload left as it was is not kept twice; what moved to another line is kept anew, for errors name places. */
static void a_reload_shares_what_stayed(void **state) {
  static const char text[] = "plugins: [x, y]\nlog-level: info\nl2tp:\n  limits:\n    max-half-open: 7\n";
  AditValue *before = load(text);
  AditValue *same = adit_config_share(load(text), before);
  assert_ptr_equal(same, before);
  adit_value_unref(same);

  AditValue *changed = adit_config_share(load("plugins: [x, z]\nlog-level: info\nl2tp:\n  limits:\n    max-half-open: 8\n"), before);
  assert_ptr_not_equal(changed, before);
  assert_ptr_equal(adit_value_get(changed, "log-level"), adit_value_get(before, "log-level"));
  assert_ptr_equal(adit_value_at(adit_value_get(changed, "plugins"), 0), adit_value_at(adit_value_get(before, "plugins"), 0));
  assert_string_equal(adit_value_at(adit_value_get(changed, "plugins"), 1)->as.string, "z");
  assert_int_equal(adit_value_get_int(adit_value_get(adit_value_get(changed, "l2tp"), "limits"), "max-half-open", 0), 8);

  g_autofree char *lower = g_strconcat("# a comment\n", text, NULL);
  AditValue *moved = adit_config_share(load(lower), before);
  assert_ptr_not_equal(moved, before);
  assert_true(adit_value_equal(moved, before));
  assert_int_equal(adit_value_get(moved, "log-level")->where.line, 3);
  assert_null(adit_config_share(NULL, before));
  adit_value_unref(before); /* in any order */
  assert_string_equal(adit_value_get_string(changed, "log-level", ""), "info");
  assert_int_equal(adit_value_get(changed, "log-level")->where.line, 2);
  adit_value_unref(changed);
  adit_value_unref(moved);
}

static void a_reload_shares_items_of_a_list_by_name(void **state) {
  AditValue *before = adit_value_list(), *fresh = adit_value_list();
  static const char *const old_names[] = {"ann", "bob", "cat"}, *const new_names[] = {"amy", "ann", "bob", "cat"};

  for (guint i = 0; i < G_N_ELEMENTS(old_names); i++) {
    AditValue *item = adit_value_map();
    adit_value_set(item, "name", adit_value_string(old_names[i]));
    adit_value_append(before, item);
  }
  for (guint i = 0; i < G_N_ELEMENTS(new_names); i++) {
    AditValue *item = adit_value_map();
    adit_value_set(item, "name", adit_value_string(new_names[i]));
    adit_value_append(fresh, item);
  }
  AditValue *shared = adit_config_share(fresh, before);
  for (guint i = 0; i < G_N_ELEMENTS(old_names); i++)
    assert_ptr_equal(adit_value_at(shared, i + 1), adit_value_at(before, i));
  adit_value_unref(before);
  adit_value_unref(shared);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_reload_shares_what_stayed),
      cmocka_unit_test(a_reload_shares_items_of_a_list_by_name),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
