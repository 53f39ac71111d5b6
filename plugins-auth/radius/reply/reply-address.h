/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** radius/reply/reply-address.h - readers of addresses, prefixes and routes. */
#pragma once

#include "reading.h"

RADIUS_READER(radius_read_framed_address);
RADIUS_READER(radius_read_framed_netmask);
RADIUS_READER(radius_read_framed_pool);
RADIUS_READER(radius_read_framed_mtu);
RADIUS_READER(radius_read_route);     /**< least: the family */
RADIUS_READER(radius_read_ipv4);      /**< ADDRESS */
RADIUS_READER(radius_read_ipv6);      /**< ADDRESS */
RADIUS_READER(radius_read_ipv6_host); /**< PREFIX of 128 bits */
RADIUS_READER(radius_read_prefix);    /**< PREFIX */
RADIUS_READER(radius_read_interface_id);
void radius_finish_address(RadiusReading *r);
