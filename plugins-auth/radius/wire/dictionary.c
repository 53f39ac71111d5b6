/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "dictionary.h"
#include <adit/types.h>
#include <radcli/radcli.h>

/* libradcli keeps an attribute's vendor in the upper half of its number. */
enum { VENDOR_SHIFT = 16, VENDOR_LAST = 0x7fff };

static rc_handle *dictionary;

const char *radius_names_file(void) {
  const char *file = g_getenv("ADIT_RADIUS_DICTIONARY");
  return file && *file ? file : RADIUS_DICTIONARY;
}

gboolean radius_names_load(const char *file, GError **error) {
  g_autofree char *text = NULL;
  gsize length = 0;

  if (!g_file_get_contents(file, &text, &length, error))
    return FALSE;
  rc_handle *fresh = rc_new();
  if (!fresh || rc_read_dictionary_from_buffer(fresh, text, length) != 0) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_INVALID, "%s: libradcli can't read this dictionary", file);
    if (fresh)
      rc_destroy(fresh);
    return FALSE;
  }
  radius_names_unload();
  dictionary = fresh;
  return TRUE;
}

void radius_names_unload(void) {
  if (dictionary)
    rc_destroy(dictionary);
  dictionary = NULL;
}

const char *radius_name(guint32 vendor, guint8 type, char text[RADIUS_NAME_MAX]) {
  const DICT_ATTR *known = dictionary && vendor <= VENDOR_LAST ? rc_dict_getattr(dictionary, (int)(vendor << VENDOR_SHIFT | type)) : NULL;
  char number[24];

  if (vendor)
    g_snprintf(number, sizeof number, "%u/%u", vendor, type);
  else
    g_snprintf(number, sizeof number, "%u", type);
  if (known)
    g_snprintf(text, RADIUS_NAME_MAX, "%s (%s)", known->name, number);
  else
    g_snprintf(text, RADIUS_NAME_MAX, "attribute %s", number);
  return text;
}
