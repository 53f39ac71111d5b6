/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
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

static void a_secret_is_verified_by_the_method(void **unused) {
  WorldVerdict right = {0}, wrong = {0};
  AditAuthReply secret = {.size = sizeof secret, .outcome = ADIT_AUTH_SECRET, .password = "secret"};
  g_autoptr(AditValue) attributes = secret.attributes = adit_value_map();

  adit_value_set(attributes, "profile", adit_value_string("gold"));
  guint64 id = world_ask("bob", "secret", &right);
  world_ask("bob", "guess", &wrong);
  assert_int_equal(adit_aaa_requests_count(), 2);
  world_reply(world_source("first"), &secret);
  world_reply(world_source("first"), &secret);
  assert_int_equal(right.calls, 0); /* never inside a call of the source's */
  world_run(0);
  assert_int_equal(right.calls, 1);
  assert_int_equal(right.id, id);
  assert_int_equal(right.outcome, ADIT_AUTH_ACCEPT);
  assert_string_equal(right.message, "S=proof");
  assert_string_equal(right.source, "first");
  assert_true(right.keys);
  assert_string_equal(adit_value_get_string(right.attributes, "profile", ""), "gold");
  assert_int_equal(wrong.outcome, ADIT_AUTH_REJECT);
  assert_string_equal(wrong.why, "wrong password");
  assert_false(wrong.keys);
  assert_null(wrong.attributes);
  assert_false(right.secret_leaked || wrong.secret_leaked);
  assert_int_equal(world_source("second")->asked, 0);
  assert_int_equal(adit_aaa_requests_count(), 0);
  world_verdict_clear(&right);
}

static void answers_are_copied(void **unused) {
  WorldVerdict verdict = {0};
  char message[] = "welcome", why[] = "because";
  AditAuthReply *reply = g_new0(AditAuthReply, 1);

  reply->size = sizeof *reply;
  reply->outcome = ADIT_AUTH_ACCEPT;
  reply->message = message;
  reply->why = why;
  reply->password = "never passed on";
  world_ask("bob", "secret", &verdict);
  world_reply(world_source("first"), reply);
  memset(message, 'x', sizeof message - 1);
  memset(why, 'x', sizeof why - 1);
  g_free(reply);
  world_run(0);
  assert_string_equal(verdict.message, "welcome");
  assert_string_equal(verdict.why, "because");
  assert_false(verdict.secret_leaked);
}

static void a_reply_of_an_older_plugin_is_shorter(void **unused) {
  WorldVerdict verdict = {0};
  AditAuthReply reply = {
      .size = G_STRUCT_OFFSET(AditAuthReply, eap), .outcome = ADIT_AUTH_REJECT, .why = (const char *)1, .eap = (GBytes *)1};

  world_ask("bob", "secret", &verdict);
  world_reply(world_source("first"), &reply);
  world_run(0);
  assert_int_equal(verdict.outcome, ADIT_AUTH_REJECT);
  assert_string_equal(verdict.why, "");
}

static void only_not_mine_walks_on(void **unused) {
  WorldVerdict verdict = {0};

  world_ask("bob", "secret", &verdict);
  world_answer(world_source("first"), ADIT_AUTH_NOT_MINE);
  world_run(0);
  assert_int_equal(world_source("second")->asked, 1);
  assert_int_equal(verdict.calls, 0);
  world_answer(world_source("second"), ADIT_AUTH_SECRET);
  world_run(0);
  assert_int_equal(verdict.outcome, ADIT_AUTH_ACCEPT);
  assert_string_equal(verdict.source, "second");

  world_ask("bob", "secret", &verdict);
  world_answer(world_source("first"), ADIT_AUTH_REJECT);
  world_run(0);
  assert_int_equal(verdict.outcome, ADIT_AUTH_REJECT);
  assert_int_equal(world_source("second")->asked, 1);
}

