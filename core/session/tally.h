/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/session/tally.h - counts by key, and numbers in use: they answer in one look-up instead of a walk over all sessions. [main] */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct AditTally AditTally;

/** Keys are copied: `size` octets each, or strings if it is 0. */
AditTally *adit_tally_new(GHashFunc hash, GEqualFunc equal, gsize size);
void adit_tally_free(AditTally *tally);
/** One more; how many there are then. */
guint adit_tally_add(AditTally *tally, gconstpointer key);
/** One less; how many are left. Harmless when there is none. */
guint adit_tally_remove(AditTally *tally, gconstpointer key);
guint adit_tally_count(const AditTally *tally, gconstpointer key);

/* ---- a set of small numbers in use: gives out the smallest that is free, in constant time. Pure. [any] ---- */

/** Zero-initialise. */
typedef struct {
  GArray *taken; /**< guint64: a bit for each number, set while it is in use */
  guint first;   /**< no word before this one has a free bit */
} AditNumbers;

/** The smallest free number from 1; and back. */
guint32 adit_numbers_take(AditNumbers *numbers);
void adit_numbers_give_back(AditNumbers *numbers, guint32 number);
void adit_numbers_clear(AditNumbers *numbers);

G_END_DECLS
