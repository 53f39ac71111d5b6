/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Small numbers for links, the smallest that is free first: a NAS-Port stays short, and is used again. */
#include "core/session/internal.h"

static GArray *taken; /* guint64: a bit for each number, set while a link has it */
static guint first;   /* no word before this one has a free bit */

guint32 adit_number_take(void) {
  if (!taken)
    taken = g_array_new(FALSE, TRUE, sizeof(guint64));
  while (first < taken->len && g_array_index(taken, guint64, first) == G_MAXUINT64)
    first++;
  if (first == taken->len)
    g_array_set_size(taken, first + 1);
  guint64 *word = &g_array_index(taken, guint64, first);
  guint bit = (guint)__builtin_ctzll(~*word);
  *word |= G_GUINT64_CONSTANT(1) << bit;
  return first * 64 + bit + 1;
}

void adit_number_give_back(guint32 number) {
  guint word = (number - 1) / 64;
  g_array_index(taken, guint64, word) &= ~(G_GUINT64_CONSTANT(1) << (number - 1) % 64);
  first = MIN(first, word);
}

void adit_numbers_fini(void) {
  g_clear_pointer(&taken, g_array_unref);
  first = 0;
}
