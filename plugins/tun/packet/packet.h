/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** packet.h - IP, TCP and UDP packets, and Ethernet frames, as the data path sees them: checksums, headers, MSS. Pure. [any] */
#pragma once

#include <adit/types.h>

/* virtio-net header in front of each packet of a TUN with IFF_VNET_HDR; fields in the host's order. */
typedef struct {
  guint8 flags, gso_type;
  guint16 hdr_len, gso_size, csum_start, csum_offset;
} TunVnet;

#define TUN_VNET_LENGTH 10
G_STATIC_ASSERT(sizeof(TunVnet) == TUN_VNET_LENGTH);

enum {
  TUN_VNET_NEEDS_CSUM = 1,
  TUN_GSO_NONE = 0,
  TUN_GSO_TCPV4 = 1,
  TUN_GSO_TCPV6 = 4,
  TUN_GSO_UDP_L4 = 5,
  TUN_GSO_ECN = 0x80,
};

enum { TUN_TCP_FIN = 0x01, TUN_TCP_SYN = 0x02, TUN_TCP_PSH = 0x08, TUN_TCP_ACK = 0x10, TUN_TCP_CWR = 0x80 };

/** A TCP or UDP packet that is whole (no fragment, no IPv6 extension header). */
typedef struct {
  guint8 version, protocol;
  guint16 l4;      /**< where TCP or UDP begins */
  guint16 payload; /**< where its payload begins */
  guint32 length;  /**< of the IP packet, as its header says; the rest of the buffer is padding */
} TunPacket;

static inline guint16 tun_get16(const guint8 *p) {
  return (guint16)(p[0] << 8 | p[1]);
}
static inline guint32 tun_get32(const guint8 *p) {
  return (guint32)p[0] << 24 | (guint32)p[1] << 16 | (guint32)p[2] << 8 | p[3];
}
static inline void tun_put16(guint8 *p, guint16 v) {
  p[0] = (guint8)(v >> 8);
  p[1] = (guint8)v;
}
static inline void tun_put32(guint8 *p, guint32 v) {
  tun_put16(p, (guint16)(v >> 16));
  tun_put16(p + 2, (guint16)v);
}

/** Ones' complement sum (RFC 1071) of `data` added to `sum`, not folded, in the host's octet order. Blocks that are
 *  summed one after the other must have even lengths, but for the last. */
guint64 tun_sum(guint64 sum, const guint8 *data, gsize length);
/** Folds a sum and complements it: ready to be stored by memcpy (host's octet order = order on the wire). */
guint16 tun_sum_fold(guint64 sum);
/** Sum of the pseudo header (RFC 793 3.1, RFC 8200 8.1) of an IP packet with `length` octets of layer 4. */
guint64 tun_sum_pseudo(const guint8 *ip, guint8 protocol, guint32 length);

enum { TUN_TYPE_IPV4 = 0x0800, TUN_TYPE_IPV6 = 0x86dd };

/** Octets of an Ethernet frame before its payload; `*type` is the EtherType behind VLAN tags. 0: it is too short to be a frame. */
guint tun_ether_parse(const guint8 *ether, gsize length, guint16 *type);
/** The IP version and length in the first header; 0 if it is none or is longer than `length`. */
guint32 tun_ip_length(const guint8 *ip, gsize length);
/** True if `ip` is a whole TCP or UDP packet with complete headers. */
gboolean tun_packet_parse(const guint8 *ip, gsize length, TunPacket *out);
/** True if the checksums of the IPv4 header and of layer 4 are right. */
gboolean tun_packet_verify(const guint8 *ip, const TunPacket *p);

/** Fills the checksum that TUN left to be done (NEEDS_CSUM). False if the header makes no sense. */
gboolean tun_vnet_complete(const TunVnet *vnet, guint8 *ip, gsize length);

/** Lowers the MSS option of a SYN to `mss4` or `mss6` (0 = leave) with the checksum following (RFC 1624); with
 *  `partial` the checksum is only that of the pseudo header, and stays. True if it was changed. */
gboolean tun_clamp_mss(guint8 *ip, gsize length, guint16 mss4, guint16 mss6, gboolean partial);
