/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** ether-delivery.h - Ethernet frames of a peer, for the L2 port of its session. [worker] */
#pragma once

#include "../session/tun-session.h"
#include "../worker/worker.h"

/** Is it data of the session's L2 port, which is open? `params` are the session's. */
static inline gboolean tun_ether_takes(const AditDpSession *session, guint64 params, guint16 protocol) {
  return (params & TUN_PARAM_BRIDGE) && adit_ether_has_protocol(session->codec, protocol);
}
/** The codec refused a frame. */
static inline void tun_ether_drop(const TunWorker *w, AditDpSession *session, const AditEtherIo *io) {
  guint64 *counter = &session->ether_drops[w->index][MIN(io->reason, ADIT_ETHER_REASONS - 1)];
  TUN_ADD(*counter, 1);
  TUN_ADD(session->cell[w->index].drops, 1);
}
/** The payload of a PPP frame of such a protocol. */
void tun_ether_deliver(TunWorker *w, AditDpSession *session, AditStageFrame *frame);
