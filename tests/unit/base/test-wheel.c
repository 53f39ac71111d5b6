/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The timer wheel on virtual time, against a plain sorted model. */
#include "core/base/wheel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

typedef struct {
  AditWheel *wheel;
  guint64 now;
  GArray *fired; /* of guint: the timers' data */
} Fixture;

static int setup(void **state) {
  Fixture *f = g_new0(Fixture, 1);
  f->now = 1000000;
  f->wheel = adit_wheel_new(f->now);
  f->fired = g_array_new(FALSE, FALSE, sizeof(guint));
  *state = f;
  return 0;
}

static int teardown(void **state) {
  Fixture *f = *state;
  adit_wheel_free(f->wheel);
  g_array_unref(f->fired);
  g_free(f);
  return 0;
}

typedef struct {
  AditTimer timer;
  Fixture *f;
  guint name;
  guint64 want; /* deadline by the model; 0 = idle */
  AditTimer *other;
} Probe;

static void fire(AditTimer *timer, gpointer data) {
  Probe *p = data;
  g_array_append_val(p->f->fired, p->name);
}

static Probe probe(Fixture *f, guint name) {
  Probe p = {.f = f, .name = name, .timer.func = fire};
  return p;
}

static void arm(Probe *p, guint64 deadline) {
  p->timer.data = p;
  adit_wheel_arm(p->f->wheel, &p->timer, deadline);
}

static void runs_at_its_deadline_not_before(void **state) {
  static const guint64 delays[] = {1, 63, 64, 65, 4095, 4096, 300000, 86400000, 1ULL << 40};
  Fixture *f = *state;
  for (guint i = 0; i < G_N_ELEMENTS(delays); i++) {
    Probe p = probe(f, i);
    guint64 deadline = f->now + delays[i];
    arm(&p, deadline);
    adit_wheel_advance(f->wheel, deadline - 1);
    assert_int_equal(f->fired->len, i);
    assert_int_equal(adit_wheel_next(f->wheel), deadline);
    adit_wheel_advance(f->wheel, f->now = deadline);
    assert_int_equal(f->fired->len, i + 1);
    assert_int_equal(adit_wheel_next(f->wheel), 0);
  }
}

static void next_is_never_late_and_leads_to_every_deadline(void **state) {
  Fixture *f = *state;
  Probe p = probe(f, 0);
  guint64 deadline = f->now + 123456789, next;
  guint steps = 0;
  arm(&p, deadline);
  while ((next = adit_wheel_next(f->wheel))) {
    assert_true(next <= deadline && next > f->now);
    adit_wheel_advance(f->wheel, f->now = next);
    steps++;
  }
  assert_int_equal(f->now, deadline);
  assert_int_equal(f->fired->len, 1);
  assert_in_range(steps, 1, 11); /* one a level */
}

static void equal_deadlines_run_in_order_of_arming(void **state) {
  Fixture *f = *state;
  Probe p[10];
  for (guint i = 0; i < 10; i++) {
    p[i] = probe(f, i);
    arm(&p[i], f->now + 5000);
  }
  for (guint64 t = f->now; t <= f->now + 5000; t += 500)
    adit_wheel_advance(f->wheel, t);
  assert_int_equal(f->fired->len, 10);
  for (guint i = 0; i < 10; i++)
    assert_int_equal(g_array_index(f->fired, guint, i), i);
}

static void cancel_and_rearm(void **state) {
  Fixture *f = *state;
  Probe a = probe(f, 1), b = probe(f, 2);
  adit_wheel_cancel(f->wheel, &a.timer); /* idle: harmless */
  arm(&a, f->now + 10);
  arm(&b, f->now + 10);
  assert_int_equal(adit_wheel_count(f->wheel), 2);
  assert_true(adit_timer_is_armed(&a.timer));
  adit_wheel_cancel(f->wheel, &a.timer);
  adit_wheel_cancel(f->wheel, &a.timer);
  assert_false(adit_timer_is_armed(&a.timer));
  assert_int_equal(a.timer.deadline, 0); /* an idle timer is not taken for an armed one */
  arm(&b, f->now + 20);
  assert_int_equal(adit_wheel_count(f->wheel), 1);
  adit_wheel_advance(f->wheel, f->now + 19);
  assert_int_equal(f->fired->len, 0);
  adit_wheel_advance(f->wheel, f->now + 20);
  assert_int_equal(f->fired->len, 1);
  assert_int_equal(g_array_index(f->fired, guint, 0), 2);
  assert_int_equal(b.timer.deadline, 0);
}

