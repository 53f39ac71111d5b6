/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "segment.h"

enum { PROTO_TCP = 6, PROTO_UDP = 17 };

gboolean tun_split_begin(TunSplit *split, const TunVnet *vnet, const guint8 *ip, gsize length) {
  guint8 kind = vnet->gso_type & (guint8)~TUN_GSO_ECN;
  guint8 version = length ? ip[0] >> 4 : 0;
  gboolean tcp = (kind == TUN_GSO_TCPV4 && version == 4) || (kind == TUN_GSO_TCPV6 && version == 6);
  guint32 l4 = vnet->csum_start, fixed = tcp ? 20 : 8;

  if ((!tcp && kind != TUN_GSO_UDP_L4) || !(vnet->flags & TUN_VNET_NEEDS_CSUM) || !vnet->gso_size)
    return FALSE;
  if ((version == 4 ? l4 < 20 || l4 != (guint32)(ip[0] & 15) * 4 : version != 6 || l4 < 40) || l4 + fixed > length)
    return FALSE;
  if (length > G_MAXUINT16 + 40u)
    return FALSE;
  guint32 header = l4 + (tcp ? (guint32)(ip[l4 + 12] >> 4) * 4 : 8);
  if (header < l4 + fixed || header > length || header > TUN_SEGMENT_HEADER || header + vnet->gso_size > G_MAXUINT16)
    return FALSE;

  *split = (TunSplit){.ip = ip,
                      .length = (guint32)length,
                      .l4 = (guint16)l4,
                      .header = (guint16)header,
                      .size = vnet->gso_size,
                      .protocol = tcp ? PROTO_TCP : PROTO_UDP};
  split->n = MAX(1, (split->length - header + split->size - 1) / split->size);
  return TRUE;
}

static void segment_ip(const TunSplit *s, guint i, guint8 *header, guint32 total) {
  if (header[0] >> 4 == 6) {
    tun_put16(header + 4, (guint16)(total - 40));
    return;
  }
  tun_put16(header + 2, (guint16)total);
  tun_put16(header + 4, (guint16)(tun_get16(header + 4) + i));
  memset(header + 10, 0, 2);
  guint16 sum = tun_sum_fold(tun_sum(0, header, s->l4));
  memcpy(header + 10, &sum, 2);
}

guint tun_split_segment(const TunSplit *s, guint i, guint8 header[TUN_SEGMENT_HEADER], const guint8 **payload) {
  guint32 from = i * (guint32)s->size;
  guint32 length = MIN(s->size, s->length - s->header - from);
  guint8 *l4 = header + s->l4;
  guint32 l4_length = s->header - s->l4 + length;
  guint8 *check = l4 + (s->protocol == PROTO_TCP ? 16 : 6);

  memcpy(header, s->ip, s->header);
  *payload = s->ip + s->header + from;
  segment_ip(s, i, header, s->header + length);
  if (s->protocol == PROTO_TCP) {
    tun_put32(l4 + 4, tun_get32(l4 + 4) + from);
    if (i + 1 < s->n)
      l4[13] &= (guint8) ~(TUN_TCP_FIN | TUN_TCP_PSH);
    if (i > 0)
      l4[13] &= (guint8)~TUN_TCP_CWR;
  } else {
    tun_put16(l4 + 4, (guint16)l4_length);
  }
  memset(check, 0, 2);
  guint64 sum = tun_sum(tun_sum_pseudo(header, s->protocol, l4_length), l4, s->header - s->l4);
  guint16 folded = tun_sum_fold(tun_sum(sum, *payload, length));
  if (!folded && s->protocol == PROTO_UDP)
    folded = 0xffff;
  memcpy(check, &folded, 2);
  return length;
}
