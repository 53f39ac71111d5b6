/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** tx.h - from the ports to the sockets [worker] */
#pragma once

#include "../port/port.h"
#include "../worker/worker.h"
#include <adit/stage.h>

TunTx *tun_tx_new(void);
void tun_tx_free(TunTx *tx);
void tun_tx_queue(TunWorker *w, TunQueue *queue);
/** Sends a frame as it is out of another link; it must stay until tun_tx_flush(). */
void tun_tx_splice(TunWorker *w, AditDpLink *link, const guint8 *frame, gsize length);
/** Sends a frame in pieces out of a link; they must stay until tun_tx_flush(). */
void tun_tx_frame(TunWorker *w, AditDpLink *link, const AditStageFrame *frame);
/** Counts packets of the network layer that a session sends. */
void tun_tx_count(TunWorker *w, AditDpSession *session, guint packets, guint64 octets);
void tun_tx_flush(TunWorker *w);
