/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Each registration that means nothing refuses the plugin, with words that say what to do, though the plugin looks at no answer. */
#include "core/base/loop.h"
#include "core/plugin/command-line.h"
#include "core/plugin/modules.h"
#include "core/plugin/plugins.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* What the loader says of the plugin; NULL = it is loaded. */
static char *load_with(const char *mistake) {
  static const char *const names[] = {"careless", NULL};
  g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
  AditDaemonOptions options = {0};

  g_setenv("ADIT_TEST_MISTAKE", mistake, TRUE);
  adit_modules_init();
  adit_modules_add_dirs(&options);
  adit_plugins_add_dir(BUILDDIR "/tests/unit/plugin");
  gboolean good = adit_plugins_load(names, problems);
  adit_modules_fini();
  assert_int_equal(good, problems->len == 0);
  g_ptr_array_add(problems, NULL);
  return good ? NULL : g_strjoinv("\n", (char **)problems->pdata);
}

static void a_plugin_without_mistakes_is_loaded(void **state) {
  g_autofree char *said = load_with("nothing");
  if (said)
    fail_msg("%s", said);
}

static void each_mistake_is_named(void **state) {
  static const char *const rows[][2] = {
      {"undeclared_source", "source_add() of other, but the plugin does not declare it: add {ADIT_PROVIDES, \"auth-source:other\"}"},
      {"undeclared_sink", "sink_add() of other, but the plugin does not declare it: add {ADIT_PROVIDES, \"acct-sink:other\"}"},
      {"source_without_size", "source_add() of (NULL): it lacks its size, a name or ask()"},
      {"null_source", "source_add() of (NULL): it lacks its size, a name or ask()"},
      {"source_twice", "source_add() of careless: there is one already"},
      {"unknown_hook", "veto_add(): there is no hook \"sessions\"; there are: session, link"},
      {"null_hook", "veto_add() of the hook \"session\" without a function"},
      {"unknown_value_hook", "value_add(): there is no hook \"session\"; there are: interface-name"},
      {"null_subscriber", "subscribe() without a function"},
      {"odd_event_class", "event_class() of odd: a name, a size over AditEvent's and fields inside of it are due"},
      {"null_actor", "actor_add() without an attribute"},
      {"short_ncp", "ncp_add() of careless: it lacks its size, a name or a function"},
      {"protection_without_ensure", "a provider of protection needs a name, ensure and release"},
      {"bundler_without_decide", "a bundler must have a name and decide()"},
      {"lcp_of_lcp", "lcp_add() of careless: option 1 is LCP's already"},
      {"lcp_without_function", "lcp_add() of careless: it lacks its size, a name, types or a function"},
      {"lcp_too_long", "lcp_add() of careless: option 200 has 0 to 253 octets of data, not 1 to 255"},
      {"short_datapath", "datapath_add() of a table that is too short: set its size"},
      {"unparsable_description", "interface_add(): the description: 2:29: a type is due, not \"thing)\""},
      {"unknown_type", "interface_add(): the description: the type Thing is used and not described"},
      {"interface_without_name", "interface_add(): the description: 1:11: a name such as io.adit.lease is due, not \"careless\""},
      {"described_and_missing", "interface io.adit.careless: method Drop is described and is not among the methods"},
      {"method_not_described", "interface io.adit.careless: the description has no method Lists"},
      {"method_without_function", "interface io.adit.careless: method List has no function"},
      {"method_without_size", "interface io.adit.careless: a method or command without its size: write .size = sizeof(AditMethod)"},
      {"method_flags", "interface io.adit.careless: method List has flags 0x40, which nobody knows"},
      {"command_without_method", "command `show careless`: io.adit.careless.Lost is no method of this interface"},
      {"nonsense_columns", "command `show careless`: column `AGE=age:years` is not TITLE=key[:format]"},
      {"nonsense_rows", "command `show careless`: the reply of List has no list `rows`"},
      {"nonsense_arguments", "command `show careless`: argument `name` is no parameter of List"},
      {"verb_twice", "command `show info` exists already: it is io.adit.core's, of plugin core"},
      {"odd_verb", "command `Show  careless`: a verb is words of small letters"},
  };

  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autofree char *said = load_with(rows[i][0]);
    g_autofree char *begin = g_strdup_printf("plugin careless: ");
    if (!said || !g_str_has_prefix(said, begin) || !strstr(said, rows[i][1]))
      fail_msg("%s: \"%s\" does not say \"%s\"", rows[i][0], said ? said : "(loaded)", rows[i][1]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_plugin_without_mistakes_is_loaded),
      cmocka_unit_test(each_mistake_is_named),
  };
  return cmocka_run_group_tests_name("careless", tests, NULL, NULL);
}
