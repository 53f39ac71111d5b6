/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Nettle divides by the length for each of the 256 octets. Words are faster than octets here: each swap waits for the one before. */
#include "mppe-rc4.h"

enum { STATES = G_N_ELEMENTS(((struct arcfour_ctx *)NULL)->S) };

void mppe_rc4_set_key(struct arcfour_ctx *rc4, guint length, const guint8 *key) {
  guint32 state[STATES], j = 0;

  for (guint i = 0; i < STATES; i++)
    state[i] = i;
  for (guint i = 0; i < STATES; i++) {
    guint32 one = state[i];
    j = (j + (one + key[i & (length - 1)])) % STATES;
    state[i] = state[j];
    state[j] = one;
  }
  for (guint i = 0; i < STATES; i++)
    rc4->S[i] = (guint8)state[i];
  rc4->i = rc4->j = 0;
}
