/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** displacement.h - the item that a newcomer displaces at a limit */
#pragma once

#include "../glue/peer.h"

/** Makes place for one more tunnel of `remote`, displacing others. FALSE: it has to retransmit. */
gboolean l2tp_strangers_make_place(L2tp *l2tp, const AditAddress *remote);
/** Displaces a tunnel that has a separate port. FALSE if there is none that may go. */
gboolean l2tp_strangers_free_port(L2tp *l2tp, const AditAddress *remote);
/** Could a call of `remote` begin now? Nothing is displaced yet. */
gboolean l2tp_strangers_may_start(L2tp *l2tp, const AditAddress *remote);
/** `max-starting`: makes place for one more call. */
gboolean l2tp_strangers_admit_call(L2tpPeer *peer);
/** `max-sessions`: could a link of the peer be made now, and is there place for it, displacing others? */
gboolean l2tp_strangers_may_connect(L2tpPeer *peer);
gboolean l2tp_strangers_admit_link(L2tpPeer *peer);
