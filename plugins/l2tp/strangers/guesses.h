/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * guesses.h - guesses of tunnel ids: different ids that no tunnel has, by the address that they come from. Constant time and memory;
 * addresses share a place by a keyed hash, as a source may be forged. All [main].
 */
#pragma once

#include <adit/address.h>

enum {
  L2TP_GUESSES_MAX = 8,      /**< different ids before an address is suspected: a peer of old tunnels sends some, too */
  L2TP_GUESSES_PLACES = 256, /**< addresses are spread over so many */
  L2TP_GUESSES_MS = 10000,   /**< after so long without one all is forgotten */
};

typedef struct {
  struct {
    guint16 ids[L2TP_GUESSES_MAX]; /**< the first `n` count */
    guint8 n;
    gboolean many; /**< there were more */
    guint64 last_ms;
  } places[L2TP_GUESSES_PLACES];
} L2tpGuesses;

/** A datagram from an address that hashes to `hash` names a tunnel that is not there. */
void l2tp_guesses_add(L2tpGuesses *guesses, guint hash, guint16 id, guint64 now);
/** TRUE if more ids came from there than a peer may be mistaken about. */
gboolean l2tp_guesses_suspect(const L2tpGuesses *guesses, guint hash, guint64 now);
