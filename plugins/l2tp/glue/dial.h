/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** dial.h - a client's attempt to reach its server */
#pragma once

#include "peer.h"

enum { L2TP_ROUND_MAX = 16 };

/** The addresses of a client's server that were found together: each attempt takes the next, and the end of the last one resolves them
 * again. */
typedef struct {
  char *host;
  int family;
  guint n, next;
  AditAddress address[L2TP_ROUND_MAX]; /**< in the order of RFC 6724 */
} L2tpRound;

/** One attempt to reach a server. */
struct AditDial {
  L2tp *l2tp;
  L2tpService *service;
  gpointer token;
  guint nth;      /**< link of the client, from 0 */
  L2tpPeer *peer; /**< once the address is known */
  gboolean cancelled;
  gboolean evading; /**< a stranger guesses tunnel ids: dialled again from a separate port */
  AditAddress remote;
  /* for the thread that resolves: */
  char **hosts; /**< names and addresses, as configured */
  char *host;   /**< all of them, as one text */
  int family, error;
  L2tpRound *found; /**< NULL = nothing */
};

/** The addresses of clients' servers, by l2tp_dial_round_key(). */
GHashTable *l2tp_rounds_new(void);
/** Each link of a client goes through the addresses by itself: the client's name, and which link it is. The caller's. */
char *l2tp_dial_round_key(const AditDial *dial);
/** Forgets those of clients that `config` has no more. */
void l2tp_rounds_prune(L2tp *l2tp, const AditValue *config);
/** The tunnel or call has failed before the link was open. Harmless without a dial. */
void l2tp_dial_failed(L2tpPeer *peer, AditCause cause, const char *reason);
/** The dial of `peer` has its link: its token; the dial is freed. */
gpointer l2tp_dial_done(L2tpPeer *peer);
void l2tp_dial_free(AditDial *dial);
/** The attempt has failed: the core is told, and it is freed. */
void l2tp_dial_fail(AditDial *dial, AditCause cause, const char *reason);
