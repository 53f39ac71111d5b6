/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** radius/accounting/acct-send.h - which record is sent next, and to which servers. All [main]. */
#pragma once

#include "../radius.h"
#include "../servers/exchange.h"
#include "spool.h"

/** The way to the servers and the wall clock; tests have their own. */
typedef struct {
  RadiusExchange *(*exchange)(RadiusServer *server, const RadiusRequest *request);
  void (*cancel)(RadiusExchange *exchange);
  RadiusServer *(*pick)(RadiusServers *servers, const RadiusWant *want, const GPtrArray *tried);
  gboolean (*serve)(const RadiusServers *servers, const RadiusWant *want);
  gint64 (*wall_ms)(void);
} RadiusAcctNet;

typedef struct RadiusSenders RadiusSenders;

/**
 * Sends what waits in the spool for one group of servers. As long as they answer, as many records are on their way as the window
 * allows: it grows by one with each answer and is halved when no server answers. When no server answers at all, one record at a time probes
 * them, with pauses that double up to half a minute; then the window grows from one: no storm on return.
 *
 * An On or Off is a barrier (RFC 2866 4.1: it ends all sessions before it): older records precede it, younger ones wait until it is
 * answered.
 */
typedef struct {
  RadiusSenders *all;
  GQueue ready, held; /**< of RadiusLane: may go, wait behind a barrier */
  guint64 barrier;    /**< number of the On or Off that lanes are held behind; 0 = none */
  GQueue flights;     /**< of what is on its way */
  guint window;
  gboolean waiting;    /**< no server answers */
  gboolean complained; /**< the log has it */
  gboolean due;        /**< the pause is over: one record may go */
  guint pause_ms;
  guint scouts; /**< the record with the turn to probe servers */
  guint spies;  /**< how often others were answered while On or Off was not */
  AditTimer pause;
  guint64 answers;
  AditRateLimit complaints;
} RadiusSender;

/** One for each group of servers, so that an unreachable one delays no other. */
struct RadiusSenders {
  const Radius *radius;
  const RadiusAcctNet *net;
  RadiusSpool *spool;
  void (*changed)(gpointer user); /**< an exchange is over */
  gpointer user;
  gboolean on;
  GPtrArray *list; /**< of RadiusSender, by radius_servers_group() */
  struct {
    guint64 sent, repeats, acknowledged;
  } count;
};

void radius_senders_init(RadiusSenders *all, const Radius *radius, const RadiusAcctNet *net, RadiusSpool *spool,
                         void (*changed)(gpointer user), gpointer user);
void radius_senders_start(RadiusSenders *all);
/** Cancels what is in flight; its records stay. */
void radius_senders_stop(RadiusSenders *all);
/** After radius_senders_stop(). */
void radius_senders_clear(RadiusSenders *all);
/** Another server may answer now: the pauses are over. */
void radius_senders_wake(RadiusSenders *all);
guint radius_senders_in_flight(const RadiusSenders *all);
/** Somewhere no server answers. */
gboolean radius_senders_wait(const RadiusSenders *all);
/** RadiusSpoolOps: the first record of a lane may go; a lane is no more. */
void radius_senders_ready(RadiusSenders *all, RadiusLane *lane);
void radius_senders_forget(RadiusSenders *all, RadiusLane *lane);

/** Which servers a row is for; borrowed of the row. */
RadiusWant radius_acct_want(const RadiusRow *row);
