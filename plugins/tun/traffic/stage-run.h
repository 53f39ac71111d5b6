/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** stage-run.h - data on its way through the stages of its session, and what waits for those that are required */
#pragma once

#include "../packet/packet.h"
#include "../session/tun-session.h"
#include "../worker/worker.h"

#define TUN_STAGE_ROOM (4 * ADIT_STAGE_ROOM) /**< octets that a worker has for what stages emit between two flushes */

guint8 *tun_stage_room_new(void); /**< NULL when there is no memory */
void tun_stage_room_free(guint8 *room);

/** A frame of data that came by the link, in its order. On the session's home worker; the payload stays until tun_deliver_flush(). [worker]
 */
void tun_stage_decode(TunWorker *w, AditDpSession *session, const AditDpLink *link, guint16 protocol, guint8 *payload, gsize length);
/** A packet or super-packet from the port, on any worker; FALSE = dropped. It stays until tun_deliver_flush(). [worker] */
gboolean tun_stage_encode(TunWorker *w, AditDpSession *session, const TunVnet *vnet, guint8 *ip, gsize length);
/** The same, handed over by another worker: vnet header and packet. [worker] */
void tun_stage_packet(TunWorker *w, guint64 session, guint8 *packet, gsize length);
/** Makes space for one more frame of the L2 port. TRUE: it must wait for a required stage. On the home worker. [worker] */
gboolean tun_stage_prepare(TunWorker *w, AditDpSession *session);
/** Memory for it until tun_deliver_flush(), or NULL. [worker] */
guint8 *tun_stage_room_take(TunWorker *w, gsize length);
/** A frame that is not data of IP, towards the links; `wait` as tun_stage_prepare() said. It stays until tun_deliver_flush(). [worker] */
void tun_stage_send(TunWorker *w, AditDpSession *session, gboolean wait, AditStageFrame *frame);
/** Calls stages with an expired deadline, and sends packets that are no longer held back; milliseconds to the next deadline, -1 = none.
 *  [worker] */
int tun_stages_run(TunWorker *w);
/** The earlier of two waits, of which -1 is for ever. */
static inline int tun_earlier(int a, int b) {
  return a < 0 ? b : b < 0 ? a : MIN(a, b);
}
