/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** rx-frame.h - frames of links: through their gate to their home, and in their order. [worker] */
#pragma once

#include "../session/tun-link.h"
#include "../worker/foreign.h"
#include "../worker/worker.h"

/** A frame of the link's out of a datagram that this worker has read; it begins with address and control or with the protocol. */
void tun_rx_frame(TunWorker *w, AditDpLink *link, gboolean numbered, guint32 sequence, const guint8 *frame, guint32 length);
/** A frame, or the state of a link, that another worker has handed over. */
void tun_rx_frame_foreign(TunWorker *w, const TunForeign *f);
/** Delivers what waited too long; returns milliseconds to the next deadline, -1 = none. */
int tun_rx_frame_expire(TunWorker *w);
