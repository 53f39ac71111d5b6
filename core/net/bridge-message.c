/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
#include "core/net/bridge-message.h"
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>

enum { MESSAGE_ROOM = 256 };

static struct nl_msg *new_bridge_message(int type, int flags, const void *header, int length) {
  struct nl_msg *msg = nlmsg_alloc_size((size_t)NLMSG_SPACE(length) + MESSAGE_ROOM);
  nlmsg_put(msg, 0, 0, type, 0, flags);
  nlmsg_append(msg, (void *)header, (size_t)length, NLMSG_ALIGNTO);
  return msg;
}

struct nl_msg *adit_bridge_port_set(guint ifindex, const AditBridgePort *port) {
  struct ifinfomsg ifi = {.ifi_family = AF_UNSPEC, .ifi_index = (int)ifindex};
  struct nl_msg *msg = new_bridge_message(RTM_NEWLINK, 0, &ifi, sizeof ifi);
  struct nlattr *info = nla_nest_start(msg, IFLA_LINKINFO);
  nla_put_string(msg, IFLA_INFO_SLAVE_KIND, "bridge");
  struct nlattr *data = nla_nest_start(msg, IFLA_INFO_SLAVE_DATA);
  if (port->set & ADIT_BRIDGE_PORT_LEARNING)
    nla_put_u8(msg, IFLA_BRPORT_LEARNING, port->learning);
  if (port->set & ADIT_BRIDGE_PORT_ISOLATED)
    nla_put_u8(msg, IFLA_BRPORT_ISOLATED, port->isolated);
  if (port->set & ADIT_BRIDGE_PORT_COST)
    nla_put_u32(msg, IFLA_BRPORT_COST, port->cost);
  if (port->set & ADIT_BRIDGE_PORT_PRIORITY)
    nla_put_u16(msg, IFLA_BRPORT_PRIORITY, port->priority);
  nla_nest_end(msg, data);
  nla_nest_end(msg, info);
  return msg;
}

struct nl_msg *adit_bridge_port_vlan(int type, guint ifindex, guint16 vlan) {
  struct ifinfomsg ifi = {.ifi_family = AF_BRIDGE, .ifi_index = (int)ifindex};
  struct bridge_vlan_info info = {.vid = vlan};
  if (type == RTM_SETLINK)
    info.flags = BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED;
  struct nl_msg *msg = new_bridge_message(type, 0, &ifi, sizeof ifi);
  struct nlattr *spec = nla_nest_start(msg, IFLA_AF_SPEC);
  nla_put(msg, IFLA_BRIDGE_VLAN_INFO, sizeof info, &info);
  nla_nest_end(msg, spec);
  return msg;
}

struct nl_msg *adit_bridge_port_vlans(guint ifindex) {
  struct br_vlan_msg head = {.family = AF_BRIDGE, .ifindex = ifindex};
  return new_bridge_message(RTM_GETVLAN, NLM_F_DUMP, &head, sizeof head);
}

void adit_bridge_port_parse(struct nlattr *link_info, AditBridgePort *port) {
  struct nlattr *info[IFLA_INFO_MAX + 1], *data[IFLA_BRPORT_MAX + 1];
  if (!link_info || nla_parse_nested(info, IFLA_INFO_MAX, link_info, NULL) < 0 || !info[IFLA_INFO_SLAVE_KIND] ||
      !info[IFLA_INFO_SLAVE_DATA] || nla_strcmp(info[IFLA_INFO_SLAVE_KIND], "bridge") != 0 ||
      nla_parse_nested(data, IFLA_BRPORT_MAX, info[IFLA_INFO_SLAVE_DATA], NULL) < 0)
    return;
  if (data[IFLA_BRPORT_LEARNING]) {
    port->set |= ADIT_BRIDGE_PORT_LEARNING;
    port->learning = nla_get_u8(data[IFLA_BRPORT_LEARNING]) != 0;
  }
  if (data[IFLA_BRPORT_ISOLATED]) {
    port->set |= ADIT_BRIDGE_PORT_ISOLATED;
    port->isolated = nla_get_u8(data[IFLA_BRPORT_ISOLATED]) != 0;
  }
  if (data[IFLA_BRPORT_COST]) {
    port->set |= ADIT_BRIDGE_PORT_COST;
    port->cost = nla_get_u32(data[IFLA_BRPORT_COST]);
  }
  if (data[IFLA_BRPORT_PRIORITY]) {
    port->set |= ADIT_BRIDGE_PORT_PRIORITY;
    port->priority = nla_get_u16(data[IFLA_BRPORT_PRIORITY]);
  }
}

void adit_bridge_port_parse_vlan(struct nlmsghdr *h, AditBridgePort *port) {
  struct nlattr *entry;
  int left;
  if (h->nlmsg_type != RTM_NEWVLAN || !nlmsg_valid_hdr(h, sizeof(struct br_vlan_msg)))
    return;
  nlmsg_for_each_attr(entry, h, sizeof(struct br_vlan_msg), left) {
    struct nlattr *attr[BRIDGE_VLANDB_ENTRY_MAX + 1];
    struct bridge_vlan_info info;
    if (nla_type(entry) != BRIDGE_VLANDB_ENTRY || nla_parse_nested(attr, BRIDGE_VLANDB_ENTRY_MAX, entry, NULL) < 0 ||
        !attr[BRIDGE_VLANDB_ENTRY_INFO] || nla_len(attr[BRIDGE_VLANDB_ENTRY_INFO]) < (int)sizeof info)
      continue;
    memcpy(&info, nla_data(attr[BRIDGE_VLANDB_ENTRY_INFO]), sizeof info);
    if (info.flags & BRIDGE_VLAN_INFO_PVID)
      port->pvid = info.vid;
  }
}
