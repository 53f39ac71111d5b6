/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/base/random.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/random.h>

/* One getrandom(2) serves many: a session's set-up asks for ids, magic numbers and challenges of a few octets each. */
static _Thread_local struct {
  guint8 octets[512];
  gsize left; /* at the end of `octets`; octets are wiped once they are handed out */
  guint forks;
} pool;

static guint forks; /* atomic: a child never hands out what its parent may hand out, too */

static void after_fork(void) {
  __atomic_add_fetch(&forks, 1, __ATOMIC_RELAXED);
}

static void watch_forks(void) {
  pthread_atfork(NULL, NULL, after_fork);
}

static void read_kernel_random(guint8 *at, gsize length) {
  while (length > 0) {
    gssize n = getrandom(at, length, 0);
    if (n < 0) {
      /* Ids and challenges that can be guessed are worse than no daemon. */
      if (errno != EINTR)
        g_error("getrandom: %s", g_strerror(errno));
      continue;
    }
    at += n;
    length -= (gsize)n;
  }
}

static void refill_pool(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;

  pthread_once(&once, watch_forks);
  pool.forks = __atomic_load_n(&forks, __ATOMIC_RELAXED);
  read_kernel_random(pool.octets, sizeof pool.octets);
  pool.left = sizeof pool.octets;
}

void adit_random(gpointer buffer, gsize length) {
  if (length > sizeof pool.octets / 4) {
    read_kernel_random(buffer, length);
    return;
  }
  if (pool.left < length || pool.forks != __atomic_load_n(&forks, __ATOMIC_RELAXED))
    refill_pool();
  guint8 *from = pool.octets + sizeof pool.octets - pool.left;
  memcpy(buffer, from, length);
  explicit_bzero(from, length);
  pool.left -= length;
}