static void a_name_that_nobody_knows_is_verified_too(void **unused) {
  WorldVerdict unknown = {0}, wrong = {0};

  world_ask("eve", "secret", &unknown);
  world_answer(world_source("first"), ADIT_AUTH_NOT_MINE);
  world_run(0);
  world_answer(world_source("second"), ADIT_AUTH_NOT_MINE);
  world_run(0);
  assert_int_equal(unknown.calls, 1);
  assert_int_equal(unknown.outcome, ADIT_AUTH_REJECT);
  assert_string_equal(unknown.why, "no such user");
  assert_string_equal(unknown.source, "");
  assert_int_equal(world_verifies(), 1);

  world_ask("bob", "guess", &wrong);
  world_answer(world_source("first"), ADIT_AUTH_SECRET);
  world_run(0);
  assert_int_equal(wrong.outcome, unknown.outcome); /* the peer is told the same */
  assert_string_equal(wrong.message, unknown.message);
  assert_int_equal(wrong.retry, unknown.retry);

  /* even one who guesses what unknown names are checked against stays out */
  WorldVerdict lucky = {0};
  world_ask("eve", "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", &lucky);
  world_answer(world_source("first"), ADIT_AUTH_NOT_MINE);
  world_run(0);
  world_answer(world_source("second"), ADIT_AUTH_NOT_MINE);
  world_run(0);
  assert_int_equal(lucky.outcome, ADIT_AUTH_REJECT);
  assert_false(lucky.keys);
}

static void an_error_refuses(void **unused) {
  WorldVerdict verdict = {0};
  AditAuthReply reply = {.size = sizeof reply, .outcome = ADIT_AUTH_ERROR, .why = "disk on fire"};

  world_ask("bob", "secret", &verdict);
  world_reply(world_source("first"), &reply);
  world_run(0);
  assert_int_equal(verdict.outcome, ADIT_AUTH_ERROR);
  assert_string_equal(verdict.why, "disk on fire");
  assert_int_equal(world_source("second")->asked, 0);
  assert_int_equal(world_warnings(), 1);
  assert_non_null(strstr(world_last_warning(), "first"));
}

static void on_error_next_asks_the_next(void **unused) {
  WorldVerdict verdict = {0};
  AditValue *aaa = adit_value_map();

  adit_value_set(aaa, "on-error", adit_value_string("next"));
  world_configure(aaa);
  world_ask("bob", "secret", &verdict);
  world_answer(world_source("first"), ADIT_AUTH_ERROR);
  world_run(0);
  assert_int_equal(verdict.calls, 0);
  world_answer(world_source("second"), ADIT_AUTH_SECRET);
  world_run(0);
  assert_int_equal(verdict.outcome, ADIT_AUTH_ACCEPT);
}

static void a_silent_source_meets_its_deadline(void **unused) {
  WorldVerdict verdict = {0};
  WorldSource *source = world_source("first");

  world_ask("bob", "secret", &verdict);
  assert_int_equal(((AditAuthRequest *)g_queue_peek_head(&source->requests))->deadline_ms, world_now() + 30000);
  world_run(29999);
  assert_int_equal(verdict.calls, 0);
  world_run(1);
  assert_int_equal(verdict.calls, 1);
  assert_int_equal(verdict.outcome, ADIT_AUTH_ERROR);
  assert_string_equal(verdict.why, "it did not answer in time");
  assert_int_equal(source->cancelled, 1);
  world_answer(source, ADIT_AUTH_ACCEPT); /* too late */
  world_run(0);
  assert_int_equal(verdict.calls, 1);
}

static void each_source_has_its_own_deadline(void **unused) {
  WorldVerdict verdict = {0};
  AditValue *aaa = adit_value_map();

  adit_value_set(aaa, "on-error", adit_value_string("next"));
  adit_value_set(aaa, "timeout", adit_value_int(5000));
  world_configure(aaa);
  world_ask("bob", "secret", &verdict);
  guint64 deadline = ((AditAuthRequest *)g_queue_peek_head(&world_source("first")->requests))->deadline_ms;
  world_run(5000);
  assert_int_equal(world_source("second")->asked, 1);
  assert_int_equal(((AditAuthRequest *)g_queue_peek_head(&world_source("second")->requests))->deadline_ms, world_now() + 5000);
  assert_int_equal(((AditAuthRequest *)g_queue_peek_head(&world_source("first")->requests))->deadline_ms,
                   deadline); /* never changed under it */
  assert_string_equal(((AditAuthRequest *)g_queue_peek_head(&world_source("second")->requests))->password, "secret");
  world_answer(world_source("first"), ADIT_AUTH_REJECT); /* the late one decides nothing */
  world_run(4000);
  assert_int_equal(verdict.calls, 0);
  world_answer(world_source("second"), ADIT_AUTH_ACCEPT);
  world_run(0);
  assert_int_equal(verdict.outcome, ADIT_AUTH_ACCEPT);
  assert_string_equal(verdict.source, "second");
}

