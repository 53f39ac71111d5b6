/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The main loop: timers, descriptors, blocking work, calls from other threads. */
#include "core/base/clock.h"
#include "core/base/logging.h"
#include "core/base/loop.h"
#include "core/base/random.h"
#include "tests/lib/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static AditPlugin plugin_a = {"a"}, plugin_b = {"b"};

static int setup(void **state) {
  adit_logging_init(ADIT_LOG_ERROR); /* adit_error() is no bug: GLib's own writer would abort under G_DEBUG=fatal-criticals */
  adit_loop_init();
  return 0;
}

static int teardown(void **state) {
  adit_loop_fini();
  return 0;
}

/* ---- timers and time ---- */

static void count(AditTimer *timer, gpointer data) {
  ++*(guint *)data;
}

static void timers_run_and_cancel(void **state) {
  guint a = 0, b = 0;
  AditTimer ta = {.func = count, .data = &a}, tb = {.func = count, .data = &b};
  guint64 start = adit_clock_ms();
  adit_timer_arm(&ta, 20);
  adit_timer_arm(&tb, 5);
  adit_timer_cancel(&tb);
  assert_true(TEST_LOOP_UNTIL(a, 5000));
  assert_true(adit_clock_ms() - start >= 19);
  assert_int_equal(a, 1);
  assert_int_equal(b, 0);
  adit_timer_cancel(&ta);
}

typedef struct {
  guint64 first, second, fresh;
} Times;

static void read_twice(AditTimer *timer, gpointer data) {
  Times *t = data;
  t->first = adit_now_ms();
  while (adit_clock_ms() < t->first + 3)
    ;
  t->second = adit_now_ms();
  t->fresh = adit_clock_ms();
}

static void now_stands_still_within_a_pass_only(void **state) {
  Times t = {0};
  AditTimer timer = {.func = read_twice, .data = &t};
  adit_timer_arm(&timer, 1);
  assert_true(TEST_LOOP_UNTIL(t.fresh, 5000));
  assert_true(t.first == t.second);
  assert_true(t.fresh >= t.first + 3);
  assert_true(adit_now_ms() >= t.fresh);
}

static void random_octets_differ(void **state) {
  guint8 a[32] = {0}, b[32] = {0};
  adit_random(a, sizeof a);
  adit_random(b, sizeof b);
  assert_memory_not_equal(a, b, sizeof a);
  adit_random(a, 0);
}

static void random_octets_are_handed_out_once(void **state) {
  g_autoptr(GHashTable) seen = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);

  for (guint i = 0; i < 10000; i++) {
    guint64 *number = g_new(guint64, 1);
    adit_random(number, sizeof *number);
    assert_true(g_hash_table_add(seen, number));
  }
}

/* What was read ahead before a fork goes to one of the two alone. */
static void random_octets_of_a_forked_child_differ(void **state) {
  guint8 ours[16], childs[16];
  int fd[2], status;

  adit_random(ours, sizeof ours);
  assert_int_equal(pipe(fd), 0);
  pid_t child = fork();
  if (child == 0) {
    adit_random(childs, sizeof childs);
    _exit(write(fd[1], childs, sizeof childs) == sizeof childs ? 0 : 1);
  }
  assert_true(child > 0);
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
  assert_int_equal(read(fd[0], childs, sizeof childs), sizeof childs);
  adit_random(ours, sizeof ours);
  assert_memory_not_equal(ours, childs, sizeof ours);
  close(fd[0]);
  close(fd[1]);
}

/* ---- descriptors ---- */

typedef struct {
  int fd[2];
  AditWatch *watch;
  AditWatch *victim;
  guint calls, condition;
  gboolean keep;
} End;

static void end_open(End *e) {
  *e = (End){.keep = TRUE};
  assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, e->fd), 0);
}

static void end_close(End *e) {
  close(e->fd[0]);
  close(e->fd[1]);
}

static gboolean readable(int fd, guint condition, gpointer data) {
  End *e = data;
  char octet;
  e->calls++;
  e->condition = condition;
  if (recv(fd, &octet, 1, MSG_DONTWAIT) < 0)
    fail_msg("woken for nothing");
  if (e->victim)
    adit_watch_remove(e->victim);
  return e->keep;
}

static void watches_wake_until_removed(void **state) {
  End e;
  end_open(&e);
  e.watch = adit_watch_add(&plugin_a, e.fd[0], G_IO_IN, readable, &e);
  assert_non_null(e.watch);
  for (guint i = 1; i <= 3; i++) {
    assert_int_equal(send(e.fd[1], "x", 1, 0), 1);
    assert_true(TEST_LOOP_UNTIL(e.calls == i, 5000));
    assert_int_equal(e.condition, G_IO_IN);
  }
  adit_watch_remove(e.watch);
  assert_int_equal(send(e.fd[1], "x", 1, 0), 1);
  test_loop_drain();
  assert_int_equal(e.calls, 3);
  end_close(&e);
}

