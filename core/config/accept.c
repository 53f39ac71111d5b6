/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/config/accept.h"

#include "core/config/types.h"

static const char *type_word(AditValueType type) {
  switch (type) {
  case ADIT_VALUE_BOOL:
    return "yes or no";
  case ADIT_VALUE_INT:
    return "a number";
  case ADIT_VALUE_STRING:
    return "a text";
  case ADIT_VALUE_ADDRESS:
    return "an address";
  case ADIT_VALUE_PREFIX:
    return "a prefix";
  case ADIT_VALUE_OCTETS:
    return "octets";
  case ADIT_VALUE_LIST:
    return "a list";
  case ADIT_VALUE_MAP:
    return "a map";
  }
  return "nothing known";
}

static gboolean set_refusal(GError **error, const char *why) {
  g_set_error_literal(error, ADIT_ERROR, ADIT_ERR_INVALID, why);
  return FALSE;
}

static gboolean is_a(const AditValue *value, AditValueType type, GError **error) {
  if (value->type == type)
    return TRUE;
  g_set_error(error, ADIT_ERROR, ADIT_ERR_INVALID, "is %s: %s is wanted", type_word(value->type), type_word(type));
  return FALSE;
}

static gboolean in_bounds(const AditOption *option, gint64 n, GError **error) {
  if (n == 0 && (option->flags & ADIT_OPTION_OFF))
    return TRUE;
  if ((!option->min && !option->max) || (n >= option->min && n <= option->max))
    return TRUE;
  g_set_error(error, ADIT_ERROR, ADIT_ERR_INVALID, "%" G_GINT64_FORMAT " is not within %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, n,
              option->min, option->max);
  return FALSE;
}

static gboolean number_fits(const AditOption *option, const AditValue *value, GError **error) {
  return is_a(value, ADIT_VALUE_INT, error) &&
         (value->as.integer >= 0 || option->type == ADIT_TYPE_INT || set_refusal(error, "is negative")) &&
         in_bounds(option, value->as.integer, error);
}

static gboolean word_fits(const AditOption *option, const AditValue *value, GError **error) {
  if (!is_a(value, ADIT_VALUE_STRING, error))
    return FALSE;
  g_auto(GStrv) words = adit_option_words(option);
  return g_strv_contains((const char *const *)words, value->as.string) || set_refusal(error, "is none of its words");
}

static gboolean name_fits(const AditValue *value, GError **error) {
  AditAddress address;
  if (value->type == ADIT_VALUE_ADDRESS)
    return TRUE;
  if (value->type != ADIT_VALUE_STRING)
    return set_refusal(error, "is neither an address nor a text: an ADDRESS value (adit_value_address()) or the name of a pool is wanted");
  return !adit_address_parse(value->as.string, &address) ||
         set_refusal(error, "is a text that reads like an address: an ADDRESS value (adit_value_address()) is wanted");
}

/* One value: not the list of them. */
static gboolean one_fits(const AditOption *option, const AditValue *value, GError **error) {
  switch (option->type) {
  case ADIT_TYPE_BOOL:
    return is_a(value, ADIT_VALUE_BOOL, error);
  case ADIT_TYPE_INT:
  case ADIT_TYPE_DURATION:
  case ADIT_TYPE_RATE:
  case ADIT_TYPE_SIZE:
    return number_fits(option, value, error);
  case ADIT_TYPE_STRING:
    return is_a(value, ADIT_VALUE_STRING, error) && in_bounds(option, (gint64)strlen(value->as.string), error);
  case ADIT_TYPE_ENUM:
  case ADIT_TYPE_SET:
    return word_fits(option, value, error);
  case ADIT_TYPE_ADDRESS:
    return is_a(value, ADIT_VALUE_ADDRESS, error);
  case ADIT_TYPE_PREFIX:
    return is_a(value, ADIT_VALUE_PREFIX, error);
  case ADIT_TYPE_ADDRESS_OR_NAME:
    return name_fits(value, error);
  case ADIT_TYPE_RANGE:
    return is_a(value, ADIT_VALUE_STRING, error);
  case ADIT_TYPE_MAP:
    return is_a(value, ADIT_VALUE_MAP, error);
  case ADIT_TYPE_OCTETS:
    return is_a(value, ADIT_VALUE_OCTETS, error) && in_bounds(option, (gint64)g_bytes_get_size(value->as.octets), error);
  }
  return set_refusal(error, "has an option of no type");
}

gboolean adit_option_accepts(const AditOption *option, const AditValue *value, GError **error) {
  if (option->type != ADIT_TYPE_SET && !(option->flags & ADIT_OPTION_LIST))
    return one_fits(option, value, error);
  if (!is_a(value, ADIT_VALUE_LIST, error))
    return FALSE;
  for (guint i = 0; i < adit_value_length(value); i++)
    if (!one_fits(option, adit_value_at(value, i), error))
      return FALSE;
  return TRUE;
}
