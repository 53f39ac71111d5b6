/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "early.h"

/** All frames of one IPv4 address or IPv6 /64. */
struct TunEarlySource {
  AditAddress net;
  GQueue frames;  /* oldest first */
  GList by_count; /* member of the queue of those that have as many */
};

struct TunEarlyStore {
  guint max, most; /* most: the largest number of frames that a source has, or more */
  guint64 displaced;
  GHashTable *frames;  /* TunEarlyKey -> TunEarly */
  GHashTable *sources; /* AditAddress -> TunEarlySource */
  GQueue by_age, due;
  GQueue *by_count; /* [max + 1]: sources that have so many frames */
};

static guint key_hash(gconstpointer data) {
  const TunEarlyKey *key = data;
  guint64 h = (key->listener << 40 ^ key->key) * G_GUINT64_CONSTANT(0x9e3779b97f4a7c15);
  return (guint)(h >> 32);
}

static gboolean key_equal(gconstpointer a, gconstpointer b) {
  return memcmp(a, b, sizeof(TunEarlyKey)) == 0;
}

TunEarlyStore *tun_early_new(guint max) {
  TunEarlyStore *store = g_new0(TunEarlyStore, 1);
  store->max = max;
  store->frames = g_hash_table_new(key_hash, key_equal);
  store->sources = g_hash_table_new(adit_address_hash, adit_address_same);
  store->by_count = g_new0(GQueue, max + 1);
  return store;
}

/* ---- sources, by how many frames they have ---- */

static void source_count(TunEarlyStore *store, TunEarlySource *source, guint before) {
  guint now = source->frames.length;
  if (before)
    g_queue_unlink(&store->by_count[before], &source->by_count);
  if (now) {
    g_queue_push_tail_link(&store->by_count[now], &source->by_count);
    store->most = MAX(store->most, now);
  } else {
    g_hash_table_remove(store->sources, &source->net);
    g_free(source);
  }
  while (store->most && !store->by_count[store->most].length)
    store->most--;
}

static AditAddress source_net(const AditPath *path) {
  AditAddress net = adit_endpoint_address(&path->remote);
  if (net.family == AF_INET6)
    memset(net.octet + 8, 0, 8);
  return net;
}

static TunEarlySource *source_get(TunEarlyStore *store, const AditPath *path) {
  AditAddress net = source_net(path);
  TunEarlySource *source = g_hash_table_lookup(store->sources, &net);
  if (!source) {
    source = g_new0(TunEarlySource, 1);
    source->net = net;
    source->by_count.data = source;
    g_hash_table_insert(store->sources, &source->net, source);
  }
  return source;
}

/* ---- frames ---- */

static void frame_unlink(TunEarlyStore *store, TunEarly *early) {
  TunEarlySource *source = early->source;
  guint before = source->frames.length;
  g_hash_table_remove(store->frames, &early->key);
  g_queue_unlink(&store->by_age, &early->by_age);
  if (early->due.data)
    g_queue_unlink(&store->due, &early->due);
  early->due.data = NULL;
  g_queue_unlink(&source->frames, &early->of_source);
  source_count(store, source, before);
}

static void frame_drop(TunEarlyStore *store, TunEarly *early) {
  frame_unlink(store, early);
  g_free(early);
}

static gboolean is_stale(const TunEarly *early, guint64 now) {
  return now - early->since > TUN_EARLY_MS;
}

/* One frame makes way: the oldest of the source that has the most; of `newcomer` itself, if no other has more. */
static void make_way(TunEarlyStore *store, TunEarlySource *newcomer) {
  TunEarlySource *source = g_queue_peek_head(&store->by_count[store->most]);
  if (newcomer && newcomer->frames.length == store->most)
    source = newcomer;
  store->displaced++;
  frame_drop(store, g_queue_peek_head(&source->frames));
}

void tun_early_put(TunEarlyStore *store, const TunEarlyKey *key, const AditPath *path, guint64 now, const guint8 *frame, gsize length) {
  TunEarly *early;
  if (length > TUN_EARLY_FRAME || !store->max)
    return;
  while ((early = g_queue_peek_head(&store->by_age)) && is_stale(early, now))
    frame_drop(store, early);
  if ((early = g_hash_table_lookup(store->frames, key)))
    frame_drop(store, early);
  if (store->by_age.length == store->max) {
    AditAddress net = source_net(path);
    make_way(store, g_hash_table_lookup(store->sources, &net));
  }

  early = g_malloc0(sizeof *early + length);
  early->key = *key;
  early->since = now;
  early->path = *path;
  early->length = (guint)length;
  if (length)
    memcpy(early->frame, frame, length);
  early->by_age.data = early->of_source.data = early;
  early->source = source_get(store, path);
  guint before = early->source->frames.length;
  g_queue_push_tail_link(&early->source->frames, &early->of_source);
  source_count(store, early->source, before);
  g_queue_push_tail_link(&store->by_age, &early->by_age);
  g_hash_table_insert(store->frames, &early->key, early);
}

gboolean tun_early_mark_due(TunEarlyStore *store, const TunEarlyKey *key) {
  TunEarly *early = g_hash_table_lookup(store->frames, key);
  if (!early)
    return FALSE;
  if (!early->due.data) {
    early->due.data = early;
    g_queue_push_tail_link(&store->due, &early->due);
  }
  return TRUE;
}

TunEarly *tun_early_take_due(TunEarlyStore *store, guint64 now) {
  TunEarly *early;
  while ((early = g_queue_peek_head(&store->due))) {
    frame_unlink(store, early);
    if (!is_stale(early, now))
      return early;
    g_free(early);
  }
  return NULL;
}

guint tun_early_count(const TunEarlyStore *store) {
  return store->by_age.length;
}

guint64 tun_early_displaced(const TunEarlyStore *store) {
  return store->displaced;
}

void tun_early_free(TunEarlyStore *store) {
  TunEarly *early;
  if (!store)
    return;
  while ((early = g_queue_peek_head(&store->by_age)))
    frame_drop(store, early);
  g_hash_table_unref(store->frames);
  g_hash_table_unref(store->sources);
  g_free(store->by_count);
  g_free(store);
}
