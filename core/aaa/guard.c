/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/aaa/guard-table.h"

enum {
  TICK_MS = 100,
  WAIT_MAX_MS = 10000, /* peers give up after half a minute, and a source needs time, too */
  CREDIT = 5,          /* failures that a good login of another user makes up for */
};

struct AaaGuard {
  AaaGuardRules rules;
  AaaTables *tables;
  GQueue ready; /* of AaaAttempt */
  GQueue busy;  /* of AaaRecord: a login waits there */
  guint next_tick_ms;
  AaaGuardStats stats;
  void (*locked)(const AaaGuardView *view, gpointer data);
  gpointer data;
};

/* ---- records ---- */

static AaaGuardView view_of(const AaaRecord *record, guint64 now) {
  return (AaaGuardView){.kind = record->kind,
                        .source = record->source,
                        .user = record->kind == AAA_GUARD_USER ? record->user : NULL,
                        .failures = (guint)(record->failures + 0.5),
                        .locked_ms = record->locked_until_ms > now ? record->locked_until_ms - now : 0,
                        .running = record->running,
                        .waiting = record->waiting.length};
}

static gboolean is_locked(const AaaRecord *record, guint64 now) {
  return record->locked_until_ms > now;
}

static gboolean has_room(const AaaRecord *record) {
  return record->level + (record->shared ? 0 : record->running) + 1 <= record->window;
}

/** Known users pass the limits of host and network. */
static gboolean is_held_by(const AaaAttempt *attempt, const AaaRecord *record) {
  return record && (record->kind == AAA_GUARD_USER || !attempt->known);
}

static AaaRecord *find_lock(const AaaAttempt *attempt, guint64 now) {
  for (guint i = 0; i < AAA_GUARD_KINDS; i++)
    if (is_held_by(attempt, attempt->records[i]) && is_locked(attempt->records[i], now))
      return attempt->records[i];
  return NULL;
}

static AaaRecord *find_block(const AaaAttempt *attempt) {
  for (guint i = 0; i < AAA_GUARD_KINDS; i++)
    if (is_held_by(attempt, attempt->records[i]) && !has_room(attempt->records[i]))
      return attempt->records[i];
  return NULL;
}

static void update_all(const AaaGuard *guard, const AaaAttempt *attempt, guint64 now) {
  for (guint i = 0; i < AAA_GUARD_KINDS; i++)
    if (attempt->records[i])
      aaa_record_update(attempt->records[i], now, guard->rules.lockout_max_ms);
}

/* ---- attempts ---- */

static void release_records(AaaAttempt *attempt) {
  for (guint i = 0; i < AAA_GUARD_KINDS; i++)
    if (attempt->records[i])
      attempt->records[i]->refs--;
  memset(attempt->records, 0, sizeof attempt->records);
}

static void admit_attempt(AaaGuard *guard, AaaAttempt *attempt, AaaAttemptState state) {
  for (guint i = 0; i < AAA_GUARD_KINDS; i++)
    if (is_held_by(attempt, attempt->records[i]))
      attempt->records[i]->running++;
  attempt->state = state;
  guard->stats.running++;
}

static void wait_at(AaaGuard *guard, AaaAttempt *attempt, AaaRecord *record) {
  attempt->state = AAA_ATTEMPT_WAITING;
  attempt->blocked = record;
  if (!record->waiting.length) {
    record->busy.data = record;
    g_queue_push_tail_link(&guard->busy, &record->busy);
  }
  g_queue_push_tail_link(&record->waiting, &attempt->link);
  guard->stats.waiting++;
}

static void leave_queue(AaaGuard *guard, AaaAttempt *attempt) {
  AaaRecord *record = attempt->blocked;

  g_queue_unlink(&record->waiting, &attempt->link);
  if (!record->waiting.length)
    g_queue_unlink(&guard->busy, &record->busy);
  attempt->blocked = NULL;
  guard->stats.waiting--;
}

