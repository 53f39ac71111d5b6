/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "config.h"

#include "core/base/helper.h"

#include <adit/log.h>
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ANSWER_S = 5 };

struct AditHelper {
  char name[16];
  int fd; /* the daemon's end; -1 = the child has ended */
  pid_t child;
  GMutex lock; /* one request at a time */
};

typedef union {
  struct cmsghdr head;
  char space[CMSG_SPACE(sizeof(int))];
} Control;

/* ---- the child ---- */

static void send_answer(int fd, int file, int error) {
  struct iovec iov = {&error, sizeof error};
  struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
  Control control = {0};

  if (file >= 0) {
    message.msg_control = &control;
    message.msg_controllen = sizeof control.space;
    control.head = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(&control.head), &file, sizeof file);
  }
  sendmsg(fd, &message, MSG_NOSIGNAL);
}

static void serve_one(int fd, const char *request, AditHelperOpen open_file) {
  errno = EACCES;
  int file = open_file(request);
  send_answer(fd, file, file >= 0 ? 0 : errno);
  if (file >= 0)
    close(file);
}

G_NORETURN static void serve_requests(int fd, const char *name, guint64 keep, AditHelperOpen open_file) {
  char request[ADIT_HELPER_REQUEST];
  AditUser user;

  prctl(PR_SET_NAME, name);
  signal(SIGINT, SIG_IGN); /* a terminal sends them to the whole group; a helper ends when the daemon ends */
  signal(SIGTERM, SIG_IGN);
  signal(SIGHUP, SIG_IGN);
  close_range(0, (unsigned)fd - 1, 0);
  close_range((unsigned)fd + 1, ~0U, 0);
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  if (recv(fd, &user, sizeof user, 0) != sizeof user || !adit_privileges_drop(&user, keep, NULL))
    _exit(1);
  adit_privileges_filter();
  send_answer(fd, -1, 0);
  for (;;) {
    gssize n = recv(fd, request, sizeof request - 1, 0);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      _exit(0);
    request[n] = 0;
    serve_one(fd, request, open_file);
  }
}

/* ---- the daemon ---- */

AditHelper *adit_helper_start(const char *name, guint64 keep, AditHelperOpen open_file) {
  const struct timeval patience = {ANSWER_S, 0};
  int pair[2];
  pid_t child;

  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
    adit_warning(NULL, "%s: %s", name, g_strerror(errno));
    return NULL;
  }
  child = fork();
  if (child == 0) {
    close(pair[0]);
    serve_requests(pair[1], name, keep, open_file);
  }
  close(pair[1]);
  if (child < 0) {
    adit_warning(NULL, "%s: %s", name, g_strerror(errno));
    close(pair[0]);
    return NULL;
  }
  AditHelper *helper = g_new0(AditHelper, 1);
  g_strlcpy(helper->name, name, sizeof helper->name);
  helper->fd = pair[0];
  helper->child = child;
  g_mutex_init(&helper->lock);
  setsockopt(helper->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  return helper;
}

/* The child's answer: 0 or an errno; a descriptor, if it sent one, goes to `*file`. EPIPE: it has ended, or hangs. */
static int receive_answer(const AditHelper *helper, int *file) {
  int error = EPIPE;
  struct iovec iov = {&error, sizeof error};
  Control control;
  struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control.space};
  gssize n;

  *file = -1;
  do
    n = recvmsg(helper->fd, &message, MSG_CMSG_CLOEXEC);
  while (n < 0 && errno == EINTR);
  if (n != sizeof error)
    return EPIPE;
  const struct cmsghdr *head = CMSG_FIRSTHDR(&message);
  if (head && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS)
    memcpy(file, CMSG_DATA(head), sizeof *file);
  return error;
}

static void lose_child(AditHelper *helper) {
  adit_warning(NULL, "the helper process %s has ended: files that only root may open can't be opened until a restart", helper->name);
  close(helper->fd);
  helper->fd = -1;
}

gboolean adit_helper_settle(AditHelper *helper, const AditUser *user) {
  int file;

  if (!helper || helper->fd < 0)
    return FALSE;
  if (send(helper->fd, user, sizeof *user, MSG_NOSIGNAL) == sizeof *user && receive_answer(helper, &file) == 0)
    return TRUE;
  lose_child(helper);
  return FALSE;
}

int adit_helper_request(AditHelper *helper, const char *request) {
  int file = -1, error = EACCES;

  if (helper) {
    g_mutex_lock(&helper->lock);
    if (helper->fd >= 0) {
      error = send(helper->fd, request, strlen(request), MSG_NOSIGNAL) < 0 ? EPIPE : receive_answer(helper, &file);
      if (error == EPIPE) {
        lose_child(helper);
        error = EACCES;
      }
    }
    g_mutex_unlock(&helper->lock);
  }
  errno = error;
  return file;
}

void adit_helper_stop(AditHelper *helper) {
  if (!helper)
    return;
  if (helper->fd >= 0)
    close(helper->fd);
  waitpid(helper->child, NULL, 0);
  g_mutex_clear(&helper->lock);
  g_free(helper);
}
