/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * coalesce.h - joins TCP segments (and UDP datagrams, where TUN takes them) of one burst into super-packets for a TUN or TAP.
 * Packets stay where they are: a super-packet is a list of pieces. Packets of one flow keep their order. Pure but for
 * the write function. [any]
 */
#pragma once

#include "packet.h"
#include <sys/uio.h>

#define TUN_FLOWS       16
#define TUN_FLOW_PIECES 66 /**< vnet header, first packet, 64 payloads */

/** Writes one packet or super-packet to `port`: pieces[0] is the vnet header. `packets` is how many were joined. */
typedef void (*TunWrite)(gpointer user, gpointer port, struct iovec *pieces, guint n, guint packets);

typedef struct {
  gpointer port;
  guint8 *ip;   /**< the first packet, whole */
  guint header; /**< octets of the Ethernet header before it */
  TunPacket packet;
  guint64 hash;
  guint32 next_seq;
  guint32 length;  /**< of the super-packet so far */
  guint16 size;    /**< payload of all but the last packet */
  guint16 next_id; /**< IPv4 identification that must follow, unless it is constant under DF */
  gboolean id_fixed, verified, ended, push;
  guint n; /**< pieces */
  TunVnet vnet;
  struct iovec piece[TUN_FLOW_PIECES];
} TunFlow;

typedef struct {
  TunWrite write;
  gpointer user;
  guint n;
  TunFlow flow[TUN_FLOWS];
} TunCoalescer;

enum {
  TUN_JOIN_TCP = 1 << 0,
  TUN_JOIN_UDP = 1 << 1, /**< the kernel takes UDP super-packets (6.2) */
};

void tun_coalesce_init(TunCoalescer *c, TunWrite write, gpointer user);
/** Takes a packet for `port`; it must stay in place, and may be changed, until flush. `header` octets before it are its Ethernet header,
 *  and `length` is without them. `join`: TUN_JOIN_* of the port. */
void tun_coalesce_add(TunCoalescer *c, gpointer port, guint8 *ip, gsize length, guint header, guint join);
/** Writes all that is held. */
void tun_coalesce_flush(TunCoalescer *c);
