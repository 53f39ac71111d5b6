/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "coalesce.h"

enum { PROTO_TCP = 6, PROTO_UDP = 17, IP_LENGTH_MAX = 65535 };

void tun_coalesce_init(TunCoalescer *c, TunWrite write, gpointer user) {
  c->write = write;
  c->user = user;
  c->n = 0;
}

static void write_alone(TunCoalescer *c, gpointer port, guint8 *packet, gsize length) {
  TunVnet vnet = {0};
  struct iovec pieces[2] = {{&vnet, sizeof vnet}, {packet, length}};
  c->write(c->user, port, pieces, 2, 1);
}

static void flow_write(TunCoalescer *c, TunFlow *f) {
  guint8 *ip = f->ip, *l4 = ip + f->packet.l4;
  gboolean tcp = f->packet.protocol == PROTO_TCP;

  f->piece[0] = (struct iovec){&f->vnet, sizeof f->vnet};
  memset(&f->vnet, 0, sizeof f->vnet);
  if (f->n > 2) {
    if (f->packet.version == 4) {
      tun_put16(ip + 2, (guint16)f->length);
      memset(ip + 10, 0, 2);
      guint16 sum = tun_sum_fold(tun_sum(0, ip, f->packet.l4));
      memcpy(ip + 10, &sum, 2);
    } else {
      tun_put16(ip + 4, (guint16)(f->length - 40));
    }
    if (tcp && f->push)
      l4[13] |= TUN_TCP_PSH;
    if (!tcp)
      tun_put16(l4 + 4, (guint16)(f->length - f->packet.l4));
    /* The value that checksum offload expects: the pseudo header's sum, folded but not complemented. */
    guint16 pseudo = (guint16)~tun_sum_fold(tun_sum_pseudo(ip, f->packet.protocol, f->length - f->packet.l4));
    memcpy(l4 + (tcp ? 16 : 6), &pseudo, 2);
    f->vnet = (TunVnet){.flags = TUN_VNET_NEEDS_CSUM,
                        .gso_type = !tcp                     ? TUN_GSO_UDP_L4
                                    : f->packet.version == 4 ? TUN_GSO_TCPV4
                                                             : TUN_GSO_TCPV6,
                        .hdr_len = (guint16)(f->header + f->packet.payload),
                        .gso_size = f->size,
                        .csum_start = (guint16)(f->header + f->packet.l4),
                        .csum_offset = tcp ? 16 : 6};
  }
  c->write(c->user, f->port, f->piece, f->n, f->n - 1);
}

void tun_coalesce_flush(TunCoalescer *c) {
  for (guint i = 0; i < c->n; i++)
    flow_write(c, &c->flow[i]);
  c->n = 0;
}

static void flow_end(TunCoalescer *c, guint i) {
  flow_write(c, &c->flow[i]);
  /* Moving a flow costs a kilobyte of copying; a burst has few, and mostly it is the last one that ends. */
  if (i != --c->n)
    c->flow[i] = c->flow[c->n];
}

/* Ports and addresses of a flow, and its TUN, in a word: quick to compare, followed by a true comparison. */
static guint64 flow_hash(gpointer port, const guint8 *ip, const TunPacket *p) {
  guint64 h = (guintptr)port ^ (guint64)p->protocol << 56, w;
  guint at = p->version == 4 ? 12 : 8, n = p->version == 4 ? 8 : 32;
  for (guint i = 0; i < n; i += 8) {
    memcpy(&w, ip + at + i, 8);
    h = (h ^ w) * G_GUINT64_CONSTANT(0x9e3779b97f4a7c15);
  }
  return (h ^ tun_get32(ip + p->l4)) * G_GUINT64_CONSTANT(0x9e3779b97f4a7c15);
}

static gboolean flow_same(const TunFlow *f, gpointer port, const guint8 *ip, guint header, const TunPacket *p) {
  guint at = p->version == 4 ? 12 : 8, n = p->version == 4 ? 8 : 32;
  return f->port == port && f->header == header && f->packet.version == p->version && f->packet.protocol == p->protocol &&
         f->packet.l4 == p->l4 && memcmp(f->ip + at, ip + at, n) == 0 && memcmp(f->ip + f->packet.l4, ip + p->l4, 4) == 0 &&
         (!header || memcmp(f->ip - header, ip - header, header) == 0);
}

/* Could the packet be part of a super-packet at all? */
static gboolean may_coalesce(const guint8 *ip, const TunPacket *p, guint join) {
  const guint8 *l4 = ip + p->l4;
  if (p->length <= p->payload || (p->version == 4 && p->l4 != 20))
    return FALSE;
  if (p->protocol == PROTO_TCP)
    return (join & TUN_JOIN_TCP) && (l4[13] & (guint8)~TUN_TCP_PSH) == TUN_TCP_ACK && !(l4[12] & 15);
  return (join & TUN_JOIN_UDP) && tun_get16(l4 + 6) != 0;
}

