/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/control/turns.h"
#include <time.h>

static struct {
  GQueue waiting;
  GSource *source;
  gint64 longest_us;
} self;

static gboolean turns_dispatch(GSource *source, GSourceFunc callback, gpointer data) {
  if (!adit_turns_pass())
    g_source_set_ready_time(source, -1);
  return G_SOURCE_CONTINUE;
}

void adit_turns_init(void) {
  static GSourceFuncs funcs = {.dispatch = turns_dispatch};

  g_queue_init(&self.waiting);
  self.longest_us = 0;
  self.source = g_source_new(&funcs, sizeof(GSource));
  g_source_set_static_name(self.source, "adit-control");
  g_source_attach(self.source, NULL);
}

void adit_turns_fini(void) {
  if (!self.source)
    return;
  g_source_destroy(self.source);
  g_clear_pointer(&self.source, g_source_unref);
}

void adit_turn_request(AditTurn *turn) {
  if (turn->queued)
    return;
  turn->queued = TRUE;
  turn->link.data = turn;
  g_queue_push_tail_link(&self.waiting, &turn->link);
  g_source_set_ready_time(self.source, 0);
}

void adit_turn_cancel(AditTurn *turn) {
  if (!turn->queued)
    return;
  turn->queued = FALSE;
  g_queue_unlink(&self.waiting, &turn->link);
}

/* The thread's own time: what the machine does meanwhile is not the pass's fault. */
static gint64 cpu_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (gint64)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

gboolean adit_turns_pass(void) {
  gint64 begun = cpu_us(), now = g_get_monotonic_time(), end = now + ADIT_TURNS_PASS_US;

  while (self.waiting.head && now < end) {
    AditTurn *turn = (AditTurn *)self.waiting.head->data;
    adit_turn_cancel(turn);
    if (turn->work(turn->data, self.waiting.length ? MIN(end, now + ADIT_TURN_US) : end))
      adit_turn_request(turn);
    now = g_get_monotonic_time();
  }
  self.longest_us = MAX(self.longest_us, cpu_us() - begun);
  return self.waiting.head != NULL;
}

gint64 adit_turns_longest_us(void) {
  return self.longest_us;
}
