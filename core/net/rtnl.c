/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/net/rtnl.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

enum { RECEIVE = 65536, PATIENCE_S = 30 };

struct AditRtnl {
  struct nl_sock *sock;
  int fd;
  guint32 port, sequence;
  guint8 *buffer;
};

AditRtnl *adit_rtnl_open(GError **error) {
  struct nl_sock *sock = nl_socket_alloc();
  int failed = nl_connect(sock, NETLINK_ROUTE);
  if (failed < 0) {
    g_set_error(error, ADIT_ERROR, ADIT_ERR_SYSTEM, "rtnetlink: %s", nl_geterror(failed));
    nl_socket_free(sock);
    return NULL;
  }
  AditRtnl *r = g_new0(AditRtnl, 1);
  *r = (AditRtnl){.sock = sock, .fd = nl_socket_get_fd(sock), .port = nl_socket_get_local_port(sock), .buffer = g_malloc(RECEIVE)};
  /* None of these is vital: words in errors, short errors, dumps filtered by the kernel, and no wait for ever. */
  int on = 1;
  struct timeval patience = {PATIENCE_S, 0};
  setsockopt(r->fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
  setsockopt(r->fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
  setsockopt(r->fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof on);
  setsockopt(r->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  return r;
}

guint32 adit_rtnl_port(const AditRtnl *rtnl) {
  return rtnl->port;
}

void adit_rtnl_close(AditRtnl *r) {
  if (!r)
    return;
  nl_socket_free(r->sock);
  g_free(r->buffer);
  g_free(r);
}

static int send_all(AditRtnl *r, struct iovec *iov, guint n) {
  struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
  struct msghdr message = {.msg_name = &kernel, .msg_namelen = sizeof kernel, .msg_iov = iov, .msg_iovlen = n};
  gssize sent;
  do
    sent = sendmsg(r->fd, &message, 0);
  while (sent < 0 && errno == EINTR);
  return sent < 0 ? errno : 0;
}

/* One datagram from the kernel; its length, or a negative errno. */
static gssize receive_datagram(AditRtnl *r) {
  struct sockaddr_nl from;
  struct iovec iov = {r->buffer, RECEIVE};
  for (;;) {
    struct msghdr message = {.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &iov, .msg_iovlen = 1};
    gssize n = recvmsg(r->fd, &message, 0);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return -errno;
    if (message.msg_flags & MSG_TRUNC)
      return -EMSGSIZE;
    if (n > 0 && from.nl_pid == 0)
      return n;
  }
}

/* The kernel's explanation behind an error; "" when it has none. */
static void read_text(struct nlmsghdr *h, char *text, gsize size) {
  struct nlmsgerr *e = nlmsg_data(h);
  gsize skip = sizeof *e;

  *text = 0;
  if (!(h->nlmsg_flags & NLM_F_ACK_TLVS))
    return;
  if (!(h->nlmsg_flags & NLM_F_CAPPED) && e->error)
    skip += e->msg.nlmsg_len - NLMSG_HDRLEN;
  struct nlattr *attr = nlmsg_find_attr(h, (int)skip, NLMSGERR_ATTR_MSG);
  if (attr)
    nla_strlcpy(text, attr, size);
}

static guint32 prepare_message(AditRtnl *r, struct nl_msg *msg, struct iovec *iov) {
  struct nlmsghdr *h = nlmsg_hdr(msg);
  h->nlmsg_flags |= NLM_F_REQUEST;
  if ((h->nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP)
    h->nlmsg_flags |= NLM_F_ACK;
  h->nlmsg_pid = r->port;
  h->nlmsg_seq = ++r->sequence;
  *iov = (struct iovec){h, h->nlmsg_len};
  return h->nlmsg_seq;
}

static void settle_part(AditRtnlPart *part, int error) {
  part->error = error && (error == part->forgive[0] || error == part->forgive[1]) ? 0 : error;
}

void adit_rtnl_batch(AditRtnl *r, AditRtnlPart **parts, guint n) {
  struct iovec iov[ADIT_RTNL_BATCH];
  gboolean open[ADIT_RTNL_BATCH];
  guint32 first = r->sequence + 1;
  guint waiting = n;

  g_return_if_fail(n <= ADIT_RTNL_BATCH);
  for (guint i = 0; i < n; i++) {
    prepare_message(r, parts[i]->msg, &iov[i]);
    open[i] = TRUE;
    parts[i]->lost = FALSE;
    *parts[i]->text = 0;
  }
  int failed = n ? send_all(r, iov, n) : 0;
  while (waiting && !failed) {
    gssize length = receive_datagram(r);
    if (length < 0) {
      failed = (int)-length;
      break;
    }
    int left = (int)length;
    for (struct nlmsghdr *h = (gpointer)r->buffer; nlmsg_ok(h, left); h = nlmsg_next(h, &left)) {
      guint i = h->nlmsg_seq - first;
      if (h->nlmsg_type != NLMSG_ERROR || i >= n || !open[i])
        continue; /* the rest of a request that was given up */
      open[i] = FALSE;
      waiting--;
      settle_part(parts[i], -((struct nlmsgerr *)nlmsg_data(h))->error);
      read_text(h, parts[i]->text, sizeof parts[i]->text);
    }
  }
  for (guint i = 0; failed && i < n; i++)
    if (open[i]) {
      parts[i]->error = failed;
      parts[i]->lost = TRUE;
    }
}

int adit_rtnl_request(AditRtnl *r, struct nl_msg *request, AditRtnlAnswer answer, gpointer data) {
  struct iovec iov;
  guint32 sequence = prepare_message(r, request, &iov);
  int failed = send_all(r, &iov, 1);
  gboolean dump = (nlmsg_hdr(request)->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP, done = FALSE;
  guint interrupted = 0;

  nlmsg_free(request);
  while (!failed && !done) {
    gssize length = receive_datagram(r);
    if (length < 0)
      return (int)-length;
    int left = (int)length;
    for (struct nlmsghdr *h = (gpointer)r->buffer; nlmsg_ok(h, left) && !done; h = nlmsg_next(h, &left)) {
      if (h->nlmsg_seq != sequence)
        continue;
      interrupted |= h->nlmsg_flags & NLM_F_DUMP_INTR;
      if (h->nlmsg_type == NLMSG_ERROR || h->nlmsg_type == NLMSG_DONE) {
        int code = nlmsg_datalen(h) >= (int)sizeof(int) ? *(int *)nlmsg_data(h) : 0;
        done = TRUE;
        failed = h->nlmsg_type == NLMSG_ERROR || (dump && code < 0) ? -code : 0;
      } else if (h->nlmsg_type >= NLMSG_MIN_TYPE) {
        answer(h, data);
      }
    }
  }
  return !failed && interrupted ? EINTR : failed;
}
