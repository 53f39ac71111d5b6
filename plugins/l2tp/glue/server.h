/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** server.h - newcomers, and tunnels of peers that dial again */
#pragma once

#include "../engine/header.h"
#include "l2tp-listener.h"

/** A control datagram without tunnel id. */
void l2tp_server_newcomer(L2tpListener *listener, const AditPath *path, const L2tpHeader *header, const guint8 *datagram, gsize length);
/** The tunnel is established: an earlier one on the same path that does not answer any more is stale. */
void l2tp_server_probe_stale(L2tpPeer *peer);
/** The tunnel is established: a dial of ours to its peer, not answered yet, gives way if its tie breaker loses (RFC 2661 4.4.3). */
void l2tp_server_judge_tie(L2tpPeer *peer);
