/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * core/base/secret.h - locked memory for passwords and keys: not swapped, not in a core file, wiped when it is freed.
 *
 * The configuration's secrets lie here, once each, and are lent from here as long as their AditValue lives. Memory that the limit of locked
 * memory does not allow to lock is used all the same; that is logged once. [any]
 */
#pragma once

#include <adit/value.h>

G_BEGIN_DECLS

/** A copy of `text` in locked memory; free it with adit_secret_free(). */
char *adit_secret_copy(const char *text);

/** Wipes and frees. NULL is harmless. */
void adit_secret_free(char *text);

/** Zeroed octets in locked memory, aligned to 16; free them with adit_secret_memory_free(). */
gpointer adit_secret_memory(gsize length);

/** Wipes and frees; `length` as it was asked for. NULL is harmless. */
void adit_secret_memory_free(gpointer memory, gsize length);

/** A value with ADIT_VALUE_IS_SECRET and its text in locked memory. */
AditValue *adit_secret_value(const char *text);

/** Octets that are in use, and that are locked; for tests and `show`. */
void adit_secret_sizes(gsize *used, gsize *locked);

G_END_DECLS
