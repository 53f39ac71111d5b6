/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The socket: connections and their permissions, shares and time limits, octets to and from varlink.c. */
#include "config.h"
#include "core/base/clock.h"
#include "core/base/loop.h"
#include "core/base/wheel.h"
#include "core/control/varlink.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX   64    /* of all; beyond it the user with the most connections loses one */
#define CONNECTIONS_USER  8     /* of one user with permission to read */
#define CONNECTIONS_ADMIN 24    /* of one member of the group; root and the daemon's user have no share but all */
#define GROUPS_MAX        65536 /* of one user: NGROUPS_MAX of the kernel */
#define STALL_MS          10000 /* a peer that reads less than STALL_OCTETS in it, while there is something to read, is dropped */
#define STALL_OCTETS      4096
#define WRITE_MAX         (256 * 1024) /* octets in one pass and connection */
#define HALFWAY_MS        10000        /* for the rest of a message that has begun */
#define FIRST_MS          30000        /* for the first message */
#define IDLE_MS           60000        /* between two calls */
#define IDLE_ADMIN_MS     600000       /* the same for users with permission to change */

typedef enum {
  WAITS_FOR_FIRST, /* for the peer's first message */
  WAITS_FOR_NEXT,
  WAITS_FOR_REST, /* of a message */
  WAITS_FOR_READER,
  WAITS_FOR_CALL, /* for ourselves: no limit but the call's */
} Waiting;

typedef struct {
  GSource source; /* head */
  AditConn *conn;
  int fd;
  gpointer tag;
  uid_t uid;
  gboolean is_root; /* or the daemon's own user */
  AditAccess access;
  gboolean eof;
  guint64 used_ms; /* last read or written */
  Waiting waiting; /* for what the timer runs */
  guint64 mark;    /* messages or octets sent, when it was armed */
  guint64 octets_sent;
  AditTimer patience;
} Client;

static struct {
  int fd;
  AditWatch *watch;
  GPtrArray *clients; /* of Client*, a reference each */
  gid_t admin_group;
  gboolean has_group, read_all;
  char *refused_read, *refused_change;
  AditRateLimit lines;
  guint divisor; /* of all limits of time; tests are impatient */
} self = {.fd = -1, .divisor = 1};

/* ---- permissions ---- */

static gboolean in_group(int fd, const struct ucred *peer) {
  if (!self.has_group)
    return FALSE;
  if (peer->gid == self.admin_group)
    return TRUE;
#ifdef SO_PEERGROUPS
  socklen_t size = GROUPS_MAX * sizeof(gid_t);
  g_autofree gid_t *groups = g_new(gid_t, GROUPS_MAX);
  if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) == 0)
    for (guint i = 0; i < size / sizeof *groups; i++)
      if (groups[i] == self.admin_group)
        return TRUE;
#endif
  return FALSE;
}

