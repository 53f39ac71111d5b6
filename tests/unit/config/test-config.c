/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* What configuration files mean: types, defaults, several files, and the schema's own errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/config/config.h"
#include "core/config/format.h"
#include "files.h"

static AditValue *load(const char *text) {
  g_autoptr(AditSchema) schema = schema_new();
  g_autoptr(AditConfigErrors) errors = adit_config_errors_new();
  AditValue *tree = adit_config_load_text(schema, "adit.yaml", text, -1, errors);
  g_autofree char *told = adit_config_errors_text(errors);
  assert_string_equal(told, "");
  assert_non_null(tree);
  return tree;
}

static AditValue *parse(AditType type, guint flags, const char *words, const char *text) {
  AditOption option = {"option", "test", type, flags, 0, 0, 0, NULL, words, NULL, NULL, NULL};
  return adit_option_parse(&option, text, NULL);
}

static void numbers_take_units(void **state) {
  static const struct {
    AditType type;
    const char *text;
    gint64 value;        /* -1 = refused */
    const char *written; /* back; NULL = as the text */
  } cases[] = {
      {ADIT_TYPE_INT, "0", 0, NULL},
      {ADIT_TYPE_INT, "0123", 123, "123"},
      {ADIT_TYPE_INT, "+5", 5, "5"},
      {ADIT_TYPE_INT, "9223372036854775807", G_MAXINT64, NULL},
      {ADIT_TYPE_INT, "9223372036854775808", -1, NULL},
      {ADIT_TYPE_INT, "1e3", -1, NULL},
      {ADIT_TYPE_INT, "0x10", -1, NULL},
      {ADIT_TYPE_INT, " 1", -1, NULL},
      {ADIT_TYPE_INT, "-", -1, NULL},
      {ADIT_TYPE_DURATION, "30", 30000, "30s"},
      {ADIT_TYPE_DURATION, "30s", 30000, NULL},
      {ADIT_TYPE_DURATION, "90s", 90000, "1m30s"},
      {ADIT_TYPE_DURATION, "1m30s", 90000, NULL},
      {ADIT_TYPE_DURATION, "500ms", 500, NULL},
      {ADIT_TYPE_DURATION, "1d", 86400000, NULL},
      {ADIT_TYPE_DURATION, "1w", 604800000, "7d"},
      {ADIT_TYPE_DURATION, "1s1ms", 1001, NULL},
      {ADIT_TYPE_DURATION, "00:05:00", 300000, "5m"},
      {ADIT_TYPE_DURATION, "00:05", 300000, "5m"},
      {ADIT_TYPE_DURATION, "1d00:05:00", 86700000, "1d5m"},
      {ADIT_TYPE_DURATION, "1w2d03:04:05", 788645000, "9d3h4m5s"},
      {ADIT_TYPE_DURATION, "0", 0, "0s"},
      {ADIT_TYPE_DURATION, "00:60:00", -1, NULL},
      {ADIT_TYPE_DURATION, "1:2:3:4", -1, NULL},
      {ADIT_TYPE_DURATION, "1h00:05:00", -1, NULL},
      {ADIT_TYPE_DURATION, "1s1m", -1, NULL},
      {ADIT_TYPE_DURATION, "1m30", -1, NULL},
      {ADIT_TYPE_DURATION, "1.5s", -1, NULL},
      {ADIT_TYPE_DURATION, "-1s", -1, NULL},
      {ADIT_TYPE_DURATION, "", -1, NULL},
      {ADIT_TYPE_DURATION, "9223372036854775807", -1, NULL},
      {ADIT_TYPE_DURATION, "99999999999999999w", -1, NULL},
      {ADIT_TYPE_RATE, "10M", 10000000, NULL},
      {ADIT_TYPE_RATE, "512k", 512000, NULL},
      {ADIT_TYPE_RATE, "512K", 512000, "512k"},
      {ADIT_TYPE_RATE, "1.5M", 1500000, "1500k"},
      {ADIT_TYPE_RATE, "1G", 1000000000, NULL},
      {ADIT_TYPE_RATE, "10Mbit/s", 10000000, "10M"},
      {ADIT_TYPE_RATE, "10Mbps", 10000000, "10M"},
      {ADIT_TYPE_RATE, "1234", 1234, NULL},
      {ADIT_TYPE_RATE, "10Mi", -1, NULL},
      {ADIT_TYPE_RATE, "10MB", -1, NULL},
      {ADIT_TYPE_RATE, "1.5", -1, NULL},
      {ADIT_TYPE_RATE, "1.", -1, NULL},
      {ADIT_TYPE_RATE, "99999999999T", -1, NULL},
      {ADIT_TYPE_SIZE, "16MiB", 16 << 20, NULL},
      {ADIT_TYPE_SIZE, "16Mi", 16 << 20, "16MiB"},
      {ADIT_TYPE_SIZE, "64k", 64000, NULL},
      {ADIT_TYPE_SIZE, "64kB", 64000, "64k"},
      {ADIT_TYPE_SIZE, "64KiB", 65536, NULL},
      {ADIT_TYPE_SIZE, "1.5GiB", 1610612736, "1536MiB"},
      {ADIT_TYPE_SIZE, "7", 7, NULL},
      {ADIT_TYPE_SIZE, "7B", 7, "7"},
      {ADIT_TYPE_SIZE, "7bit/s", -1, NULL},
  };
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    AditOption option = {"option", "test", cases[i].type, 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL};
    g_autoptr(AditValue) value = adit_option_parse(&option, cases[i].text, NULL);
    if (cases[i].value < 0) {
      if (value)
        fail_msg("%s was taken", cases[i].text);
      continue;
    }
    if (!value || value->type != ADIT_VALUE_INT || value->as.integer != cases[i].value)
      fail_msg("%s is not %" G_GINT64_FORMAT, cases[i].text, cases[i].value);
    g_autofree char *written = adit_option_format(&option, value);
    assert_string_equal(written, cases[i].written ? cases[i].written : cases[i].text);
  }
}

