/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * The option negotiation automaton (RFC 1661 4), shared by LCP and every NCP.
 *
 * The struct is embedded in its owner, which must keep it alive while a function here runs. Its only pointers are those to the owner's
 * hooks, which adit_automaton_init() and adit_automaton_restore() put in.
 */
#pragma once

#include "core/ppp/frame.h"

G_BEGIN_DECLS

/** The codes every control protocol has. */
enum {
  ADIT_PPP_CONF_REQ = 1,
  ADIT_PPP_CONF_ACK,
  ADIT_PPP_CONF_NAK,
  ADIT_PPP_CONF_REJ,
  ADIT_PPP_TERM_REQ,
  ADIT_PPP_TERM_ACK,
  ADIT_PPP_CODE_REJ,
};

/** RFC 1661 4.2, in its order and with its numbers. */
typedef enum {
  ADIT_FSM_INITIAL = 0,
  ADIT_FSM_STARTING,
  ADIT_FSM_CLOSED,
  ADIT_FSM_STOPPED,
  ADIT_FSM_CLOSING,
  ADIT_FSM_STOPPING,
  ADIT_FSM_REQ_SENT,
  ADIT_FSM_ACK_RCVD,
  ADIT_FSM_ACK_SENT,
  ADIT_FSM_OPENED,
} AditFsmState;
#define ADIT_FSM_STATES 10

/** RFC 1661 4.3. */
typedef enum {
  ADIT_FSM_UP = 0,
  ADIT_FSM_DOWN,
  ADIT_FSM_OPEN,
  ADIT_FSM_CLOSE,
  ADIT_FSM_TO_PLUS,
  ADIT_FSM_TO_MINUS,
  ADIT_FSM_RCR_PLUS,
  ADIT_FSM_RCR_MINUS,
  ADIT_FSM_RCA,
  ADIT_FSM_RCN,
  ADIT_FSM_RTR,
  ADIT_FSM_RTA,
  ADIT_FSM_RUC,
  ADIT_FSM_RXJ_PLUS,
  ADIT_FSM_RXJ_MINUS,
  ADIT_FSM_RXR,
} AditFsmEvent;
#define ADIT_FSM_EVENTS 16

/** Why This-Layer-Finished was said. */
typedef enum {
  ADIT_FSM_END_NONE = 0,
  ADIT_FSM_END_CLOSED,     /**< we closed it */
  ADIT_FSM_END_TERMINATED, /**< the peer did */
  ADIT_FSM_END_SILENT,     /**< the peer never answered */
  ADIT_FSM_END_REJECTED,   /**< the peer rejected the protocol, or a code that we can't do without */
} AditFsmEnd;

typedef struct AditAutomaton AditAutomaton;

/** The owner's functions for the automaton; called with `user`. */
typedef struct {
  void (*send)(gpointer user, guint8 code, guint8 id, const void *data, gsize length);
  void (*up)(gpointer user);       /**< This-Layer-Up */
  void (*down)(gpointer user);     /**< This-Layer-Down; before the packet that caused it is answered */
  void (*started)(gpointer user);  /**< This-Layer-Started; may be NULL */
  void (*finished)(gpointer user); /**< This-Layer-Finished; `end` says why */
  /** A code over 7: TRUE if it is one of the protocol's. In Opened extra() follows. */
  gboolean (*knows)(gpointer user, const AditPppPacket *packet);
  void (*extra)(gpointer user, const AditPppPacket *packet); /**< RXR in Opened; NULL if knows() does all */
  /** Options can't be agreed on: the owner closes. The negotiation is unchanged. */
  void (*failed)(gpointer user, const char *why);
} AditAutomatonOps;

typedef struct {
  guint restart_ms, max_configure, max_terminate, max_failure; /**< zero = 3000, 10, 2, 5 (RFC 1661 4.6) */
} AditFsmConfig;

/** Longest list of options that a protocol of ours may ask for. */
#define ADIT_FSM_REQUEST_MAX 252

struct AditAutomaton {
  /* given */
  const AditAutomatonOps *ops;
  gpointer user;
  const AditPppOptionOps *options;
  gpointer self; /**< of `options` */
  const AditEngineEnv *env;
  guint slot;
  AditFsmConfig config;
  guint16 mtu; /**< bounds what a Code-Reject carries; the owner keeps it right */

  /* state */
  AditFsmState state;
  AditFsmEnd end;
  gboolean layer_up;
  guint8 id, request_id; /**< of what we sent last, and of our Configure-Request */
  gboolean awaiting;     /**< our Configure-Request has no valid answer yet */
  guint restarts;        /**< the restart counter */
  guint naks;            /**< Configure-Naks sent since the last Ack */
  guint refusals;        /**< Naks and Rejects received since the last Ack */
  guint requests;        /**< Configure-Requests sent in this negotiation; counted from 0 after a restore */
  guint64 deadline;      /**< of the restart timer */
  guint8 request_length, request[ADIT_FSM_REQUEST_MAX];
  guint8 acked_id; /**< what we acknowledged last, to know a retransmission by */
  guint32 acked_length, acked_digest;
  guint64 reack_until;
  guint64 discarded;
  guint serial; /**< counts events, so that one inside another's callback is noticed */
};

/** `config` may be NULL. The struct must be zeroed; the state is Initial. */
void adit_automaton_init(AditAutomaton *a, const AditAutomatonOps *ops, gpointer user, const AditPppOptionOps *options, gpointer self,
                         const AditEngineEnv *env, guint slot, const AditFsmConfig *config);

/** An event without a packet: Up, Down, Open, Close, RXJ; the others come of input and time. An event that the table
 *  marks as impossible is ignored. */
void adit_automaton_event(AditAutomaton *a, AditFsmEvent event);

/** A packet, from its code on. */
void adit_automaton_input(AditAutomaton *a, const guint8 *payload, gsize length);

/** For NCPs, before adit_automaton_input(). In Stopping, after the peer's Terminate-Request, a Configure-Request of the peer opens the
 * layer again: the end of one NCP does not end the link (RFC 1661 3.7). finished() is not called; the layer stays down until up() follows.
 */
void adit_automaton_reopen(AditAutomaton *automaton, const guint8 *payload, gsize length);

/** The slot's time may have come. */
void adit_automaton_timeout(AditAutomaton *a);

/** Straight to Opened, as another one negotiated (RFC 2661 4.4.5): from Initial. up() is called. */
void adit_automaton_adopt(AditAutomaton *a);

/** A fresh identifier for packets outside the negotiation: echoes, rejects. */
guint8 adit_automaton_next_id(AditAutomaton *a);

/** Words for AditFsmEnd, such as "the peer does not answer". */
const char *adit_fsm_end_text(AditFsmEnd end);

/** A deadline as the time that is left, so that it survives a change of clock. */
void adit_ppp_save_deadline(const AditEngineEnv *env, guint64 deadline, AditBuilder *out);
guint64 adit_ppp_restore_deadline(const AditEngineEnv *env, AditCursor *in);

void adit_automaton_save(const AditAutomaton *a, AditBuilder *out);
/** After adit_automaton_init(); arms the timer, calls nothing. */
gboolean adit_automaton_restore(AditAutomaton *a, AditCursor *in);

G_END_DECLS
