/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/base/random.h"

#include <errno.h>
#include <sys/random.h>

void adit_random(gpointer buffer, gsize length) {
  guint8 *at = buffer;
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
