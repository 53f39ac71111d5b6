/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/control/json.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void expect(AditValue *value, const char *json) {
  g_autoptr(AditValue) owned = value;
  g_autofree char *text = adit_value_to_json(owned);
  assert_string_equal(text, json);
}

static void every_type_has_a_form(void **state) {
  AditAddress address;
  AditPrefix prefix;
  adit_address_parse("2001:db8::1", &address);
  adit_prefix_parse("192.0.2.0/24", &prefix);
  AditValue *map = adit_value_map(), *list = adit_value_list();

  adit_value_append(list, adit_value_int(-5));
  adit_value_append(list, adit_value_bool(FALSE));
  adit_value_set(map, "list", list);
  adit_value_set(map, "address", adit_value_address(&address));
  adit_value_set(map, "prefix", adit_value_prefix(&prefix));
  adit_value_set(map, "octets", adit_value_octets("\0\xff", 2));
  adit_value_set(map, "map", adit_value_map());
  expect(map, "{\"list\":[-5,false],\"address\":\"2001:db8::1\",\"prefix\":\"192.0.2.0/24\",\"octets\":\"0x00ff\",\"map\":{}}");
  expect(adit_value_int(G_MAXINT64), "9223372036854775807");
}

static void secrets_stay_secret(void **state) {
  expect(adit_value_secret("hunter2"), "\"(hidden)\"");
}

static void strings_are_escaped(void **state) {
  expect(adit_value_string("a\"b\\c\n\t\x01\x7f"), "\"a\\\"b\\\\c\\n\\t\\u0001\\u007f\"");
  expect(adit_value_string("grün"), "\"grün\"");
}

static void names_from_the_wire_become_utf8(void **state) {
  g_autoptr(AditValue) value = adit_value_string("\xff\xfe name");
  g_autofree char *text = adit_value_to_json(value);
  assert_true(g_utf8_validate(text, -1, NULL));
  assert_non_null(strstr(text, " name"));
}

static void what_is_read_is_what_was_written(void **state) {
  static const char text[] = "{\"a\":[1,\"two\",true,{\"b\":{}}],\"c\":\"x\\\"y\\u0001\",\"d\":-9007199254740993}";
  g_autoptr(AditValue) value = adit_json_read(text, strlen(text), NULL);
  assert_non_null(value);
  expect(adit_value_ref(value), text);
}

static void null_is_absent_and_fractions_are_texts(void **state) {
  static const char text[] = "{\"a\":null,\"b\":[null,1],\"c\":1.5}";
  g_autoptr(AditValue) value = adit_json_read(text, strlen(text), NULL);
  assert_null(adit_value_get(value, "a"));
  assert_int_equal(adit_value_length(adit_value_get(value, "b")), 1);
  assert_string_equal(adit_value_get_string(value, "c", ""), "1.5");
}

static void integers_have_64_bits(void **state) {
  static const char text[] = "{\"a\":[9223372036854775807,-9223372036854775808,0,-0]}";
  static const char *const numbers[] = {
      "9223372036854775808", "-9223372036854775809", "18446744073709551615", "99999999999999999999", "1e999", "-1e999"};
  g_autoptr(AditValue) value = adit_json_read(text, strlen(text), NULL);

  assert_non_null(value);
  expect(adit_value_ref(value), "{\"a\":[9223372036854775807,-9223372036854775808,0,0]}");
  for (guint i = 0; i < G_N_ELEMENTS(numbers); i++) {
    g_autofree char *bad = g_strdup_printf("{\"a\":[1,{\"b\":%s}]}", numbers[i]);
    g_autoptr(GError) error = NULL;
    assert_null(adit_json_read(bad, strlen(bad), &error));
    assert_non_null(strstr(error->message, numbers[i]));
    assert_non_null(strstr(error->message, "out of range"));
  }
}

static void numbers_are_as_json_writes_them(void **state) {
  static const char *const good[] = {"1.5", "-1.5e3", "1E+2", "0.25", "1e-2"};
  static const char *const bad[] = {"01", "0x10", "+1", "1.", ".5", "-", "1e", "1e+", "--1", "1-2", "1.2.3", "1a", "-a", "00"};

  for (guint i = 0; i < G_N_ELEMENTS(good); i++) {
    g_autofree char *text = g_strdup_printf("{\"a\":%s}", good[i]);
    g_autoptr(AditValue) value = adit_json_read(text, strlen(text), NULL);
    assert_non_null(value);
  }
  for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_autofree char *text = g_strdup_printf("{\"a\":%s}", bad[i]);
    g_autoptr(GError) error = NULL;
    assert_null(adit_json_read(text, strlen(text), &error));
    assert_non_null(error);
  }
}

static void nonsense_is_refused(void **state) {
  static const char *const texts[] = {"", "nonsense", "[]", "1", "null", "{", "{\"a\":}", "{\"a\" 1}", "\xff", "{\"\xff\":1}"};
  for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
    g_autoptr(GError) error = NULL;
    assert_null(adit_json_read(texts[i], strlen(texts[i]), &error));
    assert_non_null(error);
  }
}

/* The library knows more than JSON, comments among it: nothing of that may hide brackets from who counts them. */
static void depth_is_bounded_whatever_stands_before(void **state) {
  static const char *const before[] = {"{\"a\":/*\"*/", "{\"a\":'\"',\"b\":",    "{//\"\n\"a\":", "{\"a\":#\"\n",
                                       "/*\"*/{\"a\":", "var x = '\"'; {\"a\":", "{'\"':"};
  for (guint i = 0; i < G_N_ELEMENTS(before); i++) {
    g_autoptr(GString) deep = g_string_new(before[i]);
    for (guint n = 0; n < 60000; n++)
      g_string_append_c(deep, '[');
    for (guint n = 0; n < 60000; n++)
      g_string_append_c(deep, ']');
    g_string_append_c(deep, '}');
    g_autoptr(GError) error = NULL;
    assert_null(adit_json_read(deep->str, deep->len, &error));
    assert_non_null(error);
  }
}

static void depth_is_bounded(void **state) {
  g_autoptr(GString) deep = g_string_new("{\"a\":");
  for (guint i = 0; i < 50000; i++)
    g_string_append_c(deep, '[');
  g_autoptr(GError) error = NULL;
  assert_null(adit_json_read(deep->str, deep->len, &error));
  assert_non_null(strstr(error->message, "deep"));

  static const char quoted[] = "{\"a\":\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[[[[[\"}";
  g_autoptr(AditValue) value = adit_json_read(quoted, strlen(quoted), NULL);
  assert_non_null(value);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_type_has_a_form),
      cmocka_unit_test(secrets_stay_secret),
      cmocka_unit_test(strings_are_escaped),
      cmocka_unit_test(names_from_the_wire_become_utf8),
      cmocka_unit_test(what_is_read_is_what_was_written),
      cmocka_unit_test(null_is_absent_and_fractions_are_texts),
      cmocka_unit_test(integers_have_64_bits),
      cmocka_unit_test(numbers_are_as_json_writes_them),
      cmocka_unit_test(nonsense_is_refused),
      cmocka_unit_test(depth_is_bounded),
      cmocka_unit_test(depth_is_bounded_whatever_stands_before),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
