/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** delivery.h - what becomes of a peer's payload: a packet for the port, or a frame for the main loop. [worker] */
#pragma once

#include "../session/tun-session.h"
#include "../worker/worker.h"

/** A packet of the peer's for the session's port; it must stay until tun_deliver_flush(). */
void tun_deliver_packet(TunWorker *w, AditDpSession *session, guint64 params, guint16 protocol, guint8 *ip, gsize length);
/** A frame for an L2 port; it must stay until tun_deliver_flush(). */
void tun_deliver_ether(TunWorker *w, TunPort *port, guint8 *ether, gsize length);
/** A frame for the main loop; `live`: its link is in a session. */
void tun_deliver_frame(TunWorker *w, const AditDpLink *link, gboolean live, guint16 protocol, const guint8 *payload, gsize length);
/** Writes and sends what is held: buffers may be used again. */
void tun_deliver_flush(TunWorker *w);
/** Writes to a port: the TunWrite of TunWorker.join. */
void tun_deliver_write(gpointer worker, gpointer port, struct iovec *pieces, guint n, guint packets);
