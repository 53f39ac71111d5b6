/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * core/aaa/guard.h - limits how many wrong logins reach the sources of users: a pure engine on the time that it is given. [main]
 *
 * Failed logins are counted by (host, user), by host and by network: a host is an IPv4 address or an IPv6 /64, a network an IPv4 /24 or an
 * IPv6 /48. Logins under way count as failed until they are known to be good, so that simultaneous guesses gain nothing. A login over a
 * limit is delayed; a source with further failures is locked out, each time for longer. A good login widens the window of its host (slow
 * start), so that many users behind one NAT or LAC can log in at once. Its user is known in that network for a week: the limits of host and
 * network do not apply to known users, only their own.
 *
 *     AaaAttempt attempt = {0};
 *     if (aaa_guard_begin(guard, &attempt, &address, "ann", now) == AAA_GUARD_GO)
 *       ask_source();                                         // else it waits: aaa_guard_next() gives it back, or it is refused
 *     ...
 *     aaa_guard_end(guard, &attempt, AAA_LOGIN_BAD, now);
 *
 * Memory is bounded: tables of fixed size in sets of eight, hashed with a random key. A new record takes the place of the one in its set
 * that has failed least and has no login under way. When all eight have, it shares a record with others in that case, which limits their
 * failures together and locks none of them out.
 */
#pragma once

#include <adit/address.h>
#include <glib.h>

G_BEGIN_DECLS

typedef struct AaaGuard AaaGuard;
typedef struct AaaRecord AaaRecord;

typedef enum { AAA_GUARD_USER = 0, AAA_GUARD_HOST, AAA_GUARD_NETWORK, AAA_GUARD_KINDS } AaaGuardKind;

typedef struct {
  gboolean on;
  guint failures;     /**< of one user from one host before a lockout; hosts and networks have multiples of it */
  guint64 lockout_ms; /**< the first one; it doubles each time. 0 = none, delays alone */
  guint64 lockout_max_ms;
} AaaGuardRules;

typedef enum {
  AAA_ATTEMPT_IDLE = 0, /**< not begun, or over */
  AAA_ATTEMPT_WAITING,
  AAA_ATTEMPT_READY,   /**< aaa_guard_next() gives it: it may go, and counts as running */
  AAA_ATTEMPT_REFUSED, /**< aaa_guard_next() gives it: it waited for nothing */
  AAA_ATTEMPT_RUNNING,
} AaaAttemptState;

/** A login on its way; zeroed by its owner, which may free it when it is idle or refused. */
typedef struct {
  AaaAttemptState state;
  AaaRecord *records[AAA_GUARD_KINDS];
  AaaRecord *blocked; /**< the record with the queue that it waits in */
  GList link;
  gboolean known; /**< the user has logged in from this network lately */
  guint64 mark;   /**< under which that is remembered */
  guint64 since_ms;
  char why[160]; /**< refused: the reason, for the log */
} AaaAttempt;

typedef enum { AAA_GUARD_GO = 1, AAA_GUARD_WAIT, AAA_GUARD_REFUSE } AaaGuardAnswer;

/** UNKNOWN: the source had no answer. CANCELLED: cancelled after the source was asked. */
typedef enum { AAA_LOGIN_GOOD = 1, AAA_LOGIN_BAD, AAA_LOGIN_UNKNOWN, AAA_LOGIN_CANCELLED } AaaLogin;

typedef struct {
  guint64 asked;   /**< logins that were begun */
  guint64 delayed; /**< had to wait */
  guint64 refused; /**< never reached a source */
  guint64 good, bad;
  guint64 lockouts;
  guint running, waiting;
} AaaGuardStats;

/** A record as it is now; borrowed. */
typedef struct {
  AaaGuardKind kind;
  AditPrefix source;
  const char *user;  /**< kind USER; else NULL. Cut to 47 octets */
  guint failures;    /**< those that count now */
  guint64 locked_ms; /**< for so long; 0 = it is not */
  guint running, waiting;
} AaaGuardView;

/** `locked` (may be NULL) is called for each lockout that begins, in aaa_guard_end(). */
AaaGuard *aaa_guard_new(const AaaGuardRules *rules, const guint8 key[16], void (*locked)(const AaaGuardView *view, gpointer data),
                        gpointer data);
/** No attempt may be under way. */
void aaa_guard_free(AaaGuard *guard);
/** Rules for what begins from now on, and for lockouts that begin from now on. */
void aaa_guard_set_rules(AaaGuard *guard, const AaaGuardRules *rules);

/** A login of `user` from `source` begins. GO: ask, then aaa_guard_end(). WAIT: aaa_guard_next() will give it back. REFUSE: attempt->why.
 */
AaaGuardAnswer aaa_guard_begin(AaaGuard *guard, AaaAttempt *attempt, const AditAddress *source, const char *user, guint64 now);
/** It is over, in whatever state it is; harmless for one that is idle. Others may have become ready: aaa_guard_next(). */
void aaa_guard_end(AaaGuard *guard, AaaAttempt *attempt, AaaLogin outcome, guint64 now);
/** An attempt that may go (its state is RUNNING then) or that is refused (REFUSED); NULL: none now. */
AaaAttempt *aaa_guard_next(AaaGuard *guard);
/** Time has passed: a login that has waited long enough becomes ready, or is refused. */
void aaa_guard_tick(AaaGuard *guard, guint64 now);
/** In how many milliseconds aaa_guard_tick() is due; 0 = no login waits. */
guint aaa_guard_due(const AaaGuard *guard);

const AaaGuardStats *aaa_guard_stats(const AaaGuard *guard);
/** Each record that counts failures, is locked or has logins under way, by kind. */
void aaa_guard_foreach(AaaGuard *guard, guint64 now, void (*each)(const AaaGuardView *view, gpointer data), gpointer data);
/** Forgives what is counted against hosts in `source`, networks that contain it, and users there; how many records that were. */
guint aaa_guard_forgive(AaaGuard *guard, const AditPrefix *source, guint64 now);

G_END_DECLS
