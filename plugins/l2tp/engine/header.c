/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "header.h"

enum {
  BIT_TYPE = 0x8000,
  BIT_LENGTH = 0x4000,
  BIT_SEQUENCE = 0x0800,
  BIT_OFFSET = 0x0200,
  BIT_PRIORITY = 0x0100,
  VERSION_MASK = 0x000f,
  VERSION = 2,
};

gboolean l2tp_header_parse(L2tpHeader *out, const guint8 *datagram, gsize length) {
  AditCursor c = adit_cursor(datagram, MIN(length, G_MAXUINT16));
  gsize total = adit_left(&c);
  guint16 flags = adit_get_u16(&c);

  memset(out, 0, sizeof *out);
  if (c.bad || (flags & VERSION_MASK) != VERSION)
    return FALSE;
  out->control = (flags & BIT_TYPE) != 0;
  out->has_sequence = (flags & BIT_SEQUENCE) != 0;
  /* A control message has Length and sequence, and neither offset nor priority. */
  if (out->control && (flags & (BIT_LENGTH | BIT_SEQUENCE | BIT_OFFSET | BIT_PRIORITY)) != (BIT_LENGTH | BIT_SEQUENCE))
    return FALSE;

  if (flags & BIT_LENGTH) {
    guint16 stated = adit_get_u16(&c);
    if (c.bad || stated > total || stated < 4)
      return FALSE;
    c.end = datagram + stated;
  }
  out->tunnel = adit_get_u16(&c);
  out->session = adit_get_u16(&c);
  if (out->has_sequence) {
    out->ns = adit_get_u16(&c);
    out->nr = adit_get_u16(&c);
  }
  if (flags & BIT_OFFSET)
    adit_skip(&c, adit_get_u16(&c));
  if (c.bad)
    return FALSE;
  out->offset = (guint16)(c.at - datagram);
  out->length = (guint16)adit_left(&c);
  return TRUE;
}

void l2tp_header_put(AditBuilder *out, guint16 tunnel, guint16 session, guint16 ns, guint16 nr) {
  adit_put_u16(out, BIT_TYPE | BIT_LENGTH | BIT_SEQUENCE | VERSION);
  adit_put_u16(out, L2TP_CONTROL_HEADER);
  adit_put_u16(out, tunnel);
  adit_put_u16(out, session);
  adit_put_u16(out, ns);
  adit_put_u16(out, nr);
}

void l2tp_header_finish(AditBuilder *out) {
  adit_patch_u16(out, 2, (guint16)adit_built(out));
}

void l2tp_header_set_sequence(guint8 *message, guint16 ns, guint16 nr) {
  AditBuilder b = adit_builder(message + 8, 4);
  adit_put_u16(&b, ns);
  adit_put_u16(&b, nr);
}

void l2tp_classify(const guint8 *datagram, gsize length, AditClassified *out) {
  L2tpHeader h;

  memset(out, 0, sizeof *out);
  if (!l2tp_header_parse(&h, datagram, length))
    return;
  out->tunnel = h.tunnel;
  out->session = h.session;
  if (h.control) {
    out->klass = length > L2TP_CONTROL_MAX ? ADIT_CLASS_DROP : h.tunnel ? ADIT_CLASS_CONTROL : ADIT_CLASS_CONTROL_NEW;
    return;
  }
  if (!h.session) /* no call has id 0 */
    return;
  out->klass = ADIT_CLASS_DATA;
  out->offset = h.offset;
  out->length = h.length;
  out->has_sequence = h.has_sequence;
  out->sequence = h.ns;
}

void l2tp_classify_any_tunnel(const guint8 *datagram, gsize length, AditClassified *out) {
  l2tp_classify(datagram, length, out);
  if (out->klass == ADIT_CLASS_DATA)
    out->tunnel = 0;
}
