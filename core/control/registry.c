/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/control/registry.h"
#include "core/base/misuse.h"
#include "core/control/interface-check.h"

static GPtrArray *interfaces; /* of AditInterface* */

static void interface_free(gpointer data) {
  AditInterface *interface = (AditInterface *)data;
  g_free(interface->name);
  adit_idl_free(interface->idl);
  g_free(interface->methods);
  g_free(interface->commands);
  g_free(interface);
}

void adit_registry_init(void) {
  interfaces = g_ptr_array_new_with_free_func(interface_free);
}

void adit_registry_fini(void) {
  g_clear_pointer(&interfaces, g_ptr_array_unref);
}

const GPtrArray *adit_registry_interfaces(void) {
  return interfaces;
}

static AditInterface *interface_find(const char *name, gsize length) {
  for (guint i = 0; i < interfaces->len; i++) {
    AditInterface *interface = (AditInterface *)interfaces->pdata[i];
    if (strlen(interface->name) == length && !memcmp(interface->name, name, length))
      return interface;
  }
  return NULL;
}

const AditMethod *adit_registry_find(const char *name, const AditInterface **interface) {
  const char *dot = strrchr(name, '.');

  *interface = dot ? interface_find(name, (gsize)(dot - name)) : NULL;
  if (!*interface)
    return NULL;
  for (guint i = 0; i < (*interface)->n_methods; i++)
    if (!strcmp((*interface)->methods[i].name, dot + 1))
      return &(*interface)->methods[i];
  return NULL;
}

/* ---- what is registered ---- */

/* The owner of a command that exists already. */
static char *find_verb_owner(const char *verb) {
  for (guint i = 0; i < interfaces->len; i++) {
    const AditInterface *interface = (const AditInterface *)interfaces->pdata[i];
    for (guint c = 0; c < interface->n_commands; c++)
      if (!strcmp(interface->commands[c].verb, verb))
        return g_strdup_printf("%s's, of plugin %s", interface->name, adit_plugin_name(interface->plugin));
  }
  return NULL;
}

gboolean adit_registry_add(AditPlugin *plugin, const char *description, const AditMethod *methods, guint n_methods,
                           const AditCommand *commands, guint n_commands, gpointer state, GError **error) {
  ADIT_MAIN_ONLY("adit.control interface_add", FALSE);
  g_autoptr(GError) why = NULL;
  g_autoptr(AditIdl) idl = description ? adit_idl_parse(description, &why) : NULL;

  if (!idl)
    return adit_registration_refuse(plugin, error, ADIT_ERR_INVALID, "interface_add(): the description: %s",
                                    why ? why->message : "there is none");
  if (!adit_registration_allowed(plugin, "interface_add", NULL, idl->interface, error))
    return FALSE;
  if (interface_find(idl->interface, strlen(idl->interface)))
    return adit_registration_refuse(plugin, error, ADIT_ERR_EXISTS, "interface %s: it exists already", idl->interface);
  g_autofree AditMethod *own_methods = adit_interface_copy(methods, n_methods, sizeof(AditMethod), G_STRUCT_OFFSET(AditMethod, flags));
  g_autofree AditCommand *own_commands =
      adit_interface_copy(commands, n_commands, sizeof(AditCommand), G_STRUCT_OFFSET(AditCommand, summary));
  if (!own_methods || !own_commands)
    return adit_registration_refuse(plugin, error, ADIT_ERR_INVALID,
                                    "interface %s: a method or command without its size: write .size = sizeof(AditMethod)", idl->interface);
  const AditInterfaceCandidate candidate = {idl, own_methods, n_methods, own_commands, n_commands, find_verb_owner};
  AditErrorCode code;
  g_autofree char *wrong = adit_interface_wrong(&candidate, &code);
  if (wrong)
    return adit_registration_refuse(plugin, error, code, "%s", wrong);

  AditInterface *interface = g_new0(AditInterface, 1);
  *interface = (AditInterface){.plugin = plugin,
                               .name = g_strdup(idl->interface),
                               .description = description,
                               .methods = g_steal_pointer(&own_methods),
                               .n_methods = n_methods,
                               .commands = g_steal_pointer(&own_commands),
                               .n_commands = n_commands,
                               .state = state};
  interface->idl = g_steal_pointer(&idl);
  g_ptr_array_add(interfaces, interface);
  return TRUE;
}

void adit_registry_drop_plugin(AditPlugin *plugin) {
  for (guint i = interfaces->len; i-- > 0;)
    if (((AditInterface *)interfaces->pdata[i])->plugin == plugin)
      g_ptr_array_remove_index(interfaces, i);
}
