/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** rx.h - from the sockets to the ports [worker] */
#pragma once

#include "../worker/worker.h"

TunRx *tun_rx_new(void);
void tun_rx_free(TunRx *rx);
void tun_rx_socket(TunWorker *w, TunSocket *socket);
void tun_rx_foreign(TunWorker *w);
/** Delivers what waited too long; returns milliseconds to the next deadline, -1 = none. */
int tun_rx_reorder(TunWorker *w);
/** A packet of the peer's for the session's port; it must stay until tun_worker_flush(). */
void tun_rx_packet(TunWorker *w, AditDpSession *session, guint64 params, guint16 protocol, guint8 *ip, gsize length);
/** A frame for the main loop; `live`: its link is in a session. */
void tun_rx_frame(TunWorker *w, const AditDpLink *link, gboolean live, guint16 protocol, const guint8 *payload, gsize length);
/** A packet out of a shared port, as TUN gave it, to the worker that runs its session's stages. */
void tun_rx_hand_packet(TunWorker *w, guint home, guint64 session, const guint8 *packet, guint32 length);
/** Writes and sends what is held: buffers may be used again. */
void tun_worker_flush(TunWorker *w);
void tun_rx_write(gpointer worker, gpointer port, struct iovec *pieces, guint n, guint packets);
/** From the classified datagram on: the part that a fuzzer can reach without a socket. */
void tun_rx_datagram(TunWorker *w, AditListener *listener, const TunWhere *from, const AditPath *path, guint8 *datagram, gsize length);
