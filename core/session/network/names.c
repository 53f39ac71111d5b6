/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/session/network/names.h"
#include "core/session/tally.h"

#include <string.h>

/** Sessions with the same base name: of one user, or of two with names that are cut to the same. */
struct AditNameBase {
  char name[ADIT_INTERFACE_NAME]; /* the first one's */
  AditNumbers numbers;            /* a number is the attempt + 1 */
  guint users;
};

static GHashTable *in_use; /* names: borrowed copies are the keys' own */
static GHashTable *bases;  /* name -> AditNameBase */

void adit_names_init(void) {
  in_use = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  bases = g_hash_table_new(g_str_hash, g_str_equal);
}

void adit_names_fini(void) {
  g_clear_pointer(&in_use, g_hash_table_unref);
  g_clear_pointer(&bases, g_hash_table_unref);
}

static AditNameBase *base_get(const char *transport, const char *user) {
  char name[ADIT_INTERFACE_NAME];
  g_free(adit_interface_name(transport, user, 0, name));
  AditNameBase *base = g_hash_table_lookup(bases, name);
  if (!base) {
    base = g_new0(AditNameBase, 1);
    memcpy(base->name, name, sizeof name);
    g_hash_table_insert(bases, base->name, base);
  }
  base->users++;
  return base;
}

static void base_leave(AditNameBase *base) {
  if (--base->users)
    return;
  g_hash_table_remove(bases, base->name);
  adit_numbers_clear(&base->numbers);
  g_free(base);
}

char *adit_names_take(AditNameHold *hold, const char *transport, const char *user) {
  AditNameBase *base = base_get(transport, user);
  char *full = NULL;

  do { /* a name that belongs to another base keeps its number taken here, so that it is not tried again */
    g_free(full);
    hold->number = adit_numbers_take(&base->numbers);
    full = adit_interface_name(transport, user, hold->number - 1, hold->name);
  } while (g_hash_table_contains(in_use, hold->name));
  hold->base = base;
  g_hash_table_add(in_use, g_strdup(hold->name));
  return full;
}

gboolean adit_names_take_chosen(AditNameHold *hold, const char *name) {
  char cut[ADIT_INTERFACE_NAME];
  g_strlcpy(cut, name, sizeof cut);
  if (!*cut || g_hash_table_contains(in_use, cut))
    return FALSE;
  *hold = (AditNameHold){.base = NULL};
  memcpy(hold->name, cut, sizeof cut);
  g_hash_table_add(in_use, g_strdup(cut));
  return TRUE;
}

static void hold_drop(AditNameHold *hold, gboolean refused) {
  if (!*hold->name)
    return;
  g_hash_table_remove(in_use, hold->name);
  if (hold->base && !refused)
    adit_numbers_give_back(&hold->base->numbers, hold->number);
  if (hold->base)
    base_leave(hold->base);
  *hold = (AditNameHold){.base = NULL};
}

void adit_names_give_back(AditNameHold *hold) {
  hold_drop(hold, FALSE);
}

void adit_names_refuse(AditNameHold *hold) {
  hold_drop(hold, TRUE);
}
