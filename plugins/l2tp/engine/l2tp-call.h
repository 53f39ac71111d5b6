/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * l2tp-call.h - calls of a tunnel: the four automata of RFC 2661 7.4 and 7.5 (incoming and outgoing call, LAC and LNS side).
 *
 * A call lives in its tunnel's table under its local session id and is spoken of by that id alone.
 */
#pragma once

#include "message.h"

typedef enum {
  L2TP_CALL_INCOMING_LAC = 1, /**< we send ICRQ: the client's role */
  L2TP_CALL_INCOMING_LNS,     /**< we got an ICRQ */
  L2TP_CALL_OUTGOING_LNS,     /**< we send OCRQ */
  L2TP_CALL_OUTGOING_LAC,     /**< we got an OCRQ */
} L2tpCallRole;

typedef enum {
  L2TP_CALL_WAIT_TUNNEL = 1,
  L2TP_CALL_WAIT_REPLY,
  L2TP_CALL_WAIT_CONNECT,
  L2TP_CALL_WAIT_ANSWER, /**< outgoing, LAC: l2tp_call_answered() is awaited (RFC: wait-cs-answer) */
  L2TP_CALL_ESTABLISHED,
} L2tpCallState;

/** Facts about a call that the two ends exchange. Given for calls we start, learned for the others. Owns what it points to. */
typedef struct {
  guint32 serial;       /**< Call Serial Number */
  guint32 bearer_type;  /**< 1 digital, 2 analog; 0 = none given */
  guint32 framing_type; /**< 1 synchronous, 2 asynchronous */
  guint32 physical_channel;
  guint32 tx_speed, rx_speed; /**< bit/s, from the LAC's side of view */
  guint32 minimum_bps, maximum_bps;
  gboolean sequencing_required;
  char *calling, *called, *sub_address; /**< NULL = not given; printable when they came from the peer */
  GBytes *private_group;
  /* proxy LCP and authentication (RFC 2661 4.4.5) */
  GBytes *initial_received, *last_sent, *last_received;
  guint16 auth_type; /**< 0 = absent */
  guint8 auth_id;
  GBytes *auth_name, *auth_challenge, *auth_response;
} L2tpCallInfo;

void l2tp_call_info_clear(L2tpCallInfo *info);
void l2tp_call_info_copy(L2tpCallInfo *to, const L2tpCallInfo *from);
/** Takes over what `message` says. */
void l2tp_call_info_learn(L2tpCallInfo *info, const L2tpMessage *message);
/** Writes what belongs into a message of `type` (ICRQ, ICCN, OCRQ, OCCN). */
void l2tp_call_info_write(const L2tpCallInfo *info, guint16 type, L2tpWriter *w);
void l2tp_call_info_save(const L2tpCallInfo *info, AditBuilder *out);
gboolean l2tp_call_info_restore(L2tpCallInfo *info, AditCursor *in);

typedef struct {
  guint16 local, peer; /**< session ids; peer 0 = not known yet: see l2tp_calls_set_peer() */
  guint8 role, state;  /**< L2tpCallRole, L2tpCallState */
  guint64 deadline;    /**< of setting it up; 0 = none */
  L2tpCallInfo *info;  /**< NULL once it is not needed */
} L2tpCall;

/** Calls by local session id: an open-addressed table that grows with them. */
typedef struct {
  L2tpCall *slots; /**< local 0 = free */
  guint16 *peers;  /**< local ids, found by the hash of the peer's id; 0 = free */
  guint size;      /**< of both: power of two, or 0 */
  guint count;
} L2tpCallTable;

L2tpCall *l2tp_calls_find(const L2tpCallTable *table, guint16 local);
/** The call that the peer knows as `peer`. */
L2tpCall *l2tp_calls_find_peer(const L2tpCallTable *table, guint16 peer);
/** The peer's id of a call that had none; no other call may have it. */
void l2tp_calls_set_peer(L2tpCallTable *table, L2tpCall *call, guint16 peer);
/** A new, empty call with id `local`, which must be free and not 0. Pointers to other calls become invalid. */
L2tpCall *l2tp_calls_add(L2tpCallTable *table, guint16 local);
/** Frees it; pointers to other calls become invalid. */
void l2tp_calls_remove(L2tpCallTable *table, guint16 local);
void l2tp_calls_clear(L2tpCallTable *table);
/** Copies the ids into `ids` (table->count of them). */
void l2tp_calls_ids(const L2tpCallTable *table, guint16 *ids);

const char *l2tp_call_state_name(L2tpCallState state);
