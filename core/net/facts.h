/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/net/facts.h - the machine's own addresses and next hops, for protected.h: read at the start, and kept by what the watch sees. */
#pragma once

#include "core/net/claims.h"
#include "core/net/rtnl.h"

G_BEGIN_DECLS

/** What the watch saw. */
typedef struct {
  AditKernelEvent event;
  AditAddress local; /**< of an address; unset = it is none */
  AditAddress via;   /**< of another program's route; unset = none */
  gboolean gone, down;
} AditWatched;

void adit_facts_event(const AditWatched *watched); /**< [main] */
/** Reads them anew; at once, or a while after the last time. [main] */
void adit_facts_scan(void);
void adit_facts_fini(void); /**< [main] */
/** Parses RTM_NEWADDR or RTM_DELADDR. [any] */
gboolean adit_watch_parse_address(struct nlmsghdr *h, AditNetAddress *out);

G_END_DECLS
