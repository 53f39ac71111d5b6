/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** core/session/network/route.h - RouterOS's and RFC 2865's way to write a route: `destination [gateway [metric]]`. Pure. [any] */
#pragma once

#include <adit/net.h>

/** Parses `text`; a gateway of 0.0.0.0, :: or none means the peer. False with an error that says what is wrong. */
gboolean adit_route_parse(const char *text, AditNetRoute *out, GError **error);
