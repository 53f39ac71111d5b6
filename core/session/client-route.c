/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/session/client-route.h"
#include <adit/log.h>
#include <adit/session-options.h>

static const AditNetService *net;

void adit_client_route_serve(const AditNetService *service) {
  net = service;
}

static void on_route_changed(AditClaim *claim, AditClaimState state, int error, const char *why, gpointer user) {
  const AditClientRoute *route = user;
  AditLogContext log = {.tunnel = route->client};
  switch (state) {
  case ADIT_CLAIM_PENDING:
  case ADIT_CLAIM_INSTALLED:
  case ADIT_CLAIM_LOST:
  case ADIT_CLAIM_BLOCKED: /* a warning with both names was logged */
    return;
  case ADIT_CLAIM_WAITING:
    adit_notice(&log, "client %s: the default route waits: %s has it", route->client, why);
    return;
  case ADIT_CLAIM_REFUSED:
    adit_warning(&log, "client %s: no default route: %s", route->client, why ? why : g_strerror(error));
    return;
  }
}

void adit_client_route_init(AditClientRoute *route, const char *client) {
  route->client = client;
  route->claims = g_ptr_array_new();
  route->who = g_strdup_printf("client %s", client);
  route->claimant = (AditClaimant){.size = sizeof route->claimant, .who = route->who, .changed = on_route_changed, .user = route};
}

void adit_client_route_clear(AditClientRoute *route) {
  g_ptr_array_unref(route->claims);
  g_free(route->who);
}

static void claim_route(AditClientRoute *route, const char *to, guint ifindex, guint32 metric) {
  AditNetRoute wish = {.ifindex = ifindex, .metric = metric};
  const char *why = NULL;
  adit_prefix_parse(to, &wish.to);
  AditClaim *claim = net->claim_route(&wish, &route->claimant);
  g_ptr_array_add(route->claims, claim);
  AditClaimState state = net->claim_state(claim, &why);
  on_route_changed(claim, state, 0, why, route);
}

void adit_client_route_add(AditClientRoute *route, const AditValue *config, const AditEndpoint *server, guint ifindex) {
  gint64 distance = adit_option_default_route_distance(config);
  route->claimant.endpoint = adit_endpoint_address(server);
  if (distance == 1) {
    claim_route(route, "0.0.0.0/1", ifindex, 0);
    claim_route(route, "128.0.0.0/1", ifindex, 0);
  } else {
    claim_route(route, "0.0.0.0/0", ifindex, (guint32)distance);
  }
}

void adit_client_route_remove(AditClientRoute *route) {
  for (guint i = route->claims->len; i > 0; i--)
    net->claim_release(route->claims->pdata[i - 1]);
  g_ptr_array_set_size(route->claims, 0);
}
