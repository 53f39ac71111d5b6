/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "mppe-clear.h"

#include <adit/ppp.h>

static guint16 read_be16(const guint8 *at) {
  return (guint16)(at[0] << 8 | at[1]);
}

/* RFC 791 3.1: the checksum over a header that has it is zero. */
static gboolean is_ipv4(const guint8 *ip, guint n, guint32 length) {
  guint32 sum = 0;

  if (n < 20 || ip[0] >> 4 != 4)
    return FALSE;
  guint header = (ip[0] & 15) * 4u, total = read_be16(ip + 2);
  if (header < 20 || header > n || total < header || total > length)
    return FALSE;
  for (guint i = 0; i < header; i += 2)
    sum += read_be16(ip + i);
  while (sum >> 16)
    sum = (sum & 0xffff) + (sum >> 16);
  return sum == 0xffff;
}

static gboolean is_ipv6(const guint8 *ip, guint n, guint32 length) {
  return n >= 40 && ip[0] >> 4 == 6 && read_be16(ip + 4) + 40u == length;
}

/* RFC 826, of Ethernet and IPv4. */
static gboolean is_arp(const guint8 *arp, guint n) {
  static const guint8 kind[] = {0, 1, 8, 0, 6, 4, 0};
  return n >= 28 && memcmp(arp, kind, sizeof kind) == 0 && arp[7] >= 1 && arp[7] <= 4;
}

/* To all, or between bridges (IEEE 802.1D table 7-10): BPDUs are what comes first where a port is not forwarding yet. */
static gboolean is_to_known_group(const guint8 *mac) {
  static const guint8 all[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, between_bridges[] = {0x01, 0x80, 0xc2, 0x00, 0x00};
  return memcmp(mac, all, sizeof all) == 0 || (memcmp(mac, between_bridges, sizeof between_bridges) == 0 && mac[5] < 0x10);
}

/* RFC 3518 4.2: flags and pads, MAC type, LAN id; then Ethernet. Its padding makes the payload longer than it says. */
static MppeClear judge_bridged(const guint8 *head, guint n, guint32 length) {
  enum { LAN_ID = 0x40, ETHERNET = 1, ETHER_HEADER = 14, TAG = 4 };

  if (n < 2 || head[1] != ETHERNET)
    return MPPE_CLEAR_NOISE;
  guint skip = 2 + (head[0] & LAN_ID ? 4 : 0) + ETHER_HEADER;
  if (n < skip)
    return MPPE_CLEAR_NOISE;
  if (is_to_known_group(head + skip - ETHER_HEADER))
    return MPPE_CLEAR_PROVEN;
  if (read_be16(head + skip - 2) == 0x8100 && n >= skip + TAG)
    skip += TAG;
  const guint8 *inner = head + skip;
  guint16 type = read_be16(inner - 2);
  if ((type == 0x0800 && is_ipv4(inner, n - skip, length - skip)) || (type == 0x0806 && is_arp(inner, n - skip)) ||
      (type == 0x86dd && is_ipv6(inner, n - skip, length - skip)))
    return MPPE_CLEAR_PROVEN;
  return MPPE_CLEAR_MAYBE;
}

MppeClear mppe_clear_judge(const guint8 *head, guint n, guint32 length, guint16 *protocol, guint *taken) {
  if (n < 2)
    return MPPE_CLEAR_NOISE;
  *taken = head[0] & 1 ? 1 : 2; /* RFC 1661 6.5: compressed, or not */
  *protocol = *taken == 1 ? head[0] : read_be16(head);
  head += *taken;
  n -= *taken;
  length -= *taken;
  switch (*protocol) {
  case ADIT_PPP_IPV4:
    return is_ipv4(head, n, length) ? MPPE_CLEAR_PROVEN : MPPE_CLEAR_NOISE;
  case ADIT_PPP_IPV6:
    return is_ipv6(head, n, length) ? MPPE_CLEAR_PROVEN : MPPE_CLEAR_NOISE;
  case ADIT_PPP_BRIDGE:
    return judge_bridged(head, n, length);
  }
  return MPPE_CLEAR_NOISE; /* nothing else is agreed on; LCP and NCPs must not be in there (RFC 3078 4) */
}
