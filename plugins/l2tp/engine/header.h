/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** header.h - the L2TPv2 header, of control and data messages (RFC 2661 3.1). Pure. */
#pragma once

#include <adit/cursor.h>
#include <adit/path.h>

#define L2TP_PORT           1701
#define L2TP_CONTROL_HEADER 12
/** No control message is longer, either way: what arrives longer is dropped. */
#define L2TP_CONTROL_MAX 4096

typedef struct {
  gboolean control;
  gboolean has_sequence; /**< S bit: always in control messages */
  guint16 tunnel, session;
  guint16 ns, nr;
  guint16 offset; /**< where the body (AVPs, or a PPP frame) begins */
  guint16 length; /**< of the body */
} L2tpHeader;

/** Reads the header of a whole datagram of `length` octets. False if it is no well-formed L2TPv2 message; octets behind
 *  the Length field are ignored. [any] */
gboolean l2tp_header_parse(L2tpHeader *out, const guint8 *datagram, gsize length);

/** Writes a control header of L2TP_CONTROL_HEADER octets; its length is patched by l2tp_header_finish(). [any] */
void l2tp_header_put(AditBuilder *out, guint16 tunnel, guint16 session, guint16 ns, guint16 nr);
void l2tp_header_finish(AditBuilder *out);
/** Sets Ns and Nr of a finished control message: each resend carries the newest Nr (RFC 2661 5.8). [any] */
void l2tp_header_set_sequence(guint8 *message, guint16 ns, guint16 nr);

/** AditClassify of this transport. [worker] */
void l2tp_classify(const guint8 *datagram, gsize length, AditClassified *out);
/** The same for listeners that tolerate data with tunnel id 0: all data is reported with tunnel 0, and session ids are
 *  unique in the listener. [worker] */
void l2tp_classify_any_tunnel(const guint8 *datagram, gsize length, AditClassified *out);
