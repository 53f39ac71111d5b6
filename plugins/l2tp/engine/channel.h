/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * channel.h - reliable delivery of control messages (RFC 2661 5.8, appendix A): a separate engine.
 *
 * Messages are given whole (with header); the channel numbers, sends, repeats and acknowledges them, and delivers what
 * comes in once and in order. It knows nothing of what they mean.
 */
#pragma once

#include "header.h"
#include <adit/engine.h>

typedef struct L2tpItem L2tpItem; /**< one queued message, owned */
struct L2tpItem {
  L2tpItem *next;
  guint16 ns;
  guint16 length;
  guint16 session, offset; /**< of the header of one that came before its turn */
  guint8 data[];
};

typedef struct {
  guint16 receive_window;    /**< ours, as told to the peer: 1.. */
  guint32 retry_ms;          /**< first interval: 1000; doubles up to */
  guint32 retry_cap_ms;      /**< 8000 */
  guint16 tries;             /**< repeats before the peer counts as dead: 5 */
  guint16 unconfirmed_tries; /**< repeats before its address is proven: 1 */
  guint32 parked_octets;     /**< of messages that came before their turn; 0 = as many as the window allows */
  guint32 unacked_octets;    /**< while so much waits for the peer's acknowledgement, nothing more is taken from it; 0 = no bound */
} L2tpChannelConfig;

typedef struct {
  /** Put a datagram on the wire; borrowed. */
  void (*transmit)(gpointer user, const guint8 *message, gsize length);
  /** The next message in order, whole; borrowed. Take it with l2tp_channel_accept() before anything is sent, or leave it: then it is
   *  dropped as if it had never come. The channel may be stopped or cleared inside. */
  void (*deliver)(gpointer user, const L2tpHeader *header, const guint8 *message);
  /** The last repeat of the oldest message went unanswered. Return TRUE to try on (there were other signs of life). */
  gboolean (*dead)(gpointer user);
} L2tpChannelOps;

/** The context of each call; never saved. */
typedef struct {
  AditEngineEnv engine;
  const L2tpChannelOps *ops;
  gpointer user;
  const L2tpChannelConfig *config;
  guint slot; /**< the one timer slot it uses */
} L2tpChannelEnv;

typedef struct {
  guint16 ns; /**< of the next new message */
  guint16 nr; /**< expected from the peer */
  guint16 peer_window;
  guint16 cwnd, cwnd_fraction, ssthresh; /**< appendix A */
  guint16 flight;                        /**< messages sent since the last timeout and not acknowledged */
  guint16 sent;                          /**< messages ever sent and not acknowledged: flight or more */
  guint16 tries;                         /**< repeats of the oldest message */
  guint16 peer_tunnel;                   /**< for ZLBs */
  gboolean ack_due;
  gboolean unconfirmed; /**< the peer's address is not proven: one repeat, then only in answer to its own repeats */
  gboolean stopped;     /**< nothing is delivered any more; acknowledgements go on */
  guint64 deadline;
  L2tpItem *send, *early; /**< waiting for acknowledgement or window; arrived before their turn */
  guint16 queued;
  guint32 send_octets, early_octets;   /**< in the two lists */
  guint64 resent, duplicates, dropped; /**< counters */
} L2tpChannel;

#define L2TP_WINDOW_DEFAULT 4    /**< RFC 2661 4.4.3, Receive Window Size absent */
#define L2TP_QUEUE_MAX      1024 /**< messages that wait for the window */

void l2tp_channel_init(L2tpChannel *channel);
/** Frees what is queued; harmless twice. The timer is not touched. */
void l2tp_channel_clear(L2tpChannel *channel);
/** The peer's Receive Window Size; 0 is taken for 1 (the caller refuses it before). */
void l2tp_channel_set_window(L2tpChannel *channel, guint16 window);
/** Numbers and sends (or queues) a finished message, copied. False when the queue is full. */
gboolean l2tp_channel_send(L2tpChannel *channel, const L2tpChannelEnv *env, const guint8 *message, gsize length);
/** A control datagram of this tunnel with its parsed header: acknowledges, delivers, answers. */
void l2tp_channel_input(L2tpChannel *channel, const L2tpChannelEnv *env, const L2tpHeader *header, const guint8 *message, gsize length);
/** Inside deliver(): the message is the peer's. It is acknowledged, and the next one's turn comes. */
void l2tp_channel_accept(L2tpChannel *channel);
void l2tp_channel_timeout(L2tpChannel *channel, const L2tpChannelEnv *env);
/** Forgets messages that are not sent yet (StopCCN precedes the rest); those in flight stay, to keep the numbers complete. */
void l2tp_channel_drop_waiting(L2tpChannel *channel);
gboolean l2tp_channel_idle(const L2tpChannel *channel);
/** Length of a full cycle of repeats: how long a closed tunnel is remembered (RFC 2661 5.7). */
guint64 l2tp_channel_cycle_ms(const L2tpChannelConfig *config);

void l2tp_channel_save(const L2tpChannel *channel, AditBuilder *out);
/** Into an initialised channel; arms the timer. False (and cleared) if the octets make no sense. */
gboolean l2tp_channel_restore(L2tpChannel *channel, const L2tpChannelEnv *env, AditCursor *in);
