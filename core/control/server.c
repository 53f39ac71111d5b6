/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The socket: who connects, what they may, and octets to and from varlink.c. */
#include "config.h"
#include "core/base/loop.h"
#include "core/control/varlink.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define CONNECTIONS_MAX    64    /* of all */
#define CONNECTIONS_OTHERS 48    /* of those who may only look: the administrator always gets in */
#define STALL_MS           10000 /* a peer that reads nothing for so long, while there is something to read, is dropped */

typedef struct {
  GSource source; /* head */
  AditConn *conn;
  int fd;
  gpointer tag;
  gboolean may_change, eof;
  AditTimer stall;
} Client;

static struct {
  int fd;
  char *path;
  AditWatch *watch;
  GPtrArray *clients; /* of Client*, a reference each */
  gid_t admin_group;
  gboolean has_group;
} self = {.fd = -1};

/* ---- who may ---- */

static gboolean in_group(int fd, const struct ucred *peer) {
  gid_t groups[256];
  socklen_t size = sizeof groups;

  if (!self.has_group)
    return FALSE;
  if (peer->gid == self.admin_group)
    return TRUE;
#ifdef SO_PEERGROUPS
  if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) == 0)
    for (guint i = 0; i < size / sizeof *groups; i++)
      if (groups[i] == self.admin_group)
        return TRUE;
#endif
  return FALSE;
}

static gboolean may_change(int fd) {
  struct ucred peer;
  socklen_t size = sizeof peer;

  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
    return FALSE;
  return peer.uid == 0 || peer.uid == geteuid() || in_group(fd, &peer);
}

/* ---- one connection ---- */

static void client_close(Client *client) {
  if (!client->conn)
    return;
  adit_timer_cancel(&client->stall);
  adit_conn_free(g_steal_pointer(&client->conn));
  close(client->fd);
  adit_control_stats.connections--;
  g_source_destroy(&client->source);
  g_ptr_array_remove_fast(self.clients, client);
}

static void client_stalled(AditTimer *timer, gpointer data) {
  adit_control_stats.slow++;
  client_close((Client *)data);
}

static void client_wake(gpointer data) {
  g_source_set_ready_time(&((Client *)data)->source, 0);
}

/* False when the connection is to be closed. */
static gboolean client_read(Client *client) {
  guint8 buffer[16384];
  gsize room = MIN(adit_conn_room(client->conn), sizeof buffer);

  if (!room)
    return TRUE;
  gssize got = recv(client->fd, buffer, room, MSG_DONTWAIT);
  if (got > 0)
    return adit_conn_feed(client->conn, buffer, (gsize)got);
  if (got == 0) { /* it may have closed its sending half alone, and wait for answers */
    client->eof = TRUE;
    return adit_conn_is_busy(client->conn);
  }
  return (errno == EAGAIN || errno == EINTR);
}

