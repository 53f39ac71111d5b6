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

typedef struct {
  AditPrefix prefix;
  AditAddress first, last;
} Range;

/* Those of `table`, in its order. Each session's addresses are compared with all, so they are read once. */
static const Range *get_ranges(void) {
  static Range list[G_N_ELEMENTS(table)];
  static gsize once;

  if (g_once_init_enter(&once)) {
    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
      gboolean good = adit_prefix_parse(table[i].prefix, &list[i].prefix);
      g_assert(good);
      list[i].first = adit_prefix_first(&list[i].prefix);
      list[i].last = adit_prefix_last(&list[i].prefix);
    }
    g_once_init_leave(&once, 1);
  }
  return list;
}

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
  const Range *range = get_ranges();

  for (gsize i = 0; i < G_N_ELEMENTS(table); i++)
    if (range[i].first.family == first->family && memcmp(first->octet, range[i].last.octet, sizeof first->octet) <= 0 &&
        memcmp(last->octet, range[i].first.octet, sizeof last->octet) >= 0)
      return &table[i];
  return NULL;
}

const AditSpecial *adit_special_holds(const AditPrefix *prefix) {
  const Range *range = get_ranges();

  for (gsize i = 0; i < G_N_ELEMENTS(table); i++)
    if (range[i].prefix.length <= prefix->length && adit_prefix_contains(&range[i].prefix, &prefix->address))
      return &table[i];
  return NULL;
}
