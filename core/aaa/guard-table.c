/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Tables of fixed size: the guard's records, and marks of users and the networks that they logged in from. */
#include "core/aaa/guard-table.h"
#include <adit/siphash.h>

enum {
  WAYS = 8,
  MARKS = 65536,
  KNOWN_S = 7 * 86400, /* how long a successful login of a user is remembered for a network */
  CREDIT_S = 3600,     /* a good login of one user counts in favour of its source once in so long */
  KEY_MAX = 1 + sizeof(AditPrefix) + 256,
};

static const guint records_of[AAA_GUARD_KINDS] = {[AAA_GUARD_USER] = 16384, [AAA_GUARD_HOST] = 8192, [AAA_GUARD_NETWORK] = 4096};

static const AaaLimits limits[AAA_GUARD_KINDS] = {
    [AAA_GUARD_USER] = {.window = 3, .window_max = 2048, .leak_ms = 1000, .decay_ms = 120000, .factor = 1},
    [AAA_GUARD_HOST] = {.window = 20, .window_max = 2048, .leak_ms = 1000, .decay_ms = 30000, .factor = 6},
    [AAA_GUARD_NETWORK] = {.window = 60, .window_max = 4096, .leak_ms = 250, .decay_ms = 5000, .factor = 24},
};

/* Of a record that many strangers share: no user is locked out for the failures of others. */
static const AaaLimits shared_limits = {.window = 256, .window_max = 256, .leak_ms = 20, .decay_ms = 1000};

typedef struct {
  guint64 key; /* 0 = free */
  guint32 good_s, credited_s;
} Mark;

struct AaaTables {
  guint8 key[16];
  AaaRecord *records[AAA_GUARD_KINDS];
  AaaRecord shared[AAA_GUARD_KINDS];
  Mark *marks;
};

/* ---- records ---- */

const AaaLimits *aaa_limits_of(const AaaRecord *record) {
  return record->shared ? &shared_limits : &limits[record->kind];
}

double aaa_record_leak_ms(const AaaRecord *record) {
  const AaaLimits *l = aaa_limits_of(record);
  double more = record->failures - l->window;

  if (record->kind != AAA_GUARD_USER || more < 1)
    return l->leak_ms;
  return l->leak_ms * (double)(1u << (guint)MIN(more, 3));
}

void aaa_record_update(AaaRecord *record, guint64 now, guint64 lockout_max_ms) {
  const AaaLimits *l = aaa_limits_of(record);
  double passed = now > record->updated_ms ? (double)(now - record->updated_ms) : 0;

  record->updated_ms = now;
  record->level = MAX(record->level - passed / aaa_record_leak_ms(record), 0);
  record->failures = MAX(record->failures - passed / l->decay_ms, 0);
  if (record->locked_until_ms && now >= record->locked_until_ms + lockout_max_ms) {
    record->lockouts = 0;
    record->locked_until_ms = 0;
  }
}

static void record_reset(AaaRecord *record, guint64 key, AaaGuardKind kind, guint64 now) {
  memset(record, 0, sizeof *record);
  record->key = key;
  record->kind = kind;
  record->updated_ms = now;
  record->window = aaa_limits_of(record)->window;
}

/** How much would be forgotten with it. */
static double weight_of(const AaaRecord *record, guint64 now) {
  return record->failures + record->level + (record->locked_until_ms > now ? 1e6 : 0) + record->lockouts * 100.0;
}

static gsize text_lower(guint8 *to, gsize room, const char *text) {
  gsize n = 0;
  for (; text[n] && n < room; n++)
    to[n] = (guint8)g_ascii_tolower(text[n]);
  return n;
}

static guint64 hash_of(const AaaTables *tables, guint8 what, const AditPrefix *source, const char *user) {
  guint8 octets[KEY_MAX] = {what, (guint8)source->address.family, source->length};

  memcpy(octets + 3, source->address.octet, sizeof source->address.octet);
  gsize length = 3 + sizeof source->address.octet;
  if (user)
    length += text_lower(octets + length, sizeof octets - length, user);
  guint64 key = adit_siphash(tables->key, octets, length);
  return key ? key : 1;
}

