/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "server-addresses.h"

gboolean radius_addresses_have(const RadiusAddresses *addresses, const AditAddress *address) {
  for (guint i = 0; i < addresses->count; i++)
    if (adit_address_equal(&addresses->list[i], address))
      return TRUE;
  return FALSE;
}

void radius_addresses_add(RadiusAddresses *addresses, const AditAddress *address) {
  if (addresses->count < RADIUS_ADDRESSES && !radius_addresses_have(addresses, address))
    addresses->list[addresses->count++] = *address;
}

/* Going back to the first one as soon as it is listed again would try a dead address with each look-up, and a name server that turns its
 * answers round would move us each time. */
void radius_addresses_renew(RadiusAddresses *addresses, const RadiusAddresses *fresh) {
  const AditAddress before = addresses->count ? addresses->list[addresses->now] : (AditAddress){0};
  guint silent = addresses->silent;

  *addresses = *fresh;
  addresses->now = addresses->silent = 0;
  for (guint i = 0; i < addresses->count; i++)
    if (adit_address_equal(&addresses->list[i], &before)) {
      addresses->now = i;
      addresses->silent = MIN(silent, addresses->count - 1);
    }
}

/* Many requests may find one address silent: only the first of them moves on. */
gboolean radius_addresses_turn(RadiusAddresses *addresses, const AditAddress *asked) {
  if (addresses->count < 2)
    return FALSE;
  if (!adit_address_equal(&addresses->list[addresses->now], asked))
    return TRUE;
  addresses->now = (addresses->now + 1) % addresses->count;
  addresses->silent = (addresses->silent + 1) % addresses->count;
  return addresses->silent != 0;
}
