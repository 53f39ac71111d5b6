/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/path/protection.h"
#include "core/base/hold.h"
#include "core/base/misuse.h"
#include "core/base/owner.h"
#include "core/base/table.h"
#include "core/bus/bus.h"
#include "core/bus/event-class.h"
#include <adit/event.h>
#include <adit/log.h>

typedef struct {
  const AditProtectionOps *ops;
  gpointer state;
  AditPlugin *plugin;
} Provider;

typedef struct {
  guint32 id;
  const Provider *provider; /* NULL = it has gone */
  AditAssociationState state;
  AditPath path;
  gboolean accepted; /* the peer set it up: it is not released here */
} Association;

static GPtrArray *providers;     /* of Provider */
static GHashTable *associations; /* id -> Association */
static guint32 last_number;
static guint32 known[(ADIT_ASSOCIATIONS_MAX + 1) / 32]; /* atomic: those that are up, by their numbers */

void adit_protection_init(void) {
  adit_protection_fini();
  providers = g_ptr_array_new_with_free_func(g_free);
  associations = g_hash_table_new_full(NULL, NULL, NULL, g_free);
}

void adit_protection_fini(void) {
  g_clear_pointer(&associations, g_hash_table_unref);
  g_clear_pointer(&providers, g_ptr_array_unref);
  for (guint i = 0; i < G_N_ELEMENTS(known); i++)
    __atomic_store_n(&known[i], 0, __ATOMIC_RELAXED);
}

/* ---- marks ---- */

gboolean adit_protection_is_known(guint32 mark) {
  guint32 number = mark - ADIT_ASSOCIATION_MARK;
  return number && number <= ADIT_ASSOCIATIONS_MAX && (__atomic_load_n(&known[number / 32], __ATOMIC_ACQUIRE) >> number % 32 & 1);
}

static void set_known(guint32 id, gboolean yes) {
  guint32 number = id - ADIT_ASSOCIATION_MARK, bit = 1u << number % 32;
  if (yes)
    __atomic_fetch_or(&known[number / 32], bit, __ATOMIC_RELEASE);
  else
    __atomic_fetch_and(&known[number / 32], ~bit, __ATOMIC_RELEASE);
}

/* One that was not used for the longest time: packets with the mark of an old one may still be on their way. */
static guint32 take_number(void) {
  for (guint i = 0; i < ADIT_ASSOCIATIONS_MAX; i++) {
    last_number = last_number % ADIT_ASSOCIATIONS_MAX + 1;
    if (!g_hash_table_contains(associations, GUINT_TO_POINTER(ADIT_ASSOCIATION_MARK + last_number)))
      return ADIT_ASSOCIATION_MARK + last_number;
  }
  return 0;
}

/* ---- providers ---- */

static Provider *find_provider(const char *name) {
  for (guint i = 0; providers && i < providers->len; i++) {
    Provider *provider = providers->pdata[i];
    if (!name || g_str_equal(provider->ops->name, name))
      return provider;
  }
  return NULL;
}

gboolean adit_protection_add(AditPlugin *plugin, const AditProtectionOps *ops, gpointer state, GError **error) {
  ADIT_MAIN_ONLY("adit.path protection_add", FALSE);
  if (!ADIT_HAS(ops, lookup) || !ops->name || !*ops->name || !ops->ensure || !ops->release)
    return adit_registration_refuse(plugin, error, ADIT_ERR_INVALID, "a provider of protection needs a name, ensure and release");
  if (!adit_registration_allowed(plugin, "protection_add", "ipsec", ops->name, error))
    return FALSE;
  if (find_provider(ops->name))
    return adit_registration_refuse(plugin, error, ADIT_ERR_EXISTS, "there is a provider of protection called %s already", ops->name);
  Provider *provider = g_new(Provider, 1);
  *provider = (Provider){adit_table_whole(ops, sizeof *ops), state, plugin};
  g_ptr_array_add(providers, provider);
  return TRUE;
}

/* ---- associations ---- */

static Association *find_association(guint32 id) {
  return associations ? g_hash_table_lookup(associations, GUINT_TO_POINTER(id)) : NULL;
}

static Association *make_association(const Provider *provider, const AditPath *path, GError **error) {
  guint32 id = take_number();
  if (!id) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_BUSY, "there are %u associations, as many as there are marks", ADIT_ASSOCIATIONS_MAX);
    return NULL;
  }
  Association *association = g_new0(Association, 1);
  association->id = id;
  association->provider = provider;
  association->path = *path;
  association->path.association = id;
  g_hash_table_insert(associations, GUINT_TO_POINTER(id), association);
  return association;
}

static void forget_association(Association *association) {
  set_known(association->id, FALSE);
  g_hash_table_remove(associations, GUINT_TO_POINTER(association->id));
}

guint32 adit_protection_ensure(const char *name, const AditPath *path, const AditProtectionPolicy *policy, GError **error) {
  ADIT_MAIN_ONLY("adit.path protection_ensure", 0);
  const Provider *provider = find_provider(name);
  if (!provider) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_NOT_FOUND, "no plugin provides protection%s%s (is its plugin loaded?)", name ? " by " : "",
                name ? name : "");
    return 0;
  }
  Association *association = make_association(provider, path, error);
  if (!association)
    return 0;
  guint32 id = association->id;
  if (ADIT_HOLD_VALUE(provider->plugin, provider->ops->ensure, "ensure()", provider->ops->ensure(provider->state, id, path, policy, error)))
    return id;
  if ((association = find_association(id)))
    forget_association(association);
  return 0;
}

