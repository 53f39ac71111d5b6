/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/aaa/guard-table.h - the records of the guard and their tables (guard-table.c), for guard.c. */
#pragma once

#include "core/aaa/guard.h"

G_BEGIN_DECLS

/** Counters of a host, a network, or a user of a host. */
struct AaaRecord {
  guint64 key; /**< 0 = free */
  AaaGuardKind kind;
  gboolean shared; /**< counts for all sources that do not fit into the table */
  AditPrefix source;
  char user[48];
  guint64 updated_ms;
  double level;    /**< failures that have not leaked away yet: with the logins under way, at most `window` */
  double failures; /**< towards a lockout; leaks more slowly */
  double window;
  guint lockouts; /**< so far, without a long pause */
  guint64 locked_until_ms;
  guint running, refs; /**< attempts that hold it; one that is held is never replaced */
  GQueue waiting;      /**< of AaaAttempt */
  GList busy;          /**< in the guard's list, while a login waits */
};

/** Limits of a kind. */
typedef struct {
  double window, window_max;
  double leak_ms;  /**< in which a failure leaks out of the level */
  double decay_ms; /**< in which one no longer counts towards a lockout */
  guint factor;    /**< lockout after this many times AaaGuardRules.failures; 0 = never */
} AaaLimits;

const AaaLimits *aaa_limits_of(const AaaRecord *record);
/** How long a failure takes to leak away now: for a user longer with each one. */
double aaa_record_leak_ms(const AaaRecord *record);
/** Lets what has leaked away since be gone. */
void aaa_record_update(AaaRecord *record, guint64 now, guint64 lockout_max_ms);

typedef struct AaaTables AaaTables;
AaaTables *aaa_tables_new(const guint8 key[16]);
void aaa_tables_free(AaaTables *tables);
/** The record of `source` (of its user, for kind USER), made if there is none; never NULL. Octets of `user` in either case are the same. */
AaaRecord *aaa_tables_get(AaaTables *tables, AaaGuardKind kind, const AditPrefix *source, const char *user, guint64 now,
                          guint64 lockout_max_ms);
void aaa_tables_foreach(AaaTables *tables, void (*each)(AaaRecord *record, gpointer data), gpointer data);

/** Networks from which a user has logged in: 65,536 marks; a new one replaces the oldest of its set. */
guint64 aaa_mark_key(const AaaTables *tables, const AditPrefix *network, const char *user);
gboolean aaa_mark_is_known(const AaaTables *tables, guint64 key, guint64 now);
/** The user has logged in; TRUE if that counts in favour of its source, which it does once an hour. */
gboolean aaa_mark_good(AaaTables *tables, guint64 key, guint64 now);

G_END_DECLS
