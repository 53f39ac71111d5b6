/* SPDX-License-Identifier: MIT */
/* adit.control: interfaces are checked as the daemon checks them, and calls answered in the test's program. */
#include "adit-test.h"
#include "core/control/interface-check.h"
#include "core/control/parameters.h"

struct AditCall {
  const char *method;
  AditValue *result;
  GError *error;
  gboolean over;
  /* a list that is made row by row, after the method has returned: */
  char *key;
  AditRowNext next;
  gpointer rows_state;
  GDestroyNotify rows_free;
};

typedef struct {
  AditPlugin *plugin;
  AditIdl *idl;
  AditMethod *methods; /* copies */
  AditCommand *commands;
  guint n_methods, n_commands;
  gpointer state;
} Interface;

static void interface_free(gpointer data) {
  Interface *interface = (Interface *)data;
  adit_idl_free(interface->idl);
  g_free(interface->methods);
  g_free(interface->commands);
  g_free(interface);
}

static Interface *find_interface(const char *name, gsize length) {
  for (guint i = 0; i < test_now->interfaces->len; i++) {
    Interface *interface = (Interface *)test_now->interfaces->pdata[i];
    if (!strncmp(interface->idl->interface, name, length) && !interface->idl->interface[length])
      return interface;
  }
  return NULL;
}

static char *find_verb_owner(const char *verb) {
  for (guint i = 0; i < test_now->interfaces->len; i++) {
    const Interface *interface = (const Interface *)test_now->interfaces->pdata[i];
    for (guint c = 0; c < interface->n_commands; c++)
      if (!strcmp(interface->commands[c].verb, verb))
        return g_strdup_printf("%s's, of plugin %s", interface->idl->interface, interface->plugin ? interface->plugin->name : "core");
  }
  return NULL;
}

/* A mistake for which the daemon refuses to load the plugin ends the test. */
static gboolean interface_add(AditPlugin *plugin, const char *description, const AditMethod *methods, guint n_methods,
                              const AditCommand *commands, guint n_commands, gpointer state, GError **error) {
  g_autoptr(GError) why = NULL;
  AditIdl *idl = description ? adit_idl_parse(description, &why) : NULL;
  AditErrorCode code;

  test_expect_registration(plugin, "interface_add", NULL, idl ? idl->interface : "an interface");
  if (!idl)
    g_error("interface_add(): the description: %s", why ? why->message : "there is none");
  if (find_interface(idl->interface, strlen(idl->interface)))
    g_error("interface %s: it exists already", idl->interface);
  Interface *interface = g_new0(Interface, 1);
  *interface = (Interface){.plugin = plugin, .idl = idl, .n_methods = n_methods, .n_commands = n_commands, .state = state};
  interface->methods = (AditMethod *)adit_interface_copy(methods, n_methods, sizeof(AditMethod), G_STRUCT_OFFSET(AditMethod, flags));
  interface->commands =
      (AditCommand *)adit_interface_copy(commands, n_commands, sizeof(AditCommand), G_STRUCT_OFFSET(AditCommand, summary));
  if (!interface->methods || !interface->commands)
    g_error("interface %s: a method or command without its size: write .size = sizeof(AditMethod)", idl->interface);
  const AditInterfaceCandidate candidate = {idl, interface->methods, n_methods, interface->commands, n_commands, find_verb_owner};
  g_autofree char *wrong = adit_interface_wrong(&candidate, &code);
  if (wrong)
    g_error("%s", wrong);
  g_ptr_array_add(test_now->interfaces, interface);
  test_log("control.interface_add %s", idl->interface);
  for (guint i = 0; i < n_commands; i++)
    test_log("control.command %s -> %s", interface->commands[i].verb, interface->commands[i].method);
  return TRUE;
}

/* ---- answers ---- */

/* A mistake that the daemon logs and survives ends the test. */
static void expect_open(const AditCall *call, const char *function) {
  test_main_only(function);
  if (call->over || call->next)
    g_error("method %s: %s() after the answer", call->method, strchr(function, ' ') + 1);
}

static gboolean control_reply(AditCall *call, AditValue *result, gboolean more) {
  expect_open(call, "adit.control reply");
  if (!result || result->type != ADIT_VALUE_MAP)
    g_error("method %s: reply() with something else than a MAP", call->method);
  if (more)
    g_error("method %s: reply() with `more` to a caller that wants one answer", call->method);
  call->result = result;
  call->over = TRUE;
  return TRUE;
}