static void text_is_never_guessed(void **state) {
  g_autoptr(AditValue) tree = load("secrets:\n- {name: 0123, password: no}\n- {name: 1e3, password: ~}\n- {name: yes, password: \"\"}\n");
  const AditValue *secrets = adit_value_get(tree, "secrets");
  assert_string_equal(adit_value_get_string(adit_value_at(secrets, 0), "name", NULL), "0123");
  assert_string_equal(adit_value_get_string(adit_value_at(secrets, 0), "password", NULL), "no");
  assert_string_equal(adit_value_get_string(adit_value_at(secrets, 1), "name", NULL), "1e3");
  assert_string_equal(adit_value_get_string(adit_value_at(secrets, 1), "password", NULL), "~");
  assert_string_equal(adit_value_get_string(adit_value_at(secrets, 2), "name", NULL), "yes");
  assert_true(adit_value_get(adit_value_at(secrets, 2), "password")->flags & ADIT_VALUE_IS_SECRET);
}

static void booleans_have_six_words(void **state) {
  static const char *const words[] = {"yes", "true", "on", "no", "false", "off"};
  for (guint i = 0; i < G_N_ELEMENTS(words); i++) {
    g_autoptr(AditValue) value = parse(ADIT_TYPE_BOOL, 0, NULL, words[i]);
    assert_int_equal(value->as.boolean, i < 3);
  }
  assert_null(parse(ADIT_TYPE_BOOL, 0, NULL, "y"));
  assert_null(parse(ADIT_TYPE_BOOL, 0, NULL, "1"));
}

static void words_have_other_spellings(void **state) {
  static const char words[] = "no yes default required require=required";
  g_autoptr(AditValue) a = parse(ADIT_TYPE_ENUM, 0, words, "require");
  g_autoptr(AditValue) b = parse(ADIT_TYPE_ENUM, 0, words, "true");
  g_autoptr(AditValue) c = parse(ADIT_TYPE_ENUM, 0, words, "Required");
  assert_string_equal(a->as.string, "required");
  assert_string_equal(b->as.string, "yes");
  assert_string_equal(c->as.string, "required");
  assert_null(parse(ADIT_TYPE_ENUM, 0, words, "req"));
  assert_null(parse(ADIT_TYPE_ENUM, 0, "a b", "yes"));
}

