/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * One PPP link: LCP, then the authentication phase in one or both directions (RFC 1661 3). A pure engine: frames,
 * timers and verdicts go in; frames, wake-ups and decisions come out through AditPppLinkOps.
 *
 * All functions are [main], or called by one thread at a time in tests. Callbacks may call back into the link, and may
 * free it: the memory then goes when the outermost call returns.
 */
#pragma once

#include <adit/auth.h>
#include <adit/ppp.h>
#include <adit/session.h>

G_BEGIN_DECLS

/** How to treat the LCP that a LAC has negotiated for us (RFC 2661 4.4.5, RFC 3437). */
typedef enum {
  ADIT_RENEGOTIATE_ON_MISMATCH = 0, /**< adopt it if it fits, renegotiate if not */
  ADIT_RENEGOTIATE_NEVER,           /**< adopt it, end the link if it does not fit */
  ADIT_RENEGOTIATE_ALWAYS,          /**< as if no LAC had spoken */
} AditRenegotiate;

/** How a link is to behave. Copied by adit_ppp_link_new(); the methods must outlive the link. Zeroes in a number mean
 *  the default that is given here, except where noted. */
typedef struct {
  guint16 mru;                                     /**< largest packet we take; offered when it isn't 1500. Default 1500 */
  guint16 mtu;                                     /**< largest packet we send, whatever the peer could take. Default 1500 */
  const AditAuthMethod *const *demand;             /**< the peer must pass one of these, in any order; offered strongest first */
  guint n_demand;                                  /**< 0 = the peer may come as it is */
  const AditAuthMethod *const *answer;             /**< what we are willing to prove ourselves with */
  guint n_answer;                                  /**< 0 = never */
  const char *name;                                /**< our name in challenges; NULL = "adit" */
  const char *user;                                /**< the user name that we give */
  const char *password;                            /**< the same; not copied: it must outlive the link */
  guint keepalive_ms;                              /**< silence before echoes are sent; 0 = never */
  guint auth_timeout_ms;                           /**< for the whole of one authentication, either direction. Default 30000 */
  guint rechallenge_ms;                            /**< ask the peer again this long after it was accepted; 0 = never */
  guint restart_ms;                                /**< RFC 1661 4.6 Restart timer, also for auth retransmission. Default 3000 */
  guint max_configure, max_terminate, max_failure; /**< defaults 10, 2, 5 */
  gboolean no_pfc, no_acfc, no_magic;              /**< don't ask for them */
  const char *identification;                      /**< RFC 1570 2.1: told to the peer when LCP opens; NULL = nothing */
  const AditLcpDesc *const *options;               /**< LCP options of plugins; they must outlive the link */
  guint n_options;                                 /**< 0 = none */
  const AditLcpFacts *facts;                       /**< for them; NULL = none, when there are no options */
  const AditProxy *proxy;                          /**< what the LAC told; NULL = none */
  AditRenegotiate renegotiate;
} AditPppLinkParams;

/** The host's functions for the link. All are called with the `host` of adit_ppp_link_new(). */
typedef struct {
  gsize size;
  /** Send a frame: two octets of protocol, then the packet. */
  void (*send)(gpointer host, const guint8 *frame, gsize length);
  /** Begin this request with AAA; takes over `request`, in which the transport's part is still empty. Answer with
   *  adit_ppp_link_verdict(), in this call or later. */
  void (*request_begin)(gpointer host, AditAuthRequest *request);
  /** Cancel the request that was begun last (LCP restarted, the link ended): do not answer it. May be NULL. */
  void (*request_cancel)(gpointer host);
  /** LCP is open and authentication, if any, has succeeded at both ends. `user`: the name the peer proved; NULL if it was not asked to.
   *  From here on network_frame() comes. Called again after each network_down(). */
  void (*network_phase)(gpointer host, const char *user);
  /** LCP has left Opened: NCPs go down, no data may pass. network_phase() or closed() follows. */
  void (*network_down)(gpointer host);
  /** A packet of a protocol the link does not know itself, in the network phase. FALSE = unknown: the peer gets
   *  a Protocol-Reject. */
  gboolean (*network_frame)(gpointer host, guint16 protocol, const guint8 *payload, gsize length);
  /** The peer does not know `protocol`: an NCP of ours stops, the others go on. May be NULL. */
  void (*protocol_rejected)(gpointer host, guint16 protocol);
  /** LCP opened: what may be compressed when sending data, and the largest packet that may be sent (the smaller of
   *  peer's MRU and our MTU). May be NULL. */
  void (*framing)(gpointer host, gboolean acfc, gboolean pfc, guint16 mtu);
  /** When the data path last received anything on this link, on the engine's clock; 0 = never. May be NULL. */
  guint64 (*last_rx_ms)(gpointer host);
  /** One direction of authentication is settled, first time or again; or the peer was refused and may try again on this link.
   *  `method` is RouterOS's word. May be NULL. */
  void (*auth_done)(gpointer host, gboolean peer, gboolean ok, const char *method, const char *why);
  /** LCP opened, before authentication. May be NULL. */
  void (*lcp_up)(gpointer host);
  /** The peer sent an Identification or Time-Remaining (RFC 1570): printable text. May be NULL. */
  void (*told)(gpointer host, const char *what, const char *text);
  /** The link has ended, for good; once. Nothing but adit_ppp_link_free() makes sense any more. */
  void (*closed)(gpointer host, AditCause cause, const char *reason);
} AditPppLinkOps;

