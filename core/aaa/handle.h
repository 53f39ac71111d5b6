/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/aaa/handle.h - the way of an answer from any thread back to the main loop. */
#pragma once

#include "core/aaa/answer.h"

G_BEGIN_DECLS

/** Hands an answer over on the main loop. `generation` says which round of request `id` it is meant for. */
typedef void (*AaaDeliver)(guint64 id, guint generation, const char *source, AaaAnswer *answer /* borrowed */);
void aaa_handle_init(AaaDeliver deliver);
void aaa_handle_fini(void);
/** A handle that the caller holds (until aaa_handle_forget()) and the source (the service's ref and unref). [main] */
AditAuthHandle *aaa_handle_new(guint64 id, guint generation, const char *source);
/** A use for a call into the source; FALSE when no use is left or it is already answered. */
gboolean aaa_handle_borrow(AditAuthHandle *handle);
void aaa_handle_forget(AditAuthHandle *handle);
/** Queues an answer of the core's own; takes over `answer`. [any] */
void aaa_post(guint64 id, guint generation, const char *source, AaaAnswer *answer);
void aaa_handle_answer(AditAuthHandle *handle, const AditAuthReply *reply);
AditAuthHandle *aaa_handle_ref(AditAuthHandle *handle);
void aaa_handle_unref(AditAuthHandle *handle);
/** How many handles the source (an interned name) has not given back. [any] */
guint aaa_handles_kept(const char *source);

G_END_DECLS
