/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** claims-world.h - a kernel made of a table, in virtual time, for the tests of claims. */
#pragma once

#include "core/net/claims/claims.h"
#include "core/net/claims/pins.h"
#include "core/net/net.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

typedef struct {
  AditChange change;
  AditObject *object;
} Job;

typedef enum {
  ANSWER_COMES,
  ANSWER_LOST_BEFORE, /* nothing was done */
  ANSWER_LOST_HALF,   /* the first half of a REPLACE was done, of all else nothing */
  ANSWER_LOST_AFTER,  /* all was done */
} Answer;

typedef struct {
  AditClaims *claims;
  GHashTable *have, *foreign; /* AditObjectKey -> AditObjectValue */
  GHashTable *behind;         /* the same: ours behind `have`, left by half a REPLACE */
  GQueue jobs;                /* of Job */
  guint64 now, wake;
  guint started[3], most; /* by kind of change; the longest queue */
  int refuse;             /* errno for what is added */
  int keep;               /* errno for what is removed */
  Answer answer;
  AditNetRoute way; /* to everything outside */
  int no_way;
  guint32 bridge; /* the interface that has the name of a bridge; 0 = none */
  GQueue asked; /* of AditAddress: resolve */
} Kernel;

extern Kernel kernel;

typedef struct {
  AditClaimant head;
  AditClaimState state;
  guint told;
  char why[160];
} Owner;

#define OWNER(name, of, ...)                                                                                                               \
  Owner name = {.head = {.size = sizeof name.head, .who = #name, .party = of, .changed = on_changed, .user = &name, ##__VA_ARGS__}}

void carry_out(Job *job);
void run(guint64 ms);
int setup(void **state);
int teardown(void **state);
void on_changed(AditClaim *claim, AditClaimState state, int error, const char *why, gpointer user);
AditPrefix prefix(const char *text);
AditObjectKey route_key(const char *to);
AditClaim *claim_route(const char *to, guint ifindex, Owner *owner);
AditClaim *claim_address(const char *local, const char *peer, guint ifindex, Owner *owner);
AditClaim *claim_link(guint ifindex, Owner *owner);
AditClaim *claim_master(guint ifindex, guint master, Owner *owner);
AditClaim *claim_bridge(guint ifindex, const AditBridgePortWish *wish, Owner *owner);
AditClaim *claim_neighbour(const char *address, guint ifindex, Owner *owner);
AditObjectKey neighbour_key(const char *address, guint ifindex);
gboolean has_neighbour(const char *address, guint ifindex);
/* The interface's master in the kernel; 0 = it has none. */
guint master_of(guint ifindex);
guint route_at(const char *to);
void event(AditKernelEvent e);
void route_event(AditKernelEventKind kind, const char *to, guint ifindex, guint8 protocol);
