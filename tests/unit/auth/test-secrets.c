/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include "plugins-auth/secrets/secrets-table.h"

typedef struct {
  SecretsTable *table;
  SecretsAnswer answer;
} Fixture;

static AditValue *user(AditValue *list, const char *name, const char *password) {
  AditValue *record = adit_value_map();
  AditValue *service = adit_value_string("any"); /* what reading a file fills in */
  service->flags |= ADIT_VALUE_IS_DEFAULT;
  adit_value_set(record, "name", adit_value_string(name));
  adit_value_set(record, "service", service);
  if (password)
    adit_value_set(record, "password", adit_value_secret(password));
  adit_value_append(list, record);
  return record;
}

static AditValue *config_of(AditValue *list) {
  AditValue *config = adit_value_map();
  adit_value_set(config, "secrets", list);
  return config;
}

static const AditAuthReply *ask_from(Fixture *f, const char *name, const char *transport, const char *caller) {
  g_autoptr(AditAuthRequest) request = adit_auth_request_new(ADIT_AUTH_PAP);
  request->user = g_strdup(name);
  request->transport = g_strdup(transport);
  request->caller_id = g_strdup(caller);
  secrets_answer_clear(&f->answer);
  secrets_table_answer(f->table, request, &f->answer);
  return &f->answer.reply;
}

static const AditAuthReply *ask(Fixture *f, const char *name) {
  return ask_from(f, name, "l2tp", "192.0.2.7");
}

static int setup(void **state) {
  Fixture *f = g_new0(Fixture, 1);
  g_autoptr(GError) error = NULL;
  AditValue *list = adit_value_list(), *record;
  AditAddress address;

  record = user(list, "bob", "secret");
  adit_value_set(record, "profile", adit_value_string("gold"));
  assert_true(adit_address_parse("10.0.0.2", &address));
  adit_value_set(record, "remote-address", adit_value_address(&address));

  record = user(list, "hash", NULL);
  AditValue *hash = adit_value_secret("44EBBA8D5312B8d611474411f56989ae");
  adit_value_set(record, "nt-hash", hash);
  record = user(list, "off", "secret");
  adit_value_set(record, "disabled", adit_value_bool(TRUE));
  record = user(list, "dsl", "secret");
  adit_value_set(record, "service", adit_value_string("pppoe"));
  record = user(list, "tunnel", "secret");
  adit_value_set(record, "service", adit_value_string("l2tp"));
  record = user(list, "home", "secret");
  adit_value_set(record, "caller-id", adit_value_string("2001:db8::1"));
  user(list, "CORP\\bob", "other");

  g_autoptr(AditValue) config = config_of(list);
  f->table = secrets_table_new(config, &error);
  assert_null(error);
  assert_non_null(f->table);
  *state = f;
  return 0;
}

static int teardown(void **state) {
  Fixture *f = (Fixture *)*state;
  secrets_answer_clear(&f->answer);
  secrets_table_free(f->table);
  g_free(f);
  return 0;
}

static void a_user_is_answered_with_secret_and_record(void **state) {
  const AditAuthReply *reply = ask((Fixture *)*state, "bob");
  AditAddress address;

  assert_int_equal(reply->outcome, ADIT_AUTH_SECRET);
  assert_string_equal(reply->password, "secret");
  assert_null(reply->nt_hash);
  assert_string_equal(adit_value_get_string(reply->attributes, "profile", ""), "gold");
  assert_true(adit_value_get_address(reply->attributes, "remote-address", &address));
  assert_null(adit_value_get(reply->attributes, "password"));
  assert_null(adit_value_get(reply->attributes, "name"));
  assert_null(adit_value_get_written(reply->attributes, "service")); /* a default stays one, for the merge */
  assert_non_null(adit_value_get(reply->attributes, "service"));
}

static void names_are_exact(void **state) {
  Fixture *f = (Fixture *)*state;

  assert_int_equal(ask(f, "Bob")->outcome, ADIT_AUTH_NOT_MINE);
  assert_int_equal(ask(f, "bob ")->outcome, ADIT_AUTH_NOT_MINE);
  assert_int_equal(ask(f, "")->outcome, ADIT_AUTH_NOT_MINE);
  assert_int_equal(ask(f, "DOM\\bob")->outcome, ADIT_AUTH_NOT_MINE);
  assert_string_equal(ask(f, "CORP\\bob")->password, "other");
}

