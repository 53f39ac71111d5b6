/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The four plugins as the daemon meets them: their glue, their options, and a user out of YAML who logs in. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include "core/aaa/aaa.h"
#include "core/base/loop.h"
#include "core/base/owner.h"
#include "core/config/config.h"
#include "core/session/config/options.h"
#include "tests/lib/loop.h"

extern const AditPluginInfo adit_plugin_info_pap, adit_plugin_info_chap, adit_plugin_info_mschap, adit_plugin_info_secrets;

static const AditPluginInfo *const infos[] = {&adit_plugin_info_pap, &adit_plugin_info_chap, &adit_plugin_info_mschap,
                                              &adit_plugin_info_secrets};
static struct AditPlugin plugins[] = {{"pap"}, {"chap"}, {"mschap"}, {"secrets"}};

static const char yaml[] = "aaa:\n"
                           "  sources: secrets\n"
                           "  timeout: 10s\n"
                           "secrets:\n"
                           "  - name: bob\n"
                           "    password: secret\n"
                           "    service: l2tp\n"
                           "  - name: hash\n"
                           "    nt-hash: 44EBBA8D5312B8D611474411F56989AE\n";

static const void *service_of(AditPlugin *plugin, const char *name, guint version) {
  return g_str_equal(name, ADIT_AAA_SERVICE) ? adit_aaa_service() : NULL;
}

static const void *no_service(AditPlugin *plugin, const char *name, guint version) {
  return NULL;
}

static const AditHost host = {.size = sizeof host, .abi_minor = ADIT_ABI_MINOR, .service = service_of};

typedef struct {
  gpointer state[G_N_ELEMENTS(infos)];
  AditSchema *schema;
} Fixture;

static int setup(void **state) {
  Fixture *f = g_new0(Fixture, 1);

  adit_loop_init();
  adit_aaa_init(adit_loop_service());
  f->schema = adit_schema_new();
  assert_true(adit_schema_add(f->schema, "core", adit_session_options, adit_session_n_options));
  assert_true(adit_schema_add(f->schema, "core", adit_aaa_options, adit_aaa_n_options));
  for (gsize i = 0; i < G_N_ELEMENTS(infos); i++) {
    assert_true(infos[i]->init((AditPlugin *)&plugins[i], &host, &f->state[i], NULL));
    assert_true(adit_schema_add(f->schema, infos[i]->name, infos[i]->options, infos[i]->n_options));
  }
  assert_null(adit_schema_error(f->schema));
  *state = f;
  return 0;
}

static int teardown(void **state) {
  Fixture *f = (Fixture *)*state;

  for (gsize i = 0; i < G_N_ELEMENTS(infos); i++) {
    adit_aaa_drop_plugin((AditPlugin *)&plugins[i]);
    if (infos[i]->fini)
      infos[i]->fini(f->state[i]);
  }
  adit_schema_free(f->schema);
  adit_aaa_fini();
  adit_loop_fini();
  g_free(f);
  return 0;
}

static void configure(Fixture *f, const char *text) {
  const AditPluginInfo *secrets = &adit_plugin_info_secrets;
  g_autoptr(AditConfigErrors) errors = adit_config_errors_new();
  g_autoptr(AditValue) config = adit_config_load_text(f->schema, "adit.yaml", text, -1, errors);
  gboolean pending = FALSE;
  gpointer staged = NULL;

  if (!config)
    fail_msg("%s", adit_config_errors_text(errors));
  AditAaaStaged *aaa = adit_aaa_prepare(config, NULL);
  assert_non_null(aaa);
  assert_true(secrets->prepare(f->state[3], config, &staged, &pending, NULL, NULL));
  secrets->abort(f->state[3], staged);
  assert_true(secrets->prepare(f->state[3], config, &staged, &pending, NULL, NULL));
  assert_false(pending);
  adit_aaa_commit(aaa);
  secrets->commit(f->state[3], staged);
}

typedef struct {
  guint calls;
  AditAuthOutcome outcome;
  char why[200];
} Verdict;

