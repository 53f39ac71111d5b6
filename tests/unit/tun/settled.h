/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** tests/unit/tun/settled.h - waiting for the kernel to say that an IPv6 address is tentative no more. */
#pragma once

#include <adit/address.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/** To be opened before the address is added. -1: it can't be. */
static inline int settled_open(void) {
  struct sockaddr_nl group = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_IPV6_IFADDR};
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

  if (fd >= 0 && bind(fd, (struct sockaddr *)&group, sizeof group) == 0)
    return fd;
  close(fd);
  return -1;
}

static inline gboolean settled_is(const struct nlmsghdr *message, const AditAddress *address) {
  const struct ifaddrmsg *told = NLMSG_DATA(message);
  guint left = (guint)IFA_PAYLOAD(message);
  guint32 flags = told->ifa_flags;
  gboolean same = FALSE;

  if (message->nlmsg_type != RTM_NEWADDR)
    return FALSE;
  for (const struct rtattr *part = IFA_RTA(told); RTA_OK(part, left); part = RTA_NEXT(part, left))
    if (part->rta_type == IFA_ADDRESS)
      same = memcmp(RTA_DATA(part), address->octet, 16) == 0;
    else if (part->rta_type == IFA_FLAGS)
      memcpy(&flags, RTA_DATA(part), sizeof flags);
  return same && !(flags & IFA_F_TENTATIVE);
}

/** Waits until that address may be used, and closes `fd`. FALSE: not within `ms`. */
static inline gboolean settled_wait(int fd, const char *text, int ms) {
  gint64 end = g_get_monotonic_time() + (gint64)ms * 1000;
  struct pollfd p = {fd, POLLIN, 0};
  _Alignas(struct nlmsghdr) char buffer[8192];
  gboolean settled = FALSE;
  AditAddress address;

  adit_address_parse(text, &address);
  while (!settled && poll(&p, 1, (int)MAX(0, (end - g_get_monotonic_time()) / 1000)) > 0) {
    gssize length = recv(fd, buffer, sizeof buffer, 0);
    guint left = length > 0 ? (guint)length : 0;
    for (const struct nlmsghdr *at = (const struct nlmsghdr *)buffer; NLMSG_OK(at, left); at = NLMSG_NEXT(at, left))
      settled = settled || settled_is(at, &address);
  }
  close(fd);
  return settled;
}
