/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** limiter.h - how many tunnels a stranger may begin: token buckets in a fixed array, keyed by source prefix. */
#pragma once

#include <adit/address.h>
#include <adit/siphash.h>

enum { L2TP_LIMITER_BUCKETS = 4096 };

typedef struct {
  guint8 key[ADIT_SIPHASH_KEY]; /**< random, so that a stranger can't aim at another's bucket */
  guint32 rate, burst;          /**< tokens a second, and at most */
  struct {
    guint32 used; /**< thousandths of tokens */
    guint32 last_ms;
  } buckets[L2TP_LIMITER_BUCKETS];
} L2tpLimiter;

/** Keeps what is in the buckets. */
void l2tp_limiter_set(L2tpLimiter *limiter, guint32 rate, guint32 burst);
/** Takes a token for the prefix of `address` (IPv4 /24, IPv6 /56). False if there is none. */
gboolean l2tp_limiter_take(L2tpLimiter *limiter, const AditAddress *address, guint64 now_ms);
/** Gives it back: the peer has proven its address. */
void l2tp_limiter_refund(L2tpLimiter *limiter, const AditAddress *address);
