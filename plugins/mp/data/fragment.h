/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** fragment.h - packets to fragments (RFC 1990 3), without copying them. [worker] */
#pragma once

#include "schedule.h"

typedef struct {
  guint32 sequence; /**< of the next fragment */
  MpSchedule schedule;
} MpFragmenter;

/** A packet to the peer. Emits its fragments, each with the link that it goes to; or the packet itself, where the peer takes no multilink,
 * or where it is longer than the MRRU and fits the link. */
void mp_fragment_packet(MpFragmenter *f, const MpParams *params, MpCounters *counters, AditStageIo *io, AditStageFrame *packet);
