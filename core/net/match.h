/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/net/match.h - questions about routes that are in the kernel. [network thread]; calls block. */
#pragma once

#include "core/net/rtnl.h"

G_BEGIN_DECLS

typedef enum {
  ADIT_MATCH_OURS,           /**< adit's, and just that one */
  ADIT_MATCH_OURS_OTHERWISE, /**< adit's with another next hop or MTU */
  ADIT_MATCH_FOREIGN,        /**< of another protocol */
  ADIT_MATCH_UNKNOWN,        /**< a longer prefix hides it, or it is in a separate table */
} AditMatch;

#define ADIT_MATCH_PROTOCOL 16
/** `static`, `bird`: as ip(8) prints it. */
const char *adit_match_protocol_word(guint8 protocol, char buffer[ADIT_MATCH_PROTOCOL]);
/** Finds the owner of the prefix, table and metric of `route`. `there`: the present route; `text`: the same for people. */
AditMatch adit_match_route(AditRtnl *rtnl, const AditNetRoute *route, AditNetRoute *there, char *text, gsize size);

typedef struct {
  AditAddress to;
  int error;          /**< out: 0 or an errno */
  AditNetRoute route; /**< out: next hop and interface */
} AditMatchWay;

/** How the kernel reaches it now. */
void adit_match_now(AditRtnl *rtnl, AditMatchWay *way);
/** How it would by the main table without adit's routes, for all of them in one dump. Sorts them. */
void adit_match_without_ours(AditRtnl *rtnl, AditMatchWay *ways, guint n);

G_END_DECLS
