/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * tunnel.h - one L2TP tunnel, its control connection and its calls: the engine of this plugin (RFC 2661 5 to 7).
 *
 * Everything comes in by l2tp_tunnel_input(), l2tp_tunnel_timeout() and the verbs below; everything goes out through
 * L2tpTunnelOps. Inside any op but `finished`, the verbs may be called. The struct may be freed in `finished` only, or by its
 * owner outside any of these calls.
 */
#pragma once

#include "channel.h"
#include "l2tp-call.h"

#define L2TP_NAME_MAX  64
#define L2TP_CHALLENGE 16 /**< octets of a challenge of ours */

/** Timer slots. */
enum { L2TP_SLOT_CHANNEL, L2TP_SLOT_HELLO, L2TP_SLOT_STATE, L2TP_SLOT_CALLS, L2TP_SLOTS };

/** Result codes of StopCCN (RFC 2661 4.4.2). */
enum {
  L2TP_STOP_CLEAR = 1,
  L2TP_STOP_ERROR = 2,
  L2TP_STOP_EXISTS = 3,
  L2TP_STOP_NOT_AUTHORIZED = 4,
  L2TP_STOP_VERSION = 5,
  L2TP_STOP_SHUTDOWN = 6,
  L2TP_STOP_FSM = 7,
};
/** Result codes of CDN. */
enum {
  L2TP_CDN_LOST_CARRIER = 1,
  L2TP_CDN_ERROR = 2,
  L2TP_CDN_ADMIN = 3,
  L2TP_CDN_NO_RESOURCES = 4,  /**< temporarily */
  L2TP_CDN_NO_FACILITIES = 5, /**< permanently */
  L2TP_CDN_INVALID_DESTINATION = 6,
  L2TP_CDN_NO_CARRIER = 7,
  L2TP_CDN_BUSY = 8,
  L2TP_CDN_NO_DIAL_TONE = 9,
  L2TP_CDN_TIMEOUT = 10,
  L2TP_CDN_NO_FRAMING = 11,
};

/** Given with each call, never saved; the strings are borrowed for as long as the environment is used. */
typedef struct {
  const char *host_name;   /**< Host Name AVP: at least one octet */
  const char *vendor_name; /**< NULL = not sent */
  const char *secret;      /**< NULL = none */
  gboolean demand_auth;    /**< challenge the peer; needs a secret */
  gboolean hide;           /**< hide AVPs that may be, in messages of calls; needs a secret */
  gboolean permissive;     /**< see L2tpParse */
  gboolean tie_breaker;    /**< send one in SCCRQ */
  guint32 hello_ms;        /**< silence before a Hello; 0 = never */
  guint32 setup_ms;        /**< a tunnel or call must be established by then: 60000 */
  guint16 max_calls;       /**< 0 = no bound but the ids */
  L2tpChannelConfig channel;
} L2tpTunnelConfig;

/** Fills in the defaults of RFC 2661 (host name "adit"). */
void l2tp_tunnel_config_init(L2tpTunnelConfig *config);

/** Why a tunnel or call ended; strings are constants or live in `text`. */
typedef struct {
  gboolean by_peer;      /**< it said StopCCN or CDN */
  gboolean lost;         /**< it does not answer any more */
  gboolean timeout;      /**< setting up took too long */
  gboolean tunnel;       /**< of a call: its tunnel ended */
  guint16 result, error; /**< RFC 2661 4.4.2; 0 when nothing was said */
  char text[160];        /**< for people */
} L2tpReason;