static void off_words_mean_nothing(void **state) {
  static const char *const words[] = {"none", "disabled", "unlimited", "no", "0"};
  for (guint i = 0; i < G_N_ELEMENTS(words); i++) {
    AditOption option = {"mrru", "test", ADIT_TYPE_INT, ADIT_OPTION_OFF, 0, 512, 65535, "disabled", NULL, NULL, NULL, NULL};
    g_autoptr(AditValue) value = adit_option_parse(&option, words[i], NULL);
    g_autofree char *written = adit_option_format(&option, value);
    assert_int_equal(value->as.integer, 0);
    assert_string_equal(written, "disabled");
    option.flags = 0;
    assert_null(adit_option_parse(&option, words[i], NULL));
  }
  g_autoptr(AditValue) address = parse(ADIT_TYPE_ADDRESS, ADIT_OPTION_OFF, NULL, "none");
  g_autoptr(AditValue) prefix = parse(ADIT_TYPE_PREFIX, ADIT_OPTION_OFF, NULL, "none");
  g_autoptr(AditValue) text = parse(ADIT_TYPE_STRING, ADIT_OPTION_OFF, NULL, "none");
  g_autoptr(AditValue) list = parse(ADIT_TYPE_ADDRESS, ADIT_OPTION_OFF | ADIT_OPTION_LIST, NULL, "none");
  assert_false(adit_address_is_set(&address->as.address));
  assert_false(adit_address_is_set(&prefix->as.prefix.address));
  assert_string_equal(text->as.string, "");
  assert_int_equal(adit_value_length(list), 0);
}

static void sets_and_lists_are_written_in_three_ways(void **state) {
  static const char *const texts[] = {
      "l2tp: {servers: [{name: a, authentication: [pap, mschapv2]}]}",
      "l2tp: {servers: [{name: a, authentication: 'pap,mschap2'}]}",
      "l2tp: {servers: {name: a, authentication: 'pap, mschap2'}}",
      "l2tp:\n  servers:\n  - name: a\n    authentication:\n    - pap\n    - mschap2\n",
  };
  for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
    g_autoptr(AditValue) tree = load(texts[i]);
    const AditValue *server = adit_value_at(adit_value_get(adit_value_get(tree, "l2tp"), "servers"), 0);
    const AditValue *set = adit_value_get(server, "authentication");
    assert_int_equal(adit_value_length(set), 2);
    assert_string_equal(adit_value_at(set, 0)->as.string, "pap");
    assert_string_equal(adit_value_at(set, 1)->as.string, "mschap2");
  }
  g_autoptr(AditValue) tree =
      load("profiles: [{name: p, dns-server: '192.0.2.1,2001:db8::1'}, {name: q, dns-server: 192.0.2.1}, {name: r, dns-server: }]\n"
           "plugins: 'a,b'\n");
  const AditValue *profiles = adit_value_get(tree, "profiles");
  assert_int_equal(adit_value_length(adit_value_get(adit_value_at(profiles, 0), "dns-server")), 2);
  assert_int_equal(adit_value_length(adit_value_get(adit_value_at(profiles, 1), "dns-server")), 1);
  assert_int_equal(adit_value_length(adit_value_get(adit_value_at(profiles, 2), "dns-server")), 0);
  assert_string_equal(adit_value_at(adit_value_get(tree, "plugins"), 0)->as.string, "a,b"); /* texts may hold commas */
}

static void addresses_and_names_are_told_apart(void **state) {
  g_autoptr(AditValue) v4 = parse(ADIT_TYPE_ADDRESS_OR_NAME, 0, NULL, "192.0.2.1");
  g_autoptr(AditValue) v6 = parse(ADIT_TYPE_ADDRESS_OR_NAME, 0, NULL, "2001:db8::1");
  g_autoptr(AditValue) name = parse(ADIT_TYPE_ADDRESS_OR_NAME, 0, NULL, "pool1");
  g_autoptr(AditValue) range = parse(ADIT_TYPE_RANGE, 0, NULL, "192.0.2.1 - 192.0.2.9");
  assert_int_equal(v4->type, ADIT_VALUE_ADDRESS);
  assert_int_equal(v6->as.address.family, AF_INET6);
  assert_string_equal(name->as.string, "pool1");
  assert_string_equal(range->as.string, "192.0.2.1-192.0.2.9");
  assert_null(parse(ADIT_TYPE_ADDRESS_OR_NAME, 0, NULL, "192.0.2.256"));
  assert_null(parse(ADIT_TYPE_ADDRESS_OR_NAME, 0, NULL, "2001:db8:::1"));
  assert_null(parse(ADIT_TYPE_ADDRESS_OR_NAME, 0, NULL, ""));
}

