/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/control/registry.h"
#include "core/base/misuse.h"
#include "core/control/idl.h"

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

/* ---- what is registered ---- */

/* One that is to be added; `error` is what is wrong with it. */
typedef struct {
  AditPlugin *plugin;
  const AditIdl *idl;
  const AditMethod *methods;
  guint n_methods;
  GError **error;
} Candidate;

G_GNUC_PRINTF(3, 4)
static gboolean refuse_interface(const Candidate *c, AditErrorCode code, const char *format, ...) {
  va_list args;

  va_start(args, format);
  g_autofree char *text = g_strdup_vprintf(format, args);
  va_end(args);
  return adit_registration_refuse(c->plugin, c->error, code, "interface %s: %s", c->idl->interface, text);
}

static const AditMethod *method_named(const Candidate *c, const char *name) {
  for (guint i = 0; i < c->n_methods; i++)
    if (!strcmp(c->methods[i].name, name))
      return &c->methods[i];
  return NULL;
}

static gboolean check_method(const Candidate *c, const AditMethod *method) {
  if (!method->name || !method->call)
    return refuse_interface(c, ADIT_ERR_INVALID, "method %s has no %s", method->name ? method->name : "(NULL)",
                            method->name ? "function" : "name");
  if (!adit_idl_method(c->idl, method->name))
    return refuse_interface(c, ADIT_ERR_INVALID, "the description has no method %s", method->name);
  if (method->flags & ~(guint)ADIT_METHOD_PUBLIC)
    return refuse_interface(c, ADIT_ERR_INVALID, "method %s has flags 0x%x, which nobody knows", method->name,
                            method->flags & ~(guint)ADIT_METHOD_PUBLIC);
  return TRUE;
}

/* A caller that reads the description could call it. */
static gboolean check_described(const Candidate *c) {
  for (guint i = 0; i < c->idl->methods->len; i++) {
    const char *name = ((const AditIdlMethod *)c->idl->methods->pdata[i])->name;
    if (!method_named(c, name))
      return refuse_interface(c, ADIT_ERR_INVALID, "method %s is described and is not among the methods", name);
  }
  return TRUE;
}

/* ---- commands ---- */

static const AditInterface *interface_with_verb(const char *verb) {
  for (guint i = 0; i < interfaces->len; i++) {
    const AditInterface *interface = (const AditInterface *)interfaces->pdata[i];
    for (guint c = 0; c < interface->n_commands; c++)
      if (!strcmp(interface->commands[c].verb, verb))
        return interface;
  }
  return NULL;
}

/* The described method that a command runs; NULL if it is none of this interface. */
static const AditIdlMethod *method_of_command(const Candidate *c, const AditCommand *command) {
  const char *dot = command->method ? strrchr(command->method, '.') : NULL;
  gsize length = dot ? (gsize)(dot - command->method) : 0;

  if (!dot || strlen(c->idl->interface) != length || memcmp(c->idl->interface, command->method, length) != 0)
    return NULL;
  return adit_idl_method(c->idl, dot + 1);
}

/* `id [name]`: parameters of the method, the optional ones last. */
static gboolean check_arguments(const Candidate *c, const AditCommand *command, const AditIdlMethod *method) {
  g_auto(GStrv) words = g_strsplit(command->arguments ? command->arguments : "", " ", -1);
  gboolean optional = FALSE;

  for (guint i = 0; words[i]; i++) {
    gsize length = strlen(words[i]);
    gboolean bracket = words[i][0] == '[' && length > 2 && words[i][length - 1] == ']';
    if (!length)
      continue;
    if (!adit_idl_has(method->in, words[i] + (bracket ? 1 : 0), length - (bracket ? 2 : 0)))
      return refuse_interface(c, ADIT_ERR_INVALID, "command `%s`: argument `%s` is no parameter of %s", command->verb, words[i],
                              method->name);
    if (optional && !bracket)
      return refuse_interface(c, ADIT_ERR_INVALID, "command `%s`: argument `%s` comes after an optional one", command->verb, words[i]);
    optional |= bracket;
  }
  return TRUE;
}

static gboolean column_is_good(const char *column) {
  static const char *const formats[] = {"rate", "octets", "ago", "duration", "hex", NULL};
  const char *equals = strchr(column, '='), *colon = equals ? strchr(equals, ':') : NULL;

  return equals && equals > column && equals[1] && colon != equals + 1 && (!colon || g_strv_contains(formats, colon + 1));
}

