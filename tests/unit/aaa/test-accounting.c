/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The records of accounting, and their sinks. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include "core/aaa/aaa.h"
#include "tests/unit/aaa/world.h"
#include "tests/unit/defaults.h"

static const char *const two[] = {"first", "second", NULL};

static int setup(void **state) {
  world_init(two);
  return 0;
}

static int teardown(void **state) {
  world_fini();
  return 0;
}

static void accounting_and_interim(void **unused) {
  AditValue *aaa = adit_value_map();

  assert_true(adit_aaa_accounting());
  assert_int_equal(adit_aaa_interim_ms(), 0);
  adit_value_set(aaa, "interim-update", adit_value_int(60000));
  world_configure(aaa);
  assert_int_equal(adit_aaa_interim_ms(), 60000);
  aaa = adit_value_map();
  adit_value_set(aaa, "interim-update", adit_value_int(60000));
  adit_value_set(aaa, "accounting", adit_value_bool(FALSE));
  world_configure(aaa);
  assert_false(adit_aaa_accounting());
  assert_int_equal(adit_aaa_interim_ms(), 0);
}

typedef struct {
  guint records;
  AditAcctDone done;
  gpointer tokens[8];
} Sink;

static void sink_record(gpointer state, const AditAcctRecord *record, AditAcctDone done, gpointer token) {
  Sink *sink = (Sink *)state;
  sink->done = done;
  sink->tokens[sink->records++] = token;
}

static void count(gpointer data) {
  ++*(guint *)data;
}

static void each_sink_has_each_record_until_acknowledged(void **unused) {
  static const AditAcctSinkOps one = {.size = sizeof one, .name = "one", .record = sink_record};
  static const AditAcctSinkOps other = {.size = sizeof other, .name = "other", .record = sink_record};
  AditAcctRecord record = {.size = sizeof record, .kind = ADIT_ACCT_START, .record_id = "1", .user = "bob"};
  Sink a = {0}, b = {0};
  guint idle = 0;

  adit_acct_when_idle(count, &idle);
  world_run(0);
  assert_int_equal(idle, 1);
  assert_true(adit_aaa_service()->sink_add(&world_plugin, &one, &a, NULL));
  assert_true(adit_aaa_service()->sink_add(NULL, &other, &b, NULL));
  assert_false(adit_aaa_service()->sink_add(NULL, &other, &b, NULL));
  adit_acct_record(&record);
  adit_acct_record(&record);
  assert_int_equal(a.records, 2);
  assert_int_equal(b.records, 2);
  assert_int_equal(adit_acct_pending(), 4);
  adit_acct_when_idle(count, &idle);
  a.done(a.tokens[0], TRUE);
  a.done(a.tokens[0], TRUE); /* twice: nothing */
  b.done(b.tokens[1], FALSE);
  assert_int_equal(world_warnings(), 1);
  assert_string_equal(world_last_warning(), "sink other could not keep an accounting record");
  b.done(b.tokens[0], TRUE);
  world_run(0);
  assert_int_equal(adit_acct_pending(), 1);
  assert_int_equal(idle, 1);
  adit_aaa_drop_plugin(&world_plugin); /* takes its last receipt along */
  world_run(0);
  assert_int_equal(idle, 2);
  assert_int_equal(adit_acct_pending(), 0);
  a.done(a.tokens[1], TRUE);

  AditAaaStaged *staged = NULL;
  g_autoptr(AditValue) config = adit_value_map();
  AditValue *aaa = adit_value_map();
  adit_value_set(aaa, "accounting", adit_value_bool(FALSE));
  adit_value_set(config, "aaa", fill_defaults(aaa, adit_aaa_options, adit_aaa_n_options, ADIT_SCOPE_AAA));
  staged = adit_aaa_prepare(config, NULL);
  adit_aaa_abort(staged);
  adit_acct_record(&record);
  assert_int_equal(b.records, 3); /* aborted: still on */
  adit_aaa_commit(adit_aaa_prepare(config, NULL));
  adit_acct_record(&record);
  assert_int_equal(b.records, 3);
  record.kind = ADIT_ACCT_STOP; /* of a session that began before */
  adit_acct_record(&record);
  assert_int_equal(b.records, 4);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      CASE(accounting_and_interim),
      CASE(each_sink_has_each_record_until_acknowledged),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
