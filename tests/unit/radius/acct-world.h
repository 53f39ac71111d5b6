/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * tests/unit/radius/acct-world.h - accounting on virtual time: a loop, a disk and servers that the test commands.
 *
 * The disk is the real store on a real file, with a gate before it: writes that have not passed the gate are lost in a kill, in
 * order, as the last transactions are in a real one.
 */
#pragma once

#include "hex.h"
#include "plugins-auth/radius/accounting/acct.h"
#include "plugins-auth/radius/accounting/acct-record.h"
#include "plugins-auth/radius/servers/config.h"

enum { WORLD_SERVERS = 2 };
enum { START = 1, STOP = 2, INTERIM = 3, ON = 7, OFF = 8 }; /* Acct-Status-Type */

/** A packet as a server got it. */
typedef struct {
  guint server, life, status;
  char *id;           /**< Acct-Session-Id */
  GBytes *attributes; /**< all */
  GBytes *rest;       /**< all but Acct-Delay-Time and Event-Timestamp: what a repeat has in common */
  guint64 in_octets, out_octets;
  guint32 delay, stamp, cause, time, class_count;
  gint64 at_ms; /**< wall clock */
} Arrival;

typedef struct {
  Radius radius;
  RadiusAcct *acct;
  GRand *rand;
  guint64 now;
  gint64 wall_ms; /**< at now = 0 */
  guint life;
  char *dir, *path;
  /* the disk */
  GQueue gate;
  guint passed; /**< operations of which the end is not known */
  guint64 max_records;
  gboolean drop_oldest;
  gboolean open_gate; /**< all passes at once */
  gboolean disk_fails, reading_fails;
  /* servers */
  gboolean up[WORLD_SERVERS];
  guint servers;
  const char *realm[WORLD_SERVERS], *called_id[WORLD_SERVERS]; /**< of each, before world_start() */
  guint lose_percent;                                          /**< of answers */
  guint rtt_ms, timeout_ms, tries;
  gboolean ignores_on;
  const char *unserved; /**< a user whom no server is for */
  guint most_at_once;   /**< requests that a server may have at once, before world_start() */
  const char *user;     /**< of the next records */
  gboolean client;      /**< the next records are of client sessions */
  GPtrArray *arrivals;  /**< of Arrival */
  GQueue exchanges;
  guint in_flight, most_in_flight, sends;
  GHashTable *timers; /**< AditTimer -> when it was armed, counted */
  guint armed;
} World;

extern World world;

void world_begin(guint32 seed);
void world_end(void);
/** The same around each test of a program. */
int world_setup(void **state);
int world_teardown(void **state);
/** A new life: opens the store and starts accounting. */
void world_start(void);
/** kill -9: what did not pass the gate never was. */
void world_kill(void);
/** A clean stop with this budget, up to the process's end. */
void world_stop(guint budget_ms);
/** Lets `n` operations through to the disk and waits for their ends. */
void world_pass(guint n);
/** Everything passes, and time goes on by `ms`. */
void world_run(guint ms);
/** The spool takes so many records from now on, and loses the new ones or the oldest. */
void world_bound(guint64 records, gboolean drop_oldest);
/** Until `done` or `ms` have passed; FALSE = they have. */
gboolean world_run_until(gboolean (*done)(void), guint ms);
/** Nothing waits, in memory or on the disk's way. */
gboolean world_is_idle(void);
/** How many rows a table has on the disk. */
guint world_rows(const char *table);

/** Hands a record to the sink; `*kept` becomes 1 or -1 (FALSE) when it is told. */
void world_record(AditAcctKind kind, const char *id, guint64 rx_octets, guint64 tx_octets, guint64 uptime_ms, int *kept);
/** The records of a session from its Start to its `last`, with an interim one in between if that is the Stop. */
void world_session(const char *id, AditAcctKind last);
/** So many, s0 and on. */
void world_sessions(guint n, AditAcctKind last);

/** A number of what `show` tells. */
gint64 world_shown(const char *key);
gint64 world_wall(void);
/** How many arrivals have this status and session; NULL = any. */
guint world_count(guint status, const char *id);
const Arrival *world_arrival(guint index);
/** The last arrival of this kind, which must be there. */
const Arrival *world_last(guint status, const char *id);
/** The first attribute of this type. */
gboolean arrival_find(const Arrival *arrival, guint32 vendor, guint8 type, RadiusAttribute *out);
