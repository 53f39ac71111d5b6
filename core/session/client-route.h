/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/session/client-route.h - the default route through a client's session. [main] */
#pragma once

#include <adit/net.h>
#include <adit/value.h>

typedef struct {
  const char *client; /**< its name, borrowed */
  GPtrArray *claims;  /**< of AditClaim */
  AditClaimant claimant;
  char *who;
} AditClientRoute;

/** Before any of the others. */
void adit_client_route_serve(const AditNetService *net);
void adit_client_route_init(AditClientRoute *route, const char *client);
void adit_client_route_clear(AditClientRoute *route);
/** As `config` has it. The claims keep the way to the server as it was. */
void adit_client_route_add(AditClientRoute *route, const AditValue *config, const AditEndpoint *server, guint ifindex);
void adit_client_route_remove(AditClientRoute *route);
