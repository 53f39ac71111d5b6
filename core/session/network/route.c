/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/session/network/route.h"

static gboolean fail_route(GError **error, const char *text, const char *why) {
  g_set_error(error, ADIT_ERROR, ADIT_ERR_INVALID, "route '%s': %s", text, why);
  return FALSE;
}

gboolean adit_route_parse(const char *text, AditNetRoute *out, GError **error) {
  g_auto(GStrv) words = g_strsplit_set(text, " \t", -1);
  const char *part[3] = {NULL};
  guint n = 0;

  memset(out, 0, sizeof *out);
  for (guint i = 0; words[i]; i++) {
    if (!*words[i])
      continue;
    if (n == 3)
      return fail_route(error, text, "more than destination, gateway and metric");
    part[n++] = words[i];
  }
  if (!n || !adit_prefix_parse(part[0], &out->to))
    return fail_route(error, text, "the destination is not an address or prefix");

  /* Host bits would make the kernel refuse it. */
  guint bits = (guint)adit_address_size(&out->to.address) * 8;
  for (guint bit = out->to.length; bit < bits; bit++)
    if (out->to.address.octet[bit / 8] & (0x80 >> bit % 8))
      return fail_route(error, text, "the destination has bits set behind its prefix length");

  if (n > 1 && !adit_address_parse(part[1], &out->via))
    return fail_route(error, text, "the gateway is not an address");
  if (n > 1 && out->via.family != out->to.address.family)
    return fail_route(error, text, "destination and gateway are not of one family");
  if (adit_address_is_any(&out->via))
    memset(&out->via, 0, sizeof out->via);

  guint64 metric = 0;
  if (n > 2 && !g_ascii_string_to_unsigned(part[2], 10, 0, G_MAXUINT32, &metric, NULL))
    return fail_route(error, text, "the metric is not a number");
  out->metric = (guint32)metric;
  return TRUE;
}
