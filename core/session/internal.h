/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/session/internal.h - what the files of this room share. All [main]. */
#pragma once

#include "core/ppp/link.h"
#include "core/ppp/ncp.h"
#include "core/session/config/profile.h"
#include "core/session/network/names.h"
#include "core/session/session.h"
#include "core/session/tally.h"
#include <adit/auth.h>
#include <adit/event.h>
#include <adit/log.h>
#include <adit/loop.h>
#include <adit/net.h>
#include <adit/ppp.h>

#define ADIT_SESS_MAX_NCPS   8
#define ADIT_SESS_MAX_LEASES 16

typedef struct AditSess AditSess;
typedef struct AditSessLink AditSessLink;
typedef struct AditClient AditClient;
typedef struct AditSharedPort AditSharedPort;

/** How the kernel is told: given to adit_session_init(). */
extern const AditNetService *adit_sess_net;

/* ---- link.c: one PPP link between a transport's call, AAA and a session ---- */

struct AditSessLink {
  AditLinkId id;
  AditPlugin *plugin; /**< the transport's */
  AditLinkSpec spec;  /**< strings and values are the link's own; proxy is not kept */
  AditPppLink *ppp;
  AditDpLink *dp_link;
  AditTimer timer;    /**< the engine's one slot */
  guint64 ask;        /**< open question to AAA; 0 = none */
  AditValue *record;  /**< what the source said of the user */
  char *source;       /**< who said it */
  char *user;         /**< who the peer is: proven, or for a client our own name */
  AditSess *session;  /**< borrowed: the session ends its link, or the link tells it of its end */
  AditClient *client; /**< who dialled; NULL on a server */
  guint64 opened_ms;
  char *record_id;    /**< Acct-Session-Id of the session that it will have */
  guint32 number;     /**< the smallest, from 1, that no other link has */
  char *conversation; /**< EAP: the source that answered with a challenge; NULL = none is open */
  GBytes *eap_state;  /**< what it gave along */
  gboolean proven;    /**< the peer was authenticated: before, it may be any stranger */
};

AditLinkId adit_link_open(AditPlugin *plugin, const AditLinkSpec *spec, GError **error);
AditSessLink *adit_link_find(AditLinkId id);
/** Terminates PPP politely; the transport hears of it when that is done. */
void adit_link_end(AditSessLink *link, AditCause cause, const char *reason);
/** The transport has lost it: gone at once. */
void adit_link_lost(AditSessLink *link, AditCause cause, const char *reason);
const char *adit_link_server(const AditSessLink *link);
void adit_links_init(void);
void adit_links_fini(void);
void adit_links_foreach(void (*each)(AditSessLink *link, gpointer data), gpointer data); /**< each may end its link */

/* ---- life.c: a session from authentication to its last counter ---- */

typedef enum {
  ADIT_SESS_STARTING, /**< the interface is being opened, or no NCP is open yet */
  ADIT_SESS_APPLYING, /**< the first NCP is open; the kernel is being told, and the other NCPs have a moment to open */
  ADIT_SESS_UP,
  ADIT_SESS_ENDING, /**< the interface is being closed */
} AditSessState;

typedef struct {
  AditNcp *ncp;
  AditTimer timer;
  AditSess *session;
  gboolean required;
  char *why; /**< it closed last */
} AditSessNcp;

typedef enum {
  ADIT_LEASE_TAKEN,  /**< out of a pool */
  ADIT_LEASE_OURS,   /**< our end's, as written: many may have it */
  ADIT_LEASE_THEIRS, /**< the peer's, as written: its own */
  ADIT_LEASE_CHOSEN, /**< the peer's, as it chose: another choice takes its place */
} AditSessLeaseKind;

typedef struct {
  AditPrefix prefix;
  AditSessLeaseKind kind;
} AditSessLease;

typedef enum {
  ADIT_SESS_ADDRESS,
  ADIT_SESS_HOST,  /**< the way to the peer on a shared interface: no IPv4 without it */
  ADIT_SESS_ROUTE, /**< any other */
} AditSessClaimKind;

/** What a session claims of the kernel. */
typedef struct {
  AditClaim *claim;
  AditSessClaimKind kind;
  AditPrefix prefix;
  gboolean awaited;   /**< counted in `pending` */
  gboolean installed; /**< it was, once */
  gboolean owned;     /**< shared interface: the data path has the prefix for this session */
} AditSessClaim;

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
  gboolean no_peer4;       /**< a client's server has an inner address to which no route may lead */
  AditNcpParams params;
  AditNcpResult result;
  AditSessNcp ncp[ADIT_SESS_MAX_NCPS];
  guint n_ncps;
  gboolean ipv4, ipv6;         /**< NCP is open */
  gboolean applied4, applied6; /**< the kernel has been told */
  guint pending;               /**< claims that the kernel has not answered */
  int apply_error4, apply_error6;
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
/** Is no NCP still trying? */
gboolean adit_sess_ncps_settled(const AditSess *session);
/** LCP came up (again), or left Opened. Ends the session when there is no NCP that could open. */
void adit_sess_network(AditSess *session, gboolean up);
gboolean adit_sess_frame(AditSess *session, guint16 protocol, const guint8 *payload, gsize length);
void adit_sess_rejected(AditSess *session, guint16 protocol);
AditCounters adit_sess_counters(AditSess *session);
void adit_sess_fill_event(AditSess *session, AditSessionEvent *event);
AditLogContext adit_sess_log(const AditSess *session);
void adit_sessions_init(void);
void adit_sessions_fini(void);
void adit_sessions_set_profiles(AditProfiles *profiles); /**< takes them over */
void adit_sessions_when_none(void (*done)(gpointer data), gpointer data);
/** The kernel has answered all that apply.c asked of it. */
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