static void rearm_now(AditTimer *timer, gpointer data) {
  fire(timer, data);
  adit_wheel_arm(((Probe *)data)->f->wheel, timer, 0);
}

static void a_timer_that_rearms_for_the_past_does_not_spin(void **state) {
  Fixture *f = *state;
  Probe p = probe(f, 0);
  p.timer.func = rearm_now;
  arm(&p, f->now + 1);
  for (guint i = 1; i <= 3; i++) {
    adit_wheel_advance(f->wheel, f->now + 1);
    assert_int_equal(f->fired->len, i);
    assert_int_equal(adit_wheel_next(f->wheel), f->now + 1);
  }
  adit_wheel_cancel(f->wheel, &p.timer);
  assert_int_equal(adit_wheel_next(f->wheel), 0);
}

static void cancel_other(AditTimer *timer, gpointer data) {
  Probe *p = data;
  fire(timer, data);
  adit_wheel_cancel(p->f->wheel, p->other);
}

static void a_timer_may_cancel_one_that_is_due_with_it(void **state) {
  Fixture *f = *state;
  Probe a = probe(f, 1), b = probe(f, 2);
  a.timer.func = cancel_other;
  a.other = &b.timer;
  arm(&a, f->now + 7);
  arm(&b, f->now + 7);
  adit_wheel_advance(f->wheel, f->now + 100);
  assert_int_equal(f->fired->len, 1);
  assert_int_equal(adit_wheel_count(f->wheel), 0);
}

static void free_self(AditTimer *timer, gpointer data) {
  fire(timer, data);
  g_free(data);
}

static void a_timer_may_free_itself(void **state) {
  Fixture *f = *state;
  for (guint i = 0; i < 3; i++) {
    Probe *p = g_new0(Probe, 1);
    *p = probe(f, i);
    p->timer.func = free_self;
    arm(p, f->now + 70 + i);
  }
  adit_wheel_advance(f->wheel, f->now + 100);
  assert_int_equal(f->fired->len, 3);
}

static void a_budget_leaves_the_rest_for_the_next_call(void **state) {
  Fixture *f = *state;
  Probe p[5];
  for (guint i = 0; i < 5; i++) {
    p[i] = probe(f, i);
    arm(&p[i], f->now + 3 + i / 3);
  }
  assert_false(adit_wheel_advance_some(f->wheel, f->now + 10, 2));
  assert_int_equal(f->fired->len, 2);
  assert_true(adit_wheel_next(f->wheel) <= f->now + 3);
  adit_wheel_cancel(f->wheel, &p[2].timer); /* waits among those that are running */
  assert_true(adit_wheel_advance_some(f->wheel, f->now + 10, 2));
  assert_int_equal(f->fired->len, 4);
  assert_int_equal(adit_wheel_next(f->wheel), 0);
}

static void never_and_zero_are_deadlines_like_others(void **state) {
  Fixture *f = *state;
  Probe never = probe(f, 1), late = probe(f, 2);
  arm(&never, G_MAXUINT64);
  arm(&late, 0);
  adit_wheel_advance(f->wheel, f->now);
  assert_int_equal(f->fired->len, 1);
  adit_wheel_advance(f->wheel, G_MAXUINT64 - 1);
  assert_int_equal(f->fired->len, 1);
  adit_wheel_advance(f->wheel, G_MAXUINT64);
  assert_int_equal(f->fired->len, 2);
}

/* ---- against a model ---- */

enum { N = 300 };

typedef struct {
  Fixture *f;
  GRand *rand;
  Probe probe[N];
  guint64 last;
  guint runs;
} Model;

