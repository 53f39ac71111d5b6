/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** schedule.h - which link a fragment goes to: the one that is through with it first. [worker] */
#pragma once

#include "mp-stage.h"

typedef struct {
  guint32 mtu;
  guint64 rate;   /* octets per second; not 0 */
  guint64 queued; /* octets that the data path says are waiting */
  guint64 lead;   /* octets that were given to it lately */
} MpScheduleLink;

typedef struct {
  guint64 looked_ms; /**< when facts were read; they are good for this millisecond */
  const MpParams *params;
  guint32 links;
  guint32 current;
  guint64 counted_ms, counted; /**< octets since then */
  guint32 burst;               /**< octets that a link may get ahead of the others, so that several fragments leave together */
  MpScheduleLink link[ADIT_STAGE_LINKS];
} MpSchedule;

/** The link for the next fragment. There is one (io->links is not 0). */
guint mp_schedule_pick(MpSchedule *s, const MpParams *params, AditStageIo *io);
/** Octets that a frame on this link may have. After mp_schedule_pick() in the same call. */
guint32 mp_schedule_mtu(const MpSchedule *s, guint link);
/** So many were given to the link. */
void mp_schedule_sent(MpSchedule *s, guint link, guint32 octets, guint64 now_ms);
