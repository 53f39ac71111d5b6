/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "delivery.h"
#include "../dp.h"
#include "../packet/segment.h"
#include "../port/port.h"
#include "../session/source.h"
#include "tx.h"
#include <adit/ppp.h>
#include <errno.h>

enum { SPOOFED_EVERY_MS = 1000 /* told to the main loop, by each worker */ };

/* The kernel took no super-packet: give it the packets one by one, from now on. */
static void write_apart(TunWorker *w, const TunPort *port, int fd, const struct iovec *pieces, guint n) {
  g_autofree guint8 *whole = NULL; /* at most once for each port: here an allocation is no matter */
  gsize length = 0, at = 0;
  TunSplit split;
  TunVnet whole_vnet;
  guint16 type;
  for (guint i = 1; i < n; i++)
    length += pieces[i].iov_len;
  whole = g_malloc(length);
  for (guint i = 1; i < n; at += pieces[i++].iov_len)
    memcpy(whole + at, pieces[i].iov_base, pieces[i].iov_len);
  guint ether = port->head.kind == ADIT_PORT_L2 ? tun_ether_parse(whole, length, &type) : 0;
  memcpy(&whole_vnet, pieces[0].iov_base, sizeof whole_vnet);
  whole_vnet.csum_start = (guint16)(whole_vnet.csum_start - ether);
  if (!tun_split_begin(&split, &whole_vnet, whole + ether, length - ether))
    return;
  for (guint i = 0; i < split.n; i++) {
    guint8 header[TUN_SEGMENT_HEADER];
    const guint8 *payload;
    TunVnet vnet = {0};
    guint payload_length = tun_split_segment(&split, i, header, &payload);
    struct iovec out[] = {{&vnet, sizeof vnet}, {whole, ether}, {header, split.header}, {(gpointer)payload, payload_length}};
    if (writev(fd, out, G_N_ELEMENTS(out)) < 0)
      TUN_ADD(w->stats.write_failed, 1);
  }
}

void tun_deliver_write(gpointer user, gpointer data, struct iovec *pieces, guint n, guint packets) {
  TunWorker *w = user;
  TunPort *port = data;
  int fd = port->queue[w->index % port->n_queues].fd;
  TUN_ADD(w->stats.packets_out, 1);
  if (packets > 1)
    TUN_ADD(w->stats.joined_out, packets);
  if (writev(fd, pieces, (int)n) >= 0)
    return;
  if (packets > 1 && (errno == EINVAL || errno == EOPNOTSUPP || errno == EMSGSIZE)) {
    __atomic_store_n(&port->no_join, TRUE, __ATOMIC_RELAXED);
    TUN_ADD(w->stats.join_refused, 1);
    write_apart(w, port, fd, pieces, n);
    return;
  }
  TUN_ADD(w->stats.write_failed, packets);
}

/* The main loop is notified at a limited rate, and logs the session. */
static void note_spoofed(TunWorker *w, AditDpSession *session, const guint8 *ip) {
  guint kept;
  TUN_ADD(session->cell[w->index].drops, 1);
  TUN_ADD(session->cell[w->index].spoofed, 1);
  TUN_ADD(w->stats.spoofed, 1);
  if (!adit_rate_allows(&w->spoofed_limit, w->now, 1, SPOOFED_EVERY_MS, &kept))
    return;
  gboolean six = ip[0] >> 4 == 6;
  TunNote note = {.kind = TUN_NOTE_SPOOFED, .serial = session->id};
  tun_note(w, TUN_TO_LIVE, &note, NULL, 0, ip + (six ? 8 : 12), six ? 16 : 4);
}

static guint find_joins(const TunWorker *w, const TunPort *port) {
  return !w->dp->config.offload || TUN_GET(port->no_join) ? 0 : TUN_JOIN_TCP | (port->uso ? TUN_JOIN_UDP : 0);
}

void tun_deliver_packet(TunWorker *w, AditDpSession *session, guint64 params, guint16 protocol, guint8 *ip, gsize length) {
  TunCell *cell = &session->cell[w->index];
  TunPort *port = session->port;
  guint32 total = tun_ip_length(ip, length);
  if (!total || !port || ip[0] >> 4 != (protocol == ADIT_PPP_IPV4 ? 4 : 6)) {
    TUN_ADD(cell->drops, 1);
    return;
  }
  if ((params & TUN_PARAM_CHECK) && !tun_source_is_own(w, session, ip)) {
    note_spoofed(w, session, ip);
    return;
  }
  TUN_ADD(cell->rx_packets, 1);
  TUN_ADD(cell->rx_octets, total);
  TUN_SET(cell->last_rx, w->now);
  TUN_SET(cell->last_data, w->now);
  tun_clamp_mss(ip, total, (guint16)(params >> 16), (guint16)(params >> 32), FALSE);
  tun_coalesce_add(&w->join, port, ip, total, 0, find_joins(w, port));
}

void tun_deliver_ether(TunWorker *w, TunPort *port, guint8 *ether, gsize length) {
  guint16 type;
  guint header = tun_ether_parse(ether, length, &type), version = length > header ? ether[header] >> 4 : 0;
  gboolean is_ip = (type == TUN_TYPE_IPV4 && version == 4) || (type == TUN_TYPE_IPV6 && version == 6);
  tun_coalesce_add(&w->join, port, ether + header, length - header, header, is_ip ? find_joins(w, port) : 0);
}

void tun_deliver_flush(TunWorker *w) {
  tun_coalesce_flush(&w->join);
  tun_tx_flush(w);
  w->room_used = 0;
}

void tun_deliver_frame(TunWorker *w, const AditDpLink *link, gboolean live, guint16 protocol, const guint8 *payload, gsize length) {
  TunNote note = {.kind = TUN_NOTE_FRAME, .serial = link->by_serial.key};
  guint8 plain[2] = {(guint8)(protocol >> 8), (guint8)protocol};
  tun_note(w, live ? TUN_TO_LIVE : TUN_TO_CONTROL, &note, plain, 2, payload, length);
}