typedef struct {
  gsize size;
  void (*send)(gpointer host, const guint8 *datagram, gsize length);
  void (*tunnel_up)(gpointer host);
  /** The control connection is over; its calls were reported before. The tunnel lives on until `finished`. */
  void (*tunnel_down)(gpointer host, const L2tpReason *reason);
  /** Its memory of the peer is over: free it. Always from l2tp_tunnel_timeout(), as the last thing. */
  void (*finished)(gpointer host);
  /** ICRQ (or OCRQ, by role) came in. Return 0 to answer it, or the CDN result code to refuse with, and *why. */
  guint16 (*call_request)(gpointer host, guint16 session, L2tpCallRole role, const L2tpCallInfo *info, const char **why);
  /** Outgoing call of the peer (role OUTGOING_LAC): OCRP is sent; place it, then l2tp_tunnel_call_answered(). May be NULL. */
  void (*call_place)(gpointer host, guint16 session, const L2tpCallInfo *info);
  /** The call is established. `info` is borrowed and its proxy part forgotten afterwards. */
  void (*call_up)(gpointer host, guint16 session, guint16 peer_session, L2tpCallRole role, const L2tpCallInfo *info);
  /** Over; `was_up`: call_up was called. Not for calls that call_request refused. */
  void (*call_down)(gpointer host, guint16 session, gboolean was_up, const L2tpReason *reason);
  /** Set-Link-Info: ACCMs (RFC 2661 4.4.6). May be NULL. */
  void (*link_info)(gpointer host, guint16 session, guint32 send_accm, guint32 receive_accm);
  /** WAN-Error-Notify: CRC, framing, hardware, buffer, timeout, alignment errors. May be NULL. */
  void (*wan_errors)(gpointer host, guint16 session, const guint32 errors[6]);
  /** When any data frame of this tunnel last came in, in ms on now()'s clock; 0 = never. May be NULL. */
  guint64 (*last_data)(gpointer host);
  /** Why our last datagram could not be sent, for people; NULL = it was. May be NULL. */
  const char *(*send_error)(gpointer host);
  /** Makes an unpredictable challenge. May be NULL: random octets. */
  void (*challenge_make)(gpointer host, guint8 challenge[L2TP_CHALLENGE]);
  /** TRUE if challenge_make() made it, in any tunnel: its sender wants us to authenticate ourselves. May be NULL. */
  gboolean (*challenge_is_ours)(gpointer host, const guint8 *challenge, gsize length);
  /** FALSE if this session id must not be used (ids unique beyond the tunnel). May be NULL. */
  gboolean (*session_id_free)(gpointer host, guint16 session);
} L2tpTunnelOps;

typedef struct {
  AditEngineEnv engine;
  const L2tpTunnelOps *ops; /**< called with engine.host */
  const L2tpTunnelConfig *config;
} L2tpTunnelEnv;

typedef enum {
  L2TP_TUNNEL_IDLE = 1,
  L2TP_TUNNEL_WAIT_REPLY,   /**< SCCRQ sent */
  L2TP_TUNNEL_WAIT_CONNECT, /**< SCCRP sent */
  L2TP_TUNNEL_ESTABLISHED,
  L2TP_TUNNEL_CLOSING,   /**< we said StopCCN and wait for its acknowledgement */
  L2TP_TUNNEL_LINGERING, /**< the peer said StopCCN: repeats of it are acknowledged for a full cycle */
  L2TP_TUNNEL_DEAD,      /**< `finished` comes next */
} L2tpTunnelState;

typedef struct {
  guint16 local, peer; /**< tunnel ids */
  guint8 state;        /**< L2tpTunnelState */
  gboolean originator;
  gboolean was_up;
  gboolean challenged; /**< we sent `challenge` */
  gboolean proven;     /**< the peer knows the secret: it answered our challenge */
  gboolean stop_said;  /**< half-open: a StopCCN with tunnel id 0 came, which may be forged */
  guint8 *held;        /**< WAIT_REPLY: a datagram that would end the dial, until it is believed; NULL = none */
  guint16 held_length;
  L2tpHeader held_header;
  guint8 challenge[L2TP_CHALLENGE];
  guint8 tie_breaker[8]; /**< of its SCCRQ, which may be forged */
  gboolean has_tie_breaker;
  guint32 serial;  /**< of the last call we started */
  guint64 last_rx; /**< any valid control message */
  guint64 hello_sent;
  guint64 hello_deadline, state_deadline, calls_deadline;
  char peer_name[L2TP_NAME_MAX], peer_vendor[L2TP_NAME_MAX]; /**< printable */
  guint16 peer_firmware;
  guint32 peer_framing;
  L2tpChannel channel;
  L2tpCallTable calls;
  guint64 ignored, malformed; /**< messages */
  guint64 forged;             /**< messages that would have ended something, from a sender that knows too little */
} L2tpTunnel;

