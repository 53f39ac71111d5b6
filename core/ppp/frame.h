/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** Frames and packets of PPP: the first octets of everything. [any] */
#pragma once

#include <adit/ppp.h>

G_BEGIN_DECLS

/** Longest control packet that is looked at or made. A Configure-Request that needs more is no honest one. */
#define ADIT_PPP_CONTROL_MAX 1500
/** Space for the headers and trailer of a frame. */
#define ADIT_PPP_FRAME_MAX (ADIT_PPP_CONTROL_MAX + 2)

/** Splits a frame into protocol and payload, whatever framing it came in: with address and control field or without
 *  (RFC 1661 6.6), protocol in two octets or one (6.5). False if it is too short or its protocol number is impossible. */
gboolean adit_ppp_frame_parse(const guint8 *frame, gsize length, guint16 *protocol, AditCursor *payload);

/** A packet of a control protocol (RFC 1661 5). */
typedef struct {
  guint8 code, id;
  const guint8 *data; /**< behind the length field */
  gsize length;       /**< of data */
} AditPppPacket;

/** Reads code, identifier and length; octets behind the length are padding. False if it is no packet. */
gboolean adit_ppp_packet_parse(const guint8 *payload, gsize length, AditPppPacket *out);

/** A frame with a control packet: protocol, code, id, length, data. Returns its length; 0 if it does not fit into `size`. */
gsize adit_ppp_packet_frame(guint8 *frame, gsize size, guint16 protocol, guint8 code, guint8 id, const void *data, gsize length);

G_END_DECLS
