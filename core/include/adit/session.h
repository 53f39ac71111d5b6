/* SPDX-License-Identifier: MIT */
/**
 * adit/session.h - links and sessions as transports and other plugins meet them: service "adit.session".
 *
 * A plugin ends the sessions of a user, which it has noted by the event session-up:
 *
 *     static void end_session(const AditSessionService *sessions, AditSessionId id, const char *user) {
 *       AditSessionInfo info = {.size = sizeof info};
 *       if (sessions->session_info(id, &info) && g_strcmp0(info.user, user) == 0)
 *         sessions->disconnect(id, ADIT_CAUSE_ADMIN_RESET, "the account was closed");
 *     }
 */
#pragma once

#include <adit/path.h>
#include <adit/ppp.h>

G_BEGIN_DECLS

typedef struct {
  gsize size;
  /** [main] The core has ended the link (PPP terminated, authentication failed, timeouts ...): tell the peer by the
   *  transport's own means. The id is dead when this is called. Not called after link_close(). */
  void (*closed)(gpointer user, AditLinkId link, AditCause cause, const char *reason);
} AditLinkOps;

/** Facts that a LAC learned before it handed the call over (RFC 2661 4.4.5); everything is copied. Its caller is let in by it: a transport gives it
 *  only for an authenticated peer that the administrator named. */
typedef struct {
  gsize size;
  GBytes *initial_received;  /**< first CONFREQ from the peer: options only */
  GBytes *last_sent;
  GBytes *last_received;
  guint16 auth_type;         /**< Proxy Authen Type AVP: 1 text, 2 CHAP, 3 PAP, 4 none, 5 MS-CHAPv1; 0 = absent */
  GBytes *auth_name, *auth_challenge, *auth_response;
  guint8 auth_id;
} AditProxy;

typedef struct {
  gsize size;
  const char *transport;     /**< AditTransportOps.name */
  const AditValue *config;   /**< the server's or client's item; the link keeps a reference */
  gboolean client;
  gpointer token;            /**< client: the token of dial() */
  const AditDatapathOps *datapath;
  gpointer dp;
  AditListener *listener;
  AditPath path;
  AditEncap encap;
  const char *caller_id, *called_id;
  const AditValue *attributes; /**< MAP of facts for sources and `show session`: tunnel names, ids, speeds; may be NULL */
  const AditProxy *proxy;    /**< NULL = none */
  guint max_frame;           /**< largest PPP payload that the path carries unfragmented; 0 = unknown */
  const AditLinkOps *ops;
  gpointer user;
} AditLinkSpec;

/** A snapshot; strings and values are borrowed until the next main-loop pass. Before session_info() set `size`: members
 *  beyond it are not written. */
typedef struct {
  gsize size;
  AditSessionId id;
  const char *user, *interface, *service, *caller_id, *transport;
  AditAddress local4, remote4;
  guint64 uptime_ms;
  AditCounters counters;
  const AditValue *attributes; /**< merged */
  const char *record_id;       /**< Acct-Session-Id: unique over restarts */
  const char *called_id;
  const char *server;          /**< name of the server or client: the same as `service` */
  const char *source;          /**< the source that accepted the user; NULL for a client */
  const char *method;          /**< of authentication: pap, mschap2; NULL = none */
  guint32 port;                /**< the link's number, see AditAuthRequest.port */
  AditEndpoint peer;           /**< where the tunnel comes from */
  guint8 remote_ifid[8];       /**< RFC 5072 interface identifier of the peer; zeros = no IPv6 */
  gboolean client;             /**< this machine is the one that dialled */
  const char *multi_id;  /**< Acct-Multi-Session-Id; NULL = no other link may join */
  guint links;           /**< how many it has now */
} AditSessionInfo;

/* ---- bundles ---- */

/** A link that is authenticated; a snapshot, strings and values are borrowed until the next main-loop pass. Before link_info() set `size`.
   */
typedef struct {
  gsize size;
  AditLinkId id;
  AditSessionId session; /**< that it belongs to; 0 = none yet */
  const char *user;      /**< that the peer has proven, or as which we logged in */
  const char *transport, *server, *caller_id, *called_id;
  const char *record_id; /**< Acct-Session-Id of the session that it would found */
  guint32 port;          /**< its number, see AditAuthRequest.port */
  AditEndpoint peer, local;
  guint mru, peer_mru;         /**< as LCP agreed: what we take, and what the peer takes */
  gboolean client;             /**< this machine is the one that dialled */
  const AditValue *attributes; /**< what the source said of the user; may be NULL */
  guint mtu;                   /**< octets after the protocol of a frame that we send at most: peer_mru, max-mtu, and what the path carries */
  guint64 answered_ms;         /**< when the last LCP Echo-Reply came, on adit.loop's clock; 0 = never */
  guint round_trip_ms;         /**< that it took */
} AditLinkInfo;

