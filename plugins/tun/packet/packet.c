/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "packet.h"
#include <adit/ether.h>

enum {
  EXT_HOP_BY_HOP = 0,
  EXT_ROUTING = 43,
  EXT_FRAGMENT = 44,
  EXT_DESTINATION = 60,
  EXT_MOBILITY = 135,
  EXTENSIONS = 8, /* headers that are passed over: no sender has more */
};
enum { IPV6_LENGTH = 40, TCP_MIN = 20, UDP_LENGTH = 8, PROTO_TCP = 6, PROTO_UDP = 17, TCP_OPTION_MSS = 2 };
enum { TAGS_MAX = 2, TYPE_VLAN = 0x8100, TYPE_QINQ = 0x88a8 };

/* Sums of 32-bit halves side by side, in vectors of a size that every machine has: no carries. */
typedef guint64 Lanes __attribute__((vector_size(16)));

guint64 tun_sum(guint64 sum, const guint8 *data, gsize length) {
  const Lanes low = {0xffffffff, 0xffffffff};
  Lanes a = {0}, b = {0}, c = {0}, d = {0};
  for (; length >= 32; data += 32, length -= 32) {
    Lanes w, x;
    memcpy(&w, data, sizeof w);
    memcpy(&x, data + sizeof w, sizeof x);
    a += w & low;
    b += w >> 32;
    c += x & low;
    d += x >> 32;
  }
  a += b + c + d;
  sum += a[0] + a[1];
  for (; length >= 4; data += 4, length -= 4) {
    guint32 w;
    memcpy(&w, data, 4);
    sum += w;
  }
  if (length) {
    guint8 rest[4] = {0};
    guint32 w;
    memcpy(rest, data, length);
    memcpy(&w, rest, 4);
    sum += w;
  }
  return sum;
}

guint16 tun_sum_fold(guint64 sum) {
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return (guint16)~sum;
}

guint64 tun_sum_pseudo(const guint8 *ip, guint8 protocol, guint32 length) {
  guint8 tail[8] = {(guint8)(length >> 24), (guint8)(length >> 16), (guint8)(length >> 8), (guint8)length, 0, 0, 0, protocol};
  guint64 sum = tun_sum(0, tail, sizeof tail);
  return ip[0] >> 4 == 4 ? tun_sum(sum, ip + 12, 8) : tun_sum(sum, ip + 8, 32);
}

guint tun_ether_parse(const guint8 *ether, gsize length, guint16 *type) {
  guint at = ADIT_ETHER_HEADER;
  *type = 0;
  if (length < at)
    return 0;
  *type = tun_get16(ether + 12);
  for (guint i = 0; i < TAGS_MAX && (*type == TYPE_VLAN || *type == TYPE_QINQ) && length >= at + ADIT_ETHER_TAG; i++) {
    at += ADIT_ETHER_TAG;
    *type = tun_get16(ether + at - 2);
  }
  return at;
}

guint32 tun_ip_length(const guint8 *ip, gsize length) {
  guint32 total = 0;
  if (length >= 20 && ip[0] >> 4 == 4)
    total = tun_get16(ip + 2) < 20 ? 0 : tun_get16(ip + 2);
  else if (length >= IPV6_LENGTH && ip[0] >> 4 == 6)
    total = IPV6_LENGTH + (guint32)tun_get16(ip + 4);
  return total <= length ? total : 0;
}

gboolean tun_packet_parse(const guint8 *ip, gsize length, TunPacket *out) {
  guint32 total = tun_ip_length(ip, length);
  if (!total)
    return FALSE;
  out->version = ip[0] >> 4;
  out->length = total;
  if (out->version == 4) {
    out->l4 = (guint16)((ip[0] & 15) * 4);
    out->protocol = ip[9];
    if (out->l4 < 20 || (tun_get16(ip + 6) & 0x3fff)) /* a fragment: MF or an offset */
      return FALSE;
  } else {
    out->l4 = IPV6_LENGTH;
    out->protocol = ip[6];
  }
  if (out->protocol == PROTO_TCP) {
    if (total < (guint32)out->l4 + TCP_MIN)
      return FALSE;
    guint header = (guint)(ip[out->l4 + 12] >> 4) * 4;
    out->payload = (guint16)(out->l4 + header);
    return header >= TCP_MIN && out->payload <= total;
  }
  if (out->protocol == PROTO_UDP) {
    out->payload = (guint16)(out->l4 + UDP_LENGTH);
    return out->payload <= total && tun_get16(ip + out->l4 + 4) == total - out->l4;
  }
  return FALSE;
}