/* The permissions of the peer, by its credentials when it connected. */
static AditAccess access_of(Client *client) {
  struct ucred peer;
  socklen_t size = sizeof peer;

  client->uid = (uid_t)-1;
  if (getsockopt(client->fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
    return ADIT_ACCESS_PUBLIC;
  client->uid = peer.uid;
  client->is_root = peer.uid == 0 || peer.uid == geteuid();
  if (client->is_root || in_group(client->fd, &peer))
    return ADIT_ACCESS_CHANGE;
  return self.read_all ? ADIT_ACCESS_READ : ADIT_ACCESS_PUBLIC;
}

/* ---- one connection ---- */

static void client_close(Client *client) {
  if (!client->conn)
    return;
  adit_timer_cancel(&client->patience);
  adit_conn_free(g_steal_pointer(&client->conn));
  close(client->fd);
  adit_control_stats.connections--;
  g_source_destroy(&client->source);
  g_ptr_array_remove_fast(self.clients, client);
}

static void patience_over(AditTimer *timer, gpointer data) {
  Client *client = (Client *)data;
  if (client->waiting == WAITS_FOR_READER)
    adit_control_stats.slow++;
  else
    adit_control_stats.idle++;
  client_close(client);
}

static Waiting waiting_now(const Client *client) {
  gsize length;

  if (adit_conn_output(client->conn, &length))
    return WAITS_FOR_READER;
  if (adit_conn_is_busy(client->conn))
    return WAITS_FOR_CALL;
  if (adit_conn_is_halfway(client->conn))
    return WAITS_FOR_REST;
  return adit_conn_messages(client->conn) ? WAITS_FOR_NEXT : WAITS_FOR_FIRST;
}

/* Arms the timer for what the connection waits for now, if that is something else than before or the peer has made progress. */
static void set_patience(Client *client) {
  static const guint limit_ms[] = {FIRST_MS, IDLE_MS, HALFWAY_MS, STALL_MS, 0};
  Waiting waiting = waiting_now(client);
  guint64 mark = waiting == WAITS_FOR_READER ? client->octets_sent / STALL_OCTETS : adit_conn_messages(client->conn);
  guint64 limit = waiting == WAITS_FOR_NEXT && client->access == ADIT_ACCESS_CHANGE ? IDLE_ADMIN_MS : limit_ms[waiting];

  if (waiting == client->waiting && mark == client->mark && adit_timer_is_armed(&client->patience))
    return;
  client->waiting = waiting;
  client->mark = mark;
  if (limit)
    adit_timer_arm(&client->patience, limit / self.divisor);
  else
    adit_timer_cancel(&client->patience);
}

void adit_control_set_patience(guint divisor) {
  self.divisor = divisor;
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
  if (got > 0) {
    client->used_ms = adit_now_ms();
    return adit_conn_feed(client->conn, buffer, (gsize)got);
  }
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
  gssize put = send(client->fd, data, MIN(length, WRITE_MAX), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (put < 0)
    return errno == EAGAIN || errno == EINTR;
  client->used_ms = adit_now_ms();
  client->octets_sent += (guint64)put;
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
  if (adit_conn_output(client->conn, &waiting))
    wanted |= G_IO_OUT;
  set_patience(client);
  g_source_modify_unix_fd(source, client->tag, wanted | G_IO_HUP | G_IO_ERR);
  return G_SOURCE_CONTINUE;
}

/* ---- shares ---- */

static guint connections_of(uid_t uid) {
  guint count = 0;
  for (guint i = 0; i < self.clients->len; i++)
    count += ((const Client *)self.clients->pdata[i])->uid == uid;
  return count;
}

static gboolean is_idle(const Client *client) {
  return !adit_conn_is_busy(client->conn);
}

/* The connection of `uid` that was used least recently: an idle one, or with `busy_too` any if none is idle. */
static Client *least_recent(uid_t uid, gboolean busy_too) {
  Client *found = NULL;

  for (guint i = 0; i < self.clients->len; i++) {
    Client *client = (Client *)self.clients->pdata[i];
    if (client->uid != uid || (!busy_too && !is_idle(client)))
      continue;
    if (!found || is_idle(client) > is_idle(found) || (is_idle(client) == is_idle(found) && client->used_ms < found->used_ms))
      found = client;
  }
  return found;
}

/* The user with the most connections; others than root before root. */
static uid_t find_greediest(void) {
  const Client *found = NULL;
  guint most = 0;

  for (guint i = 0; i < self.clients->len; i++) {
    const Client *client = (const Client *)self.clients->pdata[i];
    guint count = connections_of(client->uid);
    if (!found || client->is_root < found->is_root || (client->is_root == found->is_root && count > most)) {
      found = client;
      most = count;
    }
  }
  return found->uid;
}

static void displace_client(Client *client) {
  adit_control_stats.displaced++;
  client_close(client);
}

/* Makes a place for a new connection, at the cost of its user's share first. FALSE: there is none. */
static gboolean make_place(const Client *newcomer) {
  guint own = connections_of(newcomer->uid), share = newcomer->access == ADIT_ACCESS_CHANGE ? CONNECTIONS_ADMIN : CONNECTIONS_USER;

  if (!newcomer->is_root && own >= share) {
    Client *oldest = least_recent(newcomer->uid, FALSE);
    if (!oldest)
      return FALSE;
    displace_client(oldest);
    return TRUE;
  }
  if (self.clients->len < CONNECTIONS_MAX)
    return TRUE;
  uid_t uid = find_greediest();
  if (!newcomer->is_root && connections_of(uid) <= own + 1)
    return FALSE;
  displace_client(least_recent(uid, TRUE));
  return TRUE;
}

static void send_away(const Client *newcomer) {
  static const char text[] =
      "{\"error\":\"io.adit.TooManyConnections\",\"parameters\":{\"text\":\"too many connections of this user, or of all: close one\"}}";

  adit_control_stats.refused++;
  if (adit_rate_allows(&self.lines, adit_now_ms(), 5, 60000, NULL))
    adit_info(NULL, "control: user %u has too many connections: new connection refused", newcomer->uid);
  if (send(newcomer->fd, text, sizeof text, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
    adit_debug(NULL, "control: the refusal could not be sent: %s", g_strerror(errno));
  close(newcomer->fd);
}

static void client_new(int fd) {
  static GSourceFuncs funcs = {.dispatch = client_dispatch};
  Client who = {.fd = fd};

  who.access = access_of(&who);
  if (!make_place(&who)) {
    send_away(&who);
    return;
  }
  Client *client = (Client *)g_source_new(&funcs, sizeof(Client));
  client->fd = fd;
  client->uid = who.uid;
  client->is_root = who.is_root;
  client->access = who.access;
  client->used_ms = adit_now_ms();
  client->conn = adit_conn_new(client->access, client_wake, client);
  client->tag = g_source_add_unix_fd(&client->source, fd, G_IO_IN | G_IO_HUP | G_IO_ERR);
  client->patience = (AditTimer){.func = patience_over, .data = client};
  g_source_attach(&client->source, NULL);
  g_ptr_array_add(self.clients, client);
  adit_control_stats.connections++;
  adit_control_stats.accepted++;
  set_patience(client);
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

/* The message to callers without permission: what is needed, and how to get it. */
static void make_refusals(const char *name) {
  g_autofree char *join = NULL;

  if (self.has_group)
    join = g_strdup_printf("root, the daemon's user or the group %s: join it with `usermod -aG %s USER` and log in again", name, name);
  else if (name)
    join = g_strdup_printf(
        "root or the daemon's user; for others make the group: `groupadd --system %s`, `usermod -aG %s USER`, log in again, "
        "restart aditd",
        name, name);
  else
    join = g_strdup("root or the daemon's user: no `management.group` is configured");
  self.refused_change = g_strdup_printf("changing anything needs %s", join);
  self.refused_read = g_strdup_printf("reading this needs %s; `management.read: all` in the configuration opens it to everybody", join);
  adit_conn_set_refusals(self.refused_read, self.refused_change);
}

static void find_group(const char *name) {
  const struct group *group = name ? getgrnam(name) : NULL;
  self.has_group = group != NULL;
  self.admin_group = group ? group->gr_gid : 0;
  if (name && !group)
    adit_info(NULL, "control: no group \"%s\": changes need root%s", name, self.read_all ? "" : ", and so does reading");
}

gboolean adit_control_start(const char *socket_path, const char *admin_group, gboolean read_all, GError **error) {
  g_return_val_if_fail(self.fd < 0, FALSE);
  if (adit_control_bound(socket_path) < 0 && !adit_control_bind(socket_path, error))
    return FALSE;
  int fd = adit_control_bound(socket_path);
  if (listen(fd, 32) < 0) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_SYSTEM, "management socket %s: %s", socket_path, g_strerror(errno));
    adit_control_unbind();
    return FALSE;
  }
  self.fd = fd;
  self.clients = g_ptr_array_new_with_free_func((GDestroyNotify)g_source_unref);
  self.read_all = read_all;
  find_group(admin_group);
  make_refusals(admin_group);
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
  adit_control_unbind();
  adit_conn_set_refusals(NULL, NULL);
  g_clear_pointer(&self.refused_read, g_free);
  g_clear_pointer(&self.refused_change, g_free);
  self.fd = -1;
  self.divisor = 1;
}
