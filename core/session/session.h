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

/** `net` is adit_net_service(), or what a test has in its place. Needs loop, bus, aaa, pool and path to be there. */
void adit_session_init(const AditNetService *net);
/** Everything must have ended (adit_session_stop()); frees the registries. */
void adit_session_fini(void);

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
