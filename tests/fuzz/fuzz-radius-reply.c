/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Octets are attributes of an answer that was verified. The first one says of which: its low bits the code, then the kind of
 * authentication, and whether Framed-MTU counts. */
#include "plugins-auth/radius/reply/reply.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

static const guint8 authenticator[16] = {0x0f, 0x40, 0x3f, 0x94, 0x73, 0x97, 0x80, 0x57, 0xbd, 0x83, 0xd5, 0xcb, 0x98, 0xf4, 0x22, 0x7a};
static const guint8 codes[] = {RADIUS_ACCESS_ACCEPT, RADIUS_ACCESS_REJECT, RADIUS_ACCESS_CHALLENGE, RADIUS_COA_REQUEST};

static void demand(gboolean what) {
  if (!what)
    abort();
}

static void check_text(const char *text) {
  demand(g_utf8_validate(text, -1, NULL));
  for (; *text; text++)
    demand(!g_ascii_iscntrl(*text));
}

static void check_value(const AditValue *v) {
  switch (v->type) {
  case ADIT_VALUE_STRING:
    demand(*v->as.string != 0);
    check_text(v->as.string);
    return;
  case ADIT_VALUE_INT:
    demand(v->as.integer >= 0);
    return;
  case ADIT_VALUE_ADDRESS:
    demand(v->as.address.family == AF_INET || v->as.address.family == AF_INET6);
    return;
  case ADIT_VALUE_PREFIX:
    demand(v->as.prefix.length > 0 && v->as.prefix.length <= 128);
    return;
  case ADIT_VALUE_OCTETS:
    demand(g_bytes_get_size(v->as.octets) > 0);
    return;
  case ADIT_VALUE_LIST:
    demand(adit_value_length(v) > 0);
    for (guint i = 0; i < adit_value_length(v); i++)
      check_value(adit_value_at(v, i));
    return;
  case ADIT_VALUE_MAP:
    for (guint i = 0; i < adit_value_length(v); i++)
      check_value(adit_value_get(v, adit_value_key(v, i)));
    return;
  case ADIT_VALUE_BOOL:
    return;
  }
}

static void check_texts(const GPtrArray *texts) {
  for (guint i = 0; i < texts->len; i++)
    check_text(g_ptr_array_index(texts, i));
}

static void answer(const RadiusPacket *packet, AditAuthKind kind, gboolean mtu) {
  g_autoptr(AditAuthRequest) request = adit_auth_request_new(kind);
  RadiusReplyContext context = {.authenticator = authenticator, .secret = "xyzzy5461", .framed_mtu = mtu};
  RadiusReply reply;

  request->challenge_length = kind == ADIT_AUTH_MSCHAPV1 ? 8 : 16;
  radius_reply_read(packet, request, &context, &reply);
  demand(reply.reply.why != NULL || reply.reply.outcome == ADIT_AUTH_CHALLENGE);
  if (reply.reply.why)
    check_text(reply.reply.why);
  if (reply.reply.message)
    check_text(reply.reply.message);
  check_texts(reply.unsupported);
  demand((reply.reply.outcome == ADIT_AUTH_ACCEPT) == (reply.reply.attributes != NULL));
  if (reply.reply.attributes)
    check_value(reply.reply.attributes);
  if (reply.reply.outcome == ADIT_AUTH_ACCEPT && kind == ADIT_AUTH_MSCHAPV2)
    demand(reply.reply.message && g_str_has_prefix(reply.reply.message, "S="));
  if (reply.reply.outcome == ADIT_AUTH_CHALLENGE)
    demand(kind == ADIT_AUTH_EAP && reply.reply.eap);
  demand(!reply.reply.has_mppe_keys || reply.reply.outcome == ADIT_AUTH_ACCEPT);
  radius_reply_clear(&reply);
}

static void change(const RadiusPacket *packet) {
  RadiusChanges changes;

  radius_reply_changes(packet, &changes);
  check_value(changes.changes);
  check_texts(changes.unsupported);
  check_texts(changes.invalid);
  radius_changes_clear(&changes);
}

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size) {
  if (!size || size - 1 > RADIUS_MAX - RADIUS_HEADER)
    return 0;
  gsize length = RADIUS_HEADER + size - 1;
  guint8 *octets = calloc(1, length); /* exactly as long: ASan sees the octet behind it */
  RadiusPacket packet;

  octets[0] = codes[data[0] & 3];
  octets[2] = (guint8)(length >> 8);
  octets[3] = (guint8)length;
  memcpy(octets + RADIUS_HEADER, data + 1, size - 1);
  if (radius_packet_parse(octets, length, &packet)) {
    if (packet.code == RADIUS_COA_REQUEST)
      change(&packet);
    else
      answer(&packet, (AditAuthKind)(ADIT_AUTH_PAP + (data[0] >> 2 & 7) % ADIT_AUTH_EAP), (data[0] & 32) != 0);
  }
  free(octets);
  return 0;
}
