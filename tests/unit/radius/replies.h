/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** tests/unit/radius/replies.h - answers as octets, and what is to become of them. */
#pragma once

#include "plugins-auth/radius/reply/reply.h"
#include "plugins-auth/radius/wire/dictionary.h"
#include "tests/unit/radius/describe.h"

#define SECRET "xyzzy5461"

static const guint8 authenticator[16] = {0x0f, 0x40, 0x3f, 0x94, 0x73, 0x97, 0x80, 0x57, 0xbd, 0x83, 0xd5, 0xcb, 0x98, 0xf4, 0x22, 0x7a};

static inline void read_code(RadiusReply *reply, guint8 code, AditAuthKind kind, gboolean mtu, const char *attributes) {
  g_autoptr(AditAuthRequest) request = adit_auth_request_new(kind);
  RadiusReplyContext context = {.authenticator = authenticator, .secret = SECRET, .framed_mtu = mtu};
  AditAddress local;
  Wire w;

  request->transport = g_strdup("l2tp");
  assert_true(adit_address_parse("192.0.2.1", &local));
  request->local = adit_endpoint(&local, 1701);
  if (kind == ADIT_AUTH_MSCHAPV1)
    request->challenge_length = (guint8)hex("102DB5DF085D3041", request->challenge, sizeof request->challenge); /* RFC 2433 B */
  wire(&w, code, attributes);
  radius_reply_read(&w.packet, request, &context, reply);
  memset(&w, 0xaa, sizeof w); /* nothing is borrowed from the packet */
}

/* What an Accept of PAP becomes, and what is complained of. */
static inline void assert_accept(const char *attributes, const char *want, const char *complaints) {
  RadiusReply reply;
  read_code(&reply, RADIUS_ACCESS_ACCEPT, ADIT_AUTH_PAP, FALSE, attributes);
  g_autofree char *got = describe(reply.reply.attributes), *complained = describe_texts(reply.unsupported);
  assert_int_equal(reply.reply.outcome, ADIT_AUTH_ACCEPT);
  assert_string_equal(got, want);
  assert_string_equal(complained, complaints);
  radius_reply_clear(&reply);
}

typedef struct {
  const char *attributes, *want, *complaints;
} Case;

static inline void assert_accepts(const Case *cases, gsize n) {
  for (gsize i = 0; i < n; i++)
    assert_accept(cases[i].attributes, cases[i].want, cases[i].complaints ? cases[i].complaints : "");
}

static inline void assert_reject(AditAuthKind kind, const char *attributes, const char *why) {
  RadiusReply reply;
  read_code(&reply, RADIUS_ACCESS_ACCEPT, kind, FALSE, attributes);
  assert_int_equal(reply.reply.outcome, ADIT_AUTH_REJECT);
  assert_string_equal(reply.reply.why, why);
  assert_null(reply.reply.attributes);
  radius_reply_clear(&reply);
}

static inline char *vendor_text(guint32 vendor, guint8 type, const char *text) {
  GString *out = g_string_new(NULL);
  g_string_append_printf(out, "1a%02x%08x%02x%02x", (guint)strlen(text) + 8, vendor, type, (guint)strlen(text) + 2);
  for (const char *at = text; *at; at++)
    g_string_append_printf(out, "%02x", (guint8)*at);
  return g_string_free(out, FALSE);
}

static inline int load_names(void **unused) {
  return radius_names_load(SRCDIR "/plugins-auth/radius/dictionary", NULL) ? 0 : -1;
}

static inline int unload_names(void **unused) {
  radius_names_unload();
  return 0;
}
