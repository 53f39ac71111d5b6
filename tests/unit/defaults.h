/* SPDX-License-Identifier: GPL-2.0-or-later */
/** tests/unit/defaults.h - trees that a test builds by hand, completed with defaults as reading a file does. */
#pragma once

#include "core/config/defaults.h"

/** Adds to `map`, which is still being built, the default of each option of `scope` that it does not have. Returns `map`. */
static inline AditValue *fill_defaults(AditValue *map, const AditOption *options, guint n, const char *scope) {
  g_autoptr(AditValue) defaults = adit_options_defaults(options, n, scope);

  for (guint i = 0; i < adit_value_length(defaults); i++) {
    const char *key = adit_value_key(defaults, i);
    if (!adit_value_get(map, key))
      adit_value_set(map, key, adit_value_ref(adit_value_get(defaults, key)));
  }
  return map;
}
