/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/session/tally.h - how many users a thing has, by key: answers in one look-up what else is a walk over all sessions. [main] */
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

G_END_DECLS
