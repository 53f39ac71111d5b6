/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * table.h - hash tables that one thread changes while others look things up, without locks. An item is published by one
 * pointer store; a table that is too small is replaced by a larger one. Whoever removes an item must keep it until
 * every reader has passed a quiescent point, and so the old array: `retire` is called with it.
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
/** Nobody may be reading. Items are not touched. */
void tun_table_clear(TunTable *table);
/** False if the key is there. [main] */
gboolean tun_table_insert(TunTable *table, TunItem *item);
void tun_table_remove(TunTable *table, TunItem *item);         /**< [main] */
TunItem *tun_table_lookup(const TunTable *table, guint64 key); /**< [any] */

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
