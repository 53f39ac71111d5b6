/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/config/format.h - one option's value from text, and back as one would write it. [any] */
#pragma once

#include <adit/option.h>

G_BEGIN_DECLS

/**
 * The value as one would write it in YAML, units included: `30s`, `10M`, `[pap, chap]`; an OFF option at 0 says its word.
 * Secrets come as `(hidden)`. NULL for a NULL value. Strings are not quoted. `option` may be NULL: the value's own type then decides.
 */
char *adit_option_format(const AditOption *option, const AditValue *value);

/**
 * Types one text by the option: what check does to a scalar, and what RADIUS and the command line do to theirs. LIST and SET
 * options take comma-separated words, in [] or not. NULL with the reason in `error` (`90000 is over 65535`). MAP options are refused.
 */
AditValue *adit_option_parse(const AditOption *option, const char *text, GError **error);

G_END_DECLS
