/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Wrong files, each with its exact message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/config/config.h"
#include "schema-of-tests.h"

typedef struct {
  const char *name, *yaml, *errors;
} Bad;

static const Bad bad[] = {
    /* ---- what is no YAML ---- */
    {"tab", "l2tp:\n\tservers:\n", "adit.yaml:2:1: a tab may not indent: use spaces\n"},
    {"tab_after_spaces", "l2tp:\n  \tservers: []\n", "adit.yaml:2:3: a tab may not indent: use spaces\n"},
    {"not_utf8", "log-level: info\n# \xc3\xa9 \xff\n", "adit.yaml:2:5: is not UTF-8\n"},
    {"byte_order_mark",
     "\xef\xbb\xbf"
     "colour: red\nlog-level: a\x01z\n",
     "adit.yaml:2:13: control characters are not allowed\n"},
    {"byte_order_mark_first_line",
     "\xef\xbb\xbf"
     "colour: red\n",
     "adit.yaml:1:1: colour: unknown option\n"},
    {"byte_order_mark_alone_is_none",
     "\xef\xbb"
     "log-level: info\n",
     "adit.yaml:1:1: is not UTF-8\n"},
    {"control_character", "log-level: a\x01z\n", "adit.yaml:1:13: control characters are not allowed\n"},
    {"no_colon", "log-level info\nl2tp: {}\n", "adit.yaml:1:1: a file must be a map of options (`key: value`)\n"},
    {"word_alone", "l2tp: {}\nlog-level\n", "adit.yaml:3:1: is no `key: value`: the colon is missing (it began at line 2)\n"},
    {"second_colon", "log-level: info: debug\n",
     "adit.yaml:1:16: a colon where none can be: wrong indentation, or a value that needs quotes\n"},
    {"indentation", "l2tp:\n    servers: []\n  limits: {}\n",
     "adit.yaml:3:3: does not line up with the keys above it (it began at line 1)\n"},
    {"list_indentation", "plugins:\n  - a\n - b\n", "adit.yaml:3:2: does not line up with the keys above it (it began at line 1)\n"},
    {"open_list", "plugins: [a, b\nlog-level: info\n",
     "adit.yaml:2:10: the list is not closed: a , or ] is missing (it began at line 1)\n"},
    {"open_map", "l2tp: {servers: []\n", "adit.yaml:2:1: the map is not closed: a , or } is missing (it began at line 1)\n"},
    {"open_quotes", "log-level: \"info\n", "adit.yaml:2:1: the file ends inside quotes (it began at line 1)\n"},
    {"at_sign", "secrets:\n- name: @bob\n", "adit.yaml:2:9: a value cannot begin with this character: put it in quotes\n"},
    {"escape", "secrets:\n- name: \"a\\d\"\n", "adit.yaml:2:11: unknown escape: in 'single quotes' a \\ is just a \\\n"},
    {"nul", "secrets:\n- name: \"a\\0b\"\n", "adit.yaml:2:9: secrets[0].name: may not hold a NUL\n"},
    {"top_is_list", "- l2tp\n", "adit.yaml:1:1: a file must be a map of options (`key: value`)\n"},
    {"top_is_word", "l2tp\n", "adit.yaml:1:1: a file must be a map of options (`key: value`)\n"},
    {"two_documents", "log-level: info\n---\nlog-level: info\n", "adit.yaml:2:1: a file holds one document: drop this `---`\n"},
    {"anchor", "l2tp: &a\n  limits: {}\n", "adit.yaml:1:7: l2tp: anchors (&) are not supported: write it out\n"},
    {"alias", "plugins: [*a]\n", "adit.yaml:1:11: plugins[0]: aliases (*) are not supported: write it out\n"},
    {"tag", "log-level: !!str info\n", "adit.yaml:1:12: log-level: tags (!) are not supported: options have their types\n"},
    {"key_is_a_list", "? [a, b]\n: c\n", "adit.yaml:1:3: a key must be a word\n"},
    {"too_deep", "a: [[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]\n",
     "adit.yaml:1:19: a[0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]: is nested too deep\n"},
    {"duplicate_key", "log-level: info\nl2tp: {}\nlog-level: debug\n", "adit.yaml:3:1: log-level: set twice: first at adit.yaml:1:1\n"},
    {"duplicate_deep", "l2tp:\n  servers:\n  - name: a\n    max-mtu: 1400\n    max-mtu: 1500\n",
     "adit.yaml:5:5: l2tp.servers[0].max-mtu: set twice: first at adit.yaml:4:5\n"},

    /* ---- names ---- */
    {"unknown", "colour: red\n", "adit.yaml:1:1: colour: unknown option\n"},
    {"unknown_near", "l2tp:\n  servers:\n  - name: a\n    max-mut: 1400\n",
     "adit.yaml:4:5: l2tp.servers[0].max-mut: unknown option; did you mean max-mtu?\n"},
    {"unknown_underscore", "l2tp: {servers: [{name: a, max_mtu: 1400}]}\n",
     "adit.yaml:1:28: l2tp.servers[0].max_mtu: unknown option; did you mean max-mtu?\n"},
    {"unknown_elsewhere", "max-half-open: 5\n", "adit.yaml:1:1: max-half-open: unknown option\n"},
    {"unknown_odd", "\"a b\\nc\": 5\n", "adit.yaml:1:1: a?b?c: unknown option\n"},
    {"merge_key", "l2tp:\n  <<: {limits: {}}\n", "adit.yaml:2:3: l2tp.<<: unknown option\n"},
    {"required", "secrets:\n- password: x\n", "adit.yaml:2:3: secrets[0].name: is required\n"},
    {"required_in_empty", "secrets:\n-\n", "adit.yaml:2:2: secrets[0].name: is required\n"},
    {"key_twice", "secrets:\n- name: a\n- name: b\n- name: a\n",
     "adit.yaml:4:3: secrets[2].name: a is taken by secrets[0] at adit.yaml:2:3\n"},

    /* ---- shapes ---- */
    {"map_for_value", "log-level: {a: b}\n", "adit.yaml:1:1: log-level: is a map: one value is wanted\n"},
    {"list_for_value", "log-level: [info]\n", "adit.yaml:1:1: log-level: is a list: one value is wanted\n"},
    {"value_for_map", "l2tp: yes\n", "adit.yaml:1:1: l2tp: is one value: a map of options is wanted\n"},
    {"list_for_map", "l2tp: [servers]\n", "adit.yaml:1:1: l2tp: is a list: a map of options is wanted\n"},
    {"value_for_list_of_maps", "secrets: bob\n", "adit.yaml:1:1: secrets: is one value: a map of options is wanted\n"},
    {"words_for_maps", "secrets: [bob, {name: ann}]\n", "adit.yaml:1:11: secrets[0]: is one value: a map of options is wanted\n"},
    {"list_in_list", "plugins: [[a]]\n", "adit.yaml:1:11: plugins[0]: is a list: one value is wanted\n"},
    {"no_value", "log-level:\n", "adit.yaml:1:1: log-level: has no value\n"},
    {"no_text", "secrets: [{name: }]\n", "adit.yaml:1:12: secrets[0].name: has no value (\"\" is an empty text)\n"},

    /* ---- types ---- */
    {"over", "l2tp:\n  servers:\n    - name: a\n      max-mtu: 90000\n", "adit.yaml:4:7: l2tp.servers[0].max-mtu: 90000 is over 65535\n"},
    {"under", "l2tp: {servers: {name: a, max-mtu: 5}}\n", "adit.yaml:1:27: l2tp.servers.max-mtu: 5 is under 68\n"},
    {"negative", "l2tp: {servers: {name: a, max-mtu: -5}}\n", "adit.yaml:1:27: l2tp.servers.max-mtu: -5 is under 68\n"},
    {"not_a_number", "l2tp: {servers: {name: a, max-mtu: 1450 octets}}\n",
     "adit.yaml:1:27: l2tp.servers.max-mtu: 1450 octets is not a whole number\n"},
    {"huge_number", "l2tp: {servers: {name: a, max-mtu: 99999999999999999999}}\n",
     "adit.yaml:1:27: l2tp.servers.max-mtu: 99999999999999999999 is not a whole number\n"},
    {"not_a_bool", "l2tp: {servers: {name: a, enabled: maybe}}\n", "adit.yaml:1:27: l2tp.servers.enabled: maybe is neither yes nor no\n"},
    {"not_a_duration", "aaa: {interim-update: 5 minutes}\n",
     "adit.yaml:1:7: aaa.interim-update: 5 minutes is not a duration, such as 30s, 1m30s or 00:05:00\n"},
    {"duration_under", "aaa: {interim-update: 500ms}\n", "adit.yaml:1:7: aaa.interim-update: 500ms is under 10s\n"},
    {"duration_over", "aaa: {interim-update: 2d}\n", "adit.yaml:1:7: aaa.interim-update: 2d is over 1d\n"},
    {"not_a_rate", "profiles: [{name: a, rate: 10MB}]\n", "adit.yaml:1:22: profiles[0].rate: 10MB is not a rate, such as 512k or 10M\n"},
    {"rate_under", "profiles: [{name: a, rate: 10}]\n", "adit.yaml:1:22: profiles[0].rate: 10 is under 1k\n"},
    {"rate_off", "profiles: [{name: a, rate: unlimited}]\n",
     "adit.yaml:1:22: profiles[0].rate: unlimited is not a rate, such as 512k or 10M\n"},
    {"not_a_size", "profiles: [{name: a, limit: 10 MiB}]\n",
     "adit.yaml:1:22: profiles[0].limit: 10 MiB is not a size, such as 64k or 16MiB\n"},
    {"size_under", "profiles: [{name: a, limit: 1k}]\n", "adit.yaml:1:22: profiles[0].limit: 1k is under 1KiB\n"},
    {"not_a_word", "log-level: loud\n", "adit.yaml:1:1: log-level: loud is not one of error, warn, info, debug\n"},
    {"not_a_word_near", "log-level: debgu\n",
     "adit.yaml:1:1: log-level: debgu is not one of error, warn, info, debug; did you mean debug?\n"},
    {"bool_for_word", "log-level: yes\n", "adit.yaml:1:1: log-level: yes is not one of error, warn, info, debug\n"},
    {"long_word", "log-level: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
     "adit.yaml:1:1: log-level: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa... is not one of error, "
     "warn, info, debug\n"},
    {"empty_word", "log-level: ''\n", "adit.yaml:1:1: log-level: \"\" is not one of error, warn, info, debug\n"},
    {"not_in_set", "l2tp: {servers: {name: a, authentication: [pap, mschap]}}\n",
     "adit.yaml:1:49: l2tp.servers.authentication[1]: mschap is not one of pap, chap, mschap1, mschap2; did you mean mschap1?\n"},
    {"not_in_comma_set", "l2tp: {servers: {name: a, authentication: 'pap,,chap'}}\n",
     "adit.yaml:1:27: l2tp.servers.authentication: \"\" is not one of pap, chap, mschap1, mschap2\n"},
    {"set_twice", "l2tp: {servers: {name: a, authentication: [mschap2, mschapv2]}}\n",
     "adit.yaml:1:53: l2tp.servers.authentication: mschap2 is there twice\n"},
    {"not_an_address", "profiles: [{name: a, dns-server: [1.1.1.1, 1.1.1]}]\n",
     "adit.yaml:1:44: profiles[0].dns-server[1]: 1.1.1 is not an IP address\n"},
    {"not_a_prefix", "profiles: [{name: a, route: 10.0.0.0/33}]\n",
     "adit.yaml:1:22: profiles[0].route: 10.0.0.0/33 is not a prefix, such as 192.0.2.0/24 or 2001:db8::/32\n"},
    {"not_an_address_or_name", "profiles: [{name: a, remote-address: 10.0.0.256}]\n",
     "adit.yaml:1:22: profiles[0].remote-address: 10.0.0.256 is neither an IP address nor a name\n"},
    {"not_a_range", "pools: [{name: a, ranges: 10.0.0.1-x}]\n",
     "adit.yaml:1:19: pools[0].ranges: 10.0.0.1-x is not a range, such as 192.0.2.10-192.0.2.99 or 192.0.2.0/24\n"},
    {"range_backwards", "pools: [{name: a, ranges: [10.0.0.9-10.0.0.1]}]\n",
     "adit.yaml:1:28: pools[0].ranges[0]: 10.0.0.9-10.0.0.1 ends before it begins\n"},
    {"range_of_two_families", "pools: [{name: a, ranges: [10.0.0.9-2001:db8::1]}]\n",
     "adit.yaml:1:28: pools[0].ranges[0]: 10.0.0.9-2001:db8::1 begins with one family and ends with another\n"},
    {"text_too_long", "pools: [{name: abcdefghijklmnopqrstuvwxyz0123456789, ranges: 10.0.0.0/24}]\n",
     "adit.yaml:1:10: pools[0].name: abcdefghijklmnopqrstuvwxyz0123456789 has 36 octets, over 31\n"},
    {"text_empty", "pools: [{name: '', ranges: 10.0.0.0/24}]\n", "adit.yaml:1:10: pools[0].name: \"\" is empty\n"},

    /* ---- all in one go, by place ---- */
    {"many",
     "log-level: loud\nl2tp:\n  servers:\n  - max-mtu: 5\n    max-mru: x\n  limits: 5\nsecrets: [{name: a}, {name: a}]\nlog-level: info\n",
     "adit.yaml:1:1: log-level: loud is not one of error, warn, info, debug\n"
     "adit.yaml:4:5: l2tp.servers[0].max-mtu: 5 is under 68\n"
     "adit.yaml:4:5: l2tp.servers[0].name: is required\n"
     "adit.yaml:5:5: l2tp.servers[0].max-mru: x is not a whole number\n"
     "adit.yaml:6:3: l2tp.limits: is one value: a map of options is wanted\n"
     "adit.yaml:7:23: secrets[1].name: a is taken by secrets[0] at adit.yaml:7:12\n"
     "adit.yaml:8:1: log-level: set twice: first at adit.yaml:1:1\n"},
};

