/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** setup.h - what the configuration says */
#pragma once

#include "service.h"

typedef struct L2tp L2tp;

typedef struct {
  GPtrArray *servers;   /**< of L2tpService: the enabled ones */
  GPtrArray *listeners; /**< of L2tpListener: what they claim */
  GArray *secrets;      /**< of L2tpRule */
  guint max_tunnels, max_half_open, max_starting, new_rate, new_burst;
} L2tpSetup;

/** A server that is enabled, a client that is not disabled. */
gboolean l2tp_item_is_on(const AditValue *item);
/** Reads and checks the whole; once the plugin runs, opens listeners that are new. NULL and all that is wrong, a line each. */
L2tpSetup *l2tp_setup_new(L2tp *l2tp, const AditValue *config, GError **error);
/** Opens its listeners, or none. */
gboolean l2tp_setup_listen(L2tp *l2tp, L2tpSetup *setup, GError **error);
void l2tp_setup_free(L2tpSetup *setup);
/** The enabled server of that name, or NULL. */
L2tpService *l2tp_setup_server(const L2tpSetup *setup, const char *name);
/** The server for a caller on `local` (the listener's address), or NULL. */
L2tpService *l2tp_setup_choose(const L2tpSetup *setup, const AditEndpoint *local, const AditAddress *remote, const char *host_name);
/** True if `proxy-peers` of the server names the peer, once it proved the secret that is for it. */
gboolean l2tp_setup_names_proxy(const L2tpSetup *setup, const L2tpService *service, const AditAddress *remote, const char *host_name);
/** The secret for a peer, or NULL; borrowed from the setup. `host_name` may be NULL: not known yet. */
const AditValue *l2tp_setup_secret(const L2tpSetup *setup, const AditAddress *remote, const char *host_name);
