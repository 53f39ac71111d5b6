/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/control/varlink.h"
#include "core/control/json.h"

struct AditCall {
  AditConn *conn; /* NULL: the caller is gone */
  AditPlugin *plugin;
  gboolean more, oneway;
  void (*gone)(gpointer data);
  gpointer gone_data;
  /* a list that is sent in pieces: */
  char *list_key;
  AditValue *list;
  guint list_next;
};

struct AditConn {
  gboolean may_change, bad, pumping;
  GByteArray *input;
  GByteArray *output;
  gsize sent;     /* octets of output that are gone */
  AditCall *call; /* that is not answered yet */
  void (*wake)(gpointer data);
  gpointer data;
};

AditControlStats adit_control_stats;

static GPtrArray *interfaces; /* of AditInterface* */
static GPtrArray *calls;      /* of AditCall*, all that are not answered, orphans included */

/* ---- interfaces ---- */

static void interface_free(gpointer data) {
  AditInterface *interface = (AditInterface *)data;
  g_free(interface->name);
  g_free(interface);
}

const GPtrArray *adit_control_interfaces(void) {
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

const AditMethod *adit_control_find(const char *name, const AditInterface **interface) {
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

static gboolean describes(const char *description, const char *method) {
  g_autofree char *text = g_strdup_printf("method %s(", method);
  return strstr(description, text) != NULL;
}

static gboolean interface_add(AditPlugin *plugin, const char *description, const AditMethod *methods, guint n_methods,
                              const AditCommand *commands, guint n_commands, gpointer state, GError **error) {
  g_autofree char *name = interface_name(description);

  if (!name) {
    g_set_error_literal(error, ADIT_ERROR, ADIT_ERR_INVALID, "the description does not begin with `interface NAME`");
    return FALSE;
  }
  if (interface_find(name, strlen(name))) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_EXISTS, "interface %s exists already", name);
    return FALSE;
  }
  for (guint i = 0; i < n_methods; i++)
    if (!methods[i].call || !describes(description, methods[i].name)) {
      g_set_error(error, ADIT_ERROR, ADIT_ERR_INVALID, "interface %s does not describe method %s", name, methods[i].name);
      return FALSE;
    }
  for (guint i = 0; i < n_commands; i++)
    if (verb_is_taken(commands[i].verb)) {
      g_set_error(error, ADIT_ERROR, ADIT_ERR_EXISTS, "command `%s` exists already", commands[i].verb);
      return FALSE;
    }

  AditInterface *interface = g_new0(AditInterface, 1);
  *interface = (AditInterface){plugin, g_steal_pointer(&name), description, methods, n_methods, commands, n_commands, state};
  g_ptr_array_add(interfaces, interface);
  return TRUE;
}

/* ---- calls ---- */

static void call_free(AditCall *call) {
  if (call->conn)
    call->conn->call = NULL;
  g_ptr_array_remove_fast(calls, call);
  adit_value_unref(call->list);
  g_free(call->list_key);
  g_free(call);
}

static void pump(AditConn *conn);

static gsize unread(const AditConn *conn) {
  return conn->output->len - conn->sent;
}

static void conn_fail(AditConn *conn) {
  conn->bad = TRUE;
  conn->wake(conn->data);
}

/* Puts one message, whose parts are already JSON, into the output. */
static void conn_put(AditConn *conn, const GString *text, gboolean streamed) {
  gsize waiting = unread(conn);

  if (conn->bad)
    return;
  if (waiting + text->len > ADIT_VARLINK_REPLY_MAX || (streamed && waiting > ADIT_VARLINK_STREAM_MAX)) {
    adit_control_stats.slow++;
    adit_info(NULL, "control: a client that does not read what it asked for is dropped");
    conn_fail(conn);
    return;
  }
  g_byte_array_append(conn->output, (const guint8 *)text->str, (guint)text->len + 1);
  conn->wake(conn->data);
}

static void put_reply(AditConn *conn, const AditValue *result, gboolean more) {
  g_autoptr(GString) text = g_string_new("{\"parameters\":");

  adit_json_append(text, result);
  g_string_append(text, more ? ",\"continues\":true}" : "}");
  conn_put(conn, text, more);
}

static void put_error(AditConn *conn, const char *name, const AditValue *parameters) {
  g_autoptr(AditValue) error = adit_value_string(name);
  g_autoptr(GString) text = g_string_new("{\"error\":");

  adit_json_append(text, error);
  g_string_append(text, ",\"parameters\":");
  adit_json_append(text, parameters);
  g_string_append_c(text, '}');
  conn_put(conn, text, FALSE);
}

