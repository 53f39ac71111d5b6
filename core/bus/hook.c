/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Hooks: a plugin's say in a decision, asked for synchronously. */
#include "core/bus/hook.h"
#include "core/base/hold.h"
#include "core/base/misuse.h"

static struct {
  GHashTable *vetoes; /* name -> subscribers in order of priority */
  GHashTable *values;
  char *reason; /* the last veto's */
} hooks;

/* The hooks that the core calls; no other hook would ever be called. */
static const char *const veto_names[] = {ADIT_VETO_SESSION, ADIT_VETO_LINK, NULL};
static const char *const value_names[] = {ADIT_VALUE_INTERFACE_NAME, NULL};

static gboolean is_hook(AditPlugin *plugin, const char *function, const char *const *names, const char *hook, gboolean has_func) {
  if (hook && g_strv_contains(names, hook) && has_func)
    return TRUE;
  g_autofree char *known = g_strjoinv(", ", (char **)names);
  if (hook && g_strv_contains(names, hook))
    adit_misuse(plugin, "%s() of the hook \"%s\" without a function", function, hook);
  else
    adit_misuse(plugin, "%s(): there is no hook \"%s\"; there are: %s", function, hook ? hook : "(NULL)", known);
  return FALSE;
}

static guint add_subscriber(GHashTable *table, AditPlugin *plugin, const char *hook, int priority, AditSubscriberFunc func, gpointer data) {
  GPtrArray *list = g_hash_table_lookup(table, hook);
  if (!list) {
    list = adit_subscribers_new();
    g_hash_table_insert(table, g_strdup(hook), list);
  }
  return adit_subscribers_add(list, plugin, priority, func, data);
}

guint adit_hook_add_veto(AditPlugin *plugin, const char *hook, int priority, AditVetoFunc func, gpointer data) {
  ADIT_MAIN_ONLY("adit.bus veto_add", 0);
  if (!is_hook(plugin, "veto_add", veto_names, hook, func != NULL))
    return 0;
  return add_subscriber(hooks.vetoes, plugin, hook, priority, (AditSubscriberFunc){.veto = func}, data);
}

guint adit_hook_add_value(AditPlugin *plugin, const char *hook, int priority, AditValueFunc func, gpointer data) {
  ADIT_MAIN_ONLY("adit.bus value_add", 0);
  if (!is_hook(plugin, "value_add", value_names, hook, func != NULL))
    return 0;
  return add_subscriber(hooks.values, plugin, hook, priority, (AditSubscriberFunc){.value = func}, data);
}

static void remove_from(GHashTable *table, guint id, AditPlugin *plugin) {
  GHashTableIter iter;
  gpointer list;
  g_hash_table_iter_init(&iter, table);
  while (g_hash_table_iter_next(&iter, NULL, &list))
    adit_subscribers_remove(list, id, plugin);
}

void adit_hook_remove(guint id) {
  ADIT_MAIN_ONLY("adit.bus hook_remove");
  if (!id || !hooks.vetoes)
    return;
  remove_from(hooks.vetoes, id, NULL);
  remove_from(hooks.values, id, NULL);
}

void adit_hooks_drop(AditPlugin *plugin) {
  remove_from(hooks.vetoes, 0, plugin);
  remove_from(hooks.values, 0, plugin);
}

static GPtrArray *subscribers_of(GHashTable *table, const char *name) {
  GPtrArray *list = table ? g_hash_table_lookup(table, name) : NULL;
  return list && list->len ? adit_subscribers_snapshot(list) : NULL;
}

const char *adit_hook_veto(const char *name, const AditEvent *about) {
  g_autoptr(GPtrArray) now = subscribers_of(hooks.vetoes, name);
  for (guint i = 0; now && i < now->len; i++) {
    AditSubscriber *l = now->pdata[i];
    const char *reason = NULL;
    if (!l->gone)
      ADIT_HOLD(l->plugin, l->func.veto, name, reason = l->func.veto(about, l->data));
    if (!reason)
      continue;
    /* Copied: the hook's owner may be dropped while the reason is on its way to log and peer. */
    char *copy = g_strdup(reason);
    g_free(hooks.reason);
    return hooks.reason = copy;
  }
  return NULL;
}

AditValue *adit_hook_value(const char *name, const AditEvent *about) {
  g_autoptr(GPtrArray) now = subscribers_of(hooks.values, name);
  for (guint i = 0; now && i < now->len; i++) {
    AditSubscriber *l = now->pdata[i];
    AditValue *value = NULL;
    if (!l->gone)
      ADIT_HOLD(l->plugin, l->func.value, name, value = l->func.value(about, l->data));
    if (value)
      return value;
  }
  return NULL;
}

void adit_hooks_init(void) {
  hooks.vetoes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
  hooks.values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
}

void adit_hooks_fini(void) {
  g_clear_pointer(&hooks.vetoes, g_hash_table_unref);
  g_clear_pointer(&hooks.values, g_hash_table_unref);
  g_clear_pointer(&hooks.reason, g_free);
}