static void on_done(guint64 id, const AditAuthReply *reply, const char *source, gpointer data) {
  Verdict *verdict = (Verdict *)data;
  verdict->calls++;
  verdict->outcome = reply->outcome;
  g_strlcpy(verdict->why, reply->why ? reply->why : "", sizeof verdict->why);
}

static Verdict login(AditAuthKind kind, const char *user, const char *password) {
  AditAuthRequest *request = adit_auth_request_new(kind);
  Verdict verdict = {0};

  request->user = g_strdup(user);
  request->password = g_strdup(password);
  request->transport = g_strdup("l2tp");
  adit_aaa_request_begin(request, on_done, &verdict);
  assert_true(TEST_LOOP_UNTIL(verdict.calls, 5000));
  return verdict;
}

static void users_of_the_configuration_log_in(void **state) {
  Fixture *f = (Fixture *)*state;

  configure(f, yaml);
  assert_int_equal(login(ADIT_AUTH_PAP, "bob", "secret").outcome, ADIT_AUTH_ACCEPT);
  assert_string_equal(login(ADIT_AUTH_PAP, "bob", "guess").why, "wrong password");
  assert_string_equal(login(ADIT_AUTH_PAP, "eve", "secret").why, "no such user");
  assert_int_equal(login(ADIT_AUTH_PAP, "hash", "clientPass").outcome, ADIT_AUTH_ACCEPT);
  assert_string_equal(login(ADIT_AUTH_CHAP_MD5, "hash", NULL).why,
                      "only an NT hash is known of this user, and CHAP with MD5 needs the password itself");
  assert_string_equal(login(ADIT_AUTH_MSCHAPV2, "bob", NULL).why, "the response is none of MS-CHAPv2's");
}

static void a_reload_changes_who_may_come_in(void **state) {
  Fixture *f = (Fixture *)*state;

  configure(f, yaml);
  configure(f, "secrets: [{name: eve, password: new}]\n");
  assert_string_equal(login(ADIT_AUTH_PAP, "bob", "secret").why, "no such user");
  assert_int_equal(login(ADIT_AUTH_PAP, "eve", "new").outcome, ADIT_AUTH_ACCEPT);
}

/* ---- an empty password, by every method ---- */

static guint8 sent[64];

static guint64 no_time(gpointer end) {
  return 1;
}

static void no_wake(gpointer end, guint slot, guint64 deadline_ms) {}

static void no_random(gpointer end, gpointer buffer, gsize length) {
  memset(buffer, 0x33, length);
}

static void keep_value(gpointer end, const guint8 *payload, gsize length) {
  memcpy(sent, payload + 5, MIN(payload[4], sizeof sent)); /* RFC 1994 4.1: the Value */
}

static void not_asked(gpointer end, AditAuthRequest *request) {}

static void not_done(gpointer end, gboolean ok, const char *why) {}

/** What a peer answers that has this password, by the method's own other side. */
static AditAuthRequest *proof_of(const AditAuthMethod *method, const char *user, const char *password) {
  static const AditEngineOps engine = {sizeof engine, no_time, no_wake, no_random};
  static const AditAuthUpOps up = {sizeof up, keep_value, not_asked, not_done};
  const AditAuthEnv env = {{&engine, NULL}, &up};
  const AditAuthStart start = {.size = sizeof start, .name = user, .password = password};
  g_autofree gpointer state = g_malloc0(method->state_size);
  AditAuthRequest *request = adit_auth_request_new(method->kind);
  guint8 length = method->kind == ADIT_AUTH_MSCHAPV1 ? 8 : 16, challenge[5 + 16] = {1, 7, 0, (guint8)(5 + length), length};

  request->user = g_strdup(user);
  request->transport = g_strdup("l2tp");
  if (method->kind == ADIT_AUTH_PAP) {
    request->password = g_strdup(password);
    return request;
  }
  memset(challenge + 5, 0x77, length);
  method->start(state, &env, &start);
  method->input(state, &env, challenge, (gsize)(5 + length));
  request->id = 7;
  request->challenge_length = length;
  memcpy(request->challenge, challenge + 5, length);
  request->response_length = method->kind == ADIT_AUTH_CHAP_MD5 ? 16 : 49;
  memcpy(request->response, sent, request->response_length);
  memcpy(request->peer_challenge, sent, sizeof request->peer_challenge);
  return request;
}

