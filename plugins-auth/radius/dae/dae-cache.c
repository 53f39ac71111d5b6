/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Requests that were believed, so that a repeat gets the same answer and does nothing: RFC 5176 2.3, RFC 5080 2.2.2. */
#include "dae-cache.h"
#include "../wire/vocabulary.h"

/* Answered entries wait for their end in the order in which they were answered. Those with Event-Timestamp stay longer than the others, so
 * there is a queue for each length of life: the heads are what expires first. */
enum { QUEUES = 2 };

struct RadiusDaeCache {
  GHashTable *seen; /* set of RadiusDaeSeen*, owned */
  GQueue queues[QUEUES];
  guint max;
};

static guint seen_hash(gconstpointer data) {
  const RadiusDaeSeen *seen = data;
  guint hash;
  memcpy(&hash, seen->authenticator, sizeof hash); /* MD5 with a secret: no peer chooses it */
  return hash ^ seen->id;
}

static gboolean seen_equal(gconstpointer a, gconstpointer b) {
  const RadiusDaeSeen *x = a, *y = b;
  return x->id == y->id && memcmp(x->authenticator, y->authenticator, sizeof x->authenticator) == 0 &&
         adit_endpoint_equal(&x->from, &y->from);
}

/* A replayed packet may have any source address. With an Event-Timestamp in it, the same octets are a repeat from
 * anywhere (RFC 5176 6.3); without, two servers may have made them by chance. */
static AditEndpoint source_of(const AditEndpoint *from, const RadiusPacket *request) {
  RadiusAttribute attribute;
  return radius_packet_find(request, 0, EVENT_TIMESTAMP, &attribute) ? (AditEndpoint){0} : *from;
}

static void seen_free(gpointer data) {
  RadiusDaeSeen *seen = data;
  g_clear_pointer(&seen->answer, g_bytes_unref);
  g_free(seen);
}

RadiusDaeCache *radius_dae_cache_new(guint max) {
  RadiusDaeCache *cache = g_new0(RadiusDaeCache, 1);
  cache->seen = g_hash_table_new_full(seen_hash, seen_equal, seen_free, NULL);
  cache->max = max;
  return cache;
}

void radius_dae_cache_free(RadiusDaeCache *cache) {
  for (guint i = 0; i < QUEUES; i++)
    g_queue_clear(&cache->queues[i]);
  g_hash_table_unref(cache->seen);
  g_free(cache);
}

static void drop_head(RadiusDaeCache *cache, GQueue *queue) {
  g_hash_table_remove(cache->seen, g_queue_pop_head(queue));
}

static void expire_entries(RadiusDaeCache *cache, guint64 now_ms) {
  for (guint i = 0; i < QUEUES; i++)
    for (RadiusDaeSeen *head; (head = g_queue_peek_head(&cache->queues[i])) && head->expires_ms <= now_ms;)
      drop_head(cache, &cache->queues[i]);
}

RadiusDaeSeen *radius_dae_cache_find(RadiusDaeCache *cache, const AditEndpoint *from, const RadiusPacket *request, guint64 now_ms) {
  RadiusDaeSeen key = {.from = source_of(from, request), .id = request->id};

  expire_entries(cache, now_ms);
  memcpy(key.authenticator, request->authenticator, sizeof key.authenticator);
  return g_hash_table_lookup(cache->seen, &key);
}

static gboolean evict_oldest(RadiusDaeCache *cache) {
  if (g_hash_table_size(cache->seen) < cache->max)
    return TRUE;
  for (guint i = 0; i < QUEUES; i++)
    if (!g_queue_is_empty(&cache->queues[i])) {
      drop_head(cache, &cache->queues[i]);
      return TRUE;
    }
  return FALSE;
}

RadiusDaeSeen *radius_dae_cache_add(RadiusDaeCache *cache, const AditEndpoint *from, const RadiusPacket *request, guint64 now_ms) {
  expire_entries(cache, now_ms);
  if (!evict_oldest(cache))
    return NULL;
  RadiusDaeSeen *seen = g_new0(RadiusDaeSeen, 1);
  seen->from = source_of(from, request);
  seen->id = request->id;
  memcpy(seen->authenticator, request->authenticator, sizeof seen->authenticator);
  g_hash_table_add(cache->seen, seen);
  return seen;
}

void radius_dae_cache_answer(RadiusDaeCache *cache, RadiusDaeSeen *seen, GBytes *answer, gboolean timed, guint64 until_ms) {
  seen->answer = answer;
  seen->expires_ms = until_ms;
  g_queue_push_tail(&cache->queues[timed ? 1 : 0], seen);
}

void radius_dae_cache_forget(RadiusDaeCache *cache, RadiusDaeSeen *seen) {
  g_hash_table_remove(cache->seen, seen);
}

void radius_dae_cache_set_max(RadiusDaeCache *cache, guint max) {
  cache->max = max;
}

guint radius_dae_cache_count(const RadiusDaeCache *cache) {
  return g_hash_table_size(cache->seen);
}