static void explain_refusal(AaaAttempt *attempt, const AaaRecord *record, guint64 now) {
  char source[ADIT_PREFIX_TEXT], address[ADIT_ADDRESS_TEXT];
  gboolean host = record->source.length == adit_address_size(&record->source.address) * 8;
  const char *from = host ? adit_address_format(&record->source.address, address) : adit_prefix_format(&record->source, source);
  const char *whose = record->kind == AAA_GUARD_USER ? " of this user" : "";

  if (record->shared)
    g_strlcpy(attempt->why, "too many sources have failed logins", sizeof attempt->why);
  else if (is_locked(record, now))
    g_snprintf(attempt->why, sizeof attempt->why, "too many failed logins%s from %s: locked out for %" G_GUINT64_FORMAT " s", whose, from,
               (record->locked_until_ms - now + 999) / 1000);
  else
    g_snprintf(attempt->why, sizeof attempt->why, "too many logins%s from %s at once, after failed ones", whose, from);
}

static void refuse_attempt(AaaGuard *guard, AaaAttempt *attempt, const AaaRecord *record, guint64 now) {
  explain_refusal(attempt, record, now);
  release_records(attempt);
  attempt->state = AAA_ATTEMPT_REFUSED;
  guard->stats.refused++;
}

/** How many may wait there: those that get their turn in time, if they wait because of failures. */
static guint queue_max(const AaaRecord *record) {
  if (record->level * 2 < record->window)
    return G_MAXUINT;
  return MAX((guint)(WAIT_MAX_MS / aaa_record_leak_ms(record)), 1);
}

AaaGuardAnswer aaa_guard_begin(AaaGuard *guard, AaaAttempt *attempt, const AditAddress *source, const char *user, guint64 now) {
  guint8 bits = (guint8)(adit_address_size(source) * 8);
  gboolean ipv6 = source->family == AF_INET6;
  AditPrefix host = {*source, ipv6 ? 64 : bits}, network = {*source, ipv6 ? 48 : 24};
  guint64 max = guard->rules.lockout_max_ms;

  memset(attempt, 0, sizeof *attempt);
  attempt->link.data = attempt;
  attempt->since_ms = now;
  guard->stats.asked++;
  if (!guard->rules.on) {
    admit_attempt(guard, attempt, AAA_ATTEMPT_RUNNING);
    return AAA_GUARD_GO;
  }
  memset(host.address.octet + host.length / 8, 0, sizeof host.address.octet - host.length / 8);
  memset(network.address.octet + network.length / 8, 0, sizeof network.address.octet - network.length / 8);
  attempt->mark = aaa_mark_key(guard->tables, &network, user);
  attempt->known = aaa_mark_is_known(guard->tables, attempt->mark, now);
  for (guint i = 0; i < AAA_GUARD_KINDS; i++) {
    attempt->records[i] = aaa_tables_get(guard->tables, (AaaGuardKind)i, i == AAA_GUARD_NETWORK ? &network : &host,
                                         i == AAA_GUARD_USER ? user : NULL, now, max);
    attempt->records[i]->refs++;
  }

  AaaRecord *record = find_lock(attempt, now);
  if (!record && !(record = find_block(attempt))) {
    admit_attempt(guard, attempt, AAA_ATTEMPT_RUNNING);
    return AAA_GUARD_GO;
  }
  if (is_locked(record, now) || record->waiting.length >= queue_max(record)) {
    refuse_attempt(guard, attempt, record, now);
    return AAA_GUARD_REFUSE;
  }
  guard->stats.delayed++;
  wait_at(guard, attempt, record);
  return AAA_GUARD_WAIT;
}

/* ---- the queues ---- */

static void make_ready(AaaGuard *guard, AaaAttempt *attempt) {
  g_queue_push_tail_link(&guard->ready, &attempt->link);
}

/** The state of the first login there: FALSE when it stays, and so all behind it. */
static gboolean serve_first(AaaGuard *guard, AaaRecord *record, guint64 now) {
  AaaAttempt *attempt = (AaaAttempt *)record->waiting.head->data;

  update_all(guard, attempt, now);
  AaaRecord *lock = find_lock(attempt, now), *block = find_block(attempt);
  gboolean late = now >= attempt->since_ms + WAIT_MAX_MS;
  if (!lock && block == record && !late)
    return FALSE;
  leave_queue(guard, attempt);
  if (lock || (block && late)) {
    refuse_attempt(guard, attempt, lock ? lock : block, now);
    make_ready(guard, attempt);
  } else if (block) {
    wait_at(guard, attempt, block);
  } else {
    admit_attempt(guard, attempt, AAA_ATTEMPT_READY);
    make_ready(guard, attempt);
  }
  return TRUE;
}

