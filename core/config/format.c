/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/config/format.h"

#include "core/config/types.h"

static char *octets_format(GBytes *octets) {
  gsize length;
  const guint8 *data = g_bytes_get_data(octets, &length);
  GString *text = g_string_new("0x");
  for (gsize i = 0; i < length; i++)
    g_string_append_printf(text, "%02x", data[i]);
  return g_string_free(text, FALSE);
}

static char *list_format(const AditOption *option, const AditValue *value) {
  GString *text = g_string_new("[");
  for (guint i = 0; i < adit_value_length(value); i++) {
    g_autofree char *item = adit_option_format(option, adit_value_at(value, i));
    g_string_append_printf(text, "%s%s", i ? ", " : "", item);
  }
  g_string_append_c(text, ']');
  return g_string_free(text, FALSE);
}

static char *map_format(const AditValue *value) {
  GString *text = g_string_new("{");
  for (guint i = 0; i < adit_value_length(value); i++) {
    const char *key = adit_value_key(value, i);
    g_autofree char *item = adit_option_format(NULL, adit_value_get(value, key));
    g_string_append_printf(text, "%s%s: %s", i ? ", " : "", key, item);
  }
  g_string_append_c(text, '}');
  return g_string_free(text, FALSE);
}

static char *number_format(const AditOption *option, gint64 n) {
  if (option && !n && (option->flags & ADIT_OPTION_OFF))
    return g_strdup(adit_option_off_word(option));
  return adit_number_format(option ? option->type : ADIT_TYPE_INT, n);
}

char *adit_option_format(const AditOption *option, const AditValue *value) {
  char text[ADIT_PREFIX_TEXT];

  if (!value)
    return NULL;
  if (value->flags & ADIT_VALUE_IS_SECRET)
    return g_strdup("(hidden)");
  gboolean off = option && (option->flags & ADIT_OPTION_OFF);
  switch (value->type) {
  case ADIT_VALUE_BOOL:
    return g_strdup(value->as.boolean ? "yes" : "no");
  case ADIT_VALUE_INT:
    return number_format(option, value->as.integer);
  case ADIT_VALUE_STRING:
    return g_strdup(off && !*value->as.string ? adit_option_off_word(option) : value->as.string);
  case ADIT_VALUE_ADDRESS:
    return g_strdup(off && !adit_address_is_set(&value->as.address) ? adit_option_off_word(option)
                                                                    : adit_address_format(&value->as.address, text));
  case ADIT_VALUE_PREFIX:
    return g_strdup(off && !adit_address_is_set(&value->as.prefix.address) ? adit_option_off_word(option)
                                                                           : adit_prefix_format(&value->as.prefix, text));
  case ADIT_VALUE_OCTETS:
    return octets_format(value->as.octets);
  case ADIT_VALUE_LIST:
    return list_format(option, value);
  case ADIT_VALUE_MAP:
    return map_format(value);
  }
  return NULL;
}

AditValue *adit_option_parse(const AditOption *option, const char *text, GError **error) {
  gboolean many = option->type == ADIT_TYPE_SET || (option->flags & ADIT_OPTION_LIST);
  if (!many)
    return adit_scalar_parse(option, text, error);

  g_autoptr(AditValue) list = adit_value_list();
  g_auto(GStrv) words = NULL;
  if (adit_option_splits(option) || *text == '[')
    words = adit_words_split(text);
  else
    words = g_strdupv((char *[]){(char *)text, NULL});
  if ((option->flags & ADIT_OPTION_OFF) && words[0] && !words[1] && adit_is_off_word(words[0]))
    return g_steal_pointer(&list);
  for (char **w = words; *w; w++) {
    AditValue *item = adit_scalar_parse(option, *w, error);
    if (!item)
      return NULL;
    adit_value_append(list, item);
  }
  return g_steal_pointer(&list);
}
