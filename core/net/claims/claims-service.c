/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The claim functions of adit/net.h. */
#include "core/base/misuse.h"
#include "core/net/claims/claims.h"

static AditClaims *current;

static AditClaim *claim_address(const AditNetAddress *address, const AditClaimant *claimant) {
  ADIT_MAIN_ONLY("adit.net claim_address", NULL);
  AditObjectKey key = adit_object_key_address(address);
  AditObjectValue value = {.ifindex = address->ifindex};
  return adit_claims_add(current, &key, &value, claimant);
}

static AditClaim *claim_route(const AditNetRoute *route, const AditClaimant *claimant) {
  ADIT_MAIN_ONLY("adit.net claim_route", NULL);
  AditObjectKey key = adit_object_key_route(route);
  AditObjectValue value = {.via = route->via, .ifindex = route->ifindex, .mtu = route->mtu};
  return adit_claims_add(current, &key, &value, claimant);
}

static AditClaim *claim_link(const AditLinkWish *wish, const AditClaimant *claimant) {
  ADIT_MAIN_ONLY("adit.net claim_link", NULL);
  AditObjectKey key = adit_object_key_link(wish->ifindex);
  AditObjectValue value = {.ifindex = wish->ifindex, .mtu = wish->mtu, .up = wish->up};
  return adit_claims_add(current, &key, &value, claimant);
}

static AditClaim *claim_master(guint ifindex, guint master, const AditClaimant *claimant) {
  ADIT_MAIN_ONLY("adit.net claim_master", NULL);
  AditObjectKey key = adit_object_key_master(ifindex);
  AditObjectValue value = {.ifindex = ifindex, .master = master};
  return adit_claims_add(current, &key, &value, claimant);
}

static AditClaim *claim_bridge_port(const AditBridgePortWish *wish, const AditClaimant *claimant) {
  ADIT_MAIN_ONLY("adit.net claim_bridge_port", NULL);
  AditObjectKey key = adit_object_key_master(wish->ifindex);
  AditObjectValue value = {.ifindex = wish->ifindex, .port = adit_object_bridge_port(wish)};
  g_strlcpy(value.bridge, wish->bridge, sizeof value.bridge);
  return adit_claims_add(current, &key, &value, claimant);
}

static AditClaim *claim_neighbour(const AditNetNeighbour *neighbour, const AditClaimant *claimant) {
  ADIT_MAIN_ONLY("adit.net claim_neighbour", NULL);
  AditObjectKey key = adit_object_key_neighbour(neighbour);
  AditObjectValue value = {.ifindex = neighbour->ifindex};
  return adit_claims_add(current, &key, &value, claimant);
}

void adit_claims_serve(AditClaims *claims, AditNetService *service) {
  if (current != claims)
    current = claims;
  if (service->claim_address) /* the network thread may be reading it */
    return;
  service->claim_address = claim_address;
  service->claim_route = claim_route;
  service->claim_link = claim_link;
  service->claim_master = claim_master;
  service->claim_neighbour = claim_neighbour;
  service->claim_bridge_port = claim_bridge_port;
  service->claim_set_mtu = adit_claims_set_mtu;
  service->claim_state = adit_claims_state;
  service->claim_release = adit_claims_release;
}

AditClaims *adit_claims_served(void) {
  return current;
}