static gboolean check_columns(const Candidate *c, const AditCommand *command) {
  g_auto(GStrv) columns = g_strsplit(command->columns ? command->columns : "", " ", -1);

  for (guint i = 0; columns[i]; i++)
    if (*columns[i] && !column_is_good(columns[i]))
      return refuse_interface(c, ADIT_ERR_INVALID,
                              "command `%s`: column `%s` is not TITLE=key[:format], with a format of rate, octets, ago, duration, hex",
                              command->verb, columns[i]);
  return TRUE;
}

static gboolean check_verb(const Candidate *c, const AditCommand *command) {
  const char *verb = command->verb;
  const AditInterface *other = interface_with_verb(verb);

  if (!g_regex_match_simple("\\A[a-z0-9][-a-z0-9]*( [a-z0-9][-a-z0-9]*)*\\z", verb, G_REGEX_RAW, 0))
    return refuse_interface(c, ADIT_ERR_INVALID, "command `%s`: a verb is words of small letters, digits and hyphens, a space between them",
                            verb);
  if (other)
    return refuse_interface(c, ADIT_ERR_EXISTS, "command `%s` exists already: it is %s's, of plugin %s", verb, other->name,
                            adit_plugin_name(other->plugin));
  return TRUE;
}

static gboolean check_command(const Candidate *c, const AditCommand *command) {
  if (!command->verb || !command->method)
    return refuse_interface(c, ADIT_ERR_INVALID, "a command has no verb or no method");
  if (!check_verb(c, command))
    return FALSE;
  const AditIdlMethod *method = method_of_command(c, command);
  if (!method)
    return refuse_interface(c, ADIT_ERR_INVALID, "command `%s`: %s is no method of this interface: write %s.METHOD", command->verb,
                            command->method, c->idl->interface);
  if (command->rows && !adit_idl_has(method->out, command->rows, strlen(command->rows)))
    return refuse_interface(c, ADIT_ERR_INVALID, "command `%s`: the reply of %s has no list `%s`", command->verb, method->name,
                            command->rows);
  if (!command->summary)
    return refuse_interface(c, ADIT_ERR_INVALID, "command `%s` has no summary", command->verb);
  return check_arguments(c, command, method) && check_columns(c, command);
}

static gboolean check_commands(const Candidate *c, const AditCommand *commands, guint n) {
  for (guint i = 0; i < n; i++) {
    if (!check_command(c, &commands[i]))
      return FALSE;
    for (guint k = 0; k < i; k++)
      if (!strcmp(commands[k].verb, commands[i].verb))
        return refuse_interface(c, ADIT_ERR_EXISTS, "command `%s` is there twice", commands[i].verb);
  }
  return TRUE;
}

/* ---- structs of plugins ---- */

/* Copies `n` structs that begin with their size into structs of `own` octets; what an older plugin does not have is 0. */
static gpointer copy_structs(gconstpointer from, guint n, gsize own) {
  gsize size = n ? *(const gsize *)from : 0;
  guint8 *copy = (guint8 *)g_malloc0_n(n + 1, own);

  for (guint i = 0; i < n; i++)
    adit_copy_sized(copy + i * own, own, (const guint8 *)from + i * size);
  return copy;
}

static gboolean sizes_are_right(gconstpointer structs, guint n, gsize least) {
  gsize size = n && structs ? *(const gsize *)structs : 0;

  for (guint i = 0; i < n; i++)
    if (size < least || size > 4096 || *(const gsize *)(gconstpointer)((const guint8 *)structs + i * size) != size)
      return FALSE;
  return TRUE;
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
  Candidate c = {.plugin = plugin, .idl = idl, .n_methods = n_methods, .error = error};
  if (interface_find(idl->interface, strlen(idl->interface)))
    return refuse_interface(&c, ADIT_ERR_EXISTS, "it exists already");
  if (!sizes_are_right(methods, n_methods, G_STRUCT_OFFSET(AditMethod, flags)) ||
      !sizes_are_right(commands, n_commands, G_STRUCT_OFFSET(AditCommand, summary)))
    return refuse_interface(&c, ADIT_ERR_INVALID, "a method or command without its size: write .size = sizeof(AditMethod)");
  g_autofree AditMethod *own_methods = (AditMethod *)copy_structs(methods, n_methods, sizeof(AditMethod));
  g_autofree AditCommand *own_commands = (AditCommand *)copy_structs(commands, n_commands, sizeof(AditCommand));
  c.methods = own_methods;
  for (guint i = 0; i < n_methods; i++)
    if (!check_method(&c, &own_methods[i]))
      return FALSE;
  if (!check_described(&c) || !check_commands(&c, own_commands, n_commands))
    return FALSE;

  AditInterface *interface = g_new0(AditInterface, 1);
  *interface = (AditInterface){.plugin = plugin,
                               .name = g_strdup(idl->interface),
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
