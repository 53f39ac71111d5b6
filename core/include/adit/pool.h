/* SPDX-License-Identifier: MIT */
/**
 * adit/pool.h - addresses and prefixes from the configuration's `pools`: service "adit.pool".
 *
 * An address for a user, and back:
 *
 *     static gboolean lease_address(const AditPoolService *pool, const char *user, AditPrefix *out, GError **error) {
 *       return pool->take("people", user, out, error); // pool->give_back(out) when it is no longer used
 *     }
 */
#pragma once

#include <adit/address.h>
#include <adit/plugin.h>

G_BEGIN_DECLS

#define ADIT_POOL_SERVICE "adit.pool"
typedef struct {
  gsize size;
  /** [main] A free entry of pool `name`, or of its next-pool. `owner` (a user's name) gets what it had last time, if
   *  that is free; NULL = anyone. Errors: NOT_FOUND, BUSY (exhausted). */
  gboolean (*take)(const char *name, const char *owner, AditPrefix *out, GError **error);
  /** [main] Marks one certain address as used, if a pool holds it; FALSE if it is taken already. */
  gboolean (*reserve)(const AditPrefix *which);
  void (*give_back)(const AditPrefix *which); /**< [main] undoes one take, reserve or hold */
  /** [main] Keeps an address from being handed out, also if it is leased now: one of ours, which many sessions may share. */
  void (*hold)(const AditPrefix *which);
} AditPoolService;

G_END_DECLS
