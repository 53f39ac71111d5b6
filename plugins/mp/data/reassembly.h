/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/** reassembly.h - fragments to packets (RFC 1990 4): in their order, each once, with bounded memory and time. [worker] */
#pragma once

#include "held.h"
#include "mp-stage.h"

/** The fragments from `next` to `scan` have come and are the begin of one packet; `scan` is missing; others behind it may be there. */
typedef struct {
  guint32 next, scan;
  guint32 octets;                   /**< of the fragments from next to scan */
  gboolean begun;                   /**< a fragment has come */
  guint32 links;                    /**< those that `latest` is of, a bit each */
  guint32 latest[ADIT_STAGE_LINKS]; /**< the highest number that came by each link */
  guint32 fresh;                    /**< links that have joined since the last fragment that was taken, a bit each */
  guint32 stray, strays;            /**< the last number far from all that is expected, as on the wire; how many came in a row */
  guint64 lost, expired, noted_ms;  /**< since the last note; when that was */
  MpHeld held;
} MpReassembly;

/** A multilink frame that came by frame->link; emits the packets that are whole then, and sets io->deadline_ms. */
void mp_reassembly_input(MpReassembly *r, const MpParams *params, MpCounters *counters, AditStageIo *io, AditStageFrame *frame);
/** Gives up what is overdue. */
void mp_reassembly_expire(MpReassembly *r, const MpParams *params, MpCounters *counters, AditStageIo *io);
/** Gives its memory back. [main] */
void mp_reassembly_clear(MpReassembly *r);
