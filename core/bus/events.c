/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The events of adit/event.h, and any event as a value. */
#include "core/bus/events.h"
#include "core/bus/event-class.h"

#define FIELD(name, type, of, member)                                                                                                      \
  { name, type, G_STRUCT_OFFSET(of, member) }

static const AditField session_fields[] = {
    FIELD("session", ADIT_FIELD_ID, AditSessionEvent, session),
    FIELD("link", ADIT_FIELD_ID, AditSessionEvent, link),
    FIELD("user", ADIT_FIELD_STRING, AditSessionEvent, user),
    FIELD("interface", ADIT_FIELD_STRING, AditSessionEvent, interface),
    FIELD("service", ADIT_FIELD_STRING, AditSessionEvent, service),
    FIELD("caller-id", ADIT_FIELD_STRING, AditSessionEvent, caller_id),
    FIELD("local-address", ADIT_FIELD_ADDRESS, AditSessionEvent, local4),
    FIELD("remote-address", ADIT_FIELD_ADDRESS, AditSessionEvent, remote4),
    FIELD("peer", ADIT_FIELD_ENDPOINT, AditSessionEvent, peer),
    FIELD("cause", ADIT_FIELD_U32, AditSessionEvent, cause),
    FIELD("reason", ADIT_FIELD_STRING, AditSessionEvent, reason),
    FIELD("uptime-ms", ADIT_FIELD_U64, AditSessionEvent, uptime_ms),
    FIELD("counters", ADIT_FIELD_COUNTERS, AditSessionEvent, counters),
};

static const AditField link_fields[] = {
    FIELD("link", ADIT_FIELD_ID, AditLinkEvent, link),     FIELD("service", ADIT_FIELD_STRING, AditLinkEvent, service),
    FIELD("user", ADIT_FIELD_STRING, AditLinkEvent, user), FIELD("peer", ADIT_FIELD_ENDPOINT, AditLinkEvent, peer),
    FIELD("cause", ADIT_FIELD_U32, AditLinkEvent, cause),  FIELD("reason", ADIT_FIELD_STRING, AditLinkEvent, reason),
};

static const AditField tunnel_fields[] = {
    FIELD("local-id", ADIT_FIELD_U32, AditTunnelEvent, local_id),  FIELD("peer-id", ADIT_FIELD_U32, AditTunnelEvent, peer_id),
    FIELD("service", ADIT_FIELD_STRING, AditTunnelEvent, service), FIELD("peer-name", ADIT_FIELD_STRING, AditTunnelEvent, peer_name),
    FIELD("peer", ADIT_FIELD_ENDPOINT, AditTunnelEvent, peer),     FIELD("reason", ADIT_FIELD_STRING, AditTunnelEvent, reason),
};

static const AditField lockout_fields[] = {
    FIELD("source", ADIT_FIELD_STRING, AditLockoutEvent, source),
    FIELD("user", ADIT_FIELD_STRING, AditLockoutEvent, user),
    FIELD("failures", ADIT_FIELD_U32, AditLockoutEvent, failures),
    FIELD("lockout-ms", ADIT_FIELD_U64, AditLockoutEvent, lockout_ms),
};

static const AditField association_fields[] = {
    FIELD("association", ADIT_FIELD_U32, AditAssociationEvent, association),
    FIELD("provider", ADIT_FIELD_STRING, AditAssociationEvent, provider),
    FIELD("peer", ADIT_FIELD_ENDPOINT, AditAssociationEvent, peer),
    FIELD("reason", ADIT_FIELD_STRING, AditAssociationEvent, reason),
};

#define CLASS(name, of, fields)                                                                                                            \
  { sizeof(AditEventClass), name, sizeof(of), fields, G_N_ELEMENTS(fields) }

void adit_event_add_classes(void) {
  static const AditEventClass classes[] = {
      CLASS(ADIT_EVENT_SESSION_UP, AditSessionEvent, session_fields),
      CLASS(ADIT_EVENT_SESSION_UPDATE, AditSessionEvent, session_fields),
      CLASS(ADIT_EVENT_SESSION_DOWN, AditSessionEvent, session_fields),
      CLASS(ADIT_EVENT_LINK_UP, AditLinkEvent, link_fields),
      CLASS(ADIT_EVENT_LINK_DOWN, AditLinkEvent, link_fields),
      CLASS(ADIT_EVENT_AUTH_DONE, AditLinkEvent, link_fields),
      CLASS(ADIT_EVENT_TUNNEL_UP, AditTunnelEvent, tunnel_fields),
      CLASS(ADIT_EVENT_TUNNEL_DOWN, AditTunnelEvent, tunnel_fields),
      CLASS(ADIT_EVENT_ASSOCIATION_UP, AditAssociationEvent, association_fields),
      CLASS(ADIT_EVENT_ASSOCIATION_REKEYED, AditAssociationEvent, association_fields),
      CLASS(ADIT_EVENT_ASSOCIATION_MOVED, AditAssociationEvent, association_fields),
      CLASS(ADIT_EVENT_ASSOCIATION_DOWN, AditAssociationEvent, association_fields),
      CLASS(ADIT_EVENT_LOGIN_LOCKOUT, AditLockoutEvent, lockout_fields),
      {sizeof(AditEventClass), ADIT_EVENT_CONFIG_LOADED, sizeof(AditEvent), NULL, 0},
  };
  for (guint i = 0; i < G_N_ELEMENTS(classes); i++)
    adit_bus_class_add(NULL, &classes[i]);
}

static AditValue *counters_value(const AditCounters *c) {
  AditValue *map = adit_value_map();
  adit_value_set(map, "rx-packets", adit_value_int((gint64)c->rx_packets));
  adit_value_set(map, "rx-octets", adit_value_int((gint64)c->rx_octets));
  adit_value_set(map, "tx-packets", adit_value_int((gint64)c->tx_packets));
  adit_value_set(map, "tx-octets", adit_value_int((gint64)c->tx_octets));
  return map;
}

/* NULL when there is nothing to show. */
static AditValue *field_value(const AditEvent *event, const AditField *field) {
  gconstpointer at = (const char *)event + field->offset;
  char text[ADIT_ENDPOINT_TEXT];

  switch (field->type) {
  case ADIT_FIELD_U64:
    return adit_value_int((gint64) * (const guint64 *)at);
  case ADIT_FIELD_ID:
    g_snprintf(text, sizeof text, "%" G_GINT64_MODIFIER "x", *(const guint64 *)at);
    return adit_value_string(text);
  case ADIT_FIELD_U32:
    return adit_value_int(*(const guint32 *)at);
  case ADIT_FIELD_STRING:
    return *(const char *const *)at ? adit_value_string(*(const char *const *)at) : NULL;
  case ADIT_FIELD_ADDRESS:
    return adit_address_is_set(at) ? adit_value_address(at) : NULL;
  case ADIT_FIELD_ENDPOINT:
    return ((const AditEndpoint *)at)->any.sa_family ? adit_value_string(adit_endpoint_format(at, text)) : NULL;
  case ADIT_FIELD_COUNTERS:
    return counters_value(at);
  }
  return NULL;
}

AditValue *adit_event_to_value(const AditEvent *event) {
  const AditEventClass *k = adit_bus_class(event->type);
  g_return_val_if_fail(k && event->size == k->event_size, NULL);
  AditValue *map = adit_value_map();

  adit_value_set(map, "event", adit_value_string(k->name));
  for (guint i = 0; i < k->n_fields; i++) {
    AditValue *value = field_value(event, &k->fields[i]);
    if (value)
      adit_value_set(map, k->fields[i].name, value);
  }
  return map;
}
