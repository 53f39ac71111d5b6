/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/session/numbers.h"

guint32 adit_numbers_take(AditNumbers *numbers) {
  if (!numbers->taken)
    numbers->taken = g_array_new(FALSE, TRUE, sizeof(guint64));
  GArray *taken = numbers->taken;
  while (numbers->first < taken->len && g_array_index(taken, guint64, numbers->first) == G_MAXUINT64)
    numbers->first++;
  if (numbers->first == taken->len)
    g_array_set_size(taken, numbers->first + 1);
  guint64 *word = &g_array_index(taken, guint64, numbers->first);
  guint bit = (guint)__builtin_ctzll(~*word);
  *word |= G_GUINT64_CONSTANT(1) << bit;
  return numbers->first * 64 + bit + 1;
}

void adit_numbers_give_back(AditNumbers *numbers, guint32 number) {
  guint word = (number - 1) / 64;
  g_array_index(numbers->taken, guint64, word) &= ~(G_GUINT64_CONSTANT(1) << (number - 1) % 64);
  numbers->first = MIN(numbers->first, word);
}

void adit_numbers_clear(AditNumbers *numbers) {
  g_clear_pointer(&numbers->taken, g_array_unref);
  numbers->first = 0;
}
