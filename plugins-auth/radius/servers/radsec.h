/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** radius/servers/radsec.h - requests over TLS or DTLS, by libradcli in workers. All [main]. */
#pragma once

#include "transport.h"

extern const RadiusTransport radius_radsec_transport;

/** Ends what threads are waiting for, so that they can be joined. */
void radius_radsec_stop(Radius *radius);