/** The facts about a link; strings are borrowed until the next call into the link. */
typedef struct {
  gboolean lcp_open, network;      /**< Opened; in the network phase */
  guint16 mru, peer_mru, mtu;      /**< ours as agreed, the peer's, and what we may send */
  gboolean pfc, acfc;              /**< what we may compress when sending */
  const char *demanded, *answered; /**< methods in use, or NULL */
  const char *user;                /**< the user that the peer authenticated as, or NULL */
  gboolean refused;                /**< the peer did not take our proof, or hung up instead of an answer to it */
  gboolean proxied;                /**< LCP was adopted from a LAC */
  guint64 discarded;               /**< packets that made no sense */
  guint64 answered_ms;             /**< when the last Echo-Reply came, on the engine's clock; 0 = never */
  guint round_trip_ms;             /**< that it took */
} AditPppLinkInfo;

typedef struct AditPppLink AditPppLink;

/** A link that waits for adit_ppp_link_open(). `ops` and what `env` points to must outlive it. */
AditPppLink *adit_ppp_link_new(const AditPppLinkParams *params, const AditPppLinkOps *ops, gpointer host, const AditEngineEnv *env);

/** Frees the link, quietly: nothing is sent or called, but request_cancel() if a request is open. NULL is fine. */
void adit_ppp_link_free(AditPppLink *link);

/** The transport is up: negotiate (or adopt what the LAC did). Once. */
void adit_ppp_link_open(AditPppLink *link);

/** End the link politely: Terminate-Request, at most Max-Terminate times, then closed(cause, reason). */
void adit_ppp_link_close(AditPppLink *link, AditCause cause, const char *reason);

/** The transport is gone: network_down() if it was up, and no closed(). Only adit_ppp_link_free() may follow. */
void adit_ppp_link_lost(AditPppLink *link);

/** A frame from the peer, in any framing: FF 03 or not, one or two octets of protocol (RFC 1661 6.5, 6.6). */
void adit_ppp_link_frame(AditPppLink *link, const guint8 *frame, gsize length);

/** env's wake() time has come for `slot`. */
void adit_ppp_link_timeout(AditPppLink *link, guint slot);

/** AAA's final answer (no SECRET: that is verified before) to the request that was begun last. Dropped if none is open. */
void adit_ppp_link_verdict(AditPppLink *link, const AditAuthReply *reply);

/** Sends a packet of `protocol`; NCPs of this link's session use it. Dropped outside the network phase. */
void adit_ppp_link_send(AditPppLink *link, guint16 protocol, const guint8 *payload, gsize length);

/** Demand authentication again, now: CHAP methods challenge the peer again. FALSE if the method can't, or not open. */
gboolean adit_ppp_link_rechallenge(AditPppLink *link);

/** Sends an LCP Echo-Request now; its answer shows in AditPppLinkInfo.answered_ms. FALSE: not open, or one was sent just now. */
gboolean adit_ppp_link_probe(AditPppLink *link);

/** The agreed value of a plugin's option type: of our request, or of the peer's. FALSE = nothing, or LCP is not open. The
 * data is borrowed until the next call into the link. */
gboolean adit_ppp_link_option(const AditPppLink *link, guint8 type, gboolean peer, AditPppOption *out);

/** The MPPE keys of our proof, which the peer has accepted; `out` is zeroed but for its size. FALSE = the method makes none, or no proof of
 * ours was requested. Wipe them. */
gboolean adit_ppp_link_keys(const AditPppLink *link, AditMppeKeys *out);

void adit_ppp_link_info(const AditPppLink *link, AditPppLinkInfo *out);

/** The state as octets (at most 4 KiB, usually one); `out->bad` if it does not fit. Deadlines are relative. */
void adit_ppp_link_save(const AditPppLink *link, AditBuilder *out);

/** A link as it was when saved, with timers armed; no callback is made but wake(). A request that was open is lost: its method restarts at
 * the next wake. NULL if the octets make no sense. */
AditPppLink *adit_ppp_link_restore(const AditPppLinkParams *params, const AditPppLinkOps *ops, gpointer host, const AditEngineEnv *env,
                                   AditCursor *in);

G_END_DECLS