AaaRecord *aaa_tables_get(AaaTables *tables, AaaGuardKind kind, const AditPrefix *source, const char *user, guint64 now,
                          guint64 lockout_max_ms) {
  guint64 key = hash_of(tables, (guint8)kind, source, user);
  AaaRecord *set = &tables->records[kind][key % (records_of[kind] / WAYS) * WAYS], *place = NULL;
  double least = 0;

  for (guint i = 0; i < WAYS; i++) {
    AaaRecord *record = &set[i];
    if (record->key)
      aaa_record_update(record, now, lockout_max_ms);
    if (record->key == key)
      return record;
    double weight = record->key ? weight_of(record, now) : -1;
    if (!record->refs && (!place || weight < least)) {
      place = record;
      least = weight;
    }
  }
  if (!place) {
    aaa_record_update(&tables->shared[kind], now, lockout_max_ms);
    return &tables->shared[kind];
  }
  record_reset(place, key, kind, now);
  place->source = *source;
  g_strlcpy(place->user, user ? user : "", sizeof place->user);
  return place;
}

void aaa_tables_foreach(AaaTables *tables, void (*each)(AaaRecord *record, gpointer data), gpointer data) {
  for (guint kind = 0; kind < AAA_GUARD_KINDS; kind++)
    for (guint i = 0; i < records_of[kind]; i++)
      if (tables->records[kind][i].key)
        each(&tables->records[kind][i], data);
}

/* ---- marks ---- */

guint64 aaa_mark_key(const AaaTables *tables, const AditPrefix *network, const char *user) {
  return hash_of(tables, AAA_GUARD_KINDS, network, user);
}

static Mark *mark_set(const AaaTables *tables, guint64 key) {
  return &tables->marks[key % (MARKS / WAYS) * WAYS];
}

static Mark *mark_find(const AaaTables *tables, guint64 key) {
  Mark *set = mark_set(tables, key);
  for (guint i = 0; i < WAYS; i++)
    if (set[i].key == key)
      return &set[i];
  return NULL;
}

gboolean aaa_mark_is_known(const AaaTables *tables, guint64 key, guint64 now) {
  const Mark *mark = mark_find(tables, key);
  return mark && now / 1000 < (guint64)mark->good_s + KNOWN_S;
}

gboolean aaa_mark_good(AaaTables *tables, guint64 key, guint64 now) {
  Mark *mark = mark_find(tables, key), *set = mark_set(tables, key);
  guint32 now_s = (guint32)(now / 1000);
  gboolean is_new = !mark;

  if (is_new) {
    mark = set;
    for (guint i = 1; i < WAYS; i++)
      if (set[i].good_s < mark->good_s || !set[i].key)
        mark = &set[i];
    *mark = (Mark){.key = key};
  }
  gboolean credit = is_new || now_s >= mark->credited_s + CREDIT_S;
  mark->good_s = now_s;
  if (credit)
    mark->credited_s = now_s;
  return credit;
}

/* ---- life ---- */

AaaTables *aaa_tables_new(const guint8 key[16]) {
  AaaTables *tables = g_new0(AaaTables, 1);

  memcpy(tables->key, key, sizeof tables->key);
  tables->marks = g_new0(Mark, MARKS);
  for (guint kind = 0; kind < AAA_GUARD_KINDS; kind++) {
    tables->records[kind] = g_new0(AaaRecord, records_of[kind]);
    tables->shared[kind] = (AaaRecord){.kind = (AaaGuardKind)kind, .shared = TRUE, .window = shared_limits.window};
  }
  return tables;
}

void aaa_tables_free(AaaTables *tables) {
  for (guint kind = 0; kind < AAA_GUARD_KINDS; kind++)
    g_free(tables->records[kind]);
  g_free(tables->marks);
  g_free(tables);
}