static void call_end(AditCall *call) {
  AditConn *conn = call->conn;
  call_free(call);
  if (conn)
    pump(conn);
}

static gboolean control_reply(AditCall *call, AditValue *result, gboolean more) {
  g_autoptr(AditValue) owned = result;
  gboolean there = call->conn && !call->conn->bad;

  if (there && !call->oneway)
    put_reply(call->conn, owned, more && call->more);
  there = there && !call->conn->bad;
  if (!more || (!there && !call->gone)) /* with gone() it is told, and the call ends, when the connection goes */
    call_end(call);
  return there;
}

static void control_error(AditCall *call, const char *name, const char *text) {
  g_autoptr(AditValue) parameters = adit_value_map();

  adit_value_set(parameters, "text", adit_value_string(text));
  if (call->conn && !call->oneway)
    put_error(call->conn, name, parameters);
  call_end(call);
}

static gboolean control_wants_more(AditCall *call) {
  return call->more;
}

static void control_on_gone(AditCall *call, void (*gone)(gpointer data), gpointer data) {
  call->gone = gone;
  call->gone_data = data;
}

/* The next piece of a streamed list, once the one before has been read. */
static void send_piece(AditCall *call) {
  AditValue *piece = adit_value_list(), *result = adit_value_map();
  guint end = call->more ? MIN(adit_value_length(call->list), call->list_next + ADIT_VARLINK_PIECE) : adit_value_length(call->list);

  for (; call->list_next < end; call->list_next++)
    adit_value_append(piece, adit_value_ref(adit_value_at(call->list, call->list_next)));
  adit_value_set(result, call->list_key, piece);
  control_reply(call, result, end < adit_value_length(call->list));
}

void adit_control_reply_list(AditCall *call, const char *key, AditValue *list) {
  call->list = list;
  call->list_key = g_strdup(key);
  call->list_next = 0;
  if (call->conn)
    send_piece(call);
  else
    call_end(call);
}

static const AditControlService service = {
    .size = sizeof(AditControlService),
    .interface_add = interface_add,
    .reply = control_reply,
    .error = control_error,
    .wants_more = control_wants_more,
    .on_gone = control_on_gone,
};

const AditControlService *adit_control_service(void) {
  return &service;
}

/* ---- connections ---- */

AditConn *adit_conn_new(gboolean may_change, void (*wake)(gpointer data), gpointer data) {
  AditConn *conn = g_new0(AditConn, 1);
  conn->may_change = may_change;
  conn->input = g_byte_array_new();
  conn->output = g_byte_array_new();
  conn->wake = wake;
  conn->data = data;
  return conn;
}

void adit_conn_free(AditConn *conn) {
  AditCall *call = conn->call;

  if (call) {
    call->conn = NULL;
    if (call->gone)
      call->gone(call->gone_data);
    if (call->gone || call->list) /* else its method still has it, and will answer */
      call_free(call);
  }
  g_byte_array_unref(conn->input);
  g_byte_array_unref(conn->output);
  g_free(conn);
}

static void refuse(AditConn *conn, gboolean oneway, const char *error, const char *key, const char *value, const char *text) {
  g_autoptr(AditValue) parameters = adit_value_map();

  adit_control_stats.refused++;
  if (key)
    adit_value_set(parameters, key, adit_value_string(value));
  adit_value_set(parameters, "text", adit_value_string(text));
  if (!oneway)
    put_error(conn, error, parameters);
}

static void dispatch(AditConn *conn, const AditValue *message) {
  const char *name = adit_value_get_string(message, "method", NULL);
  gboolean oneway = adit_value_get_bool(message, "oneway", FALSE);
  const AditInterface *interface = NULL;
  const AditMethod *method = adit_control_find(name, &interface);
  g_autoptr(AditValue) none = adit_value_map();
  const AditValue *parameters = adit_value_get(message, "parameters");

  if (!interface) {
    refuse(conn, oneway, "org.varlink.service.InterfaceNotFound", "interface", name, "no such interface");
  } else if (!method) {
    refuse(conn, oneway, "org.varlink.service.MethodNotFound", "method", name, "no such method");
  } else if (method->changes && !conn->may_change) {
    refuse(conn, oneway, "org.varlink.service.PermissionDenied", NULL, NULL, "needs root, the daemon's user or the admin group");
  } else if (parameters && parameters->type != ADIT_VALUE_MAP) {
    refuse(conn, oneway, "org.varlink.service.InvalidParameter", "parameter", "parameters", "parameters must be an object");
  } else {
    AditCall *call = g_new0(AditCall, 1);
    call->conn = conn;
    call->plugin = interface->plugin;
    call->oneway = oneway;
    call->more = !oneway && adit_value_get_bool(message, "more", FALSE);
    conn->call = call;
    g_ptr_array_add(calls, call);
    adit_control_stats.calls++;
    method->call(interface->state, call, parameters ? parameters : none);
  }
}

