/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** pair.h - two PPP links with NCPs on a virtual clock, with a network between them that a test may spoil. */
#pragma once

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#include "core/ppp/ppp-link.h"
#include "core/ppp/ncp.h"

#define PAIR_NCPS 2

typedef struct Pair Pair;
typedef struct Node Node;

typedef struct {
  Node *node;
  AditNcp *ncp;
  const AditNcpDesc *desc;
  AditNcpParams params;
  AditEngineEnv env;
  guint64 deadline;
  guint opens, downs, closes;
  char why[128];
  AditNcpResult result;
  guint warns;
  struct {
    gboolean refuse;
    guint adds, sets, removes;
    _Alignas(16) guint8 params[512]; /**< as they were told last */
    gsize params_length;
    guint16 first, last;
    void (*note)(gpointer user, guint32 what, gconstpointer data, gsize length);
    const char *(*encoding)(gpointer user);
    gpointer user;
  } stage;
} NodeNcp;

struct Node {
  Pair *pair;
  AditPppLink *link;
  AditPppLinkParams params;
  AditEngineEnv env;
  guint64 deadline;
  NodeNcp ncps[PAIR_NCPS];

  /* what AAA would say */
  const char *password; /**< of every user */
  gboolean hold;        /**< don't answer; the question stays in `asked` */
  AditAuthRequest *asked;
  guint asks, cancels;

  /* what happened */
  guint networks, network_downs, closes, lcp_ups, auth_oks, auth_fails, unknown;
  gboolean network;
  AditCause cause;
  char reason[256], user[256], told[256];
  gboolean acfc, pfc;
  guint16 mtu, rejected;
  guint64 last_rx; /**< data that the link does not see; 0 = none */
  guint64 closed_ms;
  GPtrArray *sent; /**< of GBytes: frames, in order */
  guint data;      /**< data frames received */
};

struct Pair {
  guint64 now;
  GRand *rand;
  guint loss, twice, delay_ms;                                                /**< percent, percent, at most */
  gboolean cut;                                                               /**< nothing arrives any more */
  gboolean (*drop)(Node *from, const guint8 *frame, gsize length, guint nth); /**< frames counted from 1; may be NULL */
  guint frames;
  GQueue wire; /**< of Flying, by time of arrival */
  Node a, b;
};

/** A pair of links that demand nothing; change a.params and b.params, and name NCPs, before pair_open(). */
Pair *pair_new(guint32 seed);
void pair_free(Pair *pair);
void node_add_ncp(Node *node, const AditNcpDesc *desc, const AditNcpParams *params);
/** Makes the link; pair_open() opens both. */
void node_make(Node *node);
void pair_open(Pair *pair);
/** Runs until nothing is due before now + ms, and moves the clock there. */
void pair_run(Pair *pair, guint64 ms);
/** Hands octets to a node as if they came from the other. */
void node_inject(Node *to, const void *frame, gsize length);
void node_inject_text(Node *to, const char *hex);
/** Sends a data frame of `protocol` to the other side, as the data path would. */
void node_send_data(Node *from, guint16 protocol);
/** The `nth` frame sent (from 1) with that protocol and code, as hex from the code on; NULL if there were not so many. */
char *node_sent(Node *node, guint16 protocol, guint8 code, guint nth);
guint node_count(Node *node, guint16 protocol, guint8 code);
/** Saves link and NCPs, frees them, and restores them. */
void node_reincarnate(Node *node);
/** Octets of hex digits; blanks are passed over. */
GByteArray *from_hex(const char *hex);

/** A method of the simplest kind (request, ack, nak), as `pap` in its packets. */
extern const AditAuthMethod pair_method_weak, pair_method_strong;