static void defaults_are_filled_in_and_marked(void **state) {
  g_autoptr(AditValue) tree = load("l2tp:\n  servers:\n  - name: a\n    max-mtu: 1400\n");
  const AditValue *l2tp = adit_value_get(tree, "l2tp");
  const AditValue *server = adit_value_at(adit_value_get(l2tp, "servers"), 0);
  const AditValue *limits = adit_value_get(l2tp, "limits");

  assert_int_equal(adit_value_get_int(server, "max-mtu", 0), 1400);
  assert_non_null(adit_value_get_written(server, "max-mtu"));
  assert_int_equal(adit_value_get_int(server, "max-mru", 0), 1450);
  assert_null(adit_value_get_written(server, "max-mru"));
  assert_null(adit_value_get(server, "max-mru")->where.file);
  assert_int_equal(adit_value_get_int(server, "keepalive-timeout", 0), 30000);
  assert_int_equal(adit_value_length(adit_value_get(server, "authentication")), 2);
  assert_true(limits->flags & ADIT_VALUE_IS_DEFAULT);
  assert_int_equal(adit_value_get_int(limits, "max-half-open", 0), 1000);
  assert_string_equal(adit_value_get_string(tree, "log-level", NULL), "info");
  assert_null(adit_value_get(tree, "profiles")); /* a list that nobody wrote is absent */
}

static void values_know_their_place(void **state) {
  g_autoptr(AditValue) tree = load("# \xc3\xa9\nl2tp:\n  servers:\n    - name: a\n      authentication: [pap,\n        chap]\n");
  const AditValue *server = adit_value_at(adit_value_get(adit_value_get(tree, "l2tp"), "servers"), 0);
  const AditValue *set = adit_value_get(server, "authentication");
  assert_string_equal(server->where.file, "adit.yaml");
  assert_int_equal(server->where.line, 4);
  assert_int_equal(server->where.column, 7);
  assert_int_equal(set->where.line, 5);
  assert_int_equal(set->where.column, 7);
  assert_int_equal(adit_value_at(set, 1)->where.line, 6);
  assert_int_equal(adit_value_at(set, 1)->where.column, 9);
}

static void nothing_is_a_configuration(void **state) {
  static const char *const texts[] = {"", "\n", "# nothing\n", "---\n", "--- {}\n", "profiles:\nl2tp:\n", "\xef\xbb\xbf# with a mark\n"};
  for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
    g_autoptr(AditValue) tree = load(texts[i]);
    assert_string_equal(adit_value_get_string(tree, "log-level", NULL), "info");
  }
}

static void a_byte_order_mark_is_no_indentation(void **state) {
  static const char *const texts[] = {"log-level: debug\nl2tp: {}\n", "---\nlog-level: debug\n", "\nlog-level: debug\n"};
  for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
    g_autofree char *text = g_strconcat("\xef\xbb\xbf", texts[i], NULL);
    g_autoptr(AditValue) tree = load(text);
    assert_string_equal(adit_value_get_string(tree, "log-level", NULL), "debug");
  }
}

static void secrets_are_not_told(void **state) {
  g_autoptr(AditSchema) schema = schema_new();
  g_autoptr(AditConfigErrors) errors = adit_config_errors_new();
  g_autofree char *text = g_strdup_printf("secrets: [{name: a, password: %0200d}]", 7);
  assert_null(adit_config_load_text(schema, "adit.yaml", text, -1, errors));
  g_autofree char *told = adit_config_errors_text(errors);
  assert_string_equal(told, "adit.yaml:1:21: secrets[0].password: the value has 200 octets, over 128\n");

  g_autoptr(AditValue) secret = parse(ADIT_TYPE_STRING, ADIT_OPTION_SECRET, NULL, "hush");
  g_autofree char *shown = adit_option_format(NULL, secret);
  assert_string_equal(shown, "(hidden)");
}

