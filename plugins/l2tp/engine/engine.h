/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** engine.h - what the files of the tunnel engine share: tunnel.c, control.c, calls.c, save.c. Private to them. */
#pragma once

#include "tunnel.h"

/** What the channel hands back to us. */
typedef struct {
  L2tpTunnel *tunnel;
  const L2tpTunnelEnv *env;
} L2tpContext;

L2tpChannelEnv l2tp_engine_channel(L2tpContext *context);

/** Begins a message of this tunnel, hiding if it is configured. */
void l2tp_engine_write(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, L2tpWriter *w, guint16 type, guint16 session);
/** Hands a finished message to the channel. */
void l2tp_engine_post(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, L2tpWriter *w);

void l2tp_reason_set(L2tpReason *reason, const char *text);
/** What a Result Code AVP says. */
void l2tp_reason_from_peer(L2tpReason *reason, const L2tpMessage *message, gboolean call);

/** Leaves the working states: calls and tunnel are reported down once, timers of life are disarmed. */
void l2tp_engine_down(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, L2tpTunnelState state, const L2tpReason *reason);
/** Nothing more to do: `finished` follows from the timer. */
void l2tp_engine_finish(L2tpTunnel *tunnel, const L2tpTunnelEnv *env);

/** True if the message is an SCCRP that our SCCRQ can be answered with: nothing in it ends the dial. */
gboolean l2tp_engine_is_answer(const L2tpTunnel *tunnel, const L2tpTunnelEnv *env, const L2tpMessage *message);
/** True if the table of control.c has a row for the message: it does not end the tunnel as unexpected. */
gboolean l2tp_engine_expects(const L2tpTunnel *tunnel, guint type);
/** A message of the control connection, by the table of control.c. */
void l2tp_engine_control(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, const L2tpMessage *message);
/** A message of a call, by the table of calls.c; `session` as in its header. */
void l2tp_engine_call(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, guint16 session, const L2tpMessage *message);
/** The tunnel stands: calls that waited for it go. */
void l2tp_engine_calls_start(L2tpTunnel *tunnel, const L2tpTunnelEnv *env);
void l2tp_engine_calls_timeout(L2tpTunnel *tunnel, const L2tpTunnelEnv *env);
void l2tp_engine_calls_down(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, const L2tpReason *reason);
