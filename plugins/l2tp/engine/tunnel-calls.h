/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** tunnel-calls.h - messages of calls. Private to the engine. */
#pragma once

#include "tunnel.h"

/** A message of a call, by the table of tunnel-calls.c; `session` as in its header. */
void l2tp_engine_call(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, guint16 session, const L2tpMessage *message);
/** The tunnel is established: calls that waited for it go. */
void l2tp_engine_calls_start(L2tpTunnel *tunnel, const L2tpTunnelEnv *env);
void l2tp_engine_calls_timeout(L2tpTunnel *tunnel, const L2tpTunnelEnv *env);
