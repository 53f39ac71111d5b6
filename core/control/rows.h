/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/control/rows.h - a list as replies in JSON, a few rows at a time. [main] */
#pragma once

#include <adit/control.h>

#define ADIT_ROWS_PIECE      200         /**< rows in one reply of several */
#define ADIT_ROWS_PIECE_TEXT (64 * 1024) /**< octets at which such a reply is full */

typedef struct AditRows AditRows;

typedef enum {
  ADIT_ROWS_BUSY,     /**< the time is up: no reply is ready */
  ADIT_ROWS_FULL,     /**< a reply is ready, and others follow */
  ADIT_ROWS_END,      /**< the last reply is ready */
  ADIT_ROWS_TOO_LONG, /**< more than `whole_max` octets in the one reply that is wanted */
} AditRowsStep;

/** `whole_max`: 0 = in pieces; else everything in one reply of at most so many octets. */
AditRows *adit_rows_new(const char *key, AditRowNext next, gpointer state, GDestroyNotify free_state, gsize whole_max);
void adit_rows_free(AditRows *rows);

/** Makes rows until a reply is full, the list ends or `deadline_us` (g_get_monotonic_time()) has passed; at least one. The reply is
 * `*text`: borrowed until the next step, without its final NUL. */
AditRowsStep adit_rows_step(AditRows *rows, gint64 deadline_us, const GString **text);
