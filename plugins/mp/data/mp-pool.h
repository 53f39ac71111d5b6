/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * mp-pool.h - memory for fragments that wait, of all bundles and workers. Blocks of one size; no lock, and nothing is allocated after the
 * start. The limit of a bundle depends on what is left, so that many that take all they can leave some for the others.
 */
#pragma once

#include <glib.h>

#define MP_BLOCK_DATA    2020  /**< octets of data in a block */
#define MP_BUNDLE_MOST   1024  /**< blocks of a bundle at most */
#define MP_BUNDLE_LEAST  4     /**< blocks that a bundle may ask for while there are any */
#define MP_BUNDLE_PACKET 64    /**< blocks for the longest packet in fragments of 1,024 octets */
#define MP_POOL_BLOCKS   32768 /**< of all; memory is used when they are used for the first time */

/** A fragment, or a piece of a long one. */
typedef struct {
  guint32 next;    /**< the rest of the fragment; 0 = none */
  guint32 free;    /**< atomic: the pool's. A thread may look at it although another one has taken the block meanwhile */
  guint32 length;  /**< of the whole fragment, in its first block */
  guint64 came_ms; /**< in the first block */
  guint8 begin, end, link;
  guint8 data[MP_BLOCK_DATA];
} MpBlock;

/** Makes the pool, once. FALSE: no memory. [main] */
gboolean mp_pool_prepare(void);
/** The number of a block that is the caller's, or 0. `holds`: how many the bundle has. [worker] */
guint32 mp_pool_take(guint32 holds);
void mp_pool_give(guint32 number); /**< [any] */
MpBlock *mp_pool_block(guint32 number);
/** Blocks that are taken now, and that were at most. [any] */
void mp_pool_usage(guint64 *now, guint64 *most);
