/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "config.h"

#include "core/net/lock.h"
#include "core/net/net.h"

#include <adit/log.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define NAME "adit/interface-group/" /* GROUP, and .N where a stranger has the first ones */

enum { NAMES_MAX = 8 };

static struct {
  int fd;
  char name[64];
} held = {.fd = -1};

/* An interface's group and the one it dies in are locked by one name. */
static void name_of(guint32 group, guint attempt, char name[64]) {
  guint32 number = group & ~(guint32)ADIT_NET_DYING_GROUP;
  if (attempt)
    g_snprintf(name, 64, NAME "%u.%u", number, attempt);
  else
    g_snprintf(name, 64, NAME "%u", number);
}

static socklen_t name_to_address(const char *name, struct sockaddr_un *address) {
  gsize length = strlen(name);
  memset(address, 0, sizeof *address);
  address->sun_family = AF_UNIX;
  memcpy(address->sun_path + 1, name, length); /* after a zero octet: abstract */
  return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length);
}

typedef enum { FREE, ADITD, STRANGER } Holder;

/* The process that listens on the name; the kernel keeps the credentials that it had when it began to. */
static Holder look_up(const char *name, uid_t user, struct ucred *peer) {
  struct sockaddr_un address;
  socklen_t length = name_to_address(name, &address), size = sizeof *peer;
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  Holder holder = STRANGER;

  memset(peer, 0, sizeof *peer);
  if (fd < 0)
    return FREE;
  if (connect(fd, (const struct sockaddr *)&address, length) == 0) {
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, peer, &size) == 0 && (peer->uid == 0 || peer->uid == user || peer->uid == geteuid()))
      holder = ADITD;
  } else if (errno == ECONNREFUSED) { /* it is free, or its holder does not listen */
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (probe >= 0 && bind(probe, (const struct sockaddr *)&address, length) == 0)
      holder = FREE;
    if (probe >= 0)
      close(probe);
  }
  close(fd);
  return holder;
}

static gboolean bind_name(const char *name) {
  struct sockaddr_un address;
  socklen_t length = name_to_address(name, &address);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

  if (fd >= 0 && bind(fd, (const struct sockaddr *)&address, length) == 0 && listen(fd, 8) == 0) {
    held.fd = fd;
    g_strlcpy(held.name, name, sizeof held.name);
    return TRUE;
  }
  if (fd >= 0)
    close(fd);
  return FALSE;
}

gboolean adit_net_lock(guint32 group, uid_t user, GError **error) {
  char name[64];
  struct ucred peer;

  g_return_val_if_fail(held.fd < 0, FALSE);
  for (guint i = 0; i < NAMES_MAX; i++) {
    name_of(group, i, name);
    if (bind_name(name))
      return TRUE;
    if (look_up(name, user, &peer) == ADITD) {
      g_set_error(
          error, ADIT_ERROR, ADIT_ERR_EXISTS,
          "another aditd (process %d) runs in this network namespace with interface-group %u: set `interface-group` in one of the two "
          "configurations to another number, and give each its own --state-dir and --socket",
          (int)peer.pid, group);
      return FALSE;
    }
    adit_warning(NULL, "the lock @%s is held by process %d of user %d, which is no aditd: taking another name", name, (int)peer.pid,
                 (int)peer.uid);
  }
  adit_warning(NULL, "cannot lock interface-group %u: a second aditd with this group would not be detected", group);
  return TRUE;
}

pid_t adit_net_lock_holder(guint32 group, uid_t user) {
  char name[64];
  struct ucred peer;

  for (guint i = 0; i < NAMES_MAX; i++) {
    name_of(group, i, name);
    Holder holder = look_up(name, user, &peer);
    if (holder == ADITD && !g_str_equal(name, held.name))
      return peer.pid;
    if (holder == FREE)
      break;
  }
  return 0;
}

gboolean adit_net_lock_others(uid_t user) {
  g_autofree char *text = NULL;
  struct ucred peer;

  if (!g_file_get_contents("/proc/net/unix", &text, NULL, NULL))
    return TRUE; /* unknown */
  for (const char *at = text; (at = strstr(at, "@" NAME)) != NULL;) {
    char name[64];
    gsize length = strcspn(++at, "\n");
    if (length >= sizeof name)
      continue;
    g_strlcpy(name, at, length + 1);
    if (!g_str_equal(name, held.name) && look_up(name, user, &peer) == ADITD)
      return TRUE;
  }
  return FALSE;
}

void adit_net_unlock(void) {
  if (held.fd >= 0)
    close(held.fd);
  held.fd = -1;
  held.name[0] = 0;
}
