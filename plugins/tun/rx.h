/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** rx.h - from the sockets to the ports [worker] */
#pragma once

#include "worker.h"

TunRx *tun_rx_new(void);
void tun_rx_free(TunRx *rx);
void tun_rx_socket(TunWorker *w, TunSocket *socket);
void tun_rx_foreign(TunWorker *w);
/** Delivers what waited too long; returns milliseconds to the next deadline, -1 = none. */
int tun_rx_reorder(TunWorker *w);
void tun_rx_write(gpointer worker, gpointer port, struct iovec *pieces, guint n, guint packets);
/** From the classified datagram on: the part that a fuzzer can reach without a socket. */
void tun_rx_datagram(TunWorker *w, AditListener *listener, const TunWhere *from, const AditPath *path, guint8 *datagram, gsize length);
