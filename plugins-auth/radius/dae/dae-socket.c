/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/* UDP sockets that answer from the address that was asked. */
#define _GNU_SOURCE
#include "dae-socket.h"
#include <errno.h>
#include <unistd.h>

typedef union {
  char octets[CMSG_SPACE(sizeof(struct in6_pktinfo))];
  struct cmsghdr align;
} Control;

static gboolean set_on(int fd, int level, int name, int value) {
  return setsockopt(fd, level, name, &value, sizeof value) == 0;
}

void radius_dae_socket_share(int fd, gboolean share) {
  set_on(fd, SOL_SOCKET, SO_REUSEADDR, share);
}

int radius_dae_socket_open(const AditEndpoint *at, GError **error) {
  gboolean v6 = at->any.sa_family == AF_INET6;
  char text[ADIT_ENDPOINT_TEXT];

  int fd = socket(at->any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd >= 0 && set_on(fd, SOL_SOCKET, SO_REUSEADDR, 1) && (!v6 || set_on(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1)) &&
      set_on(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_RECVPKTINFO : IP_PKTINFO, 1) &&
      bind(fd, &at->any, adit_endpoint_size(at)) == 0) {
    radius_dae_socket_share(fd, FALSE);
    return fd;
  }
  AditErrorCode code = errno == EAFNOSUPPORT ? ADIT_ERR_UNSUPPORTED : ADIT_ERR_SYSTEM;
  g_set_error(error, ADIT_ERROR, code, "incoming: %s: %s", adit_endpoint_format(at, text), g_strerror(errno));
  if (fd >= 0)
    close(fd);
  return -1;
}

static AditAddress local_of(struct msghdr *message) {
  AditAddress local = {0};

  for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
    if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
      struct in_pktinfo info;
      memcpy(&info, CMSG_DATA(c), sizeof info);
      local.family = AF_INET;
      memcpy(local.octet, &info.ipi_spec_dst, 4);
    } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
      struct in6_pktinfo info;
      memcpy(&info, CMSG_DATA(c), sizeof info);
      local.family = AF_INET6;
      memcpy(local.octet, &info.ipi6_addr, 16);
    }
  }
  return local;
}

gssize radius_dae_socket_receive(int fd, guint8 data[RADIUS_MAX], AditEndpoint *from, AditAddress *local) {
  Control control;
  struct iovec io = {data, RADIUS_MAX};
  struct msghdr message = {.msg_name = from,
                           .msg_namelen = sizeof *from,
                           .msg_iov = &io,
                           .msg_iovlen = 1,
                           .msg_control = &control,
                           .msg_controllen = sizeof control};

  memset(from, 0, sizeof *from);
  gssize length = recvmsg(fd, &message, 0);
  if (length >= 0)
    *local = local_of(&message);
  return length;
}

static void put_control(struct msghdr *message, Control *control, int level, int type, const void *info, gsize length) {
  memset(control, 0, sizeof *control);
  message->msg_control = control;
  message->msg_controllen = CMSG_SPACE(length);
  struct cmsghdr *c = CMSG_FIRSTHDR(message);
  c->cmsg_level = level;
  c->cmsg_type = type;
  c->cmsg_len = CMSG_LEN(length);
  memcpy(CMSG_DATA(c), info, length);
}

gboolean radius_dae_socket_send(int fd, GBytes *datagram, const AditEndpoint *to, const AditAddress *local) {
  gsize length;
  gconstpointer data = g_bytes_get_data(datagram, &length);
  Control control;
  struct iovec io = {(gpointer)data, length};
  struct msghdr message = {.msg_name = (gpointer)to, .msg_namelen = adit_endpoint_size(to), .msg_iov = &io, .msg_iovlen = 1};

  if (local->family == AF_INET) {
    struct in_pktinfo info = {0};
    memcpy(&info.ipi_spec_dst, local->octet, 4);
    put_control(&message, &control, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
  } else if (local->family == AF_INET6) {
    struct in6_pktinfo info = {0};
    memcpy(&info.ipi6_addr, local->octet, 16);
    put_control(&message, &control, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
  }
  return sendmsg(fd, &message, 0) == (gssize)length;
}

/* A sender on this machine that uses an own IPv6 address sends from that address: RFC 6724 5, rule 1. */
static gboolean calls_itself(int fd, const AditAddress *address) {
  AditEndpoint at = adit_endpoint(address, 9), local = {0};
  socklen_t size = sizeof local;

  if (connect(fd, &at.any, adit_endpoint_size(&at)) < 0 || getsockname(fd, &local.any, &size) < 0)
    return FALSE;
  AditAddress from = adit_endpoint_address(&local);
  return adit_address_equal(&from, address);
}

/* Nothing is sent. bind() would not do: with ip_nonlocal_bind it takes any address. */
gboolean radius_dae_is_local(const AditAddress *address) {
  int fd = adit_address_is_any(address) ? -1 : socket(address->family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

  if (fd < 0)
    return FALSE;
  gboolean local = address->family == AF_INET6 ? calls_itself(fd, address)
                                               : setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, address->octet, sizeof(struct in_addr)) == 0;
  close(fd);
  return local;
}
