/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* From the sockets to the ports. */
#include "rx.h"
#include "../dp.h"
#include "../packet/segment.h"
#include "../peer/tun-tunnel.h"
#include "../session/source.h"
#include "../session/stage.h"
#include "../session/tun-session.h"
#include "tx.h"
#include <adit/ppp.h>
#include <errno.h>
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
  ROUNDS = 4,              /* system calls before the others get their turn */
  STRAYS_PER_SECOND = 20,  /* told to the transport, by each worker */
  SPOOFED_EVERY_MS = 1000, /* told to the main loop, by each worker */
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

/* ---- to the port ---- */

/* The kernel took no super-packet: give it the packets one by one, from now on. */
static void write_apart(TunWorker *w, int fd, const struct iovec *pieces, guint n) {
  g_autofree guint8 *whole = NULL; /* at most once for each port: here an allocation is no matter */
  gsize length = 0, at = 0;
  TunSplit split;
  for (guint i = 1; i < n; i++)
    length += pieces[i].iov_len;
  whole = g_malloc(length);
  for (guint i = 1; i < n; at += pieces[i++].iov_len)
    memcpy(whole + at, pieces[i].iov_base, pieces[i].iov_len);
  if (!tun_split_begin(&split, pieces[0].iov_base, whole, length))
    return;
  for (guint i = 0; i < split.n; i++) {
    guint8 header[TUN_SEGMENT_HEADER];
    const guint8 *payload;
    TunVnet vnet = {0};
    guint payload_length = tun_split_segment(&split, i, header, &payload);
    struct iovec out[] = {{&vnet, sizeof vnet}, {header, split.header}, {(gpointer)payload, payload_length}};
    if (writev(fd, out, G_N_ELEMENTS(out)) < 0)
      TUN_ADD(w->stats.write_failed, 1);
  }
}

void tun_rx_write(gpointer user, gpointer data, struct iovec *pieces, guint n, guint packets) {
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
    write_apart(w, fd, pieces, n);
    return;
  }
  TUN_ADD(w->stats.write_failed, packets);
}

/* The main loop hears of it now and then, and says in the log whose it was. */
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

void tun_rx_packet(TunWorker *w, AditDpSession *session, guint64 params, guint16 protocol, guint8 *ip, gsize length) {
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
  guint join = !w->dp->config.offload || TUN_GET(port->no_join) ? 0 : TUN_JOIN_TCP | (port->uso ? TUN_JOIN_UDP : 0);
  tun_coalesce_add(&w->join, port, ip, total, join);
}

/* ---- frames ---- */

void tun_worker_flush(TunWorker *w) {
  tun_coalesce_flush(&w->join);
  tun_tx_flush(w);
  w->room_used = 0;
}

typedef struct {
  TunWorker *w;
  AditDpLink *link;
  AditDpSession *session; /* that it was in when its home was looked up; NULL = none */
} TunTarget;

void tun_rx_frame(TunWorker *w, const AditDpLink *link, gboolean live, guint16 protocol, const guint8 *payload, gsize length) {
  TunNote note = {.kind = TUN_NOTE_FRAME, .serial = link->by_serial.key};
  guint8 plain[2] = {(guint8)(protocol >> 8), (guint8)protocol};
  tun_note(w, live ? TUN_TO_LIVE : TUN_TO_CONTROL, &note, plain, 2, payload, length);
}

/* A frame in its order; `frame` begins with address and control or with the protocol. */
static void frame_deliver(gpointer user, const guint8 *data, gsize length) {
  const TunTarget *target = user;
  TunWorker *w = target->w;
  AditDpLink *link = target->link;
  TunCell *cell = &link->cell[w->index];
  guint8 *frame = (guint8 *)data; /* our own buffer: headers are changed in place */
  guint at = length >= 2 && frame[0] == 0xff && frame[1] == 0x03 ? 2 : 0;
  guint16 protocol = length > at ? frame[at++] : 0;
  if (!(protocol & 1) && length > at)
    protocol = (guint16)(protocol << 8 | frame[at++]);
  if (!(protocol & 1)) { /* RFC 1661 2: the last octet is odd */
    TUN_ADD(cell->drops, 1);
    TUN_ADD(w->stats.malformed, 1);
    return;
  }
  TUN_ADD(cell->rx_packets, 1);
  TUN_ADD(cell->rx_octets, length);
  TUN_SET(cell->last_rx, w->now);

  AditDpLink *splice = __atomic_load_n(&link->splice, __ATOMIC_ACQUIRE);
  AditDpSession *session = target->session;
  guint64 params = session ? __atomic_load_n(&session->params, __ATOMIC_ACQUIRE) : 0;
  if (splice) {
    tun_tx_splice(w, splice, frame, length);
  } else if ((params & TUN_PARAM_STAGED) && protocol < 0x8000) {
    TUN_SET(cell->last_data, w->now);
    tun_stage_decode(w, session, link, protocol, frame + at, length - at);
  } else if ((protocol == ADIT_PPP_IPV4 && (params & TUN_PARAM_IPV4)) || (protocol == ADIT_PPP_IPV6 && (params & TUN_PARAM_IPV6))) {
    TUN_SET(cell->last_data, w->now);
    tun_rx_packet(w, session, params, protocol, frame + at, length - at);
  } else {
    tun_rx_frame(w, link, session != NULL, protocol, frame + at, length - at);
    return;
  }
  /* Frames that waited lie in the pool, where the next one will: let them go at once. */
  if (data >= (guint8 *)w->pool.hold && data < (guint8 *)(w->pool.hold + w->pool.n))
    tun_worker_flush(w);
}

