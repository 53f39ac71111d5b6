/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/control/varlink.h"
#include "core/base/loop.h"
#include "core/control/call.h"
#include "core/control/json.h"
#include "core/control/parameters.h"
#include "core/control/turns.h"

struct AditConn {
  AditAccess access;
  gboolean bad;
  GByteArray *input;
  gsize searched; /* octets of input without a NUL */
  GByteArray *output;
  gsize sent;     /* octets of output that are gone */
  AditCall *call; /* that is not answered yet */
  guint64 messages;
  AditTurn turn; /* of messages that wait */
  void (*wake)(gpointer data);
  gpointer data;
};

AditControlStats adit_control_stats;

static const char *refused_read, *refused_change;

void adit_conn_set_refusals(const char *read, const char *change) {
  refused_read = read;
  refused_change = change;
}

static gsize count_unread(const AditConn *conn) {
  return conn->output->len - conn->sent;
}

static void conn_fail(AditConn *conn) {
  conn->bad = TRUE;
  conn->wake(conn->data);
}

/* Octets of the message that the input begins with, without its NUL; -1: it is not whole. */
static gssize message_length(AditConn *conn) {
  const guint8 *data = conn->input->data;
  gsize length = conn->input->len;
  const guint8 *end = length > conn->searched ? (const guint8 *)memchr(data + conn->searched, 0, length - conn->searched) : NULL;

  conn->searched = end ? (gsize)(end - data) : length;
  return end ? end - data : -1;
}

/* ---- output ---- */

static gsize reply_max(const AditConn *conn) {
  return conn->access == ADIT_ACCESS_CHANGE ? ADIT_VARLINK_REPLY_MAX : ADIT_VARLINK_OTHERS_MAX;
}

/* Puts one message into the output. */
static gboolean conn_put(gpointer peer, const GString *text, gboolean streamed) {
  AditConn *conn = (AditConn *)peer;
  gsize waiting = count_unread(conn);
  static AditRateLimit lines;

  if (conn->bad)
    return FALSE;
  if (waiting + text->len > reply_max(conn) + ADIT_VARLINK_STREAM_MAX || (streamed && waiting > ADIT_VARLINK_STREAM_MAX)) {
    adit_control_stats.slow++;
    if (adit_rate_allows(&lines, adit_loop_service()->now(), 10, 60000, NULL))
      adit_info(NULL, "control: client dropped: it does not read its replies");
    conn_fail(conn);
    return FALSE;
  }
  g_byte_array_append(conn->output, (const guint8 *)text->str, (guint)text->len + 1);
  conn->wake(conn->data);
  return TRUE;
}

static void put_error(AditConn *conn, const char *name, const AditValue *parameters) {
  GString *text = adit_call_error_text(name, parameters);
  conn_put(conn, text, FALSE);
  g_string_free(text, TRUE);
}

/* ---- calls ---- */

/* The next message gets its turn, once the answer before it is read. */
static void request_turn(AditConn *conn) {
  if (conn->call || conn->bad || count_unread(conn) > ADIT_VARLINK_STREAM_MAX)
    return;
  if (message_length(conn) >= 0)
    adit_turn_request(&conn->turn);
  else if (conn->input->len >= ADIT_VARLINK_MESSAGE_MAX)
    conn_fail(conn);
}

static gboolean conn_has_room(gpointer peer) {
  return count_unread((AditConn *)peer) < ADIT_VARLINK_ROWS_MAX;
}

static void conn_call_ended(gpointer peer) {
  AditConn *conn = (AditConn *)peer;
  conn->call = NULL;
  request_turn(conn);
  conn->wake(conn->data);
}

static const AditCallerOps caller_ops = {.put = conn_put, .has_room = conn_has_room, .ended = conn_call_ended};

static void refuse_message(AditConn *conn, gboolean oneway, const char *error, const char *key, const char *value, const char *text) {
  g_autoptr(AditValue) parameters = adit_value_map();

  adit_control_stats.refused++;
  if (key)
    adit_value_set(parameters, key, adit_value_string(value));
  adit_value_set(parameters, "text", adit_value_string(text));
  if (!oneway)
    put_error(conn, error, parameters);
}

static AditAccess access_needed(const AditMethod *method) {
  return method->changes ? ADIT_ACCESS_CHANGE : method->flags & ADIT_METHOD_PUBLIC ? ADIT_ACCESS_PUBLIC : ADIT_ACCESS_READ;
}

static const char *refusal_text(AditAccess needed) {
  if (needed == ADIT_ACCESS_CHANGE)
    return refused_change ? refused_change : "needs root, the daemon's user or the management group";
  return refused_read ? refused_read : "needs root, the daemon's user or the management group, unless management.read is all";
}

