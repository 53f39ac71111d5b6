/* SPDX-License-Identifier: MIT */
/* adit.aaa: registrations, and answers from any thread. */
#include "adit-test.h"

/* The source counts its references in `refs`; the memory also waits for the test, whichever ends first: a thread may still be letting go
 * of its handle when the answer has long been seen. */
struct AditAuthHandle {
  gint refs;
  gint memory;   /* one for the source, one for the test */
  gint answered; /* or nobody wants to hear of it any more */
  gint over;
  AditTestAnswer *answer;
};

typedef struct {
  AditTestAnswer answer; /* head */
  AditAuthHandle *handle;
  const AditAuthSourceOps *ops;
  gpointer state;
} TestAsk;

typedef struct {
  AditAuthHandle *handle;
  AditTestAnswer copy;
} Arrival;

static void answer_clear(AditTestAnswer *answer) {
  adit_value_unref(answer->attributes);
  g_free(answer->password);
  g_free(answer->message);
  g_free(answer->why);
}

static AditAuthHandle *handle_ref(AditAuthHandle *handle) {
  g_atomic_int_inc(&handle->refs);
  return handle;
}

static void arrive(gpointer data) {
  g_autofree Arrival *arrival = (Arrival *)data;
  AditTestAnswer *answer = arrival->handle->answer;
  guint count = answer->count + 1;

  answer_clear(answer);
  *answer = arrival->copy;
  answer->count = count;
}

static void deliver(AditAuthHandle *handle, const AditAuthReply *reply) {
  if (g_atomic_int_get(&handle->over))
    return;
  Arrival *arrival = g_new0(Arrival, 1);
  g_atomic_int_set(&handle->answered, 1);
  arrival->handle = handle;
  arrival->copy = (AditTestAnswer){
      .outcome = reply->outcome,
      .attributes = adit_value_ref(reply->attributes),
      .password = g_strdup(reply->password),
      .message = g_strdup(reply->message),
      .why = g_strdup(reply->why),
      .has_nt_hash = reply->nt_hash != NULL,
      .error_code = reply->error_code,
      .retry = reply->retry,
  };
  if (reply->nt_hash)
    memcpy(arrival->copy.nt_hash, reply->nt_hash, 16);
  test_later(arrive, arrival);
}

static void handle_release(AditAuthHandle *handle) {
  if (g_atomic_int_dec_and_test(&handle->memory))
    g_free(handle);
}

static void handle_unref(AditAuthHandle *handle) {
  const AditAuthReply dropped = {.size = sizeof dropped, .outcome = ADIT_AUTH_ERROR, .why = "dropped without an answer"};

  if (!g_atomic_int_dec_and_test(&handle->refs))
    return;
  if (!g_atomic_int_get(&handle->answered))
    deliver(handle, &dropped);
  handle_release(handle);
}

static gboolean method_add(AditPlugin *plugin, const AditAuthMethod *method, GError **error) {
  return test_register(test_now->methods, plugin, method->name, method, NULL, error);
}

static gboolean source_add(AditPlugin *plugin, const AditAuthSourceOps *ops, gpointer state, GError **error) {
  return test_register(test_now->sources, plugin, ops->name, ops, state, error);
}

static gboolean sink_add(AditPlugin *plugin, const AditAcctSinkOps *ops, gpointer state, GError **error) {
  return test_register(test_now->sinks, plugin, ops->name, ops, state, error);
}

const AditAaaService test_aaa_service = {
    .size = sizeof(AditAaaService),
    .method_add = method_add,
    .source_add = source_add,
    .sink_add = sink_add,
    .answer = deliver,
    .handle_ref = handle_ref,
    .handle_unref = handle_unref,
};

/* ---- for tests ---- */

AditAuthRequest *adit_test_pap(const char *user, const char *password) {
  AditAuthRequest *request = adit_auth_request_new(ADIT_AUTH_PAP);
  AditAddress address;

  request->user = g_strdup(user);
  request->password = g_strdup(password);
  request->transport = g_strdup("l2tp");
  request->server = g_strdup("default");
  request->caller_id = g_strdup("192.0.2.10");
  request->link = 1;
  adit_address_parse("192.0.2.10", &address);
  request->peer = adit_endpoint(&address, 1701);
  adit_address_parse("192.0.2.1", &address);
  request->local = adit_endpoint(&address, 1701);
  return request;
}

AditTestAnswer *adit_test_ask(AditTest *test, const char *source, AditAuthRequest *request) {
  g_autoptr(AditAuthRequest) owned = request;
  TestEntry *entry = test_find(test->sources, source);

  if (!entry)
    return NULL;
  TestAsk *ask = g_new0(TestAsk, 1);
  ask->ops = (const AditAuthSourceOps *)entry->ops;
  ask->state = entry->state;
  ask->handle = g_new(AditAuthHandle, 1);
  *ask->handle = (AditAuthHandle){.refs = 1, .memory = 2, .answer = &ask->answer};
  g_ptr_array_add(test->answers, ask);
  owned->deadline_ms = test->now + 30000;
  ask->ops->ask(ask->state, owned, ask->handle);
  handle_unref(ask->handle); /* what the source has not kept is dropped */
  return &ask->answer;
}

void adit_test_cancel(AditTest *test, AditTestAnswer *answer) {
  TestAsk *ask = (TestAsk *)answer;
  if (ask->ops->cancel)
    ask->ops->cancel(ask->state, ask->handle);
}

static void sink_done(gpointer token, gboolean kept) {
  g_atomic_int_set((gint *)token, kept ? 1 : -1);
}

gboolean adit_test_account(AditTest *test, const char *sink, const AditAcctRecord *record, gint *kept) {
  TestEntry *entry = test_find(test->sinks, sink);

  if (!entry)
    return FALSE;
  *kept = 0;
  ((const AditAcctSinkOps *)entry->ops)->record(entry->state, record, sink_done, kept);
  return TRUE;
}

const AditAuthMethod *adit_test_method(AditTest *test, const char *name) {
  TestEntry *entry = test_find(test->methods, name);
  return entry ? (const AditAuthMethod *)entry->ops : NULL;
}

static void ask_free(gpointer data) {
  TestAsk *ask = (TestAsk *)data;
  g_atomic_int_set(&ask->handle->over, 1);
  g_atomic_int_set(&ask->handle->answered, 1);
  handle_release(ask->handle);
  answer_clear(&ask->answer);
  g_free(ask);
}

void test_aaa_begin(AditTest *test) {
  test->sources = g_ptr_array_new_with_free_func(g_free);
  test->sinks = g_ptr_array_new_with_free_func(g_free);
  test->methods = g_ptr_array_new_with_free_func(g_free);
  test->answers = g_ptr_array_new_with_free_func(ask_free);
}

void test_aaa_end(AditTest *test) {
  g_ptr_array_unref(test->answers);
  g_ptr_array_unref(test->methods);
  g_ptr_array_unref(test->sinks);
  g_ptr_array_unref(test->sources);
}
