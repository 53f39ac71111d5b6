/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "tun-table.h"

struct TunSlots {
  guint mask;
  TunItem *item[]; /* NULL = free for ever, &removed = was used: look further */
};

static TunItem removed;

static guint64 mix_hash(guint64 h) {
  h ^= h >> 32;
  h *= G_GUINT64_CONSTANT(0x9e3779b97f4a7c15);
  return h ^ h >> 29;
}

void tun_table_init(TunTable *table, TunRetire retire, gpointer user) {
  *table = (TunTable){.retire = retire, .user = user};
}

void tun_table_clear(TunTable *table) {
  g_clear_pointer(&table->slots, g_free);
}

/* The item's slot; without it, the slot to put it in: the first tombstone on the way or the free slot at its end. */
static TunItem **slot_find(TunSlots *slots, guint64 key) {
  TunItem **grave = NULL;
  for (guint i = (guint)mix_hash(key);; i++) {
    TunItem **slot = &slots->item[i & slots->mask];
    if (!*slot)
      return grave ? grave : slot;
    if (*slot == &removed)
      grave = grave ? grave : slot;
    else if ((*slot)->key == key)
      return slot;
  }
}

static void table_grow(TunTable *table) {
  TunSlots *old = table->slots;
  guint size = 16;
  while (size < (table->items + 1) * 4)
    size *= 2;
  TunSlots *slots = g_malloc0(sizeof *slots + size * sizeof(TunItem *));
  slots->mask = size - 1;
  for (guint i = 0; old && i <= old->mask; i++)
    if (old->item[i] && old->item[i] != &removed)
      *slot_find(slots, old->item[i]->key) = old->item[i];
  __atomic_store_n(&table->slots, slots, __ATOMIC_RELEASE);
  table->used = table->items;
  if (old)
    table->retire(table->user, old);
}

gboolean tun_table_insert(TunTable *table, TunItem *item) {
  if (!table->slots || (table->used + 1) * 2 > table->slots->mask)
    table_grow(table);
  TunItem **slot = slot_find(table->slots, item->key);
  if (*slot && *slot != &removed)
    return FALSE;
  table->used += *slot == NULL;
  table->items++;
  __atomic_store_n(slot, item, __ATOMIC_RELEASE);
  return TRUE;
}

void tun_table_remove(TunTable *table, TunItem *item) {
  TunItem **slot = table->slots ? slot_find(table->slots, item->key) : NULL;
  if (!slot || *slot != item)
    return;
  __atomic_store_n(slot, &removed, __ATOMIC_RELEASE);
  table->items--;
}

TunItem *tun_table_lookup(const TunTable *table, guint64 key) {
  const TunSlots *slots = __atomic_load_n(&table->slots, __ATOMIC_ACQUIRE);
  if (!slots)
    return NULL;
  for (guint i = (guint)mix_hash(key);; i++) {
    TunItem *item = __atomic_load_n(&slots->item[i & slots->mask], __ATOMIC_ACQUIRE);
    if (!item)
      return NULL;
    if (item != &removed && item->key == key)
      return item;
  }
}

void tun_table_foreach(TunTable *table, void (*each)(TunItem *item, gpointer data), gpointer data) {
  for (guint i = 0; table->slots && i <= table->slots->mask; i++)
    if (table->slots->item[i] && table->slots->item[i] != &removed)
      each(table->slots->item[i], data);
}

/* ---- prefixes ---- */

void tun_routes_init(TunRoutes *routes, TunRetire retire, gpointer user) {
  memset(routes, 0, sizeof *routes);
  tun_table_init(&routes->table, retire, user);
}

void tun_routes_clear(TunRoutes *routes) {
  tun_table_clear(&routes->table);
}

/* Keeps the first `length` bits of `from`. */
void tun_mask_bits(guint8 to[16], const guint8 *from, guint octets, guint length) {
  memset(to, 0, 16);
  memcpy(to, from, MIN((length + 7) / 8, octets));
  if (length % 8)
    to[length / 8] &= (guint8)(0xff << (8 - length % 8));
}

guint64 tun_prefix_key(guint version, guint length, const guint8 bits[16]) {
  guint64 w[2];
  memcpy(w, bits, sizeof w);
  return mix_hash(w[0] ^ mix_hash(w[1] ^ ((guint64)version << 8 | length)));
}

gboolean tun_routes_insert(TunRoutes *routes, TunRoute *route) {
  gboolean six = route->prefix.address.family == AF_INET6;
  guint length = route->prefix.length;
  guint8 bits[16];
  tun_mask_bits(bits, route->prefix.address.octet, 16, length);
  memcpy(route->prefix.address.octet, bits, 16);
  route->item.key = tun_prefix_key(six ? 6 : 4, length, bits);
  if (!tun_table_insert(&routes->table, &route->item))
    return FALSE;
  if (routes->counts[six][length]++ == 0)
    __atomic_fetch_or(&routes->lengths[six][length / 64], G_GUINT64_CONSTANT(1) << length % 64, __ATOMIC_RELEASE);
  return TRUE;
}

void tun_routes_remove(TunRoutes *routes, TunRoute *route) {
  gboolean six = route->prefix.address.family == AF_INET6;
  guint length = route->prefix.length;
  tun_table_remove(&routes->table, &route->item);
  if (--routes->counts[six][length] == 0)
    __atomic_fetch_and(&routes->lengths[six][length / 64], ~(G_GUINT64_CONSTANT(1) << length % 64), __ATOMIC_RELEASE);
}

AditPrefix tun_prefix_masked(const AditPrefix *prefix) {
  AditPrefix masked = *prefix;
  tun_mask_bits(masked.address.octet, prefix->address.octet, prefix->address.family == AF_INET6 ? 16 : 4, prefix->length);
  return masked;
}

static const TunRoute *route_find(const TunRoutes *routes, guint version, guint length, const guint8 bits[16]) {
  const TunRoute *route = (const TunRoute *)tun_table_lookup(&routes->table, tun_prefix_key(version, length, bits));
  return route && route->prefix.length == length && memcmp(route->prefix.address.octet, bits, 16) == 0 ? route : NULL;
}

static const TunRoute *route_longest(const TunRoutes *routes, guint version, const guint8 *address) {
  guint8 bits[16];
  for (int word = 2; word >= 0; word--) {
    guint64 lengths = __atomic_load_n(&routes->lengths[version == 6][word], __ATOMIC_ACQUIRE);
    while (lengths) {
      guint bit = 63 - (guint)__builtin_clzll(lengths), length = (guint)word * 64 + bit;
      lengths &= ~(G_GUINT64_CONSTANT(1) << bit);
      tun_mask_bits(bits, address, version == 6 ? 16 : 4, length);
      const TunRoute *route = route_find(routes, version, length, bits);
      if (route)
        return route;
    }
  }
  return NULL;
}

gpointer tun_routes_lookup(const TunRoutes *routes, guint version, const guint8 *address) {
  const TunRoute *route = route_longest(routes, version, address);
  return route ? route->value : NULL;
}

int tun_routes_longest(const TunRoutes *routes, guint version, const guint8 *address) {
  const TunRoute *route = route_longest(routes, version, address);
  return route ? route->prefix.length : -1;
}

TunRoute *tun_routes_find(const TunRoutes *routes, const AditPrefix *prefix) {
  return (TunRoute *)route_find(routes, prefix->address.family == AF_INET6 ? 6 : 4, prefix->length, prefix->address.octet);
}
