/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/control/json.h - AditValue to JSON and back. [any] */
#pragma once

#include <adit/value.h>

#define ADIT_JSON_DEPTH_MAX 32 /**< nesting that is read */

/** Appends `value` as compact JSON, always valid UTF-8: addresses and prefixes as strings, octets as `0x00ff`, secrets as "(hidden)". */
void adit_json_append(GString *out, const AditValue *value);

/** The same as a new string. */
char *adit_json_write(const AditValue *value);

/**
 * Reads one JSON object. `text` is NUL-terminated at `length`. null members are left out, so that "absent" has one form; numbers that are
 * no integers become strings. Errors: ADIT_ERR_INVALID for anything else than an object, bad UTF-8, or nesting beyond ADIT_JSON_DEPTH_MAX.
 */
AditValue *adit_json_read(const char *text, gsize length, GError **error);