static void a_watch_that_returns_false_is_removed(void **state) {
  End e;
  end_open(&e);
  e.keep = FALSE;
  assert_non_null(adit_watch_add(NULL, e.fd[0], G_IO_IN, readable, &e));
  assert_int_equal(send(e.fd[1], "xy", 1, 0), 1);
  assert_int_equal(send(e.fd[1], "xy", 1, 0), 1);
  assert_true(TEST_LOOP_UNTIL(e.calls, 5000));
  test_loop_drain();
  assert_int_equal(e.calls, 1);
  e.keep = TRUE; /* the descriptor may be watched again */
  e.watch = adit_watch_add(NULL, e.fd[0], G_IO_IN, readable, &e);
  assert_true(TEST_LOOP_UNTIL(e.calls == 2, 5000));
  adit_watch_remove(e.watch);
  end_close(&e);
}

static void a_watch_may_remove_another_that_is_ready_too(void **state) {
  End a, b;
  end_open(&a);
  end_open(&b);
  a.watch = adit_watch_add(NULL, a.fd[0], G_IO_IN, readable, &a);
  b.watch = adit_watch_add(NULL, b.fd[0], G_IO_IN, readable, &b);
  a.victim = b.watch;
  b.victim = a.watch;
  assert_int_equal(send(a.fd[1], "x", 1, 0), 1);
  assert_int_equal(send(b.fd[1], "x", 1, 0), 1);
  assert_true(TEST_LOOP_UNTIL(a.calls + b.calls, 5000));
  test_loop_drain();
  assert_int_equal(a.calls + b.calls, 1);
  end_close(&a);
  end_close(&b);
}

static void a_flood_on_one_descriptor_starves_nobody(void **state) {
  enum { MANY = 3 * ADIT_LOOP_WATCH_BUDGET };
  End e[MANY];
  guint ticks = 0;
  AditTimer timer = {.func = count, .data = &ticks};
  for (guint i = 0; i < MANY; i++) {
    end_open(&e[i]);
    assert_non_null(adit_watch_add(&plugin_a, e[i].fd[0], G_IO_IN, readable, &e[i]));
    for (guint k = 0; k < 5; k++)
      assert_int_equal(send(e[i].fd[1], "x", 1, 0), 1);
  }
  adit_timer_arm(&timer, 1);
  for (guint64 due = adit_clock_ms() + 2; adit_clock_ms() < due;)
    ;
  g_main_context_iteration(NULL, FALSE);
  guint calls = 0;
  for (guint i = 0; i < MANY; i++)
    calls += e[i].calls;
  assert_int_equal(ticks, 1);
  assert_int_equal(calls, ADIT_LOOP_WATCH_BUDGET);
  test_loop_drain();
  for (guint i = 0; i < MANY; i++)
    assert_int_equal(e[i].calls, 5);
  adit_loop_drop_plugin(&plugin_a);
  for (guint i = 0; i < MANY; i++)
    end_close(&e[i]);
}

static void what_epoll_refuses_is_no_watch(void **state) {
  End e;
  end_open(&e);
  e.watch = adit_watch_add(NULL, e.fd[0], G_IO_IN, readable, &e);
  assert_null(adit_watch_add(NULL, e.fd[0], G_IO_IN, readable, &e));
  assert_null(adit_watch_add(NULL, -1, G_IO_IN, readable, &e));
  adit_watch_remove(e.watch);
  adit_watch_remove(NULL);
  end_close(&e);
}

/* ---- blocking work ---- */

typedef struct {
  GMutex lock;
  GCond cond;
  gboolean open;
  gint started, worked, done;
  GThread *main;
} Gate;

static void gate_work(gpointer data) {
  Gate *g = data;
  g_atomic_int_inc(&g->started);
  g_mutex_lock(&g->lock);
  while (!g->open)
    g_cond_wait(&g->cond, &g->lock);
  g_mutex_unlock(&g->lock);
  assert_true(g_thread_self() != g->main);
  g_atomic_int_inc(&g->worked);
}

static void gate_done(gpointer data) {
  Gate *g = data;
  assert_true(g_thread_self() == g->main);
  g->done++;
}

static void gate_open(Gate *g) {
  g_mutex_lock(&g->lock);
  g->open = TRUE;
  g_cond_broadcast(&g->cond);
  g_mutex_unlock(&g->lock);
}

