/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** tunnel-end.h - how calls and tunnels end. Private to the engine. */
#pragma once

#include "tunnel.h"

void l2tp_engine_disarm(L2tpTunnel *tunnel, const L2tpTunnelEnv *env);
void l2tp_engine_forget_held(L2tpTunnel *tunnel);
/** Leaves the working states: calls and tunnel are reported down once, timers of life are disarmed. */
void l2tp_engine_down(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, L2tpTunnelState state, const L2tpReason *reason);
/** Nothing more to do: `finished` follows from the timer. */
void l2tp_engine_finish(L2tpTunnel *tunnel, const L2tpTunnelEnv *env);

/** Takes the call out of the table and says why. */
void l2tp_engine_call_end(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, guint16 local, const L2tpReason *reason);
/** Ids of all calls, to walk over them while they come and go; free it. */
guint16 *l2tp_engine_calls_snapshot(const L2tpTunnel *tunnel, guint *count);
