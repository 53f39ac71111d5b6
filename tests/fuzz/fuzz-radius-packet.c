/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The first octet says what the others are: 0 a datagram; 1 attributes of a packet that is sealed and signed here, as a fuzzer would
 * never find a digest; 2 attributes to be written (vendor, type, length, value), of a request; 3 the same of a reply; 4 a salted
 * value; 5 a hidden password; 6 a password to hide. */
#include "plugins-auth/radius/wire/radius-packet.h"
#include <stdlib.h>

#define SECRET "xyzzy5461"

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

static const guint8 authenticator[16] = {0x0f, 0x40, 0x3f, 0x94, 0x73, 0x97, 0x80, 0x57, 0xbd, 0x83, 0xd5, 0xcb, 0x98, 0xf4, 0x22, 0x7a};

static void demand(gboolean what) {
  if (!what)
    abort();
}

/* Every attribute, and that none lies outside. */
static guint walk(const RadiusPacket *packet) {
  RadiusIter iter = {0};
  RadiusAttribute a, found;
  guint n = 0, sum = 0;
  guint32 number;

  while (radius_packet_next(packet, &iter, &a)) {
    demand(a.value >= packet->attributes && a.value + a.length <= packet->attributes + packet->length);
    demand(radius_packet_find(packet, a.vendor, a.type, &found) && found.value <= a.value);
    demand(radius_attribute_int(&a, &number) == (a.length == 4));
    for (guint i = 0; i < a.length; i++)
      sum += a.value[i];
    n++;
  }
  demand(iter.at == packet->length);
  return n + (sum & 1);
}

static void datagram(const guint8 *data, gsize size) {
  RadiusPacket packet;
  gboolean good = radius_packet_parse(data, size, &packet);

  if (good)
    walk(&packet);
  for (gboolean signed_too = FALSE; signed_too <= TRUE; signed_too++) {
    RadiusCheck reply = radius_check_reply(data, size, authenticator, SECRET, signed_too);
    RadiusCheck request = radius_check_request(data, size, SECRET, signed_too);
    demand(good || (reply == RADIUS_BAD_AUTHENTICATOR && request == RADIUS_BAD_AUTHENTICATOR));
  }
  if (good && *radius_code_name(packet.code) == 0)
    abort();
}

/* Whole attributes, if they are some: the packet around them is good, and one flipped bit makes it bad. */
static void sealed(const guint8 *data, gsize size) {
  RadiusPacket request = {.id = 1}, packet;
  RadiusBuilder b;

  memcpy(request.authenticator, authenticator, sizeof authenticator);
  radius_build(&b, RADIUS_ACCESS_ACCEPT, TRUE);
  if (size > sizeof b.data - b.length)
    return;
  memcpy(b.data + b.length, data, size);
  b.length += size;
  radius_finish_reply(&b, &request, SECRET);
  RadiusCheck check = radius_check_reply(b.data, b.length, authenticator, SECRET, TRUE);
  if (!radius_packet_parse(b.data, b.length, &packet)) {
    demand(check == RADIUS_BAD_AUTHENTICATOR);
    return;
  }
  walk(&packet);
  demand(check == RADIUS_GOOD || check == RADIUS_BAD_SIGNATURE); /* the latter: another Message-Authenticator in the octets */
  b.data[b.length - 1] ^= 1;
  demand(radius_check_reply(b.data, b.length, authenticator, SECRET, FALSE) != RADIUS_GOOD);
}

static void put(RadiusBuilder *b, AditCursor *in) {
  guint32 vendor = adit_get_u8(in) & 1 ? adit_get_u32(in) & 0xffffff : 0;
  guint8 type = adit_get_u8(in);
  gsize length = adit_get_u8(in);
  const guint8 *value = adit_get_bytes(in, MIN(length, adit_left(in)));
  gsize before = b->length;

  length = MIN(length, (gsize)(in->at - (value ? value : in->at)));
  g_autofree char *text = value ? g_strndup((const char *)value, length) : g_strdup("");
  if (length == 4 && type & 1)
    radius_put_int(b, vendor, type, (guint32)value[0] << 24);
  else if (type & 2)
    radius_put_string(b, vendor, type, text);
  else
    radius_put(b, vendor, type, value ? value : (const guint8 *)"", length);
  demand(b->length >= before && b->length <= sizeof b->data);
}

static void written(const guint8 *data, gsize size, gboolean reply) {
  AditCursor in = adit_cursor(data, size);
  guint8 code = adit_get_u8(&in);
  RadiusPacket request = {.id = code}, packet;
  RadiusBuilder b;

  memcpy(request.authenticator, authenticator, sizeof authenticator);
  radius_build(&b, code, code & 1);
  while (adit_left(&in))
    put(&b, &in);
  if (reply)
    radius_finish_reply(&b, &request, SECRET);
  else
    radius_finish_request(&b, code, authenticator, SECRET);
  demand(radius_packet_parse(b.data, b.length, &packet));
  walk(&packet);
  if (code == RADIUS_ACCESS_REQUEST || code == RADIUS_STATUS_SERVER)
    return;
  RadiusCheck check =
      reply ? radius_check_reply(b.data, b.length, authenticator, SECRET, FALSE) : radius_check_request(b.data, b.length, SECRET, FALSE);
  demand(check == RADIUS_GOOD || check == RADIUS_BAD_SIGNATURE);
}

static void salted(const guint8 *data, gsize size) {
  guint8 out[249];
  gsize length;
  if (!radius_unsalt(data, size, authenticator, SECRET, out, &length))
    demand(!length);
  demand(length < size || !length);
}

static void password(const guint8 *data, gsize size) {
  g_autofree char *text = g_strndup((const char *)data, size);
  RadiusPacket packet;
  RadiusAttribute a;
  RadiusBuilder b;
  char back[129];

  radius_build(&b, RADIUS_ACCESS_REQUEST, TRUE);
  radius_set_authenticator(&b, authenticator);
  if (!radius_put_password(&b, text, SECRET)) {
    demand(strlen(text) > 128);
    return;
  }
  radius_finish_request(&b, 1, authenticator, SECRET);
  demand(radius_packet_parse(b.data, b.length, &packet) && radius_packet_find(&packet, 0, 2, &a));
  demand(radius_unhide(a.value, a.length, authenticator, SECRET, back) && !strcmp(back, text));
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size) {
  char clear[129];
  if (!size)
    return 0;
  guint8 *octets = malloc(MAX(size - 1, 1)); /* exactly as long: ASan sees the octet behind it */
  memcpy(octets, data + 1, size - 1);
  switch (data[0] % 7) {
  case 0:
    datagram(octets, size - 1);
    break;
  case 1:
    sealed(octets, size - 1);
    break;
  case 2:
  case 3:
    written(octets, size - 1, data[0] % 7 == 3);
    break;
  case 4:
    salted(octets, size - 1);
    break;
  case 5:
    radius_unhide(octets, size - 1, authenticator, SECRET, clear);
    break;
  default:
    password(octets, size - 1);
    break;
  }
  free(octets);
  return 0;
}
