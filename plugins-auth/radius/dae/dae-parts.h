/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * radius/dae/dae-parts.h - what dynamic authorization is made of: which session is meant (dae-find.c), what shall change (dae-change.c),
 * the decision (dae-decide.c: no clock, no socket, no state of its own) and what was answered before (dae-cache.c). All [main].
 */
#pragma once

#include "../wire/packet.h"
#include "dae.h"

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

/** The RFC's words for it; static. */
const char *radius_dae_error_name(RadiusDaeError error);

/* ---- which session (RFC 5176 3) ---- */

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

/* ---- the decision ---- */

/** Who we are, and what is demanded. */
typedef struct {
  const AditSessionService *session;
  const char *nas_identifier;
  gboolean (*is_ours)(const AditAddress *address, gpointer data); /**< NAS-IP-Address, NAS-IPv6-Address */
  gpointer data;
  gboolean require_timestamp;
  guint window_s; /**< how far Event-Timestamp may be from now_s, both ways */
  gint64 now_s;   /**< wall clock, seconds since 1970 */
} RadiusDaeRules;

typedef enum {
  RADIUS_DAE_DROP = 1, /**< no answer (RFC 5176 6.3) */
  RADIUS_DAE_NAK,
  RADIUS_DAE_ACK,  /**< it is done */
  RADIUS_DAE_WAIT, /**< Disconnect: `session` is ending; ACK when it is gone */
} RadiusDaeOutcome;

typedef struct {
  RadiusDaeOutcome outcome;
  RadiusDaeError error;  /**< NAK */
  AditSessionId session; /**< 0 = none was found */
  gboolean timed;        /**< the request has an Event-Timestamp: it can't be the same as a later one */
  char why[160];         /**< for the log */
} RadiusDaeVerdict;

/** What to do about a believed Disconnect- or CoA-Request, and does it: all or nothing. */
void radius_dae_decide(const RadiusDaeRules *rules, const RadiusPacket *request, RadiusDaeVerdict *out);
/** Writes the answer to a request that was not dropped; WAIT is written as ACK. */
void radius_dae_answer(RadiusBuilder *b, const RadiusPacket *request, const RadiusDaeVerdict *verdict, const char *secret);

/** Makes the changes that a CoA-Request asks for (dae-change.c): all of them or none; then the error is why, and `why` says it for the
 *  log. What identifies is not looked at. */
RadiusDaeError radius_dae_change(const RadiusPacket *request, const AditSessionService *session, AditSessionId id, char why[160]);

/* ---- duplicates (RFC 5080 2.2.2) ---- */

typedef struct RadiusDaeCache RadiusDaeCache;

/** A request that was believed: who sent it, and what was answered. */
typedef struct {
  AditEndpoint from; /**< zeros for one with an Event-Timestamp: that counts wherever it comes from */
  guint8 id, authenticator[16];
  GBytes *answer;     /**< NULL while there is none */
  guint64 expires_ms; /**< 0 = not answered yet: it stays */
} RadiusDaeSeen;

/** At most `max` entries: the oldest that is answered makes room. */
RadiusDaeCache *radius_dae_cache_new(guint max);
void radius_dae_cache_free(RadiusDaeCache *cache);
/** The same packet from the same port (with an Event-Timestamp: from anywhere), not expired at `now_ms`; NULL: it is new. Borrowed
 *  until the next call. */
RadiusDaeSeen *radius_dae_cache_find(RadiusDaeCache *cache, const AditEndpoint *from, const RadiusPacket *request, guint64 now_ms);
/** Notes a new request: it stays until it is answered, or forgotten. NULL: all room is taken by such ones. */
G_GNUC_WARN_UNUSED_RESULT
RadiusDaeSeen *radius_dae_cache_add(RadiusDaeCache *cache, const AditEndpoint *from, const RadiusPacket *request, guint64 now_ms);
/** It is answered, and kept until `until_ms`. Takes over `answer`. `timed`: it has an Event-Timestamp, and is of those that are kept
 *  longer: within each kind, later answers must be kept until later. */
void radius_dae_cache_answer(RadiusDaeCache *cache, RadiusDaeSeen *seen, GBytes *answer, gboolean timed, guint64 until_ms);
/** A request that is not answered after all: it is as if it had not come. */
void radius_dae_cache_forget(RadiusDaeCache *cache, RadiusDaeSeen *seen);
/** Another bound from now on: entries that are beyond it stay until they expire or make room. */
void radius_dae_cache_set_max(RadiusDaeCache *cache, guint max);
guint radius_dae_cache_count(const RadiusDaeCache *cache);

/** The cache of a listener, for tests of its bound. */
RadiusDaeCache *radius_dae_cache_of(RadiusDae *dae);

/* ---- sockets ---- */

/** Not blocking; refuses a port that somebody else has. -1 and an error: UNSUPPORTED when the machine lacks that family. */
int radius_dae_socket_open(const AditEndpoint *at, GError **error);
/** While TRUE, radius_dae_socket_open() may open another one that overlaps with it (all addresses, one address). */
void radius_dae_socket_share(int fd, gboolean share);
/** One datagram and the address that it was sent to; -1 and errno. What is beyond RADIUS_MAX octets is cut off. */
gssize radius_dae_socket_receive(int fd, guint8 data[RADIUS_MAX], AditEndpoint *from, AditAddress *local);
/** Sends from `local`; family 0 = the kernel chooses. */
gboolean radius_dae_socket_send(int fd, GBytes *datagram, const AditEndpoint *to, const AditAddress *local);
/** Is it an address of this machine? */
gboolean radius_dae_is_local(const AditAddress *address);
