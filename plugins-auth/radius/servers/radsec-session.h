/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * radius/servers/radsec-session.h - one TLS or DTLS connection with a server, through libradcli. Everything here blocks: for workers.
 *
 * libradcli 1.2.11 never closes a session that it has opened (rc_destroy() forgets it), and renews one at most every two minutes. So a
 * session is made once and renewed for ever after; it rests until that is allowed again.
 */
#pragma once

#include "../wire/radius-packet.h"
#include "radius-server.h"

/** The settings to reach a server; to be copied for longer use. */
typedef struct {
  gboolean dtls;
  AditEndpoint at;                      /**< resolved: whether it can be reached at all is tried here */
  char *host;                           /**< name or address as configured: the certificate must be for it */
  char *certificate, *private_key, *ca; /**< files */
  guint timeout_ms;
  int (*open_file)(const char *path); /**< for files that this user may not read; may be NULL */
} RadsecSettings;

RadsecSettings *radsec_settings_new(const RadiusServer *server, RadiusRole role);
void radsec_settings_free(RadsecSettings *settings);

typedef struct RadsecSession RadsecSession;

typedef enum {
  RADSEC_ANSWERED = 0,
  RADSEC_SILENT, /**< no answer in time */
  RADSEC_BROKEN, /**< there is no connection any more; nothing was heard */
  RADSEC_BAD,    /**< an answer that is not to be believed, or none of RADIUS */
} RadsecResult;

/** A request and its answer. */
typedef struct {
  guint8 code;
  const guint8 *attributes; /**< as on the wire, User-Password hidden with `authenticator` and `secret` */
  gsize length;
  guint8 authenticator[16];
  const char *secret;
  guint8 reply_code;
  guint8 request_authenticator[16]; /**< the one that went out */
  RadiusBuilder reply;              /**< its attributes are the answer's */
  char trouble[512];                /**< why there is no connection; "" when there is one, or had been */
} RadsecRequest;

/** Without a connection yet. [any] */
RadsecSession *radsec_session_new(void);
/** Is it connected, or may it be connected (again) now? [any], while it is not in use */
gboolean radsec_session_usable(const RadsecSession *session);
/** Had it a connection when it was last used? [any], while it is not in use */
gboolean radsec_session_connected(const RadsecSession *session);
/** Connects if need be, and asks; `*fresh` when it had to connect. Blocks for about twice the timeout, in a handshake with a server that
 *  says nothing for 40 s (TLS) or 60 s (DTLS): libradcli's own limits. */
RadsecResult radsec_session_request(RadsecSession *session, const RadsecSettings *settings, RadsecRequest *request, gboolean *fresh);
/** Ends what radsec_session_request() waits for in another thread, after the handshake if there is one. Holds until radsec_session_ready().
 * [any] */
void radsec_session_interrupt(RadsecSession *session);
/** May be used (again). [any], while it is not in use */
void radsec_session_ready(RadsecSession *session);
/** Closes its connection. Some memory stays with libradcli for ever. [any], while it is not in use */
void radsec_session_retire(RadsecSession *session);
