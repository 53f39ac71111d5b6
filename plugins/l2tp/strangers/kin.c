/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "kin.h"

GHashTable *l2tp_kin_table_new(void) {
  return g_hash_table_new(NULL, NULL);
}

static L2tpKin *find_ring(GHashTable *table, gsize hash) {
  return g_hash_table_lookup(table, GSIZE_TO_POINTER(hash));
}

void l2tp_kin_add(GHashTable *table, L2tpKin *kin, guint64 hash) {
  kin->hash = (gsize)hash;
  L2tpKin *first = find_ring(table, kin->hash);
  if (!first) {
    kin->next = kin->previous = kin;
    g_hash_table_insert(table, GSIZE_TO_POINTER(kin->hash), kin);
    return;
  }
  kin->next = first;
  kin->previous = first->previous;
  first->previous->next = kin;
  first->previous = kin;
}

void l2tp_kin_remove(GHashTable *table, L2tpKin *kin) {
  if (!kin->next)
    return;
  if (kin->next == kin)
    g_hash_table_remove(table, GSIZE_TO_POINTER(kin->hash));
  else if (find_ring(table, kin->hash) == kin)
    g_hash_table_insert(table, GSIZE_TO_POINTER(kin->hash), kin->next);
  kin->next->previous = kin->previous;
  kin->previous->next = kin->next;
  kin->next = kin->previous = NULL;
}

L2tpKin *l2tp_kin_first(GHashTable *table, guint64 hash) {
  return find_ring(table, (gsize)hash);
}

L2tpKin *l2tp_kin_next(GHashTable *table, const L2tpKin *kin) {
  return kin->next == find_ring(table, kin->hash) ? NULL : kin->next;
}

void l2tp_kin_rotate(GHashTable *table, L2tpKin *kin) {
  g_hash_table_insert(table, GSIZE_TO_POINTER(kin->hash), kin->next);
}
