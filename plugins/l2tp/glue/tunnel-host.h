/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** tunnel-host.h - what tunnels of the engine ask of the plugin */
#pragma once

#include "../engine/tunnel.h"

extern const L2tpTunnelOps l2tp_tunnel_host_ops; /**< the host is the L2tpPeer */
