/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/base/memory.h"
#include "core/base/loop.h"
#include "core/base/wheel.h"
#include <malloc.h>

enum { SOON_MS = 500, ARENAS = 4, LARGE = 1024 * 1024 };

static struct {
  AditTimer timer;
  guint64 last_ms;
  guint count;
} self;

void adit_memory_init(void) {
  memset(&self, 0, sizeof self);
#ifdef __GLIBC__
  mallopt(M_ARENA_MAX, ARENAS);
  mallopt(M_MXFAST, 0);             /* else the next large free joins what tens of thousands of sessions left, and holds the loop for it */
  mallopt(M_MMAP_THRESHOLD, LARGE); /* also ends its growth: a block of 30 MiB would raise it to 32 */
#endif
}

static void trim_heap(gpointer data) {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

static void on_trimmed(gpointer data) {
  self.count++;
}

static void start_trim(AditTimer *timer, gpointer data) {
  self.last_ms = adit_loop_service()->now();
  adit_run_blocking(NULL, trim_heap, on_trimmed, NULL); /* refused: the next one does it */
}

void adit_memory_give_back(void) {
  guint64 now = adit_loop_service()->now(), next = self.last_ms ? self.last_ms + ADIT_MEMORY_PAUSE_MS : 0;

  if (adit_timer_is_armed(&self.timer))
    return;
  self.timer = (AditTimer){.func = start_trim};
  adit_timer_arm(&self.timer, next > now + SOON_MS ? next - now : SOON_MS);
}

void adit_memory_fini(void) {
  adit_timer_cancel(&self.timer);
}

guint adit_memory_given_back(void) {
  return self.count;
}