static void a_second_answer_is_dropped_and_its_source_named(void **unused) {
  WorldVerdict verdict = {0};
  WorldSource *source = world_source("first");
  AditAuthReply accept = {.size = sizeof accept, .outcome = ADIT_AUTH_ACCEPT};

  world_ask("bob", "secret", &verdict);
  adit_aaa_service()->answer((AditAuthHandle *)g_queue_peek_head(&source->handles), &accept);
  world_answer(source, ADIT_AUTH_REJECT);
  world_run(0);
  assert_int_equal(verdict.calls, 1);
  assert_int_equal(verdict.outcome, ADIT_AUTH_ACCEPT);
  assert_int_equal(world_warnings(), 1);
  assert_non_null(strstr(world_last_warning(), "source first answered a request twice"));
}

static void letting_go_without_an_answer_is_an_error(void **unused) {
  WorldVerdict kept = {0}, at_once = {0};
  WorldSource *source = world_source("first");

  world_ask("bob", "secret", &kept);
  world_run(0);
  assert_int_equal(kept.calls, 0);
  world_let_go(source);
  world_run(0);
  assert_int_equal(kept.outcome, ADIT_AUTH_ERROR);
  assert_string_equal(kept.why, "it let go of the request without an answer");
  source->drop = TRUE;
  world_ask("bob", "secret", &at_once);
  assert_int_equal(at_once.calls, 0);
  world_run(0);
  assert_int_equal(at_once.outcome, ADIT_AUTH_ERROR);
  assert_int_equal(source->cancelled, 0);
}

static void an_answer_within_ask_comes_after_it(void **unused) {
  WorldVerdict verdict = {0};
  AditAuthReply accept = {.size = sizeof accept, .outcome = ADIT_AUTH_ACCEPT};

  world_source("first")->at_once = &accept;
  guint64 id = world_ask("bob", "secret", &verdict);
  assert_int_equal(verdict.calls, 0);
  world_run(0);
  assert_int_equal(verdict.id, id);
  assert_int_equal(verdict.calls, 1);
}

static void cancelling_tells_the_source_and_drops_its_answer(void **unused) {
  WorldVerdict verdict = {0};
  WorldSource *source = world_source("first");

  guint64 id = world_ask("bob", "secret", &verdict);
  adit_aaa_request_cancel(id);
  adit_aaa_request_cancel(id);
  assert_int_equal(source->cancelled, 1);
  assert_int_equal(adit_aaa_requests_count(), 0);
  world_answer(source, ADIT_AUTH_ACCEPT);
  world_run(60000);
  assert_int_equal(verdict.calls, 0);

  id = world_ask("bob", "secret", &verdict);
  world_answer(source, ADIT_AUTH_ACCEPT);
  adit_aaa_request_cancel(id); /* the answer is on its way: nothing to tell the source */
  world_run(0);
  assert_int_equal(source->cancelled, 1);
  assert_int_equal(verdict.calls, 0);
  assert_int_equal(world_warnings(), 0);
}

static void retry_is_passed_on_with_a_refusal_only(void **unused) {
  WorldVerdict wrong = {0}, right = {0};
  AditAuthReply secret = {.size = sizeof secret, .outcome = ADIT_AUTH_SECRET, .password = "secret", .retry = TRUE};

  world_ask("bob", "guess", &wrong);
  world_reply(world_source("first"), &secret);
  world_ask("bob", "secret", &right);
  world_reply(world_source("first"), &secret);
  world_run(0);
  assert_true(wrong.retry);
  assert_false(right.retry);
}

static void answers_that_make_no_sense_refuse(void **unused) {
  static const AditAuthOutcome outcomes[] = {(AditAuthOutcome)0, (AditAuthOutcome)99, ADIT_AUTH_CHALLENGE, ADIT_AUTH_SECRET};

  for (gsize i = 0; i < G_N_ELEMENTS(outcomes); i++) {
    WorldVerdict verdict = {0};
    AditAuthReply reply = {.size = sizeof reply, .outcome = outcomes[i]};
    world_ask("bob", "secret", &verdict);
    world_reply(world_source("first"), &reply);
    world_run(0);
    assert_int_equal(verdict.calls, 1);
    assert_int_equal(verdict.outcome, ADIT_AUTH_ERROR);
  }
}

