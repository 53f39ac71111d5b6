/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* A row of accounting as the disk gives it back: what is read is written again as it was, and makes a packet that parses. */
#include "plugins-auth/radius/accounting/acct-row.h"

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size) {
  RadiusRow row;
  RadiusBuilder b;
  RadiusPacket packet;

  if (!radius_row_read(data, size, &row))
    return 0;
  g_autoptr(GBytes) again = radius_row_write(&row), given = g_bytes_new(data, size);
  if (!(data[3] & ~1) && !g_bytes_equal(again, given)) /* flags that nobody knows are not kept */
    g_error("written otherwise than read");
  radius_build(&b, RADIUS_ACCOUNTING_REQUEST, FALSE);
  radius_row_put(&row, G_GINT64_CONSTANT(1700000000000), size % 2 ? "realm" : NULL, &b);
  radius_finish_request(&b, 1, NULL, "secret");
  if (b.overflow || !radius_packet_parse(b.data, b.length, &packet))
    g_error("a packet that is none");
  RadiusRow copy = radius_row_copy(&row);
  radius_row_clear(&copy);
  radius_row_clear(&row);
  return 0;
}