static guint64 any_delay(Model *m) {
  return g_rand_int(m->rand) >> g_rand_int_range(m->rand, 8, 32);
}

static void model_fire(AditTimer *timer, gpointer data) {
  Model *m = data;
  Probe *p = (Probe *)timer;
  assert_true(p->want != 0 && p->want <= m->f->now);
  assert_true(p->want >= m->last); /* in order of deadlines */
  m->last = p->want;
  p->want = 0;
  m->runs++;
  if (g_rand_boolean(m->rand)) {
    p->want = m->f->now + 1 + any_delay(m);
    adit_wheel_arm(m->f->wheel, timer, p->want);
  }
  Probe *other = &m->probe[g_rand_int_range(m->rand, 0, N)];
  if (g_rand_int_range(m->rand, 0, 10) == 0) {
    adit_wheel_cancel(m->f->wheel, &other->timer);
    other->want = 0;
  }
}

static void agrees_with_a_model_over_random_histories(void **state) {
  Model m = {.f = *state, .rand = g_rand_new_with_seed(7)};
  for (guint i = 0; i < N; i++)
    m.probe[i].timer = (AditTimer){.func = model_fire, .data = &m};
  for (guint step = 0; step < 20000; step++) {
    Probe *p = &m.probe[g_rand_int_range(m.rand, 0, N)];
    p->want = m.f->now + 1 + any_delay(&m);
    adit_wheel_arm(m.f->wheel, &p->timer, p->want);

    guint64 earliest = G_MAXUINT64, next = adit_wheel_next(m.f->wheel);
    guint armed = 0;
    for (guint i = 0; i < N; i++) {
      if (m.probe[i].want) {
        armed++;
        earliest = MIN(earliest, m.probe[i].want);
      }
    }
    assert_int_equal(adit_wheel_count(m.f->wheel), armed);
    assert_true(next && next <= earliest);
    m.f->now = g_rand_boolean(m.rand) ? next : m.f->now + any_delay(&m) / 16;
    m.last = 0;
    adit_wheel_advance(m.f->wheel, m.f->now);
    for (guint i = 0; i < N; i++)
      assert_true(m.probe[i].want == 0 || m.probe[i].want > m.f->now);
  }
  assert_true(m.runs > 1000);
  for (guint i = 0; i < N; i++)
    adit_wheel_cancel(m.f->wheel, &m.probe[i].timer);
  g_rand_free(m.rand);
}

static void an_idle_wheel_with_many_timers_asks_for_little(void **state) {
  enum { MANY = 200000 };
  Fixture *f = *state;
  Probe *p = g_new0(Probe, MANY);
  for (guint i = 0; i < MANY; i++) {
    p[i] = probe(f, i);
    arm(&p[i], f->now + 3600 * 1000 + i);
  }
  /* The wake-ups of the first 30 s of an hour. */
  guint wakes = 0;
  for (guint64 next; (next = adit_wheel_next(f->wheel)) <= f->now + 30000; wakes++)
    adit_wheel_advance(f->wheel, next);
  assert_in_range(wakes, 0, 2);
  assert_int_equal(f->fired->len, 0);
  adit_wheel_advance(f->wheel, f->now + 4000 * 1000);
  assert_int_equal(f->fired->len, MANY);
  g_free(p);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
  const struct CMUnitTest tests[] = {
      T(runs_at_its_deadline_not_before),
      T(next_is_never_late_and_leads_to_every_deadline),
      T(equal_deadlines_run_in_order_of_arming),
      T(cancel_and_rearm),
      T(a_timer_that_rearms_for_the_past_does_not_spin),
      T(a_timer_may_cancel_one_that_is_due_with_it),
      T(a_timer_may_free_itself),
      T(a_budget_leaves_the_rest_for_the_next_call),
      T(never_and_zero_are_deadlines_like_others),
      T(agrees_with_a_model_over_random_histories),
      T(an_idle_wheel_with_many_timers_asks_for_little),
  };
  return cmocka_run_group_tests_name("wheel", tests, NULL, NULL);
}
