/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * core/control/call.h - method calls from their start to their one answer, their stream or their list.
 *
 * An AditCall is a number in a pointer's clothes: what a plugin does with one that has ended is recognised. A call knows its caller only
 * through the ops that it was given. [main]
 */
#pragma once

#include "core/control/registry.h"

#define ADIT_CALL_LIMIT_S 30 /**< seconds for an answer, where the method does not say */

/** The caller's end. */
typedef struct {
  /** Sends one message in JSON. FALSE: the caller is gone, or too slow and dropped. `streamed`: others follow. */
  gboolean (*put)(gpointer peer, const GString *text, gboolean streamed);
  gboolean (*has_room)(gpointer peer); /**< reads fast enough for more rows */
  void (*ended)(gpointer peer);        /**< the call is over; its handle is void */
} AditCallerOps;

typedef struct {
  const AditCallerOps *ops;
  gpointer peer;
  gboolean more, oneway;
  gsize whole_max; /**< longest list in one reply */
} AditCaller;

void adit_calls_init(void);
void adit_calls_fini(void);

/** Makes a call; adit_call_run() runs it, which may end it at once. `method` and `interface` are read in these two functions alone. */
AditCall *adit_call_new(const AditInterface *interface, const AditMethod *method, const AditCaller *caller);
void adit_call_run(AditCall *handle, const AditMethod *method, gpointer state, const AditValue *parameters);

/** The caller is gone: a stream is told, rows are freed, ops are not called any more. */
void adit_call_caller_gone(AditCall *handle);
/** FALSE while the caller reads too slowly for more of a stream: what it need not have is better left out. */
gboolean adit_call_is_read(AditCall *handle);
/** The caller has read: rows go on. */
void adit_call_has_room(AditCall *handle);

/** Ends all calls of a plugin with an error. */
void adit_calls_drop_plugin(AditPlugin *plugin);

/** The functions of AditControlService; safe with any handle. */
gboolean adit_call_reply(AditCall *handle, AditValue *result, gboolean more);
void adit_call_error(AditCall *handle, const char *name, const char *text);
gboolean adit_call_wants_more(AditCall *handle);
void adit_call_on_gone(AditCall *handle, void (*gone)(gpointer data), gpointer data);
void adit_call_reply_rows(AditCall *handle, const char *key, AditRowNext next, gpointer state, GDestroyNotify free_state);

/** An error reply as JSON; `parameters` may be NULL. A new string. */
GString *adit_call_error_text(const char *name, const AditValue *parameters);

/** Calls that run; those that a plugin used wrongly; those that were not answered in time. */
guint adit_calls_count(void);
guint64 adit_calls_misused(void);
guint64 adit_calls_late(void);
