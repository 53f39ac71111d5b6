/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Keys and values of objects, and claims as people see them. */
#include "core/net/claims/claims-table.h"
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
  if (value && if_indextoname(value->master, name))
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

const char *adit_claim_state_word(AditClaimState state) {
  switch (state) {
  case ADIT_CLAIM_PENDING:
    return "pending";
  case ADIT_CLAIM_INSTALLED:
    return "installed";
  case ADIT_CLAIM_WAITING:
    return "waiting";
  case ADIT_CLAIM_BLOCKED:
    return "blocked";
  case ADIT_CLAIM_REFUSED:
    return "refused";
  case ADIT_CLAIM_LOST:
    return "lost";
  }
  return "?";
}

static AditValue *describe_claim(const AditClaims *claims, const AditClaim *claim) {
  AditValue *map = adit_value_map();
  char text[ADIT_OBJECT_TEXT], name[IF_NAMESIZE];
  const char *why = NULL;
  AditClaimState state = adit_claims_state(claim, &why);

  adit_value_set(map, "object", adit_value_string(adit_object_format(&claim->object->key, &claim->value, text)));
  if (claim->value.ifindex && if_indextoname(claim->value.ifindex, name))
    adit_value_set(map, "interface", adit_value_string(name));
  adit_value_set(map, "claimant", adit_value_string(claim->claimant->who));
  adit_value_set(map, "state", adit_value_string(adit_claim_state_word(state)));
  adit_value_set(map, "since", adit_value_int((gint64)(claims->ops.now(claims->user) - claim->since_ms)));
  if (why && state == ADIT_CLAIM_WAITING) {
    g_autofree char *behind = g_strdup_printf("%s has it", why);
    adit_value_set(map, "why", adit_value_string(behind));
  } else if (why) {
    adit_value_set(map, "why", adit_value_string(why));
  }
  return map;
}

AditClaimsCursor *adit_claims_cursor_new(AditClaims *claims) {
  AditClaimsCursor *cursor = g_new0(AditClaimsCursor, 1);
  cursor->claims = claims;
  cursor->all = claims->all.head;
  cursor->node.data = cursor;
  g_queue_push_tail_link(&claims->cursors, &cursor->node);
  return cursor;
}

void adit_claims_cursor_free(AditClaimsCursor *cursor) {
  g_queue_unlink(&cursor->claims->cursors, &cursor->node);
  g_free(cursor);
}

static void next_object(AditClaimsCursor *cursor) {
  cursor->all = cursor->all->next;
  cursor->place = NULL;
}

AditValue *adit_claims_cursor_next(AditClaimsCursor *cursor) {
  while (cursor->all) {
    const AditObject *object = cursor->all->data;
    const GList *place = cursor->place ? cursor->place : object->line.head;
    if (place) {
      cursor->place = place->next;
      if (!cursor->place)
        next_object(cursor);
      return describe_claim(cursor->claims, place->data);
    }
    next_object(cursor);
  }
  return NULL;
}

void adit_cursors_leave_object(AditClaims *claims, const AditObject *object) {
  for (GList *node = claims->cursors.head; node; node = node->next)
    if (((AditClaimsCursor *)node->data)->all == &object->all)
      next_object(node->data);
}

void adit_cursors_leave_claim(AditClaims *claims, const AditClaim *claim) {
  for (GList *node = claims->cursors.head; node; node = node->next) {
    AditClaimsCursor *cursor = node->data;
    if (cursor->place != &claim->place)
      continue;
    cursor->place = claim->place.next;
    if (!cursor->place)
      next_object(cursor);
  }
}

AditValue *adit_claims_describe(AditClaims *claims) {
  AditValue *list = adit_value_list(), *row;
  AditClaimsCursor *cursor = adit_claims_cursor_new(claims);
  while ((row = adit_claims_cursor_next(cursor)))
    adit_value_append(list, row);
  adit_claims_cursor_free(cursor);
  return list;
}

void adit_claims_foreach(const AditClaims *claims, void (*each)(const AditObjectKey *key, const AditObjectValue *value, gpointer data),
                         gpointer data) {
  for (const GList *node = claims->all.head; node; node = node->next) {
    const AditObject *object = node->data;
    if (object->state == ADIT_CLAIM_INSTALLED && object->line.head)
      each(&object->key, &adit_object_winner(object)->value, data);
  }
}
