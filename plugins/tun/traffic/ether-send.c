/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "ether-send.h"
#include "../dp.h"
#include "../packet/segment.h"
#include "../peer/tun-tunnel.h"
#include "ether-delivery.h"
#include "stage-run.h"
#include "tx.h"

static void count_undelivered(TunWorker *w, AditDpSession *session) {
  TUN_ADD(session->cell[w->index].drops, 1);
}

typedef struct {
  AditEtherIo io; /* first */
  TunWorker *w;
} EncodeIo;

static guint8 *take_encode_room(AditEtherIo *io, gsize length) {
  return tun_stage_room_take(((EncodeIo *)(gpointer)io)->w, length);
}

/* After tun_stage_prepare(). */
static void encode_frame(TunWorker *w, AditDpSession *session, AditDpLink *link, gboolean wait, AditStageFrame *frame) {
  EncodeIo encode = {.io = {.size = sizeof encode.io, .room = take_encode_room}, .w = w};
  gconstpointer params = __atomic_load_n(&session->ether_params, __ATOMIC_ACQUIRE);
  guint32 length = frame->length;
  if (!session->codec->encode(params, &encode.io, frame)) {
    tun_ether_drop(w, session, &encode.io);
    return;
  }
  tun_tx_count(w, session, 1, length);
  if (__atomic_load_n(&session->params, __ATOMIC_ACQUIRE) & TUN_PARAM_STAGED)
    tun_stage_send(w, session, wait, frame);
  else
    tun_tx_frame(w, link, frame);
}

/* The tunnel's own datagram, which the bridge floods here as it has not learned where the peer is: it would carry itself for ever. */
static gboolean carries_itself(const TunWorker *w, const AditDpLink *link, guint16 type, const guint8 *ip, gsize length) {
  if ((type != TUN_TYPE_IPV4 || length < 20) && (type != TUN_TYPE_IPV6 || length < 40))
    return FALSE;
  guint version = type == TUN_TYPE_IPV4 ? 4 : 6;
  const TunEndpoint *endpoint = tun_endpoint_find(w->dp, version, ip + (version == 4 ? 16 : 24));
  return endpoint && endpoint == __atomic_load_n(&link->endpoint, __ATOMIC_ACQUIRE);
}

/* Each segment is a frame: its headers, and a piece of the super-packet. */
static gboolean send_segments(TunWorker *w, AditDpSession *session, AditDpLink *link, const TunVnet *vnet, guint8 *ether, guint header,
                              gsize length) {
  TunSplit split;
  if (!tun_split_begin(&split, vnet, ether + header, length - header))
    return FALSE;
  for (guint i = 0; i < split.n; i++) {
    const guint8 *payload;
    gboolean wait = tun_stage_prepare(w, session);
    guint8 *head = tun_stage_room_take(w, header + TUN_SEGMENT_HEADER); /* which has been prepared */
    memcpy(head, ether, header);
    guint n = tun_split_segment(&split, i, head + header, &payload);
    AditStageFrame frame = {.n = n ? 2 : 1, .length = header + split.header + n};
    frame.slice[0] = (AditStageSlice){head, header + split.header};
    frame.slice[1] = (AditStageSlice){(guint8 *)payload, n};
    encode_frame(w, session, link, wait, &frame);
  }
  return TRUE;
}

static gboolean send_single(TunWorker *w, AditDpSession *session, AditDpLink *link, const TunVnet *vnet, guint8 *ether, guint header,
                            gsize length) {
  if (!tun_vnet_complete(vnet, ether + header, length - header))
    return FALSE;
  AditStageFrame frame = {.n = 1, .length = (guint32)length};
  frame.slice[0] = (AditStageSlice){ether, (guint32)length};
  encode_frame(w, session, link, tun_stage_prepare(w, session), &frame);
  return TRUE;
}

void tun_ether_send(TunWorker *w, const TunPort *port, const TunVnet *whole, guint8 *ether, gsize length) {
  AditDpSession *session = __atomic_load_n(&port->session, __ATOMIC_ACQUIRE);
  AditDpLink *link = session ? __atomic_load_n(&session->link, __ATOMIC_ACQUIRE) : NULL;
  guint64 params = session ? __atomic_load_n(&session->params, __ATOMIC_ACQUIRE) : 0;
  guint16 type;
  guint header = tun_ether_parse(ether, length, &type);
  TunVnet vnet = *whole; /* of what follows the header */
  if (!session)
    return;
  gboolean ok = link && (params & TUN_PARAM_BRIDGE) && header && (!(vnet.flags & TUN_VNET_NEEDS_CSUM) || vnet.csum_start >= header);
  if (ok && carries_itself(w, link, type, ether + header, length - header)) {
    TUN_ADD(w->stats.looped, 1);
    TUN_ADD(session->cell[w->index].looped, 1);
    ok = FALSE;
  }
  if (vnet.flags & TUN_VNET_NEEDS_CSUM)
    vnet.csum_start = (guint16)(vnet.csum_start - header);
  ok = ok && (vnet.gso_type == TUN_GSO_NONE ? send_single : send_segments)(w, session, link, &vnet, ether, header, length);
  if (!ok)
    count_undelivered(w, session);
}
