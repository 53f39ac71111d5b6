/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** tx.h - from the ports to the sockets [worker] */
#pragma once

#include "port.h"
#include "worker.h"

TunTx *tun_tx_new(void);
void tun_tx_free(TunTx *tx);
void tun_tx_queue(TunWorker *w, TunQueue *queue);
/** Sends a frame as it is out of another link; it must stay until tun_tx_flush(). */
void tun_tx_splice(TunWorker *w, AditDpLink *link, const guint8 *frame, gsize length);
void tun_tx_flush(TunWorker *w);
