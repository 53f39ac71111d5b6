/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/base/wheel.h"
#include "core/base/hold.h"

/* A timer is on the level of the highest group of six bits in which its deadline differs from the wheel's time, in the
 * slot which that group of its deadline names. Hence every timer of a level is due before those of the levels above it,
 * each slot with something in it lies ahead of the wheel's time on its level, and all timers of one slot of level 0 are due
 * in the same millisecond. When time reaches a slot of a higher level, its timers move down. */
enum { BITS = 6, SLOTS = 1 << BITS, LEVELS = (64 + BITS - 1) / BITS };

struct AditWheel {
  guint64 time;
  guint count;
  guint64 filled[LEVELS];         /* bit set: the slot may hold timers; cleared lazily, since a cancel doesn't know its slot */
  AditTimer *slot[LEVELS][SLOTS]; /* newest first */
  AditTimer *late;                /* armed for a time that had passed: due in the next advance; newest first */
  AditTimer *running;             /* due in this advance, oldest first */
};

static void list_push(AditTimer **head, AditTimer *timer) {
  timer->next = *head;
  timer->back = head;
  if (timer->next)
    timer->next->back = &timer->next;
  *head = timer;
}

static void list_remove(AditTimer *timer) {
  *timer->back = timer->next;
  if (timer->next)
    timer->next->back = timer->back;
  timer->next = NULL;
  timer->back = NULL;
}

/* Takes a newest-first list away from `head` and gives it back oldest first, not linked to any head. */
static AditTimer *list_take_reversed(AditTimer **head) {
  AditTimer *result = NULL;
  for (AditTimer *t = *head, *next; t; t = next) {
    next = t->next;
    t->next = result;
    result = t;
  }
  *head = NULL;
  return result;
}

/* Appends a list made by list_take_reversed() to the running one, which is short: it is empty unless a budget ran out. */
static void run_later(AditWheel *w, AditTimer *list) {
  AditTimer **tail = &w->running;
  if (!list)
    return;
  while (*tail)
    tail = &(*tail)->next;
  *tail = list;
  for (; *tail; tail = &(*tail)->next)
    (*tail)->back = tail;
}

AditWheel *adit_wheel_new(guint64 now) {
  AditWheel *w = g_new0(AditWheel, 1);
  w->time = now;
  return w;
}

static void list_clear(AditTimer **head) {
  while (*head)
    list_remove(*head);
}

void adit_wheel_free(AditWheel *w) {
  if (!w)
    return;
  for (guint level = 0; level < LEVELS; level++)
    for (guint i = 0; i < SLOTS; i++)
      list_clear(&w->slot[level][i]);
  list_clear(&w->late);
  list_clear(&w->running);
  g_free(w);
}

static void place_timer(AditWheel *w, AditTimer *timer) {
  if (timer->deadline <= w->time) {
    list_push(&w->late, timer);
    return;
  }
  guint level = (guint)(63 - __builtin_clzll(timer->deadline ^ w->time)) / BITS;
  guint slot = (guint)(timer->deadline >> (level * BITS)) & (SLOTS - 1);
  list_push(&w->slot[level][slot], timer);
  w->filled[level] |= 1ULL << slot;
}

gboolean adit_timer_is_armed(const AditTimer *timer) {
  return timer->back != NULL;
}

void adit_wheel_arm(AditWheel *w, AditTimer *timer, guint64 deadline_ms) {
  adit_wheel_cancel(w, timer);
  timer->deadline = deadline_ms;
  place_timer(w, timer);
  w->count++;
}

void adit_wheel_cancel(AditWheel *w, AditTimer *timer) {
  if (!timer->back)
    return;
  list_remove(timer);
  timer->deadline = 0; /* idle timers have none: an old one is never taken for a new one */
  w->count--;
}

/* The first slot with timers in it: its level and index. False when there is none. */
static gboolean first_slot(AditWheel *w, guint *level, guint *slot) {
  for (*level = 0; *level < LEVELS; ++*level) {
    while (w->filled[*level]) {
      *slot = (guint)__builtin_ctzll(w->filled[*level]);
      if (w->slot[*level][*slot])
        return TRUE;
      w->filled[*level] &= w->filled[*level] - 1;
    }
  }
  return FALSE;
}

/* When time reaches the slot: the wheel's time with its group replaced by the slot's, and zeros below. */
static guint64 slot_time(const AditWheel *w, guint level, guint slot) {
  guint shift = level * BITS;
  guint64 above = shift + BITS >= 64 ? 0 : w->time >> (shift + BITS) << (shift + BITS);
  return above | (guint64)slot << shift;
}

guint64 adit_wheel_next(AditWheel *w) {
  guint level, slot;
  if (!w->count)
    return 0;
  if (w->late || w->running)
    return MAX(w->time, 1);
  return first_slot(w, &level, &slot) ? slot_time(w, level, slot) : 0;
}

/* Runs what `running` holds. False when `*budget` is used up before its end. */
static gboolean run_due(AditWheel *w, guint *budget) {
  while (w->running) {
    if (!*budget)
      return FALSE;
    --*budget;
    AditTimer *timer = w->running;
    list_remove(timer);
    timer->deadline = 0;
    w->count--;
    AditTimerFunc func = timer->func;
    ADIT_HOLD(NULL, func, "a timer", func(timer, timer->data)); /* may free the timer */
  }
  return TRUE;
}

gboolean adit_wheel_advance_some(AditWheel *w, guint64 now, guint max) {
  guint level, slot;

  run_later(w, list_take_reversed(&w->late));
  if (!run_due(w, &max))
    return FALSE;
  while (first_slot(w, &level, &slot)) {
    guint64 at = slot_time(w, level, slot);
    if (at > now)
      break;
    w->time = at;
    w->filled[level] &= ~(1ULL << slot);
    AditTimer *list = list_take_reversed(&w->slot[level][slot]);
    if (level == 0) {
      run_later(w, list);
    } else {
      /* Sorted one level down or more; the oldest goes first, so that a slot stays newest first. */
      AditTimer *due = NULL;
      for (AditTimer *next; list; list = next) {
        next = list->next;
        if (list->deadline == at)
          list_push(&due, list);
        else
          place_timer(w, list);
      }
      run_later(w, list_take_reversed(&due));
    }
    if (!run_due(w, &max))
      return FALSE;
  }
  w->time = MAX(w->time, now);
  return TRUE;
}

void adit_wheel_advance(AditWheel *w, guint64 now) {
  adit_wheel_advance_some(w, now, G_MAXUINT);
}

guint adit_wheel_count(const AditWheel *w) {
  return w->count;
}
