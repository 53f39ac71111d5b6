/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Features: order, gaps and circles. */
#include "core/plugin/open.h"
#include "core/plugin/plugins.h"
#include "core/plugin/resolve.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define PLUGIN(ident, ...)                                                                                                                 \
  static const AditFeature ident##_features[] = {__VA_ARGS__};                                                                             \
  static const AditPluginInfo ident = {ADIT_PLUGIN_HEAD, .name = #ident, .features = ident##_features,                                     \
                                       .n_features = G_N_ELEMENTS(ident##_features)}

PLUGIN(base, {ADIT_PROVIDES, "x:base"});
PLUGIN(middle, {ADIT_PROVIDES, "x:middle"}, {ADIT_REQUIRES, "x:base"});
PLUGIN(top, {ADIT_REQUIRES, "x:middle"}, {ADIT_WANTS, "x:absent"});
PLUGIN(twin, {ADIT_PROVIDES, "x:base"});
PLUGIN(one, {ADIT_PROVIDES, "x:one"}, {ADIT_REQUIRES, "x:two"});
PLUGIN(two, {ADIT_PROVIDES, "x:two"}, {ADIT_REQUIRES, "x:three"});
PLUGIN(three, {ADIT_PROVIDES, "x:three"}, {ADIT_REQUIRES, "x:one"});
PLUGIN(outside, {ADIT_REQUIRES, "x:one"});
PLUGIN(fond, {ADIT_PROVIDES, "x:fond"}, {ADIT_WANTS, "x:shy"});
PLUGIN(shy, {ADIT_PROVIDES, "x:shy"}, {ADIT_REQUIRES, "x:fond"});
PLUGIN(wishful, {ADIT_WANTS, "x:base"});
PLUGIN(selfish, {ADIT_PROVIDES, "x:me"}, {ADIT_REQUIRES, "x:me"});

/* Resolves the plugins given; the names in order of start, or the problems, joined. */
static char *resolve(gboolean good, const AditPluginInfo *first, ...) {
  g_autoptr(GPtrArray) plugins = g_ptr_array_new_with_free_func((GDestroyNotify)adit_plugin_free);
  g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
  va_list args;

  va_start(args, first);
  for (const AditPluginInfo *info = first; info; info = va_arg(args, const AditPluginInfo *))
    g_ptr_array_add(plugins, adit_plugin_wrap(info, info->name, NULL));
  va_end(args);
  assert_int_equal(adit_plugin_resolve(plugins, words), good);
  for (guint i = 0; good && i < plugins->len; i++)
    g_ptr_array_add(words, g_strdup(((Loaded *)plugins->pdata[i])->owner.name));
  g_ptr_array_add(words, NULL);
  return g_strjoinv(good ? " " : " | ", (char **)words->pdata);
}

#define ORDER(expected, ...)                                                                                                               \
  do {                                                                                                                                     \
    g_autofree char *order_ = resolve(TRUE, __VA_ARGS__, NULL);                                                                            \
    assert_string_equal(order_, expected);                                                                                                 \
  } while (0)
#define PROBLEM(expected, ...)                                                                                                             \
  do {                                                                                                                                     \
    g_autofree char *problem_ = resolve(FALSE, __VA_ARGS__, NULL);                                                                         \
    assert_string_equal(problem_, expected);                                                                                               \
  } while (0)

static void what_is_required_starts_first(void **state) {
  ORDER("base middle top", &top, &middle, &base);
  ORDER("base middle top", &base, &middle, &top);
}

static void order_is_as_written_where_nothing_depends(void **state) {
  ORDER("fond base wishful", &fond, &base, &wishful);
}

static void what_is_wanted_starts_first_if_it_is_there(void **state) {
  ORDER("base wishful", &wishful, &base);
  ORDER("wishful", &wishful);
}

static void a_wish_gives_way_in_a_circle(void **state) {
  ORDER("fond shy", &shy, &fond);
}

static void a_plugin_may_need_what_it_provides(void **state) {
  ORDER("selfish", &selfish);
}

static void a_gap_is_named_with_its_chain(void **state) {
  PROBLEM("middle requires x:base, which no loaded plugin provides", &middle);
  PROBLEM("top requires x:middle; middle requires x:base, which no loaded plugin provides", &top, &middle);
}

static void all_gaps_are_named(void **state) {
  PROBLEM("middle requires x:base, which no loaded plugin provides | outside requires x:one, which no loaded plugin provides", &middle,
          &outside);
}

static void a_circle_is_named_with_its_chain(void **state) {
  PROBLEM("circular: one requires x:two; two requires x:three; three requires x:one; and that is one again", &one, &two, &three);
  PROBLEM("circular: one requires x:two; two requires x:three; three requires x:one; and that is one again", &outside, &one, &two, &three,
          &base);
}

static void two_providers_are_a_mistake(void **state) {
  PROBLEM("x:base is provided by both base and twin", &base, &twin);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_required_starts_first),
      cmocka_unit_test(order_is_as_written_where_nothing_depends),
      cmocka_unit_test(what_is_wanted_starts_first_if_it_is_there),
      cmocka_unit_test(a_wish_gives_way_in_a_circle),
      cmocka_unit_test(a_plugin_may_need_what_it_provides),
      cmocka_unit_test(a_gap_is_named_with_its_chain),
      cmocka_unit_test(all_gaps_are_named),
      cmocka_unit_test(a_circle_is_named_with_its_chain),
      cmocka_unit_test(two_providers_are_a_mistake),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