static void wrong_file(void **state) {
  const Bad *b = *state;
  g_autoptr(AditSchema) schema = adit_schema_new();
  g_autoptr(AditConfigErrors) errors = adit_config_errors_new();
  adit_schema_add(schema, "core", test_core_options, G_N_ELEMENTS(test_core_options));
  adit_schema_add(schema, "l2tp", test_l2tp_options, G_N_ELEMENTS(test_l2tp_options));
  g_autoptr(AditValue) tree = adit_config_load_text(schema, "adit.yaml", b->yaml, -1, errors);
  g_autofree char *told = adit_config_errors_text(errors);
  assert_string_equal(told, b->errors);
  assert_null(tree);
}

static void a_bomb_of_aliases_is_refused(void **state) {
  static const Bad bomb = {NULL, "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
                           "adit.yaml:1:4: a: anchors (&) are not supported: write it out\n"};
  gpointer p = (gpointer)&bomb;
  wrong_file(&p);
}

static void long_values_are_refused(void **state) {
  g_autofree char *word = g_strnfill(65537, 'x');
  g_autofree char *yaml = g_strdup_printf("secrets:\n- name: %s\n", word);
  Bad b = {NULL, yaml, "adit.yaml:2:9: secrets[0].name: is longer than 65536 octets\n"};
  gpointer p = &b;
  wrong_file(&p);
}

