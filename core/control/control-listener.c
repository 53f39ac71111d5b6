/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* The socket file: made while the daemon may still write where it lies, listened to once all is ready. */
#include "config.h"
#include "core/control/control.h"
#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static struct {
  int fd;
  char *path;
  gboolean made; /* the folder, too */
} self = {.fd = -1};

static gboolean set_path_error(GError **error, AditErrorCode code, const char *path, const char *why) {
  g_set_error(error, ADIT_ERROR, code, "management socket %s: %s", path, why);
  return FALSE;
}

/* A socket file without a listener is left over from a daemon that died. */
static gboolean remove_stale(const struct sockaddr_un *address, GError **error) {
  struct stat st;

  if (lstat(address->sun_path, &st) < 0)
    return errno == ENOENT ? TRUE : set_path_error(error, ADIT_ERR_SYSTEM, address->sun_path, g_strerror(errno));
  if (!S_ISSOCK(st.st_mode))
    return set_path_error(error, ADIT_ERR_EXISTS, address->sun_path, "is there, and is no socket");
  if (adit_control_answers(address->sun_path))
    return set_path_error(error, ADIT_ERR_EXISTS, address->sun_path,
                          "another aditd answers there: set --socket or `management.socket` to another path");
  return unlink(address->sun_path) == 0 || set_path_error(error, ADIT_ERR_SYSTEM, address->sun_path, g_strerror(errno));
}

gboolean adit_control_answers(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path)
    return FALSE;
  strcpy(address.sun_path, path);
  int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  gboolean answers = connect(probe, (const struct sockaddr *)&address, sizeof address) == 0 || errno == EAGAIN;
  close(probe);
  return answers;
}

/* All users may connect. The mode comes with the name, so that no other file of that name is changed. */
static int bind_for_all(int fd, const struct sockaddr_un *address) {
  mode_t before = umask(0111);
  int result = bind(fd, (const struct sockaddr *)address, sizeof *address);
  int why = errno;
  umask(before);
  errno = why;
  return result;
}

gboolean adit_control_bind(const char *path, GError **error) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  g_autofree char *folder = g_path_get_dirname(path);

  g_return_val_if_fail(self.fd < 0, FALSE);
  if (strlen(path) >= sizeof address.sun_path)
    return set_path_error(error, ADIT_ERR_INVALID, path, "path is too long");
  strcpy(address.sun_path, path);
  self.made = !g_file_test(folder, G_FILE_TEST_EXISTS);
  if (g_mkdir_with_parents(folder, 0755) < 0)
    return set_path_error(error, ADIT_ERR_SYSTEM, path, g_strerror(errno));
  if (!remove_stale(&address, error))
    return FALSE;

  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0 || bind_for_all(fd, &address) < 0) {
    int why = errno;
    if (fd >= 0)
      close(fd);
    return set_path_error(error, ADIT_ERR_SYSTEM, path, g_strerror(why));
  }
  self.fd = fd;
  self.path = g_strdup(path);
  return TRUE;
}

void adit_control_give(uid_t uid, gid_t gid) {
  g_autofree char *folder = self.path ? g_path_get_dirname(self.path) : NULL;
  if (folder && self.made && lchown(folder, uid, gid) < 0) /* else the file stays behind at the end: the next start replaces it */
    adit_debug(NULL, "%s: %s", folder, g_strerror(errno));
}

int adit_control_bound(const char *path) {
  return self.path && g_str_equal(self.path, path) ? self.fd : -1;
}

void adit_control_unbind(void) {
  if (self.fd < 0)
    return;
  close(self.fd);
  unlink(self.path);
  g_clear_pointer(&self.path, g_free);
  self.fd = -1;
}
