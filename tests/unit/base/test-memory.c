/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* When free memory goes back to the system. */
#include "core/base/memory.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static guint64 now;
static AditTimer *armed;
static guint works;
static gboolean busy;

static guint64 loop_now(void) {
  return now;
}

static void loop_arm(AditTimer *timer, guint64 delay_ms) {
  assert_true(!armed || armed == timer);
  armed = timer;
  timer->deadline = now + delay_ms;
}

static void loop_cancel(AditTimer *timer) {
  if (armed == timer)
    armed = NULL;
  timer->deadline = 0;
}

static gboolean loop_run(AditPlugin *plugin, AditWorkFunc work, AditWorkFunc done, gpointer data) {
  if (busy)
    return FALSE;
  works++;
  work(data);
  done(data);
  return TRUE;
}

static const AditLoopService loop = {
    .size = sizeof loop, .now = loop_now, .timer_arm = loop_arm, .timer_cancel = loop_cancel, .run_blocking = loop_run};

static void run_until(guint64 until) {
  if (armed && armed->deadline <= until) {
    AditTimer *timer = g_steal_pointer(&armed);
    now = timer->deadline;
    timer->deadline = 0;
    timer->func(timer, timer->data);
  }
  now = until;
}

static int begin(void **state) {
  now = 100000;
  armed = NULL;
  works = 0;
  busy = FALSE;
  adit_memory_init(&loop);
  return 0;
}

static int end(void **state) {
  adit_memory_fini();
  assert_null(armed);
  return 0;
}

static void a_moment_later_and_not_too_often(void **state) {
  for (guint i = 0; i < 100; i++)
    adit_memory_give_back();
  run_until(100000 + ADIT_MEMORY_SOON_MS - 1);
  assert_int_equal(works, 0);
  run_until(100000 + ADIT_MEMORY_SOON_MS);
  assert_int_equal(works, 1);
  for (guint i = 0; i < 100; i++)
    adit_memory_give_back();
  run_until(100000 + ADIT_MEMORY_SOON_MS + ADIT_MEMORY_PAUSE_MS - 1);
  assert_int_equal(works, 1);
  run_until(100000 + ADIT_MEMORY_SOON_MS + ADIT_MEMORY_PAUSE_MS);
  assert_int_equal(works, 2);
  run_until(200000);
  assert_int_equal(works, 2);
}

static void a_refusal_is_not_the_end(void **state) {
  busy = TRUE;
  adit_memory_give_back();
  run_until(110000);
  busy = FALSE;
  adit_memory_give_back();
  run_until(120000);
  assert_int_equal(works, 1);
}

static void nothing_is_left_after_the_end(void **state) {
  adit_memory_give_back();
  assert_non_null(armed);
  adit_memory_fini();
  assert_null(armed);
  adit_memory_give_back();
  assert_null(armed);
}

/** Of the heap's pages, how many the system has given: in octets. */
static gsize resident(void) {
  g_autofree char *text = NULL;
  assert_true(g_file_get_contents("/proc/self/statm", &text, NULL, NULL));
  return (gsize)g_ascii_strtoull(strchr(text, ' '), NULL, 10) * 4096;
}

/* Small pieces, with one in a hundred still in use, so that the end of the heap cannot sink. */
static void what_is_free_goes_back(void **state) {
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
  skip(); /* an allocator of their own */
#endif
  enum { PIECES = 200000, OCTETS = 400 };
  g_autofree gpointer *pieces = g_new(gpointer, PIECES);
  for (guint i = 0; i < PIECES; i++)
    pieces[i] = memset(malloc(OCTETS), 1, OCTETS);
  gsize before = resident();
  for (guint i = 0; i < PIECES; i++)
    if (i % 100)
      free(pieces[i]);
  assert_true(resident() > before - PIECES * OCTETS / 4);
  adit_memory_give_back();
  run_until(110000);
  assert_true(resident() < before - PIECES * OCTETS / 2);
  for (guint i = 0; i < PIECES; i += 100)
    free(pieces[i]);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
  const struct CMUnitTest tests[] = {
      TEST(a_moment_later_and_not_too_often),
      TEST(a_refusal_is_not_the_end),
      TEST(nothing_is_left_after_the_end),
      TEST(what_is_free_goes_back),
  };
  return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
