/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/net/claims/object-key.h"
#include <linux/rtnetlink.h>
#include <net/if.h>

enum { IPV6_METRIC = 1024 /* the kernel's, if none is given */ };

AditObjectKey adit_object_key_link(guint ifindex) {
  return (AditObjectKey){.kind = ADIT_OBJECT_LINK, .where = ifindex};
}

AditObjectKey adit_object_key_address(const AditNetAddress *address) {
  AditObjectKey key = {
      .kind = ADIT_OBJECT_ADDRESS, .family = address->local.address.family, .length = address->local.length, .where = address->ifindex};
  memcpy(key.octet, address->local.address.octet, sizeof key.octet);
  if (address->peer.family == key.family)
    memcpy(key.peer, address->peer.octet, sizeof key.peer);
  return key;
}

AditObjectKey adit_object_key_route(const AditNetRoute *route) {
  AditObjectKey key = {.kind = ADIT_OBJECT_ROUTE,
                       .family = route->to.address.family,
                       .length = route->to.length,
                       .where = route->table ? route->table : RT_TABLE_MAIN,
                       .metric = route->metric || route->to.address.family != AF_INET6 ? route->metric : IPV6_METRIC};
  memcpy(key.octet, route->to.address.octet, sizeof key.octet);
  return key;
}

AditObjectKey adit_object_key_master(guint ifindex) {
  return (AditObjectKey){.kind = ADIT_OBJECT_MASTER, .where = ifindex};
}

AditObjectKey adit_object_key_neighbour(const AditNetNeighbour *neighbour) {
  AditObjectKey key = {.kind = ADIT_OBJECT_NEIGHBOUR,
                       .family = neighbour->address.family,
                       .length = (guint8)(adit_address_size(&neighbour->address) * 8),
                       .where = neighbour->ifindex};
  memcpy(key.octet, neighbour->address.octet, sizeof key.octet);
  return key;
}

static AditAddress address_of_key(const AditObjectKey *key, const guint8 octet[16]) {
  AditAddress address = {.family = key->family};
  memcpy(address.octet, octet, sizeof address.octet);
  return address;
}

AditNetAddress adit_object_address(const AditObjectKey *key) {
  AditNetAddress address = {.ifindex = key->where, .local = {address_of_key(key, key->octet), key->length}};
  AditAddress peer = address_of_key(key, key->peer);
  if (!adit_address_is_any(&peer))
    address.peer = peer;
  return address;
}

AditNetRoute adit_object_route(const AditObjectKey *key, const AditObjectValue *value) {
  return (AditNetRoute){.to = {address_of_key(key, key->octet), key->length},
                        .via = value->via,
                        .ifindex = value->ifindex,
                        .metric = key->metric,
                        .table = key->where,
                        .mtu = value->mtu};
}

AditNetNeighbour adit_object_neighbour(const AditObjectKey *key) {
  return (AditNetNeighbour){.ifindex = key->where, .address = address_of_key(key, key->octet)};
}

static void append_master(GString *text, const AditObjectValue *value) {
  char name[IF_NAMESIZE];
  g_string_append(text, "master");
  if (value && value->bridge[0])
    g_string_append_printf(text, " %s", value->bridge);
  else if (value && if_indextoname(value->master, name))
    g_string_append_printf(text, " %s", name);
  else if (value)
    g_string_append_printf(text, " interface %u", value->master);
}

static void append_route(GString *text, const AditObjectKey *key, const AditObjectValue *value) {
  char via[ADIT_ADDRESS_TEXT];
  if (value && adit_address_is_set(&value->via))
    g_string_append_printf(text, " via %s", adit_address_format(&value->via, via));
  if (value && !value->ifindex && !adit_address_is_set(&value->via))
    g_string_append(text, " unreachable");
  if (key->metric && !(key->family == AF_INET6 && key->metric == IPV6_METRIC))
    g_string_append_printf(text, " metric %u", key->metric);
  if (key->where != RT_TABLE_MAIN)
    g_string_append_printf(text, " table %u", key->where);
}

const char *adit_object_format(const AditObjectKey *key, const AditObjectValue *value, char out[ADIT_OBJECT_TEXT]) {
  g_autoptr(GString) text = g_string_new(NULL);
  AditPrefix prefix = {address_of_key(key, key->octet), key->length};
  AditAddress peer = address_of_key(key, key->peer);
  char buffer[ADIT_PREFIX_TEXT];
  switch ((AditObjectKind)key->kind) {
  case ADIT_OBJECT_LINK:
    g_string_append(text, "interface");
    if (value)
      g_string_append_printf(text, " %s mtu %u", value->up ? "up" : "down", value->mtu);
    break;
  case ADIT_OBJECT_ADDRESS:
    g_string_append_printf(text, "address %s", adit_prefix_format(&prefix, buffer));
    if (!adit_address_is_any(&peer))
      g_string_append_printf(text, " peer %s", adit_address_format(&peer, buffer));
    break;
  case ADIT_OBJECT_ROUTE:
    g_string_append_printf(text, "route %s", adit_prefix_format(&prefix, buffer));
    append_route(text, key, value);
    break;
  case ADIT_OBJECT_MASTER:
    append_master(text, value);
    break;
  case ADIT_OBJECT_NEIGHBOUR:
    g_string_append_printf(text, "proxy neighbour %s", adit_address_format(&prefix.address, buffer));
    break;
  }
  g_strlcpy(out, text->str, ADIT_OBJECT_TEXT);
  return out;
}

AditBridgePort adit_object_bridge_port(const AditBridgePortWish *wish) {
  AditBridgePort port = {.set = wish->set};
  port.learning = wish->set & ADIT_BRIDGE_PORT_LEARNING && wish->learning;
  port.isolated = wish->set & ADIT_BRIDGE_PORT_ISOLATED && wish->isolated;
  port.cost = wish->set & ADIT_BRIDGE_PORT_COST ? wish->cost : 0;
  port.priority = wish->set & ADIT_BRIDGE_PORT_PRIORITY ? wish->priority : 0;
  port.pvid = wish->set & ADIT_BRIDGE_PORT_PVID ? wish->pvid : 0;
  return port;
}

gboolean adit_bridge_port_has(const AditBridgePort *have, const AditBridgePort *wanted) {
  guint32 both = have->set & wanted->set; /* what is not known is taken for right */
  return (!(both & ADIT_BRIDGE_PORT_LEARNING) || have->learning == wanted->learning) &&
         (!(both & ADIT_BRIDGE_PORT_ISOLATED) || have->isolated == wanted->isolated) &&
         (!(both & ADIT_BRIDGE_PORT_COST) || have->cost == wanted->cost) &&
         (!(both & ADIT_BRIDGE_PORT_PRIORITY) || have->priority == wanted->priority) &&
         (!(both & ADIT_BRIDGE_PORT_PVID) || have->pvid == wanted->pvid);
}

static gboolean same_master(const AditObjectValue *a, const AditObjectValue *b) {
  return strcmp(a->bridge, b->bridge) == 0 && (a->bridge[0] || a->master == b->master) && memcmp(&a->port, &b->port, sizeof a->port) == 0;
}

gboolean adit_object_value_equal(const AditObjectValue *a, const AditObjectValue *b) {
  return adit_address_equal(&a->via, &b->via) && a->ifindex == b->ifindex && a->mtu == b->mtu && a->up == b->up && same_master(a, b);
}
