/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/net/claims/object-key.h - what identifies an object of the kernel, and what a claim wants of it. Pure. [any] */
#pragma once

#include <adit/net.h>

G_BEGIN_DECLS

typedef enum { ADIT_OBJECT_LINK = 1, ADIT_OBJECT_ADDRESS, ADIT_OBJECT_ROUTE, ADIT_OBJECT_MASTER, ADIT_OBJECT_NEIGHBOUR } AditObjectKind;

/** The identity of an object. All octets count, so that memcmp() compares: made by adit_object_key_*() alone. */
typedef struct {
  guint8 kind, family, length, pad;
  guint32 where;  /**< table of a route, interface of the others */
  guint32 metric; /**< as the kernel has it */
  guint8 octet[16], peer[16];
} AditObjectKey;

/** Attributes of a bridge's port. */
typedef struct {
  guint32 set; /**< ADIT_BRIDGE_PORT_* bits: which of the others count */
  guint32 cost;
  guint16 priority, pvid;
  guint8 learning, isolated, pad[2];
} AditBridgePort;

/** The value of an object that a claim wants. */
typedef struct {
  AditAddress via;
  guint32 ifindex, mtu, master; /**< a route with neither interface nor gateway is unreachable */
  gboolean up;
  char bridge[16];     /**< the master by its name: `master` is what has it now; empty = by its number */
  AditBridgePort port; /**< attributes in that bridge */
} AditObjectValue;

AditObjectKey adit_object_key_link(guint ifindex);
AditObjectKey adit_object_key_address(const AditNetAddress *address);
AditObjectKey adit_object_key_route(const AditNetRoute *route);
AditObjectKey adit_object_key_master(guint ifindex);
AditObjectKey adit_object_key_neighbour(const AditNetNeighbour *neighbour);
AditNetAddress adit_object_address(const AditObjectKey *key);
AditNetRoute adit_object_route(const AditObjectKey *key, const AditObjectValue *value);
AditNetNeighbour adit_object_neighbour(const AditObjectKey *key);
AditBridgePort adit_object_bridge_port(const AditBridgePortWish *wish);
/** Does a port have what is wanted of it? */
gboolean adit_bridge_port_has(const AditBridgePort *have, const AditBridgePort *wanted);
gboolean adit_object_value_equal(const AditObjectValue *a, const AditObjectValue *b);
#define ADIT_OBJECT_TEXT 160
/** `route 192.0.2.0/24 metric 5 table 7`, `address 192.0.2.1/32 peer 192.0.2.9`, `proxy neighbour 192.0.2.9`, `master br0`. */
const char *adit_object_format(const AditObjectKey *key, const AditObjectValue *value, char text[ADIT_OBJECT_TEXT]);

G_END_DECLS
