/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/control/json.h"
#include <errno.h>
#include <json-glib/json-glib.h>
#include <math.h>

static gsize count_digits(const char *text, gsize length) {
  gsize n = 0;
  while (n < length && g_ascii_isdigit(text[n]))
    n++;
  return n;
}

/* RFC 8259 6. The length of the number at `text`; 0 = it is none. `*whole` = it has no fraction and no exponent. */
static gsize number_length(const char *text, gsize length, gboolean *whole) {
  gsize at = text[0] == '-', digits = count_digits(text + at, length - at);

  if (!digits || (digits > 1 && text[at] == '0'))
    return 0;
  at += digits;
  *whole = TRUE;
  if (at < length && text[at] == '.') {
    *whole = FALSE;
    if (!(digits = count_digits(text + at + 1, length - at - 1)))
      return 0;
    at += 1 + digits;
  }
  if (at < length && (text[at] == 'e' || text[at] == 'E')) {
    *whole = FALSE;
    at++;
    at += at < length && (text[at] == '+' || text[at] == '-');
    if (!(digits = count_digits(text + at, length - at)))
      return 0;
    at += digits;
  }
  return at < length && (g_ascii_isalnum(text[at]) || strchr("+-.", text[at])) ? 0 : at;
}

/* The library reads an integer of more than 64 bits as another one, and knows octal and hexadecimal ones. 0 = refused. */
static gsize check_number(const char *text, gsize length, GError **error) {
  gboolean whole = FALSE;
  gsize n = number_length(text, length, &whole);
  g_autofree char *number = g_strndup(text, n);
  gboolean fits;

  if (!n) {
    g_set_error_literal(error, ADIT_ERROR, ADIT_ERR_INVALID, "not a number of JSON");
    return 0;
  }
  errno = 0;
  if (whole) {
    g_ascii_strtoll(number, NULL, 10);
    fits = errno != ERANGE;
  } else {
    fits = isfinite(g_ascii_strtod(number, NULL));
  }
  if (!fits)
    g_set_error(error, ADIT_ERROR, ADIT_ERR_INVALID, "the number %.40s is out of range: an integer has 64 bits", number);
  return fits ? n : 0;
}

/* The library's parser goes one stack frame deeper for each bracket: count them before it does. It also reads more than JSON
 * (comments, 'strings', assignments), in which brackets could hide: what JSON has no use for outside its strings is refused. */
static gboolean check_shape(const char *text, gsize length, GError **error) {
  guint depth = 0;
  gboolean quoted = FALSE;

  for (gsize i = 0; i < length; i++) {
    char c = text[i];
    if (quoted) {
      if (c == '\\')
        i++;
      else if (c == '"')
        quoted = FALSE;
    } else if (c == '"') {
      quoted = TRUE;
    } else if (c == '[' || c == '{') {
      if (++depth > ADIT_JSON_DEPTH_MAX) {
        g_set_error(error, ADIT_ERROR, ADIT_ERR_INVALID, "nested more than %d deep", ADIT_JSON_DEPTH_MAX);
        return FALSE;
      }
    } else if (c == ']' || c == '}') {
      depth -= depth > 0;
    } else if (c == '-' || g_ascii_isdigit(c)) {
      gsize n = check_number(text + i, length - i, error);
      if (!n)
        return FALSE;
      i += n - 1;
    } else if (!g_ascii_isalpha(c) && !strchr(" \t\r\n,:", c)) {
      g_set_error_literal(error, ADIT_ERROR, ADIT_ERR_INVALID, "not JSON");
      return FALSE;
    }
  }
  return TRUE;
}

static AditValue *from_node(JsonNode *node);

static AditValue *from_scalar(JsonNode *node) {
  GType type = json_node_get_value_type(node);

  if (type == G_TYPE_BOOLEAN)
    return adit_value_bool(json_node_get_boolean(node));
  if (type == G_TYPE_INT64)
    return adit_value_int(json_node_get_int(node));
  if (type == G_TYPE_STRING)
    return adit_value_string(json_node_get_string(node));

  char number[G_ASCII_DTOSTR_BUF_SIZE];
  return adit_value_string(g_ascii_dtostr(number, sizeof number, json_node_get_double(node)));
}

static AditValue *from_object(JsonObject *object) {
  AditValue *map = adit_value_map();
  JsonObjectIter iter;
  const char *name;
  JsonNode *member;

  json_object_iter_init_ordered(&iter, object);
  while (json_object_iter_next_ordered(&iter, &name, &member)) {
    AditValue *item = from_node(member);
    if (item)
      adit_value_set(map, name, item);
  }
  return map;
}

static AditValue *from_array(JsonArray *array) {
  AditValue *list = adit_value_list();
  for (guint i = 0; i < json_array_get_length(array); i++) {
    AditValue *item = from_node(json_array_get_element(array, i));
    if (item)
      adit_value_append(list, item);
  }
  return list;
}

static AditValue *from_node(JsonNode *node) {
  switch (json_node_get_node_type(node)) {
  case JSON_NODE_OBJECT:
    return from_object(json_node_get_object(node));
  case JSON_NODE_ARRAY:
    return from_array(json_node_get_array(node));
  case JSON_NODE_VALUE:
    return from_scalar(node);
  case JSON_NODE_NULL:
    break;
  }
  return NULL;
}

AditValue *adit_json_read(const char *text, gsize length, GError **error) {
  g_autoptr(GError) why = NULL;
  g_autoptr(JsonParser) parser = json_parser_new_immutable();

  if (!g_utf8_validate(text, (gssize)length, NULL)) {
    g_set_error_literal(error, ADIT_ERROR, ADIT_ERR_INVALID, "not UTF-8");
    return NULL;
  }
  if (!check_shape(text, length, error))
    return NULL;
  if (!json_parser_load_from_data(parser, text, (gssize)length, &why)) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_INVALID, "%s", why->message);
    return NULL;
  }
  JsonNode *root = json_parser_get_root(parser);
  if (!root || !JSON_NODE_HOLDS_OBJECT(root)) {
    g_set_error_literal(error, ADIT_ERROR, ADIT_ERR_INVALID, "not a JSON object");
    return NULL;
  }
  return from_node(root);
}