static void a_hash_is_given_alone(void **state) {
  const AditAuthReply *reply = ask((Fixture *)*state, "hash");
  static const guint8 expected[] = {0x44, 0xeb, 0xba, 0x8d, 0x53, 0x12, 0xb8, 0xd6, 0x11, 0x47, 0x44, 0x11, 0xf5, 0x69, 0x89, 0xae};

  assert_int_equal(reply->outcome, ADIT_AUTH_SECRET);
  assert_null(reply->password);
  assert_memory_equal(reply->nt_hash, expected, sizeof expected);
  assert_null(adit_value_get(reply->attributes, "nt-hash"));
}

static void a_user_who_can_prove_nothing_is_refused_with_place_and_advice(void **unused) {
  static const struct {
    const char *password, *hash, *error; /* NULL: none is written */
  } cases[] = {
      {NULL, NULL, "adit.yaml:7:5: secrets[1].password: the user has none: set `password` (or `nt-hash`), or remove the user"},
      {"", NULL, "adit.yaml:8:15: secrets[1].password: an empty password is refused: set one, or remove the user"},
      {"", "44EBBA8D5312B8D611474411F56989AE",
       "adit.yaml:8:15: secrets[1].password: an empty password is refused: set one, or remove the user"},
      {NULL, "31d6cfe0D16AE931B73C59D7E0C089C0",
       "adit.yaml:9:14: secrets[1].nt-hash: the hash of an empty password is refused: set the hash of another password"},
      {NULL, "44EBBA8D5312B8D611474411F56989AE", NULL},
      {"x", NULL, NULL},
  };

  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    AditValue *list = adit_value_list();
    g_autoptr(AditValue) config = config_of(list);
    g_autoptr(GError) error = NULL;
    user(list, "bob", "secret");
    AditValue *record = user(list, "open", cases[i].password), *hash = cases[i].hash ? adit_value_secret(cases[i].hash) : NULL;

    record->where = (AditWhere){g_intern_string("adit.yaml"), 7, 5};
    if (cases[i].password)
      ((AditValue *)adit_value_get(record, "password"))->where = (AditWhere){g_intern_string("adit.yaml"), 8, 15};
    if (hash) {
      hash->where = (AditWhere){g_intern_string("adit.yaml"), 9, 14};
      adit_value_set(record, "nt-hash", hash);
    }
    SecretsTable *table = secrets_table_new(config, &error);
    assert_true(!table == !!cases[i].error);
    if (cases[i].error)
      assert_string_equal(error->message, cases[i].error);
    secrets_table_free(table);
  }
}

static void all_mistakes_are_told_up_to_a_bound(void **unused) {
  AditValue *list = adit_value_list();
  g_autoptr(AditValue) config = config_of(list);
  g_autoptr(GError) error = NULL;

  for (int i = 0; i < 1000; i++) {
    g_autofree char *name = g_strdup_printf("u%d", i);
    user(list, name, NULL);
  }
  assert_null(secrets_table_new(config, &error));
  g_auto(GStrv) lines = g_strsplit(error->message, "\n", -1);
  assert_int_equal(g_strv_length(lines), 21);
  assert_non_null(strstr(lines[19], "secrets[19].password: the user has none"));
  assert_string_equal(lines[20], "secrets: 980 more mistakes");
}

static void disabled_users_are_refused(void **state) {
  const AditAuthReply *reply = ask((Fixture *)*state, "off");
  assert_int_equal(reply->outcome, ADIT_AUTH_REJECT);
  assert_string_equal(reply->why, "the user is disabled");
}

static void service_must_fit(void **state) {
  Fixture *f = (Fixture *)*state;
  const AditAuthReply *reply = ask(f, "dsl");

  assert_int_equal(reply->outcome, ADIT_AUTH_REJECT);
  assert_string_equal(reply->why, "the user may come by pppoe only, not by l2tp");
  assert_int_equal(ask_from(f, "dsl", "pppoe", NULL)->outcome, ADIT_AUTH_SECRET);
  assert_int_equal(ask(f, "tunnel")->outcome, ADIT_AUTH_SECRET);
  assert_int_equal(ask_from(f, "tunnel", NULL, NULL)->outcome, ADIT_AUTH_REJECT);
}

