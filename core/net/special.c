/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/net/special.h"

/* 169.254/16 is missing on purpose: clouds number the ends of their tunnels from it. */
static const AditSpecial table[] = {
    {"0.0.0.0/8", "an address of \"this network\"", FALSE}, /* RFC 1122 3.2.1.3 */
    {"127.0.0.0/8", "a loopback address", FALSE},
    {"224.0.0.0/4", "a multicast address", FALSE},
    {"255.255.255.255/32", "the broadcast address", FALSE},
    {"240.0.0.0/4", "a reserved address (class E)", FALSE},
    {"::/128", "the unspecified address", FALSE},
    {"::1/128", "a loopback address", FALSE},
    {"::ffff:0:0/96", "an IPv4-mapped address", FALSE},
    {"::/96", "an IPv4-compatible address", FALSE},
    {"ff00::/8", "a multicast address", FALSE},
    {"fe80::/10", "a link-local address", TRUE},
};

AditAddress adit_prefix_first(const AditPrefix *prefix) {
  AditAddress address = prefix->address;
  for (guint bit = prefix->length; bit < adit_address_size(&address) * 8; bit++)
    address.octet[bit / 8] &= (guint8) ~(0x80 >> bit % 8);
  return address;
}

AditAddress adit_prefix_last(const AditPrefix *prefix) {
  AditAddress address = prefix->address;
  for (guint bit = prefix->length; bit < adit_address_size(&address) * 8; bit++)
    address.octet[bit / 8] |= (guint8)(0x80 >> bit % 8);
  return address;
}

const AditSpecial *adit_special_find(const AditAddress *first, const AditAddress *last) {
  for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
    AditPrefix prefix;
    if (!adit_prefix_parse(table[i].prefix, &prefix) || prefix.address.family != first->family)
      continue;
    AditAddress low = adit_prefix_first(&prefix), high = adit_prefix_last(&prefix);
    if (memcmp(first->octet, high.octet, sizeof high.octet) <= 0 && memcmp(last->octet, low.octet, sizeof low.octet) >= 0)
      return &table[i];
  }
  return NULL;
}

const AditSpecial *adit_special_holds(const AditPrefix *prefix) {
  for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
    AditPrefix special;
    if (adit_prefix_parse(table[i].prefix, &special) && special.length <= prefix->length &&
        adit_prefix_contains(&special, &prefix->address))
      return &table[i];
  }
  return NULL;
}
