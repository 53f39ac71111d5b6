/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "radius-packet.h"

enum {
  ATTRIBUTE_VENDOR_SPECIFIC = 26,
  ATTRIBUTE_MESSAGE_AUTHENTICATOR = 80,
  ATTRIBUTE_ROOM = 253, /* octets of a value: RFC 2865 5 */
  VENDOR_ROOM = 247,    /* without Vendor-Id, type and length: RFC 2865 5.26 */
};

/* Type, length, value. FALSE at the end, or when it does not fit. */
static gboolean attribute_read(AditCursor *in, guint8 *type, const guint8 **value, guint8 *length) {
  *type = adit_get_u8(in);
  guint8 whole = adit_get_u8(in);
  if (in->bad || whole < 2)
    return FALSE;
  *length = (guint8)(whole - 2);
  *value = adit_get_bytes(in, *length);
  return !in->bad;
}

gboolean radius_packet_parse(const guint8 *data, gsize length, RadiusPacket *out) {
  AditCursor in = adit_cursor(data, length);

  memset(out, 0, sizeof *out);
  out->code = adit_get_u8(&in);
  out->id = adit_get_u8(&in);
  guint16 whole = adit_get_u16(&in);
  adit_get_copy(&in, out->authenticator, sizeof out->authenticator);
  if (in.bad || whole < RADIUS_HEADER || whole > RADIUS_MAX || whole > length)
    return FALSE;
  out->attributes = in.at;
  out->length = (gsize)whole - RADIUS_HEADER;

  AditCursor attributes = adit_cursor(out->attributes, out->length);
  while (adit_left(&attributes)) {
    guint8 type, size;
    const guint8 *value;
    if (!attribute_read(&attributes, &type, &value, &size))
      return FALSE;
  }
  return TRUE;
}

/* Is the inside of a Vendor-Specific attribute what RFC 2865 5.26 suggests: sub-attributes, back to back? */
static gboolean vendor_opens(const guint8 *value, guint8 length, guint32 *vendor) {
  AditCursor in = adit_cursor(value, length);
  guint8 type, size;
  const guint8 *sub;

  *vendor = adit_get_u32(&in);
  if (!*vendor || *vendor >> 24 || !adit_left(&in))
    return FALSE;
  while (adit_left(&in))
    if (!attribute_read(&in, &type, &sub, &size))
      return FALSE;
  return TRUE;
}

gboolean radius_packet_next(const RadiusPacket *packet, RadiusIter *iter, RadiusAttribute *out) {
  if (iter->at >= packet->length)
    return FALSE;
  AditCursor in = adit_cursor(packet->attributes + iter->at, packet->length - iter->at);

  *out = (RadiusAttribute){.vendor = iter->vendor};
  if (!attribute_read(&in, &out->type, &out->value, &out->length))
    return FALSE;
  if (!iter->vendor_end && out->type == ATTRIBUTE_VENDOR_SPECIFIC && vendor_opens(out->value, out->length, &iter->vendor)) {
    iter->vendor_end = (gsize)(in.at - packet->attributes);
    in = adit_cursor(out->value, out->length);
    adit_skip(&in, 4);
    out->vendor = iter->vendor;
    attribute_read(&in, &out->type, &out->value, &out->length);
  }
  iter->at = (gsize)(in.at - packet->attributes);
  if (iter->at >= iter->vendor_end)
    iter->vendor = 0, iter->vendor_end = 0;
  return TRUE;
}

gboolean radius_packet_find(const RadiusPacket *packet, guint32 vendor, guint8 type, RadiusAttribute *out) {
  RadiusIter iter = {0};
  while (radius_packet_next(packet, &iter, out))
    if (out->vendor == vendor && out->type == type)
      return TRUE;
  memset(out, 0, sizeof *out);
  return FALSE;
}

gboolean radius_attribute_int(const RadiusAttribute *attribute, guint32 *out) {
  AditCursor in = adit_cursor(attribute->value, attribute->length);
  *out = adit_get_u32(&in);
  return attribute->length == 4;
}

void radius_build(RadiusBuilder *b, guint8 code, gboolean sign) {
  static const guint8 zeros[16] = {0};

  memset(b, 0, sizeof *b);
  b->data[0] = code;
  b->length = RADIUS_HEADER;
  if (!sign)
    return;
  radius_put(b, 0, ATTRIBUTE_MESSAGE_AUTHENTICATOR, zeros, sizeof zeros);
  b->message_authenticator = RADIUS_HEADER + 2;
}

void radius_set_authenticator(RadiusBuilder *b, const guint8 random16[16]) {
  memcpy(b->data + 4, random16, 16);
}

void radius_put(RadiusBuilder *b, guint32 vendor, guint8 type, const void *value, gsize length) {
  gsize head = vendor ? 8 : 2;

  if (length > (vendor ? VENDOR_ROOM : ATTRIBUTE_ROOM) || head + length > sizeof b->data - b->length) {
    b->overflow = TRUE;
    return;
  }
  AditBuilder out = adit_builder(b->data + b->length, head + length);
  if (vendor) {
    adit_put_u8(&out, ATTRIBUTE_VENDOR_SPECIFIC);
    adit_put_u8(&out, (guint8)(head + length));
    adit_put_u32(&out, vendor);
  }
  adit_put_u8(&out, type);
  adit_put_u8(&out, (guint8)(2 + length));
  adit_put_bytes(&out, value, length);
  b->length += head + length;
}

void radius_put_int(RadiusBuilder *b, guint32 vendor, guint8 type, guint32 value) {
  const guint8 octets[4] = {(guint8)(value >> 24), (guint8)(value >> 16), (guint8)(value >> 8), (guint8)value};
  radius_put(b, vendor, type, octets, sizeof octets);
}

void radius_put_string(RadiusBuilder *b, guint32 vendor, guint8 type, const char *text) {
  gsize length = text ? strlen(text) : 0;
  if (length)
    radius_put(b, vendor, type, text, MIN(length, vendor ? (gsize)VENDOR_ROOM : (gsize)ATTRIBUTE_ROOM));
}

const char *radius_code_name(guint8 code) {
  switch (code) {
  case RADIUS_ACCESS_REQUEST:
    return "Access-Request";
  case RADIUS_ACCESS_ACCEPT:
    return "Access-Accept";
  case RADIUS_ACCESS_REJECT:
    return "Access-Reject";
  case RADIUS_ACCOUNTING_REQUEST:
    return "Accounting-Request";
  case RADIUS_ACCOUNTING_RESPONSE:
    return "Accounting-Response";
  case RADIUS_ACCESS_CHALLENGE:
    return "Access-Challenge";
  case RADIUS_STATUS_SERVER:
    return "Status-Server";
  case RADIUS_DISCONNECT_REQUEST:
    return "Disconnect-Request";
  case RADIUS_DISCONNECT_ACK:
    return "Disconnect-ACK";
  case RADIUS_DISCONNECT_NAK:
    return "Disconnect-NAK";
  case RADIUS_COA_REQUEST:
    return "CoA-Request";
  case RADIUS_COA_ACK:
    return "CoA-ACK";
  case RADIUS_COA_NAK:
    return "CoA-NAK";
  default:
    return "an unknown code";
  }
}
