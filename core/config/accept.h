/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/config/accept.h - whether a value that no file was read for is what its option wants. [any] */
#pragma once

#include <adit/option.h>

G_BEGIN_DECLS

/**
 * Is `value` what reading `option` from a file could have given: its type, its words, its bounds? Nothing is converted: a text
 * that reads like an address is no address. FALSE with ADIT_ERR_INVALID and why, without the option's name.
 */
gboolean adit_option_accepts(const AditOption *option, const AditValue *value, GError **error);

G_END_DECLS
