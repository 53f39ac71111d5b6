/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** tunnel-write.h - messages of a tunnel, and what is said of its end. Private to the engine. */
#pragma once

#include "tunnel.h"

/** Functions that the channel calls. */
typedef struct {
  L2tpTunnel *tunnel;
  const L2tpTunnelEnv *env;
} L2tpContext;

/** The channel's env for sending and restoring: nothing is delivered through it. */
L2tpChannelEnv l2tp_engine_send_env(L2tpContext *context);
void l2tp_engine_transmit(gpointer context, const guint8 *message, gsize length);

/** Begins a message of this tunnel, hiding if it is configured. */
void l2tp_engine_write(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, L2tpWriter *w, guint16 type, guint16 session);
/** Hands a finished message to the channel. */
void l2tp_engine_post(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, L2tpWriter *w);

void l2tp_reason_set(L2tpReason *reason, const char *text);
/** The content of a Result Code AVP. */
void l2tp_reason_from_peer(L2tpReason *reason, const L2tpMessage *message, gboolean call);
