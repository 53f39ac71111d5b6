/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* Features: features provided and needed, and from these the order of start (Kahn's algorithm). */
#include "core/plugin/resolve.h"

static Loaded *provider_of(const GPtrArray *plugins, const char *feature) {
  for (guint i = 0; i < plugins->len; i++) {
    Loaded *plugin = (Loaded *)plugins->pdata[i];
    for (guint f = 0; f < plugin->info->n_features; f++)
      if (plugin->info->features[f].kind == ADIT_PROVIDES && !strcmp(plugin->info->features[f].name, feature))
        return plugin;
  }
  return NULL;
}

static void find_doubles(const GPtrArray *plugins, GPtrArray *problems) {
  for (guint i = 0; i < plugins->len; i++) {
    const Loaded *plugin = (const Loaded *)plugins->pdata[i];
    for (guint f = 0; f < plugin->info->n_features; f++) {
      const AditFeature *feature = &plugin->info->features[f];
      const Loaded *first = feature->kind == ADIT_PROVIDES ? provider_of(plugins, feature->name) : plugin;
      if (first && first != plugin)
        g_ptr_array_add(problems,
                        g_strdup_printf("%s is provided by both %s and %s", feature->name, first->owner.name, plugin->owner.name));
    }
  }
}

/* The first plugin that requires something of `plugin`, other than itself; `*feature` is what. */
static Loaded *dependent_of(const GPtrArray *plugins, const Loaded *plugin, const char **feature) {
  for (guint i = 0; i < plugins->len; i++) {
    Loaded *other = (Loaded *)plugins->pdata[i];
    for (guint f = 0; f < other->info->n_features; f++) {
      const AditFeature *wish = &other->info->features[f];
      if (other != plugin && wish->kind == ADIT_REQUIRES && provider_of(plugins, wish->name) == plugin) {
        *feature = wish->name;
        return other;
      }
    }
  }
  return NULL;
}

/* "c requires x:b; b requires x:a, which no loaded plugin provides": from the one that no other needs down to the gap. */
static char *missing_chain(const GPtrArray *plugins, const Loaded *plugin, const char *feature) {
  g_autoptr(GString) chain = g_string_new(NULL);
  g_string_printf(chain, "%s requires %s, which no loaded plugin provides", plugin->owner.name, feature);

  const char *through = NULL;
  const Loaded *at = plugin;
  for (guint steps = 0; steps < plugins->len; steps++) {
    at = dependent_of(plugins, at, &through);
    if (!at || at == plugin)
      break;
    g_autofree char *link = g_strdup_printf("%s requires %s; ", at->owner.name, through);
    g_string_prepend(chain, link);
  }
  return g_string_free(g_steal_pointer(&chain), FALSE);
}

static void find_missing(const GPtrArray *plugins, GPtrArray *problems) {
  for (guint i = 0; i < plugins->len; i++) {
    const Loaded *plugin = (const Loaded *)plugins->pdata[i];
    for (guint f = 0; f < plugin->info->n_features; f++) {
      const AditFeature *feature = &plugin->info->features[f];
      if (feature->kind == ADIT_REQUIRES && !provider_of(plugins, feature->name))
        g_ptr_array_add(problems, missing_chain(plugins, plugin, feature->name));
    }
  }
}

/* A feature of `plugin` with its provider among `waiting`; NULL when it may go next. */
static const AditFeature *waits_for(const GPtrArray *waiting, const Loaded *plugin, gboolean wishes_too) {
  for (guint f = 0; f < plugin->info->n_features; f++) {
    const AditFeature *feature = &plugin->info->features[f];
    if (feature->kind == ADIT_PROVIDES || (feature->kind == ADIT_WANTS && !wishes_too))
      continue;
    const Loaded *provider = provider_of(waiting, feature->name);
    if (provider && provider != plugin)
      return feature;
  }
  return NULL;
}

static Loaded *next_of(const GPtrArray *waiting, gboolean wishes_too) {
  for (guint i = 0; i < waiting->len; i++)
    if (!waits_for(waiting, (const Loaded *)waiting->pdata[i], wishes_too))
      return (Loaded *)waiting->pdata[i];
  return NULL;
}

/* All that wait require one another: follow the first until a plugin comes again, and name that circle. */
static char *describe_circle(const GPtrArray *waiting) {
  g_autoptr(GPtrArray) seen = g_ptr_array_new();
  const Loaded *at = (const Loaded *)waiting->pdata[0];
  guint start;

  while (!g_ptr_array_find(seen, at, &start)) {
    g_ptr_array_add(seen, (gpointer)at);
    at = provider_of(waiting, waits_for(waiting, at, FALSE)->name);
  }

  g_autoptr(GString) chain = g_string_new("circular: ");
  for (guint i = start; i < seen->len; i++) {
    const Loaded *plugin = (const Loaded *)seen->pdata[i];
    g_string_append_printf(chain, "%s requires %s; ", plugin->owner.name, waits_for(waiting, plugin, FALSE)->name);
  }
  g_string_append_printf(chain, "and that is %s again", at->owner.name);
  return g_string_free(g_steal_pointer(&chain), FALSE);
}

gboolean adit_plugin_resolve(GPtrArray *plugins, GPtrArray *problems) {
  guint before = problems->len;

  find_doubles(plugins, problems);
  find_missing(plugins, problems);
  if (problems->len > before)
    return FALSE;

  g_autoptr(GPtrArray) waiting = g_ptr_array_new();
  g_autoptr(GPtrArray) order = g_ptr_array_new();
  for (guint i = 0; i < plugins->len; i++)
    g_ptr_array_add(waiting, plugins->pdata[i]);
  while (waiting->len) {
    Loaded *next = next_of(waiting, TRUE);
    if (!next)
      next = next_of(waiting, FALSE); /* a wish that closes a circle gives way */
    if (!next) {
      g_ptr_array_add(problems, describe_circle(waiting));
      return FALSE;
    }
    g_ptr_array_remove(waiting, next);
    g_ptr_array_add(order, next);
  }
  memcpy(plugins->pdata, order->pdata, order->len * sizeof(gpointer));
  return TRUE;
}
