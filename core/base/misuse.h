/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * core/base/misuse.h - a plugin acts against its contract: the call is refused, and the log names the plugin.
 *
 *     static guint subscribe(AditPlugin *plugin, const char *name, ...) {
 *       ADIT_MAIN_ONLY("adit.bus subscribe", 0);
 *       if (!func) {
 *         adit_misuse(plugin, "subscribe() to %s without a function", name);
 *         return 0;
 *       }
 */
#pragma once

#include "core/base/owner.h"

G_BEGIN_DECLS

/** Logs `plugin NAME: ...`, at a bounded rate. Of a plugin that is being loaded it is kept instead, and the loader refuses the plugin with
 *  it. [any] */
void adit_misuse(AditPlugin *plugin, const char *format, ...) G_GNUC_PRINTF(2, 3);

/** The same, with the words as the error of a function that registers; FALSE. `error` may be NULL. [main] */
gboolean adit_registration_refuse(AditPlugin *plugin, GError **error, AditErrorCode code, const char *format, ...) G_GNUC_PRINTF(4, 5);

/** May the plugin register `name` now, with the service's `function`? FALSE outside of init(), and when it does not declare the feature
 *  KIND:NAME (kind NULL: needs none). [main] */
gboolean adit_registration_allowed(AditPlugin *plugin, const char *function, const char *kind, const char *name, GError **error);

/* ---- threads ---- */

/** The calling thread runs the main loop from now on; FALSE: no thread does, and every one may call. */
void adit_main_thread_set(gboolean is);

/** Is this the main loop's thread? TRUE also while there is no loop. [any] */
gboolean adit_main_thread_is(void);

/** Logs that `function` was called off the main loop, by the plugin whose code `caller` is in. [any] */
void adit_misuse_thread(const char *function, gconstpointer caller);

/** Returns from a function marked [main], with the rest of the arguments, when it is called on another thread. */
#define ADIT_MAIN_ONLY(function, ...)                                                                                                      \
  do {                                                                                                                                     \
    if (G_UNLIKELY(!adit_main_thread_is())) {                                                                                              \
      adit_misuse_thread(function, __builtin_return_address(0));                                                                           \
      return __VA_ARGS__;                                                                                                                  \
    }                                                                                                                                      \
  } while (0)

/** The plugin that `code` (a function, or an address in one) belongs to, by its file; interned. NULL: the program itself. [any] */
const char *adit_code_owner(gconstpointer code);

/* ---- time ---- */

enum { ADIT_HOLD_LIMIT_MS = 100 }; /**< a plugin that blocks the main loop longer is named in the log */

/** One call into code that may be a plugin's, on the main loop; may stand inside another. */
typedef struct AditHold {
  gint64 begun_us, inner_us; /**< begin; time of calls inside this one, which are named for themselves */
  struct AditHold *outer;
} AditHold;

void adit_hold_begin(AditHold *hold);

/** `plugin`, or if it is NULL whose code `func` is, held the main loop with `what`: named if it was too long. [main] */
void adit_hold_end(AditHold *hold, const AditPlugin *plugin, gconstpointer func, const char *what);

/** Runs a statement as a call of `func` of `plugin` (may be NULL). */
#define ADIT_HOLD(plugin, func, what, statement)                                                                                           \
  do {                                                                                                                                     \
    AditHold adit_hold_;                                                                                                                   \
    adit_hold_begin(&adit_hold_);                                                                                                          \
    statement;                                                                                                                             \
    adit_hold_end(&adit_hold_, plugin, (gconstpointer)(func), what);                                                                       \
  } while (0)

/** Microseconds that calls have taken since the last question: what a pass of the loop took beyond them nobody is named for. [main] */
gint64 adit_hold_named_us(void);

G_END_DECLS
