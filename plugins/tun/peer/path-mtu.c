/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "path-mtu.h"
#include <unistd.h>

static gboolean connect_there(int fd, const AditPath *path) {
  AditAddress local = adit_endpoint_address(&path->local);
  AditEndpoint from = adit_endpoint(&local, 0);
  if (path->association && setsockopt(fd, SOL_SOCKET, SO_MARK, &path->association, sizeof path->association) < 0)
    return FALSE;
  gboolean known = from.any.sa_family == path->remote.any.sa_family && !adit_address_is_any(&local);
  if (known && bind(fd, &from.any, adit_endpoint_size(&from)) < 0)
    return FALSE;
  return connect(fd, &path->remote.any, adit_endpoint_size(&path->remote)) == 0;
}

guint32 tun_path_mtu(const AditPath *path) {
  gboolean six = path->remote.any.sa_family == AF_INET6;
  int fd = socket(path->remote.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0), mtu = 0;
  socklen_t size = sizeof mtu;
  if (fd < 0)
    return 0;
  gboolean known =
      connect_there(fd, path) && getsockopt(fd, six ? IPPROTO_IPV6 : IPPROTO_IP, six ? IPV6_MTU : IP_MTU, &mtu, &size) == 0 && mtu > 0;
  close(fd);
  return known ? (guint32)mtu : 0;
}
