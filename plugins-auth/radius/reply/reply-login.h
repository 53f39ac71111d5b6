/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** radius/reply/reply-login.h - readers of what decides about the login itself. */
#pragma once

#include "reading.h"

RADIUS_READER(radius_read_must_be); /**< least is the only value that is served: any other refuses */
RADIUS_READER(radius_read_tunnel);  /**< the user is to be tunnelled on: refuses */
RADIUS_READER(radius_read_tunnel_server);
RADIUS_READER(radius_read_tunnel_password);
RADIUS_READER(radius_read_message);
RADIUS_READER(radius_read_eap);
RADIUS_READER(radius_read_state);
RADIUS_READER(radius_read_proof); /**< MS-CHAP2-Success */
RADIUS_READER(radius_read_error); /**< MS-CHAP-Error */
RADIUS_READER(radius_read_mppe_policy);
RADIUS_READER(radius_read_mppe_types);
RADIUS_READER(radius_read_mppe_key);  /**< least: 0 ours to send with, 1 to receive with */
RADIUS_READER(radius_read_mppe_keys); /**< MS-CHAPv1's, both in one */
/** Reasons of all of them together to refuse. */
void radius_finish_login(RadiusReading *r);
