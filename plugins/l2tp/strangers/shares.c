/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "shares.h"

/** The key of a source: compared and hashed octet by octet. */
typedef struct {
  guint8 prefix[8]; /**< the first octets of the address, zeroed beyond the width */
  guint8 family;    /**< 4 or 6 */
  guint8 octets;    /**< width of the prefix */
} SourceName;

struct L2tpShareSource {
  SourceName name;
  guint hash, count;
  L2tpShareSource *network; /**< of a host; NULL = this is a network */
  L2tpShareRank *rank;
  L2tpShareSource *next, *previous; /**< of the same rank, in order of arrival */
  L2tpShareRanking hosts;           /**< of a network */
  L2tpShare *oldest, *latest;       /**< of a host */
};

struct L2tpShareRank {
  guint count;                      /**< what each of its sources holds */
  L2tpShareRank *less, *more;       /**< the neighbours */
  L2tpShareSource *oldest, *latest; /**< never empty */
};

/* ---- ranking: a source moves to a neighbouring rank with each item ---- */

static L2tpShareRank *rank_new(L2tpShareRanking *ranking, guint count, L2tpShareRank *less) {
  L2tpShareRank *rank = g_new0(L2tpShareRank, 1), *more = less ? less->more : ranking->least;

  rank->count = count;
  rank->less = less;
  rank->more = more;
  *(less ? &less->more : &ranking->least) = rank;
  *(more ? &more->less : &ranking->most) = rank;
  return rank;
}

static void rank_enter(L2tpShareRank *rank, L2tpShareSource *source) {
  source->rank = rank;
  source->next = NULL;
  source->previous = rank->latest;
  *(rank->latest ? &rank->latest->next : &rank->oldest) = source;
  rank->latest = source;
}

static void rank_leave(L2tpShareRanking *ranking, L2tpShareSource *source) {
  L2tpShareRank *rank = source->rank;

  *(source->previous ? &source->previous->next : &rank->oldest) = source->next;
  *(source->next ? &source->next->previous : &rank->latest) = source->previous;
  if (rank->oldest)
    return;
  *(rank->less ? &rank->less->more : &ranking->least) = rank->more;
  *(rank->more ? &rank->more->less : &ranking->most) = rank->less;
  g_free(rank);
}

/** The source holds `count` now, one more or less than its rank says. */
static void rank_move(L2tpShareRanking *ranking, L2tpShareSource *source, guint count) {
  L2tpShareRank *from = source->rank, *less = from, *to = NULL;

  source->count = count;
  if (from && count < from->count)
    less = from->less;
  if (count) {
    L2tpShareRank *more = less ? less->more : ranking->least;
    to = less && less->count == count ? less : more && more->count == count ? more : rank_new(ranking, count, less);
  }
  if (from)
    rank_leave(ranking, source);
  if (to)
    rank_enter(to, source);
}

/* ---- sources ---- */

static SourceName name_of(const AditAddress *address, gboolean network) {
  gboolean v4 = address->family == AF_INET;
  SourceName name = {.family = v4 ? 4 : 6, .octets = v4 ? (network ? 3 : 4) : (network ? 6 : 8)};

  memcpy(name.prefix, address->octet, name.octets);
  return name;
}

static guint hash_source(gconstpointer source) {
  return ((const L2tpShareSource *)source)->hash;
}

static gboolean equal_sources(gconstpointer a, gconstpointer b) {
  return !memcmp(&((const L2tpShareSource *)a)->name, &((const L2tpShareSource *)b)->name, sizeof(SourceName));
}

static L2tpShareSource *find_source(const L2tpShares *shares, const AditAddress *address, gboolean network) {
  L2tpShareSource like = {.name = name_of(address, network)};

  like.hash = (guint)adit_siphash(shares->key, &like.name, sizeof like.name);
  return g_hash_table_lookup(shares->sources, &like);
}

static L2tpShareSource *source_new(L2tpShares *shares, const AditAddress *address, L2tpShareSource *network) {
  L2tpShareSource *source = g_new0(L2tpShareSource, 1);

  source->name = name_of(address, network == NULL);
  source->hash = (guint)adit_siphash(shares->key, &source->name, sizeof source->name);
  source->network = network;
  g_hash_table_add(shares->sources, source);
  return source;
}

static void source_count(L2tpShares *shares, L2tpShareSource *host, gint by) {
  L2tpShareSource *network = host->network;

  rank_move(&network->hosts, host, host->count + (guint)by);
  rank_move(&shares->networks, network, network->count + (guint)by);
  if (!host->count) {
    g_hash_table_remove(shares->sources, host);
    g_free(host);
  }
  if (!network->count) {
    g_hash_table_remove(shares->sources, network);
    g_free(network);
  }
}

/* ---- shares ---- */

void l2tp_shares_init(L2tpShares *shares, const guint8 key[ADIT_SIPHASH_KEY]) {
  memset(shares, 0, sizeof *shares);
  memcpy(shares->key, key, sizeof shares->key);
  shares->sources = g_hash_table_new(hash_source, equal_sources);
}

void l2tp_shares_clear(L2tpShares *shares) {
  g_clear_pointer(&shares->sources, g_hash_table_unref);
}

void l2tp_shares_add(L2tpShares *shares, L2tpShare *share, const AditAddress *address, guint64 now_ms) {
  L2tpShareSource *host = find_source(shares, address, FALSE);

  if (!host) {
    L2tpShareSource *network = find_source(shares, address, TRUE);
    host = source_new(shares, address, network ? network : source_new(shares, address, NULL));
  }
  share->host = host;
  share->since_ms = now_ms;
  share->next = NULL;
  share->previous = host->latest;
  *(host->latest ? &host->latest->next : &host->oldest) = share;
  host->latest = share;
  shares->count++;
  source_count(shares, host, 1);
}

void l2tp_shares_remove(L2tpShares *shares, L2tpShare *share) {
  L2tpShareSource *host = share->host;

  if (!host)
    return;
  *(share->previous ? &share->previous->next : &host->oldest) = share->next;
  *(share->next ? &share->next->previous : &host->latest) = share->previous;
  share->host = NULL;
  share->next = share->previous = NULL;
  shares->count--;
  source_count(shares, host, -1);
}

static L2tpShareSource *find_greediest(const L2tpShareRanking *ranking) {
  return ranking->most->oldest;
}

L2tpShare *l2tp_shares_victim(L2tpShares *shares, const AditAddress *address, guint64 now_ms, guint64 patience_ms) {
  if (!shares->count)
    return NULL;
  const L2tpShareSource *own = find_source(shares, address, TRUE), *host;
  L2tpShareSource *network = find_greediest(&shares->networks);
  guint held = own ? own->count : 0, most = network->count;

  /* Between networks that hold the same, the newcomer's own has to answer for the newcomer. */
  if (own && own->count == most)
    network = (L2tpShareSource *)own;
  L2tpShareSource *from = find_greediest(&network->hosts);
  if (network == own) {
    host = find_source(shares, address, FALSE);
    held = host ? host->count : 0;
    most = from->count;
    if (host && host->count == most)
      from = (L2tpShareSource *)host;
  }
  if (most < held + 2 && now_ms < from->oldest->since_ms + patience_ms)
    return NULL;
  return from->oldest;
}

guint l2tp_shares_held(const L2tpShares *shares, const AditAddress *address, gboolean network) {
  const L2tpShareSource *source = find_source(shares, address, network);

  return source ? source->count : 0;
}

guint l2tp_shares_most(const L2tpShares *shares) {
  return shares->networks.most ? shares->networks.most->count : 0;
}
