/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/base/memory.h"
#include "core/base/misuse.h"
#include <malloc.h>

enum { ARENAS = 4, LARGE = 1024 * 1024 };

static struct {
  const AditLoopService *loop;
  AditTimer timer;
  guint64 last_ms;
} self;

void adit_memory_init(const AditLoopService *loop) {
  memset(&self, 0, sizeof self);
  self.loop = loop;
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

static void on_trimmed(gpointer data) {}

static void start_trim(AditTimer *timer, gpointer data) {
  self.last_ms = self.loop->now();
  self.loop->run_blocking(NULL, trim_heap, on_trimmed, NULL); /* refused: the next one does it */
}

void adit_memory_give_back(void) {
  ADIT_MAIN_ONLY("adit.loop memory_freed");
  if (!self.loop || self.timer.deadline)
    return;
  guint64 now = self.loop->now(), next = self.last_ms ? self.last_ms + ADIT_MEMORY_PAUSE_MS : 0;
  self.timer = (AditTimer){.func = start_trim};
  self.loop->timer_arm(&self.timer, MAX(next, now + ADIT_MEMORY_SOON_MS) - now);
}

void adit_memory_fini(void) {
  if (self.loop)
    self.loop->timer_cancel(&self.timer);
  self.loop = NULL;
}
