/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "plugins-auth/mschap/mschap.h"
#include "tests/fuzz/auth.h"

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size) {
  return auth_fuzz(size && data[0] & 2 ? &mschap1_method : &mschap2_method, data, size);
}
