/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/base/table.h"

static GPtrArray *copies; /* of octets */

static gpointer keep_copy(gsize size) {
  gpointer copy = g_malloc0(size);

  if (!copies)
    copies = g_ptr_array_new();
  g_ptr_array_add(copies, copy);
  return copy;
}

gconstpointer adit_table_whole(gconstpointer table, gsize size) {
  if (*(const gsize *)table >= size)
    return table;
  gpointer copy = keep_copy(size);
  adit_copy_sized(copy, size, table);
  return copy;
}

gconstpointer adit_table_list(gconstpointer items, guint n, gsize from, gsize to) {
  if (from == to || !n)
    return items;
  guint8 *copy = (guint8 *)keep_copy(n * to);
  for (guint i = 0; i < n; i++)
    memcpy(copy + i * to, (const guint8 *)items + i * from, MIN(from, to));
  return copy;
}