typedef enum {
  ADIT_BUNDLE_NONE = 0, /**< the link gets a separate session, which no other link may join */
  ADIT_BUNDLE_FOUND,    /**< the same, and others may join: `multi_id` */
  ADIT_BUNDLE_JOIN,     /**< the link becomes one more of `session` */
  ADIT_BUNDLE_REFUSE,   /**< the link is ended: `reason` */
} AditBundleVerdict;

/** Details of a bundler's verdict; zero when it is asked. Strings are copied. */
typedef struct {
  gsize size;
  AditSessionId session;
  const char *multi_id; /**< NULL = the record_id of the session */
  const char *reason;   /**< for the log, and for the transport's message to the peer */
} AditBundleDecision;

/**
 * The functions of a bundler (RFC 1990). One plugin registers itself by bundler_add(); without one each link is a session.
   *
 *     static AditBundleVerdict decide(gpointer state, const AditLinkInfo *link, AditBundleDecision *out) {
 *       Bundle *bundle = g_hash_table_lookup(bundles, link->user);
 *       if (!agreed_on_mrru(link->id))
 *         return ADIT_BUNDLE_NONE;
 *       if (!bundle)
 *         return ADIT_BUNDLE_FOUND;
 *       out->session = bundle->session;
 *       return ADIT_BUNDLE_JOIN;
   *     }
   *
 * A link that joins needs the same user, role and data path as the session, and no second only-one, address or Start. It may leave
 * without hurting the session, which ends with its last one. Accounting hears of both by an Interim, if there is a period.
   */
typedef struct {
  gsize size;
  const char *name; /**< for messages */
  /** [main] The link is authenticated, and no session is made yet. Once for each link. */
  AditBundleVerdict (*decide)(gpointer state, const AditLinkInfo *link, AditBundleDecision *out);
  /** [main] The data plane of a session that was founded has its first link; others follow. Put stages in place now. FALSE with an
   *  error: the session ends. May be NULL. */
  gboolean (*opened)(gpointer state, AditSessionId session, GError **error);
  /** [main] The link belongs to the session: the founder, too. May be NULL. */
  void (*joined)(gpointer state, AditSessionId session, AditLinkId link);
  /** [main] It does no longer; `left` is how many the session has now. After the last one the session is over. May be NULL. */
  void (*left)(gpointer state, AditSessionId session, AditLinkId link, guint left);
  /** [main] The link has joined the session's data plane, where stages know it by `index`: of the founder before opened(). May be NULL. */
  void (*attached)(gpointer state, AditSessionId session, AditLinkId link, guint index);
  /** [main] LCP of a link of the session renegotiates, and nothing is sent on it (`up` FALSE); or it has opened again, perhaps with other
   *  options. If the session has other links, this link leaves the data plane meanwhile: attached() is called with its new index before
   *  this. May be NULL, or missing. */
  void (*changed)(gpointer state, AditSessionId session, AditLinkId link, gboolean up);
  /** [main] A frame of a link of the session, of a protocol that no NCP has: it came before the stage was in place. FALSE: it is not
   *  the bundler's, and the peer is told so. TRUE: `frame`, in one slice, is now what was inside of it, for the NCPs; of length 0 = nothing.
   *  After a packet it is called again with an empty frame of the same protocol, for one more that fragments made whole.
   *  May be NULL, or missing. */
  gboolean (*unwrap)(gpointer state, AditSessionId session, AditLinkId link, AditStageFrame *frame);
} AditBundlerOps;

