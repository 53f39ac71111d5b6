/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** tx.h - to the sockets [worker] */
#pragma once

#include "../packet/packet.h"
#include "../session/tun-session.h"
#include "../worker/worker.h"
#include <adit/stage.h>

#define TUN_TX_READ_MAX (65536 + 256) /**< vnet header and the longest packet */

TunTx *tun_tx_new(void);
void tun_tx_free(TunTx *tx);
/** Where a packet from a port goes to: TUN_TX_READ_MAX octets from the vnet header before it on. Before that is room for headers. */
guint8 *tun_tx_buffer(TunWorker *w);
/** `n` octets, vnet header and packet, were read there and handled: what of them is not sent yet stays until tun_tx_flush(). */
void tun_tx_buffer_keep(TunWorker *w, const guint8 *ip, gsize n);
/** Sends a packet or super-packet that lies in that buffer; FALSE = its headers make no sense. */
gboolean tun_tx_packet(TunWorker *w, AditDpSession *session, AditDpLink *link, const TunVnet *vnet, guint8 *ip, gsize length);
/** Sends a frame as it is out of another link; it must stay until tun_tx_flush(). */
void tun_tx_splice(TunWorker *w, AditDpLink *link, const guint8 *frame, gsize length);
/** Sends a frame in pieces out of a link; they must stay until tun_tx_flush(). */
void tun_tx_frame(TunWorker *w, AditDpLink *link, const AditStageFrame *frame);
/** Counts packets of the network layer that a session sends. */
void tun_tx_count(TunWorker *w, AditDpSession *session, guint packets, guint64 octets);
void tun_tx_flush(TunWorker *w);
