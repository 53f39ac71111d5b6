/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** packets.h - makes IP packets for the tests of this folder. */
#pragma once

#include "packet/packet.h"

typedef struct {
  gboolean six, udp;
  guint16 id, window;
  guint32 seq;
  guint8 flags;          /**< of TCP; 0 = ACK */
  guint16 port;          /**< the source's */
  const guint8 *options; /**< of TCP */
  guint n_options;
  guint payload;
  guint8 fill;
} PacketSpec;

/** The checksum of RFC 1071 octet by octet, as slow and plain as it is written there. */
static inline guint16 plain_checksum(const guint8 *data, gsize length, guint32 sum) {
  for (gsize i = 0; i + 1 < length; i += 2)
    sum += tun_get16(data + i);
  if (length & 1)
    sum += (guint32)data[length - 1] << 8;
  while (sum >> 16)
    sum = (sum & 0xffff) + (sum >> 16);
  return (guint16)~sum;
}

/** Sum of the pseudo header, to begin plain_checksum() with. */
static inline guint32 plain_pseudo(const guint8 *ip, guint8 protocol, guint32 length) {
  guint32 sum = protocol + (length >> 16) + (length & 0xffff);
  guint at = ip[0] >> 4 == 4 ? 12 : 8, n = ip[0] >> 4 == 4 ? 8 : 32;
  for (guint i = 0; i < n; i += 2)
    sum += tun_get16(ip + at + i);
  return sum;
}

/** Writes the packet to `out` and returns its length; all checksums are right. */
static inline guint packet_make(guint8 *out, const PacketSpec *spec) {
  guint l4 = spec->six ? 40 : 20, header = spec->udp ? 8 : 20 + spec->n_options, length = l4 + header + spec->payload;
  guint8 *p = out + l4;
  memset(out, 0, l4 + header);
  if (spec->six) {
    out[0] = 0x60;
    tun_put16(out + 4, (guint16)(length - 40));
    out[6] = spec->udp ? 17 : 6;
    out[7] = 64;
    out[8] = out[24] = 0xfd;
    out[23] = 1;
    out[39] = 2;
  } else {
    out[0] = 0x45;
    tun_put16(out + 2, (guint16)length);
    tun_put16(out + 4, spec->id);
    out[6] = 0x40;
    out[8] = 64;
    out[9] = spec->udp ? 17 : 6;
    tun_put32(out + 12, 0x0a000001);
    tun_put32(out + 16, 0x0a000002);
    tun_put16(out + 10, plain_checksum(out, 20, 0));
  }
  tun_put16(p, spec->port ? spec->port : 1000);
  tun_put16(p + 2, 80);
  if (spec->udp) {
    tun_put16(p + 4, (guint16)(8 + spec->payload));
  } else {
    tun_put32(p + 4, spec->seq);
    tun_put32(p + 8, 77);
    p[12] = (guint8)((header / 4) << 4);
    p[13] = spec->flags ? spec->flags : TUN_TCP_ACK;
    tun_put16(p + 14, spec->window ? spec->window : 512);
    if (spec->n_options)
      memcpy(p + 20, spec->options, spec->n_options);
  }
  for (guint i = 0; i < spec->payload; i++)
    p[header + i] = (guint8)(spec->fill + i * 7);
  guint16 sum = plain_checksum(p, length - l4, plain_pseudo(out, spec->udp ? 17 : 6, length - l4));
  tun_put16(p + (spec->udp ? 6 : 16), spec->udp && !sum ? 0xffff : sum);
  return length;
}
