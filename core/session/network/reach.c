/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/session/network/reach.h"

#include "core/net/special.h"

static const char own_tunnel[] = "the outer address of the session's own tunnel";

static gboolean refuse_address(GError **error, const char *name, const AditAddress *address, const char *why) {
  char text[ADIT_ADDRESS_TEXT];
  g_set_error(error, ADIT_ERROR, ADIT_ERR_DENIED, "%s %s is %s", name, adit_address_format(address, text), why);
  return FALSE;
}

gboolean adit_reach_address(const AditNetService *net, AditReachEnd end, const char *name, const AditAddress *address,
                            const AditAddress *outer, GError **error) {
  static const guint theirs = ADIT_PROTECT_NEXT_HOP | ADIT_PROTECT_ENDPOINT | ADIT_PROTECT_SERVER;
  const AditSpecial *special = adit_special_find(address, address);
  AditProtected found;

  if (special && !special->link)
    return refuse_address(error, name, address, special->what);
  if (end == ADIT_REACH_OURS && net->protected_by(address, ADIT_PROTECT_LOCAL, NULL))
    return TRUE;
  if (adit_address_equal(address, outer))
    return refuse_address(error, name, address, own_tunnel);
  if (net->protected_by(address, end == ADIT_REACH_PEER ? ADIT_PROTECT_ANY : theirs, &found))
    return refuse_address(error, name, address, found.what);
  return TRUE;
}

gboolean adit_reach_prefix(const AditNetService *net, const char *name, const AditPrefix *prefix, const AditAddress *outer,
                           GError **error) {
  AditAddress first = adit_prefix_first(prefix), last = adit_prefix_last(prefix);
  const AditSpecial *special = adit_special_find(&first, &last);
  char text[ADIT_PREFIX_TEXT], inside[ADIT_ADDRESS_TEXT];
  AditProtected found;

  if (special) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_DENIED, "%s %s shares addresses with %s: each of these is %s", name,
                adit_prefix_format(prefix, text), special->prefix, special->what);
    return FALSE;
  }
  gboolean own = adit_prefix_contains(prefix, outer);
  if (!own && !net->protected_within(prefix, ADIT_PROTECT_ANY, &found))
    return TRUE;
  g_set_error(error, ADIT_ERROR, ADIT_ERR_DENIED, "%s %s holds %s, which is %s", name, adit_prefix_format(prefix, text),
              adit_address_format(own ? outer : &found.address, inside), own ? own_tunnel : found.what);
  return FALSE;
}

gboolean adit_reach_route(const AditNetService *net, const AditPrefix *to, const AditAddress *outer, GError **error) {
  const AditSpecial *special = adit_special_holds(to);
  char text[ADIT_PREFIX_TEXT];
  AditProtected found;

  if (special) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_DENIED, "route %s lies in %s: each of its addresses is %s", adit_prefix_format(to, text),
                special->prefix, special->what);
    return FALSE;
  }
  if (to->length < adit_address_size(&to->address) * 8)
    return TRUE;
  if (adit_address_equal(&to->address, outer))
    return refuse_address(error, "route", &to->address, own_tunnel);
  if (net->protected_by(&to->address, ADIT_PROTECT_ANY, &found))
    return refuse_address(error, "route", &to->address, found.what);
  return TRUE;
}
