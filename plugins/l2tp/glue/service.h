/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** service.h - an item of `servers` or `clients` */
#pragma once

#include "../engine/tunnel.h"
#include "../strangers/shares.h"
#include <adit/adit.h>

typedef enum { L2TP_SEQUENCE_ALLOW = 1, L2TP_SEQUENCE_DENY, L2TP_SEQUENCE_PREFER, L2TP_SEQUENCE_REQUIRE } L2tpSequencing;

/** The established links of a server; it goes over to the next setup's server of that name (a g_rc_box). */
typedef struct {
  guint links;
  GHashTable *hosts;    /**< AditAddress of a peer -> how many of them */
  L2tpShares strangers; /**< of L2tpLink: those that are not authenticated */
} L2tpLoad;

/** An item of `servers` or `clients`, immutable and counted: tunnels keep the one they began with. */
typedef struct {
  gint refs;
  char *name, *host_name, *data_path;
  AditValue *config;
  GArray *addresses;       /**< server: AditEndpoint */
  GArray *rules;           /**< server: L2tpRule, of `peers`; empty = all peers */
  GArray *proxy_peers;     /**< server: L2tpRule of peers with accepted proxy LCP and authentication */
  L2tpTunnelConfig tunnel; /**< without secret */
  L2tpSequencing sequencing;
  guint32 reorder_ms, idle_ms;
  gboolean client, ephemeral, one_per_host, by_number, replace_stale, any_tunnel;
  L2tpLoad *load;
} L2tpService;

L2tpService *l2tp_service_ref(L2tpService *service);
void l2tp_service_unref(L2tpService *service);
/** An item of `servers` or `clients`, defaults filled in. */
L2tpService *l2tp_service_new(const AditValue *config, gboolean client);

/** The server of that name goes on in a new setup: its links still count. */
void l2tp_service_take_load(L2tpService *service, const L2tpService *before);