#define ADIT_SESSION_SERVICE "adit.session"
typedef struct {
  gsize size;
  /** [main] The call is established: attach it to the data path and start LCP. 0 and an error when refused (a limit, a veto). */
  AditLinkId (*link_open)(AditPlugin *plugin, const AditLinkSpec *spec, GError **error);
  /** [main] The transport has lost the call; `reason` for people. ops->closed is not called. */
  void (*link_close)(AditLinkId link, AditCause cause, const char *reason);
  void (*link_update)(AditLinkId link, const AditPath *path, const AditEncap *encap); /**< [main] */
  gboolean (*link_stats)(AditLinkId link, AditDpStats *out);                         /**< [main] */
  /** [main] A dial ended without a link; the core decides when to try again. */
  void (*dial_failed)(gpointer token, AditCause cause, const char *reason);
  guint (*session_count)(const char *transport, const char *server); /**< [main] NULL = any */
  gboolean (*session_info)(AditSessionId id, AditSessionInfo *out);  /**< [main] */
  void (*session_foreach)(void (*each)(const AditSessionInfo *info, gpointer data), gpointer data); /**< [main] */
  /** [main] FALSE when there is none, or it is ending already. */
  gboolean (*disconnect)(AditSessionId id, AditCause cause, const char *reason);
  /** [main] The session with this record_id that is not ending; 0 = none. */
  AditSessionId (*session_find)(const char *record_id);
  /**
   * [main] Changes attributes of a live session: all or nothing. `changes` is a MAP in the words of the scopes profile and
   * session; each must have ADIT_OPTION_COA. `profile` among them merges what that profile says, of such words alone,
   * under the other changes. Limits restart with the new value, session-timeout counting from the session's start
   * (RFC 2865 5.27); the event session-update and an INTERIM record follow.
   * Errors: NOT_FOUND (no session, or it is ending), UNSUPPORTED (an unknown or unchangeable attribute), INVALID
   * (a value of the wrong type, no such profile). The message begins with the attribute's name and a colon.
   */
  gboolean (*session_update)(AditSessionId id, const AditValue *changes, GError **error);
  /**
   * [main] in init: this plugin acts on the attribute, which its owner only carries (ADIT_OPTION_CARRIED): it reads it when a session comes
   * up, and again at session-update. Without an actor, a change of the attribute is UNSUPPORTED (a CoA-Request gets Error-Cause 401).
   * A source that gives it is named in the log, once a session. Several plugins may act on one. Gone with the plugin.
   * Errors: INVALID (no name).
   *
   *     static void on_session(const AditEvent *event, gpointer data) { // of session-up and session-update
   *       AditSessionInfo info = {.size = sizeof info};
   *       if (session->session_info(((const AditSessionEvent *)event)->session, &info))
   *         shape(info.interface, adit_value_get_string(info.attributes, "rate-limit", NULL));
   *     }
   *     ...
   *     if (!ADIT_HAS(session, actor_add) || !session->actor_add(plugin, "rate-limit", error)) // in init
   *       return FALSE;
   */
  gboolean (*actor_add)(AditPlugin *plugin, const char *attribute, GError **error);
  gboolean (*actor_exists)(const char *attribute); /**< [main] does anything act on it? FALSE for an undeclared word */
  /** [main] in init: this plugin puts links together. Gone with the plugin: its sessions keep their links, and no other one joins.
   *  Errors: EXISTS (there is one already), INVALID (no name, no decide). */
  gboolean (*bundler_add)(AditPlugin *plugin, const AditBundlerOps *ops, gpointer state, GError **error);
  gboolean (*link_info)(AditLinkId id, AditLinkInfo *out); /**< [main] FALSE when there is none */
  /** [main] Says goodbye on this link alone; its session goes on with the others, or ends with it. FALSE when there is none. */
  gboolean (*link_end)(AditLinkId id, AditCause cause, const char *reason);
  /**
   * [main] Puts a stage into the session's data path (AditDatapathOps.stage_add()); the MTU shrinks by the stage's headroom. It goes
   * with the session. Errors: NOT_FOUND (no such session, or its data path is not open yet), UNSUPPORTED, INVALID.
   */
  gboolean (*stage_add)(AditSessionId id, const AditStageSpec *spec, GError **error);
  gboolean (*stage_set)(AditSessionId id, AditStageKind kind, gconstpointer params, gsize length); /**< [main] FALSE = no such stage */
  void (*stage_remove)(AditSessionId id, AditStageKind kind);                                      /**< [main] */
  /** [main] A bit (1 << AditStageKind) for each kind that must be in place: until then the session's data waits. FALSE = no such session. */
  gboolean (*stages_require)(AditSessionId id, guint32 kinds);
  /** [main] FALSE while the server (`config`, as in AditLinkSpec) has as many links as its `max-sessions` allows: link_open() fails, BUSY. */
  gboolean (*has_room)(const char *transport, const AditValue *config);
  /** [main] What LCP has agreed on for an option type of a plugin (AditLcpDesc): what we asked for (`peer` FALSE), or what the peer did. FALSE:
   *  it was not asked for, LCP is not open, or there is no such link. The data is borrowed until the next main-loop pass. */
  gboolean (*link_option)(AditLinkId id, guint8 type, gboolean peer, AditPppOption *out);
  /**
   * [main] The largest packet that a stage of this kind takes from the stage or port before it, whatever the links carry: MRRU. 0 undoes it:
   * what they carry, less the stage's headroom. It counts with a stage of that kind in place, may change while it is, and goes with the stage
   * or the session. FALSE = no such session.
   */
  gboolean (*stage_set_mtu)(AditSessionId id, AditStageKind kind, guint mtu);
  /** [main] Sends an LCP Echo-Request on the link now, beside its keepalive, which alone ends it. link_info() says when an Echo-Reply came.
   *  FALSE: LCP is not open, there is no such link, or one was sent for this less than 100 ms ago. */
  gboolean (*link_probe)(AditLinkId id);
} AditSessionService;

G_END_DECLS
