/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * shares.h - the items that strangers hold, counted by source, and the item that a newcomer displaces at the limit.
 *
 * A source is an address prefix at two widths: a network (IPv4 /24, IPv6 /48) and in it hosts (IPv4 /32, IPv6 /64). Adding,
 * removing and finding the greediest source take constant time. The memory is a small constant for each item that is held,
 * so that whatever bounds the items bounds it.
 *
 * Pure: no clock, no randomness but the key.
 *
 *   if (shares->count >= limit) {
 *     L2tpShare *victim = l2tp_shares_victim(shares, &remote, now, patience_ms);
 *     if (!victim)
 *       return refuse();
 *     drop(victim->owner); // removes its share
 *   }
 *   l2tp_shares_add(shares, &own->share, &remote, now);
 */
#pragma once

#include <adit/address.h>
#include <adit/siphash.h>

typedef struct L2tpShareSource L2tpShareSource;
typedef struct L2tpShareRank L2tpShareRank;

/** An item that a stranger holds; zero-initialise, set `owner`. */
typedef struct L2tpShare L2tpShare;
struct L2tpShare {
  gpointer owner;
  L2tpShareSource *host; /**< NULL = not counted */
  L2tpShare *next, *previous;
  guint64 since_ms;
};

/** Sources in order of what they hold: one rank for each number, those with the same number in order of arrival. */
typedef struct {
  L2tpShareRank *least, *most;
} L2tpShareRanking;

typedef struct {
  guint count; /**< items */
  GHashTable *sources;
  L2tpShareRanking networks;
  guint8 key[ADIT_SIPHASH_KEY];
} L2tpShares;

void l2tp_shares_init(L2tpShares *shares, const guint8 key[ADIT_SIPHASH_KEY]);
/** Nothing may be held any more. */
void l2tp_shares_clear(L2tpShares *shares);
/** Counts `share`, which is not counted yet, for `address`. */
void l2tp_shares_add(L2tpShares *shares, L2tpShare *share, const AditAddress *address, guint64 now_ms);
/** Harmless when it is not counted. */
void l2tp_shares_remove(L2tpShares *shares, L2tpShare *share);
/**
 * The item to displace for a newcomer from `address`: the oldest item of the greediest host of the greediest network.
 * NULL: the newcomer has to wait. An item goes at once if its network (in the newcomer's own network: its host) holds at least
 * two more than the newcomer's. Between equals it goes once it is `patience_ms` old, so that a storm of honest peers does not
 * displace itself.
 */
L2tpShare *l2tp_shares_victim(L2tpShares *shares, const AditAddress *address, guint64 now_ms, guint64 patience_ms);
/** How much the network (or, narrower, the host) of `address` holds. */
guint l2tp_shares_held(const L2tpShares *shares, const AditAddress *address, gboolean network);
/** How much the greediest network holds. */
guint l2tp_shares_most(const L2tpShares *shares);