/* ---- account.c: records ---- */

void adit_account_init(void);
/** A new Acct-Session-Id: unique among all links of all runs of the daemon. The caller's. */
char *adit_record_id_new(void);
/** Makes a record, if the session is accounted; START decides that. */
void adit_sess_account(AditSess *session, AditAcctKind kind);
/** After START: arms the timer of the interim records, the first one somewhere in its period. */
void adit_sess_interim_start(AditSess *session);
/** Attributes or addresses have changed: says so now, if there is a period; another one begins somewhere in it. */
void adit_sess_interim_changed(AditSess *session);
void adit_sess_interim(AditTimer *timer, gpointer session); /**< the timer's */

/* ---- limits.c ---- */

void adit_sess_limits_init(AditSess *session);
/** The session is up, or its limits have changed: they count from its start (RFC 2865 5.27), idleness from the last packet. */
void adit_sess_limits_start(AditSess *session);
void adit_sess_limits_stop(AditSess *session);

/* ---- update.c ---- */

/** AditSessionService.session_update() of a session that is not ending. */
gboolean adit_sess_update(AditSess *session, const AditValue *changes, GError **error);

/* ---- ncps.c: the session's NCPs ---- */

void adit_sess_ncps_start(AditSess *session);
/** Tells the data plane which protocols may pass, and the MSS. */
void adit_sess_set_plane(AditSess *session);
/** Closes the NCP of a family for good, as the kernel does not take its addresses. FALSE if the session is nothing without it. */
gboolean adit_sess_ncp_give_up(AditSess *session, gboolean ipv6, const char *why);
void adit_sess_ncps_free(AditSess *session);

/* ---- addresses.c ---- */

/** Decides and reserves both ends' IPv4 addresses into session->params, and the peer's IPv6 prefixes. False with a reason that says what to
 * configure. */
gboolean adit_sess_reserve(AditSess *session, GError **error);
/** IPCP has agreed on both ends' addresses. A client judges what its server gave it: FALSE if it can't have its own; one to which no route
 *  may lead is taken out of `result`. */
gboolean adit_sess_accept_ends(AditSess *session, AditNcpResult *result, GError **error);
void adit_sess_release(AditSess *session);
/** A prefix out of an attribute that is a list of them, without bits behind its length; FALSE at the end. */
gboolean adit_sess_prefix_at(const AditSess *session, const char *key, guint index, AditPrefix *out);
void adit_addresses_init(void);
void adit_addresses_fini(void);

/* ---- ports.c: interfaces, own or shared ---- */

/** Opens the session's interface; adit_sess_port_ready() follows. */
void adit_sess_port_open(AditSess *session);
void adit_sess_port_ready(AditSess *session, const GError *error);
/** Tells an interface of its own the session's MTU, if it has another one; harmless while there is none. */
void adit_sess_port_mtu(AditSess *session);
/** Closes or leaves it; adit_sess_port_gone() follows, maybe in this call. */
void adit_sess_port_close(AditSess *session);
void adit_sess_port_gone(AditSess *session);
/** AditClaimant.changed of an interface of its own. */
void adit_sess_port_changed(AditClaim *claim, AditClaimState state, int error, const char *why, gpointer session);
void adit_ports_init(void);
void adit_ports_fini(void);

/* ---- sources.c: what a session may send from ---- */

/** Are packets dropped whose source is not the session's? */
gboolean adit_sess_checks_source(const AditSess *session);
/** The session may send from there, and on a shared interface gets what is sent there. FALSE: another session on that interface
 *  has it, which is logged. */
gboolean adit_sess_own_prefix(AditSess *session, const AditPrefix *prefix);
/** Undoes that, before the session's end: another one takes the prefix over. */
void adit_sess_disown_prefix(AditSess *session, const AditPrefix *prefix);

/* ---- apply.c: NCP results to the kernel ---- */

void adit_sess_apply(AditSess *session, gboolean ipv6);
/** The session's MTU has changed: so does that of its routes on a shared interface. */
void adit_sess_routes_mtu(AditSess *session);
void adit_sess_withdraw(AditSess *session);
void adit_sess_withdraw_family(AditSess *session, gboolean ipv6);
/** AditClaimant.changed of a session's claims. */
void adit_sess_claim_changed(AditClaim *claim, AditClaimState state, int error, const char *why, gpointer session);
/** Its routes with their states, for `show session`; the caller's. */
AditValue *adit_sess_describe_routes(AditSess *session);
AditAddress adit_sess_link_local(const guint8 ifid[8]);

/* ---- client.c ---- */

void adit_clients_init(void);
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
