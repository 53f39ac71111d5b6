/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/aditctl.h"
#include <errno.h>
#include <gio/gio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct Connection {
  int fd;
  GByteArray *input;
};

static GQuark get_domain(void) {
  return g_quark_from_static_string("aditctl");
}

static void set_connect_error(GError **error, const char *path, int why) {
  if (why == ENOENT)
    g_set_error(error, get_domain(), why,
                "no daemon: %s does not exist. Is aditd running (systemctl status adit)? Set another socket with --socket PATH.", path);
  else if (why == ECONNREFUSED)
    g_set_error(error, get_domain(), why, "no daemon: no reply on %s. aditd has crashed or was killed: see its log (journalctl -u adit).",
                path);
  else if (why == EACCES || why == EPERM)
    g_set_error(error, get_domain(), why,
                "%s: permission denied: try as root, or as a member of the group adit (usermod -aG adit USER, then log in again).", path);
  else
    g_set_error(error, get_domain(), why, "%s: %s", path, g_strerror(why));
}

Connection *ctl_connect(const char *path, GError **error) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};

  if (strlen(path) >= sizeof address.sun_path) {
    set_connect_error(error, path, ENAMETOOLONG);
    return NULL;
  }
  strcpy(address.sun_path, path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) < 0) {
    set_connect_error(error, path, errno);
    if (fd >= 0)
      close(fd);
    return NULL;
  }
  Connection *connection = g_new0(Connection, 1);
  connection->fd = fd;
  connection->input = g_byte_array_new();
  return connection;
}

void ctl_disconnect(Connection *connection) {
  if (!connection)
    return;
  close(connection->fd);
  g_byte_array_unref(connection->input);
  g_free(connection);
}

static gboolean send_all(int fd, const char *data, gsize length, GError **error) {
  while (length) {
    gssize put = send(fd, data, length, MSG_NOSIGNAL);
    if (put < 0 && errno == EINTR)
      continue;
    if (put < 0 && (errno == EPIPE || errno == ECONNRESET))
      return TRUE; /* refused at the door: the reason waits to be received */
    if (put < 0) {
      g_set_error(error, get_domain(), errno, "the daemon has closed the connection (%s)", g_strerror(errno));
      return FALSE;
    }
    data += put;
    length -= (gsize)put;
  }
  return TRUE;
}

gboolean ctl_send(Connection *connection, const char *method, JsonObject *parameters, gboolean more, GError **error) {
  g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);
  JsonObject *call = json_object_new();

  json_object_set_string_member(call, "method", method);
  if (parameters)
    json_object_set_object_member(call, "parameters", parameters);
  if (more)
    json_object_set_boolean_member(call, "more", TRUE);
  json_node_take_object(node, call);
  g_autofree char *text = json_to_string(node, FALSE);
  return send_all(connection->fd, text, strlen(text) + 1, error);
}

/* A whole message; NULL when the daemon is gone. */
static char *receive_text(Connection *connection, GError **error) {
  gsize seen = 0;

  for (;;) {
    const guint8 *start = connection->input->data;
    const guint8 *end = connection->input->len > seen ? (const guint8 *)memchr(start + seen, 0, connection->input->len - seen) : NULL;
    if (end) {
      char *text = g_strdup((const char *)start);
      g_byte_array_remove_range(connection->input, 0, (guint)(end - start) + 1);
      return text;
    }
    seen = connection->input->len;
    guint8 buffer[65536];
    gssize got = recv(connection->fd, buffer, sizeof buffer, 0);
    if (got > 0) {
      g_byte_array_append(connection->input, buffer, (guint)got);
    } else if (got == 0 || errno != EINTR) {
      g_set_error(error, get_domain(), ECONNRESET, "the daemon has closed the connection");
      return NULL;
    }
  }
}

/* The daemon's error, with its message if it has one. */
static void explain_error(JsonObject *reply, GError **error) {
  const char *name = json_object_get_string_member_with_default(reply, "error", "?");
  JsonNode *node = json_object_get_member(reply, "parameters");
  JsonObject *parameters = node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
  const char *text = parameters ? json_object_get_string_member_with_default(parameters, "text", NULL) : NULL;

  g_set_error(error, get_domain(), EPROTO, "%s", text ? text : name);
}

JsonObject *ctl_receive(Connection *connection, gboolean *continues, GError **error) {
  g_autoptr(JsonParser) parser = json_parser_new();
  g_autofree char *text = receive_text(connection, error);

  if (!text)
    return NULL;
  if (!json_parser_load_from_data(parser, text, -1, NULL) || !JSON_NODE_HOLDS_OBJECT(json_parser_get_root(parser))) {
    g_set_error(error, get_domain(), EPROTO, "the reply is not valid: does another program listen there?");
    return NULL;
  }
  JsonObject *reply = json_node_get_object(json_parser_get_root(parser));
  if (json_object_has_member(reply, "error")) {
    explain_error(reply, error);
    return NULL;
  }
  *continues = json_object_get_boolean_member_with_default(reply, "continues", FALSE);
  JsonNode *parameters = json_object_get_member(reply, "parameters");
  return parameters && JSON_NODE_HOLDS_OBJECT(parameters) ? json_object_ref(json_node_get_object(parameters)) : json_object_new();
}
