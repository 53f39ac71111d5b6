/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** tunnel-control.h - messages of the control connection. Private to the engine. */
#pragma once

#include "tunnel.h"

/** True if the message is an SCCRP that our SCCRQ can be answered with: nothing in it ends the dial. */
gboolean l2tp_engine_is_answer(const L2tpTunnel *tunnel, const L2tpTunnelEnv *env, const L2tpMessage *message);
/** True if the table of tunnel-control.c has a row for the message: it does not end the tunnel as unexpected. */
gboolean l2tp_engine_expects(const L2tpTunnel *tunnel, guint type);
/** A message of the control connection, by the table of tunnel-control.c. */
void l2tp_engine_control(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, const L2tpMessage *message);