static void blocking_work_runs_elsewhere_and_is_done_once(void **state) {
  Gate g = {.main = g_thread_self(), .open = TRUE};
  for (guint i = 0; i < 50; i++)
    assert_true(adit_run_blocking(&plugin_a, gate_work, gate_done, &g));
  assert_true(TEST_LOOP_UNTIL(g.done == 50, 5000));
  test_loop_drain();
  assert_int_equal(g.done, 50);
  assert_int_equal(g.worked, 50);
}

static void the_queue_of_blocking_work_is_bounded_for_each_plugin(void **state) {
  Gate g = {.main = g_thread_self()}, other = {.main = g_thread_self(), .open = TRUE};
  guint taken = 0;
  while (adit_run_blocking(&plugin_a, gate_work, gate_done, &g) && taken < 10000)
    taken++;
  assert_in_range(taken, ADIT_LOOP_WORK_QUEUE, ADIT_LOOP_WORK_QUEUE + ADIT_LOOP_WORK_THREADS);
  /* All of a's threads hang; b has its own. */
  assert_true(adit_run_blocking(&plugin_b, gate_work, gate_done, &other));
  assert_true(TEST_LOOP_UNTIL(other.done == 1, 5000));
  assert_int_equal(g.done, 0);
  gate_open(&g);
  assert_true(TEST_LOOP_UNTIL(g.done == (int)taken, 5000));
}

static gpointer open_gate(gpointer data) {
  gate_open(data);
  return NULL;
}

static void a_dropped_plugin_gets_every_done_before_drop_returns(void **state) {
  Gate g = {.main = g_thread_self()};
  for (guint i = 0; i < 100; i++)
    assert_true(adit_run_blocking(&plugin_a, gate_work, gate_done, &g));
  while (g_atomic_int_get(&g.started) < ADIT_LOOP_WORK_THREADS)
    g_thread_yield();
  GThread *opener = g_thread_new("opener", open_gate, &g);
  adit_loop_drop_plugin(&plugin_a);
  assert_int_equal(g.done, 100);
  assert_true(g.worked >= ADIT_LOOP_WORK_THREADS);
  test_loop_drain();
  assert_int_equal(g.done, 100);
  g_thread_join(opener);
}

static void without_done_work_still_runs(void **state) {
  Gate g = {.main = g_thread_self(), .open = TRUE};
  assert_true(adit_run_blocking(NULL, gate_work, NULL, &g));
  assert_true(adit_run_blocking(NULL, gate_work, gate_done, &g));
  assert_true(TEST_LOOP_UNTIL(g.done == 1 && g_atomic_int_get(&g.worked) == 2, 5000));
}

/* ---- calls ---- */

typedef struct {
  guint n, sum, out_of_order;
} Tally;

static void tally(gpointer data) {
  guint *item = data;
  Tally *t = *(Tally **)(item + 2);
  if (*item != t->n)
    t->out_of_order++;
  t->n++;
  g_free(item);
}

static gpointer caller(gpointer data) {
  for (guint i = 0; i < 1000; i++) {
    guint *item = g_malloc0(2 * sizeof(guint) + sizeof(gpointer));
    *item = i;
    *(gpointer *)(item + 2) = data;
    adit_call_main(tally, item);
  }
  return NULL;
}

static void calls_of_a_thread_come_in_order(void **state) {
  Tally t[2] = {0};
  GThread *a = g_thread_new("a", caller, &t[0]), *b = g_thread_new("b", caller, &t[1]);
  assert_true(TEST_LOOP_UNTIL(t[0].n + t[1].n == 2000, 5000));
  assert_int_equal(t[0].out_of_order + t[1].out_of_order, 0);
  g_thread_join(a);
  g_thread_join(b);
}

static void the_service_is_complete(void **state) {
  const AditLoopService *s = adit_loop_service();
  assert_int_equal(s->size, sizeof *s);
  assert_true(s->now && s->timer_arm && s->timer_cancel && s->watch_add && s->watch_remove && s->run_blocking && s->call_main && s->random);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
  const struct CMUnitTest tests[] = {
      T(timers_run_and_cancel),
      T(now_stands_still_within_a_pass_only),
      T(random_octets_differ),
      T(random_octets_are_handed_out_once),
      T(random_octets_of_a_forked_child_differ),
      T(watches_wake_until_removed),
      T(a_watch_that_returns_false_is_removed),
      T(a_watch_may_remove_another_that_is_ready_too),
      T(a_flood_on_one_descriptor_starves_nobody),
      T(what_epoll_refuses_is_no_watch),
      T(blocking_work_runs_elsewhere_and_is_done_once),
      T(the_queue_of_blocking_work_is_bounded_for_each_plugin),
      T(a_dropped_plugin_gets_every_done_before_drop_returns),
      T(without_done_work_still_runs),
      T(calls_of_a_thread_come_in_order),
      T(the_service_is_complete),
  };
  return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
