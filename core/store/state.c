/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "config.h"

#include "core/store/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
  int lock;
  char token[ADIT_STATE_TOKEN + 1];
} self = {.lock = -1};

static gboolean set_state_error(GError **error, const char *path, const char *why) {
  g_set_error(error, ADIT_ERROR, ADIT_ERR_SYSTEM, "%s: %s", path, why);
  return FALSE;
}

/* A regular file with one name: never what a link in the directory points at. */
static int open_own(int dir, const char *name, int flags) {
  struct stat st;
  int fd = openat(dir, name, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
  if (fd < 0)
    return -1;
  if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1)
    return fd;
  close(fd);
  errno = EINVAL;
  return -1;
}

/* ---- the lock ---- */

static gboolean is_locked(GError **error, const char *dir, int fd) {
  char text[16] = "";
  if (pread(fd, text, sizeof text - 1, 0) < 0)
    text[0] = 0;
  g_set_error(error, ADIT_ERROR, ADIT_ERR_EXISTS,
              "%s: another aditd (process %s) uses this state directory: give each its own --state-dir, --socket and `interface-group`",
              dir, *g_strstrip(text) ? text : "unknown");
  return FALSE;
}

static gboolean take_lock(const char *dir, int dir_fd, GError **error) {
  g_autofree char *path = g_build_filename(dir, "lock", NULL), *text = g_strdup_printf("%d\n", (int)getpid());
  int fd = open_own(dir_fd, "lock", O_RDWR | O_CREAT);

  if (fd < 0)
    return set_state_error(error, path, g_strerror(errno));
  if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
    gboolean held = errno == EWOULDBLOCK;
    if (held)
      is_locked(error, dir, fd);
    else
      set_state_error(error, path, g_strerror(errno));
    close(fd);
    return FALSE;
  }
  if (ftruncate(fd, 0) < 0 || pwrite(fd, text, strlen(text), 0) != (ssize_t)strlen(text)) {
    set_state_error(error, path, g_strerror(errno));
    close(fd);
    return FALSE;
  }
  self.lock = fd;
  return TRUE;
}

/* ---- the token ---- */

static gboolean is_token(const char *text) {
  return strlen(text) == ADIT_STATE_TOKEN && strspn(text, "0123456789abcdef") == ADIT_STATE_TOKEN;
}

static void make_token(char token[ADIT_STATE_TOKEN + 1]) {
  guint8 octet[ADIT_STATE_TOKEN / 2];
  if (getrandom(octet, sizeof octet, 0) != sizeof octet)
    g_error("no random numbers: %s", g_strerror(errno));
  for (guint i = 0; i < sizeof octet; i++)
    g_snprintf(token + 2 * i, 3, "%02x", octet[i]);
}

/* Through another name: a crash leaves either the whole token or none. */
static gboolean write_token(int dir_fd, const char *path, GError **error) {
  char line[ADIT_STATE_TOKEN + 2];

  unlinkat(dir_fd, "token.new", 0);
  int fd = open_own(dir_fd, "token.new", O_WRONLY | O_CREAT | O_EXCL);
  if (fd < 0)
    return set_state_error(error, path, g_strerror(errno));
  g_snprintf(line, sizeof line, "%s\n", self.token);
  gboolean ok = write(fd, line, strlen(line)) == (ssize_t)strlen(line) && fsync(fd) == 0;
  int why = errno;
  close(fd);
  if (ok && renameat(dir_fd, "token.new", dir_fd, "token") == 0)
    return TRUE;
  why = ok ? errno : why;
  unlinkat(dir_fd, "token.new", 0);
  return set_state_error(error, path, g_strerror(why));
}

static gboolean read_token(const char *dir, int dir_fd, GError **error) {
  g_autofree char *path = g_build_filename(dir, "token", NULL);
  char text[ADIT_STATE_TOKEN + 8] = "";
  int fd = open_own(dir_fd, "token", O_RDONLY);

  if (fd < 0 && errno != ENOENT)
    return set_state_error(error, path, g_strerror(errno));
  if (fd >= 0) {
    if (read(fd, text, sizeof text - 1) < 0)
      text[0] = 0;
    close(fd);
    if (is_token(g_strstrip(text))) {
      g_strlcpy(self.token, text, sizeof self.token);
      return TRUE;
    }
  }
  make_token(self.token);
  return write_token(dir_fd, path, error);
}

/* ---- the directory ---- */

static int open_dir(const char *dir, GError **error) {
  int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    set_state_error(error, dir, g_strerror(errno));
  return fd;
}

gboolean adit_state_open(const char *dir, GError **error) {
  g_return_val_if_fail(self.lock < 0, FALSE);
  if (g_mkdir_with_parents(dir, 0700) < 0)
    return set_state_error(error, dir, g_strerror(errno));
  int fd = open_dir(dir, error);
  if (fd < 0)
    return FALSE;
  gboolean ok = take_lock(dir, fd, error) && read_token(dir, fd, error);
  close(fd);
  if (!ok)
    adit_state_close();
  return ok;
}

void adit_state_assume(const char *dir) {
  g_autofree char *whole = g_canonicalize_filename(dir, NULL);
  g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, whole, -1);
  g_strlcpy(self.token, sum, sizeof self.token);
}

gboolean adit_state_look(const char *dir, GError **error) {
  g_autofree char *at = g_strdup(dir);

  /* A missing folder is created in the nearest one that exists. */
  while (access(at, F_OK) < 0 && errno == ENOENT && !g_str_equal(at, "/") && !g_str_equal(at, ".")) {
    char *parent = g_path_get_dirname(at);
    g_free(at);
    at = parent;
  }
  if (access(at, W_OK | X_OK) < 0)
    return set_state_error(error, at, g_strerror(errno));
  int fd = open(at, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return set_state_error(error, at, g_strerror(errno));
  if (g_str_equal(at, dir)) {
    char text[ADIT_STATE_TOKEN + 8] = "";
    int file = open_own(fd, "token", O_RDONLY);
    if (file >= 0) {
      if (read(file, text, sizeof text - 1) > 0 && is_token(g_strstrip(text)))
        g_strlcpy(self.token, text, sizeof self.token);
      close(file);
    }
  }
  close(fd);
  return TRUE;
}

gboolean adit_state_is_held(void) {
  return self.lock >= 0;
}

const char *adit_state_token(void) {
  return self.token;
}

gboolean adit_state_give(const char *dir, uid_t uid, gid_t gid, GError **error) {
  static const char *const files[] = {"lock", "token", "adit.db", "adit.db-wal", "adit.db-shm"};
  int fd = open_dir(dir, error);

  if (fd < 0)
    return FALSE;
  gboolean ok = fchown(fd, uid, gid) == 0;
  for (gsize i = 0; ok && i < G_N_ELEMENTS(files); i++) {
    int file = open_own(fd, files[i], O_RDONLY);
    if (file < 0 && errno == ENOENT)
      continue;
    ok = file >= 0 && fchown(file, uid, gid) == 0;
    if (file >= 0)
      close(file);
  }
  if (!ok)
    g_set_error(error, ADIT_ERROR, ADIT_ERR_SYSTEM, "%s: can't change its owner to the user that aditd runs as: %s", dir,
                g_strerror(errno));
  close(fd);
  return ok;
}

void adit_state_close(void) {
  if (self.lock >= 0)
    close(self.lock);
  self.lock = -1;
}
