/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/pool/pool.h"

const AditOption adit_pool_options[] = {
    {.name = "pools",
     .scopes = ADIT_SCOPE_GLOBAL,
     .type = ADIT_TYPE_MAP,
     .flags = ADIT_OPTION_LIST,
     .words = ADIT_SCOPE_POOL,
     .help = "Addresses and prefixes to give to peers. Leases that are live stay when a pool changes.",
     .reference = "/ip pool, /ipv6 pool"},
    {.name = "name",
     .scopes = ADIT_SCOPE_POOL,
     .type = ADIT_TYPE_STRING,
     .flags = ADIT_OPTION_KEY | ADIT_OPTION_REQUIRED,
     .min = 1,
     .max = 64,
     .help = "What profiles and secrets call the pool by.",
     .reference = "name"},
    {.name = "ranges",
     .scopes = ADIT_SCOPE_POOL,
     .type = ADIT_TYPE_RANGE,
     .flags = ADIT_OPTION_LIST | ADIT_OPTION_REQUIRED,
     .help = "IPv4: `192.0.2.10-192.0.2.99`, `198.51.100.0/24` (without its first and last address) or single addresses. IPv6: "
             "prefixes. A pool is of one family, and no two ranges overlap, here or in other pools.",
     .reference = "ranges; prefix"},
    {.name = "prefix-length",
     .scopes = ADIT_SCOPE_POOL,
     .type = ADIT_TYPE_INT,
     .min = 1,
     .max = 128,
     .help = "Length of what is given to one peer. If not set, 32 for IPv4 and 64 for IPv6.",
     .reference = "prefix-length"},
    {.name = "next-pool",
     .scopes = ADIT_SCOPE_POOL,
     .type = ADIT_TYPE_STRING,
     .max = 64,
     .help = "Where to take from when this pool is used up; `none` for nowhere.",
     .reference = "next-pool"},
    {.name = "comment", .scopes = ADIT_SCOPE_POOL, .type = ADIT_TYPE_STRING, .max = 1024, .help = "For people.", .reference = "comment"},
};

const guint adit_pool_n_options = G_N_ELEMENTS(adit_pool_options);
