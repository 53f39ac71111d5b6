/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * fake-layout.h - an encapsulation that shares nothing with L2TPv2's: no tunnel id, a session id of 32 bits, a cookie of 8 octets that only
 * the link knows, and a number of 24 bits behind a flag. As RFC 3931 4.1.2.1 and 4.6 have it over UDP.
 *
 *     00 03 00 00 | session id | cookie, 8 octets | 40 and number, or 4 zeros | PPP frame
 */
#pragma once

#include <adit/encap.h>

#define FAKE_LAYOUT_HEADER 20

static void fake_layout_classify(const guint8 *datagram, gsize length, AditClassified *out) {
  AditCursor in = adit_cursor(datagram, length);
  memset(out, 0, sizeof *out);
  guint32 flags = adit_get_u32(&in);
  out->session = adit_get_u32(&in);
  out->offset = 8;
  out->length = (guint16)adit_left(&in);
  out->klass = in.bad || length > G_MAXUINT16 ? ADIT_CLASS_DROP : flags == 0x00030000 ? ADIT_CLASS_DATA : ADIT_CLASS_CONTROL_NEW;
}

static gboolean fake_layout_header(const AditEncap *encap, gboolean sequenced, AditEncapHeader *out) {
  AditBuilder b = adit_builder(out->octets, sizeof out->octets);
  if (encap->cookie_length != 8)
    return FALSE;
  adit_put_u32(&b, 0x00030000);
  adit_put_u32(&b, encap->peer_session);
  adit_put_bytes(&b, encap->peer_cookie, 8);
  adit_put_u32(&b, sequenced ? 0x40000000 : 0);
  out->length = (guint8)adit_built(&b);
  out->sequence_at = sequenced ? 17 : 0;
  out->sequence_octets = sequenced ? 3 : 0;
  return TRUE;
}

static gboolean fake_layout_open(const AditEncap *encap, const guint8 *datagram, AditClassified *c) {
  AditCursor in = adit_cursor(datagram + c->offset, c->length);
  const guint8 *cookie = adit_get_bytes(&in, 8);
  guint32 sublayer = adit_get_u32(&in);
  if (in.bad || memcmp(cookie, encap->local_cookie, 8) != 0)
    return FALSE;
  c->has_sequence = (sublayer & 0x40000000) != 0;
  c->sequence = sublayer & 0xffffff;
  c->offset = (guint16)(c->offset + 12);
  c->length = (guint16)(c->length - 12);
  return TRUE;
}

static const AditEncapLayout fake_layout = {.size = sizeof fake_layout,
                                            .name = "fake",
                                            .sequence_bits = 24,
                                            .header = fake_layout_header,
                                            .open = fake_layout_open,
                                            .n_steer = 1,
                                            .steer = {{.mask = 0x80, .value = 0, .octets = 4, .session_at = 4}}};

/** A link of it: `session` is the id at both ends. */
static inline AditEncap fake_layout_encap(guint32 session, guint8 sequence) {
  AditEncap encap = {.layout = &fake_layout, .local_session = session, .peer_session = session, .cookie_length = 8, .sequence = sequence};
  memcpy(encap.local_cookie, "mycookie", 8);
  memcpy(encap.peer_cookie, "yourcook", 8);
  return encap;
}

/** Writes a data message as the peer of fake_layout_encap() would; `number` below 0 = none. Returns its length. */
static inline gsize fake_layout_wrap(guint8 *out, gsize size, guint32 session, const char *cookie, gint64 number, const void *frame,
                                     gsize length) {
  AditBuilder b = adit_builder(out, size);
  adit_put_u32(&b, 0x00030000);
  adit_put_u32(&b, session);
  adit_put_bytes(&b, cookie, 8);
  adit_put_u32(&b, number < 0 ? 0 : 0x40000000 | ((guint32)number & 0xffffff));
  adit_put_bytes(&b, frame, length);
  return b.bad ? 0 : adit_built(&b);
}
