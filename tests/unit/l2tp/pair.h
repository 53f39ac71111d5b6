/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** pair.h - two tunnel engines on a virtual clock, with a network between them that a test may spoil. */
#pragma once

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include "plugins/l2tp/engine/tunnel.h"

typedef struct Pair Pair;

typedef struct {
  Pair *pair;
  L2tpTunnel tunnel;
  L2tpTunnelConfig config;
  L2tpTunnelEnv env;
  guint64 deadline[L2TP_SLOTS];
  guint ups, downs, finished, requests, calls_up, calls_down, calls_failed, infos, errors, places;
  guint16 refuse;          /**< what call_request answers */
  gboolean answer_at_once; /**< call_place answers the call itself */
  guint16 session, peer_session;
  L2tpReason reason, call_reason;
  L2tpCallInfo info; /**< of the last call_up */
  guint32 accm[2], wan[6];
  guint64 last_data;
  guint sent[L2TP_MESSAGE_MAX + 1], zlbs; /**< by type */
  GPtrArray *trace;                       /**< of char*: what was sent, as `SCCRQ 0 0` (Ns, Nr) */
} Node;

struct Pair {
  guint64 now;
  GRand *rand;
  guint loss, twice, delay_ms;                         /**< percent, percent, at most */
  gboolean cut;                                        /**< nothing arrives any more */
  gboolean (*drop)(Node *from, guint type, guint nth); /**< by message type (0 = ZLB), counted from 1; may be NULL */
  GQueue wire;                                         /**< of Datagram, by time of arrival */
  Node a, b;
};

Pair *pair_new(guint32 seed);
void pair_free(Pair *pair);
/** Runs until nothing is due before `now + ms`. */
void pair_run(Pair *pair, guint64 ms);
/** Opens the tunnel from a to b and runs until it stands. */
void pair_up(Pair *pair);
/** Hands octets to a node as if they came from the other. */
void pair_inject(Node *to, const guint8 *datagram, gsize length);
/** Saves the node, wipes it, and restores it. */
void pair_reincarnate(Node *node);
