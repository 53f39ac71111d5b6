/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/session/client.h - what dials: the clients of all transports. [main] */
#pragma once

#include "core/session/client-route.h"
#include <adit/loop.h>
#include <adit/path.h>

typedef struct AditClient AditClient;
typedef struct AditClientCall AditClientCall; /**< one link of a client: the token of its dials */
typedef struct AditSess AditSess;
typedef struct AditSessLink AditSessLink;

/* Ordered: a client is in the state of its call that has come farthest. */
typedef enum { ADIT_CALL_DOWN, ADIT_CALL_WAITING, ADIT_CALL_DIALLING, ADIT_CALL_CONNECTING, ADIT_CALL_UP } AditCallState;

/* One link of a client. The first one founds its session; the others are dialled while that lives and takes them. */
struct AditClientCall {
  AditClient *client;
  guint nth;
  AditCallState state;
  AditTimer timer;
  AditDial *dial;
  AditLinkId link;
  guint failures, refusals; /**< in a row */
  guint64 next_ms;          /**< of the next attempt, while it waits */
};

struct AditClient {
  char *name;
  char *transport;
  AditValue *config;
  gboolean held; /**< told to stay down */
  guint holds;
  gboolean removed; /**< no longer configured: freed when its links have ended */
  AditClientCall call[ADIT_STAGE_LINKS];
  AditSessionId session; /**< that is up, or was until its links are gone */
  AditEndpoint server;
  char *last_error;
  AditCallState shown; /**< since_ms counts from its begin */
  guint64 since_ms;
  gboolean routed; /**< the default route was asked for */
  AditClientRoute route;
};

void adit_clients_init(const AditNetService *net);
void adit_clients_fini(void);
gpointer adit_clients_prepare(const AditValue *config, GError **error);
void adit_clients_commit(gpointer staged);
void adit_clients_abort(gpointer staged);
void adit_clients_start(void);
void adit_clients_stop(void);
AditClient *adit_client_of(const AditClientCall *call);
void adit_client_link_opened(AditClientCall *call, AditSessLink *link);
/** The link has joined the client's session. */
void adit_client_link_joined(AditClientCall *call);
/** Its session, if that is up and not ending; else NULL. Borrowed. */
AditSess *adit_client_session(const AditClient *client);
/** How many links its session is to have. */
guint adit_client_links_wanted(const AditClient *client);
GHashTable *adit_clients_table(void); /**< name -> AditClient, borrowed */
/** Has one of its links a session? */
gboolean adit_client_has_session(const AditClient *client);
/** `refused`: the server did not take our user or password. */
void adit_client_link_closed(AditClientCall *call, gboolean refused, const char *reason);
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