/* Would the kernel's segmentation of f plus this packet give back exactly what came in? */
static gboolean flow_takes(const TunFlow *f, const guint8 *ip, const TunPacket *p) {
  guint32 payload = p->length - p->payload;
  const guint8 *first = f->ip + f->packet.l4, *l4 = ip + p->l4;

  if (f->ended || f->n == TUN_FLOW_PIECES || payload > f->size || f->length + payload > IP_LENGTH_MAX || p->payload != f->packet.payload)
    return FALSE;
  if (p->version == 4) {
    guint16 id = tun_get16(ip + 4);
    if (ip[1] != f->ip[1] || ip[8] != f->ip[8] || ip[6] != f->ip[6]) /* TOS, TTL, DF */
      return FALSE;
    if (id != f->next_id || f->id_fixed) /* with DF the number may be constant, and is made to count up */
      if (!(ip[6] & 0x40) || id != tun_get16(f->ip + 4) || (f->n > 2 && !f->id_fixed))
        return FALSE;
  } else if (memcmp(ip, f->ip, 4) != 0 || ip[7] != f->ip[7]) { /* class, flow label, hop limit */
    return FALSE;
  }
  if (p->protocol != PROTO_TCP)
    return TRUE;
  /* Sequence, acknowledgement, window and options; flags are ACK and perhaps PSH in both. */
  return tun_get32(l4 + 4) == f->next_seq && memcmp(l4 + 8, first + 8, 4) == 0 && memcmp(l4 + 14, first + 14, 2) == 0 &&
         memcmp(l4 + 20, first + 20, p->payload - p->l4 - 20u) == 0;
}

static void flow_begin(TunCoalescer *c, gpointer port, guint8 *ip, guint header, const TunPacket *p, guint64 hash) {
  if (c->n == TUN_FLOWS)
    flow_end(c, 0);
  TunFlow *f = &c->flow[c->n++];
  f->port = port;
  f->ip = ip;
  f->header = header;
  f->packet = *p;
  f->hash = hash;
  f->length = p->length;
  f->size = (guint16)(p->length - p->payload);
  f->next_id = (guint16)(tun_get16(ip + 4) + 1);
  f->id_fixed = f->verified = FALSE;
  f->push = FALSE;
  f->ended = FALSE;
  f->next_seq = 0;
  if (p->protocol == PROTO_TCP) {
    f->next_seq = tun_get32(ip + p->l4 + 4) + f->size;
    f->ended = (ip[p->l4 + 13] & TUN_TCP_PSH) != 0;
  }
  f->n = 2;
  f->piece[1] = (struct iovec){ip - header, header + p->length};
}

static void flow_join(TunFlow *f, guint8 *ip, const TunPacket *p) {
  guint32 payload = p->length - p->payload;
  f->piece[f->n++] = (struct iovec){ip + p->payload, payload};
  f->length += payload;
  f->next_seq += payload;
  if (p->version == 4) {
    f->id_fixed = tun_get16(ip + 4) != f->next_id;
    f->next_id++;
  }
  f->push = p->protocol == PROTO_TCP && (ip[p->l4 + 13] & TUN_TCP_PSH);
  f->ended = f->push || payload < f->size;
}

void tun_coalesce_add(TunCoalescer *c, gpointer port, guint8 *ip, gsize length, guint header, guint join) {
  TunPacket p;
  if (!join || !tun_packet_parse(ip, length, &p)) {
    write_alone(c, port, ip - header, header + length);
    return;
  }
  guint64 hash = flow_hash(port, ip, &p);
  gboolean can = may_coalesce(ip, &p, join) && (!header || p.length == length); /* an Ethernet frame keeps its padding */
  guint i;
  for (i = 0; i < c->n; i++)
    if (c->flow[i].hash == hash && flow_same(&c->flow[i], port, ip, header, &p))
      break;
  if (i < c->n) {
    TunFlow *f = &c->flow[i];
    /* A joined packet's checksum is never looked at again: both must be right before. */
    if (can && flow_takes(f, ip, &p) && (f->verified || (f->verified = tun_packet_verify(f->ip, &f->packet))) &&
        tun_packet_verify(ip, &p)) {
      flow_join(f, ip, &p);
      return;
    }
    flow_end(c, i);
  }
  if (can)
    flow_begin(c, port, ip, header, &p, hash);
  else
    write_alone(c, port, ip - header, header ? header + length : p.length);
}
