/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * kin.h - members that share a key, found by its hash in constant time: rings of embedded links in a hash table.
 *
 * A ring is in the order of arrival. Everything but a walk along a ring takes constant time, however many members share a key.
 *
 *   L2tpKin *kin = l2tp_kin_first(table, hash);
 *   for (; kin; kin = l2tp_kin_next(table, kin))
 *     use(kin->owner); // the hash says that the keys are most likely equal: compare them
 */
#pragma once

#include <glib.h>

typedef struct L2tpKin L2tpKin;

/** A member; zero-initialise, set `owner`. */
struct L2tpKin {
  gpointer owner;
  L2tpKin *next, *previous; /**< a ring; NULL = in no table */
  gsize hash;
};

/** Hash -> the oldest member of a ring. Free it with g_hash_table_unref(), when it is empty. */
GHashTable *l2tp_kin_table_new(void);
/** Puts it behind the others with that hash. `hash` must be unpredictable to strangers that choose keys. */
void l2tp_kin_add(GHashTable *table, L2tpKin *kin, guint64 hash);
/** Harmless when it is in no table. */
void l2tp_kin_remove(GHashTable *table, L2tpKin *kin);
/** The oldest with that hash, or NULL. */
L2tpKin *l2tp_kin_first(GHashTable *table, guint64 hash);
/** The one that came after, or NULL. */
L2tpKin *l2tp_kin_next(GHashTable *table, const L2tpKin *kin);
/** Makes the one after `kin` the first: `kin`, which was the first, counts as the latest. */
void l2tp_kin_rotate(GHashTable *table, L2tpKin *kin);
