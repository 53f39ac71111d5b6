/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "reading.h"

#include "../wire/dictionary.h"

enum { COMPLAINTS_MAX = 32 };

void radius_take_as(RadiusReading *r, const char *word, gboolean list, AditValue *value) {
  if (!list) {
    adit_value_set(r->map, word, value);
    return;
  }
  AditValue *items = (AditValue *)adit_value_get(r->map, word); /* still being built, by us */
  if (!items)
    adit_value_set(r->map, word, items = adit_value_list());
  adit_value_append(items, value);
}

void radius_take(RadiusReading *r, const RadiusWordRow *row, AditValue *value) {
  radius_take_as(r, row->word, (row->flags & ROW_LIST) != 0, value);
}

void radius_complain(GPtrArray *list, const RadiusAttribute *a, const char *why) {
  char name[RADIUS_NAME_MAX];
  g_autofree char *text = g_strdup_printf("%s: %s", radius_name(a->vendor, a->type, name), why);

  if (list->len == COMPLAINTS_MAX || g_ptr_array_find_with_equal_func(list, text, g_str_equal, NULL))
    return;
  g_ptr_array_add(list, list->len == COMPLAINTS_MAX - 1 ? g_strdup("and others") : g_steal_pointer(&text));
}

void radius_refuse(RadiusReading *r, const RadiusAttribute *a, const char *why) {
  char name[RADIUS_NAME_MAX];
  if (!r->refusal)
    r->refusal = g_strdup_printf("%s %s", radius_name(a->vendor, a->type, name), why);
}

char *radius_text(const guint8 *value, gsize length) {
  if (length && !value[length - 1])
    length--; /* some servers send C's strings */
  if (!length || !g_utf8_validate((const char *)value, (gssize)length, NULL))
    return NULL;
  for (gsize i = 0; i < length; i++)
    if (g_ascii_iscntrl((char)value[i]))
      return NULL;
  return g_strndup((const char *)value, length);
}