static void serve_waiting(AaaGuard *guard, AaaRecord *record, guint64 now) {
  for (guint n = record->waiting.length; n > 0 && record->waiting.length && serve_first(guard, record, now); n--)
    ;
}

AaaAttempt *aaa_guard_next(AaaGuard *guard) {
  GList *link = g_queue_pop_head_link(&guard->ready);
  AaaAttempt *attempt = link ? (AaaAttempt *)link->data : NULL;

  if (attempt && attempt->state == AAA_ATTEMPT_READY)
    attempt->state = AAA_ATTEMPT_RUNNING;
  return attempt;
}

void aaa_guard_tick(AaaGuard *guard, guint64 now) {
  GList *next;

  for (GList *at = guard->busy.head; at; at = next) {
    next = at->next; /* a login that moves to another queue is handled there in the next tick */
    serve_waiting(guard, (AaaRecord *)at->data, now);
  }
}

guint aaa_guard_due(const AaaGuard *guard) {
  return guard->busy.length ? TICK_MS : 0;
}

/* ---- outcomes ---- */

static void lock_out(AaaGuard *guard, AaaRecord *record, guint64 now) {
  const AaaGuardRules *rules = &guard->rules;
  guint64 lock = rules->lockout_ms << MIN(record->lockouts, 20);

  record->locked_until_ms = now + MIN(lock, rules->lockout_max_ms);
  record->lockouts++;
  guard->stats.lockouts++;
  AaaGuardView view = view_of(record, now);
  record->failures = record->failures / 2; /* the next one comes sooner */
  if (guard->locked)
    guard->locked(&view, guard->data);
}

static void count_failure(AaaGuard *guard, AaaRecord *record, guint64 now) {
  const AaaLimits *limits = aaa_limits_of(record);

  record->level = MIN(record->level + 1, record->window * 2);
  record->failures += 1;
  record->window = record->kind == AAA_GUARD_USER ? limits->window : MAX(record->window - 1, limits->window);
  if (guard->rules.lockout_ms && limits->factor && !is_locked(record, now) &&
      record->failures >= (double)limits->factor * guard->rules.failures)
    lock_out(guard, record, now);
}

static void widen_record(AaaRecord *record) {
  record->window = MIN(record->window + 1, aaa_limits_of(record)->window_max);
}

/** In favour of the host and its network, but no more than once an hour for a user: one account opens no door to others. */
static void count_success(AaaGuard *guard, AaaAttempt *attempt, guint64 now) {
  AaaRecord *own = attempt->records[AAA_GUARD_USER];
  gboolean credit = aaa_mark_good(guard->tables, attempt->mark, now);

  if (!own->shared)
    own->level = own->failures = 0;
  own->lockouts = 0;
  widen_record(own);
  for (guint i = AAA_GUARD_HOST; credit && i < AAA_GUARD_KINDS; i++) {
    AaaRecord *record = attempt->records[i];
    record->level = MAX(record->level - 1, 0);
    record->failures = MAX(record->failures - CREDIT, 0);
    widen_record(record);
  }
}

static void count_outcome(AaaGuard *guard, AaaAttempt *attempt, AaaLogin outcome, guint64 now) {
  guard->stats.good += outcome == AAA_LOGIN_GOOD;
  guard->stats.bad += outcome == AAA_LOGIN_BAD;
  if (!attempt->records[AAA_GUARD_USER]) /* begun while the guard was off */
    return;
  switch (outcome) {
  case AAA_LOGIN_GOOD:
    count_success(guard, attempt, now);
    return;
  case AAA_LOGIN_BAD:
    for (guint i = 0; i < AAA_GUARD_KINDS; i++)
      count_failure(guard, attempt->records[i], now);
    return;
  case AAA_LOGIN_CANCELLED: /* the source has the work, and its answer would have been an answer: hanging up saves nothing */
    for (guint i = 0; i < AAA_GUARD_KINDS; i++)
      attempt->records[i]->level = MIN(attempt->records[i]->level + 1, attempt->records[i]->window * 2);
    return;
  case AAA_LOGIN_UNKNOWN:
    return;
  }
}

