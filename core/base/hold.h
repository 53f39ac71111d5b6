/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * core/base/hold.h - measures how long a call holds the main loop: each call into code that may be a plugin's is timed, and named when it
 * takes too long.
 *
 *     ADIT_HOLD(source->plugin, source->ops->ask, "ask()", source->ops->ask(source->state, request, handle));
 *
 * A call that has ended is named here; one that has not ended yet is found by core/base/stall.h, which looks on from another thread.
 */
#pragma once

#include "core/base/owner.h"

G_BEGIN_DECLS

enum { ADIT_HOLD_LIMIT_MS = 100 }; /**< a plugin that blocks the main loop longer is named in the log */

/** One call into code that may be a plugin's, on the main loop; may be inside another. */
typedef struct AditHold {
  gint64 begun_us, inner_us; /**< begin; time of calls inside this one, which are named for themselves */
  const char *plugin;        /**< its name; NULL: the plugin with the code of `func` */
  gconstpointer func;
  const char *what; /**< the function for the log */
  struct AditHold *outer;
} AditHold;

/** Begins a call into `plugin`, or, if it is NULL, into the plugin that has the code of `func`. `what` lives as long as the program. [main]
 */
void adit_hold_begin(AditHold *hold, const AditPlugin *plugin, gconstpointer func, const char *what);

/** It has returned: named if it was too long. [main] */
void adit_hold_end(AditHold *hold);

/** Runs a statement as a call of `func` of `plugin` (may be NULL). */
#define ADIT_HOLD(plugin, func, what, statement)                                                                                           \
  do {                                                                                                                                     \
    AditHold adit_hold_;                                                                                                                   \
    adit_hold_begin(&adit_hold_, plugin, (gconstpointer)(func), what);                                                                     \
    statement;                                                                                                                             \
    adit_hold_end(&adit_hold_);                                                                                                            \
  } while (0)

/** The same for the value of an expression. */
#define ADIT_HOLD_VALUE(plugin, func, what, expression)                                                                                    \
  __extension__({                                                                                                                          \
    AditHold adit_hold_;                                                                                                                   \
    adit_hold_begin(&adit_hold_, plugin, (gconstpointer)(func), what);                                                                     \
    __auto_type adit_held_ = (expression);                                                                                                 \
    adit_hold_end(&adit_hold_);                                                                                                            \
    adit_held_;                                                                                                                            \
  })

/** Microseconds that calls have taken since the last question: no plugin is named for the rest of a pass. [main] */
gint64 adit_hold_named_us(void);

/** A pass of the loop begins at this time; 0: it is over, and the loop waits for something to do. [main] */
void adit_hold_set_pass(gint64 begun_us);

/* ---- for another thread ---- */

/** The call that the main loop is in. */
typedef struct {
  gint64 pass_us;  /**< begin of the pass; 0 = none */
  gint64 begun_us; /**< begin of the innermost call; 0 = none */
  const char *plugin, *what;
  gconstpointer func;
} AditHolder;

/** FALSE when it changes just now. Takes no lock. [any] */
gboolean adit_hold_look(AditHolder *out);

/** The plugin of a holder, by its name or its code; interned or static. NULL: the core. [any] */
const char *adit_hold_plugin(const char *plugin, gconstpointer func);

G_END_DECLS
