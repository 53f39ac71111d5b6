/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** radius/dae/dae-cache.h - requests that were believed and what they were answered (RFC 5080 2.2.2). All [main]. */
#pragma once

#include "../wire/radius-packet.h"

#include <adit/address.h>

typedef struct RadiusDaeCache RadiusDaeCache;

/** A request that was believed: its sender, and the answer. */
typedef struct {
  AditEndpoint from; /**< zeros for one with an Event-Timestamp: that counts wherever it comes from */
  guint8 id, authenticator[16];
  GBytes *answer;     /**< NULL while there is none */
  guint64 expires_ms; /**< 0 = not answered yet: it stays */
} RadiusDaeSeen;

/** At most `max` entries: a new one displaces the oldest that is answered. */
RadiusDaeCache *radius_dae_cache_new(guint max);
void radius_dae_cache_free(RadiusDaeCache *cache);
/** The same packet from the same port (with an Event-Timestamp: from anywhere), not expired at `now_ms`; NULL: it is new. Borrowed
 *  until the next call. */
RadiusDaeSeen *radius_dae_cache_find(RadiusDaeCache *cache, const AditEndpoint *from, const RadiusPacket *request, guint64 now_ms);
/** Adds a new request, which stays until it is answered or forgotten. NULL: the cache is full of unanswered requests. */
G_GNUC_WARN_UNUSED_RESULT
RadiusDaeSeen *radius_dae_cache_add(RadiusDaeCache *cache, const AditEndpoint *from, const RadiusPacket *request, guint64 now_ms);
/** It is answered, and kept until `until_ms`. Takes over `answer`. `timed`: it has an Event-Timestamp, and is of those that are kept
 *  longer: within each kind, later answers must be kept until later. */
void radius_dae_cache_answer(RadiusDaeCache *cache, RadiusDaeSeen *seen, GBytes *answer, gboolean timed, guint64 until_ms);
/** A request that is not answered after all: it is as if it had not come. */
void radius_dae_cache_forget(RadiusDaeCache *cache, RadiusDaeSeen *seen);
/** Changes the bound: entries beyond it stay until they expire or are displaced. */
void radius_dae_cache_set_max(RadiusDaeCache *cache, guint max);
guint radius_dae_cache_count(const RadiusDaeCache *cache);
