/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** tx.h - to the sockets [worker] */
#pragma once

#include "../packet/packet.h"
#include "../packet/segment.h"
#include "../session/tun-session.h"
#include "../worker/worker.h"
#include <adit/stage.h>
#include <sys/socket.h>

#define TUN_TX_READ_MAX (65536 + 256) /**< vnet header and the longest packet */

enum {
  TUN_TX_MESSAGES = 64,
  TUN_TX_PIECES = 1024,
  TUN_TX_ARENA = 144 * 1024, /**< two of the longest: what was read is sent while it is in the cache */
  TUN_TX_HEADROOM = 64,      /**< before each packet: lead, and the vnet header when it is read */
  TUN_TX_HEADERS = 512,
  TUN_TX_HEADER_ROOM = TUN_LEAD + TUN_SEGMENT_HEADER,
};

/** Datagrams that are one message for the kernel. */
typedef struct {
  AditDpLink *link;
  const TunWire *wire;
  guint first, n;           /**< pieces */
  guint count, size, total; /**< datagrams, octets in each but the last, octets in all */
  gboolean closed;          /**< a shorter one was the last */
  guint8 control[96 + CMSG_SPACE(sizeof(guint16))] __attribute__((aligned(8)));
} TunTxGroup;

/** Datagrams that wait for tun_tx_flush(). Of tx.c, and here for the functions that are inline. */
struct TunTx {
  guint8 *arena, *headers;
  gsize arena_used;
  guint n_headers, n_groups, n_pieces;
  struct iovec piece[TUN_TX_PIECES];
  TunTxGroup group[TUN_TX_MESSAGES];
  struct mmsghdr message[TUN_TX_MESSAGES];
};

TunTx *tun_tx_new(void);
void tun_tx_free(TunTx *tx);
/** Sends a packet or super-packet that lies in that buffer; FALSE = its headers make no sense. */
gboolean tun_tx_packet(TunWorker *w, AditDpSession *session, AditDpLink *link, const TunVnet *vnet, guint8 *ip, gsize length);
/** Sends a frame as it is out of another link; it must stay until tun_tx_flush(). */
void tun_tx_splice(TunWorker *w, AditDpLink *link, const guint8 *frame, gsize length);
/** Sends a frame in pieces out of a link; they must stay until tun_tx_flush(). */
void tun_tx_frame(TunWorker *w, AditDpLink *link, const AditStageFrame *frame);
/** Counts packets of the network layer that a session sends. */
void tun_tx_count(TunWorker *w, AditDpSession *session, guint packets, guint64 octets);
void tun_tx_flush(TunWorker *w);

/** Then one more datagram fits. */
static inline void tun_tx_flush_if_full(TunWorker *w) {
  const TunTx *tx = w->tx;
  if (tx->n_groups == TUN_TX_MESSAGES || tx->n_pieces + 1 + ADIT_STAGE_SLICES > TUN_TX_PIECES || tx->n_headers == TUN_TX_HEADERS)
    tun_tx_flush(w);
}

/* ---- the buffer: for each packet, so inline ---- */

/** The buffer for a packet from a port: TUN_TX_READ_MAX octets that begin with its vnet header, with space for headers before them. */
static inline guint8 *tun_tx_buffer(TunWorker *w) {
  TunTx *tx = w->tx;
  if (tx->arena_used + TUN_TX_HEADROOM + TUN_TX_READ_MAX > TUN_TX_ARENA)
    tun_tx_flush(w);
  tun_tx_flush_if_full(w);
  return tx->arena + tx->arena_used + TUN_TX_HEADROOM;
}

/** `n` octets, vnet header and packet, were read there and handled: those that are not sent yet stay until tun_tx_flush(). */
static inline void tun_tx_buffer_keep(TunWorker *w, const guint8 *ip, gsize n) {
  TunTx *tx = w->tx;
  gsize end = ((gsize)(ip - tx->arena) + n + 63) & ~(gsize)63;
  tx->arena_used = tx->n_groups ? end : 0; /* a flush on the way may have left part of this packet */
}
