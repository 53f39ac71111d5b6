/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/config/reference-option.h - an option in words: its type, an example. [any] */
#pragma once

#include "core/config/schema.h"

G_BEGIN_DECLS

/** The accepted values: `integer, 512 to 65535 octets, or unlimited`. The caller's. */
char *adit_reference_type(const AditOption *option);

/** A value to show: the default, or something valid. As plain text, not quoted. The caller's. */
char *adit_reference_example(const AditOption *option);

/** `text` as a YAML scalar, in quotes where it must. The caller's. */
char *adit_reference_quote(const char *text);

G_END_DECLS