gboolean tun_packet_verify(const guint8 *ip, const TunPacket *p) {
  guint32 length = p->length - p->l4;
  if (p->version == 4 && tun_sum_fold(tun_sum(0, ip, p->l4)) != 0)
    return FALSE;
  return tun_sum_fold(tun_sum(tun_sum_pseudo(ip, p->protocol, length), ip + p->l4, length)) == 0;
}

gboolean tun_vnet_complete(const TunVnet *vnet, guint8 *ip, gsize length) {
  gsize at = (gsize)vnet->csum_start + vnet->csum_offset;
  if (!(vnet->flags & TUN_VNET_NEEDS_CSUM))
    return TRUE;
  if (vnet->csum_start > length || at + 2 > length)
    return FALSE;
  guint16 sum = tun_sum_fold(tun_sum(0, ip + vnet->csum_start, length - vnet->csum_start));
  if (!sum && vnet->csum_offset == 6)
    sum = 0xffff; /* UDP: zero means none (RFC 768) */
  memcpy(ip + at, &sum, 2);
  return TRUE;
}

/* Where TCP begins behind IPv6 extension headers (RFC 8200 4), if it does in this packet, with its whole header. */
static gboolean find_tcp6(const guint8 *ip, gsize length, TunPacket *p) {
  guint32 total = tun_ip_length(ip, length), at = IPV6_LENGTH;
  guint8 next = total ? ip[6] : 0;
  for (guint i = 0; i < EXTENSIONS && total && next != PROTO_TCP; i++) {
    guint32 size;
    if (at + 8 > total)
      return FALSE;
    if (next == EXT_FRAGMENT) { /* only the first has the header, and more may follow: lowering the MSS in it is all right */
      if (tun_get16(ip + at + 2) & 0xfff8)
        return FALSE;
      size = 8;
    } else if (next == EXT_HOP_BY_HOP || next == EXT_ROUTING || next == EXT_DESTINATION || next == EXT_MOBILITY) {
      size = ((guint32)ip[at + 1] + 1) * 8;
    } else { /* authentication (RFC 4302), too: its sum would not be right any more */
      return FALSE;
    }
    next = ip[at];
    at += size;
  }
  if (!total || next != PROTO_TCP || at + TCP_MIN > total)
    return FALSE;
  guint header = (guint)(ip[at + 12] >> 4) * 4;
  *p = (TunPacket){.version = 6, .protocol = PROTO_TCP, .l4 = (guint16)at, .payload = (guint16)(at + header), .length = total};
  return header >= TCP_MIN && at + header <= total;
}

gboolean tun_clamp_mss(guint8 *ip, gsize length, guint16 mss4, guint16 mss6, gboolean partial) {
  TunPacket p;
  /* Most packets leave here: not TCP, or no SYN. */
  if (!tun_packet_parse(ip, length, &p)) {
    if (length < IPV6_LENGTH || ip[0] >> 4 != 6 || ip[6] == PROTO_TCP || ip[6] == PROTO_UDP || !find_tcp6(ip, length, &p))
      return FALSE;
  }
  if (p.protocol != PROTO_TCP || !(ip[p.l4 + 13] & TUN_TCP_SYN))
    return FALSE;
  guint16 limit = p.version == 4 ? mss4 : mss6;
  guint8 *at = ip + p.l4 + TCP_MIN, *end = ip + p.payload;
  while (limit && at < end && *at != 0) {
    if (*at == 1) {
      at++;
      continue;
    }
    if (end - at < 2 || at[1] < 2 || at[1] > end - at)
      return FALSE;
    if (at[0] == TCP_OPTION_MSS && at[1] == 4) {
      guint16 old = tun_get16(at + 2);
      if (old <= limit)
        return FALSE;
      tun_put16(at + 2, limit);
      if (!partial) {
        /* HC' = ~(~HC + ~m + m'); at an odd offset each word counts with its octets swapped. */
        guint8 *check = ip + p.l4 + 16;
        guint16 before = old, after = limit;
        if ((at + 2 - (ip + p.l4)) & 1) {
          before = GUINT16_SWAP_LE_BE(before);
          after = GUINT16_SWAP_LE_BE(after);
        }
        guint32 sum = (guint16)~tun_get16(check) + (guint32)(guint16)~before + after;
        sum = (sum & 0xffff) + (sum >> 16);
        sum = (sum & 0xffff) + (sum >> 16);
        tun_put16(check, (guint16)~sum);
      }
      return TRUE;
    }
    at += at[1];
  }
  return FALSE;
}
