/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/config/types.h - the words of options, and scalars typed by their option. Private to core/config. [any] */
#pragma once

#include <adit/option.h>

G_BEGIN_DECLS

/** The canonical words of an ENUM or SET, in order; NULL-terminated, the caller's. */
char **adit_option_words(const AditOption *option);

/** All the words that an ENUM or SET accepts: canonical ones and other spellings. */
char **adit_option_spellings(const AditOption *option);

/** True for `none`, `disabled`, `unlimited` and `no`. */
gboolean adit_is_off_word(const char *text);

/** The word that means 0 for an ADIT_OPTION_OFF option: its fallback, if that is one, else "none". */
const char *adit_option_off_word(const AditOption *option);

/** True for INT, DURATION, RATE and SIZE: a number with bounds. */
gboolean adit_type_is_number(AditType type);

/** `m` as the option's number would be written: `30s`, `10M`, `64KiB`. The caller's. */
char *adit_number_format(AditType type, gint64 n);

/** Types one scalar: a list's item, not the list. NULL with the reason in `error`. */
AditValue *adit_scalar_parse(const AditOption *option, const char *text, GError **error);

/** Splits `a, b` or `[a, b]`; the caller's. Empty for blank text. */
char **adit_words_split(const char *text);

/** True if one scalar may hold several values separated by commas: SETs, and LISTs of what has no comma in itself. */
gboolean adit_option_splits(const AditOption *option);

G_END_DECLS
