/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * radius/accounting/spool.h - the records that no server has answered yet, in memory and in adit.store; and the sessions that are open. All
 * [main].
 *
 * Table "radius-acct": one row a record, the key is its number with leading zeros, so that order of key is order of age.
 * Table "radius-session": one row an open session, the key is its Acct-Session-Id; the content of its Stop if the daemon died now.
 *
 * The order of writes shows what a kill -9 between two of them left: a Start is written before its session's row, a Stop before that
 * row is removed, and the row is removed before the Stop. So a session with its Stop in the spool is over, whatever its row says. A
 * session with a Start but neither row nor Stop died at once.
 */
#pragma once

#include "../radius.h"
#include "acct-row.h"

#define RADIUS_TABLE_RECORDS  "radius-acct"
#define RADIUS_TABLE_SESSIONS "radius-session"

typedef struct RadiusSpool RadiusSpool;
typedef struct RadiusLane RadiusLane;

/** Records that must go out one after the other: those of a session, or On and Off of one run of the daemon. */
struct RadiusLane {
  char *id;
  GQueue records; /**< of RadiusRecord, by age */
  gboolean open;  /**< its session has a row */
  gboolean ended; /**< its Stop is among the records */
  GBytes *row;    /**< the session's row as it should be on disk, while that has not been confirmed; else NULL */
  /* acct-send.c's */
  gboolean busy;    /**< its first record is in flight */
  GQueue *waits_in; /**< where the lane queues to be sent, by `place`; NULL = nowhere */
  GList place;
  AditTimer retry; /**< armed while its first record waits for its own pause */
  gboolean pausing;
};

typedef struct {
  gint refs;
  RadiusSpool *spool; /**< borrowed */
  RadiusRow row;
  guint64 number;
  RadiusLane *lane;
  GList by_age, in_lane;
  gboolean writing;  /**< the store has not confirmed it yet: it is not sent before */
  gboolean kept;     /**< it is on disk */
  gboolean gone;     /**< it is not in the spool any more */
  gboolean sent;     /**< a server may have it */
  guint tries;       /**< how often all servers failed for it */
  AditAcctDone done; /**< the caller that gave it, NULL once it has its answer */
  gpointer token;
} RadiusRecord;

typedef struct {
  /** The first record of a lane may be sent now: it is on disk (or can't be brought there). */
  void (*ready)(gpointer user, RadiusLane *lane);
  /** The lane is about to be freed. */
  void (*forget)(gpointer user, RadiusLane *lane);
  /** The last outstanding write has been confirmed, or has failed. */
  void (*settled)(gpointer user);
} RadiusSpoolOps;

struct RadiusSpool {
  gint refs;
  gboolean closed; /**< only the store's late answers hold it */
  const Radius *radius;
  const RadiusSpoolOps *ops;
  gpointer user;
  GQueue records;    /**< of RadiusRecord, by age */
  GQueue barriers;   /**< those of them that are On and Off */
  GHashTable *lanes; /**< id -> RadiusLane */
  guint64 last_number;
  guint64 max_records;
  gboolean drop_oldest;
  guint pending;    /**< writes that the store has not answered */
  guint open;       /**< open sessions without a Stop: each has a place kept for it */
  AditTimer again;  /**< tries to write what could not be written */
  GQueue removals;  /**< of those that failed */
  gboolean failing; /**< the store refuses */
  AditRateLimit filling, losses, failures;
  struct {
    guint64 stored, superseded, lost, recovered;
  } count;
};

RadiusSpool *radius_spool_new(const Radius *radius, const RadiusSpoolOps *ops, gpointer user);
/** Forgets all, on disk it stays. A caller that waits for a record gets FALSE. */
void radius_spool_close(RadiusSpool *spool);
/** How many records it may hold, and whether a full one drops the oldest (else it refuses what is new). */
void radius_spool_bound(RadiusSpool *spool, guint64 max_records, gboolean drop_oldest);

/**
 * Takes a record (`row` is taken over and cleared) and writes it; `done` (may be NULL) is called once it is on disk or a server has it,
 * with FALSE when neither came about. FALSE is called at once for what the bound refuses: a Start when the spool is full, an
 * interim then, whatever belongs to a session that is not known. Over half the bound, an interim takes the place of the
 * session's last one, if that has not been sent.
 */
void radius_spool_add(RadiusSpool *spool, RadiusRow *row, AditAcctDone done, gpointer token);

/** A record that a server has answered leaves, and a Stop takes the row of its session along. */
void radius_spool_acknowledged(RadiusSpool *spool, RadiusRecord *record);

/** A record that can't be delivered leaves without an answer. */
void radius_spool_drop(RadiusSpool *spool, RadiusRecord *record);

/** Is there a session, or a run, with this id? */
gboolean radius_spool_knows(const RadiusSpool *spool, const char *id);

/** A warning for the administrator, as text; NULL when all is well. Owned by the caller. */
char *radius_spool_alarm(const RadiusSpool *spool);

RadiusRecord *radius_record_ref(RadiusRecord *record);
void radius_record_unref(RadiusRecord *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RadiusRecord, radius_record_unref)

/* ---- spool-recover.c ---- */

typedef void (*RadiusRecovered)(gpointer user, const GError *error);

/** Reads both tables into an empty spool, and gives a Stop (NAS-Reboot) to each session that an earlier life left open. `done` is called
 * once, with an error when a table could not be read: then the spool is empty, and what is on disk untouched. */
void radius_spool_recover(RadiusSpool *spool, RadiusRecovered done, gpointer user);

/* ---- between spool.c and spool-recover.c ---- */

/** Puts a record that is on disk under its number into the spool. */
void radius_spool_restore(RadiusSpool *spool, RadiusRow *row, guint64 number);
/** Writes the Stop of a session that died with an earlier life, whatever the bound; takes over `row`. */
void radius_spool_restore_stop(RadiusSpool *spool, RadiusRow *row);
/** Forgets the records, nothing else: what could not be read whole stays on disk as it is. */
void radius_spool_forget(RadiusSpool *spool);
/** A row that makes no sense is removed, with a warning. */
void radius_spool_discard(RadiusSpool *spool, const char *table, const char *key);
RadiusSpool *radius_spool_ref(RadiusSpool *spool);
void radius_spool_unref(RadiusSpool *spool);
