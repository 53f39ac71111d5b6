/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** ether-send.h - Ethernet frames of the system, from L2 ports to the links of their sessions. [worker] */
#pragma once

#include "../packet/packet.h"
#include "../port/port.h"
#include "../worker/worker.h"

/** A frame as an L2 port gave it; it lies in the buffer of tun_tx_buffer(). */
void tun_ether_send(TunWorker *w, const TunPort *port, const TunVnet *vnet, guint8 *ether, gsize length);
