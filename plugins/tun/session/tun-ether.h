/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** tun-ether.h - the L2 port of a session, and the codec of its frames. [main] */
#pragma once

#include "tun-session.h"

gboolean tun_ether_attach(AditDpSession *session, AditPort *port, const AditEtherOps *codec, GError **error);
void tun_ether_set(AditDpSession *session, gconstpointer params);
void tun_ether_drops(AditDpSession *session, guint64 drops[ADIT_ETHER_REASONS]);
/** The session is closed: its L2 port is free for another one. */
void tun_ether_detach(AditDpSession *session);
