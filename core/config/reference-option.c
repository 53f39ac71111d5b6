/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/config/reference-option.h"
#include "core/config/types.h"

static void append_bounds(GString *text, const AditOption *option) {
  if (!option->min && !option->max)
    return;
  g_autofree char *min = adit_number_format(option->type, option->min), *max = adit_number_format(option->type, option->max);
  g_string_append_printf(text, ", %s to %s", min, max);
}

static const char *name_type(const AditOption *option, gboolean many) {
  switch (option->type) {
  case ADIT_TYPE_BOOL:
    return "yes or no";
  case ADIT_TYPE_INT:
    return many ? "integers" : "integer";
  case ADIT_TYPE_DURATION:
    return many ? "durations" : "duration";
  case ADIT_TYPE_RATE:
    return many ? "rates" : "rate";
  case ADIT_TYPE_SIZE:
    return many ? "sizes" : "size";
  case ADIT_TYPE_STRING:
    return many ? "texts" : "text";
  case ADIT_TYPE_ENUM:
    return "one of";
  case ADIT_TYPE_SET:
    return "any of";
  case ADIT_TYPE_ADDRESS:
    return many ? "addresses" : "address";
  case ADIT_TYPE_PREFIX:
    return many ? "prefixes" : "prefix";
  case ADIT_TYPE_ADDRESS_OR_NAME:
    return many ? "addresses or names" : "address or name";
  case ADIT_TYPE_RANGE:
    return many ? "ranges" : "range";
  case ADIT_TYPE_MAP:
    return many ? "maps" : "map";
  case ADIT_TYPE_OCTETS:
    return "octets";
  }
  return NULL;
}

char *adit_reference_type(const AditOption *option) {
  gboolean many = (option->flags & ADIT_OPTION_LIST) != 0;
  GString *text = g_string_new(many ? "list of " : "");

  g_string_append(text, name_type(option, many));
  if (option->type == ADIT_TYPE_ENUM || option->type == ADIT_TYPE_SET) {
    g_auto(GStrv) words = adit_option_words(option);
    g_autofree char *list = g_strjoinv(", ", words);
    g_string_append_printf(text, " %s", list);
  }
  if (adit_type_is_number(option->type))
    append_bounds(text, option);
  if (option->unit)
    g_string_append_printf(text, " %s", option->unit);
  if (option->flags & ADIT_OPTION_OFF)
    g_string_append_printf(text, ", or %s", adit_option_off_word(option));
  return g_string_free(text, FALSE);
}

static char *number_example(const AditOption *option) {
  gint64 n = option->type == ADIT_TYPE_INT        ? 1
             : option->type == ADIT_TYPE_DURATION ? 30000
             : option->type == ADIT_TYPE_RATE     ? 10000000
                                                  : 16 << 20;
  if (option->min || option->max)
    n = CLAMP(n, option->min, option->max);
  return adit_number_format(option->type, n);
}

static char *text_example(const AditOption *option) {
  char *text = g_strdup(option->flags & ADIT_OPTION_SECRET ? "hush" : "example");
  if (option->max && (gint64)strlen(text) > option->max)
    text[option->max] = 0;
  if ((gint64)strlen(text) < option->min) {
    g_free(text);
    text = g_strnfill((gsize)option->min, 'x');
  }
  return text;
}

static char *octets_example(const AditOption *option) {
  g_autofree char *digits = g_strnfill(2 * (gsize)MAX(option->min, 1), '0');
  return g_strconcat("0x", digits, NULL);
}

char *adit_reference_example(const AditOption *option) {
  if (option->fallback)
    return g_strdup(option->fallback);
  switch (option->type) {
  case ADIT_TYPE_BOOL:
    return g_strdup("no");
  case ADIT_TYPE_INT:
  case ADIT_TYPE_DURATION:
  case ADIT_TYPE_RATE:
  case ADIT_TYPE_SIZE:
    return number_example(option);
  case ADIT_TYPE_STRING:
    return text_example(option);
  case ADIT_TYPE_ENUM:
  case ADIT_TYPE_SET: {
    g_auto(GStrv) words = adit_option_words(option);
    return g_strdup(words[0]);
  }
  case ADIT_TYPE_ADDRESS:
  case ADIT_TYPE_ADDRESS_OR_NAME:
    return g_strdup("192.0.2.1");
  case ADIT_TYPE_PREFIX:
    return g_strdup("192.0.2.0/24");
  case ADIT_TYPE_RANGE:
    return g_strdup("192.0.2.10-192.0.2.99");
  case ADIT_TYPE_OCTETS:
    return octets_example(option);
  case ADIT_TYPE_MAP:
    return g_strdup("");
  }
  return NULL;
}

char *adit_reference_quote(const char *text) {
  static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:+-, []";
  gsize length = strlen(text);
  gboolean list = length > 1 && text[0] == '[' && text[length - 1] == ']';
  gboolean safe = length && (g_ascii_isalnum(*text) || *text == '/' || list) && text[strspn(text, plain)] == 0;

  if (safe && !strstr(text, ": ") && text[length - 1] != ':' && !g_ascii_isspace(text[length - 1]))
    return g_strdup(text);
  g_auto(GStrv) parts = g_strsplit(text, "'", -1);
  g_autofree char *doubled = g_strjoinv("''", parts);
  return g_strdup_printf("'%s'", doubled);
}
