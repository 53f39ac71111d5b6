/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The schema as manual, sample and JSON Schema. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <json-glib/json-glib.h>

#include "core/config/config.h"
#include "core/config/reference.h"
#include "schema-of-tests.h"

static int setup(void **state) {
  AditSchema *schema = adit_schema_new();
  assert_true(adit_schema_add(schema, "core", test_core_options, G_N_ELEMENTS(test_core_options)));
  assert_true(adit_schema_add(schema, "l2tp", test_l2tp_options, G_N_ELEMENTS(test_l2tp_options)));
  *state = schema;
  return 0;
}

static int teardown(void **state) {
  adit_schema_free(*state);
  return 0;
}

static void manual_has_a_section_for_each_scope(void **state) {
  g_autofree char *man = adit_reference_man(*state);
  assert_non_null(strstr(man, ".SS \"Top level\"\n"));
  assert_non_null(strstr(man, ".SS \"l2tp.servers[]\"\n"));
  assert_non_null(strstr(man, ".SS \"l2tp.limits\"\n"));
  assert_non_null(
      strstr(man, ".TP\n\\fBmax\\-mtu\\fR: \\fIinteger, 68 to 65535 octets\\fR; default \\fB1450\\fR\nLargest packet.\n[RFC 1661 6.1]\n"));
  assert_non_null(strstr(man, "\\fBname\\fR: \\fItext\\fR; required\n"));
  assert_non_null(strstr(man, "\\fBinterim\\-update\\fR: \\fIduration, 10s to 1d, or none\\fR; default \\fBnone\\fR\n"));
  assert_non_null(strstr(man, "\\fIany of pap, chap, mschap1, mschap2\\fR"));
  assert_non_null(strstr(man, ".PP\nOf plugin \\fBl2tp\\fR:\n"));
}

static void manual_escapes_what_roff_would_eat(void **state) {
  static const AditOption option = {"odd", "global", ADIT_TYPE_STRING, .help = ".hidden \\n `bold` `word' it's a-b ~^\n'next"};
  g_autoptr(AditSchema) schema = adit_schema_new();
  assert_true(adit_schema_add(schema, "core", &option, 1));
  g_autofree char *man = adit_reference_man(schema);
  assert_non_null(strstr(man, "\n\\&.hidden \\en \\fBbold\\fR \\fBword\\fR it's a\\-b \\(ti\\(ha 'next\n"));
}

/* The sample with every option line made active. */
static char *activate(const char *sample) {
  g_auto(GStrv) lines = g_strsplit(sample, "\n", -1);
  GString *text = g_string_new(NULL);
  for (char **l = lines; *l; l++) {
    assert_true(**l == '#' || !**l);
    if (**l == '#' && (*l)[1] != '#')
      g_string_append_printf(text, "%s\n", *l + 1);
  }
  return g_string_free(text, FALSE);
}

static void sample_is_valid_when_made_active(void **state) {
  g_autoptr(AditConfigErrors) errors = adit_config_errors_new();
  g_autofree char *sample = adit_reference_sample(*state);
  g_autofree char *text = activate(sample);
  g_autoptr(AditValue) tree = adit_config_load_text(*state, "sample.yaml", text, -1, errors);
  g_autofree char *told = adit_config_errors_text(errors);
  assert_string_equal(told, "");
  const AditValue *servers = adit_value_get(adit_value_get(tree, "l2tp"), "servers");
  assert_int_equal(adit_value_get_int(adit_value_at(servers, 0), "max-mtu", 0), 1450);
  assert_non_null(adit_value_get_written(adit_value_at(servers, 0), "authentication"));

  g_autoptr(AditConfigErrors) none = adit_config_errors_new();
  g_autoptr(AditValue) as_is = adit_config_load_text(*state, "sample.yaml", sample, -1, none);
  assert_non_null(as_is);
}

static void sample_quotes_what_yaml_would_guess(void **state) {
  static const char *const defaults[] = {"", " x", "a: b", "x:", "#x", "*", "it's", "@", "a, b", "{", "-", "2001:db8::", "[a"};
  for (guint i = 0; i < G_N_ELEMENTS(defaults); i++) {
    AditOption option = {"odd", "global", ADIT_TYPE_STRING, .fallback = defaults[i]};
    g_autoptr(AditSchema) schema = adit_schema_new();
    g_autoptr(AditConfigErrors) errors = adit_config_errors_new();
    assert_true(adit_schema_add(schema, "core", &option, 1));
    g_autofree char *sample = adit_reference_sample(schema);
    g_autofree char *text = activate(sample);
    g_autoptr(AditValue) tree = adit_config_load_text(schema, "sample.yaml", text, -1, errors);
    assert_string_equal(adit_value_get_string(tree, "odd", NULL), defaults[i]);
  }
}

static void json_schema_has_every_option(void **state) {
  g_autofree char *text = adit_reference_json(*state);
  g_autoptr(JsonParser) parser = json_parser_new();
  assert_true(json_parser_load_from_data(parser, text, -1, NULL));
  JsonObject *root = json_node_get_object(json_parser_get_root(parser));
  assert_false(json_object_get_boolean_member(root, "additionalProperties"));
  JsonObject *top = json_object_get_object_member(root, "properties");
  assert_string_equal(json_object_get_string_member(json_object_get_object_member(top, "l2tp"), "$ref"), "#/$defs/l2tp");

  JsonObject *defs = json_object_get_object_member(root, "$defs");
  JsonObject *server = json_object_get_object_member(json_object_get_object_member(defs, "server"), "properties");
  JsonObject *mtu = json_object_get_object_member(server, "max-mtu");
  assert_int_equal(json_object_get_int_member(mtu, "maximum"), 65535);
  assert_int_equal(json_object_get_int_member(mtu, "default"), 1450);
  JsonObject *secret = json_object_get_object_member(defs, "secret");
  assert_string_equal(json_array_get_string_element(json_object_get_array_member(secret, "required"), 0), "name");
  JsonObject *password = json_object_get_object_member(json_object_get_object_member(secret, "properties"), "password");
  assert_true(json_object_get_boolean_member(password, "writeOnly"));
  assert_int_equal(json_array_get_length(json_object_get_array_member(json_object_get_object_member(server, "authentication"), "anyOf")),
                   3);
}

static void print_knows_its_words(void **state) {
  static const char *const words[] = {"man", "sample", "json", "schema:l2tp", "schema:core"};
  for (guint i = 0; i < G_N_ELEMENTS(words); i++) {
    g_autofree char *text = adit_reference_print(*state, words[i], NULL);
    assert_true(strlen(text) > 100);
  }
  g_autoptr(GError) error = NULL;
  assert_null(adit_reference_print(*state, "html", &error));
  assert_string_equal(error->message, "html is not one of man, sample, json, schema:NAME");
  g_clear_error(&error);
  assert_null(adit_reference_print(*state, "schema:bcp", &error));
  assert_string_equal(error->message, "no plugin bcp is loaded");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(manual_has_a_section_for_each_scope), cmocka_unit_test(manual_escapes_what_roff_would_eat),
      cmocka_unit_test(sample_is_valid_when_made_active),    cmocka_unit_test(sample_quotes_what_yaml_would_guess),
      cmocka_unit_test(json_schema_has_every_option),        cmocka_unit_test(print_knows_its_words),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