static Verdict prove(const AditAuthMethod *method, const char *user, const char *password) {
  Verdict verdict = {0};

  adit_aaa_request_begin(proof_of(method, user, password), on_done, &verdict);
  assert_true(TEST_LOOP_UNTIL(verdict.calls, 5000));
  return verdict;
}

/* As a RADIUS server in front of LDAP may be: whatever is asked, it says yes. */
static guint asked;

static void say_yes(gpointer state, AditAuthRequest *request, AditAuthHandle *handle) {
  const AditAuthReply yes = {.size = sizeof yes, .outcome = ADIT_AUTH_ACCEPT, .message = "S=0000000000000000000000000000000000000000"};
  asked++;
  adit_aaa_service()->answer(handle, &yes);
}

static const AditAuthSourceOps yes_source = {.size = sizeof yes_source, .name = "radius", .ask = say_yes};

static void an_empty_password_proves_nothing_by_any_method(void **state) {
  Fixture *f = (Fixture *)*state;
  guint n = 0;
  const AditAuthMethod *const *methods = adit_auth_methods(&n);

  assert_true(adit_aaa_service()->source_add((AditPlugin *)&plugins[0], &yes_source, NULL, NULL));
  configure(f, "aaa: {sources: [secrets], use-radius: yes}\nsecrets: [{name: bob, password: secret}]\n");
  for (guint i = 0; i < n; i++) {
    gboolean pap = methods[i]->kind == ADIT_AUTH_PAP; /* seen at once; of others only when a source has accepted it */
    print_message("%s\n", methods[i]->name);
    asked = 0;
    assert_int_equal(prove(methods[i], "bob", "secret").outcome, ADIT_AUTH_ACCEPT);
    assert_int_equal(prove(methods[i], "ann", "any").outcome, ADIT_AUTH_ACCEPT); /* the other source's */
    assert_int_equal(asked, 1);
    assert_string_equal(prove(methods[i], "ann", "").why, "the peer gave an empty password, which proves nothing");
    assert_int_equal(asked, pap ? 1 : 2);
    assert_string_equal(prove(methods[i], "bob", "").why, pap ? "the peer gave an empty password, which proves nothing" : "wrong password");
  }
}

static void methods_have_the_words_of_the_configuration(void **unused) {
  static const char *const expected[] = {"mschap2", "mschap1", "chap", "pap"};
  guint n = 0;
  const AditAuthMethod *const *methods = adit_auth_methods(&n);

  assert_int_equal(n, G_N_ELEMENTS(expected));
  for (guint i = 0; i < n; i++)
    assert_string_equal(methods[i]->name, expected[i]);
}

static void each_says_what_it_provides_and_what_it_lacks(void **unused) {
  for (gsize i = 0; i < G_N_ELEMENTS(infos); i++) {
    g_autoptr(GError) error = NULL;
    AditHost poor = host;
    gpointer state = NULL;
    poor.service = no_service;
    assert_false(infos[i]->init((AditPlugin *)&plugins[i], &poor, &state, &error));
    assert_string_equal(error->message, "this daemon has no service adit.aaa");
    assert_true(infos[i]->n_features > 0 && *infos[i]->summary);
    for (guint k = 0; k < infos[i]->n_features; k++)
      assert_int_equal(infos[i]->features[k].kind, ADIT_PROVIDES);
  }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      CASE(users_of_the_configuration_log_in),
      CASE(a_reload_changes_who_may_come_in),
      CASE(an_empty_password_proves_nothing_by_any_method),
      CASE(methods_have_the_words_of_the_configuration),
      CASE(each_says_what_it_provides_and_what_it_lacks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
