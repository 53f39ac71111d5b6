/* SPDX-License-Identifier: GPL-2.0-or-later WITH adit-plugin-exception */
/**
 * mp-stage.h - the data side of Multilink PPP (RFC 1990): a stage of kind ADIT_STAGE_BUNDLE that fragments, schedules and reassembles.
 *
 * The control side makes one MpCounters for each bundle and passes it in the parameters. It publishes new parameters when a link joins,
 * leaves or changes. To restart (the sequence numbers of a bundle start at 0), it removes the stage and adds it again.
 *
 *     MpParams params = {.own_mrru = 1600, .peer_mrru = 1614, .counters = mp_counters_new()};
 *     params.link[index].mtu = MIN(peer_mru, what_the_path_carries);
 *     AditStageSpec spec = {.size = sizeof spec, .ops = &mp_stage_ops, .params = &params, .params_length = sizeof params, .note = on_note};
 *     sessions->stage_add(session, &spec, &error);
 *     mp_counters_unref(params.counters);   // when the control side reads them no more; the stage has its own reference
 */
#pragma once

#include "mp-counters.h"
#include <adit/ppp.h>
#include <adit/stage.h>

#define MP_DEADLINE_MS 200 /**< a fragment waits so long for the ones before it, when MpParams.deadline_ms is 0 */
#define MP_MRRU_MIN    64  /**< a smaller peer_mrru is not used: packets are sent as they are, outside of multilink */
#define MP_MTU_MIN     64  /**< a smaller MTU of a link counts as this one */

/** The options that LCP agreed on for a link of the bundle. Address, control and protocol compression of the frame around a fragment are
 * the data path's (AditDatapathOps.link_framing()). */
typedef struct {
  guint32 mtu;  /**< octets after the PPP protocol of a frame: the peer's MRU, or less if the path carries less; 0 = 1500 */
  guint32 rate; /**< octets per second towards the peer; 0 = unknown: what the data path measures, or equal shares */
} MpLinkParams;

/** Published as a whole; read by the session's home worker. */
typedef struct {
  gboolean send_short, receive_short; /**< sequence numbers of 12 bits: the peer asked for them; we asked for them (RFC 1990 5.1.2) */
  guint32 own_mrru;                   /**< longer packets from the peer are dropped; at most 65535 */
  guint32 peer_mrru;    /**< longer packets go to the peer as they are, if they fit a link; 0 = it takes no multilink: all do */
  gboolean pfc;         /**< the protocol inside may be compressed, where that makes fragments even (RFC 1990 2) */
  guint32 deadline_ms;  /**< 0 = MP_DEADLINE_MS */
  MpCounters *counters; /**< not NULL */
  MpLinkParams link[ADIT_STAGE_LINKS]; /**< by the index that session_join() gave */
  guint32 resting;                     /**< a bit for each link that does not answer: nothing is sent on it while there is another */
  guint32 silent;                      /**< the same: and nothing comes by it: fragments that it should bring are lost */
} MpParams;

/** Notes of the stage to the main loop. */
typedef enum {
  MP_NOTE_LOST = 1, /**< fragments were lost; MpNoteLost. Once a second for a bundle at most */
  MP_NOTE_RESYNC,   /**< the peer restarted its numbering; no data */
} MpNote;

typedef struct {
  guint64 lost;    /**< since the last note */
  guint64 expired; /**< of them, given up at the deadline */
} MpNoteLost;

extern const AditStageOps mp_stage_ops;