static void wait_for_deadline(TunWorker *w, AditDpLink *link) {
  if (!link->reorder.deadline || link->waiting)
    return;
  link->wait_next = w->waiting;
  w->waiting = link;
  __atomic_store_n(&link->waiting, TRUE, __ATOMIC_SEQ_CST);
}

static void count_order(TunCell *cell, const TunReorderCount *count) {
  TUN_ADD(cell->drops, count->late);
  TUN_ADD(cell->lost, count->lost);
  TUN_ADD(cell->reordered, count->reordered);
}

/* On the link's home worker. */
static void frame_input(TunWorker *w, AditDpLink *link, AditDpSession *session, gboolean numbered, guint32 sequence, const guint8 *frame,
                        gsize length) {
  const TunWire *wire = __atomic_load_n(&link->wire, __ATOMIC_ACQUIRE);
  TunTarget target = {w, link, session};
  TunReorderCount count = {0};
  if (TUN_GET(link->peer_numbers) != numbered)
    __atomic_store_n(&link->peer_numbers, numbered, __ATOMIC_RELAXED);
  if (!numbered) {
    if (wire->encap.sequence & ADIT_SEQUENCE_REQUIRE)
      TUN_ADD(link->cell[w->index].drops, 1);
    else
      frame_deliver(&target, frame, length);
    return;
  }
  link->reorder.bits = wire->sequence_bits;
  tun_reorder_push(&link->reorder, &w->pool, sequence, frame, length, w->now, wire->encap.reorder_ms, frame_deliver, &target, &count);
  count_order(&link->cell[w->index], &count);
  wait_for_deadline(w, link);
}

/* ---- frames of links that live elsewhere ---- */

static gboolean foreign_put(TunWorker *w, guint to, TunForeign head, const guint8 *data) {
  TunForeign *record = tun_ring_reserve(&w->dp->worker[to]->from[w->index], sizeof *record + head.length);
  TUN_ADD(w->stats.foreign, 1);
  if (!record) {
    TUN_ADD(w->stats.foreign_full, 1);
    return FALSE;
  }
  *record = head;
  if (head.length)
    memcpy(record->data, data, head.length);
  tun_ring_push(&w->dp->worker[to]->from[w->index]);
  w->told |= 1u << to;
  return TRUE;
}

static void foreign_frame(TunWorker *w, guint to, const AditDpLink *link, gboolean numbered, guint32 sequence, const guint8 *frame,
                          guint32 length) {
  foreign_put(w, to, (TunForeign){TUN_FOREIGN_FRAME, link->by_serial.key, sequence, numbered, length}, frame);
}

static void stop_waiting(TunWorker *w, AditDpLink *link) {
  AditDpLink **at = &w->waiting;
  while (*at && *at != link)
    at = &(*at)->wait_next;
  if (!*at)
    return;
  *at = link->wait_next;
  __atomic_store_n(&link->waiting, FALSE, __ATOMIC_SEQ_CST);
}

/* On its gate: the home takes over the reorder state, then the frames that wait, then whatever comes. FALSE: its ring is full. */
static gboolean hand_over(TunWorker *w, AditDpLink *link, guint home) {
  TunReorder state = link->reorder;
  stop_waiting(w, link); /* from the next line on the list is the home's */
  if (!foreign_put(w, home, (TunForeign){TUN_FOREIGN_TAKE, link->by_serial.key, 0, FALSE, sizeof state}, (const guint8 *)&state)) {
    wait_for_deadline(w, link);
    return FALSE;
  }
  link->moved = TRUE;
  for (guint i = 0; i < TUN_HOLD_WINDOW && state.n_held; i++) {
    guint16 index = state.held[(state.next + i) % TUN_HOLD_WINDOW];
    if (!index)
      continue;
    const TunHold *hold = &w->pool.hold[index - 1];
    foreign_frame(w, home, link, TRUE, hold->sequence, hold->frame, hold->length);
    tun_hold_give(&w->pool, index);
    state.n_held--;
  }
  return TRUE;
}