static void caller_must_fit(void **state) {
  Fixture *f = (Fixture *)*state;
  const AditAuthReply *reply = ask(f, "home");

  assert_int_equal(reply->outcome, ADIT_AUTH_REJECT);
  assert_string_equal(reply->why, "the user may come from 2001:db8::1 only, not from 192.0.2.7");
  assert_int_equal(ask_from(f, "home", "l2tp", "2001:db8::1")->outcome, ADIT_AUTH_SECRET);
  assert_int_equal(ask_from(f, "home", "l2tp", "2001:DB8:0:0::1")->outcome, ADIT_AUTH_SECRET);
  assert_int_equal(ask_from(f, "home", "l2tp", "2001:db8::10")->outcome, ADIT_AUTH_REJECT);
  assert_int_equal(ask_from(f, "home", "l2tp", NULL)->outcome, ADIT_AUTH_REJECT);
}

static void wrong_records_are_refused_with_their_place(void **unused) {
  for (int i = 0; i < 3; i++) {
    AditValue *list = adit_value_list();
    g_autoptr(AditValue) config = config_of(list);
    g_autoptr(GError) error = NULL;
    AditValue *record = user(list, "bob", "secret"), *hash = adit_value_secret(i ? "44EBBA8D5312B8d611474411f56989ag" : "44");

    record->where = hash->where = (AditWhere){g_intern_string("adit.yaml"), 7, 5};
    adit_value_set(record, "nt-hash", i < 2 ? hash : adit_value_secret("44EBBA8D5312B8D611474411F56989AE"));
    if (i == 2) {
      adit_value_unref(hash);
      user(list, "bob", "again");
    }
    assert_null(secrets_table_new(config, &error));
    assert_string_equal(error->message, i == 2 ? "secrets[1].name: the user exists already"
                                               : "adit.yaml:7:5: secrets[0].nt-hash: must be 32 hexadecimal digits");
  }
}

static void no_secrets_at_all_is_fine(void **unused) {
  Fixture f = {0};
  g_autoptr(AditValue) config = adit_value_map();

  assert_int_equal(ask(&f, "bob")->outcome, ADIT_AUTH_NOT_MINE); /* before the first commit */
  f.table = secrets_table_new(config, NULL);
  assert_int_equal(ask(&f, "bob")->outcome, ADIT_AUTH_NOT_MINE);
  secrets_table_free(f.table);
}

static void a_hundred_thousand_users_cost_no_more_than_one(void **unused) {
  Fixture f = {0};
  AditValue *list = adit_value_list();
  g_autoptr(AditValue) config = config_of(list);
  char name[32];

  for (int i = 0; i < 100000; i++) {
    g_snprintf(name, sizeof name, "user-%d", i);
    user(list, name, name);
  }
  f.table = secrets_table_new(config, NULL);
  for (int i = 0; i < 100000; i++) { /* a walk through the list would take minutes here */
    g_snprintf(name, sizeof name, "user-%d", i);
    assert_string_equal(ask(&f, name)->password, name);
  }
  secrets_answer_clear(&f.answer);
  secrets_table_free(f.table);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_user_is_answered_with_secret_and_record, setup, teardown),
      cmocka_unit_test_setup_teardown(names_are_exact, setup, teardown),
      cmocka_unit_test_setup_teardown(a_hash_is_given_alone, setup, teardown),
      cmocka_unit_test(a_user_who_can_prove_nothing_is_refused_with_place_and_advice),
      cmocka_unit_test(all_mistakes_are_told_up_to_a_bound),
      cmocka_unit_test_setup_teardown(disabled_users_are_refused, setup, teardown),
      cmocka_unit_test_setup_teardown(service_must_fit, setup, teardown),
      cmocka_unit_test_setup_teardown(caller_must_fit, setup, teardown),
      cmocka_unit_test(wrong_records_are_refused_with_their_place),
      cmocka_unit_test(no_secrets_at_all_is_fine),
      cmocka_unit_test(a_hundred_thousand_users_cost_no_more_than_one),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
