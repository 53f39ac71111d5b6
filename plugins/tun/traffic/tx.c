/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* To the sockets. Packets stay where TUN's read put them: tunnel headers are written before them, over
 * the vnet header, and a super-packet leaves as a list of headers and pieces of it. Neighbours of equal size that go the
 * same way are one message for the kernel to cut (UDP_SEGMENT). */
#include "tx.h"
#include "../dp.h"
#include "../packet/segment.h"
#include <errno.h>
#include <netinet/udp.h>
#include <sys/mman.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

enum {
  GROUP_SEGMENTS = 64, /* more in newer kernels only */
  GROUP_OCTETS = 65000,
};

TunTx *tun_tx_new(void) {
  gpointer arena = mmap(NULL, TUN_TX_ARENA + TUN_TX_HEADERS * TUN_TX_HEADER_ROOM, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (arena == MAP_FAILED)
    return NULL;
  TunTx *tx = g_new0(TunTx, 1);
  tx->arena = arena;
  tx->headers = tx->arena + TUN_TX_ARENA;
  return tx;
}

void tun_tx_free(TunTx *tx) {
  if (!tx)
    return;
  munmap(tx->arena, TUN_TX_ARENA + TUN_TX_HEADERS * TUN_TX_HEADER_ROOM);
  g_free(tx);
}

/* ---- sending ---- */

static void message_fill(struct msghdr *message, TunTxGroup *group, struct iovec *pieces, guint n, gboolean gso) {
  const TunWire *wire = group->wire;
  *message = (struct msghdr){.msg_name = (gpointer)&wire->path.remote,
                             .msg_namelen = adit_endpoint_size(&wire->path.remote),
                             .msg_iov = pieces,
                             .msg_iovlen = n,
                             .msg_control = (gpointer)wire->control,
                             .msg_controllen = wire->control_length};
  if (!gso)
    return;
  struct cmsghdr head = {.cmsg_len = CMSG_LEN(sizeof(guint16)), .cmsg_level = SOL_UDP, .cmsg_type = UDP_SEGMENT};
  guint8 *at = group->control + wire->control_length;
  guint16 size = (guint16)group->size;
  memcpy(group->control, wire->control, wire->control_length);
  memcpy(at, &head, sizeof head);
  memcpy(at + CMSG_LEN(0), &size, sizeof size);
  message->msg_control = group->control;
  message->msg_controllen = wire->control_length + CMSG_SPACE(sizeof size);
}

/* The kernel will not cut this one: send its datagrams one by one, and this link's from now on. */
static void group_apart(TunWorker *w, int fd, TunTxGroup *group) {
  TunTx *tx = w->tx;
  struct iovec *piece = tx->piece + group->first, *end = piece + group->n;
  __atomic_store_n(&group->link->no_gso, TRUE, __ATOMIC_RELAXED);
  TUN_ADD(w->stats.gso_refused, 1);
  while (piece < end) {
    struct msghdr message;
    guint n = 0;
    for (gsize length = 0; piece + n < end && length < group->size; n++)
      length += piece[n].iov_len;
    message_fill(&message, group, piece, n, FALSE);
    TUN_ADD(w->stats.sends_out, 1);
    if (sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
      TUN_ADD(w->stats.send_failed, 1);
    piece += n;
  }
}

static void group_failed(TunWorker *w, int fd, TunTxGroup *group, int error) {
  if (group->count > 1 && (error == EIO || error == EINVAL || error == EMSGSIZE)) {
    group_apart(w, fd, group);
  } else if (error == EAGAIN || error == ENOBUFS) {
    TUN_ADD(w->stats.send_full, group->count);
    group->link->listener->socket[w->index].load.refused += group->count;
  } else {
    TUN_ADD(w->stats.send_failed, group->count);
  }
}

/* Sends groups `from`..`to`, which are of one listener. */
static void groups_send(TunWorker *w, guint from, guint to) {
  TunTx *tx = w->tx;
  TunSocket *socket = &tx->group[from].link->listener->socket[w->index];
  int fd = socket->fd;
  while (from < to) {
    int n = sendmmsg(fd, tx->message + from, to - from, MSG_DONTWAIT | MSG_NOSIGNAL);
    TUN_ADD(w->stats.sends_out, 1);
    if (n <= 0)
      group_failed(w, fd, &tx->group[from++], errno);
    for (; n > 0; n--)
      socket->load.octets += tx->group[from++].total;
  }
}

void tun_tx_flush(TunWorker *w) {
  TunTx *tx = w->tx;
  guint from = 0;
  for (guint i = 0; i < tx->n_groups; i++) {
    TunTxGroup *group = &tx->group[i];
    gboolean gso = group->count > 1;
    message_fill(&tx->message[i].msg_hdr, group, tx->piece + group->first, group->n, gso);
    TUN_ADD(w->stats.datagrams_out, group->count);
    if (gso)
      TUN_ADD(w->stats.gso_out, group->count);
    if (group->link->listener != tx->group[from].link->listener) {
      groups_send(w, from, i);
      from = i;
    }
  }
  if (tx->n_groups)
    groups_send(w, from, tx->n_groups);
  tx->n_groups = tx->n_pieces = tx->n_headers = 0;
  tx->arena_used = 0;
}

static gboolean group_takes(const TunWorker *w, const TunTxGroup *group, const AditDpLink *link, const TunWire *wire, guint length) {
  if (!w->dp->config.offload || group->closed || group->count == GROUP_SEGMENTS || length > group->size ||
      group->total + length > GROUP_OCTETS || TUN_GET(link->no_gso))
    return FALSE;
  /* Another session of the same peer may share a message. */
  return group->wire == wire || (group->link->listener == link->listener && group->wire->control_length == wire->control_length &&
                                 memcmp(&group->wire->where, &wire->where, sizeof wire->where) == 0 &&
                                 memcmp(group->wire->control, wire->control, wire->control_length) == 0 &&
                                 memcmp(&group->wire->path.remote, &wire->path.remote, sizeof wire->path.remote) == 0);
}

/* The group that takes a datagram of `total` octets; its pieces are to follow. The queue is not full (see tun_tx_flush_if_full()). */
static TunTxGroup *datagram_begin(TunWorker *w, AditDpLink *link, const TunWire *wire, guint total) {
  TunTx *tx = w->tx;
  TunTxGroup *group = tx->n_groups ? &tx->group[tx->n_groups - 1] : NULL;
  if (!group || !group_takes(w, group, link, wire, total)) {
    group = &tx->group[tx->n_groups++];
    group->link = link;
    group->wire = wire;
    group->first = tx->n_pieces;
    group->n = group->count = group->total = 0;
    group->size = total;
    group->closed = FALSE;
  }
  group->count++;
  group->total += total;
  group->closed = total < group->size;
  return group;
}

static void piece_add(TunTx *tx, TunTxGroup *group, const guint8 *data, guint length) {
  tx->piece[tx->n_pieces++] = (struct iovec){(gpointer)data, length};
  group->n = tx->n_pieces - group->first;
}

/* A datagram of one or two pieces; they must stay until the flush. */
static void datagram_add(TunWorker *w, AditDpLink *link, const TunWire *wire, guint8 *head, guint head_length, const guint8 *body,
                         guint length) {
  TunTxGroup *group = datagram_begin(w, link, wire, head_length + length);
  piece_add(w->tx, group, head, head_length);
  if (length)
    piece_add(w->tx, group, body, length);
}

/* ---- frames ---- */

/* Writes the lead of a data frame for a packet of `length` octets so that it ends at `end`; returns where it begins. */
static guint8 *lead_write(AditDpLink *link, const TunWire *wire, gboolean six, guint8 *end, guint length) {
  gboolean numbered = tun_link_numbers(link, wire);
  guint n = wire->lead_length[six][numbered];
  guint8 *lead = end - n;
  memcpy(lead, wire->lead[six][numbered], n);
  adit_encap_fill(&wire->header[numbered], lead, wire->ppp_length[six] + length, numbered ? tun_link_next_number(link) : 0);
  return lead;
}

void tun_tx_frame(TunWorker *w, AditDpLink *link, const AditStageFrame *frame) {
  TunTx *tx = w->tx;
  const TunWire *wire = __atomic_load_n(&link->wire, __ATOMIC_ACQUIRE);
  gboolean numbered = tun_link_numbers(link, wire);
  const AditEncapHeader *template = &wire->header[numbered];
  TunCell *cell = &link->cell[w->index];
  tun_tx_flush_if_full(w);
  guint8 *head = tx->headers + tx->n_headers++ * TUN_TX_HEADER_ROOM;
  guint n = template->length;
  memcpy(head, template->octets, n);
  if (!wire->acfc) {
    tun_put16(head + n, 0xff03);
    n += 2;
  }
  if (!wire->pfc || frame->protocol > 0xff)
    head[n++] = (guint8)(frame->protocol >> 8);
  head[n++] = (guint8)frame->protocol;
  adit_encap_fill(template, head, n - template->length + frame->length, numbered ? tun_link_next_number(link) : 0);
  TunTxGroup *group = datagram_begin(w, link, wire, n + frame->length);
  piece_add(tx, group, head, n);
  for (guint i = 0; i < frame->n; i++)
    piece_add(tx, group, frame->slice[i].data, frame->slice[i].length);
  TUN_ADD(cell->tx_packets, 1);
  TUN_ADD(cell->tx_octets, n - template->length + frame->length);
  TUN_SET(cell->last_tx, w->now);
  TUN_SET(cell->last_data, w->now);
}

void tun_tx_count(TunWorker *w, AditDpSession *session, guint packets, guint64 octets) {
  TunCell *cell = &session->cell[w->index];
  TUN_ADD(cell->tx_packets, packets);
  TUN_ADD(cell->tx_octets, octets);
  TUN_SET(cell->last_tx, w->now);
  TUN_SET(cell->last_data, w->now);
}

static void cells_add(TunWorker *w, AditDpSession *session, AditDpLink *link, guint packets, guint64 octets, guint ppp) {
  TunCell *l = &link->cell[w->index];
  tun_tx_count(w, session, packets, octets);
  TUN_ADD(l->tx_packets, packets);
  TUN_ADD(l->tx_octets, octets + (guint64)packets * ppp);
  TUN_SET(l->last_tx, w->now);
  TUN_SET(l->last_data, w->now);
}

static gboolean super_add(TunWorker *w, AditDpSession *session, AditDpLink *link, const TunWire *wire, const TunVnet *vnet, guint8 *ip,
                          gsize length) {
  TunTx *tx = w->tx;
  TunSplit split;
  guint64 octets = 0;
  gboolean six = ip[0] >> 4 == 6;
  if (!tun_split_begin(&split, vnet, ip, length))
    return FALSE;
  for (guint i = 0; i < split.n; i++) {
    const guint8 *payload;
    tun_tx_flush_if_full(w);
    guint8 *header = tx->headers + tx->n_headers++ * TUN_TX_HEADER_ROOM + TUN_LEAD;
    guint payload_length = tun_split_segment(&split, i, header, &payload);
    guint8 *lead = lead_write(link, wire, six, header, split.header + payload_length);
    datagram_add(w, link, wire, lead, (guint)(header - lead) + split.header, payload, payload_length);
    octets += split.header + payload_length;
  }
  cells_add(w, session, link, split.n, octets, wire->ppp_length[six]);
  return TRUE;
}

static gboolean single_add(TunWorker *w, AditDpSession *session, AditDpLink *link, const TunWire *wire, const TunVnet *vnet, guint8 *ip,
                           gsize length) {
  gboolean six = ip[0] >> 4 == 6;
  if (!tun_vnet_complete(vnet, ip, length))
    return FALSE;
  guint8 *lead = lead_write(link, wire, six, ip, (guint)length);
  datagram_add(w, link, wire, lead, (guint)(ip - lead) + (guint)length, NULL, 0);
  cells_add(w, session, link, 1, length, wire->ppp_length[six]);
  return TRUE;
}

gboolean tun_tx_packet(TunWorker *w, AditDpSession *session, AditDpLink *link, const TunVnet *vnet, guint8 *ip, gsize length) {
  const TunWire *wire = __atomic_load_n(&link->wire, __ATOMIC_ACQUIRE);
  if (vnet->gso_type != TUN_GSO_NONE)
    return super_add(w, session, link, wire, vnet, ip, length);
  return single_add(w, session, link, wire, vnet, ip, length);
}

void tun_tx_splice(TunWorker *w, AditDpLink *link, const guint8 *frame, gsize length) {
  TunTx *tx = w->tx;
  const TunWire *wire = __atomic_load_n(&link->wire, __ATOMIC_ACQUIRE);
  TunCell *cell = &link->cell[w->index];
  gboolean numbered = tun_link_numbers(link, wire);
  const AditEncapHeader *template = &wire->header[numbered];
  tun_tx_flush_if_full(w);
  guint8 *header = tx->headers + tx->n_headers++ * TUN_TX_HEADER_ROOM;
  memcpy(header, template->octets, template->length);
  adit_encap_fill(template, header, length, numbered ? tun_link_next_number(link) : 0);
  datagram_add(w, link, wire, header, template->length, frame, (guint)length);
  TUN_ADD(cell->tx_packets, 1);
  TUN_ADD(cell->tx_octets, length);
  TUN_SET(cell->last_tx, w->now);
}
