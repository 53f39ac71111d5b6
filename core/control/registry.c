/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/control/registry.h"

static GPtrArray *interfaces; /* of AditInterface* */

static void interface_free(gpointer data) {
  AditInterface *interface = (AditInterface *)data;
  g_free(interface->name);
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

static gboolean verb_is_taken(const char *verb) {
  for (guint i = 0; i < interfaces->len; i++) {
    const AditInterface *interface = (const AditInterface *)interfaces->pdata[i];
    for (guint c = 0; c < interface->n_commands; c++)
      if (!strcmp(interface->commands[c].verb, verb))
        return TRUE;
  }
  return FALSE;
}

/* The word after `interface` in a Varlink definition; comments may come before it. */
static char *interface_name(const char *description) {
  g_autoptr(GRegex) regex = g_regex_new("\\A(?:\\s|#[^\n]*\n)*interface\\s+([a-z][-a-z0-9]*(?:\\.[a-z0-9][-a-z0-9]*)+)\\s", 0, 0, NULL);
  g_autoptr(GMatchInfo) match = NULL;
  return g_regex_match(regex, description, 0, &match) ? g_match_info_fetch(match, 1) : NULL;
}

static gboolean has_method(const char *description, const char *method) {
  g_autofree char *text = g_strdup_printf("method %s(", method);
  return strstr(description, text) != NULL;
}

/* Copies `n` structs that begin with their size into structs of `own` octets; what an older plugin does not have is 0. */
static gpointer copy_structs(gconstpointer from, guint n, gsize own) {
  gsize size = n ? *(const gsize *)from : 0;
  guint8 *copy = (guint8 *)g_malloc0_n(n + 1, own);

  for (guint i = 0; i < n; i++)
    memcpy(copy + i * own, (const guint8 *)from + i * size, MIN(size, own));
  return copy;
}

static gboolean sizes_are_right(gconstpointer structs, guint n, gsize least) {
  gsize size = n ? *(const gsize *)structs : 0;

  for (guint i = 0; i < n; i++)
    if (size < least || size > 4096 || *(const gsize *)(gconstpointer)((const guint8 *)structs + i * size) != size)
      return FALSE;
  return TRUE;
}

gboolean adit_registry_add(AditPlugin *plugin, const char *description, const AditMethod *methods, guint n_methods,
                           const AditCommand *commands, guint n_commands, gpointer state, GError **error) {
  g_autofree char *name = description ? interface_name(description) : NULL;

  if (!name) {
    g_set_error_literal(error, ADIT_ERROR, ADIT_ERR_INVALID, "the description does not begin with `interface NAME`");
    return FALSE;
  }
  if (interface_find(name, strlen(name))) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_EXISTS, "interface %s exists already", name);
    return FALSE;
  }
  if (!sizes_are_right(methods, n_methods, G_STRUCT_OFFSET(AditMethod, flags)) ||
      !sizes_are_right(commands, n_commands, G_STRUCT_OFFSET(AditCommand, summary))) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_INVALID, "interface %s: a method or command without its size", name);
    return FALSE;
  }
  g_autofree AditMethod *own_methods = (AditMethod *)copy_structs(methods, n_methods, sizeof(AditMethod));
  g_autofree AditCommand *own_commands = (AditCommand *)copy_structs(commands, n_commands, sizeof(AditCommand));
  for (guint i = 0; i < n_methods; i++)
    if (!own_methods[i].name || !own_methods[i].call || !has_method(description, own_methods[i].name)) {
      g_set_error(error, ADIT_ERROR, ADIT_ERR_INVALID, "interface %s: method %s has no %s", name,
                  own_methods[i].name ? own_methods[i].name : "(NULL)",
                  !own_methods[i].name  ? "name"
                  : own_methods[i].call ? "line `method NAME(` in the description"
                                        : "function");
      return FALSE;
    }
  for (guint i = 0; i < n_commands; i++) {
    if (!own_commands[i].verb || !own_commands[i].method) {
      g_set_error(error, ADIT_ERROR, ADIT_ERR_INVALID, "interface %s: a command has no verb or no method", name);
      return FALSE;
    }
    if (verb_is_taken(own_commands[i].verb)) {
      g_set_error(error, ADIT_ERROR, ADIT_ERR_EXISTS, "command `%s` exists already", own_commands[i].verb);
      return FALSE;
    }
  }

  AditInterface *interface = g_new0(AditInterface, 1);
  *interface = (AditInterface){.plugin = plugin,
                               .name = g_steal_pointer(&name),
                               .description = description,
                               .methods = g_steal_pointer(&own_methods),
                               .n_methods = n_methods,
                               .commands = g_steal_pointer(&own_commands),
                               .n_commands = n_commands,
                               .state = state};
  g_ptr_array_add(interfaces, interface);
  return TRUE;
}

void adit_registry_drop_plugin(AditPlugin *plugin) {
  for (guint i = interfaces->len; i-- > 0;)
    if (((AditInterface *)interfaces->pdata[i])->plugin == plugin)
      g_ptr_array_remove_index(interfaces, i);
}