static void handle(AditConn *conn, const char *text, gsize length) {
  g_autoptr(GError) error = NULL;
  g_autoptr(AditValue) message = adit_json_read(text, length, &error);

  if (!message || !adit_value_get_string(message, "method", NULL)) {
    adit_control_stats.refused++;
    adit_debug(NULL, "control: not a call: %s", error ? error->message : "no method");
    conn_fail(conn);
    return;
  }
  dispatch(conn, message);
}

/* Takes whole messages from the input as long as no call runs and the answers are read. A method that answers at once comes back in
 * here and finds it busy. */
static void pump(AditConn *conn) {
  if (conn->pumping)
    return;
  conn->pumping = TRUE;
  while (!conn->call && !conn->bad && unread(conn) <= ADIT_VARLINK_STREAM_MAX) {
    const guint8 *end = conn->input->len ? (const guint8 *)memchr(conn->input->data, 0, conn->input->len) : NULL;
    if (!end) {
      if (conn->input->len >= ADIT_VARLINK_MESSAGE_MAX)
        conn_fail(conn);
      break;
    }
    gsize length = (gsize)(end - conn->input->data);
    g_autofree char *text = (char *)g_memdup2(conn->input->data, length + 1);
    g_byte_array_remove_range(conn->input, 0, (guint)length + 1);
    handle(conn, text, length);
  }
  conn->pumping = FALSE;
}

gsize adit_conn_room(const AditConn *conn) {
  return conn->input->len < ADIT_VARLINK_MESSAGE_MAX ? ADIT_VARLINK_MESSAGE_MAX - conn->input->len : 0;
}

gboolean adit_conn_feed(AditConn *conn, const guint8 *data, gsize length) {
  if (length > adit_conn_room(conn)) {
    conn->bad = TRUE;
    return FALSE;
  }
  g_byte_array_append(conn->input, data, (guint)length);
  pump(conn);
  return !conn->bad;
}

const guint8 *adit_conn_output(const AditConn *conn, gsize *length) {
  *length = unread(conn);
  return *length ? conn->output->data + conn->sent : NULL;
}

void adit_conn_sent(AditConn *conn, gsize length) {
  conn->sent += length;
  if (conn->sent >= unread(conn)) { /* half of it is gone: moving the rest costs no more than sending it did */
    g_byte_array_remove_range(conn->output, 0, (guint)conn->sent);
    conn->sent = 0;
  }
  if (!unread(conn) && conn->call && conn->call->list)
    send_piece(conn->call);
  else
    pump(conn);
}

gboolean adit_conn_is_busy(const AditConn *conn) {
  return conn->call || unread(conn);
}

gboolean adit_conn_is_bad(const AditConn *conn) {
  return conn->bad;
}

/* ---- begin and end ---- */

void adit_control_init(void) {
  g_autoptr(GError) error = NULL;

  memset(&adit_control_stats, 0, sizeof adit_control_stats);
  interfaces = g_ptr_array_new_with_free_func(interface_free);
  calls = g_ptr_array_new();
  if (!adit_control_core_add(&error))
    g_error("control: %s", error->message);
}

void adit_control_drop_plugin(AditPlugin *plugin) {
  if (!interfaces)
    return;
  for (guint i = interfaces->len; i-- > 0;)
    if (((AditInterface *)interfaces->pdata[i])->plugin == plugin)
      g_ptr_array_remove_index(interfaces, i);

  /* Its calls end: nobody will answer them. Ending one may start the next of that connection, but no longer at this plugin. */
  for (guint i = 0; i < calls->len;) {
    AditCall *call = (AditCall *)calls->pdata[i];
    if (call->plugin == plugin) {
      control_error(call, "io.adit.PluginGone", "the plugin that would have answered was stopped");
      i = 0;
    } else {
      i++;
    }
  }
}

void adit_control_fini(void) {
  if (!interfaces)
    return;
  adit_control_stop();
  adit_control_core_fini();
  while (calls->len)
    call_free((AditCall *)calls->pdata[0]);
  g_clear_pointer(&calls, g_ptr_array_unref);
  g_clear_pointer(&interfaces, g_ptr_array_unref);
}