/** `local`: a random tunnel id that is free where the tunnel is looked up. */
void l2tp_tunnel_init(L2tpTunnel *tunnel, guint16 local);
/** Frees everything and disarms all timers; no op is called. */
void l2tp_tunnel_clear(L2tpTunnel *tunnel, const L2tpTunnelEnv *env);
/** Starts a tunnel as originator: sends SCCRQ. */
void l2tp_tunnel_open(L2tpTunnel *tunnel, const L2tpTunnelEnv *env);
/** True if the datagram is an SCCRP with which the tunnel, which waits for one, can be set up. */
gboolean l2tp_tunnel_is_answer(const L2tpTunnel *tunnel, const L2tpTunnelEnv *env, const L2tpHeader *header, const guint8 *datagram);
/** A control datagram with this tunnel's id; or, for a fresh one, the SCCRQ that it is made for (tunnel id 0). A repeated
 *  SCCRQ is given to the tunnel it belongs to. `length` is at most L2TP_CONTROL_MAX. The caller has parsed the header and checked the path.
 */
void l2tp_tunnel_input(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, const L2tpHeader *header, const guint8 *datagram, gsize length);
void l2tp_tunnel_timeout(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, guint slot);
/** Ends it with StopCCN; calls go down first (without CDNs: RFC 2661 5.7). A peer that has not answered yet gets one StopCCN, with tunnel
 *  id 0. */
void l2tp_tunnel_close(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, guint16 result, guint16 error, const char *text);
/** Forgets the peer without a word (it restarted, or lost the tie). `finished` follows from a timer. */
void l2tp_tunnel_discard(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, const char *why);

/** Tie breaking (RFC 2661 4.4.3): an SCCRQ of the peer we are dialling, before `tunnel` is established. Between two that both sent a tie
 * breaker alone: a stranger can put one into an SCCRQ. */
typedef enum {
  L2TP_TIE_NONE,  /**< one or both have no tie breaker: both tunnels may stay */
  L2TP_TIE_WON,   /**< drop the SCCRQ */
  L2TP_TIE_LOST,  /**< the SCCRQ's tunnel replaces `tunnel`, once it is established */
  L2TP_TIE_EQUAL, /**< both are discarded */
} L2tpTie;
/** `theirs`: the 8 octets of the peer's Tie Breaker; NULL = none. */
L2tpTie l2tp_tunnel_tie(const L2tpTunnel *tunnel, const guint8 *theirs);

/** Starts a call (role INCOMING_LAC or OUTGOING_LNS); waits for the tunnel if it is not up yet. `info` is copied; its serial
 *  is set here. Returns the session id, or 0 when the tunnel is full. */
guint16 l2tp_tunnel_call_open(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, L2tpCallRole role, const L2tpCallInfo *info);
/** Role OUTGOING_LAC: the requested call is established, with its speeds in `info`: sends OCCN. */
gboolean l2tp_tunnel_call_answered(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, guint16 session, const L2tpCallInfo *info);
/** Ends a call with CDN. call_down is not called. False if there is none. */
gboolean l2tp_tunnel_call_close(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, guint16 session, guint16 result, guint16 error,
                                const char *text);
gboolean l2tp_tunnel_set_link_info(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, guint16 session, guint32 send_accm, guint32 receive_accm);
gboolean l2tp_tunnel_wan_errors(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, guint16 session, const guint32 errors[6]);

/** Asks whether the peer is still there: a Hello now, unless an answer is awaited anyhow. */
void l2tp_tunnel_probe(L2tpTunnel *tunnel, const L2tpTunnelEnv *env);

const char *l2tp_tunnel_state_name(L2tpTunnelState state);

/** Writes the whole state, calls included. A full tunnel needs space for up to L2TP_QUEUE_MAX messages: see out->bad. */
void l2tp_tunnel_save(const L2tpTunnel *tunnel, AditBuilder *out);
/** Into a fresh struct; arms the timers. False, and cleared, if the octets make no sense. No op is called. */
gboolean l2tp_tunnel_restore(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, AditCursor *in);
