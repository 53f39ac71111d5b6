/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * tun-table.h - hash tables that one thread changes while others look things up, without locks. An item is published by one
 * pointer store; a table that is too small is replaced by a larger one. A caller that removes an item must keep it, and the old array,
 * until every reader has passed a quiescent point: `retire` is called with it.
 */
#pragma once

#include <adit/address.h>

typedef void (*TunRetire)(gpointer user, gpointer memory); /**< [main] g_free() it when no reader can see it */

/** First member of an item of a TunTable. */
typedef struct {
  guint64 key;
} TunItem;

typedef struct TunSlots TunSlots;
typedef struct {
  TunSlots *slots;
  guint items, used; /* used: with the tombstones */
  TunRetire retire;
  gpointer user;
} TunTable;

void tun_table_init(TunTable *table, TunRetire retire, gpointer user);
/** There must be no reader. Items are not touched. */
void tun_table_clear(TunTable *table);
/** False if the key is there. [main] */
gboolean tun_table_insert(TunTable *table, TunItem *item);
void tun_table_remove(TunTable *table, TunItem *item);         /**< [main] */
TunItem *tun_table_lookup(const TunTable *table, guint64 key); /**< [any] */
/** Calls each(item, data), which may remove the item. [main] */
void tun_table_foreach(TunTable *table, void (*each)(TunItem *item, gpointer data), gpointer data);

/** A prefix that leads to something: longest match wins. */
typedef struct {
  TunItem item; /* key: a hash of length and bits */
  AditPrefix prefix;
  gpointer value;
} TunRoute;

typedef struct {
  TunTable table;
  guint64 lengths[2][3]; /* which prefix lengths are there: a bit each, for IPv4 and IPv6 */
  guint counts[2][129];
} TunRoutes;

void tun_routes_init(TunRoutes *routes, TunRetire retire, gpointer user);
void tun_routes_clear(TunRoutes *routes);
/** `route->prefix` and `value` are set by the caller; host bits are cleared here. False if it is there already. [main] */
gboolean tun_routes_insert(TunRoutes *routes, TunRoute *route);
void tun_routes_remove(TunRoutes *routes, TunRoute *route); /**< [main] */
/** The value of the longest prefix that holds the address (4 or 16 octets, by `version` 4 or 6), or NULL. [any] */
gpointer tun_routes_lookup(const TunRoutes *routes, guint version, const guint8 *address);
/** The length of that prefix; -1 = none. [any] */
int tun_routes_longest(const TunRoutes *routes, guint version, const guint8 *address);
/** The route with exactly this prefix, without host bits, or NULL. [main] */
TunRoute *tun_routes_find(const TunRoutes *routes, const AditPrefix *prefix);

/** Keeps the first `length` bits of the `octets` at `from`, and clears the rest. [any] */
void tun_mask_bits(guint8 to[16], const guint8 *from, guint octets, guint length);
guint64 tun_prefix_key(guint version, guint length, const guint8 bits[16]); /**< a hash. [any] */
AditPrefix tun_prefix_masked(const AditPrefix *prefix);                     /**< without host bits. [any] */