static void a_source_whose_plugin_leaves_is_an_error(void **unused) {
  WorldVerdict waiting = {0}, later = {0};

  world_ask("bob", "secret", &waiting);
  adit_aaa_drop_plugin(&world_plugin);
  world_run(0);
  assert_int_equal(waiting.outcome, ADIT_AUTH_ERROR);
  assert_string_equal(waiting.why, "its plugin is gone");
  assert_int_equal(world_source("first")->cancelled, 0);
  world_answer(world_source("first"), ADIT_AUTH_ACCEPT);
  world_ask("bob", "secret", &later);
  world_run(0);
  assert_int_equal(waiting.calls, 1);
  assert_int_equal(later.outcome, ADIT_AUTH_ERROR);
}

static void the_end_leaves_nothing_behind(void **unused) {
  WorldVerdict verdict = {0};

  world_ask("bob", "secret", &verdict);
  world_ask("eve", "secret", &verdict);
  world_answer(world_source("first"), ADIT_AUTH_ACCEPT); /* one is queued, one still waits, when teardown ends it all */
}

static void nobody_configured_refuses(void **unused) {
  static const char *const none[] = {NULL};
  WorldVerdict verdict = {0};

  world_fini();
  world_init(none);
  world_ask("bob", "secret", &verdict);
  assert_int_equal(verdict.calls, 0);
  world_run(0);
  assert_int_equal(verdict.outcome, ADIT_AUTH_ERROR);
  assert_string_equal(verdict.why, "no source is configured");
}

static void requests_keep_the_chain_they_began_with(void **unused) {
  WorldVerdict verdict = {0};
  g_autoptr(AditValue) config = adit_value_map();
  AditValue *aaa = adit_value_map(), *sources = adit_value_list();

  world_ask("bob", "secret", &verdict);
  adit_value_append(sources, adit_value_string("first"));
  adit_value_set(aaa, "sources", sources);
  adit_value_set(config, "aaa", fill_defaults(aaa, adit_aaa_options, adit_aaa_n_options, ADIT_SCOPE_AAA));
  adit_aaa_commit(adit_aaa_prepare(config, NULL));
  world_answer(world_source("first"), ADIT_AUTH_NOT_MINE);
  world_run(0);
  assert_int_equal(world_source("second")->asked, 1);
}

static void methods_are_found_strongest_first(void **unused) {
  guint n = 0;
  AditAuthMethod strong = *adit_auth_method_find("pap");
  g_autoptr(GError) error = NULL;

  strong.name = "mschap2";
  strong.kind = ADIT_AUTH_MSCHAPV2;
  strong.strength = 40;
  assert_true(adit_aaa_service()->method_add(NULL, &strong, NULL));
  assert_string_equal(adit_auth_methods(&n)[0]->name, "mschap2");
  assert_int_equal(n, 2);
  assert_ptr_equal(adit_auth_method_of_kind(ADIT_AUTH_MSCHAPV2), &strong);
  assert_null(adit_auth_method_find("eap"));
  assert_false(adit_aaa_service()->method_add(NULL, &strong, &error));
  assert_string_equal(error->message, "method_add() of mschap2: there is one already");
  adit_aaa_drop_plugin(NULL);
  adit_auth_methods(&n);
  assert_int_equal(n, 1);
}

/* ---- configuration ---- */

static char *refusal(const char *key, AditValue *value) {
  g_autoptr(AditValue) config = adit_value_map();
  g_autoptr(GError) error = NULL;
  AditValue *aaa = adit_value_map();

  value->where = (AditWhere){g_intern_string("adit.yaml"), 3, 9};
  if (value->type == ADIT_VALUE_LIST)
    ((AditValue *)adit_value_at(value, 0))->where = value->where;
  adit_value_set(aaa, key, value);
  adit_value_set(config, "aaa", fill_defaults(aaa, adit_aaa_options, adit_aaa_n_options, ADIT_SCOPE_AAA));
  assert_null(adit_aaa_prepare(config, &error));
  return g_strdup(error->message);
}

static void unknown_sources_are_named_with_their_place(void **unused) {
  AditValue *list = adit_value_list();
  adit_value_append(list, adit_value_string("ldap"));
  g_autofree char *sources = refusal("sources", list);
  g_autofree char *radius = refusal("use-radius", adit_value_bool(TRUE));

  assert_string_equal(sources,
                      "adit.yaml:3:9: aaa.sources: no plugin provides the source ldap (there are first, second): is it in `plugins'?");
  assert_string_equal(radius,
                      "adit.yaml:3:9: aaa.use-radius: no plugin provides the source radius (there are first, second): is it in `plugins'?");
}

