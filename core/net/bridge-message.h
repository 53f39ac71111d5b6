/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/net/bridge-message.h - rtnetlink messages about ports of bridges, built and read. */
#pragma once

#include "core/net/claims/object-key.h"
#include <netlink/msg.h>

G_BEGIN_DECLS

/** Sets attributes of the port that `port->set` names, but for its VLAN. The caller's, as the others. */
struct nl_msg *adit_bridge_port_set(guint ifindex, const AditBridgePort *port);
/** RTM_SETLINK: the VLAN of untagged frames. RTM_DELLINK: the port leaves the VLAN. */
struct nl_msg *adit_bridge_port_vlan(int type, guint ifindex, guint16 vlan);
/** Asks for the VLANs of a port. */
struct nl_msg *adit_bridge_port_vlans(guint ifindex);
/** Reads attributes out of RTM_NEWLINK, in which they are if the interface is a port of a bridge. */
void adit_bridge_port_parse(struct nlattr *link_info, AditBridgePort *port);
/** Reads the VLAN of untagged frames out of RTM_NEWVLAN, if it is in this one. */
void adit_bridge_port_parse_vlan(struct nlmsghdr *h, AditBridgePort *port);

G_END_DECLS
