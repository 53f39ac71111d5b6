/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * core/session/session.h - the registry of links and sessions, as the layers above see it. All [main].
 *
 * Life of a session: authenticated link -> merge -> only-one -> veto hooks -> addresses reserved -> NCPs and port in
 * parallel -> results applied to the interface -> session-up. Its end: data plane and interface closed -> session-down
 * and accounting -> addresses released; the link says goodbye meanwhile.
 */
#pragma once

#include <adit/net.h>
#include <adit/session.h>

typedef struct AditSchema AditSchema; /* core/config/schema.h */

/** `net` is adit_net_service(), or what a test has in its place. Needs loop, bus, aaa, pool and path to be there. */
void adit_session_init(const AditNetService *net);
/** Everything must have ended (adit_session_stop()); frees the registries. */
void adit_session_fini(void);

/** The schema by which attributes are shown as one would write them; borrowed. NULL = plain values. */
void adit_session_set_schema(const AditSchema *schema);

const AditSessionService *adit_session_service(void);
/** A plugin is going: its links are closed. */
void adit_session_drop_plugin(AditPlugin *plugin);
/** A transport has stopped, or its time is over: closes its links, which no longer call it. Logs how many it left open. */
void adit_session_plugin_stopped(AditPlugin *plugin);

/** Two-phase reload of `profiles` and every transport's `clients`. prepare() checks what no schema can. */
gboolean adit_session_prepare(const AditValue *config, gpointer *staged, GError **error);
void adit_session_commit(gpointer staged);
void adit_session_abort(gpointer staged);

/** Tells accounting that the daemon is there, and starts to dial: after all plugins have started. */
void adit_session_start(void);
/** Ends all sessions (ADIT_CAUSE_ADMIN_REBOOT) and dialling, and refuses new links; `done` comes once when the last one is gone. */
void adit_session_stop(void (*done)(gpointer data), gpointer data);
/** Tells accounting that the daemon is there, or that it goes, after all STOPs; that only if it was told before. */
void adit_session_account(gboolean on);

/** For `show sessions`: the ids of all (of guint64, in no order; the caller's), and the row of one: a MAP, NULL if it is gone. */
GArray *adit_session_ids(void);
AditValue *adit_session_row(AditSessionId id);
/** For `show session ID`: one MAP with everything, NULL if there is none. `which` is an id in hex, an interface name, or a user name. The
 *  caller owns the result. */
AditValue *adit_session_describe(const char *which);
/** Ends the session or, given a user name, all sessions of that user; returns how many. */
guint adit_session_disconnect(const char *which, AditCause cause, const char *reason);

/** For `show clients`: the names of all, sorted (of char*; the caller's), and the row of one: a MAP, NULL if it is gone. */
GPtrArray *adit_client_names(void);
AditValue *adit_client_row(const char *name);
/** Dials now, or hangs up and stays down until up or a restart. Errors: NOT_FOUND. */
gboolean adit_client_up(const char *name, GError **error);
gboolean adit_client_down(const char *name, GError **error);
