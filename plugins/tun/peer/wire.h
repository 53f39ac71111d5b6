/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** wire.h - how a link's frames are written to its peer */
#pragma once

#include "where.h"
#include <adit/encap.h>

#define TUN_LEAD (ADIT_ENCAP_HEADER_MAX + 4) /**< longest tunnel and PPP header */

/** Immutable: replaced as a whole, and retired. */
typedef struct {
  AditPath path;
  AditEncap encap;
  TunWhere where;
  gboolean acfc, pfc;
  gboolean (*open)(const AditEncap *encap, const guint8 *datagram, AditClassified *c); /**< of the encap's layout; NULL = none */
  guint8 sequence_bits;                                                                /**< at which numbers wrap */
  AditEncapHeader header[2];                                                           /**< [numbered?] */
  guint8 lead[2][2][TUN_LEAD]; /**< tunnel and PPP header of a data frame: [IPv6?][numbered?] */
  guint8 lead_length[2][2];
  guint8 ppp_length[2]; /**< of its PPP header: [IPv6?] */
  guint8 control[96];   /**< ancillary data for sendmsg: source address, mark, DSCP */
  guint control_length;
} TunWire;

/** [main] A wire for this path, encap and framing; the caller's. The encap is one that adit_encap_is_carried(). */
TunWire *tun_wire_new(const AditPath *path, const AditEncap *encap, gboolean acfc, gboolean pfc);
