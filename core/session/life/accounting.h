/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/session/life/accounting.h - what accounting hears of sessions and of the daemon. [main] */
#pragma once

#include <adit/auth.h>
#include <adit/loop.h>

typedef struct AditSess AditSess;

typedef struct {
  gboolean started;      /**< a START was made: whatever is configured since, a STOP follows */
  guint64 configured_ms; /**< the period for all sessions, as it was when this one came up */
  guint64 period_ms;     /**< of interim records, in force; 0 = none */
  AditTimer timer;
} AditSessAccounting;

void adit_account_init(void);
/** Tells accounting that the daemon is there, or that it goes, after all STOPs; that only if it was told before. */
void adit_session_account(gboolean on);
/** A new Acct-Session-Id: unique among all links of all runs of the daemon. The caller's. */
char *adit_record_id_new(void);
/** Makes a record, if the session is accounted; START decides that. */
void adit_sess_account(AditSess *session, AditAcctKind kind);
void adit_sess_accounting_init(AditSess *session);
/** No interim record follows. */
void adit_sess_accounting_stop(AditSess *session);
/** After START: arms the timer of the interim records, the first one somewhere in its period. */
void adit_sess_interim_start(AditSess *session);
/** Attributes or addresses have changed: says so now, if there is a period; another one begins somewhere in it. */
void adit_sess_interim_changed(AditSess *session);
