/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** pair.h - two ends of an authentication method in one process, on virtual time, with a network between them that may be bad. */
#pragma once

#include <adit/auth.h>

typedef struct Pair Pair;

typedef struct {
  Pair *pair;
  const AditAuthMethod *method;
  AditAuthStart start;
  AditAuthEnv env;
  gpointer state; /**< NULL = not started: packets to it are only recorded */
  guint64 wake[4];
  guint dones; /**< how often done() came, and what it said last */
  gboolean ok;
  char why[300];
  GPtrArray *sent; /**< of GBytes: all packets that this end sent */
} End;

enum { SERVER, CLIENT };

struct Pair {
  guint64 now;
  GRand *random;
  guint loss, twice; /**< per cent of packets */
  guint delay_ms;    /**< each packet takes up to this long */
  guint round_trip;  /**< and at least half of this */
  GQueue wire;
  End end[2];
  /* what the server's host does with requests */
  const char *password;  /**< the right one */
  const guint8 *nt_hash; /**< in place of it */
  gboolean retry, hold;  /**< answer R=1 when wrong; hold = leave the request in `asked` */
  guint64 verdict_ms;    /**< how long the source takes */
  guint64 verdict_at;
  AditAuthRequest *asked;
  guint asks;
  AditAuthReply last; /**< what verify() said last; message in `text` */
  char text[128];
};

Pair *pair_new(const AditAuthMethod *method, guint32 seed);
void pair_free(Pair *pair);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Pair, pair_free)

/** Starts an end: the server with its name, the client with user and password. */
void pair_start(Pair *pair, int which, const char *name, const char *password);
/** Runs until `ms` from now. */
void pair_run(Pair *pair, guint64 ms);
/** Delivers octets to an end at once. */
void pair_inject(Pair *pair, int which, const void *payload, gsize length);
/** Gives the verdict on what was asked, from password and nt_hash. */
void pair_judge(Pair *pair);
/** Saves an end, forgets it and restores it, as a restarted daemon does. */
gboolean pair_restart(Pair *pair, int which);
/** The `index`th packet that an end sent, from its end if negative. Fails the test if there is none. */
const guint8 *pair_sent(Pair *pair, int which, int index, gsize *length);
guint pair_sent_count(Pair *pair, int which);
/** Octets of a text in hex, blanks allowed. */
GBytes *pair_hex(const char *hex);
void pair_assert_hex(const guint8 *octets, gsize length, const char *hex);
