/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** mppe-key.h - the session keys of MPPE, one direction's (RFC 3078 7, RFC 3079 2 and 3). Pure. [any] */
#pragma once

#include <adit/types.h>

#define MPPE_KEY 16

/** The bits of CCP's option (RFC 3078 2.1), in which strengths are told everywhere. */
enum {
  MPPE_MPPC = 0x00000001,
  MPPE_OBSOLETE = 0x00000010,
  MPPE_40 = 0x00000020,
  MPPE_128 = 0x00000040,
  MPPE_56 = 0x00000080,
  MPPE_STATELESS = 0x01000000,
  MPPE_STRENGTHS = MPPE_40 | MPPE_56 | MPPE_128,
};

typedef struct {
  guint8 start[MPPE_KEY];   /**< as authentication made it */
  guint8 current[MPPE_KEY]; /**< RC4's */
  guint8 length;            /**< octets of both: 8 for 40 and 56 bits */
  guint8 fixed;             /**< octets of `current` that are the same in every key */
} MppeKey;

/** The initial session key. `start` has 16 octets, of which 40 and 56 bits use the first 8. */
void mppe_key_init(MppeKey *key, const guint8 *start, guint32 strength);
/** The initial session key again. */
void mppe_key_restart(MppeKey *key);
/** RFC 3078 7.3: the next one. */
void mppe_key_change(MppeKey *key);
/** The strongest of some; 0 = there is none. */
guint32 mppe_strongest(guint32 strengths);
/** 40, 56 or 128. */
guint mppe_strength_bits(guint32 strength);
