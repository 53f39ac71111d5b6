/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "spool.h"

#include <adit/log.h>

enum {
  AGAIN_MS = 5000,        /* what the store refused is tried again after */
  ALARM_PERCENT = 80,     /* of the bound */
  ALARM_EVERY_MS = 60000, /* at most one line */
  KEY_LENGTH = 20,        /* all digits of 64 bits */
};

/* Rows that leave: that of the session first, and only when it is off the disk that of the Stop. */
typedef struct {
  RadiusSpool *spool;
  char *session; /* NULL once it is gone, or when there is none */
  char *record;
} Removal;

typedef struct {
  RadiusSpool *spool;
  char *id;
  GBytes *row;
} SessionWrite;

/* ---- references: the store may answer after the end of the spool ---- */

RadiusSpool *radius_spool_ref(RadiusSpool *spool) {
  spool->refs++;
  return spool;
}

void radius_spool_unref(RadiusSpool *spool) {
  if (--spool->refs == 0)
    g_free(spool);
}

RadiusRecord *radius_record_ref(RadiusRecord *record) {
  record->refs++;
  return record;
}

void radius_record_unref(RadiusRecord *record) {
  if (--record->refs)
    return;
  radius_row_clear(&record->row);
  g_free(record);
}

static void removal_free(Removal *removal) {
  radius_spool_unref(removal->spool);
  g_free(removal->session);
  g_free(removal->record);
  g_free(removal);
}

static void tell_giver(RadiusRecord *record, gboolean kept) {
  AditAcctDone done = record->done;
  record->done = NULL;
  if (done)
    done(record->token, kept);
}

static void key_of(guint64 number, char key[KEY_LENGTH + 1]) {
  g_snprintf(key, KEY_LENGTH + 1, "%020" G_GUINT64_FORMAT, number);
}

static guint64 read_clock(const RadiusSpool *spool) {
  return spool->radius->loop->now();
}

static void announce_ready(RadiusSpool *spool, RadiusLane *lane) {
  RadiusRecord *head = g_queue_peek_head(&lane->records);
  if (head && !head->writing && !lane->busy)
    spool->ops->ready(spool->user, lane);
}

/* ---- the store's answers ---- */

/* Drops the reference of the write; FALSE when the spool has been closed since. */
static gboolean end_write(RadiusSpool *spool, const GError *error) {
  guint kept;

  if (spool->closed)
    return FALSE;
  spool->pending--;
  if (error) {
    if (adit_rate_allows(&spool->failures, read_clock(spool), 1, ALARM_EVERY_MS, &kept))
      adit_error(NULL, "accounting records can't be stored, and are kept in memory: %s", error->message);
    spool->failing = TRUE;
    spool->radius->loop->timer_arm(&spool->again, AGAIN_MS);
  }
  return TRUE;
}

static void tell_settled(RadiusSpool *spool) {
  if (!spool->closed && !spool->pending)
    spool->ops->settled(spool->user);
}

static void record_written(gpointer user, const GError *error) {
  RadiusRecord *record = user;
  RadiusSpool *spool = record->spool;

  if (end_write(spool, error)) {
    record->writing = FALSE;
    record->kept = !error;
    if (record->kept) {
      spool->count.stored++;
      tell_giver(record, TRUE);
    }
    if (!record->gone && g_queue_peek_head(&record->lane->records) == record)
      announce_ready(spool, record->lane);
    tell_settled(spool);
  }
  radius_record_unref(record);
  radius_spool_unref(spool);
}

static void write_record(RadiusRecord *record) {
  RadiusSpool *spool = record->spool;
  g_autoptr(GBytes) octets = radius_row_write(&record->row);
  char key[KEY_LENGTH + 1];

  key_of(record->number, key);
  record->writing = TRUE;
  spool->pending++;
  radius_record_ref(record);
  radius_spool_ref(spool);
  spool->radius->store->put(RADIUS_TABLE_RECORDS, key, g_bytes_get_data(octets, NULL), g_bytes_get_size(octets), record_written, record);
}

static void session_written(gpointer user, const GError *error) {
  SessionWrite *write = user;
  RadiusSpool *spool = write->spool;

  if (end_write(spool, error)) {
    RadiusLane *lane = g_hash_table_lookup(spool->lanes, write->id);
    if (!error && lane && lane->row == write->row)
      g_clear_pointer(&lane->row, g_bytes_unref);
    tell_settled(spool);
  }
  g_free(write->id);
  g_bytes_unref(write->row);
  g_free(write);
  radius_spool_unref(spool);
}