/* On the new home. */
static void take_over(AditDpLink *link, const TunForeign *record) {
  TunReorder state;
  memcpy(&state, record->data, sizeof state);
  memset(state.held, 0, sizeof state.held); /* they follow */
  state.n_held = 0;
  state.deadline = 0;
  link->reorder = state;
}

/* A frame on its way through the gate, which all of a link's frames pass one after the other: so they reach the home in their order, before
 * it changes and after. */
static void gate_input(TunWorker *w, AditDpLink *link, gboolean numbered, guint32 sequence, const guint8 *frame, guint32 length) {
  AditDpSession *session = __atomic_load_n(&link->session, __ATOMIC_ACQUIRE); /* first: who sees it sees its home */
  guint home = __atomic_load_n(&link->home, __ATOMIC_ACQUIRE);
  if (home == w->index)
    frame_input(w, link, session, numbered, sequence, frame, length);
  else if (link->moved || hand_over(w, link, home))
    foreign_frame(w, home, link, numbered, sequence, frame, length);
}

static void home_input(TunWorker *w, AditDpLink *link, gboolean numbered, guint32 sequence, const guint8 *frame, guint32 length) {
  frame_input(w, link, __atomic_load_n(&link->session, __ATOMIC_ACQUIRE), numbered, sequence, frame, length);
}

static void foreign_link(TunWorker *w, const TunForeign *f) {
  AditDpLink *link = tun_link_find(w->dp, f->serial);
  if (!link) /* it went meanwhile; one that has its ids since is another */
    return;
  if (f->kind == TUN_FOREIGN_TAKE)
    take_over(link, f);
  else if (link->gate == w->index)
    gate_input(w, link, f->has_sequence, f->sequence, f->data, f->length);
  else
    home_input(w, link, f->has_sequence, f->sequence, f->data, f->length);
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
        foreign_link(w, f);
    tun_worker_flush(w);
    tun_ring_release(&w->from[i]);
  }
}

void tun_rx_hand_packet(TunWorker *w, guint home, guint64 session, const guint8 *packet, guint32 length) {
  foreign_put(w, home, (TunForeign){TUN_FOREIGN_PACKET, session, 0, FALSE, length}, packet);
}

int tun_rx_reorder(TunWorker *w) {
  guint64 next = 0;
  for (AditDpLink **at = &w->waiting, *link; (link = *at);) {
    AditDpSession *session = __atomic_load_n(&link->session, __ATOMIC_ACQUIRE);
    TunTarget target = {w, link, session};
    TunReorderCount count = {0};
    guint home = __atomic_load_n(&link->home, __ATOMIC_ACQUIRE);
    if (home != w->index && !__atomic_load_n(&link->dead, __ATOMIC_SEQ_CST)) {
      if (hand_over(w, link, home)) /* which has taken it out of the list */
        continue;
      next = w->now + 1; /* it is the first of the list now: the rest waits for the next pass, too */
      break;
    }
    gboolean dead = __atomic_load_n(&link->dead, __ATOMIC_SEQ_CST);
    if (dead || (link->reorder.deadline && link->reorder.deadline <= w->now)) {
      tun_reorder_flush(&link->reorder, &w->pool, dead ? NULL : frame_deliver, &target, &count);
      count_order(&link->cell[w->index], &count);
    }
    if (!link->reorder.deadline) {
      *at = link->wait_next;
      __atomic_store_n(&link->waiting, FALSE, __ATOMIC_RELEASE); /* a dead one may be gone from here on */
      continue;
    }
    next = next ? MIN(next, link->reorder.deadline) : link->reorder.deadline;
    at = &link->wait_next;
  }
  return !next ? -1 : (int)(next > w->now ? next - w->now : 1);
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

/* Nobody's yet: LCP may be a moment before its link. Anything else is asked for again soon enough, or never mattered. */
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
  if (link->gate != w->index)
    foreign_frame(w, link->gate, link, c->has_sequence != 0, c->sequence, datagram + c->offset, c->length);
  else
    gate_input(w, link, c->has_sequence != 0, c->sequence, datagram + c->offset, c->length);
}

/* What claims to be of a tunnel goes before newcomers' only if it is: ids are guessed easily, and a path is not. */
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
    path->association = 0; /* somebody's mark */
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
    tun_worker_flush(w);
    if (n < BATCH)
      return;
  }
}
