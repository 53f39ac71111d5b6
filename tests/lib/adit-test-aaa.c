/* SPDX-License-Identifier: MIT */
/* adit.aaa: registrations, and answers from any thread. */
#include "adit-test.h"

/* The source counts its references in `refs`; the memory also waits for the test, whichever ends first: a thread may still be letting go
 * of its handle when the answer has long been seen. */
struct AditAuthHandle {
  gint refs;
  gint memory;   /* one for the source, one for the test */
  gint answered; /* or the request was cancelled */
  gint over;
  AditTestAnswer *answer;
};

typedef struct {
  AditTestAnswer answer;    /* head */
  AditAuthRequest *request; /* the test's own reference */
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
  if (reply->attributes && reply->attributes->type != ADIT_VALUE_MAP)
    g_error("answer(): the attributes are no MAP: adit_value_map() makes one");
  if (reply->outcome < ADIT_AUTH_ACCEPT || reply->outcome > ADIT_AUTH_ERROR || reply->size < G_STRUCT_OFFSET(AditAuthReply, why))
    g_error("answer() without a size, or with the outcome %d", reply->outcome);
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

  gint left = g_atomic_int_add(&handle->refs, -1) - 1;
  if (left < 0)
    g_error("handle_unref() once too often: one for each handle_ref()");
  if (left)
    return;
  if (!g_atomic_int_get(&handle->answered))
    deliver(handle, &dropped);
  handle_release(handle);
}

static gboolean method_add(AditPlugin *plugin, const AditAuthMethod *method, GError **error) {
  test_expect_registration(plugin, "method_add", "auth-method", ADIT_HAS(method, restore) && method->verify ? method->name : NULL);
  return test_register(test_now->methods, plugin, method->name, method, NULL, error);
}

static gboolean source_add(AditPlugin *plugin, const AditAuthSourceOps *ops, gpointer state, GError **error) {
  test_expect_registration(plugin, "source_add", "auth-source", ADIT_HAS(ops, ask) && ops->ask ? ops->name : NULL);
  return test_register(test_now->sources, plugin, ops->name, ops, state, error);
}

static gboolean sink_add(AditPlugin *plugin, const AditAcctSinkOps *ops, gpointer state, GError **error) {
  test_expect_registration(plugin, "sink_add", "acct-sink", ADIT_HAS(ops, record) && ops->record ? ops->name : NULL);
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

/* The test holds a reference until its end. */
static void expect_request_held(AditAuthRequest *request) {
  g_error("adit_auth_request_unref() once too often: one for each adit_auth_request_ref()");
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
  ask->request = adit_auth_request_ref(owned);
  owned->dispose = expect_request_held;
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

char *test_aaa_leaks(AditTest *test) {
  GString *text = g_string_new(NULL);
  guint handles = 0, requests = 0;

  for (guint i = 0; i < test->answers->len; i++) {
    const TestAsk *ask = (const TestAsk *)test->answers->pdata[i];
    handles += g_atomic_int_get(&ask->handle->refs) > 0;
    requests += g_atomic_int_get(&ask->request->refs) > 1;
  }
  if (handles)
    g_string_append_printf(text, "%u handles of requests: adit.aaa handle_unref()\n", handles);
  if (requests)
    g_string_append_printf(text, "%u requests: adit_auth_request_unref()\n", requests);
  return g_string_free(text, FALSE);
}

static void ask_free(gpointer data) {
  TestAsk *ask = (TestAsk *)data;
  ask->request->dispose = NULL;
  adit_auth_request_unref(ask->request);
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
