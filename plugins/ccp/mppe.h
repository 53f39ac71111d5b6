/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * mppe.h - MPPE (RFC 3078) as a stage: what it encrypts and decrypts, on the session's home worker.
 *
 * A frame that does not become a packet of a network protocol is never passed on. Its octets prove that: an IPv4 header by its checksum, an
 * IPv6 header by its length. No state is kept of a frame that proves nothing, so that noise and forged frames cost only themselves.
 *
 * Peers restart RC4 in stateful mode in two ways after a Reset-Request: with the current key (RFC 3078 8.3), or with a changed one (Linux).
 * Both are understood. Until the peer is known to be of the first kind, the coherency count continues at the next flag packet, where
 * both ways agree.
 */
#pragma once

#include "mppe-key.h"
#include <adit/stage.h>

enum { MPPE_HEADER = 2, MPPE_HEADROOM = 4 };

typedef struct {
  guint8 start[MPPE_KEY]; /**< as mppe_key_init() */
  guint32 strength;
  gboolean stateless;
} MppeDirection;

/** The parameters. */
typedef struct {
  guint32 epoch; /**< another number = both directions start again, with these keys */
  guint32 flush; /**< another number = the peer has sent a Reset-Request */
  MppeDirection send, receive;
  gboolean strict; /**< drops data that can't be encrypted, rather than send it in clear */
} MppeParams;

/** Notes of the worker. */
enum {
  MPPE_NOTE_RESET = 1, /**< MppeNoise. Stateful: a Reset-Request is needed. At most one each MPPE_RESET_MS */
  MPPE_NOTE_NOISE,     /**< MppeNoise. At most one each MPPE_NOISE_MS */
};

enum { MPPE_RESET_MS = 100, MPPE_NOISE_MS = 1000 };

/** Protocols that are encrypted (RFC 3078 4). */
enum { MPPE_FIRST = 0x0021, MPPE_LAST = 0x00fa };

typedef struct {
  guint32 dropped; /**< frames that made no sense, since the keys are in use */
  gboolean proven; /**< one has made sense: the keys are those of the peer */
  guint32 run;     /**< notes of this kind since the last frame that made sense, this one included */
} MppeNoise;

extern const AditStageOps mppe_stage;

/* ---- for tests ---- */

typedef enum { MPPE_HABIT_UNKNOWN = 0, MPPE_HABIT_CURRENT, MPPE_HABIT_CHANGED } MppeHabit;

/** How the peer restarts RC4, as its own flushed packets have shown. */
MppeHabit mppe_habit(gconstpointer state);
