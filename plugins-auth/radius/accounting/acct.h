/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * radius/accounting/acct.h - the accounting sink: records become rows of adit.store, rows go to the servers, answered rows leave. All
 * [main].
 *
 * A record counts as taken once it is on disk, and stays there until a server has answered it. Records of one session go out
 * strictly in order, those of many sessions side by side. Each open session has a row as well: sessions that die with the
 * daemon get a Stop from it at the next start, with what was known of them last.
 */
#pragma once

#include "acct-send.h"

typedef struct RadiusAcct RadiusAcct;

/** For adit.aaa's sink_add(); its state is the RadiusAcct. Records of client sessions are not for RADIUS: taken, and forgotten. */
extern const AditAcctSinkOps radius_acct_sink;

/** In the plugin's init. `radius` must live until radius_acct_free(); `radius->config` may be NULL until start. */
RadiusAcct *radius_acct_new(const Radius *radius);

/** In the plugin's start, after the first commit: reads what an earlier life left and begins to send. Records that come before
 *  it has been read wait for it. */
void radius_acct_start(RadiusAcct *acct);

/** After `radius->config` was replaced: other servers, other bounds. Requests in flight end with the servers they began with. */
void radius_acct_config(RadiusAcct *acct);

/** Takes no more records and sends for at most `budget_ms` (the Off and the last Stops). Then calls `done` once, after all records are on
 *  disk. The remaining records are sent after the next start. */
void radius_acct_stop(RadiusAcct *acct, guint budget_ms, void (*done)(gpointer data), gpointer data);

/** Cancels what is in flight. NULL is harmless. */
void radius_acct_free(RadiusAcct *acct);

/** MAP for `show radius`: `records`, `max-records`, `sessions`, `in-flight`, `oldest` (seconds), `stored`, `sent`, `repeats`,
 *  `acknowledged`, `superseded`, `lost`, `recovered`, `state` (`reading`, `sending`, `waiting`), `alarm` (text; absent = none). */
AditValue *radius_acct_describe(const RadiusAcct *acct);

/** For tests: with their own way to the servers. */
RadiusAcct *radius_acct_new_with(const Radius *radius, const RadiusAcctNet *net);
