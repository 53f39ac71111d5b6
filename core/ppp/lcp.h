/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * The Link Control Protocol (RFC 1661 6, RFC 1570): options, keepalive and the codes beyond the automaton's.
 * Embedded in a link; see core/ppp/automaton.h for what that means.
 */
#pragma once

#include "core/ppp/automaton.h"
#include "core/ppp/lcp-extras.h"
#include <adit/auth.h>
#include <adit/session.h>

G_BEGIN_DECLS

/** Most methods that one direction can be configured with. */
#define ADIT_LCP_METHODS 8

/** Least time between two Echo-Requests of adit_lcp_probe(). */
#define ADIT_LCP_PROBE_MS 100

/** Echo-Requests that are remembered to measure the round trip. */
#define ADIT_LCP_ECHOES 16

/** Timer slots of LCP, in its env. */
enum { ADIT_LCP_SLOT_RESTART = 0, ADIT_LCP_SLOT_KEEPALIVE, ADIT_LCP_SLOTS };

/** Methods in the order they are offered in. */
typedef struct {
  const AditAuthMethod *method[ADIT_LCP_METHODS];
  guint n;
} AditLcpMethods;

/** Constant while LCP lives, and owned by the link. */
typedef struct {
  guint16 mru;
  AditLcpMethods demand, answer;
  guint keepalive_ms;
  gboolean no_pfc, no_acfc, no_magic;
  const char *identification; /**< NULL = none */
  AditLcpExtras *extras;      /**< options of plugins; NULL = none */
  AditFsmConfig fsm;
} AditLcpParams;

typedef struct {
  void (*send)(gpointer user, const guint8 *frame, gsize length);
  void (*up)(gpointer user);
  void (*down)(gpointer user);
  void (*finished)(gpointer user, AditFsmEnd end);
  void (*failed)(gpointer user, AditCause cause, const char *why); /**< close, please: it can't work */
  void (*dead)(gpointer user);                                     /**< keepalive got no answer */
  void (*protocol_rejected)(gpointer user, guint16 protocol);
  void (*told)(gpointer user, const char *what, const char *text);
  guint64 (*last_rx_ms)(gpointer user);
} AditLcpOps;

typedef struct {
  const AditLcpParams *params;
  const AditLcpOps *ops;
  gpointer user;
  const AditEngineEnv *env;
  AditAutomaton fsm;

  /* what we ask for */
  guint requesting; /**< bits (1 << option type): not rejected so far */
  guint16 mru;
  guint32 accm;  /**< only asked for when the peer has named one */
  guint32 magic; /**< ours; 0 = none */
  guint8 demand; /**< index into params->demand */
  guint refused; /**< bits: methods that the peer has refused */
  gboolean demand_agreed;

  /* what the peer asked for last */
  guint16 peer_mru;
  guint32 peer_accm, peer_magic;
  gboolean peer_pfc, peer_acfc;
  gboolean peer_demands;
  guint8 answer;    /**< index into params->answer, if peer_demands */
  guint8 suggested; /**< methods suggested to the peer so far */
  guint loops;      /**< packets in a row that came with our own magic number */

  guint echoes; /**< unanswered, in a row */
  guint64 keepalive;
  guint64 heard_ms; /**< when the last packet came */
  struct {
    guint8 id;
    guint64 sent_ms;       /**< 0 = it was answered, or there is none */
  } echo[ADIT_LCP_ECHOES]; /**< the last Echo-Requests, by id modulo ADIT_LCP_ECHOES */
  guint64 answered_ms;     /**< when the last Echo-Reply to one of them came; 0 = never */
  guint round_trip_ms;     /**< that it took */
  guint64 probed_ms;       /**< when adit_lcp_probe() sent an Echo-Request; 0 = never */
} AditLcp;

/** `lcp` must be zeroed. */
void adit_lcp_init(AditLcp *lcp, const AditLcpParams *params, const AditLcpOps *ops, gpointer user, const AditEngineEnv *env);
void adit_lcp_open(AditLcp *lcp); /**< Open and Up */
void adit_lcp_close(AditLcp *lcp);
void adit_lcp_input(AditLcp *lcp, const guint8 *payload, gsize length);
void adit_lcp_timeout(AditLcp *lcp, guint slot);
gboolean adit_lcp_is_open(const AditLcp *lcp);

/** A packet of any protocol came: the peer is alive. */
void adit_lcp_heard(AditLcp *lcp);

/** Sends an Echo-Request now, whatever the keepalive does. FALSE: not open, or the last one was sent less than ADIT_LCP_PROBE_MS ago. */
gboolean adit_lcp_probe(AditLcp *lcp);

/** Tells the peer that `protocol` is not known here (RFC 1661 5.7). Only when open. */
void adit_lcp_reject_protocol(AditLcp *lcp, guint16 protocol, const guint8 *payload, gsize length);

/** How well what a LAC has negotiated suits us (RFC 3437 2). */
typedef enum {
  ADIT_LCP_NOTHING = 0, /**< the LAC told nothing usable */
  ADIT_LCP_FITS,
  ADIT_LCP_LARGE_MRU, /**< all but the MRU, which we could bear */
  ADIT_LCP_MISFIT,
} AditLcpFit;

/** Takes over the LAC's LCP values, in Initial. Unless it fits they are forgotten again, and `*why` says what is wrong;
 *  with `bear_mru` too large an MRU counts as fitting. */
AditLcpFit adit_lcp_take_proxy(AditLcp *lcp, const AditProxy *proxy, gboolean bear_mru, const char **why);

/** After adit_lcp_take_proxy() said that it fits: Opened, at once. */
void adit_lcp_adopt(AditLcp *lcp);

/** Is the option type one of those that LCP has without plugins? */
gboolean adit_lcp_is_own_option(guint8 type);
/** The agreed value of a plugin's option type: of our request (`peer` FALSE), or of the peer's. FALSE = not asked for, or LCP
 * is not open. Borrowed until the next call into LCP. */
gboolean adit_lcp_agreed(const AditLcp *lcp, guint8 type, gboolean peer, AditPppOption *out);

/** The method that the peer has agreed to be asked by, or that we have agreed to answer; NULL = none. */
const AditAuthMethod *adit_lcp_demanded(const AditLcp *lcp);
const AditAuthMethod *adit_lcp_answered(const AditLcp *lcp);

void adit_lcp_save(const AditLcp *lcp, AditBuilder *out);
gboolean adit_lcp_restore(AditLcp *lcp, AditCursor *in); /**< after adit_lcp_init() */

/** A packet came with our own magic number (RFC 1661 6.4): chance, or one too many. For lcp.c and its option table alone. */
void adit_lcp_looped(AditLcp *lcp);
/** Forgets what was negotiated: LCP starts afresh. For lcp.c and its option table alone. */
void adit_lcp_reset_options(AditLcp *lcp);
extern const AditPppOptionOps adit_lcp_option_ops;

G_END_DECLS
