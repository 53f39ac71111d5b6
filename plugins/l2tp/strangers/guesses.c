/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "guesses.h"

static gboolean is_recent(guint64 last_ms, guint64 now) {
  return now < last_ms + L2TP_GUESSES_MS;
}

void l2tp_guesses_add(L2tpGuesses *guesses, guint hash, guint16 id, guint64 now) {
  __typeof__(guesses->places[0]) *place = &guesses->places[hash % L2TP_GUESSES_PLACES];

  if (!is_recent(place->last_ms, now)) {
    place->n = 0;
    place->many = FALSE;
  }
  place->last_ms = now;
  for (guint i = 0; i < place->n; i++)
    if (place->ids[i] == id)
      return;
  if (place->n < L2TP_GUESSES_MAX)
    place->ids[place->n++] = id;
  else
    place->many = TRUE;
}

gboolean l2tp_guesses_suspect(const L2tpGuesses *guesses, guint hash, guint64 now) {
  const __typeof__(guesses->places[0]) *place = &guesses->places[hash % L2TP_GUESSES_PLACES];

  return place->many && is_recent(place->last_ms, now);
}