static gboolean client_write(Client *client) {
  gsize length;
  const guint8 *data = adit_conn_output(client->conn, &length);

  if (!data)
    return TRUE;
  gssize put = send(client->fd, data, length, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (put < 0)
    return errno == EAGAIN || errno == EINTR;
  adit_timer_cancel(&client->stall);
  adit_conn_sent(client->conn, (gsize)put);
  return !adit_conn_is_bad(client->conn);
}

static gboolean client_dispatch(GSource *source, GSourceFunc callback, gpointer data) {
  Client *client = (Client *)source;
  GIOCondition ready = g_source_query_unix_fd(source, client->tag);
  gsize waiting;

  g_source_set_ready_time(source, -1);
  gboolean ok = !adit_conn_is_bad(client->conn) && !(ready & (G_IO_ERR | G_IO_NVAL));
  if (ok && (ready & G_IO_IN))
    ok = client_read(client);
  if (ok)
    ok = client_write(client);
  if (!ok || ((ready & G_IO_HUP) && (client->eof || !(ready & G_IO_IN))) || (client->eof && !adit_conn_is_busy(client->conn))) {
    client_close(client);
    return G_SOURCE_REMOVE;
  }

  GIOCondition wanted = !client->eof && adit_conn_room(client->conn) ? G_IO_IN : 0;
  if (adit_conn_output(client->conn, &waiting)) {
    wanted |= G_IO_OUT;
    if (!client->stall.deadline)
      adit_timer_arm(&client->stall, STALL_MS);
  }
  g_source_modify_unix_fd(source, client->tag, wanted | G_IO_HUP | G_IO_ERR);
  return G_SOURCE_CONTINUE;
}

static void client_new(int fd) {
  static GSourceFuncs funcs = {.dispatch = client_dispatch};
  gboolean trusted = may_change(fd);

  if (adit_control_stats.connections >= (trusted ? CONNECTIONS_MAX : CONNECTIONS_OTHERS)) {
    close(fd);
    return;
  }
  Client *client = (Client *)g_source_new(&funcs, sizeof(Client));
  client->fd = fd;
  client->conn = adit_conn_new(trusted, client_wake, client);
  client->tag = g_source_add_unix_fd(&client->source, fd, G_IO_IN | G_IO_HUP | G_IO_ERR);
  client->stall = (AditTimer){.func = client_stalled, .data = client};
  g_source_attach(&client->source, NULL);
  g_ptr_array_add(self.clients, client);
  adit_control_stats.connections++;
  adit_control_stats.accepted++;
}

static gboolean accept_some(int fd, guint condition, gpointer data) {
  for (guint i = 0; i < 16; i++) {
    int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (peer < 0)
      break;
    client_new(peer);
  }
  return TRUE;
}

/* ---- the listening socket ---- */

static gboolean fail(GError **error, AditErrorCode code, const char *path, const char *why) {
  g_set_error(error, ADIT_ERROR, code, "management socket %s: %s", path, why);
  return FALSE;
}

/* A socket file that nobody listens on is left over from a daemon that died. */
static gboolean remove_stale(const struct sockaddr_un *address, GError **error) {
  struct stat st;

  if (lstat(address->sun_path, &st) < 0)
    return errno == ENOENT ? TRUE : fail(error, ADIT_ERR_SYSTEM, address->sun_path, g_strerror(errno));
  if (!S_ISSOCK(st.st_mode))
    return fail(error, ADIT_ERR_EXISTS, address->sun_path, "is there, and is no socket");
  int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  int answer = connect(probe, (const struct sockaddr *)address, sizeof *address);
  int why = errno;
  close(probe);
  if (answer == 0 || why == EAGAIN)
    return fail(error, ADIT_ERR_EXISTS, address->sun_path, "another aditd answers there: set --socket or `management.socket` to another path");
  return unlink(address->sun_path) == 0 || fail(error, ADIT_ERR_SYSTEM, address->sun_path, g_strerror(errno));
}

static void find_group(const char *name) {
  const struct group *group = name ? getgrnam(name) : NULL;
  self.has_group = group != NULL;
  self.admin_group = group ? group->gr_gid : 0;
  if (name && !group)
    adit_info(NULL, "control: no group \"%s\": changes need root", name);
}

gboolean adit_control_start(const char *socket_path, const char *admin_group, GError **error) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  g_autofree char *folder = g_path_get_dirname(socket_path);

  g_return_val_if_fail(self.fd < 0, FALSE);
  if (strlen(socket_path) >= sizeof address.sun_path)
    return fail(error, ADIT_ERR_INVALID, socket_path, "path is too long");
  strcpy(address.sun_path, socket_path);
  if (g_mkdir_with_parents(folder, 0755) < 0)
    return fail(error, ADIT_ERR_SYSTEM, socket_path, g_strerror(errno));
  if (!remove_stale(&address, error))
    return FALSE;

  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || chmod(socket_path, 0666) < 0 || listen(fd, 32) < 0) {
    int why = errno;
    if (fd >= 0)
      close(fd);
    return fail(error, ADIT_ERR_SYSTEM, socket_path, g_strerror(why));
  }
  self.fd = fd;
  self.path = g_strdup(socket_path);
  self.clients = g_ptr_array_new_with_free_func((GDestroyNotify)g_source_unref);
  find_group(admin_group);
  self.watch = adit_watch_add(NULL, fd, G_IO_IN, accept_some, NULL);
  return TRUE;
}

void adit_control_stop(void) {
  if (self.fd < 0)
    return;
  adit_watch_remove(g_steal_pointer(&self.watch));
  while (self.clients->len)
    client_close((Client *)self.clients->pdata[0]);
  g_clear_pointer(&self.clients, g_ptr_array_unref);
  close(self.fd);
  unlink(self.path);
  g_clear_pointer(&self.path, g_free);
  self.fd = -1;
}
