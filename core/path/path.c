/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/path/path.h"
#include "core/base/misuse.h"
#include "core/base/table.h"
#include "core/path/protection.h"

/* One registered thing. There is a handful of them: a linear search is the whole index. */
typedef struct {
  const char *name;
  gconstpointer ops;
  gpointer state;
  AditPlugin *plugin;
} Entry;

static GArray *datapaths, *transports;

void adit_path_init(void) {
  adit_path_fini();
  datapaths = g_array_new(FALSE, TRUE, sizeof(Entry));
  transports = g_array_new(FALSE, TRUE, sizeof(Entry));
  adit_protection_init();
}

void adit_path_fini(void) {
  g_clear_pointer(&datapaths, g_array_unref);
  g_clear_pointer(&transports, g_array_unref);
  adit_protection_fini();
}

static const Entry *entry_find(const GArray *registry, const char *name) {
  for (guint i = 0; registry && name && i < registry->len; i++) {
    const Entry *entry = &g_array_index(registry, Entry, i);
    if (g_str_equal(entry->name, name))
      return entry;
  }
  return NULL;
}

static const Entry *entry_at(const GArray *registry, guint index) {
  return registry && index < registry->len ? &g_array_index(registry, Entry, index) : NULL;
}

static gboolean entry_add(GArray *registry, const char *kind, AditPlugin *plugin, const char *name, gconstpointer ops, gpointer state,
                          GError **error) {
  g_autofree char *function = g_strconcat(kind, "_add", NULL);

  if (!registry || !name || !*name)
    return adit_registration_refuse(plugin, error, ADIT_ERR_INVALID, "%s() without a name", function);
  if (!adit_registration_allowed(plugin, function, kind, name, error))
    return FALSE;
  if (entry_find(registry, name))
    return adit_registration_refuse(plugin, error, ADIT_ERR_EXISTS, "%s() of %s: there is one already", function, name);
  Entry entry = {name, ops, state, plugin};
  g_array_append_val(registry, entry);
  return TRUE;
}

static gconstpointer entry_get(const Entry *entry, gpointer *state, AditPlugin **plugin) {
  if (state)
    *state = entry ? entry->state : NULL;
  if (plugin)
    *plugin = entry ? entry->plugin : NULL;
  return entry ? entry->ops : NULL;
}

static gboolean datapath_add(AditPlugin *plugin, const AditDatapathOps *ops, gpointer dp, GError **error) {
  ADIT_MAIN_ONLY("adit.path datapath_add", FALSE);
  if (!ADIT_HAS(ops, session_close))
    return adit_registration_refuse(plugin, error, ADIT_ERR_INVALID, "datapath_add() of a table that is too short: set its size");
  return entry_add(datapaths, "datapath", plugin, ops->name, adit_table_whole(ops, sizeof *ops), dp, error);
}

static gboolean transport_add(AditPlugin *plugin, const AditTransportOps *ops, gpointer state, GError **error) {
  ADIT_MAIN_ONLY("adit.path transport_add", FALSE);
  if (!ADIT_HAS(ops, dial_cancel))
    return adit_registration_refuse(plugin, error, ADIT_ERR_INVALID, "transport_add() of a table that is too short: set its size");
  return entry_add(transports, "transport", plugin, ops->name, adit_table_whole(ops, sizeof *ops), state, error);
}

const AditDatapathOps *adit_datapath_find(const char *name, gpointer *dp) {
  ADIT_MAIN_ONLY("adit.path datapath", NULL);
  return entry_get(entry_find(datapaths, name), dp, NULL);
}

const AditTransportOps *adit_transport_find(const char *name, gpointer *state) {
  return entry_get(entry_find(transports, name), state, NULL);
}

const AditDatapathOps *adit_datapath_at(guint index, gpointer *dp, AditPlugin **plugin) {
  return entry_get(entry_at(datapaths, index), dp, plugin);
}

const AditTransportOps *adit_transport_at(guint index, gpointer *state, AditPlugin **plugin) {
  return entry_get(entry_at(transports, index), state, plugin);
}

static void entries_drop(GArray *registry, const AditPlugin *plugin) {
  for (guint i = registry ? registry->len : 0; i-- > 0;)
    if (g_array_index(registry, Entry, i).plugin == plugin)
      g_array_remove_index(registry, i);
}

void adit_path_drop_plugin(AditPlugin *plugin) {
  adit_protection_drop_plugin(plugin);
  entries_drop(datapaths, plugin);
  entries_drop(transports, plugin);
}

const AditPathService *adit_path_service(void) {
  static const AditPathService service = {
      .size = sizeof service,
      .datapath_add = datapath_add,
      .transport_add = transport_add,
      .datapath = adit_datapath_find,
      .protection_add = adit_protection_add,
      .protection_ensure = adit_protection_ensure,
      .protection_release = adit_protection_release,
      .association_accept = adit_protection_accept,
      .association_event = adit_protection_event,
      .association_lookup = adit_protection_lookup,
      .association_is_known = adit_protection_is_known,
  };
  return &service;
}
