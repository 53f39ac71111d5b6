/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** world.h - what the module aaa is given in tests: a loop on virtual time, a method, sources that do as they are told, log lines. */
#pragma once

#include "core/aaa/aaa.h"
#include "core/base/owner.h"

/** Starts module and loop; all sources of `names` (NULL-ended) are added for `plugin` and configured, in that order. */
void world_init(const char *const *names);
void world_fini(void);
extern struct AditPlugin world_plugin;

/** Passes of the loop until nothing is to do; then time moves on by `ms`, timers run, and passes again. */
void world_run(guint64 ms);
guint64 world_now(void);
/** The table that virtual time hides behind. */
const AditLoopService *world_loop(void);

/** A source under the test's hand: it keeps the handles it was given until told. */
typedef struct {
  const char *name;
  AditAuthSourceOps ops;
  GQueue handles;  /**< of AditAuthHandle, referenced */
  GQueue requests; /**< of AditAuthRequest, referenced */
  guint asked, cancelled;
  gboolean drop;          /**< let go at once, without an answer */
  AditAuthReply *at_once; /**< answer so within ask() */
} WorldSource;
WorldSource *world_source(const char *name);
/** Answers the oldest request that the source holds, and lets go of it. */
void world_answer(WorldSource *source, AditAuthOutcome outcome);
void world_reply(WorldSource *source, const AditAuthReply *reply);
void world_let_go(WorldSource *source);

/** What done() said. */
typedef struct {
  guint64 id;
  guint calls;
  AditAuthOutcome outcome;
  char why[128], source[32], message[128];
  gboolean retry, keys, secret_leaked;
  AditValue *attributes;
} WorldVerdict;
void world_verdict_clear(WorldVerdict *verdict);
guint64 world_ask(const char *user, const char *password, WorldVerdict *verdict);
/** The same, of a peer at this address. */
guint64 world_ask_from(const char *peer, const char *user, const char *password, WorldVerdict *verdict);
void world_done(guint64 id, const AditAuthReply *reply, const char *source, gpointer verdict);

/** Commits an `aaa` map of pairs key, value (strings; `next`, `refuse`, ...), NULL-ended; sources stay as they are. */
void world_configure(AditValue *aaa);
/** Log lines at warning or above, since the last call. */
guint world_warnings(void);
const char *world_last_warning(void);
guint world_verifies(void);