/* RFC 3579 2.1: a conversation belongs to the server that began it. */
static void a_conversation_stays_with_the_source_that_opened_it(void **unused) {
  WorldVerdict verdict = {0};
  AditAuthRequest *request = adit_auth_request_new(ADIT_AUTH_EAP);
  const guint8 octets[] = {1, 2, 0, 5, 1};

  request->user = g_strdup("alice");
  request->eap = g_bytes_new(octets, sizeof octets);
  request->source = g_strdup("second");
  request->state = g_bytes_new("abc", 3);
  adit_aaa_request_begin(request, world_done, &verdict);
  assert_int_equal(world_source("first")->asked, 0);
  assert_int_equal(world_source("second")->asked, 1);
  AditAuthRequest *seen = (AditAuthRequest *)g_queue_peek_head(&world_source("second")->requests);
  assert_int_equal(g_bytes_get_size(seen->state), 3);
  world_answer(world_source("second"), ADIT_AUTH_NOT_MINE); /* it has lost it: nobody else can go on */
  world_run(0);
  assert_int_equal(verdict.calls, 1);
  assert_int_equal(verdict.outcome, ADIT_AUTH_REJECT);
  assert_int_equal(world_source("first")->asked, 0);
  world_verdict_clear(&verdict);
}

/* A method that was built against older headers makes a shorter request. */
static void a_request_of_an_older_plugin_is_made_whole(void **unused) {
  WorldVerdict verdict = {0};
  gsize size = G_STRUCT_OFFSET(AditAuthRequest, record_id);
  AditAuthRequest *request = (AditAuthRequest *)g_malloc0(size);

  request->size = size;
  request->refs = 1;
  request->kind = ADIT_AUTH_PAP;
  request->user = g_strdup("alice");
  request->password = g_strdup("x");
  request = adit_aaa_whole(request);
  assert_int_equal(request->size, sizeof *request);
  assert_string_equal(request->user, "alice");
  assert_null(request->record_id);
  request->record_id = g_strdup("7");
  adit_aaa_request_begin(request, world_done, &verdict);
  world_answer(world_source("first"), ADIT_AUTH_REJECT);
  world_run(0);
  assert_int_equal(verdict.outcome, ADIT_AUTH_REJECT);
  world_verdict_clear(&verdict);
}

static void local_sources_say_so(void **unused) {
  static const AditAuthSourceOps here = {.size = sizeof here, .name = "here", .ask = NULL, .local = TRUE};
  AditAuthSourceOps mine = here;
  mine.ask = world_source("first")->ops.ask;
  assert_true(adit_aaa_service()->source_add(NULL, &mine, NULL, NULL));
  assert_true(adit_aaa_is_local("here"));
  assert_false(adit_aaa_is_local("first"));
  assert_false(adit_aaa_is_local(NULL));

  AditAuthSourceOps older = mine;
  older.name = "older";
  older.size = G_STRUCT_OFFSET(AditAuthSourceOps, local);
  assert_true(adit_aaa_service()->source_add(NULL, &older, NULL, NULL));
  assert_false(adit_aaa_is_local("older"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      CASE(a_secret_is_verified_by_the_method),
      CASE(answers_are_copied),
      CASE(a_reply_of_an_older_plugin_is_shorter),
      CASE(only_not_mine_walks_on),
      CASE(a_name_that_nobody_knows_is_verified_too),
      CASE(an_error_refuses),
      CASE(on_error_next_asks_the_next),
      CASE(a_silent_source_meets_its_deadline),
      CASE(each_source_has_its_own_deadline),
      CASE(a_second_answer_is_dropped_and_its_source_named),
      CASE(letting_go_without_an_answer_is_an_error),
      CASE(an_answer_within_ask_comes_after_it),
      CASE(cancelling_tells_the_source_and_drops_its_answer),
      CASE(retry_is_passed_on_with_a_refusal_only),
      CASE(answers_that_make_no_sense_refuse),
      CASE(a_source_whose_plugin_leaves_is_an_error),
      CASE(the_end_leaves_nothing_behind),
      CASE(nobody_configured_refuses),
      CASE(requests_keep_the_chain_they_began_with),
      CASE(methods_are_found_strongest_first),
      CASE(unknown_sources_are_named_with_their_place),
      CASE(a_conversation_stays_with_the_source_that_opened_it),
      CASE(a_request_of_an_older_plugin_is_made_whole),
      CASE(local_sources_say_so),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
