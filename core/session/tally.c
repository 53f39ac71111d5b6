/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/session/tally.h"

struct AditTally {
  GHashTable *counts; /* key -> GUINT_TO_POINTER, never 0 */
  gsize size;
};

AditTally *adit_tally_new(GHashFunc hash, GEqualFunc equal, gsize size) {
  AditTally *tally = g_new0(AditTally, 1);
  tally->counts = g_hash_table_new_full(hash, equal, g_free, NULL);
  tally->size = size;
  return tally;
}

void adit_tally_free(AditTally *tally) {
  g_hash_table_unref(tally->counts);
  g_free(tally);
}

guint adit_tally_count(const AditTally *tally, gconstpointer key) {
  return GPOINTER_TO_UINT(g_hash_table_lookup(tally->counts, key));
}

static void set_count(AditTally *tally, gconstpointer key, guint count) {
  g_hash_table_insert(tally->counts, tally->size ? g_memdup2(key, tally->size) : g_strdup(key), GUINT_TO_POINTER(count));
}

guint adit_tally_add(AditTally *tally, gconstpointer key) {
  guint count = adit_tally_count(tally, key) + 1;
  set_count(tally, key, count);
  return count;
}

guint adit_tally_remove(AditTally *tally, gconstpointer key) {
  guint count = adit_tally_count(tally, key);
  if (count > 1)
    set_count(tally, key, count - 1);
  else
    g_hash_table_remove(tally->counts, key);
  return count ? count - 1 : 0;
}

/* ---- numbers in use ---- */

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
