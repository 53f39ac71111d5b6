/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** mppe-clear.h - is it what a peer would encrypt, or what a wrong key makes of it? Pure. [any] */
#pragma once

#include <adit/types.h>

/** Octets of a frame that are examined at most. */
enum { MPPE_PEEK = 64 };

typedef enum {
  MPPE_CLEAR_NOISE = 0,
  MPPE_CLEAR_MAYBE,  /**< nothing in it proves the key: a bridged frame of another kind than ARP or IP */
  MPPE_CLEAR_PROVEN, /**< one wrong key in 2^28 would look like that */
} MppeClear;

/** `head`: the first `n` of `length` octets, from the protocol on. Tells the protocol and how many octets it takes. */
MppeClear mppe_clear_judge(const guint8 *head, guint n, guint32 length, guint16 *protocol, guint *taken);
