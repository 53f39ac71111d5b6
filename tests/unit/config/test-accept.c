/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Values that no file was read for: what a source gives must be what a file could have said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/config/accept.h"
#include "core/config/format.h"

static AditValue *parse(const AditOption *option, const char *text) {
  return adit_option_parse(option, text, NULL);
}

static gboolean accepts(const AditOption *option, AditValue *taken) {
  g_autoptr(AditValue) value = taken;
  g_autoptr(GError) error = NULL;
  assert_non_null(value);
  gboolean yes = adit_option_accepts(option, value, &error);
  assert_int_equal(yes, error == NULL);
  assert_true(yes || g_error_matches(error, ADIT_ERROR, ADIT_ERR_INVALID));
  return yes;
}

static AditValue *list_of(AditValue *item) {
  AditValue *list = adit_value_list();
  adit_value_append(list, item);
  return list;
}

static void what_a_file_gives_is_accepted(void **state) {
  static const struct {
    AditOption option;
    const char *text;
  } cases[] = {
      {{"a", "s", ADIT_TYPE_BOOL}, "yes"},
      {{"a", "s", ADIT_TYPE_INT, .max = 5}, "5"},
      {{"a", "s", ADIT_TYPE_DURATION, ADIT_OPTION_OFF, .min = 1000, .max = 2000}, "none"},
      {{"a", "s", ADIT_TYPE_STRING, .min = 1, .max = 3}, "abc"},
      {{"a", "s", ADIT_TYPE_ENUM, .words = "yes no true=yes"}, "true"},
      {{"a", "s", ADIT_TYPE_SET, .words = "pap chap"}, "chap, pap"},
      {{"a", "s", ADIT_TYPE_ADDRESS, ADIT_OPTION_LIST}, "192.0.2.1, 2001:db8::1"},
      {{"a", "s", ADIT_TYPE_PREFIX}, "2001:db8::/32"},
      {{"a", "s", ADIT_TYPE_ADDRESS_OR_NAME}, "pool"},
      {{"a", "s", ADIT_TYPE_ADDRESS_OR_NAME}, "192.0.2.1"},
      {{"a", "s", ADIT_TYPE_RANGE}, "192.0.2.1-192.0.2.9"},
      {{"a", "s", ADIT_TYPE_OCTETS, .min = 2, .max = 2}, "0x00fF"},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
    assert_true(accepts(&cases[i].option, parse(&cases[i].option, cases[i].text)));
}

static void another_type_is_not_converted(void **state) {
  const AditOption number = {"a", "s", ADIT_TYPE_INT}, name = {"a", "s", ADIT_TYPE_ADDRESS_OR_NAME}, text = {"a", "s", ADIT_TYPE_STRING},
                   octets = {"a", "s", ADIT_TYPE_OCTETS, ADIT_OPTION_LIST}, size = {"a", "s", ADIT_TYPE_SIZE};
  assert_false(accepts(&number, adit_value_string("5")));
  assert_false(accepts(&name, adit_value_string("10.0.0.5"))); /* would be taken for the name of a pool */
  assert_false(accepts(&text, adit_value_int(5)));
  assert_false(accepts(&octets, adit_value_octets("x", 1))); /* a list is wanted */
  assert_false(accepts(&octets, list_of(adit_value_string("x"))));
  assert_true(accepts(&octets, list_of(adit_value_octets("x\0y", 3))));
  assert_false(accepts(&size, adit_value_int(-1)));
}

/* A source's author reads what the value must be. */
static void refusals_say_what_is_wanted(void **state) {
  const AditOption number = {"a", "s", ADIT_TYPE_INT}, at = {"a", "s", ADIT_TYPE_ADDRESS}, name = {"a", "s", ADIT_TYPE_ADDRESS_OR_NAME};
  const struct {
    const AditOption *option;
    AditValue *value;
    const char *why;
  } rows[] = {
      {&number, adit_value_string("5"), "is a text: a number is wanted"},
      {&at, adit_value_int(5), "is a number: an address is wanted"},
      {&name, adit_value_int(5),
       "is neither an address nor a text: an ADDRESS value (adit_value_address()) or the name of a pool is wanted"},
      {&name, adit_value_string("10.0.0.5"), "is a text that reads like an address: an ADDRESS value (adit_value_address()) is wanted"},
  };
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(AditValue) value = rows[i].value;
    g_autoptr(GError) error = NULL;
    assert_false(adit_option_accepts(rows[i].option, value, &error));
    assert_string_equal(error->message, rows[i].why);
  }
}

static void bounds_and_words_hold(void **state) {
  const AditOption id = {"a", "s", ADIT_TYPE_OCTETS, .min = 8, .max = 8}, mtu = {"a", "s", ADIT_TYPE_INT, .min = 68, .max = 65535},
                   word = {"a", "s", ADIT_TYPE_ENUM, .words = "yes no true=yes"}, name = {"a", "s", ADIT_TYPE_STRING, .max = 3};
  assert_false(accepts(&id, adit_value_octets("1234567", 7)));
  assert_false(accepts(&mtu, adit_value_int(67)));
  assert_false(accepts(&word, adit_value_string("true"))); /* only a file is read with other spellings */
  assert_false(accepts(&name, adit_value_string("abcd")));
}

static void octets_are_written_as_they_are_read(void **state) {
  const AditOption option = {"a", "s", ADIT_TYPE_OCTETS};
  g_autoptr(AditValue) value = parse(&option, "00FF10");
  assert_non_null(value);
  g_autofree char *text = adit_option_format(&option, value);
  assert_string_equal(text, "0x00ff10");
  assert_null(parse(&option, "0x0"));
  assert_null(parse(&option, "0xgg"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_a_file_gives_is_accepted),       cmocka_unit_test(another_type_is_not_converted),
      cmocka_unit_test(refusals_say_what_is_wanted),         cmocka_unit_test(bounds_and_words_hold),
      cmocka_unit_test(octets_are_written_as_they_are_read),
  };
  return cmocka_run_group_tests_name("accept", tests, NULL, NULL);
}
