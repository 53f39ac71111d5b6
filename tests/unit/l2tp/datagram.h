/* SPDX-License-Identifier: GPL-2.0-or-later */
/** datagram.h - a datagram for a tunnel, as the listener hands it over: only a control message that fits. */
#pragma once

#include "plugins/l2tp/engine/tunnel.h"

static inline void input_datagram(L2tpTunnel *tunnel, const L2tpTunnelEnv *env, const guint8 *datagram, gsize length) {
  L2tpHeader header;

  if (length <= L2TP_CONTROL_MAX && l2tp_header_parse(&header, datagram, length) && header.control)
    l2tp_tunnel_input(tunnel, env, &header, datagram, length);
}
