/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* From the sockets: datagrams are told apart by the transport's classifier. */
#include "rx.h"
#include "../dp.h"
#include "../peer/tun-tunnel.h"
#include "delivery.h"
#include "rx-frame.h"
#include "stage-run.h"
#include <adit/ppp.h>
#include <netinet/udp.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef UDP_GRO
#define UDP_GRO 104
#endif

enum {
  BATCH = 32, /* datagrams (merged or not) in one system call */
  DATAGRAM = 65536,
  CONTROL = 256,
  ROUNDS = 4,             /* system calls before the others get their turn */
  STRAYS_PER_SECOND = 20, /* told to the transport, by each worker */
};

struct TunRx {
  guint8 *buffers;
  AditListener *last_listener; /* of the pass: neighbours mostly belong to one link */
  guint64 last_key;
  AditDpLink *last_link;
  struct mmsghdr message[BATCH];
  struct iovec piece[BATCH];
  AditEndpoint from[BATCH];
  guint8 control[BATCH][CONTROL] __attribute__((aligned(8)));
};

TunRx *tun_rx_new(void) {
  gpointer buffers = mmap(NULL, BATCH * DATAGRAM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (buffers == MAP_FAILED)
    return NULL;
  TunRx *rx = g_new0(TunRx, 1);
  rx->buffers = buffers;
  for (guint i = 0; i < BATCH; i++)
    rx->piece[i] = (struct iovec){rx->buffers + i * DATAGRAM, DATAGRAM};
  return rx;
}

void tun_rx_free(TunRx *rx) {
  if (!rx)
    return;
  munmap(rx->buffers, BATCH * DATAGRAM);
  g_free(rx);
}

void tun_rx_foreign(TunWorker *w) {
  w->rx->last_link = NULL; /* a new pass: what was found in the last one may be gone */
  for (guint i = 0; i < w->dp->n_workers; i++) {
    gsize length;
    TunForeign *f;
    if (i == w->index)
      continue;
    while ((f = tun_ring_read(&w->from[i], &length)))
      if (f->kind == TUN_FOREIGN_PACKET)
        tun_stage_packet(w, f->serial, f->data, f->length);
      else
        tun_rx_frame_foreign(w, f);
    tun_deliver_flush(w);
    tun_ring_release(&w->from[i]);
  }
}

/* ---- datagrams ---- */

static void note_stray(TunWorker *w, const AditListener *listener, const AditPath *path, const AditClassified *c) {
  TUN_ADD(w->stats.stray, 1);
  if (!adit_rate_allows(&w->stray_limit, w->now, STRAYS_PER_SECOND, 1000 / STRAYS_PER_SECOND, NULL))
    return;
  TunNote note = {.kind = TUN_NOTE_STRAY, .serial = listener->serial, .tunnel = c->tunnel, .session = c->session, .path = *path};
  tun_note(w, TUN_TO_NEW, &note, NULL, 0, NULL, 0);
}

/* Which ring takes data without a link: where the transport announces its tunnels, only those of a tunnel that there is. Tunnel 0
 * is a listener's that reports all of them so: then the peer must at least be one. */
static gboolean early_priority(TunWorker *w, const AditListener *listener, const TunWhere *from, guint32 id, TunPriority *priority) {
  *priority = TUN_TO_NEW;
  if (!listener->announced)
    return TRUE;
  if (!id)
    return tun_endpoint_find(w->dp, from->family == AF_INET6 ? 6 : 4, from->remote) != NULL;
  TunTunnel *tunnel = tun_tunnel_find(listener, id, from);
  *priority = tun_tunnel_priority(w, tunnel);
  return tunnel != NULL;
}

/* Of no link yet: LCP may be a moment before its link. Anything else is asked for again soon enough, or never mattered. */
static void note_early(TunWorker *w, const AditListener *listener, const TunWhere *from, const AditPath *path, const AditClassified *c,
                       const guint8 *frame) {
  guint at = c->length >= 2 && frame[0] == 0xff && frame[1] == 0x03 ? 2 : 0;
  TunPriority priority;
  if (c->length < at + 2u || c->length > TUN_EARLY_FRAME || tun_get16(frame + at) != ADIT_PPP_LCP ||
      !early_priority(w, listener, from, c->tunnel, &priority)) {
    TUN_ADD(w->stats.unknown, 1);
    return;
  }
  TUN_ADD(w->stats.early, 1);
  TunNote note = {.kind = TUN_NOTE_EARLY, .serial = listener->serial, .tunnel = c->tunnel, .session = c->session, .path = *path};
  tun_note(w, priority, &note, NULL, 0, frame + at, c->length - at);
}

static AditDpLink *link_find(TunWorker *w, AditListener *listener, guint64 key) {
  TunRx *rx = w->rx;
  if (!rx->last_link || rx->last_key != key || rx->last_listener != listener) {
    rx->last_link = (AditDpLink *)tun_table_lookup(&listener->links, key);
    rx->last_key = key;
    rx->last_listener = listener;
  }
  return rx->last_link;
}

static void data_input(TunWorker *w, AditListener *listener, const TunWhere *from, const AditPath *path, const guint8 *datagram,
                       gsize length, AditClassified *c) {
  AditDpLink *link = link_find(w, listener, adit_encap_key(c->tunnel, c->session));
  if (!link) {
    note_early(w, listener, from, path, c, datagram + c->offset);
    return;
  }
  const TunWire *wire = __atomic_load_n(&link->wire, __ATOMIC_ACQUIRE);
  if (!tun_where_equal(&wire->where, from)) {
    TUN_ADD(link->cell[w->index].drops, 1);
    note_stray(w, listener, path, c);
    return;
  }
  if (wire->open && (!wire->open(&wire->encap, datagram, c) || (gsize)c->offset + c->length > length)) {
    TUN_ADD(link->cell[w->index].drops, 1);
    TUN_ADD(w->stats.malformed, 1);
    return;
  }
  tun_endpoint_seen(__atomic_load_n(&link->endpoint, __ATOMIC_ACQUIRE), from->ingress);
  tun_rx_frame(w, link, c->has_sequence != 0, c->sequence, datagram + c->offset, c->length);
}

/* A datagram with the id of a tunnel precedes newcomers' only if its path matches: ids are guessed easily, and a path is not. */
static void control_input(TunWorker *w, AditListener *listener, const TunWhere *from, const AditPath *path, const guint8 *datagram,
                          gsize length, const AditClassified *c) {
  TunNote note = {.kind = TUN_NOTE_CONTROL, .serial = listener->serial, .path = *path};
  TunPriority priority = c->klass == ADIT_CLASS_CONTROL ? TUN_TO_CONTROL : TUN_TO_NEW;
  if (priority == TUN_TO_CONTROL && listener->announced) {
    TunTunnel *tunnel = tun_tunnel_find(listener, c->tunnel, from);
    if (tunnel)
      tun_endpoint_seen(tunnel->endpoint, from->ingress);
    priority = tun_tunnel_priority(w, tunnel);
  }
  tun_note(w, priority, &note, NULL, 0, datagram, length);
}

void tun_rx_datagram(TunWorker *w, AditListener *listener, const TunWhere *from, const AditPath *path, guint8 *datagram, gsize length) {
  AditClassified c = {0};
  TUN_ADD(w->stats.datagrams_in, 1);
  listener->classify(datagram, length, &c);
  switch (c.klass) {
  case ADIT_CLASS_DROP:
    TUN_ADD(w->stats.malformed, 1);
    return;
  case ADIT_CLASS_CONTROL:
  case ADIT_CLASS_CONTROL_NEW:
    control_input(w, listener, from, path, datagram, length, &c);
    return;
  case ADIT_CLASS_DATA:
    if ((gsize)c.offset + c.length > length)
      TUN_ADD(w->stats.malformed, 1);
    else
      data_input(w, listener, from, path, datagram, length, &c);
    return;
  }
}

static gboolean is_association(const TunDp *dp, guint32 mark) {
  gboolean (*known)(guint32) = __atomic_load_n(&dp->is_association, __ATOMIC_ACQUIRE);
  return known && known(mark);
}

/* Where a message came from and came to, through which interface, and the length of the datagrams in it. */
static guint message_info(const AditListener *listener, struct msghdr *message, AditPath *path, guint32 *ingress) {
  int gso = 0;
  memset(path, 0, sizeof *path);
  path->local = listener->local;
  memcpy(&path->remote, message->msg_name, MIN(message->msg_namelen, sizeof path->remote));
  for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
    if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO) {
      memcpy(&gso, CMSG_DATA(c), sizeof gso);
    } else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
      struct in_pktinfo info;
      memcpy(&info, CMSG_DATA(c), sizeof info);
      path->local.in.sin_addr = info.ipi_addr;
      *ingress = (guint32)info.ipi_ifindex;
    } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
      struct in6_pktinfo info;
      memcpy(&info, CMSG_DATA(c), sizeof info);
      path->local.in6.sin6_addr = info.ipi6_addr;
      *ingress = info.ipi6_ifindex;
    } else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_MARK) {
      memcpy(&path->association, CMSG_DATA(c), sizeof path->association);
    }
  }
  if (path->association && !is_association(listener->dp, path->association))
    path->association = 0; /* another program's mark */
  return gso > 0 ? (guint)gso : 0;
}

