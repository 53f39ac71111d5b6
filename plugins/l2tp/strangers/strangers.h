/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** strangers.h - what peers hold before they are authenticated, counted by source */
#pragma once

#include "../glue/peer.h"

/** A tunnel that an SCCRQ began. */
void l2tp_strangers_add(L2tpPeer *peer);
/** It has a separate port. */
void l2tp_strangers_add_port(L2tpPeer *peer);
/** It is established: its peer's address is proven. */
void l2tp_strangers_confirm(L2tpPeer *peer);
/** It counts no more. */
void l2tp_strangers_remove(L2tpPeer *peer);
/** So many more, or (-1) less, of its links are authenticated. */
void l2tp_strangers_authenticated(L2tpPeer *peer, gint links);
