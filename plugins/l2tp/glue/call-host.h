/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** call-host.h - what tunnels of the engine ask about calls */
#pragma once

#include "../engine/tunnel.h"

/* of L2tpTunnelOps; the host is the L2tpPeer */
guint16 l2tp_call_request(gpointer host, guint16 session, L2tpCallRole role, const L2tpCallInfo *info, const char **why);
void l2tp_call_up(gpointer host, guint16 session, guint16 peer_session, L2tpCallRole role, const L2tpCallInfo *info);
void l2tp_call_down(gpointer host, guint16 session, gboolean was_up, const L2tpReason *reason);