static void write_session(RadiusSpool *spool, RadiusLane *lane) {
  SessionWrite *write = g_new(SessionWrite, 1);

  *write = (SessionWrite){radius_spool_ref(spool), g_strdup(lane->id), g_bytes_ref(lane->row)};
  spool->pending++;
  spool->radius->store->put(RADIUS_TABLE_SESSIONS, lane->id, g_bytes_get_data(lane->row, NULL), g_bytes_get_size(lane->row),
                            session_written, write);
}

/* The content of its Stop if the daemon died now. */
static void refresh_session(RadiusSpool *spool, RadiusLane *lane, const RadiusRow *row) {
  g_clear_pointer(&lane->row, g_bytes_unref);
  lane->row = radius_row_write(row);
  write_session(spool, lane);
}

static void remove_rows(Removal *removal);

static void on_removed(gpointer user, const GError *error) {
  Removal *removal = user;
  RadiusSpool *spool = radius_spool_ref(removal->spool);

  if (!end_write(spool, error)) {
    removal_free(removal);
  } else if (error) {
    g_queue_push_tail(&spool->removals, removal);
  } else if (removal->session) {
    g_clear_pointer(&removal->session, g_free);
    remove_rows(removal);
  } else {
    removal_free(removal);
  }
  tell_settled(spool);
  radius_spool_unref(spool);
}

static void remove_rows(Removal *removal) {
  const AditStoreService *store = removal->spool->radius->store;

  removal->spool->pending++;
  if (removal->session)
    store->remove(RADIUS_TABLE_SESSIONS, removal->session, on_removed, removal);
  else
    store->remove(RADIUS_TABLE_RECORDS, removal->record, on_removed, removal);
}

/* All that the store has refused, in order. */
static void write_again(AditTimer *timer, gpointer data) {
  RadiusSpool *spool = data;
  GQueue removals = spool->removals;
  GHashTableIter iter;
  RadiusLane *lane;

  spool->failing = FALSE;
  g_queue_init(&spool->removals);
  for (GList *node = spool->records.head; node; node = node->next) {
    RadiusRecord *record = node->data;
    if (!record->kept && !record->writing)
      write_record(record);
  }
  g_hash_table_iter_init(&iter, spool->lanes);
  while (g_hash_table_iter_next(&iter, NULL, (gpointer *)&lane))
    if (lane->row)
      write_session(spool, lane);
  for (Removal *removal; (removal = g_queue_pop_head(&removals));)
    remove_rows(removal);
}

void radius_spool_discard(RadiusSpool *spool, const char *table, const char *key) {
  adit_warning(NULL, "accounting: row %s of table %s is invalid: removed", key, table);
  spool->radius->store->remove(table, key, NULL, NULL);
}

/* ---- lanes and records ---- */

static RadiusLane *lane_of(RadiusSpool *spool, const char *id) {
  RadiusLane *lane = g_hash_table_lookup(spool->lanes, id);
  if (lane)
    return lane;
  lane = g_new0(RadiusLane, 1);
  lane->id = g_strdup(id);
  lane->place.data = lane;
  g_queue_init(&lane->records);
  g_hash_table_insert(spool->lanes, lane->id, lane);
  return lane;
}

static void lane_free(gpointer data) {
  RadiusLane *lane = data;
  g_clear_pointer(&lane->row, g_bytes_unref);
  g_free(lane->id);
  g_free(lane);
}

/* Most of what is known of a session does not change: its records share one body while they wait. */
static void share_body(RadiusRow *row, const RadiusLane *lane) {
  const RadiusRecord *last = g_queue_peek_tail((GQueue *)&lane->records);
  if (!last || !g_bytes_equal(last->row.body, row->body))
    return;
  g_bytes_unref(row->body);
  row->body = g_bytes_ref(last->row.body);
}

static RadiusRecord *enqueue_record(RadiusSpool *spool, RadiusRow *row, guint64 number) {
  RadiusRecord *record = g_new0(RadiusRecord, 1);

  record->refs = 1;
  record->spool = spool;
  record->row = *row;
  memset(row, 0, sizeof *row);
  record->number = number;
  record->lane = lane_of(spool, record->row.id);
  share_body(&record->row, record->lane);
  record->by_age.data = record->in_lane.data = record;
  g_queue_push_tail_link(&spool->records, &record->by_age);
  g_queue_push_tail_link(&record->lane->records, &record->in_lane);
  if (!radius_row_is_session(&record->row))
    g_queue_push_tail(&spool->barriers, record);
  spool->last_number = MAX(spool->last_number, number);
  return record;
}

