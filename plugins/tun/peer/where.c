/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "where.h"
#include <netinet/in.h>

TunWhere tun_where(const AditPath *path) {
  TunWhere where;
  AditAddress remote = adit_endpoint_address(&path->remote), local = adit_endpoint_address(&path->local);
  memset(&where, 0, sizeof where);
  memcpy(where.remote, remote.octet, 16);
  memcpy(where.local, local.octet, 16);
  where.association = path->association;
  where.port = adit_endpoint_port(&path->remote);
  where.family = remote.family;
  where.local_any = adit_address_is_any(&local);
  return where;
}

gboolean tun_where_equal(const TunWhere *where, const TunWhere *from) {
  return memcmp(where, from, G_STRUCT_OFFSET(TunWhere, local_any)) == 0 &&
         (where->local_any || from->local_any || memcmp(where->local, from->local, 16) == 0);
}

static void control_put(guint8 *control, guint *at, int level, int type, const void *data, gsize length) {
  struct cmsghdr head = {.cmsg_len = CMSG_LEN(length), .cmsg_level = level, .cmsg_type = type};
  memset(control + *at, 0, CMSG_SPACE(length));
  memcpy(control + *at, &head, sizeof head);
  memcpy(control + *at + CMSG_LEN(0), data, length);
  *at += (guint)CMSG_SPACE(length);
}

guint tun_path_control(const AditPath *path, guint8 dscp, guint8 control[96]) {
  AditAddress local = adit_endpoint_address(&path->local);
  int tos = dscp << 2;
  guint at = 0;
  gboolean six = path->remote.any.sa_family == AF_INET6;
  if (!adit_address_is_any(&local) && !six) {
    struct in_pktinfo info = {0};
    memcpy(&info.ipi_spec_dst, local.octet, 4);
    control_put(control, &at, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
  } else if (!adit_address_is_any(&local)) {
    struct in6_pktinfo info = {0};
    memcpy(&info.ipi6_addr, local.octet, 16);
    if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
      info.ipi6_ifindex = path->remote.in6.sin6_scope_id;
    control_put(control, &at, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
  }
  if (tos && six)
    control_put(control, &at, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof tos);
  else if (tos)
    control_put(control, &at, IPPROTO_IP, IP_TOS, &tos, sizeof tos);
  if (path->association)
    control_put(control, &at, SOL_SOCKET, SO_MARK, &path->association, sizeof path->association);
  return at;
}
