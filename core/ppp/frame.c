/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/ppp/frame.h"

gboolean adit_ppp_frame_parse(const guint8 *frame, gsize length, guint16 *protocol, AditCursor *payload) {
  AditCursor in = adit_cursor(frame, length);

  /* No protocol number begins with 0xff: this can only be the address field. */
  if (length >= 2 && frame[0] == 0xff && frame[1] == 0x03)
    adit_skip(&in, 2);

  /* The low bit of the first octet is clear when a second one follows, and set in the last one. */
  guint16 number = adit_get_u8(&in);
  if (!(number & 1)) {
    number = (guint16)(number << 8 | adit_get_u8(&in));
    if (!(number & 1))
      return FALSE;
  }
  *protocol = number;
  *payload = in;
  return !in.bad;
}

gboolean adit_ppp_packet_parse(const guint8 *payload, gsize length, AditPppPacket *out) {
  AditCursor in = adit_cursor(payload, length);
  out->code = adit_get_u8(&in);
  out->id = adit_get_u8(&in);
  gsize whole = adit_get_u16(&in);
  if (in.bad || whole < 4 || whole > length)
    return FALSE;
  out->data = in.at;
  out->length = whole - 4;
  return TRUE;
}

gsize adit_ppp_packet_frame(guint8 *frame, gsize size, guint16 protocol, guint8 code, guint8 id, const void *data, gsize length) {
  AditBuilder out = adit_builder(frame, size);
  if (length > G_MAXUINT16 - 4)
    return 0;
  adit_put_u16(&out, protocol);
  adit_put_u8(&out, code);
  adit_put_u8(&out, id);
  adit_put_u16(&out, (guint16)(length + 4));
  adit_put_bytes(&out, data, length);
  return out.bad ? 0 : adit_built(&out);
}
