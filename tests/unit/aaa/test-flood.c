/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Sources that answer from threads, on the real loop: each request is answered once, whatever they do. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include "core/aaa/aaa.h"
#include "core/base/loop.h"
#include "tests/lib/loop.h"
#include "tests/unit/defaults.h"

#define FLOOD   10000
#define THREADS 4

typedef struct {
  AditAuthHandle *handle;
  AditAuthRequest *request;
} Job;

static GAsyncQueue *jobs;
static guint done[FLOOD], accepted, refused, failed;

/* What a thread does with request N says its user name: 0 accept, 1 reject, 2 answer twice, 3 never, 4 accept from two handles. */
static gpointer worker(gpointer data) {
  const AditAaaService *aaa = adit_aaa_service();

  for (;;) {
    Job *job = (Job *)g_async_queue_pop(jobs);
    if (!job->handle) {
      g_free(job);
      return NULL;
    }
    guint n = (guint)g_ascii_strtoull(job->request->user, NULL, 10) % 5;
    AditAuthReply reply = {.size = sizeof reply, .outcome = n == 1 ? ADIT_AUTH_REJECT : ADIT_AUTH_ACCEPT, .why = "told so"};
    AditAuthHandle *other = n == 4 ? aaa->handle_ref(job->handle) : NULL;
    if (n != 3)
      aaa->answer(job->handle, &reply);
    if (n == 2)
      aaa->answer(job->handle, &reply);
    aaa->handle_unref(job->handle);
    aaa->handle_unref(other);
    adit_auth_request_unref(job->request);
    g_free(job);
  }
}

static void ask(gpointer state, AditAuthRequest *request, AditAuthHandle *handle) {
  Job *job = g_new(Job, 1);
  *job = (Job){adit_aaa_service()->handle_ref(handle), adit_auth_request_ref(request)};
  g_async_queue_push(jobs, job);
}

static void on_done(guint64 id, const AditAuthReply *reply, const char *source, gpointer data) {
  done[GPOINTER_TO_UINT(data)]++;
  accepted += reply->outcome == ADIT_AUTH_ACCEPT;
  refused += reply->outcome == ADIT_AUTH_REJECT;
  failed += reply->outcome == ADIT_AUTH_ERROR;
}

static guint64 ask_for(guint n) {
  AditAuthRequest *request = adit_auth_request_new(ADIT_AUTH_PAP);
  request->user = g_strdup_printf("%u", n);
  request->password = g_strdup("secret");
  return adit_aaa_request_begin(request, on_done, GUINT_TO_POINTER(n));
}

static void start(GThread *threads[THREADS]) {
  static const AditAuthSourceOps ops = {.size = sizeof ops, .name = "threads", .ask = ask};
  g_autoptr(AditValue) config = adit_value_map();
  AditValue *aaa = adit_value_map(), *sources = adit_value_list();

  memset(done, 0, sizeof done);
  accepted = refused = failed = 0;
  adit_loop_init();
  adit_aaa_init(adit_loop_service());
  assert_true(adit_aaa_service()->source_add(NULL, &ops, NULL, NULL));
  adit_value_append(sources, adit_value_string("threads"));
  adit_value_set(aaa, "sources", sources);
  adit_value_set(config, "aaa", fill_defaults(aaa, adit_aaa_options, adit_aaa_n_options, ADIT_SCOPE_AAA));
  adit_aaa_commit(adit_aaa_prepare(config, NULL));
  jobs = g_async_queue_new();
  for (guint i = 0; i < THREADS; i++)
    threads[i] = g_thread_new("source", worker, NULL);
}

static void stop_threads(GThread *threads[THREADS]) {
  for (guint i = 0; i < THREADS; i++)
    g_async_queue_push(jobs, g_new0(Job, 1));
  for (guint i = 0; i < THREADS; i++)
    g_thread_join(threads[i]);
  g_clear_pointer(&jobs, g_async_queue_unref);
}

static void ten_thousand_are_answered_once_each(void **unused) {
  GThread *threads[THREADS];

  start(threads);
  for (guint i = 0; i < FLOOD; i++)
    ask_for(i);
  assert_true(TEST_LOOP_UNTIL(!adit_aaa_requests_count(), 20000));
  stop_threads(threads);
  test_loop_drain();
  for (guint i = 0; i < FLOOD; i++)
    assert_int_equal(done[i], 1);
  assert_int_equal(accepted, FLOOD / 5 * 3);
  assert_int_equal(refused, FLOOD / 5);
  assert_int_equal(failed, FLOOD / 5);
  adit_aaa_fini();
  adit_loop_fini();
}

static void cancelling_races_with_the_threads(void **unused) {
  GThread *threads[THREADS];
  g_autofree guint64 *ids = g_new(guint64, FLOOD);

  start(threads);
  for (guint i = 0; i < FLOOD; i++) {
    ids[i] = ask_for(i);
    if (i % 2)
      adit_aaa_request_cancel(ids[i / 2]);
    if (i % 64 == 0)
      g_main_context_iteration(NULL, FALSE);
  }
  assert_true(TEST_LOOP_UNTIL(!adit_aaa_requests_count(), 20000));
  stop_threads(threads);
  for (guint i = 0; i < FLOOD; i++)
    assert_in_range(done[i], i < FLOOD / 2 ? 0 : 1, 1);
  adit_aaa_fini();
  adit_loop_fini();
}

static void the_room_may_end_before_the_threads(void **unused) {
  GThread *threads[THREADS];

  start(threads);
  for (guint i = 0; i < FLOOD; i++)
    ask_for(i);
  test_loop_drain();
  adit_aaa_fini();
  guint so_far = accepted + refused + failed;
  stop_threads(threads); /* after they have answered all that was left */
  test_loop_drain();
  assert_int_equal(accepted + refused + failed, so_far);
  adit_loop_fini();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ten_thousand_are_answered_once_each),
      cmocka_unit_test(cancelling_races_with_the_threads),
      cmocka_unit_test(the_room_may_end_before_the_threads),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