static void end_running(AaaGuard *guard, AaaAttempt *attempt, AaaLogin outcome, guint64 now) {
  AaaRecord *records[AAA_GUARD_KINDS];

  memcpy(records, attempt->records, sizeof records);
  for (guint i = 0; i < AAA_GUARD_KINDS; i++)
    if (is_held_by(attempt, records[i]))
      records[i]->running--;
  guard->stats.running--;
  update_all(guard, attempt, now);
  count_outcome(guard, attempt, outcome, now);
  release_records(attempt);
  for (guint i = 0; i < AAA_GUARD_KINDS; i++)
    if (records[i])
      serve_waiting(guard, records[i], now);
}

void aaa_guard_end(AaaGuard *guard, AaaAttempt *attempt, AaaLogin outcome, guint64 now) {
  AaaAttemptState state = attempt->state;

  attempt->state = AAA_ATTEMPT_IDLE;
  switch (state) {
  case AAA_ATTEMPT_IDLE:
    return;
  case AAA_ATTEMPT_WAITING:
    leave_queue(guard, attempt);
    release_records(attempt);
    return;
  case AAA_ATTEMPT_READY: /* not taken yet */
    g_queue_unlink(&guard->ready, &attempt->link);
    end_running(guard, attempt, AAA_LOGIN_UNKNOWN, now);
    return;
  case AAA_ATTEMPT_REFUSED:
    if (attempt->link.next || attempt->link.prev || guard->ready.head == &attempt->link)
      g_queue_unlink(&guard->ready, &attempt->link);
    return;
  case AAA_ATTEMPT_RUNNING:
    end_running(guard, attempt, outcome, now);
    return;
  }
}

/* ---- to look at, and to forgive ---- */

const AaaGuardStats *aaa_guard_stats(const AaaGuard *guard) {
  return &guard->stats;
}

typedef struct {
  AaaGuard *guard;
  guint64 now;
  void (*each)(const AaaGuardView *view, gpointer data);
  gpointer data;
  const AditPrefix *source;
  guint forgiven;
} Walk;

static void show_record(AaaRecord *record, gpointer data) {
  const Walk *walk = (const Walk *)data;

  aaa_record_update(record, walk->now, walk->guard->rules.lockout_max_ms);
  AaaGuardView view = view_of(record, walk->now);
  if (view.failures || view.locked_ms || view.running || view.waiting)
    walk->each(&view, walk->data);
}

void aaa_guard_foreach(AaaGuard *guard, guint64 now, void (*each)(const AaaGuardView *view, gpointer data), gpointer data) {
  Walk walk = {.guard = guard, .now = now, .each = each, .data = data};
  aaa_tables_foreach(guard->tables, show_record, &walk);
}

static void forgive_record(AaaRecord *record, gpointer data) {
  Walk *walk = (Walk *)data;

  if (!adit_prefix_contains(walk->source, &record->source.address) && !adit_prefix_contains(&record->source, &walk->source->address))
    return;
  walk->forgiven += record->failures >= 1 || is_locked(record, walk->now);
  record->level = record->failures = 0;
  record->lockouts = 0;
  record->locked_until_ms = 0;
}

guint aaa_guard_forgive(AaaGuard *guard, const AditPrefix *source, guint64 now) {
  Walk walk = {.guard = guard, .now = now, .source = source};
  aaa_tables_foreach(guard->tables, forgive_record, &walk);
  return walk.forgiven;
}

/* ---- life ---- */

AaaGuard *aaa_guard_new(const AaaGuardRules *rules, const guint8 key[16], void (*locked)(const AaaGuardView *view, gpointer data),
                        gpointer data) {
  AaaGuard *guard = g_new0(AaaGuard, 1);

  guard->tables = aaa_tables_new(key);
  guard->locked = locked;
  guard->data = data;
  aaa_guard_set_rules(guard, rules);
  return guard;
}

void aaa_guard_set_rules(AaaGuard *guard, const AaaGuardRules *rules) {
  guard->rules = *rules;
  guard->rules.lockout_max_ms = MAX(rules->lockout_max_ms, rules->lockout_ms);
}

void aaa_guard_free(AaaGuard *guard) {
  if (!guard)
    return;
  aaa_tables_free(guard->tables);
  g_free(guard);
}
