/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** tests/unit/radius/hex.h - octets as one reads them in an RFC. */
#pragma once

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <glib.h>

/** Writes the octets of `text` (hexadecimal; spaces do not count) to `out`, which holds `size`; returns how many. */
static inline gsize hex(const char *text, guint8 *out, gsize size) {
  gsize n = 0;
  for (const char *at = text; *at; at++) {
    if (*at == ' ')
      continue;
    assert_true(n < size && g_ascii_isxdigit(at[0]) && g_ascii_isxdigit(at[1]));
    out[n++] = (guint8)(g_ascii_xdigit_value(at[0]) << 4 | g_ascii_xdigit_value(at[1]));
    at++;
  }
  return n;
}
