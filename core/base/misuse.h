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

/** Logs that `function` was called off the main loop, with the plugin that contains `caller`. [any] */
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

G_END_DECLS
