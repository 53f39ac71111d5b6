/* SPDX-License-Identifier: MIT */
/**
 * adit/engine.h - what a protocol engine is given instead of the world.
 *
 * An engine is a plain struct: no pointer in it but into itself, so that it can be saved to octets and restored in
 * another process. Time, randomness and output come from outside. An engine never blocks, never allocates for input it
 * has not validated, and is called by one thread at a time.
 *
 * Timers are slots that the engine numbers from 0. The engine remembers each deadline, so that after a restore it can
 * arm them again; its host only wakes it. A woken engine must tolerate being woken early or late.
 *
 * An engine that repeats its question every three seconds, in slot 0:
 *
 *     typedef struct {
 *       guint64 deadline; // saved with the rest
 *       guint8 id;
 *     } Asker;
 *
 *     static void asker_start(Asker *asker, const AditEngineEnv *env) {
 *       adit_env_random(env, &asker->id, sizeof asker->id);
 *       adit_env_arm(env, &asker->deadline, 0, 3000);
 *     }
 *
 *     static gboolean asker_timeout(Asker *asker, const AditEngineEnv *env) { // TRUE: retransmit
 *       if (!adit_env_due(env, &asker->deadline, 0))
 *         return FALSE;
 *       adit_env_arm(env, &asker->deadline, 0, 3000);
 *       return TRUE;
 *     }
 */
#pragma once

#include <adit/cursor.h>

G_BEGIN_DECLS

typedef struct {
  gsize size;
  /** Monotonic milliseconds; virtual in tests. */
  guint64 (*now)(gpointer host);
  /** Wake slot `slot` at `deadline_ms` (on now()'s clock), in place of what was set before; 0 cancels. */
  void (*wake)(gpointer host, guint slot, guint64 deadline_ms);
  /** Unpredictable octets; from a seed in tests. */
  void (*random)(gpointer host, gpointer buffer, gsize length);
} AditEngineOps;

/** The pointers to its host that an engine has: set by the caller that restores the engine, never saved. */
typedef struct {
  const AditEngineOps *ops;
  gpointer host;
} AditEngineEnv;

static inline guint64 adit_env_now(const AditEngineEnv *env) { return env->ops->now(env->host); }

static inline void adit_env_random(const AditEngineEnv *env, gpointer buffer, gsize length) { env->ops->random(env->host, buffer, length); }

static inline guint32 adit_env_random_u32(const AditEngineEnv *env) {
  guint32 v = 0;
  env->ops->random(env->host, &v, sizeof v);
  return v;
}

/** Arms `*deadline` (an engine's field for slot `slot`) `delay_ms` from now. */
static inline void adit_env_arm(const AditEngineEnv *env, guint64 *deadline, guint slot, guint64 delay_ms) {
  *deadline = adit_env_now(env) + MAX(delay_ms, 1);
  env->ops->wake(env->host, slot, *deadline);
}

static inline void adit_env_disarm(const AditEngineEnv *env, guint64 *deadline, guint slot) {
  if (*deadline)
    env->ops->wake(env->host, slot, 0);
  *deadline = 0;
}

/** True, and the deadline cleared, if slot's time has come; re-arms it when woken early. */
static inline gboolean adit_env_due(const AditEngineEnv *env, guint64 *deadline, guint slot) {
  if (!*deadline)
    return FALSE;
  if (adit_env_now(env) < *deadline) {
    env->ops->wake(env->host, slot, *deadline);
    return FALSE;
  }
  *deadline = 0;
  return TRUE;
}

G_END_DECLS
