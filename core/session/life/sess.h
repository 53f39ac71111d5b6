/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/session/life/sess.h - a session: one authenticated subscriber. [main] */
#pragma once

#include "core/session/config/profile.h"
#include "core/session/link/link.h"
#include "core/session/network/addresses.h"
#include "core/session/network/family.h"
#include "core/session/network/names.h"
#include "core/session/network/ncps.h"
#include "core/session/network/ports.h"
#include "core/session/network/session-claims.h"
#include <adit/auth.h>
#include <adit/event.h>
#include <adit/log.h>

typedef enum {
  ADIT_SESS_STARTING, /**< the interface is being opened, or no NCP is open yet */
  ADIT_SESS_APPLYING, /**< the first NCP is open; the kernel is being told, and the other NCPs have a moment to open */
  ADIT_SESS_UP,
  ADIT_SESS_ENDING, /**< the interface is being closed */
} AditSessState;

struct AditSess {
  gint refs;
  AditSessionId id;
  AditSessState state;
  char *user;
  char *record_id;    /**< Acct-Session-Id: unique over restarts */
  AditSessLink *link; /**< NULL once it is lost */
  AditLinkId link_id;
  AditClient *client;
  char *transport, *server, *caller_id, *called_id, *source, *method;
  guint32 number; /**< the link's */
  gboolean is_client;
  AditValue *config;          /**< the server's or client's item */
  AditValue *record;          /**< what the source said, with what was changed since; may be NULL */
  AditValue *attributes;      /**< merged */
  AditValue *first;           /**< as they were when it began: the NCPs keep a pointer into them */
  AditValue *link_attributes; /**< what the transport knows; may be NULL */
  AditEndpoint peer, local;   /**< the tunnel's ends */
  const AditDatapathOps *datapath;
  gpointer dp;

  AditDpSession *plane;
  AditPort *port;
  gboolean port_pending;
  AditClaim *port_claim; /**< an interface of its own */
  AditClaimant port_claimant;
  guint refused;     /**< how many names for the interface the kernel has refused */
  AditNameHold hold; /**< of its own interface's name */
  char name[16];     /**< the interface's, also after it is closed */
  AditSharedPort *shared;
  guint mtu;
  guint port_mtu; /**< what the interface was last told */
  guint max_mtu;  /**< what path and attributes allow, whatever LCP says; 0 = anything */

  AditSessLease lease[ADIT_SESS_MAX_LEASES];
  guint n_leases;
  gboolean choice_refused; /**< that was logged */
  AditNcpParams params;
  AditSessFamily family[ADIT_SESS_FAMILIES];
  AditAddress dns[2], wins[2]; /**< name servers that IPCP told of */
  AditSessNcp ncp[ADIT_SESS_MAX_NCPS];
  guint n_ncps;
  guint pending; /**< claims that the kernel has not answered */
  AditClaimant claimant;
  char *who;             /**< claimant.who */
  GArray *claims;        /**< of AditSessClaim: addresses before the routes that need them */
  AditValue *bad_routes; /**< as adit_sess_describe_routes() has them: those that are no routes, or must not be; NULL = none */
  char *route_failure;   /**< with `routes-required`: why the session ends once it is applied */

  guint64 started_ms, up_ms, ended_ms;
  gboolean accounted;     /**< a START was made: whatever is configured since, a STOP follows */
  guint64 aaa_interim_ms; /**< as it was configured when the session came up */
  guint64 interim_ms;     /**< period in force; 0 = none */
  AditTimer limit_timer, idle_timer, quota_timer, interim_timer;
  AditTimer settle_timer;
  gboolean settled; /**< no longer is any NCP waited for */
  AditCause cause;
  char *reason;
  AditCounters final;
};

/** Makes a session of an authenticated link and sets it going; on failure the link is ended and NULL returned. */
AditSess *adit_sess_new(AditSessLink *link);
AditSess *adit_sess_ref(AditSess *session);
void adit_sess_unref(AditSess *session);
AditSess *adit_sess_find(AditSessionId id);
void adit_sess_foreach(void (*each)(AditSess *session, gpointer data), gpointer data); /**< each may end its session */
/** Sessions that are not ending and match, with a reference each (the array has them). */
GPtrArray *adit_sess_matching(gboolean (*matches)(const AditSess *session, const char *text), const char *text);
guint adit_sess_count(const char *transport, const char *server);
/** Ends it; harmless when it is ending. The link, if it lives, says goodbye by itself. */
void adit_sess_end(AditSess *session, AditCause cause, const char *reason);
void adit_sess_link_lost(AditSess *session, AditCause cause, const char *reason);
AditCounters adit_sess_counters(AditSess *session);
void adit_sess_fill_event(AditSess *session, AditSessionEvent *event);
AditLogContext adit_sess_log(const AditSess *session);
void adit_sessions_init(void);
void adit_sessions_fini(void);
void adit_sessions_set_profiles(AditProfiles *profiles); /**< takes them over */
void adit_sessions_when_none(void (*done)(gpointer data), gpointer data);
/** The kernel has answered all that was asked of it. */
void adit_sess_applied(AditSess *session);
/** An NCP is over: what has waited for it may go on. */
void adit_sess_look_again(AditSess *session);
/** Since it came up, until it ended; 0 before. */
guint64 adit_sess_uptime_ms(const AditSess *session);
/** By its accounting id; not one that is ending. */
AditSess *adit_sess_find_record(const char *record_id);
void adit_sess_publish(AditSess *session, const char *event);
/** LCP has agreed on another MTU. */
void adit_sess_set_mtu(AditSess *session, guint mtu);
/** The interface was deleted or moved away by somebody: ends the session. */
void adit_sess_port_lost(AditSess *session, const char *why);
const AditProfiles *adit_sess_profiles(void);
/** The profile under the user's own; NULL for a client. Borrowed. */
const char *adit_sess_default_profile(const AditSess *session);
/** The interface is open, or (with an error) cannot be; it is closed or left. */
void adit_sess_port_ready(AditSess *session, const GError *error);
void adit_sess_port_gone(AditSess *session);