/* By the clock, so that it never meets a number that could not be read; but never backwards. */
static guint64 next_number(const RadiusSpool *spool) {
  return MAX(spool->last_number + 1, (guint64)g_get_real_time());
}

/* Out of memory, and off the disk. */
static void remove_record(RadiusSpool *spool, RadiusRecord *record, gboolean kept) {
  RadiusLane *lane = record->lane;
  gboolean was_head = lane->records.head == &record->in_lane, over = record->row.kind == ADIT_ACCT_STOP;
  Removal *removal = g_new0(Removal, 1);
  char key[KEY_LENGTH + 1];

  key_of(record->number, key);
  *removal = (Removal){radius_spool_ref(spool), over ? g_strdup(lane->id) : NULL, g_strdup(key)};
  g_queue_unlink(&spool->records, &record->by_age);
  g_queue_unlink(&lane->records, &record->in_lane);
  if (!radius_row_is_session(&record->row))
    g_queue_remove(&spool->barriers, record);
  record->gone = TRUE;
  if (over)
    lane->open = FALSE;
  if (!lane->records.length && !lane->open) {
    spool->ops->forget(spool->user, lane);
    g_hash_table_remove(spool->lanes, lane->id);
  } else if (was_head) {
    announce_ready(spool, lane);
  }
  remove_rows(removal);
  tell_giver(record, kept);
  radius_record_unref(record);
}

/* ---- the bound ---- */

static guint64 count_used(const RadiusSpool *spool) {
  return (guint64)spool->records.length + spool->open;
}

static void raise_alarm(RadiusSpool *spool, AditRateLimit *limit, const char *what) {
  guint kept;
  if (adit_rate_allows(limit, read_clock(spool), 1, ALARM_EVERY_MS, &kept))
    adit_warning(NULL, "accounting: %s: %u of %" G_GUINT64_FORMAT " records wait for a server, %" G_GUINT64_FORMAT " were lost so far",
                 what, spool->records.length, spool->max_records, spool->count.lost);
}

static void lose_record(RadiusSpool *spool, RadiusRecord *record) {
  spool->count.lost++;
  raise_alarm(spool, &spool->losses, "the spool is full, the oldest record is dropped");
  remove_record(spool, record, FALSE);
}

/* Frees `places` by the policy; FALSE when there are too few. Where open sessions have all of them, dropping frees none. */
static gboolean free_places(RadiusSpool *spool, guint places) {
  GList *node = spool->drop_oldest && (guint64)spool->open + places <= spool->max_records ? spool->records.head : NULL;

  while (count_used(spool) + places > spool->max_records && node) {
    RadiusRecord *record = node->data;
    node = node->next;
    if (!record->lane->busy)
      lose_record(spool, record);
  }
  return count_used(spool) + places <= spool->max_records;
}

/* The interim that a newer one makes superfluous: the last of its session, on its way neither to a server nor to the disk. */
static RadiusRecord *find_superfluous(RadiusSpool *spool, RadiusLane *lane) {
  RadiusRecord *last = g_queue_peek_tail(&lane->records);
  gboolean flies = lane->busy && lane->records.length == 1;

  return count_used(spool) > spool->max_records / 2 && last && last->row.kind == ADIT_ACCT_INTERIM && !last->writing && !flies ? last
                                                                                                                               : NULL;
}

static gboolean may_enter(RadiusSpool *spool, const RadiusRow *row) {
  RadiusLane *lane = g_hash_table_lookup(spool->lanes, row->id);

  switch (row->kind) {
  case ADIT_ACCT_START:
    return !lane && free_places(spool, 2); /* its Stop has a place from now on */
  case ADIT_ACCT_INTERIM:
    return lane && lane->open && !lane->ended && (find_superfluous(spool, lane) || free_places(spool, 1));
  case ADIT_ACCT_STOP:
    return lane && lane->open && !lane->ended;
  case ADIT_ACCT_ON:
  case ADIT_ACCT_OFF:
    return free_places(spool, 1);
  }
  return FALSE;
}

/* The effect of the record on its session. */
static void follow_session(RadiusSpool *spool, RadiusRecord *record) {
  RadiusLane *lane = record->lane;

  switch (record->row.kind) {
  case ADIT_ACCT_START:
    lane->open = TRUE;
    spool->open++;
    refresh_session(spool, lane, &record->row);
    break;
  case ADIT_ACCT_INTERIM:
    refresh_session(spool, lane, &record->row);
    break;
  case ADIT_ACCT_STOP:
    lane->ended = TRUE;
    spool->open--;
    g_clear_pointer(&lane->row, g_bytes_unref);
    break;
  case ADIT_ACCT_ON:
  case ADIT_ACCT_OFF:
    break;
  }
}