static void control_error(AditCall *call, const char *name, const char *text) {
  expect_open(call, "adit.control error");
  if (!name || !g_regex_match_simple("\\A[A-Za-z][-A-Za-z0-9]*(\\.[A-Za-z0-9][-A-Za-z0-9]*)+\\z", name, 0, 0))
    g_error("method %s: error() with the name \"%s\": `io.adit.NAME.Error` is one", call->method, name ? name : "(NULL)");
  if (!text)
    g_error("method %s: error() without a text", call->method);
  call->error = g_error_new(ADIT_ERROR, ADIT_ERR_INVALID, "%s: %s", name, text);
  call->over = TRUE;
}

static gboolean wants_more(AditCall *call) {
  test_main_only("adit.control wants_more");
  return FALSE;
}

static void on_gone(AditCall *call, void (*gone)(gpointer data), gpointer data) {
  test_main_only("adit.control on_gone");
}

static void reply_rows(AditCall *call, const char *key, AditRowNext next, gpointer state, GDestroyNotify free_state) {
  expect_open(call, "adit.control reply_rows");
  if (!key || !next)
    g_error("method %s: reply_rows() without a key or a function", call->method);
  call->key = g_strdup(key);
  call->next = next;
  call->rows_state = state;
  call->rows_free = free_state;
}

static void make_rows(AditCall *call) {
  AditValue *list = adit_value_list(), *row;

  while ((row = call->next(call->rows_state)))
    if (row->type == ADIT_VALUE_BOOL)
      adit_value_unref(row);
    else
      adit_value_append(list, row);
  if (call->rows_free)
    call->rows_free(call->rows_state);
  call->result = adit_value_map();
  adit_value_set(call->result, call->key, list);
  g_clear_pointer(&call->key, g_free);
  call->over = TRUE;
}

const AditControlService test_control_service = {.size = sizeof(AditControlService),
                                                 .interface_add = interface_add,
                                                 .reply = control_reply,
                                                 .error = control_error,
                                                 .wants_more = wants_more,
                                                 .on_gone = on_gone,
                                                 .reply_rows = reply_rows};

/* ---- for tests ---- */

static const AditMethod *find_method(AditTest *test, const char *name, Interface **interface) {
  const char *dot = strrchr(name, '.');

  *interface = dot ? find_interface(name, (gsize)(dot - name)) : NULL;
  for (guint i = 0; *interface && i < (*interface)->n_methods; i++)
    if (!strcmp((*interface)->methods[i].name, dot + 1))
      return &(*interface)->methods[i];
  return NULL;
}

/* So that what the plugin keeps of it can be told from what the test keeps. */
static AditValue *copy_map(const AditValue *map) {
  AditValue *copy = adit_value_map();

  for (guint i = 0; i < adit_value_length(map); i++)
    adit_value_set(copy, adit_value_key(map, i), adit_value_ref(adit_value_get(map, adit_value_key(map, i))));
  return copy;
}

AditValue *adit_test_call(AditTest *test, const char *name, AditValue *parameters, GError **error) {
  g_autoptr(AditValue) owned = parameters ? parameters : adit_value_map(), given = copy_map(owned);
  AditCall call = {.method = name};
  g_autofree char *why = NULL;
  const char *which = NULL;
  Interface *interface;
  const AditMethod *method = find_method(test, name, &interface);

  if (!method) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_NOT_FOUND, "no method %s", name);
    return NULL;
  }
  AditValue *checked = adit_parameters_check(interface->idl, adit_idl_method(interface->idl, method->name), given, &which, &why);
  if (!checked) { /* the plugin never sees the call */
    g_set_error(error, ADIT_ERROR, ADIT_ERR_INVALID, "org.varlink.service.InvalidParameter: %s", why);
    return NULL;
  }
  test_lend_value(test, checked);
  method->call(interface->state, &call, checked);
  adit_value_unref(checked);
  g_clear_pointer(&given, adit_value_unref);
  if (call.next)
    make_rows(&call);
  else if (!ADIT_TEST_UNTIL(test, call.over, 5000))
    g_error("%s was not answered in 5 s", name); /* the call lives on this stack */
  if (call.error)
    g_propagate_error(error, call.error);
  return call.result;
}

void test_control_begin(AditTest *test) {
  test->interfaces = g_ptr_array_new_with_free_func(interface_free);
}

void test_control_end(AditTest *test) {
  g_ptr_array_unref(test->interfaces);
}
