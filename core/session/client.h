/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/session/client.h - what dials: the clients of all transports. [main] */
#pragma once

#include <adit/net.h>

typedef struct AditClient AditClient;
typedef struct AditSess AditSess;
typedef struct AditSessLink AditSessLink;

void adit_clients_init(const AditNetService *net);
void adit_clients_fini(void);
gpointer adit_clients_prepare(const AditValue *config, GError **error);
void adit_clients_commit(gpointer staged);
void adit_clients_abort(gpointer staged);
void adit_clients_start(void);
void adit_clients_stop(void);
void adit_client_link_opened(AditClient *client, AditSessLink *link);
/** `refused`: the server did not take our user or password. */
void adit_client_link_closed(AditClient *client, gboolean refused, const char *reason);
/** The session is ending: its default route goes to the next client. */
void adit_client_session_down(AditClient *client, const AditSess *session);
void adit_client_session_up(AditClient *client, AditSess *session);
/** More of it has been applied: IPv4 may be here only now. Also called by adit_client_session_up(). */
void adit_client_session_update(AditClient *client, AditSess *session);
void adit_client_dial_failed(gpointer token, AditCause cause, const char *reason);

/** For `show clients`: the names of all, sorted (of char*; the caller's), and the row of one: a MAP, NULL if it is gone. */
GPtrArray *adit_client_names(void);
AditValue *adit_client_row(const char *name);
/** Dials now, or hangs up and stays down until up or a restart. Errors: NOT_FOUND. */
gboolean adit_client_up(const char *name, GError **error);
gboolean adit_client_down(const char *name, GError **error);