void adit_protection_release(guint32 id) {
  ADIT_MAIN_ONLY("adit.path protection_release");
  Association *association = find_association(id);
  if (!association)
    return;
  const Provider *provider = association->state == ADIT_ASSOCIATION_DOWN ? NULL : association->provider;
  forget_association(association); /* before: an event in the call finds nothing */
  if (provider)
    ADIT_HOLD(provider->plugin, provider->ops->release, "release()", provider->ops->release(provider->state, id));
}

guint32 adit_protection_accept(AditPlugin *plugin, const AditPath *path, GError **error) {
  ADIT_MAIN_ONLY("adit.path association_accept", 0);
  for (guint i = 0; providers && i < providers->len; i++) {
    const Provider *provider = providers->pdata[i];
    if (provider->plugin != plugin)
      continue;
    Association *association = make_association(provider, path, error);
    if (!association)
      return 0;
    association->accepted = TRUE;
    return association->id;
  }
  g_set_error(error, ADIT_ERROR, ADIT_ERR_NOT_FOUND, "%s provides no protection", adit_plugin_name(plugin));
  return 0;
}

static void publish_association(const Association *association, AditAssociationState state, const char *why) {
  static const char *const names[] = {[ADIT_ASSOCIATION_UP] = ADIT_EVENT_ASSOCIATION_UP,
                                      [ADIT_ASSOCIATION_REKEYED] = ADIT_EVENT_ASSOCIATION_REKEYED,
                                      [ADIT_ASSOCIATION_MOVED] = ADIT_EVENT_ASSOCIATION_MOVED,
                                      [ADIT_ASSOCIATION_DOWN] = ADIT_EVENT_ASSOCIATION_DOWN};
  AditAssociationEvent event = {.event = {adit_bus_type(names[state]), sizeof event},
                                .association = association->id,
                                .provider = association->provider ? association->provider->ops->name : NULL,
                                .peer = association->path.remote,
                                .reason = why};
  adit_bus_publish(&event.event);
}

/* A listener may release it. */
void adit_protection_event(guint32 id, guint32 said, const AditPath *path, const char *why) {
  ADIT_MAIN_ONLY("adit.path association_event");
  AditAssociationState state = (AditAssociationState)said;
  Association *association = find_association(id);
  gboolean was_up = association && association->state == ADIT_ASSOCIATION_UP;

  if (!association || association->state == ADIT_ASSOCIATION_DOWN || state == ADIT_ASSOCIATION_WANTED || said > ADIT_ASSOCIATION_DOWN)
    return;
  if ((state == ADIT_ASSOCIATION_REKEYED || state == ADIT_ASSOCIATION_MOVED) && !was_up)
    return; /* it makes no sense: it never was up */
  if (path) {
    association->path = *path;
    association->path.association = id;
  }
  association->state = state == ADIT_ASSOCIATION_DOWN ? state : ADIT_ASSOCIATION_UP;
  set_known(id, state != ADIT_ASSOCIATION_DOWN);
  if (state == ADIT_ASSOCIATION_UP && was_up)
    return;
  publish_association(association, state, why);
  association = find_association(id);
  if (association && association->accepted && association->state == ADIT_ASSOCIATION_DOWN)
    forget_association(association);
}

gboolean adit_protection_lookup(guint32 id, AditAssociationFacts *out) {
  ADIT_MAIN_ONLY("adit.path association_lookup", FALSE);
  const Association *association = find_association(id);
  if (!association)
    return FALSE;
  const Provider *provider = association->provider;
  AditAssociationFacts facts = {.size = sizeof facts, .state = association->state, .path = association->path};
  if (provider && provider->ops->lookup)
    ADIT_HOLD(provider->plugin, provider->ops->lookup, "lookup()", provider->ops->lookup(provider->state, id, &facts));
  facts.provider = provider ? provider->ops->name : NULL;
  gsize size = out->size;
  facts.size = size;
  memcpy(out, &facts, MIN(size, sizeof facts));
  return TRUE;
}

/* Of a provider that goes. Each event may end others: it begins again. */
static gboolean end_one_of(const Provider *provider) {
  GHashTableIter iter;
  gpointer each;
  g_hash_table_iter_init(&iter, associations);
  while (g_hash_table_iter_next(&iter, NULL, &each)) {
    Association *association = each;
    if (association->provider != provider)
      continue;
    guint32 id = association->id;
    adit_protection_event(id, ADIT_ASSOCIATION_DOWN, NULL, "its provider is being unloaded");
    if ((association = find_association(id)))
      association->provider = NULL;
    return TRUE;
  }
  return FALSE;
}

void adit_protection_drop_plugin(AditPlugin *plugin) {
  for (guint i = providers ? providers->len : 0; i-- > 0;) {
    const Provider *provider = providers->pdata[i];
    if (provider->plugin != plugin)
      continue;
    while (end_one_of(provider))
      ;
    g_ptr_array_remove_index(providers, i);
  }
}
