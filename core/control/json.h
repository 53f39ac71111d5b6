/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/control/json.h - JSON to AditValue; adit/json.h has the way there. [any] */
#pragma once

#include <adit/json.h>

#define ADIT_JSON_DEPTH_MAX 32 /**< nesting that is read */

/**
 * Reads one JSON object. `text` is NUL-terminated at `length`. null members are left out, so that "absent" has one form; numbers that are
 * no integers become strings. Errors: ADIT_ERR_INVALID for anything else than an object, bad UTF-8, or nesting beyond ADIT_JSON_DEPTH_MAX.
 */
AditValue *adit_json_read(const char *text, gsize length, GError **error);