void radius_spool_add(RadiusSpool *spool, RadiusRow *row, AditAcctDone done, gpointer token) {
  if (!may_enter(spool, row)) {
    spool->count.lost++;
    raise_alarm(spool, &spool->losses, "the spool is full, a record was refused");
    radius_row_clear(row);
    if (done)
      done(token, FALSE);
    return;
  }
  RadiusLane *lane = lane_of(spool, row->id);
  RadiusRecord *old = row->kind == ADIT_ACCT_INTERIM ? find_superfluous(spool, lane) : NULL;
  RadiusRecord *record = enqueue_record(spool, row, next_number(spool));
  record->done = done;
  record->token = token;
  write_record(record);
  follow_session(spool, record);
  if (old) {
    spool->count.superseded++;
    remove_record(spool, old, TRUE);
  }
  if (count_used(spool) * 100 > spool->max_records * ALARM_PERCENT)
    raise_alarm(spool, &spool->filling, "the spool fills");
}

void radius_spool_acknowledged(RadiusSpool *spool, RadiusRecord *record) {
  remove_record(spool, record, TRUE);
}

void radius_spool_drop(RadiusSpool *spool, RadiusRecord *record) {
  spool->count.lost++;
  remove_record(spool, record, FALSE);
}

gboolean radius_spool_knows(const RadiusSpool *spool, const char *id) {
  return g_hash_table_contains(spool->lanes, id);
}

char *radius_spool_alarm(const RadiusSpool *spool) {
  guint64 percent = spool->max_records ? count_used(spool) * 100 / spool->max_records : 100;

  if (spool->failing)
    return g_strdup("the store can't be written: records are in memory alone");
  return percent >= ALARM_PERCENT ? g_strdup_printf("the spool is %" G_GUINT64_FORMAT " %% full", percent) : NULL;
}

/* ---- what an earlier life left ---- */

void radius_spool_restore(RadiusSpool *spool, RadiusRow *row, guint64 number) {
  RadiusRecord *record = enqueue_record(spool, row, number);
  record->kept = TRUE;
  record->sent = TRUE; /* not known */
  if (record->row.kind == ADIT_ACCT_STOP)
    record->lane->open = record->lane->ended = TRUE;
}

void radius_spool_restore_stop(RadiusSpool *spool, RadiusRow *row) {
  RadiusRecord *record = enqueue_record(spool, row, next_number(spool));
  record->lane->open = record->lane->ended = TRUE;
  spool->count.recovered++;
  write_record(record);
}

/* ---- life ---- */

RadiusSpool *radius_spool_new(const Radius *radius, const RadiusSpoolOps *ops, gpointer user) {
  RadiusSpool *spool = g_new0(RadiusSpool, 1);

  spool->refs = 1;
  spool->radius = radius;
  spool->ops = ops;
  spool->user = user;
  spool->lanes = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, lane_free);
  spool->max_records = G_MAXUINT64 / 100;
  spool->again.func = write_again;
  spool->again.data = spool;
  return spool;
}

void radius_spool_bound(RadiusSpool *spool, guint64 max_records, gboolean drop_oldest) {
  spool->max_records = MIN(max_records, G_MAXUINT64 / 100);
  spool->drop_oldest = drop_oldest;
}

void radius_spool_forget(RadiusSpool *spool) {
  GHashTableIter iter;
  RadiusLane *lane;

  for (RadiusRecord *record; (record = g_queue_peek_head(&spool->records));) {
    g_queue_unlink(&spool->records, &record->by_age);
    g_queue_unlink(&record->lane->records, &record->in_lane);
    record->gone = TRUE;
    tell_giver(record, FALSE);
    radius_record_unref(record);
  }
  g_queue_clear(&spool->barriers);
  g_hash_table_iter_init(&iter, spool->lanes);
  while (g_hash_table_iter_next(&iter, NULL, (gpointer *)&lane))
    spool->ops->forget(spool->user, lane);
  g_hash_table_remove_all(spool->lanes);
}

void radius_spool_close(RadiusSpool *spool) {
  spool->closed = TRUE;
  spool->radius->loop->timer_cancel(&spool->again);
  radius_spool_forget(spool);
  g_clear_pointer(&spool->lanes, g_hash_table_unref);
  g_queue_clear_full(&spool->removals, (GDestroyNotify)removal_free);
  radius_spool_unref(spool);
}