static void message_input(TunWorker *w, AditListener *listener, struct msghdr *message, guint8 *data, gsize length) {
  AditPath path;
  guint32 ingress = 0;
  guint gso = message_info(listener, message, &path, &ingress);
  TunWhere from = tun_where(&path);
  from.ingress = ingress;
  if (!gso || gso >= length) {
    tun_rx_datagram(w, listener, &from, &path, data, length);
    return;
  }
  TUN_ADD(w->stats.gro_in, (length + gso - 1) / gso);
  for (gsize at = 0; at < length; at += gso)
    tun_rx_datagram(w, listener, &from, &path, data + at, MIN(gso, length - at));
}

void tun_rx_socket(TunWorker *w, TunSocket *socket) {
  TunRx *rx = w->rx;
  for (guint round = 0; round < ROUNDS; round++) {
    for (guint i = 0; i < BATCH; i++)
      rx->message[i].msg_hdr = (struct msghdr){.msg_name = &rx->from[i],
                                               .msg_namelen = sizeof rx->from[i],
                                               .msg_iov = &rx->piece[i],
                                               .msg_iovlen = 1,
                                               .msg_control = rx->control[i],
                                               .msg_controllen = CONTROL};
    int n = recvmmsg(socket->fd, rx->message, BATCH, MSG_DONTWAIT, NULL);
    if (n <= 0)
      return;
    TUN_ADD(w->stats.reads_in, 1);
    for (int i = 0; i < n; i++)
      message_input(w, socket->listener, &rx->message[i].msg_hdr, rx->piece[i].iov_base, rx->message[i].msg_len);
    tun_deliver_flush(w);
    if (n < BATCH)
      return;
  }
}