/* ---- schema ---- */

static void refused(const char *message, AditOption option) {
  g_autoptr(AditSchema) schema = schema_new();
  g_autoptr(AditConfigErrors) errors = adit_config_errors_new();
  assert_false(adit_schema_add(schema, "mine", &option, 1));
  assert_string_equal(adit_schema_error(schema), message);
  assert_null(adit_config_load_text(schema, "adit.yaml", "", -1, errors));
  g_autofree char *told = adit_config_errors_text(errors);
  g_autofree char *expected = g_strconcat(message, "\n", NULL);
  assert_string_equal(told, expected);
}

static void wrong_declarations_are_bugs(void **state) {
  refused("option max-mtu of mine: l2tp declares it otherwise in scope server", (AditOption){"max-mtu", "server", ADIT_TYPE_STRING});
  refused("option Max of mine: its name is not in kebab-case", (AditOption){"Max", "server", ADIT_TYPE_STRING});
  refused("option (no name) of mine: its name is not in kebab-case", (AditOption){NULL, "server", ADIT_TYPE_STRING});
  refused("option a of mine: has no type", (AditOption){"a", "server", 0});
  refused("option a of mine: has no scope", (AditOption){"a", NULL, ADIT_TYPE_INT});
  refused("option a of mine: has no words", (AditOption){"a", "server", ADIT_TYPE_ENUM});
  refused("option a of mine: has no words", (AditOption){"a", "server", ADIT_TYPE_MAP});
  refused("option a of mine: its words have no c for b=c", (AditOption){"a", "server", ADIT_TYPE_SET, .words = "a b=c"});
  refused("option a of mine: min is over max", (AditOption){"a", "server", ADIT_TYPE_INT, .min = 5, .max = 1});
  refused("option a of mine: its default: 9 is over 5", (AditOption){"a", "server", ADIT_TYPE_INT, .max = 5, .fallback = "9"});
  refused("option a of mine: can have no default", (AditOption){"a", "server", ADIT_TYPE_INT, ADIT_OPTION_REQUIRED, .fallback = "9"});
}

static void the_same_declaration_twice_is_fine(void **state) {
  g_autoptr(AditSchema) schema = schema_new();
  guint before, after;
  adit_schema_scope(schema, "server", &before);
  assert_true(adit_schema_add(schema, "other", test_l2tp_options, G_N_ELEMENTS(test_l2tp_options)));
  adit_schema_scope(schema, "server", &after);
  assert_int_equal(before, after);
  assert_string_equal(adit_schema_find(schema, "server", "max-mtu")->owner, "l2tp");
  assert_null(adit_schema_find(schema, "server", "max-half-open"));
  assert_null(adit_schema_find(schema, "nowhere", "max-mtu"));
  assert_null(adit_schema_scope(schema, "nowhere", &after));
}

static void a_scope_may_hold_itself(void **state) {
  static const AditOption options[] = {{"group", "global group", ADIT_TYPE_MAP, .words = "group"},
                                       {"x", "group", ADIT_TYPE_INT, .fallback = "1"}};
  g_autoptr(AditSchema) schema = adit_schema_new();
  g_autoptr(AditConfigErrors) errors = adit_config_errors_new();
  assert_true(adit_schema_add(schema, "core", options, 2));
  g_autoptr(AditValue) tree = adit_config_load_text(schema, "adit.yaml", "group: {group: {x: 2}}", -1, errors);
  assert_non_null(tree);
  assert_int_equal(adit_value_get_int(adit_value_get(adit_value_get(tree, "group"), "group"), "x", 0), 2);
}

