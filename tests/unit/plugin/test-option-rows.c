/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each row of each options.def: the default that the manual tells is what the accessor gives where nobody wrote the option. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/config/config.h"
#include "core/config/defaults.h"
#include "core/config/format.h"
#include "core/config/reference.h"
#include "core/control/control.h"
#include "core/net/net.h"
#include "plugins/l2tp/engine/header.h"
#include "plugins/tun/worker/workers.h"

/* What an accessor gives, as a value again. */
static AditValue *of_bool(gboolean b) {
  return adit_value_bool(b);
}
static AditValue *of_int(gint64 i) {
  return adit_value_int(i);
}
static AditValue *of_string(const char *s) {
  return s ? adit_value_string(s) : NULL;
}
static AditValue *of_address(const AditAddress *a) {
  return a ? adit_value_address(a) : NULL;
}
static AditValue *of_prefix(const AditPrefix *p) {
  return p ? adit_value_prefix(p) : NULL;
}
static AditValue *of_value(const AditValue *v) {
  return adit_value_ref(v);
}

#define VALUE_OF(x)                                                                                                                        \
  _Generic((x),                                                                                                                            \
      gboolean: of_bool,                                                                                                                   \
      gint64: of_int,                                                                                                                      \
      const char *: of_string,                                                                                                             \
      const AditAddress *: of_address,                                                                                                     \
      const AditPrefix *: of_prefix,                                                                                                       \
      const AditValue *: of_value)(x)

typedef struct {
  AditOption option;
  AditValue *(*read)(const AditValue *map);
} Row;

#define ADIT_OPTION_ROW ADIT_OPTION_ACCESSOR
#include "all-options.inc"
#undef ADIT_OPTION_ROW

#define ADIT_OPTION_ROW(accessor, ...)                                                                                                     \
  static AditValue *read_##accessor(const AditValue *map) {                                                                                \
    return VALUE_OF(accessor(map));                                                                                                        \
  }
#include "all-options.inc"
#undef ADIT_OPTION_ROW

#define ADIT_OPTION_ROW(accessor, ...) {.read = read_##accessor, .option = ROW_OPTION(accessor, __VA_ARGS__)},
#define ROW_OPTION(accessor, kind, key, where, bits, ...)                                                                                  \
  { .name = key, .scopes = where, .type = ADIT_ROW_TYPE_(ADIT_ROW_##kind), .flags = (bits) | ADIT_ROW_FLAGS_(ADIT_ROW_##kind), __VA_ARGS__ }
static const Row rows[] = {
#include "all-options.inc"
};
#undef ADIT_OPTION_ROW

static char *default_in_manual(const AditOption *option) {
  g_autoptr(AditSchema) schema = adit_schema_new();

  assert_true(adit_schema_add(schema, "core", option, 1));
  g_autofree char *man = adit_reference_man(schema);
  const char *begin = strstr(man, "; default \\fB");
  if (!begin)
    return NULL;
  begin += strlen("; default \\fB");
  g_auto(GStrv) parts = g_strsplit(begin, "\\fR\n", 2);
  g_auto(GStrv) dashes = g_strsplit(parts[0], "\\-", -1);
  return g_strjoinv("-", dashes);
}

static void the_manuals_default_is_the_accessors(void **unused) {
  g_autoptr(AditSchema) schema = adit_schema_new();
  guint with_default = 0;

  for (guint i = 0; i < G_N_ELEMENTS(rows); i++)
    assert_true(adit_schema_add(schema, "core", &rows[i].option, 1));
  assert_null(adit_schema_error(schema));
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    const AditOption *option = &rows[i].option;
    g_autofree char *told = default_in_manual(option);
    g_autoptr(AditValue) expected = told ? adit_option_parse(option, told, NULL) : NULL;
    g_auto(GStrv) scopes = g_strsplit(option->scopes, " ", -1);

    assert_int_equal(!told, !option->fallback);
    with_default += !!told;
    if (told && !expected)
      fail_msg("%s: the manual's default %s is none", option->name, told);
    for (char **scope = scopes; told && *scope; scope++) {
      g_autoptr(AditValue) map = adit_schema_defaults(schema, *scope);
      g_autoptr(AditValue) got = rows[i].read(map);
      if (!got || !adit_value_equal(got, expected))
        fail_msg("%s.%s: the manual says %s, the accessor another value", *scope, option->name, told);
    }
  }
  print_message("%u rows, %u with a default\n", (guint)G_N_ELEMENTS(rows), with_default);
  assert_true(with_default > 10);
}

/* Absent, or of another type than its option has: nothing, and no crash. */
static void what_is_absent_reads_as_nothing(void **unused) {
  g_autoptr(AditValue) empty = adit_value_map(), wrong = adit_value_map();

  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    const AditOption *option = &rows[i].option;
    gboolean is_text = option->type == ADIT_TYPE_STRING && !(option->flags & ADIT_OPTION_LIST);
    const AditValue *const maps[] = {NULL, empty, wrong};

    adit_value_set(wrong, option->name, is_text ? adit_value_int(7) : adit_value_octets("x", 1));
    for (guint m = 0; m < G_N_ELEMENTS(maps); m++) {
      g_autoptr(AditValue) got = rows[i].read(maps[m]);
      if (got && got->type == ADIT_VALUE_BOOL)
        assert_false(got->as.boolean);
      else if (got && got->type == ADIT_VALUE_INT)
        assert_int_equal(got->as.integer, 0);
      else if (m < 2 || (option->type != ADIT_TYPE_OCTETS && option->type != ADIT_TYPE_ADDRESS_OR_NAME))
        assert_null(got);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_manuals_default_is_the_accessors),
      cmocka_unit_test(what_is_absent_reads_as_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
