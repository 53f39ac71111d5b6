/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "spool.h"

#include <adit/log.h>

enum { PART = 1000 /* rows read at once */ };

typedef struct {
  RadiusSpool *spool;
  const char *table;
  char *last; /* key of the last row, NULL before the first */
  guint rows; /* of this part */
  guint64 records;
  RadiusRecovered done;
  gpointer user;
} Recovery;

static void end_recovery(Recovery *recovery, const GError *error) {
  if (!recovery->spool->closed)
    recovery->done(recovery->user, error);
  radius_spool_unref(recovery->spool);
  g_free(recovery->last);
  g_free(recovery);
}

/* The Stop of a session that died: all it is known to have done, at the time of which that is known. */
static void stop_from(RadiusSpool *spool, const RadiusRow *known) {
  RadiusRow stop = radius_row_copy(known);
  stop.kind = ADIT_ACCT_STOP;
  stop.cause = ADIT_CAUSE_NAS_REBOOT;
  radius_spool_restore_stop(spool, &stop);
}

static void on_record(Recovery *recovery, const char *key, const guint8 *data, gsize length) {
  RadiusRow row;
  guint64 number;

  if (!g_ascii_string_to_unsigned(key, 10, 1, G_MAXUINT64 - 1, &number, NULL) || !radius_row_read(data, length, &row)) {
    radius_spool_discard(recovery->spool, RADIUS_TABLE_RECORDS, key);
    return;
  }
  radius_spool_restore(recovery->spool, &row, number);
  recovery->records++;
}

static void on_session(Recovery *recovery, const char *key, const guint8 *data, gsize length) {
  RadiusSpool *spool = recovery->spool;
  RadiusRow row;

  if (!radius_row_read(data, length, &row)) {
    radius_spool_discard(spool, RADIUS_TABLE_SESSIONS, key);
    return;
  }
  RadiusLane *lane = g_hash_table_lookup(spool->lanes, row.id);
  if (!lane || !lane->ended) {
    /* The interim was written before the session's row: it may be the one that knows more. */
    RadiusRecord *last = lane ? g_queue_peek_tail(&lane->records) : NULL;
    stop_from(spool, last && last->row.uptime_ms > row.uptime_ms ? &last->row : &row);
  }
  radius_row_clear(&row);
}

static void on_row(gpointer user, const char *key, const guint8 *data, gsize length) {
  Recovery *recovery = user;

  g_free(recovery->last);
  recovery->last = g_strdup(key);
  recovery->rows++;
  if (recovery->spool->closed)
    return;
  if (g_str_equal(recovery->table, RADIUS_TABLE_RECORDS))
    on_record(recovery, key, data, length);
  else
    on_session(recovery, key, data, length);
}

/* Killed between the record and the session's row: the record says enough. */
static void stop_those_without_a_row(RadiusSpool *spool) {
  g_autoptr(GPtrArray) dead = g_ptr_array_new();
  GHashTableIter iter;
  RadiusLane *lane;

  g_hash_table_iter_init(&iter, spool->lanes);
  while (g_hash_table_iter_next(&iter, NULL, (gpointer *)&lane)) {
    RadiusRecord *last = g_queue_peek_tail(&lane->records);
    if (!lane->ended && radius_row_is_session(&last->row))
      g_ptr_array_add(dead, last);
  }
  for (guint i = 0; i < dead->len; i++)
    stop_from(spool, &((RadiusRecord *)dead->pdata[i])->row);
}

static void on_part(gpointer user, const GError *error);

static void read_part(Recovery *recovery) {
  recovery->rows = 0;
  recovery->spool->radius->store->load(recovery->table, recovery->last, PART, on_row, on_part, recovery);
}

static void on_part(gpointer user, const GError *error) {
  Recovery *recovery = user;
  RadiusSpool *spool = recovery->spool;

  if (error || spool->closed) {
    if (!spool->closed)
      radius_spool_forget(spool);
    end_recovery(recovery, error);
    return;
  }
  if (recovery->rows == PART) {
    read_part(recovery);
    return;
  }
  if (g_str_equal(recovery->table, RADIUS_TABLE_RECORDS)) {
    recovery->table = RADIUS_TABLE_SESSIONS;
    g_clear_pointer(&recovery->last, g_free);
    read_part(recovery);
    return;
  }
  stop_those_without_a_row(spool);
  if (spool->records.length)
    adit_info(NULL, "accounting: %" G_GUINT64_FORMAT " records of an earlier run wait, %" G_GUINT64_FORMAT " sessions ended with it",
              recovery->records, spool->count.recovered);
  end_recovery(recovery, NULL);
}

void radius_spool_recover(RadiusSpool *spool, RadiusRecovered done, gpointer user) {
  Recovery *recovery = g_new0(Recovery, 1);

  *recovery = (Recovery){.spool = radius_spool_ref(spool), .table = RADIUS_TABLE_RECORDS, .done = done, .user = user};
  read_part(recovery);
}
