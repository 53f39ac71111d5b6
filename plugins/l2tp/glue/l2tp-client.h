/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** l2tp-client.h - dials, and how they evade strangers */
#pragma once

#include "peer.h"

extern const AditTransportOps l2tp_transport_ops;
/** A datagram with the id of a client's tunnel. TRUE: strangers look for that id, or one of them has answered; the dial has restarted with
 * another id, from another port, and the datagram is to be dropped. */
gboolean l2tp_dial_evades(L2tpPeer *peer, const AditPath *path, const L2tpHeader *header, const guint8 *datagram);