static void large_files_are_refused(void **state) {
  g_autofree char *yaml = g_strnfill((16 << 20) + 1, '#');
  Bad b = {NULL, yaml, "adit.yaml: is larger than 16 MiB\n"};
  gpointer p = &b;
  wrong_file(&p);
}

static gboolean is_bcp(const char *name) {
  return g_str_equal(name, "bcp") || g_str_equal(name, "core");
}

/* Its NAME.schema is elsewhere, or there is none: its file tells as much. */
static void plugins_that_are_only_files(void **state) {
  g_autoptr(AditConfigErrors) errors = adit_config_errors_new();
  g_autoptr(AditSchema) schema = adit_schema_new();
  assert_true(adit_schema_add(schema, "core", test_core_options, G_N_ELEMENTS(test_core_options)));
  assert_true(adit_schema_add(schema, "l2tp", test_l2tp_options, G_N_ELEMENTS(test_l2tp_options)));
  adit_schema_set_finder(schema, is_bcp);
  assert_null(adit_config_load_text(schema, "adit.yaml", "bcp: {}\ncore: {}\nprofiles:\n- name: a\n  bcp: 1\n", -1, errors));
  g_autofree char *told = adit_config_errors_text(errors);
  assert_string_equal(told, "adit.yaml:1:1: bcp: bcp belongs to plugin bcp, which is not loaded: write plugins: [l2tp, bcp]\n"
                            "adit.yaml:2:1: core: unknown option\n"
                            "adit.yaml:5:3: profiles[0].bcp: unknown option\n");
}

int main(void) {
  enum { N = G_N_ELEMENTS(bad), MORE = 4 };
  struct CMUnitTest tests[N + MORE] = {
      [N] = cmocka_unit_test(a_bomb_of_aliases_is_refused),
      [N + 1] = cmocka_unit_test(long_values_are_refused),
      [N + 2] = cmocka_unit_test(large_files_are_refused),
      [N + 3] = cmocka_unit_test(plugins_that_are_only_files),
  };
  for (guint i = 0; i < N; i++)
    tests[i] = (struct CMUnitTest){bad[i].name, wrong_file, NULL, NULL, (gpointer)&bad[i]};
  return cmocka_run_group_tests_name("wrong files", tests, NULL, NULL);
}
