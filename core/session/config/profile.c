/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/session/config/profile.h"

#include "core/session/config/attributes.h"
#include <adit/session-options.h>

struct AditProfiles {
  GHashTable *by_name; /* char* -> AditValue* MAP */
  GHashTable *pairs;   /* set of Pair */
};

/* A profile over the service's: the default for all sessions. */
typedef struct {
  const AditValue *own, *under; /* of by_name; may be NULL */
  AditValue *merged;
} Pair;

static guint pair_hash(gconstpointer key) {
  const Pair *pair = key;
  return g_direct_hash(pair->own) * 31 + g_direct_hash(pair->under);
}

static gboolean pair_equal(gconstpointer a, gconstpointer b) {
  const Pair *x = a, *y = b;
  return x->own == y->own && x->under == y->under;
}

static void pair_free(gpointer data) {
  Pair *pair = data;
  adit_value_unref(pair->merged);
  g_free(pair);
}

static gboolean is_said(const AditValue *item) {
  if (!item || (item->flags & ADIT_VALUE_IS_DEFAULT))
    return FALSE;
  return item->type != ADIT_VALUE_STRING || strcmp(item->as.string, "default") != 0;
}

/* RouterOS's profile of that name encrypts, whatever else an administrator changes in it. */
static AditValue *encrypt_by_default(const AditValue *item) {
  AditValue *map = adit_value_map();

  for (guint i = 0; i < adit_value_length(item); i++)
    adit_value_set(map, adit_value_key(item, i), adit_value_ref((AditValue *)adit_value_get(item, adit_value_key(item, i))));
  adit_value_set(map, adit_option_use_encryption_key, adit_value_string("yes"));
  return map;
}

static void add_profile(AditProfiles *profiles, const char *name, const AditValue *item) {
  gboolean encrypts = strcmp(name, "default-encryption") == 0 && !is_said(adit_value_get(item, adit_option_use_encryption_key));
  g_hash_table_insert(profiles->by_name, g_strdup(name), encrypts ? encrypt_by_default(item) : adit_value_ref(item));
}

static void add_built_in(AditProfiles *profiles, const char *name) {
  if (g_hash_table_contains(profiles->by_name, name))
    return;
  g_autoptr(AditValue) map = adit_attributes_defaults();
  adit_value_set(map, adit_option_name_key, adit_value_string(name));
  add_profile(profiles, name, map);
}

AditProfiles *adit_profiles_new(const AditValue *config) {
  AditProfiles *profiles = g_new0(AditProfiles, 1);
  profiles->by_name = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)adit_value_unref);
  profiles->pairs = g_hash_table_new_full(pair_hash, pair_equal, pair_free, NULL);

  const AditValue *list = adit_option_profiles(config);
  for (guint i = 0; i < adit_value_length(list); i++) {
    const AditValue *item = adit_value_at(list, i);
    const char *name = adit_option_name(item);
    if (name)
      add_profile(profiles, name, item);
  }
  add_built_in(profiles, "default");
  add_built_in(profiles, "default-encryption");
  return profiles;
}

void adit_profiles_free(AditProfiles *profiles) {
  if (!profiles)
    return;
  g_hash_table_unref(profiles->pairs);
  g_hash_table_unref(profiles->by_name);
  g_free(profiles);
}

/* A profile's map, borrowed; NULL if there is none of that name. */
static const AditValue *profile_named(const AditProfiles *profiles, const char *name) {
  return name ? g_hash_table_lookup(profiles->by_name, name) : NULL;
}

gboolean adit_profiles_have(const AditProfiles *profiles, const char *name) {
  return profile_named(profiles, name) != NULL;
}

static gboolean is_private(const char *key) {
  static const char *const words[] = {adit_option_name_key,      adit_option_password_key,      "nt-hash",
                                      adit_option_comment_key,   adit_option_disabled_key,      adit_option_service_key,
                                      adit_option_caller_id_key, adit_option_secret_profile_key};
  for (gsize i = 0; i < G_N_ELEMENTS(words); i++)
    if (strcmp(key, words[i]) == 0)
      return TRUE;
  return FALSE;
}

/* The first of three that says something; for an end's address, the first that says an address. */
static const AditValue *pick_value(const AditValue *const level[3], const char *key) {
  gboolean is_address = strcmp(key, adit_option_local_address_key) == 0 || strcmp(key, adit_option_remote_address_key) == 0;
  const AditValue *found = NULL;

  for (int i = 0; i < 3; i++) {
    const AditValue *item = adit_value_get(level[i], key);
    if (!is_said(item))
      continue;
    if (!found)
      found = item;
    if (!is_address || item->type == ADIT_VALUE_ADDRESS)
      return item;
  }
  for (int i = 0; !found && i < 3; i++) /* it is not written: the schema's default */
    found = adit_value_get(level[i], key);
  return found;
}

static AditValue *merge_levels(const AditValue *const level[3]) {
  AditValue *merged = adit_value_map();

  for (int i = 0; i < 3; i++)
    for (guint k = 0; k < adit_value_length(level[i]); k++) {
      const char *key = adit_value_key(level[i], k);
      if (!is_private(key) && !adit_value_get(merged, key))
        adit_value_set(merged, key, adit_value_ref(pick_value(level, key)));
    }
  return merged;
}

/* Borrowed. */
static AditValue *merged_pair(const AditProfiles *profiles, const AditValue *own, const AditValue *under) {
  const AditValue *const level[3] = {NULL, own, under};
  Pair key = {own, under, NULL}, *pair = g_hash_table_lookup(profiles->pairs, &key);

  if (!pair) {
    pair = g_memdup2(&key, sizeof key);
    pair->merged = merge_levels(level);
    g_hash_table_add(profiles->pairs, pair);
  }
  return pair->merged;
}

/* Does the record say anything that `merged`, the profiles' part, does not? */
static gboolean adds_to(const AditValue *record, const AditValue *merged) {
  for (guint k = 0; k < adit_value_length(record); k++) {
    const char *key = adit_value_key(record, k);
    if (!is_private(key) && (is_said(adit_value_get(record, key)) || !adit_value_get(merged, key)))
      return TRUE;
  }
  return FALSE;
}

AditValue *adit_profiles_merge(const AditProfiles *profiles, const AditValue *record, const char *default_profile) {
  const AditValue *own = profile_named(profiles, adit_option_secret_profile(record));
  const AditValue *under = profile_named(profiles, default_profile);
  const AditValue *const level[3] = {record, own, under};
  AditValue *merged = merged_pair(profiles, own, under);

  return adds_to(record, merged) ? merge_levels(level) : adit_value_ref(merged);
}

gboolean adit_attribute_yes(const char *word, gboolean otherwise) {
  if (!word || strcmp(word, "default") == 0)
    return otherwise;
  return strcmp(word, "yes") == 0 || strcmp(word, "required") == 0;
}
