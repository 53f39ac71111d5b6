/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/pool/pool.h - named pools of addresses and prefixes: configuration, reload and `show pools`. All [main]. */
#pragma once

#include <adit/option.h>
#include <adit/pool.h>

G_BEGIN_DECLS

/** Options of ADIT_SCOPE_POOL, and `pools` itself in ADIT_SCOPE_GLOBAL. */
extern const AditOption adit_pool_options[];
extern const guint adit_pool_n_options;

/** A checked configuration that is not in force yet. */
typedef struct AditPoolSet AditPoolSet;

/** Checks `config` (the whole typed tree, or the list `pools` itself; NULL = no pools) and stages it. On refusal NULL, and
 *  the error names file, line and both parties of an overlap or the chain of a circular next-pool. Changes nothing. */
AditPoolSet *adit_pools_prepare(const AditValue *config, GError **error);

/** Puts the set (taken over) in force. Live leases stay: in the pool that holds them now, or apart until given back. */
void adit_pools_commit(AditPoolSet *set);

/** Frees a set that was not committed. */
void adit_pools_abort(AditPoolSet *set);

/** Addresses that the configuration gives to certain users or to our own ends: no pool hands them out, and reserve() gets them. In place
 *  of those of an earlier call; copied. They stay over adit_pools_commit(). */
void adit_pools_set_aside(const AditPrefix *list, guint n);

/** Forgets pools and leases. */
void adit_pools_fini(void);

/** The table behind ADIT_POOL_SERVICE. */
const AditPoolService *adit_pool_service(void);

/** True if a pool of that name is in force. */
gboolean adit_pool_exists(const char *name);

/** LIST of MAPs: name STRING, ranges LIST of STRING, used INT, total INT, reserved INT (of total: set aside, if any), next-pool STRING (if
 * any), comment STRING (if any). */
AditValue *adit_pools_describe(void);

G_END_DECLS