static void dispatch_message(AditConn *conn, const AditValue *message) {
  const char *name = adit_value_get_string(message, "method", NULL);
  gboolean oneway = adit_value_get_bool(message, "oneway", FALSE);
  const AditInterface *interface = NULL;
  const AditMethod *method = adit_registry_find(name, &interface);
  g_autoptr(AditValue) none = adit_value_map();
  const AditValue *parameters = adit_value_get(message, "parameters");
  g_autoptr(AditValue) checked = NULL;
  g_autofree char *why = NULL;
  const char *which = NULL;

  if (!interface) {
    refuse_message(conn, oneway, "org.varlink.service.InterfaceNotFound", "interface", name, "no such interface");
  } else if (!method) {
    refuse_message(conn, oneway, "org.varlink.service.MethodNotFound", "method", name, "no such method");
  } else if (access_needed(method) > conn->access) {
    refuse_message(conn, oneway, "org.varlink.service.PermissionDenied", NULL, NULL, refusal_text(access_needed(method)));
  } else if (parameters && parameters->type != ADIT_VALUE_MAP) {
    refuse_message(conn, oneway, "org.varlink.service.InvalidParameter", "parameter", "parameters", "parameters must be an object");
  } else if (!(checked = adit_parameters_check(interface->idl, adit_idl_method(interface->idl, method->name),
                                               parameters ? parameters : none, &which, &why))) {
    refuse_message(conn, oneway, "org.varlink.service.InvalidParameter", "parameter", which, why);
  } else {
    AditCaller caller = {.ops = &caller_ops,
                         .peer = conn,
                         .more = !oneway && adit_value_get_bool(message, "more", FALSE),
                         .oneway = oneway,
                         .whole_max = reply_max(conn)};
    conn->call = adit_call_new(interface, method, &caller);
    adit_control_stats.calls++;
    adit_call_run(conn->call, method, interface->state, checked);
  }
}

static void handle_message(AditConn *conn, const char *text, gsize length) {
  g_autoptr(GError) error = NULL;
  g_autoptr(AditValue) message = adit_json_read(text, length, &error);

  if (!message || !adit_value_get_string(message, "method", NULL)) {
    adit_control_stats.refused++;
    adit_debug(NULL, "control: not a call: %s", error ? error->message : "no method");
    conn_fail(conn);
    return;
  }
  dispatch_message(conn, message);
}

/* One turn: one message. */
static gboolean conn_work(gpointer data, gint64 deadline_us) {
  AditConn *conn = (AditConn *)data;
  gssize length = message_length(conn);

  if (conn->bad || conn->call || length < 0)
    return FALSE;
  g_autofree char *text = (char *)g_memdup2(conn->input->data, (gsize)length + 1);
  g_byte_array_remove_range(conn->input, 0, (guint)length + 1);
  conn->searched = 0;
  conn->messages++;
  handle_message(conn, text, (gsize)length);
  request_turn(conn);
  conn->wake(conn->data); /* the buffer can take input again */
  return FALSE;
}

/* ---- connections ---- */

AditConn *adit_conn_new(AditAccess access, void (*wake)(gpointer data), gpointer data) {
  AditConn *conn = g_new0(AditConn, 1);
  conn->access = access;
  conn->input = g_byte_array_new();
  conn->output = g_byte_array_new();
  conn->turn = (AditTurn){.work = conn_work, .data = conn};
  conn->wake = wake;
  conn->data = data;
  return conn;
}

void adit_conn_free(AditConn *conn) {
  adit_turn_cancel(&conn->turn);
  if (conn->call)
    adit_call_caller_gone(conn->call);
  g_byte_array_unref(conn->input);
  g_byte_array_unref(conn->output);
  g_free(conn);
}

gsize adit_conn_room(const AditConn *conn) {
  return conn->input->len < ADIT_VARLINK_MESSAGE_MAX ? ADIT_VARLINK_MESSAGE_MAX - conn->input->len : 0;
}

gboolean adit_conn_feed(AditConn *conn, const guint8 *data, gsize length) {
  if (conn->bad || length > adit_conn_room(conn)) {
    conn->bad = TRUE;
    return FALSE;
  }
  g_byte_array_append(conn->input, data, (guint)length);
  request_turn(conn);
  return !conn->bad;
}

const guint8 *adit_conn_output(const AditConn *conn, gsize *length) {
  *length = count_unread(conn);
  return *length ? conn->output->data + conn->sent : NULL;
}

void adit_conn_sent(AditConn *conn, gsize length) {
  conn->sent += length;
  if (!count_unread(conn) && conn->output->len > ADIT_VARLINK_ROWS_MAX) { /* a large reply's memory goes back */
    g_byte_array_unref(conn->output);
    conn->output = g_byte_array_new();
    conn->sent = 0;
  } else if (conn->sent >= count_unread(conn)) { /* half of it is gone: moving the rest costs no more than sending it did */
    g_byte_array_remove_range(conn->output, 0, (guint)conn->sent);
    conn->sent = 0;
  }
  if (conn->call && count_unread(conn) < ADIT_VARLINK_ROWS_MAX)
    adit_call_has_room(conn->call);
  request_turn(conn);
}

gboolean adit_conn_is_busy(const AditConn *conn) {
  return conn->call || count_unread(conn) || conn->turn.queued;
}

gboolean adit_conn_is_bad(const AditConn *conn) {
  return conn->bad;
}

gboolean adit_conn_is_halfway(const AditConn *conn) {
  return conn->input->len && !conn->turn.queued;
}

guint64 adit_conn_messages(const AditConn *conn) {
  return conn->messages;
}
