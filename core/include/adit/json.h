/* SPDX-License-Identifier: MIT */
/**
 * adit/json.h - values as JSON, for a plugin's own files and messages. [any]
 *
 * The management socket writes values in the same way.
 *
 *     g_autofree char *text = adit_value_to_json(record->attributes);
 */
#pragma once

#include <adit/value.h>

G_BEGIN_DECLS

static inline void adit_json_append(GString *out, const AditValue *value);

/** Appends a string in quotes; octets that are no UTF-8 are replaced. */
static inline void adit_json_append_string(GString *out, const char *text) {
  g_autofree char *valid = g_utf8_validate(text, -1, NULL) ? NULL : g_utf8_make_valid(text, -1);

  g_string_append_c(out, '"');
  for (const char *c = valid ? valid : text; *c; c++) {
    if (*c == '"' || *c == '\\')
      g_string_append_printf(out, "\\%c", *c);
    else if (*c == '\n')
      g_string_append(out, "\\n");
    else if (*c == '\t')
      g_string_append(out, "\\t");
    else if ((guchar)*c < 0x20 || *c == 0x7f)
      g_string_append_printf(out, "\\u%04x", (guchar)*c);
    else
      g_string_append_c(out, *c);
  }
  g_string_append_c(out, '"');
}

/** private */
static inline void adit_json_append_octets_(GString *out, GBytes *octets) {
  gsize length = 0;
  const guint8 *data = (const guint8 *)g_bytes_get_data(octets, &length);

  g_string_append(out, "\"0x"); /* as a configuration has them: `1234` would be a number, `abba` a word */
  for (gsize i = 0; i < length; i++)
    g_string_append_printf(out, "%02x", data[i]);
  g_string_append_c(out, '"');
}

/** private */
static inline void adit_json_append_items_(GString *out, const AditValue *value) {
  gboolean map = value->type == ADIT_VALUE_MAP;

  g_string_append_c(out, map ? '{' : '[');
  for (guint i = 0; i < adit_value_length(value); i++) {
    if (i)
      g_string_append_c(out, ',');
    if (map) {
      adit_json_append_string(out, adit_value_key(value, i));
      g_string_append_c(out, ':');
    }
    adit_json_append(out, map ? adit_value_get(value, adit_value_key(value, i)) : adit_value_at(value, i));
  }
  g_string_append_c(out, map ? '}' : ']');
}

/** Appends `value` as compact JSON, always valid UTF-8: addresses and prefixes as strings, octets as "0x00ff", secrets as "(hidden)", NULL as
 *  null. */
static inline void adit_json_append(GString *out, const AditValue *value) {
  char text[ADIT_PREFIX_TEXT];

  if (!value) {
    g_string_append(out, "null");
    return;
  }
  if (value->flags & ADIT_VALUE_IS_SECRET) {
    g_string_append(out, "\"(hidden)\"");
    return;
  }
  switch (value->type) {
  case ADIT_VALUE_BOOL:
    g_string_append(out, value->as.boolean ? "true" : "false");
    break;
  case ADIT_VALUE_INT:
    g_string_append_printf(out, "%" G_GINT64_FORMAT, value->as.integer);
    break;
  case ADIT_VALUE_STRING:
    adit_json_append_string(out, value->as.string);
    break;
  case ADIT_VALUE_ADDRESS:
    adit_json_append_string(out, adit_address_format(&value->as.address, text));
    break;
  case ADIT_VALUE_PREFIX:
    adit_json_append_string(out, adit_prefix_format(&value->as.prefix, text));
    break;
  case ADIT_VALUE_OCTETS:
    adit_json_append_octets_(out, value->as.octets);
    break;
  case ADIT_VALUE_LIST:
  case ADIT_VALUE_MAP:
    adit_json_append_items_(out, value);
    break;
  }
}

/** The same as a new string. */
static inline char *adit_value_to_json(const AditValue *value) {
  GString *out = g_string_new(NULL);
  adit_json_append(out, value);
  return g_string_free(out, FALSE);
}

G_END_DECLS