static void schema_files_tell_the_same(void **state) {
  g_autoptr(AditSchema) schema = schema_new();
  g_autoptr(AditSchema) copy = adit_schema_new();
  g_autofree char *core = adit_schema_write(schema, "core"), *l2tp = adit_schema_write(schema, "l2tp");
  assert_true(adit_schema_read(copy, "core", core, NULL));
  assert_true(adit_schema_read(copy, "l2tp", l2tp, NULL));
  g_autofree char *core_again = adit_schema_write(copy, "core"), *l2tp_again = adit_schema_write(copy, "l2tp");
  assert_string_equal(core, core_again);
  assert_string_equal(l2tp, l2tp_again);
  assert_true(adit_schema_read(copy, "nobody", "", NULL));

  const AditOption *option = adit_schema_find(copy, "server", "max-mtu")->option;
  assert_int_equal(option->type, ADIT_TYPE_INT);
  assert_int_equal(option->max, 65535);
  assert_string_equal(option->fallback, "1450");
  assert_string_equal(option->reference, "RFC 1661 6.1");
  assert_int_equal(adit_schema_find(copy, "secret", "password")->option->flags, ADIT_OPTION_SECRET);

  g_autoptr(GError) error = NULL;
  assert_false(adit_schema_read(copy, "bad", "[x]\nname=a\nscopes=global\ntype=colour\nreload=live\n", &error));
  assert_string_equal(error->message, "[x] has no known name, scopes, type or reload");
  g_clear_error(&error);
  assert_false(adit_schema_read(copy, "bad", "[x]\nname=a\nscopes=global\ntype=int\nreload=live\nflags=odd;\n", &error));
  assert_string_equal(error->message, "[x] has an unknown flag odd");
  g_clear_error(&error);
  assert_false(adit_schema_read(copy, "bad", "[x]\nname=max-mtu\nscopes=server\ntype=bool\nreload=live\n", &error));
  assert_string_equal(error->message, "option max-mtu of bad: l2tp declares it otherwise in scope server");
}

static void options_of_plugins_that_are_not_loaded(void **state) {
  static const AditOption bcp[] = {{"bridge", "profile", ADIT_TYPE_STRING}, {"bcp", "global", ADIT_TYPE_MAP, .words = "bcp"}};
  g_autoptr(AditSchema) of_bcp = adit_schema_new();
  g_autoptr(AditConfigErrors) errors = adit_config_errors_new();
  assert_true(adit_schema_add(of_bcp, "bcp", bcp, 2));
  g_autofree char *text = adit_schema_write(of_bcp, "bcp");
  Files files;
  files_open(&files);
  files_write(&files, "bcp.schema", text, 0644);
  files_write(&files, "l2tp.schema", text, 0644); /* of a plugin that is loaded: not read */

  g_autoptr(AditSchema) schema = schema_new();
  assert_true(adit_schema_load_dir(schema, files.folder, NULL));
  assert_null(adit_config_load_text(schema, "adit.yaml", "bcp: {}\nprofiles:\n- name: a\n  bridge: br0\n", -1, errors));
  g_autofree char *told = adit_config_errors_text(errors);
  assert_string_equal(told,
                      "adit.yaml:1:1: bcp: bcp belongs to plugin bcp, which is not loaded: write plugins: [l2tp, bcp]\n"
                      "adit.yaml:4:3: profiles[0].bridge: bridge belongs to plugin bcp, which is not loaded: write plugins: [l2tp, bcp]\n");

  g_autoptr(GError) error = NULL;
  files_write(&files, "bad.schema", "nonsense", 0644);
  assert_false(adit_schema_load_dir(schema, files.folder, &error));
  assert_true(
      g_str_has_suffix(error->message, "bad.schema: Key file contains line “nonsense” which is not a key-value pair, group, or comment") ||
      strstr(error->message, "bad.schema: ") != NULL);
  files_close(&files);
  assert_true(adit_schema_load_dir(schema, "/nonexistent/schema", NULL));
}

/* ---- cross-checks and reload ---- */

static void check_profiles(const AditValue *tree, AditConfigErrors *errors, gpointer data) {
  const AditValue *profiles = adit_value_get(tree, "profiles"), *secrets = adit_value_get(tree, "secrets");
  g_autoptr(GPtrArray) names = g_ptr_array_new();
  for (guint i = 0; i < adit_value_length(profiles); i++)
    g_ptr_array_add(names, (gpointer)adit_value_get_string(adit_value_at(profiles, i), "name", ""));
  g_ptr_array_add(names, NULL);
  for (guint i = 0; i < adit_value_length(secrets); i++) {
    const AditValue *profile = adit_value_get_written(adit_value_at(secrets, i), "profile");
    if (!profile || g_strv_contains((const char *const *)names->pdata, profile->as.string))
      continue;
    g_autofree char *path = g_strdup_printf("secrets[%u].profile", i);
    const char *near = adit_config_nearest(profile->as.string, (const char *const *)names->pdata);
    adit_config_error(errors, profile->where, path, "no profile is named %s; did you mean %s?", profile->as.string, near ? near : "(none)");
  }
  ++*(guint *)data;
}

