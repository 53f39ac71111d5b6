/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** rx.h - from the sockets to the ports [worker] */
#pragma once

#include "../peer/where.h"
#include "../worker/worker.h"

TunRx *tun_rx_new(void);
void tun_rx_free(TunRx *rx);
void tun_rx_socket(TunWorker *w, TunSocket *socket);
/** A new pass begins: takes what other workers have handed over. */
void tun_rx_foreign(TunWorker *w);
/** From the classified datagram on: the part that a fuzzer can reach without a socket. */
void tun_rx_datagram(TunWorker *w, AditListener *listener, const TunWhere *from, const AditPath *path, guint8 *datagram, gsize length);
