/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** segment.h - cuts a super-packet from a TUN into packets that fit the link. Pure. [any] */
#pragma once

#include "packet.h"

/** Space for the IP and layer 4 headers of one segment: 60 octets each at most for IPv4 and TCP, some IPv6 extension headers. */
#define TUN_SEGMENT_HEADER 160

typedef struct {
  const guint8 *ip;
  guint32 length;
  guint16 l4, header; /**< where layer 4 and its payload begin */
  guint16 size;       /**< payload octets in each segment but the last */
  guint8 protocol;
  guint n; /**< how many segments */
} TunSplit;

/** Checks what TUN says of a super-packet. False: it can't be cut, drop it. */
gboolean tun_split_begin(TunSplit *split, const TunVnet *vnet, const guint8 *ip, gsize length);
/** Writes the split->header octets of segment `i`'s headers, checksums included, to `header`. `*payload` points into the
 *  super-packet; its length is returned. */
guint tun_split_segment(const TunSplit *split, guint i, guint8 header[TUN_SEGMENT_HEADER], const guint8 **payload);
