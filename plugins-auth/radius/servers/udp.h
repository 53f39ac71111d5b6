/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** radius/servers/udp.h - requests over UDP, on the main loop. All [main]. */
#pragma once

#include "transport.h"

extern const RadiusTransport radius_udp_transport;
