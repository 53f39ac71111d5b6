/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/aaa/aaa-registry.h"
#include "core/base/misuse.h"
#include "core/base/table.h"

typedef struct {
  AditPlugin *plugin;
  const AditAuthMethod *method;
} Method;

const AditLoopService *aaa_loop;

static GArray *methods;         /* of Method, strongest first */
static GPtrArray *method_table; /* the same, for adit_auth_methods() */
static GPtrArray *sources;      /* of AaaSource */
static GPtrArray *sinks;        /* of AaaSink */

static void methods_publish(void) {
  g_ptr_array_set_size(method_table, 0);
  for (guint i = 0; i < methods->len; i++)
    g_ptr_array_add(method_table, (gpointer)g_array_index(methods, Method, i).method);
}

gboolean aaa_method_add(AditPlugin *plugin, const AditAuthMethod *method, GError **error) {
  ADIT_MAIN_ONLY("adit.aaa method_add", FALSE);
  guint at = 0;

  if (!ADIT_HAS(method, restore) || !method->name || !method->start || !method->input || !method->timeout || !method->verdict ||
      !method->verify)
    return adit_registration_refuse(plugin, error, ADIT_ERR_INVALID, "method_add() of %s: it lacks its size, a name or a function",
                                    ADIT_HAS(method, name) && method->name ? method->name : "(NULL)");
  if (!adit_registration_allowed(plugin, "method_add", "auth-method", method->name, error))
    return FALSE;
  method = adit_table_whole(method, sizeof *method);
  if (method->option_length > sizeof method->option)
    return adit_registration_refuse(plugin, error, ADIT_ERR_INVALID, "method_add() of %s: its LCP option is too long", method->name);
  if (adit_auth_method_find(method->name) || adit_auth_method_of_kind(method->kind))
    return adit_registration_refuse(plugin, error, ADIT_ERR_EXISTS, "method_add() of %s: there is one already", method->name);

  while (at < methods->len && g_array_index(methods, Method, at).method->strength >= method->strength)
    at++;
  g_array_insert_val(methods, at, ((Method){plugin, method}));
  methods_publish();
  return TRUE;
}

const AditAuthMethod *adit_auth_method_find(const char *name) {
  for (guint i = 0; i < methods->len; i++) {
    const AditAuthMethod *method = g_array_index(methods, Method, i).method;
    if (g_str_equal(method->name, name))
      return method;
  }
  return NULL;
}

const AditAuthMethod *adit_auth_method_of_kind(AditAuthKind kind) {
  for (guint i = 0; i < methods->len; i++) {
    const AditAuthMethod *method = g_array_index(methods, Method, i).method;
    if (method->kind == kind)
      return method;
  }
  return NULL;
}

const AditAuthMethod *const *adit_auth_methods(guint *n) {
  *n = method_table->len;
  return (const AditAuthMethod *const *)method_table->pdata;
}

AaaSource *aaa_source_find(const char *name) {
  for (guint i = 0; i < sources->len; i++) {
    AaaSource *source = (AaaSource *)sources->pdata[i];
    if (g_str_equal(source->name, name))
      return source;
  }
  return NULL;
}

gboolean adit_aaa_is_local(const char *name) {
  const AaaSource *source = name ? aaa_source_find(name) : NULL;
  return source && source->ops->local;
}

const GPtrArray *aaa_sources(void) {
  return sources;
}

const GPtrArray *aaa_sinks(void) {
  return sinks;
}

gboolean aaa_source_add(AditPlugin *plugin, const AditAuthSourceOps *ops, gpointer state, GError **error) {
  ADIT_MAIN_ONLY("adit.aaa source_add", FALSE);
  if (!ADIT_HAS(ops, ask) || !ops->name || !ops->ask)
    return adit_registration_refuse(plugin, error, ADIT_ERR_INVALID, "source_add() of %s: it lacks its size, a name or ask()",
                                    ADIT_HAS(ops, name) && ops->name ? ops->name : "(NULL)");
  if (!adit_registration_allowed(plugin, "source_add", "auth-source", ops->name, error))
    return FALSE;
  ops = adit_table_whole(ops, sizeof *ops);
  if (aaa_source_find(ops->name))
    return adit_registration_refuse(plugin, error, ADIT_ERR_EXISTS, "source_add() of %s: there is one already", ops->name);

  AaaSource *source = g_new0(AaaSource, 1);
  *source = (AaaSource){plugin, ops, state, g_intern_string(ops->name)};
  g_ptr_array_add(sources, source);
  return TRUE;
}

gboolean aaa_sink_add(AditPlugin *plugin, const AditAcctSinkOps *ops, gpointer state, GError **error) {
  ADIT_MAIN_ONLY("adit.aaa sink_add", FALSE);
  if (!ADIT_HAS(ops, record) || !ops->name || !ops->record)
    return adit_registration_refuse(plugin, error, ADIT_ERR_INVALID, "sink_add() of %s: it lacks its size, a name or record()",
                                    ADIT_HAS(ops, name) && ops->name ? ops->name : "(NULL)");
  if (!adit_registration_allowed(plugin, "sink_add", "acct-sink", ops->name, error))
    return FALSE;
  ops = adit_table_whole(ops, sizeof *ops);
  for (guint i = 0; i < sinks->len; i++)
    if (g_str_equal(((AaaSink *)sinks->pdata[i])->name, ops->name))
      return adit_registration_refuse(plugin, error, ADIT_ERR_EXISTS, "sink_add() of %s: there is one already", ops->name);

  AaaSink *sink = g_new0(AaaSink, 1);
  *sink = (AaaSink){plugin, ops, state, g_intern_string(ops->name)};
  g_ptr_array_add(sinks, sink);
  return TRUE;
}

void aaa_registry_init(const AditLoopService *loop) {
  aaa_loop = loop;
  methods = g_array_new(FALSE, FALSE, sizeof(Method));
  method_table = g_ptr_array_new();
  sources = g_ptr_array_new_with_free_func(g_free);
  sinks = g_ptr_array_new_with_free_func(g_free);
}

void aaa_registry_drop(AditPlugin *plugin) {
  for (guint i = methods->len; i-- > 0;)
    if (g_array_index(methods, Method, i).plugin == plugin)
      g_array_remove_index(methods, i);
  for (guint i = sources->len; i-- > 0;)
    if (((AaaSource *)sources->pdata[i])->plugin == plugin)
      g_ptr_array_remove_index(sources, i);
  for (guint i = sinks->len; i-- > 0;)
    if (((AaaSink *)sinks->pdata[i])->plugin == plugin)
      g_ptr_array_remove_index(sinks, i);
  methods_publish();
}

void aaa_registry_fini(void) {
  g_clear_pointer(&methods, g_array_unref);
  g_clear_pointer(&method_table, g_ptr_array_unref);
  g_clear_pointer(&sources, g_ptr_array_unref);
  g_clear_pointer(&sinks, g_ptr_array_unref);
  aaa_loop = NULL;
}
