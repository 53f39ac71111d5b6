/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/pool/pool-set.h - the pools of one configuration. All [main]. */
#pragma once

#include "core/pool/pool-body.h"
#include "core/pool/pool.h"

G_BEGIN_DECLS

typedef struct AditPool AditPool;
struct AditPool {
  const AditValue *config; /**< its item, owned */
  const char *name;
  AditPool *next;
  AditPoolBody *body;
  gboolean fresh; /**< while committing: the body was not taken over from an earlier set */
};

struct AditPoolSet {
  GPtrArray *pools; /**< of AditPool */
  GHashTable *by_name;
  GArray *sorted; /**< of AditPoolSpot: all ranges by family and address */
};

typedef struct {
  const AditPoolRange *range;
  AditPool *pool;
} AditPoolSpot;

/** Makes `sorted`. */
void adit_pool_set_sort(AditPoolSet *set);

/** Calls `each` for all entries that share addresses with `which`, until one call returns FALSE. A range of which it would take more
 *  than 65536 entries is skipped. FALSE if a range was skipped or a call stopped it. */
gboolean adit_pool_set_span(const AditPoolSet *set, const AditPrefix *which, gboolean (*each)(AditPool *pool, guint64 index, gpointer data),
                            gpointer data);

G_END_DECLS
