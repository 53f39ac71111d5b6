/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** path-mtu.h - the kernel's path MTU to a peer */
#pragma once

#include <adit/path.h>

/** Octets of an IP packet that the kernel would send on this path in one piece: of route, interface, IPsec and what routers on the way have
 *  told. 0 = unknown. It sends nothing. [main] */
guint32 tun_path_mtu(const AditPath *path);
