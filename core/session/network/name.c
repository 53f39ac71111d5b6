/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/session/network/name.h"

#include <string.h>

static gboolean is_plain(char c) {
  return g_ascii_isalnum(c) || strchr("._-@+", c) != NULL;
}

char *adit_interface_name(const char *transport, const char *user, guint attempt, char out[ADIT_INTERFACE_NAME]) {
  g_autofree char *suffix = attempt ? g_strdup_printf("-%u", attempt) : g_strdup("");
  g_autofree char *whole = transport ? g_strdup_printf("%s-%s", transport, user) : g_strdup(user);
  g_autofree char *clean = g_strdup(whole);
  gsize room = ADIT_INTERFACE_NAME - 1 - strlen(suffix);

  for (char *c = clean; *c; c++)
    if (!is_plain(*c))
      *c = '_';

  if (strcmp(clean, whole) == 0 && strlen(whole) <= room) {
    g_snprintf(out, ADIT_INTERFACE_NAME, "%s%s", whole, suffix);
    return NULL;
  }
  g_snprintf(out, ADIT_INTERFACE_NAME, "%.*s~%04x%s", (int)MIN(room - 5, strlen(clean)), clean, g_str_hash(whole) & 0xffff, suffix);

  /* The alternative name keeps what the kernel allows: no '/', no white space, at most 127 octets. */
  for (char *c = whole; *c; c++)
    if (*c == '/' || g_ascii_isspace(*c) || g_ascii_iscntrl(*c))
      *c = '_';
  char *full = g_strconcat(whole, suffix, NULL);
  if (strlen(full) > 127)
    full[127] = 0;
  return full;
}
