/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* How frames look in PPP is the codec's to know. */
#include "ether-delivery.h"
#include "../port/port.h"
#include "delivery.h"
#include <sys/uio.h>

typedef struct {
  AditEtherIo io; /* first */
  guint used;
  guint8 octets[ADIT_ETHER_ROOM];
} DecodeIo;

static guint8 *take_decode_room(AditEtherIo *io, gsize length) {
  DecodeIo *self = (DecodeIo *)(gpointer)io;
  if (length > sizeof self->octets - self->used)
    return NULL;
  self->used += (guint)length;
  return self->octets + self->used - length;
}

static void write_pieces(TunWorker *w, TunPort *port, const AditStageFrame *frame) {
  TunVnet vnet = {0};
  struct iovec piece[1 + ADIT_STAGE_SLICES] = {{&vnet, sizeof vnet}};
  for (guint i = 0; i < frame->n; i++)
    piece[1 + i] = (struct iovec){frame->slice[i].data, frame->slice[i].length};
  tun_deliver_write(w, port, piece, 1 + frame->n, 1);
}

void tun_ether_deliver(TunWorker *w, AditDpSession *session, AditStageFrame *frame) {
  TunCell *cell = &session->cell[w->index];
  DecodeIo decode = {.io = {.size = sizeof decode.io, .room = take_decode_room}};
  gconstpointer params = __atomic_load_n(&session->ether_params, __ATOMIC_ACQUIRE);
  if (!session->codec->decode(params, &decode.io, frame) || frame->length < ADIT_ETHER_HEADER) {
    tun_ether_drop(w, session, &decode.io);
    return;
  }
  TUN_ADD(cell->rx_packets, 1);
  TUN_ADD(cell->rx_octets, frame->length);
  TUN_SET(cell->last_rx, w->now);
  TUN_SET(cell->last_data, w->now);
  if (frame->n == 1 && !decode.used) { /* it lies where the worker read it */
    tun_deliver_ether(w, session->l2, frame->slice[0].data, frame->length);
  } else {
    tun_coalesce_flush(&w->join); /* those before it that belong to its flow, too */
    write_pieces(w, session->l2, frame);
  }
}
