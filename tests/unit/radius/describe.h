/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** tests/unit/radius/describe.h - packets from octets, and values as text that can be compared. */
#pragma once

#include "plugins-auth/radius/wire/radius-packet.h"
#include "tests/unit/radius/hex.h"
#include <adit/value.h>

typedef struct {
  guint8 data[RADIUS_MAX];
  RadiusPacket packet;
} Wire;

/** A packet of that code with these attributes. */
static inline void wire(Wire *w, guint8 code, const char *attributes) {
  memset(w, 0, sizeof *w);
  gsize length = RADIUS_HEADER + hex(attributes, w->data + RADIUS_HEADER, sizeof w->data - RADIUS_HEADER);
  w->data[0] = code;
  w->data[2] = (guint8)(length >> 8);
  w->data[3] = (guint8)length;
  assert_true(radius_packet_parse(w->data, length, &w->packet));
}

static inline void describe_value(const AditValue *v, GString *out) {
  char text[ADIT_PREFIX_TEXT];
  gsize length = 0;

  switch (v->type) {
  case ADIT_VALUE_BOOL:
    g_string_append(out, v->as.boolean ? "yes" : "no");
    return;
  case ADIT_VALUE_INT:
    g_string_append_printf(out, "%" G_GINT64_FORMAT, v->as.integer);
    return;
  case ADIT_VALUE_STRING:
    g_string_append_printf(out, "'%s'", v->as.string);
    return;
  case ADIT_VALUE_ADDRESS:
    g_string_append(out, adit_address_format(&v->as.address, text));
    return;
  case ADIT_VALUE_PREFIX:
    g_string_append(out, adit_prefix_format(&v->as.prefix, text));
    return;
  case ADIT_VALUE_OCTETS:
    g_string_append(out, "0x");
    for (const guint8 *at = g_bytes_get_data(v->as.octets, &length); length--; at++)
      g_string_append_printf(out, "%02x", *at);
    return;
  case ADIT_VALUE_LIST:
    g_string_append_c(out, '[');
    for (guint i = 0; i < adit_value_length(v); i++) {
      g_string_append(out, i ? "," : "");
      describe_value(adit_value_at(v, i), out);
    }
    g_string_append_c(out, ']');
    return;
  case ADIT_VALUE_MAP:
    for (guint i = 0; i < adit_value_length(v); i++) {
      g_string_append_printf(out, "%s%s=", i ? " " : "", adit_value_key(v, i));
      describe_value(adit_value_get(v, adit_value_key(v, i)), out);
    }
    return;
  }
}

/** `key=value key=[value,value]`, in order. */
static inline char *describe(const AditValue *map) {
  GString *out = g_string_new(NULL);
  if (map)
    describe_value(map, out);
  return g_string_free(out, FALSE);
}

/** The texts of an array, with `; ` between them. */
static inline char *describe_texts(const GPtrArray *texts) {
  GString *out = g_string_new(NULL);
  for (guint i = 0; i < texts->len; i++)
    g_string_append_printf(out, "%s%s", i ? "; " : "", (const char *)g_ptr_array_index(texts, i));
  return g_string_free(out, FALSE);
}