static void cross_checks_run_after_typing(void **state) {
  g_autoptr(AditSchema) schema = schema_new();
  g_autoptr(AditConfigErrors) errors = adit_config_errors_new();
  guint runs = 0;
  adit_schema_add_check(schema, check_profiles, &runs);
  assert_null(adit_config_load_text(schema, "adit.yaml",
                                    "profiles: [{name: homes}]\nsecrets:\n- name: a\n  profile: home\nlog-lvel: info\n", -1, errors));
  g_autofree char *told = adit_config_errors_text(errors);
  assert_string_equal(told, "adit.yaml:4:3: secrets[0].profile: no profile is named home; did you mean homes?\n"
                            "adit.yaml:5:1: log-lvel: unknown option; did you mean log-level?\n");
  assert_int_equal(runs, 1);
}

static void restart_is_told(void **state) {
  g_autoptr(AditSchema) schema = schema_new();
  g_autoptr(AditConfigErrors) errors = adit_config_errors_new();
  g_autoptr(AditValue) a = load("plugins: [x]\nlog-level: info\n");
  g_autoptr(AditValue) b = load("log-level: debug\nplugins: [x, y]\nl2tp:\n  limits:\n    max-half-open: 7\n");
  g_autoptr(AditValue) c = load("log-level: debug\n");
  adit_config_warn_restart(schema, a, a, errors);
  assert_int_equal(adit_config_warnings_count(errors), 0);
  adit_config_warn_restart(schema, a, b, errors);
  g_autofree char *told = adit_config_warnings_text(errors);
  assert_string_equal(told, "adit.yaml:2:1: plugins: changed: takes effect after a restart\n"
                            "adit.yaml:5:5: l2tp.limits.max-half-open: changed: takes effect after a restart\n");
  adit_config_warn_restart(schema, b, c, errors);
  assert_int_equal(adit_config_warnings_count(errors), 4);
  assert_true(adit_value_equal(a, a));
  assert_false(adit_value_equal(a, b));
}

static void nearest_word_is_near(void **state) {
  static const char *const words[] = {"max-mtu", "max-mru", "name", "no", NULL};
  assert_string_equal(adit_config_nearest("max-mut", words), "max-mtu");
  assert_string_equal(adit_config_nearest("max_mru", words), "max-mru");
  assert_string_equal(adit_config_nearest("nmae", words), "name");
  assert_null(adit_config_nearest("colour", words));
  assert_null(adit_config_nearest("x", words));
  assert_null(adit_config_nearest("", words));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(numbers_take_units),
      cmocka_unit_test(text_is_never_guessed),
      cmocka_unit_test(booleans_have_six_words),
      cmocka_unit_test(words_have_other_spellings),
      cmocka_unit_test(off_words_mean_nothing),
      cmocka_unit_test(sets_and_lists_are_written_in_three_ways),
      cmocka_unit_test(addresses_and_names_are_told_apart),
      cmocka_unit_test(defaults_are_filled_in_and_marked),
      cmocka_unit_test(values_know_their_place),
      cmocka_unit_test(nothing_is_a_configuration),
      cmocka_unit_test(a_byte_order_mark_is_no_indentation),
      cmocka_unit_test(secrets_are_not_told),
      cmocka_unit_test(wrong_declarations_are_bugs),
      cmocka_unit_test(the_same_declaration_twice_is_fine),
      cmocka_unit_test(a_scope_may_hold_itself),
      cmocka_unit_test(schema_files_tell_the_same),
      cmocka_unit_test(options_of_plugins_that_are_not_loaded),
      cmocka_unit_test(cross_checks_run_after_typing),
      cmocka_unit_test(restart_is_told),
      cmocka_unit_test(nearest_word_is_near),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
