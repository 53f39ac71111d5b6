/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** radius/dae/dae-find.h - which session a request means (RFC 5176 3). All [main]. */
#pragma once

#include "../wire/radius-packet.h"

#include <adit/session.h>

/** Error-Cause (RFC 5176 3.5); all of them refuse. */
typedef enum {
  RADIUS_DAE_FINE = 0,
  RADIUS_DAE_UNSUPPORTED_ATTRIBUTE = 401,
  RADIUS_DAE_MISSING_ATTRIBUTE = 402,
  RADIUS_DAE_OTHER_NAS = 403,
  RADIUS_DAE_INVALID_REQUEST = 404,
  RADIUS_DAE_UNSUPPORTED_SERVICE = 405,
  RADIUS_DAE_INVALID_VALUE = 407,
  RADIUS_DAE_NO_SESSION = 503,
  RADIUS_DAE_NOT_REMOVABLE = 504,
  RADIUS_DAE_NO_RESOURCES = 506,
  RADIUS_DAE_MANY_SESSIONS = 508,
} RadiusDaeError;

/** Session identification as given. Borrows from the packet. Zero-initialise. */
typedef struct {
  guint given; /**< 1 << of dae-find.c's own rows */
  RadiusAttribute user, cui, called, calling, record, multi, port_id;
  guint32 port;
  AditAddress address;
  AditPrefix prefix;
  guint8 ifid[8];
} RadiusDaeKeys;

/** Does this attribute identify a session? `*key` says so; then it is taken, or the error is why not: malformed, or given twice. */
RadiusDaeError radius_dae_key(RadiusDaeKeys *keys, const RadiusAttribute *attribute, gboolean *key);
/** Do all given keys fit this session? FALSE for client sessions and for no key at all. */
gboolean radius_dae_fits(const RadiusDaeKeys *keys, const AditSessionInfo *info);
/** The one session that all keys fit and that is not ending. NO_SESSION, MANY_SESSIONS, or MISSING_ATTRIBUTE without any key. */
RadiusDaeError radius_dae_find(const RadiusDaeKeys *keys, const AditSessionService *session, AditSessionId *out);
